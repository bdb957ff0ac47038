//! A store in memory whose log is signed by a key of the test, a folder for segments, and a clock set by hand.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use claviger_core::audit::{
    Archive, Break, Checkpoint, Draft, Entry, EntryOutcome, Evidence, Header, Report, SignedCheckpoint, UserKind,
    VerifierKey, checkpoint_line, hash_line, header_line, leaf_line,
};
use claviger_core::clock::{BootTime, Clock};
use claviger_core::id::TenantId;
use claviger_core::service::{Folder, Retention, RetentionError, Shelf};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{AuditRange, Leaf, Segment, Store};
use data_encoding::HEXLOWER;
use redb::backends::InMemoryBackend;

const ORIGIN: &str = "claviger/log-1";
const KEEP: Duration = Duration::from_hours(400 * 24);
const START_MS: u64 = 1_785_312_000_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const YOUNG: u64 = 50;

static WORLDS: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
pub(crate) struct ManualClock(AtomicU64);

impl Clock for ManualClock {
    fn unix_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn boot(&self) -> BootTime {
        BootTime(0)
    }
}

pub(crate) struct World {
    pub(crate) store: RedbStore,
    pub(crate) key: VerifierKey,
    pub(crate) folder: Folder,
    pub(crate) tenant: TenantId,
    /// Entries of one segment at most.
    entries_max: u64,
    clock: Arc<ManualClock>,
    pair: Ed25519KeyPair,
    home: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock(AtomicU64::new(START_MS * 1_000_000)));
        let store = RedbStore::over(InMemoryBackend::new, 1 << 20, ORIGIN, clock.clone()).unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let key = VerifierKey::new(ORIGIN, pair.public_key().as_ref()).unwrap();
        let number = WORLDS.fetch_add(1, Ordering::SeqCst);
        let home =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("retention-{}-{number}", std::process::id()));
        fs::create_dir(&home).unwrap();
        let folder = Folder::open(home.join("segments")).unwrap();
        let tenant = TenantId::from_bytes([1; 16]);
        Self { store, key, folder, tenant, entries_max: 1_000, clock, pair, home }
    }

    /// A log of so many old entries, signed every `every` ones and at their end, and a few young ones. Segments are as
    /// long.
    pub(crate) async fn aged(old: u64, every: u64) -> Self {
        let mut world = Self::new();
        world.entries_max = every;
        let mut size = 0;
        while size < old {
            let count = every.min(old - size);
            world.grow(count).await;
            world.sign().await;
            size += count;
        }
        world.age();
        world.grow(YOUNG).await;
        world.sign().await;
        world
    }

    /// Intents and outcomes of a tenant, and entries of none.
    pub(crate) async fn grow(&self, count: u64) {
        let from = self.store.tree_head().await.unwrap().size;
        let drafts = (from..from + count).map(|seq| {
            let draft = |action: &str, outcome| Draft::new(action, outcome).by(UserKind::App, "app_1");
            match seq % 5 {
                0 => draft("order.place", EntryOutcome::Allowed),
                4 => draft("execution.outcome", EntryOutcome::Acked).tenant(self.tenant.to_string()).intent(seq - 1),
                _ => draft("execution.intent", EntryOutcome::Allowed).tenant(self.tenant.to_string()),
            }
        });
        self.store.append(drafts.collect()).await.unwrap();
    }

    pub(crate) async fn sign(&self) {
        let head = self.store.tree_head().await.unwrap();
        let checkpoint = Checkpoint::new(ORIGIN, head.size, head.root).with_time(self.clock.unix_ms());
        let signature = self.pair.sign(checkpoint.body().as_bytes());
        let public = self.pair.public_key();
        let note = SignedCheckpoint::assemble(&checkpoint, ORIGIN, public.as_ref(), signature.as_ref()).unwrap();
        self.store.put_checkpoint(head.size, note.into_string()).await.unwrap();
    }

    /// Lets so much time pass that what is there is old.
    pub(crate) fn age(&self) {
        self.clock.0.fetch_add(402 * DAY_MS * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) async fn run(&self, onto: &dyn Shelf) -> Result<u64, RetentionError> {
        let clock = self.clock.as_ref();
        Retention { store: &self.store, clock, key: &self.key, shelf: onto, entries_max: self.entries_max }
            .run(KEEP)
            .await
    }

    /// Writes the one segment there is to write, and removes what one commit does.
    pub(crate) async fn begin_removal(&self) -> Segment {
        let clock = self.clock.as_ref();
        // The commit that removes nothing yet: the shelf keeps the segment, and then the process dies.
        let dying = Failing::after_keeping(&self.folder);
        let retention = Retention { store: &self.store, clock, key: &self.key, shelf: &dying, entries_max: 10_000 };
        retention.run(KEEP).await.unwrap_err();
        let name = self.names().remove(0);
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, self.text(&name).as_bytes()).as_ref());
        let segment = Segment { first: 0, last: 2_499, sha256 };
        let entry = Draft::new("audit.archive", EntryOutcome::Allowed).on("segment", name);
        assert_eq!(self.store.archive(segment, entry).await.unwrap(), 1_000);
        segment
    }

    /// Each entry is in the store, or in a segment that verifies.
    pub(crate) async fn nothing_is_lost(&self) {
        let oldest = self.store.tree_head().await.unwrap().oldest;
        let evidence = Evidence::default();
        let mut archive = Archive::new(&self.key, &evidence);
        let mut end = 0;
        for name in self.names() {
            let (header, _) = archive.add(self.text(&name).as_bytes()).unwrap();
            end = header.last + 1;
        }
        assert!(oldest <= end, "entries {end} to {oldest} are nowhere");
    }

    pub(crate) fn judge(&self, segments: &[&str], export: Option<&str>) -> Result<Report, Break> {
        let evidence = Evidence::default();
        let mut archive = Archive::new(&self.key, &evidence);
        for segment in segments {
            archive.add(segment.as_bytes())?;
        }
        match export {
            Some(export) => archive.verify(export.as_bytes()),
            None => archive.report(),
        }
    }

    /// An export of the log whose first `archived` entries stand as hashes.
    pub(crate) async fn export(&self, archived: u64) -> String {
        self.sign().await;
        let size = self.store.tree_head().await.unwrap().size;
        let mut export = header_line(&Header::new(ORIGIN, &self.key, None, "log-1").archived(archived));
        let hashes = self.store.leaf_hashes(0, archived).await.unwrap();
        (0..).zip(&hashes).for_each(|(seq, hash)| export.push_str(&hash_line(seq, hash)));
        for leaf in self.leaves(None, archived).await {
            export.push_str(&leaf_line(leaf.seq, &leaf.bytes).unwrap());
        }
        let note = self.store.checkpoints(size, 1).await.unwrap().remove(0);
        export + &checkpoint_line(&SignedCheckpoint::unverified(note))
    }

    pub(crate) async fn leaves(&self, tenant: Option<TenantId>, from: u64) -> Vec<Leaf> {
        self.store.audit_scan(AuditRange { tenant, from, limit: 10_000 }).await.unwrap()
    }

    /// The entries that say what left.
    pub(crate) async fn archived(&self) -> Vec<Entry> {
        let entries = self.leaves(None, 0).await.into_iter().map(|leaf| Entry::from_leaf(&leaf.bytes).unwrap());
        entries.filter(|entry| entry.action == "audit.archive").collect()
    }

    /// The files, in the order of the log.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = fs::read_dir(self.home.join("segments")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "segment.tmp").collect();
        names.sort();
        names
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.join("segments").join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn sha256(&self, name: &str) -> String {
        HEXLOWER.encode(digest(&SHA256, self.text(name).as_bytes()).as_ref())
    }
}

/// A shelf that does so many steps, and then none: as the power being cut does.
pub(crate) struct Failing<'a> {
    shelf: &'a dyn Shelf,
    left: Arc<AtomicUsize>,
    dies_with_its_name: bool,
}

impl<'a> Failing<'a> {
    pub(crate) fn at(shelf: &'a dyn Shelf, step: usize) -> Self {
        Self { shelf, left: Arc::new(AtomicUsize::new(step)), dies_with_its_name: false }
    }

    fn after_keeping(shelf: &'a dyn Shelf) -> Self {
        Self { dies_with_its_name: true, ..Self::at(shelf, usize::MAX) }
    }

    fn step(&self) -> io::Result<()> {
        step(&self.left)
    }
}

fn step(left: &AtomicUsize) -> io::Result<()> {
    let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    taken.map(drop).map_err(|_| io::Error::other("the power is cut"))
}

impl Shelf for Failing<'_> {
    fn find(&self, first: u64) -> io::Result<Option<u64>> {
        self.step()?;
        self.shelf.find(first)
    }

    fn draft(&self) -> io::Result<Box<dyn Write + Send>> {
        self.step()?;
        Ok(Box::new(Cut { draft: self.shelf.draft()?, left: self.left.clone(), bytes: 0 }))
    }

    fn sync_draft(&self) -> io::Result<()> {
        self.step()?;
        self.shelf.sync_draft()
    }

    fn read_draft(&self) -> io::Result<Box<dyn Read + Send>> {
        self.step()?;
        self.shelf.read_draft()
    }

    fn keep_draft(&self, name: &str) -> io::Result<()> {
        self.step()?;
        self.shelf.keep_draft(name)?;
        if self.dies_with_its_name { Err(io::Error::other("the power is cut")) } else { self.step() }
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        self.step()?;
        self.shelf.read(name)
    }
}

/// A draft of which every 100,000 bytes are a step.
struct Cut {
    draft: Box<dyn Write + Send>,
    left: Arc<AtomicUsize>,
    bytes: usize,
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes / 100_000 != (self.bytes + bytes.len()) / 100_000 {
            step(&self.left)?;
        }
        self.bytes += bytes.len();
        self.draft.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.flush()
    }
}
