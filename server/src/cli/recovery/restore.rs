//! `claviger recovery restore`: a store, the recovery file and m shares, brought to a new token. Nothing is put in the store's
//! place before all of it is ready.
//!
//! The private half lives in this process's locked memory for as long as that takes: the one place where it is whole again.

mod adopt;
mod report;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use claviger_core::audit::{EntryOutcome, Subject, VerifierKey, timestamp};
use claviger_core::execution::Origin;
use claviger_core::recovery::file::{Contents, Wraps};
use claviger_core::recovery::{PrivateKey, RecoveryKey};
use claviger_core::service::Recovery;
use claviger_core::store::redb::put_wraps;
use claviger_core::store::{Change, Key, Row, Scope, Stop};
use data_encoding::HEXLOWER;

use super::super::backup::{DRAFT, Home, REPLACED, TOMBSTONES_BEFORE, open_into, service_over, subjects, take_place};
use super::super::client::Here;
use super::super::init::{self, Shown};
use super::super::{Failure, doctor, home};
use super::setup::runtime;
use super::shares::gathered;
use crate::config::Config;
use crate::recovery::{self, Place};
use crate::sandbox;

pub(in super::super) use adopt::adopt;

/// What the entry of a recovery is called.
const RECOVERED: &str = "store.recovered";

/// Why a store that was recovered from a backup signs nothing at first.
const FROM_BACKUP: &str = "recovered from a backup: stop and revoke again what was since";

#[derive(Debug, Args)]
pub(in super::super) struct Restore {
    /// A file with a share; once for each. Without, shares are asked for at the terminal.
    #[arg(long)]
    share: Vec<PathBuf>,
    /// The recovery file; else where the configuration says.
    #[arg(long)]
    file: Option<PathBuf>,
    /// A backup, where the home's store is lost too.
    #[arg(long, requires = "identity")]
    backup: Option<PathBuf>,
    /// The file with an age identity that the backup was encrypted to.
    #[arg(long, requires = "backup")]
    identity: Option<PathBuf>,
    /// The log's verifier key, as you have noted it; without, the log and the recovery file are verified by the key inside
    /// the store or backup.
    #[arg(long)]
    key: Option<VerifierKey>,
    /// The tombstones; else the home's own.
    #[arg(long)]
    tombstones: Option<PathBuf>,
    /// A file that operators' invitations are written to as well, for its owner only, JSON.
    #[arg(long)]
    invitations: Option<PathBuf>,
    /// Says what would come back, and changes nothing. No token is needed for that.
    #[arg(long)]
    dry_run: bool,
    /// Have a store that comes from a backup sign at once, although what was stopped or revoked since is not known. Else two
    /// operators resume everything.
    #[arg(long, requires = "backup")]
    sign_at_once: bool,
    /// Put a backup in the place of a store that is there, which is kept beside it.
    #[arg(long)]
    force: bool,
}

/// What a recovery rests on.
struct Basis {
    /// The key of the log's checkpoints so far.
    log: VerifierKey,
    key: RecoveryKey,
    file: Option<Contents>,
    wraps: Wraps,
    backup_sha256: Option<[u8; 32]>,
    subjects: Vec<Subject>,
    entries: u64,
    /// Whether nothing is to be signed before two operators say so.
    is_stopped: bool,
}

impl Restore {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        sandbox::harden_common().map_err(|e| Failure::new(1, e.to_string()))?;
        let config = Config::load(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let path = fs::canonicalize(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let _lock = home::lock(&path)?;
        if let Some(file) = self.invitations.as_ref().filter(|file| file.exists()) {
            return Err(Failure::new(5, format!("{} exists; nothing was changed. Name another file", file.display())));
        }
        let (store, replaced) = (path.join("claviger.redb"), path.join(REPLACED));
        if store.exists() && replaced.exists() && !self.dry_run {
            let text = format!(
                "{} is there from an earlier restore, and would be lost; nothing was changed. Remove it, or move it away",
                replaced.display()
            );
            return Err(Failure::new(5, text));
        }
        let home = Home { path: &path, config: &config };
        let draft = path.join(DRAFT);
        let done = self.on_draft(here, &home, &draft);
        if !matches!(done, Ok(true)) {
            let _ = fs::remove_file(&draft);
        }
        done.map(drop)
    }

    /// Says whether the draft took the store's place.
    fn on_draft(&self, here: &Here, home: &Home<'_>, draft: &Path) -> Result<bool, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let store = home.path.join("claviger.redb");
        let backup_sha256 = self.put_draft(home, &store, draft)?;
        let runtime = runtime()?;
        let basis = runtime.block_on(self.basis(home, draft, backup_sha256))?;
        let private = gathered(&self.share, &basis.key)?;
        put_wraps(draft, &basis.wraps).map_err(|e| failed(&e))?;
        if self.dry_run {
            let found = runtime.block_on(async {
                let service = service_over(draft, &home.config.audit.log)?;
                service.recoverable(&private).await.map_err(|e| failed(&e))
            })?;
            report::dry_run(here, &basis, &found);
            return Ok(false);
        }
        runtime.block_on(write_down(home, draft, &basis))?;
        if let Some(tokens) = home.config.hsm.token_dir.as_ref() {
            init::private_directory(&home.path.join(tokens)).map_err(|e| failed(&e))?;
        }
        for role in ["new-token", "adopt-recovered"] {
            let pin = doctor::pin(home.path, home.config).map_err(|text| Failure::new(64, text))?;
            init::provision_child(home.path, home.config, &pin, role)?;
        }
        let (found, invitations) = runtime.block_on(recovered(home, draft, &basis, &private))?;
        drop(private);
        init::hand_out(self.invitations.as_deref(), &invitations)?;
        put_in_place(home.path, draft).map_err(|e| Failure::new(1, e.to_string()))?;
        report::done(here, &basis, &found, &invitations);
        Ok(true)
    }

    /// Makes the draft: of the backup, or of the store that is there. Says SHA-256 of the backup.
    fn put_draft(&self, home: &Home<'_>, store: &Path, draft: &Path) -> Result<Option<[u8; 32]>, Failure> {
        let (Some(backup), Some(identity)) = (&self.backup, &self.identity) else {
            let copied = fs::copy(store, draft);
            copied
                .map_err(|e| Failure::new(4, format!("{}: {e}; name a --backup where it is lost", store.display())))?;
            return Ok(None);
        };
        if store.exists() && !self.force && !self.dry_run {
            let text = format!("{} is there; nothing was changed. Give --force to replace it", store.display());
            return Err(Failure::new(5, text));
        }
        let (snapshot, sha256) = open_into(draft, backup, identity)?;
        if snapshot.origin != home.config.audit.log {
            let log = &home.config.audit.log;
            let text = format!("it is a backup of {}, the home's log is {log}; nothing was changed", snapshot.origin);
            return Err(Failure::new(5, text));
        }
        Ok(Some(sha256))
    }

    async fn basis(&self, home: &Home<'_>, draft: &Path, sha256: Option<[u8; 32]>) -> Result<Basis, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let service = service_over(draft, &home.config.audit.log)?;
        let log = service.log_key().await.map_err(|e| failed(&e))?;
        if self.key.as_ref().is_some_and(|key| *key != log) {
            return Err(failed(&"the log has another verifier key: it is not of this service"));
        }
        let verified = service.verify_log(&log).await;
        let verified = verified.map_err(|e| failed(&format!("the store or backup is damaged: {e}")))?;
        let place = self.file.clone().unwrap_or_else(|| Place::of(home.path, &home.config.recovery).newest());
        let (file, wraps) = match recovery::read(&place, &log) {
            Ok((contents, wraps)) => (Some(contents), wraps),
            // The wraps are in the store too, as long as that is there.
            Err(why) if self.file.is_none() && self.backup.is_none() => {
                eprintln!("claviger: {why}: the store's own wraps are used");
                (None, Vec::new())
            }
            Err(why) => return Err(failed(&why)),
        };
        let stored = service.recovery_key().await.map_err(|e| failed(&e))?;
        if let (Some(stored), Some(file)) = (&stored, &file)
            && stored.set != file.key.set
            && stored.made_ms > file.key.made_ms
        {
            let text = format!(
                "{} is from before the recovery key was replaced; nothing was changed. Take a newer file",
                place.display()
            );
            return Err(Failure::new(3, text));
        }
        let key = file.as_ref().map(|file| file.key.clone()).or(stored).ok_or_else(|| {
            let text = "no recovery key was ever set up: without the token nothing opens; nothing was changed";
            Failure::new(4, text)
        })?;
        let subjects = subjects(home.path, self.tombstones.as_deref(), &log)?;
        let is_stopped = sha256.is_some() && !self.sign_at_once;
        Ok(Basis { log, key, file, wraps, backup_sha256: sha256, subjects, entries: verified.entries, is_stopped })
    }
}

/// Has the log say what is about to be done, for ever, under the key of so far.
async fn write_down(home: &Home<'_>, draft: &Path, basis: &Basis) -> Result<(), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
    let service = service_over(draft, &home.config.audit.log)?;
    let origin = Origin::system(service.clock());
    let of_file = |value: fn(&Contents) -> String| basis.file.as_ref().map_or_else(|| "none".to_owned(), value);
    let entry = origin
        .draft(RECOVERED, EntryOutcome::Allowed)
        .on("recovery", HEXLOWER.encode(&basis.key.set))
        .detail("entries", basis.entries.to_string())
        .detail("log_key_before", HEXLOWER.encode(basis.log.public_key()))
        .detail("file_generation", of_file(|file| file.generation.to_string()))
        .detail("file_written", of_file(|file| timestamp(file.at_ms)))
        .detail("backup_sha256", basis.backup_sha256.map_or_else(|| "none".to_owned(), |hash| HEXLOWER.encode(&hash)));
    let change = Change::set(Key::RecoveryKey, Row::RecoveryKey(Box::new(basis.key.clone())));
    service.store().put_cas(vec![change], vec![entry]).await.map_err(|e| failed(&e))?;
    Ok(())
}

/// Seals everything anew under the new token's keys.
async fn recovered(
    home: &Home<'_>,
    draft: &Path,
    basis: &Basis,
    private: &PrivateKey,
) -> Result<(Recovery, Vec<Shown>), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; the store is as it was"));
    let service = service_over(draft, &home.config.audit.log)?;
    let attached = home.attach(&service).await?;
    let origin = Origin::system(service.clock());
    // Before anything is sealed anew; KEKs go by themselves, and what moved away from them is not lost with them.
    let others = basis.subjects.iter().copied().filter(|subject| !matches!(subject, Subject::Kek(..)));
    service.bury_again(others, &origin).await.map_err(|e| failed(&e))?;
    let found = service.recover(private, &basis.subjects, &origin).await.map_err(|e| failed(&e))?;
    service.miss_own_keks(&origin).await.map_err(|e| failed(&e))?;
    service.call_off_all_acts().await.map_err(|e| failed(&e))?;
    let subjects: BTreeSet<Subject> = basis.subjects.iter().copied().collect();
    service.engrave_again(&subjects).await.map_err(|e| failed(&e))?;
    let keys = attached.greeting.keys.clone();
    let invited = service.settle_on_new_token(keys, &origin).await.map_err(|e| failed(&e))?;
    if basis.is_stopped {
        // What was stopped or revoked since the backup is not known here.
        let stopped = service.stop(None, Scope::All, Stop::Frozen, FROM_BACKUP, &origin).await;
        stopped.map_err(|e| failed(&e))?;
    }
    attached.detach(&service).await;
    let shown = invited.into_iter().map(|operator| Shown {
        name: operator.name,
        invitation: operator.invitation,
        expires_ms: operator.expires_ms,
    });
    Ok((found, shown.collect()))
}

/// The tombstones last: cut off before that, they are still there for whoever begins again.
fn put_in_place(home: &Path, draft: &Path) -> std::io::Result<()> {
    take_place(home, draft)?;
    let tombstones = home.join("tombstones");
    match fs::rename(tombstones.join("tombstones"), tombstones.join(TOMBSTONES_BEFORE)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
