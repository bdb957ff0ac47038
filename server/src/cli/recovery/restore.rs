//! `claviger recovery restore`: a store, the recovery file and m shares, brought to a new token. Nothing is put in the store's
//! place before all of it is ready; a run that was cut off is gone on with by the next.
//!
//! The private half lives in this process's locked memory for as long as that takes: the one place where it is whole again.

mod adopt;
mod basis;
mod report;
mod token;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use claviger_core::audit::{EntryOutcome, Subject, VerifierKey, timestamp};
use claviger_core::execution::Origin;
use claviger_core::recovery::PrivateKey;
use claviger_core::recovery::file::Contents;
use claviger_core::service::Service;
use claviger_core::store::redb::put_wraps;
use claviger_core::store::{Change, Key, Row, Scope, Stop};
use data_encoding::HEXLOWER;
use tokio::runtime::Runtime;

use super::super::backup::{Attached, Home, Removal, service_over, spares, take_place};
use super::super::client::Here;
use super::super::init::{self, Shown};
use super::super::{Failure, doctor, home};
use super::setup::runtime;
use super::shares::gathered;
use crate::config::Config;
use crate::recovery::notes::{self, Begun, DRAFT, Notes};
use crate::sandbox;

use basis::Basis;

pub(in super::super) use adopt::adopt;
pub(in super::super) use token::new_token;

/// What the entry of a recovery is called.
const RECOVERED: &str = "store.recovered";

/// The store that a dry run looks at.
pub(in super::super) const DRY_RUN: &str = "claviger.redb.dry-run";

/// What becomes of what was done until a failure.
const GO_ON: &str = "the store is as it was, and the same command goes on";

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

impl Restore {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        sandbox::harden_common().map_err(|e| Failure::new(1, e.to_string()))?;
        let config = Config::load(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let path = fs::canonicalize(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let _lock = home::lock(&path)?;
        let (home, draft) = (Home { path: &path, config: &config }, path.join(DRAFT));
        let begun = Notes::of(&path).map_err(|e| Failure::new(1, format!("the notes of a restore: {e}")))?;
        if self.dry_run {
            return self.dry_run(here, &home, begun.as_ref());
        }
        if let Some(notes) = begun.as_ref().filter(|notes| notes.is_placed(&path)) {
            return self.finish(here, &home, notes);
        }
        self.spares_what_is_there(&path, begun.as_ref())?;
        let done = self.restored(here, &home, &draft, begun);
        if done.is_err() && !matches!(Notes::of(&path), Ok(Some(_))) {
            let _ = fs::remove_file(&draft);
        }
        done
    }

    /// Refuses to write over a file of invitations, or a store that was replaced, of another restore.
    fn spares_what_is_there(&self, home: &Path, begun: Option<&Notes>) -> Result<(), Failure> {
        let is_ours = |file: &PathBuf| begun.is_some_and(|notes| notes.begun.invitations.as_ref() == Some(file));
        if let Some(file) = self.invitations.as_ref().filter(|file| file.exists() && !is_ours(file)) {
            return Err(Failure::new(5, format!("{} exists; nothing was changed. Name another file", file.display())));
        }
        spares(home, true)
    }

    /// Says what would come back, of a draft of its own.
    fn dry_run(&self, here: &Here, home: &Home<'_>, begun: Option<&Notes>) -> Result<(), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let draft = home.path.join(DRY_RUN);
        let _removal = Removal::of(draft.clone()).map_err(|e| failed(&e))?;
        let runtime = runtime()?;
        let done = self.put_draft(home, &draft).and_then(|sha256| {
            let (basis, wraps) = runtime.block_on(self.basis(home, &draft, sha256))?;
            let private = gathered(&self.share, &basis.key)?;
            put_wraps(&draft, &wraps).map_err(|e| failed(&e))?;
            let found = runtime.block_on(async {
                let service = service_over(&draft, &home.config.audit.log)?;
                service.recoverable(&private).await.map_err(|e| failed(&e))
            })?;
            report::dry_run(here, &basis, &found);
            Ok(())
        });
        let _ = fs::remove_file(&draft);
        if let Some(notes) = begun {
            eprintln!("claviger: a restore begun at {} waits to be gone on with", timestamp(notes.begun.at_ms));
        }
        done
    }

    fn restored(&self, here: &Here, home: &Home<'_>, draft: &Path, begun: Option<Notes>) -> Result<(), Failure> {
        let runtime = runtime()?;
        let gone_on_with = match begun {
            Some(notes) => self.gone_on_with(home, draft, notes, &runtime)?,
            None => None,
        };
        let (basis, private, begun) = if let Some((basis, notes)) = gone_on_with {
            let private = gathered(&self.share, &basis.key)?;
            (basis, private, Some(notes))
        } else {
            let (basis, private) = self.begin(home, draft, &runtime)?;
            (basis, private, None)
        };
        let (mut notes, invitations) = runtime.block_on(self.sealed_anew(home, draft, &basis, &private, begun))?;
        drop(private);
        self.hand_out(&invitations)?;
        report::invitations(here, &invitations);
        let failed = |e: std::io::Error| Failure::new(1, format!("{e}; {GO_ON}"));
        notes.placing().map_err(failed)?;
        take_place(home.path, draft).map_err(failed)?;
        notes::finish(home.path).map_err(failed)?;
        report::done(here, &basis, &notes.found, &invitations);
        Ok(())
    }

    /// A restore that was cut off, if it was of the same store and file; else it is dropped.
    fn gone_on_with(
        &self,
        home: &Home<'_>,
        draft: &Path,
        notes: Notes,
        runtime: &Runtime,
    ) -> Result<Option<(Basis, Notes)>, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; {GO_ON}"));
        let at = timestamp(notes.begun.at_ms);
        let Some(basis) = runtime.block_on(self.basis_of(home, draft, &notes))? else {
            eprintln!(
                "claviger: a restore begun at {at} was of another store, backup or recovery file; this one begins anew"
            );
            return Ok(None);
        };
        let service = service_over(draft, &home.config.audit.log)?;
        let plan = &notes.begun.plan;
        let rows = runtime.block_on(service.recovered_rows(plan)).map_err(|e| failed(&e))?;
        eprintln!("claviger: a restore begun at {at} has {rows} of {} rows; going on", plan.rows);
        Ok(Some((basis, notes)))
    }

    /// Makes a draft that the new token has taken over, with nothing in it sealed anew yet. Whatever an earlier run did of
    /// this is done again; the token that it made is kept.
    fn begin(&self, home: &Home<'_>, draft: &Path, runtime: &Runtime) -> Result<(Basis, PrivateKey), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        spares(home.path, self.backup.is_none() || self.force)?;
        notes::drop_begun(home.path).map_err(|e| failed(&e))?;
        let sha256 = self.put_draft(home, draft)?;
        let (basis, wraps) = runtime.block_on(self.basis(home, draft, sha256))?;
        let private = gathered(&self.share, &basis.key)?;
        put_wraps(draft, &wraps).map_err(|e| failed(&e))?;
        runtime.block_on(write_down(home, draft, &basis))?;
        if let Some(tokens) = home.config.hsm.token_dir.as_ref() {
            init::private_directory(&home.path.join(tokens)).map_err(|e| failed(&e))?;
        }
        for (role, failing) in [
            ("new-token", "the new token could not be made; the store was not changed"),
            ("adopt-recovered", "the new token did not take over the log; the store was not changed"),
        ] {
            let pin = doctor::pin(home.path, home.config).map_err(|text| Failure::new(64, text))?;
            init::provision_child(home.path, home.config, &pin, role, failing)?;
        }
        Ok((basis, private))
    }

    /// Seals everything anew under the new token's keys.
    async fn sealed_anew(
        &self,
        home: &Home<'_>,
        draft: &Path,
        basis: &Basis,
        private: &PrivateKey,
        begun: Option<Notes>,
    ) -> Result<(Notes, Vec<Shown>), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; {GO_ON}"));
        let service = service_over(draft, &home.config.audit.log)?;
        let attached = home.attach(&service).await?;
        let origin = Origin::system(service.clock());
        let token_key = HEXLOWER.encode(&attached.greeting.keys.audit);
        let mut notes = match begun {
            Some(notes) if notes.begun.token_key == token_key => notes,
            Some(_) => {
                notes::drop_begun(home.path).map_err(|e| failed(&e))?;
                let text = "the token is another one than this restore was begun on: what was made for that one is dropped. \
                            Give the command again, and it begins anew";
                return Err(Failure::new(5, text));
            }
            None => {
                // Before anything is sealed anew; KEKs go by themselves, and what moved away from them is not lost with them.
                let others = basis.subjects.iter().copied().filter(|subject| !matches!(subject, Subject::Kek(..)));
                service.bury_again(others, &origin).await.map_err(|e| failed(&e))?;
                let plan = service.plan_recovery(&basis.subjects).await.map_err(|e| failed(&e))?;
                let (source, log_key, entries) = (basis.source(), basis.log.to_string(), basis.entries);
                let (at_ms, invitations) = (service.clock().unix_ms(), self.invitations.clone());
                let begun = Begun { at_ms, source, log_key, entries, token_key, invitations, plan };
                Notes::begin(home.path, begun).map_err(|e| failed(&e))?
            }
        };
        let plan = notes.begun.plan.clone();
        notes.found.opened = service.recovered_rows(&plan).await.map_err(|e| failed(&e))?;
        let mut shown = None;
        let mut heard = |event| {
            notes.take(event)?;
            let percent = notes.found.opened.saturating_mul(100).checked_div(plan.rows);
            if shown != percent {
                eprintln!("claviger: {} of {} rows are sealed anew", notes.found.opened, plan.rows);
                shown = percent;
            }
            Ok(())
        };
        service.recover(private, &plan, &origin, &mut heard).await.map_err(|e| failed(&e))?;
        service.miss_own_keks(&origin).await.map_err(|e| failed(&e))?;
        service.call_off_all_acts().await.map_err(|e| failed(&e))?;
        let subjects: BTreeSet<Subject> = basis.subjects.iter().copied().collect();
        service.engrave_again(&subjects).await.map_err(|e| failed(&e))?;
        let invitations = settled(&service, &attached, &origin).await?;
        if basis.is_stopped {
            // What was stopped or revoked since the backup is not known here.
            let stopped = service.stop(None, Scope::All, Stop::Frozen, FROM_BACKUP, &origin).await;
            stopped.map_err(|e| failed(&e))?;
        }
        attached.detach(&service).await;
        Ok((notes, invitations))
    }

    /// Finishes a restore that was cut off when its store was in place. Who was invited then may not have read it.
    fn finish(&self, here: &Here, home: &Home<'_>, notes: &Notes) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::new(1, format!("{e}; {GO_ON}"));
        eprintln!(
            "claviger: a restore begun at {} has taken the store's place; going on",
            timestamp(notes.begun.at_ms)
        );
        let invitations = runtime()?.block_on(async {
            let service = service_over(&home.path.join("claviger.redb"), &home.config.audit.log)?;
            let attached = home.attach(&service).await?;
            let origin = Origin::system(service.clock());
            let invitations = settled(&service, &attached, &origin).await?;
            attached.detach(&service).await;
            Ok::<_, Failure>(invitations)
        })?;
        self.hand_out(&invitations)?;
        report::invitations(here, &invitations);
        notes::finish(home.path).map_err(failed)?;
        report::finished(here, notes, &invitations);
        Ok(())
    }

    /// Writes the invitations to their file, in place of those of a run that was cut off.
    fn hand_out(&self, invitations: &[Shown]) -> Result<(), Failure> {
        if let Some(file) = &self.invitations {
            let _ = fs::remove_file(file);
        }
        init::hand_out(self.invitations.as_deref(), invitations)
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
        .detail("source_sha256", HEXLOWER.encode(&basis.sha256));
    let change = Change::set(Key::RecoveryKey, Row::RecoveryKey(Box::new(basis.key.clone())));
    service.store().put_cas(vec![change], vec![entry]).await.map_err(|e| failed(&e))?;
    Ok(())
}

/// Has the new token's keys count, and operators' passwords count no more.
async fn settled(service: &Service, attached: &Attached, origin: &Origin) -> Result<Vec<Shown>, Failure> {
    let invited = service.settle_on_new_token(attached.greeting.keys.clone(), origin).await;
    let invited = invited.map_err(|e| Failure::new(1, format!("{e}; {GO_ON}")))?;
    let shown = invited.into_iter().map(|operator| Shown {
        name: operator.name,
        invitation: operator.invitation,
        expires_ms: operator.expires_ms,
    });
    Ok(shown.collect())
}
