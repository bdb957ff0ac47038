//! `claviger backup restore`: a backup in the place of a home's store. Nothing is put there before all of it is ready.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use claviger_core::audit::{
    Checkpoint, EntryOutcome, SignedCheckpoint, Subject, Tombstone, VerifierKey, timestamp, tombstone,
};
use claviger_core::backup::Snapshot;
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::execution::Origin;
use claviger_core::keeper::checkpoints::replant;
use claviger_core::recovery::RecoveryKey;
use claviger_core::service::{Service, Tried};
use claviger_core::store::redb::put_wraps;
use claviger_core::store::{AuditRange, Scope, Stop};
use claviger_core::token::Token;
use claviger_hsm::{Module, SlotSelector};
use data_encoding::HEXLOWER;
use serde_json::json;

use super::super::client::Here;
use super::super::{Failure, doctor, home, init};
use super::opened::{Attached, Home, open_of, service_over};
use super::scratch::Removal;
use crate::boot::KeeperBoot;
use crate::config::Config;
use crate::keeper;
use crate::recovery::notes::TOMBSTONES_BEFORE;
use crate::recovery::{self, Place};

/// The store that is being made, in the home.
pub(in crate::cli) const DRAFT: &str = "claviger.redb.restoring";

/// The store that was there before.
pub(in crate::cli) const REPLACED: &str = "claviger.redb.replaced";

/// Why a store that is older than what the token has seen signs nothing at first.
const ROLLED_BACK: &str = "restored from before: stop and revoke again what was since";

/// What the entry of a restore is called.
const RESTORED: &str = "store.restored";

#[derive(Debug, Args)]
pub(in super::super) struct Restore {
    /// The backup.
    file: PathBuf,
    /// The file with an age identity that it was encrypted to.
    #[arg(long)]
    identity: PathBuf,
    /// The tombstones; else the home's own.
    #[arg(long)]
    tombstones: Option<PathBuf>,
    /// Put it in the place of a store that is there, which is kept beside it.
    #[arg(long)]
    force: bool,
    /// Have the token forget that it has seen a newer store. The audit log says so for ever.
    #[arg(long)]
    accept_rollback: bool,
}

/// What a restore did.
#[derive(Default)]
struct Done {
    buried: Vec<String>,
    lost: Vec<String>,
    missed: Vec<String>,
    rolled_back: bool,
    /// The log's key and the recovery key, if there is one.
    keys: Option<(VerifierKey, Option<RecoveryKey>)>,
    /// What became of the recovery wraps, which no backup holds.
    wraps: Option<String>,
}

impl Restore {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, e.to_string());
        let config = Config::load(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let path = fs::canonicalize(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let _lock = home::lock(&path)?;
        let draft = path.join(DRAFT);
        spares(&path, self.force)?;
        // Looked at before anything is done, and let go at once.
        drop(doctor::pin(&path, &config).map_err(|text| Failure::new(64, text))?);
        let removal = Removal::of(draft.clone()).map_err(|e| failed(&e))?;
        let (snapshot, sha256) = open_of(&config.audit.log, &draft, &self.file, &self.identity)?;
        let home = Home { path: &path, config: &config };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        let mut done = runtime.block_on(self.prepare(&home, &snapshot, sha256)).inspect_err(|_| {
            let _ = fs::remove_file(&draft);
        })?;
        // From here on it goes through, whoever tells it to end: the token would wait for a store that is gone.
        drop(removal);
        if done.rolled_back {
            let pin = doctor::pin(&path, &config).map_err(|text| Failure::new(64, text))?;
            let failing = "whether the token has accepted the restored store is not known; the home's store was not changed. \
                           Give the same command again";
            init::provision_child(&path, &config, &pin, "accept-restored", failing)?;
        }
        take_wraps(&home, &draft, &mut done);
        take_place(&path, &draft).map_err(|e| failed(&e))?;
        report(here, &snapshot, &done, self.force);
        Ok(())
    }

    /// Makes the draft fit to serve.
    async fn prepare(&self, home: &Home<'_>, snapshot: &Snapshot, sha256: [u8; 32]) -> Result<Done, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let service = service_over(&home.path.join(DRAFT), &snapshot.origin)?;
        let mut attached = home.attach(&service).await?;
        let key = VerifierKey::new(&snapshot.origin, &attached.greeting.keys.audit).map_err(|e| failed(&e))?;
        let log = service.verify_log(&key).await.map_err(|e| {
            failed(&format!("the backup's log is not one that this token signed, or the backup is damaged: {e}"))
        })?;
        let subjects = subjects(home.path, self.tombstones.as_deref(), &key)?;
        let held = attached.greeting.checkpoint.clone().ok_or_else(|| failed(&"the token holds no checkpoint"))?;
        let held = SignedCheckpoint::unverified(held).verify(&key).map_err(|e| failed(&e))?;
        let rolled_back = is_behind(&service, &held).await.map_err(|e| failed(&e))?;
        if rolled_back && !self.accept_rollback {
            let text = format!(
                "the backup has {} entries, and the token has seen {}: what came between would be gone, revocations and \
                 executions among it; nothing was changed. Give --accept-rollback to have it so",
                log.entries, held.size
            );
            return Err(Failure::new(3, text));
        }
        let origin = Origin::system(service.clock());
        let entry = origin
            .draft(RESTORED, EntryOutcome::Allowed)
            .detail("backup_sha256", HEXLOWER.encode(&sha256))
            .detail("taken", timestamp(snapshot.at_ms))
            .detail("entries", log.entries.to_string())
            .detail("backup_checkpoint", checkpoint_words(log.newest.as_ref()))
            .detail("token_entries", held.size.to_string())
            .detail("token_root", held.root.to_string());
        service.store().append(vec![entry]).await.map_err(|e| failed(&e))?;
        let recovery = service.recovery_key().await.map_err(|e| failed(&e))?;
        let mut done = Done { rolled_back, keys: Some((key, recovery)), ..Done::default() };
        self.clean(home, &service, &mut attached, subjects, &mut done).await?;
        if rolled_back {
            // What was stopped or revoked since is not known here: nothing is signed before somebody has looked.
            let stopped = service.stop(None, Scope::All, Stop::Frozen, ROLLED_BACK, &origin).await;
            stopped.map_err(|e| failed(&e))?;
        }
        attached.detach(&service).await;
        Ok(done)
    }

    /// Deletes again what was deleted since, drops keys that do not open any more, calls off what was asked for, and ends
    /// all logins.
    async fn clean(
        &self,
        home: &Home<'_>,
        service: &Service,
        attached: &mut Attached,
        subjects: Vec<Subject>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let origin = Origin::system(service.clock());
        done.buried.extend(service.bury_again(subjects, &origin).await.map_err(|e| failed(&e))?);
        for kek in service.stored_keks().await.map_err(|e| failed(&e))? {
            if let Tried::Fails | Tried::Rootless = home.tried(&kek, service, attached).await? {
                let lost = service.drop_kek(kek.tenant, kek.version, &origin).await.map_err(|e| failed(&e))?;
                done.lost.extend(lost.unwrap_or_default());
            }
        }
        let missed = service.miss_own_keks(&origin).await.map_err(|e| failed(&e))?;
        done.missed = missed.iter().map(ToString::to_string).collect();
        service.call_off_all_acts().await.map_err(|e| failed(&e))?;
        service.end_all_logins(&origin).await.map_err(|e| failed(&e))
    }
}

/// Takes the recovery wraps of what was restored from the recovery file: for what is in the token alone, nobody can
/// make another.
fn take_wraps(home: &Home<'_>, draft: &Path, done: &mut Done) {
    let Some((log, Some(key))) = &done.keys else { return };
    let file = Place::of(home.path, &home.config.recovery).newest();
    let put = recovery::read(&file, log).and_then(|(contents, wraps)| {
        if contents.key.set != key.set {
            return Err(format!("{} is of another recovery key", file.display()));
        }
        put_wraps(draft, &wraps).map_err(|e| e.to_string())
    });
    done.wraps = put.err().map(|why| {
        format!(
            "recovery wraps were not restored: {why}. The service makes those of sealed keys anew; resident keys have \
             none until they are rotated"
        )
    });
}

/// Refuses to put a store in the place of one that is there, unless that is wanted, and to lose one that was replaced
/// before.
pub(in crate::cli) fn spares(home: &Path, may_replace: bool) -> Result<(), Failure> {
    let (store, replaced) = (home.join("claviger.redb"), home.join(REPLACED));
    if !store.exists() {
        return Ok(());
    }
    if !may_replace {
        let text = format!("{} is there; nothing was changed. Give --force to replace it", store.display());
        return Err(Failure::new(5, text));
    }
    if replaced.exists() && !is_same_file(&store, &replaced) {
        let text = format!(
            "{} is there from an earlier restore, and would be lost; nothing was changed. Remove it, or move it away",
            replaced.display()
        );
        return Err(Failure::new(5, text));
    }
    Ok(())
}

/// Gives a store that is ready its name, and what was there before another: there is one under that name at any moment.
pub(in crate::cli) fn take_place(home: &Path, draft: &Path) -> std::io::Result<()> {
    let store = home.join("claviger.redb");
    let replaced = home.join(REPLACED);
    match fs::hard_link(&store, &replaced) {
        // Cut off after this, an earlier run made it.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && is_same_file(&store, &replaced) => {}
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    fs::rename(draft, store)?;
    File::open(home)?.sync_all()
}

/// Whether two names are of one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}

/// What the tombstones name, persons first: they are known by what is deleted after. Without a file of its own the home's
/// counts.
pub(in crate::cli) fn subjects(home: &Path, given: Option<&Path>, key: &VerifierKey) -> Result<Vec<Subject>, Failure> {
    let folder = home.join("tombstones");
    let of_now = folder.join("tombstones");
    // After a recovery there is none until the service was started.
    let of_home = if of_now.exists() { of_now } else { folder.join(TOMBSTONES_BEFORE) };
    let file = given.map_or(of_home, Path::to_owned);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && given.is_none() => {
            eprintln!(
                "claviger: there are no tombstones in {}: what was deleted since the backup comes back",
                folder.display()
            );
            return Ok(Vec::new());
        }
        Err(e) => return Err(Failure::new(2, format!("{}: {e}", file.display()))),
    };
    // What a write that did not end has left may be cut in a letter.
    let read = tombstone::read_all(&String::from_utf8_lossy(&bytes), key);
    let (tombstones, fragments) = read.map_err(|e| {
        let text = format!("{}: {e}; nothing was changed. Take the file as the service wrote it", file.display());
        Failure::new(1, text)
    })?;
    if fragments > 0 {
        eprintln!(
            "claviger: {} holds {fragments} fragments of tombstones whose writing did not end; they are left out",
            file.display()
        );
    }
    let mut subjects: Vec<_> = tombstones.into_iter().map(|Tombstone { subject, .. }| subject).collect();
    subjects.sort_by_key(|subject| (!matches!(subject, Subject::Owner(..)), *subject));
    subjects.dedup();
    Ok(subjects)
}

/// Whether the store does not go on from the head that the token holds.
async fn is_behind(service: &Service, held: &Checkpoint) -> Result<bool, claviger_core::store::StoreError> {
    let tree = service.store().tree_head().await?;
    if held.size > tree.size {
        return Ok(true);
    }
    let (root, _) = service.store().consistency(held.size, tree.size).await?;
    Ok(root != held.root)
}

fn checkpoint_words(checkpoint: Option<&Checkpoint>) -> String {
    checkpoint.map_or_else(|| "none".to_owned(), |checkpoint| format!("{} {}", checkpoint.size, checkpoint.root))
}

fn report(here: &Here, snapshot: &Snapshot, done: &Done, replaced: bool) {
    let value = json!({
        "at": timestamp(snapshot.at_ms), "entries": snapshot.entries, "rolled_back": done.rolled_back,
        "deleted_again": done.buried, "lost": done.lost,
        "own_keks_missing": done.missed,
    });
    here.print(&value, |_| {
        let mut lines = vec![format!("restored {}, as it was at {}", snapshot.origin, timestamp(snapshot.at_ms))];
        lines.extend(done.buried.iter().map(|what| format!("left out, as a tombstone says: {what}")));
        lines.extend(done.lost.iter().map(|what| format!("lost, because its key opens no more: {what}")));
        lines.extend(done.missed.iter().map(|tenant| format!("{tenant} waits for its own KEK: `claviger kek import`")));
        if done.rolled_back {
            let gone =
                "the token accepts this store; what came after the backup is gone, stops and revocations among it";
            let stopped = "nothing is signed until you have repeated those and two operators resume everything: \
                claviger resume --all";
            lines.extend([gone, stopped].map(str::to_owned));
        }
        lines.extend(done.wraps.clone());
        if replaced {
            lines.push(format!("the store that was there is {REPLACED}: remove it, it holds what was deleted"));
        }
        lines
            .push("all operators log in again; stops, grants and roles are as they were then: look at them".to_owned());
        lines.join("\n")
    });
}

/// The process that has the token accept a restored store: one that says itself, as the first of its new entries, what it
/// takes the place of.
pub(in super::super) fn accept_restored() -> ExitCode {
    init::provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module)?;
        let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
        let hsm = module.open(&selector, keeper::pin_of(pin))?;
        let mut token = hsm.session().map_err(|e| e.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        Ok(runtime.block_on(accept(boot, &mut token))?)
    })
}

async fn accept(boot: &KeeperBoot, token: &mut impl Token) -> Result<(), String> {
    let origin = &boot.config.audit.log;
    let service = service_over(&path_of(&boot.home), origin).map_err(|e| e.text)?;
    let store = service.store();
    let keys = token.public_keys().map_err(|e| e.to_string())?;
    let key = VerifierKey::new(origin, &keys.audit).map_err(|e| e.to_string())?;
    let held = token.checkpoints().map_err(|e| e.to_string())?;
    let verified =
        held.iter().filter_map(|note| SignedCheckpoint::unverified(String::from_utf8_lossy(note)).verify(&key).ok());
    let seen = verified.map(|checkpoint| checkpoint.size).max().unwrap_or(0);
    let newest = store.newest_checkpoint().await.map_err(|e| e.to_string())?;
    let signed = newest.map(|note| SignedCheckpoint::unverified(note).verify(&key).map_err(|e| e.to_string()));
    let from = signed.transpose()?.map_or(0, |checkpoint| checkpoint.size);
    let after = store.audit_scan(AuditRange { tenant: None, from, limit: 10_000 }).await.map_err(|e| e.to_string())?;
    let says_so = after.iter().any(|leaf| {
        claviger_core::audit::Entry::from_leaf(&leaf.bytes)
            .is_ok_and(|entry| entry.action == RESTORED && entry.detail.get("token_entries") == Some(&seen.to_string()))
    });
    if !says_so {
        return Err("the store does not say what it takes the place of; the token was not changed".to_owned());
    }
    let tree = store.tree_head().await.map_err(|e| e.to_string())?;
    let checkpoint = Checkpoint::new(origin, tree.size, tree.root).with_time(SystemClock.unix_ms());
    let note = replant(token, &checkpoint).map_err(|e| e.to_string())?;
    store.put_checkpoint(tree.size, note).await.map_err(|e| e.to_string())
}

fn path_of(home: &Path) -> PathBuf {
    home.join(DRAFT)
}
