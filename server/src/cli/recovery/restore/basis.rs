//! What a restore rests on: the store or backup, the recovery file, the tombstones.

use std::fs::{self, File};
use std::path::Path;

use claviger_core::audit::{Subject, VerifierKey};
use claviger_core::recovery::RecoveryKey;
use claviger_core::recovery::file::{Contents, Wraps};
use data_encoding::HEXLOWER;

use super::super::super::Failure;
use super::super::super::backup::{Home, open_of, service_over, subjects};
use super::Restore;
use crate::backup::looked_through;
use crate::recovery::notes::{Notes, Source};
use crate::recovery::{self, Place};

/// What a restore rests on.
pub(super) struct Basis {
    /// The key of the log's checkpoints so far.
    pub(super) log: VerifierKey,
    pub(super) key: RecoveryKey,
    pub(super) file: Option<Contents>,
    pub(super) sha256: [u8; 32],
    pub(super) subjects: Vec<Subject>,
    pub(super) entries: u64,
    /// Whether nothing is to be signed before two operators say so.
    pub(super) is_stopped: bool,
}

impl Basis {
    pub(super) fn source(&self) -> Source {
        source(self.sha256, self.file.as_ref())
    }
}

fn source(sha256: [u8; 32], file: Option<&Contents>) -> Source {
    Source { sha256: HEXLOWER.encode(&sha256), file: file.map(|file| (file.generation, file.at_ms)) }
}

impl Restore {
    /// Makes the draft: of the backup, or of the store that is there. Says SHA-256 of what it is made of.
    pub(super) fn put_draft(&self, home: &Home<'_>, draft: &Path) -> Result<[u8; 32], Failure> {
        let store = home.path.join("claviger.redb");
        let (Some(backup), Some(identity)) = (&self.backup, &self.identity) else {
            let sha256 = self.sha256(home)?;
            fs::copy(&store, draft).map_err(|e| Failure::new(1, format!("{}: {e}", draft.display())))?;
            return Ok(sha256);
        };
        let (_, sha256) = open_of(&home.config.audit.log, draft, backup, identity)?;
        Ok(sha256)
    }

    /// SHA-256 of the store or backup.
    fn sha256(&self, home: &Home<'_>) -> Result<[u8; 32], Failure> {
        let store = home.path.join("claviger.redb");
        let (source, hint) = match &self.backup {
            Some(backup) => (backup, ""),
            None => (&store, "; name a --backup where it is lost"),
        };
        let read = File::open(source).and_then(looked_through);
        read.map(|(_, sha256)| sha256).map_err(|e| Failure::new(4, format!("{}: {e}{hint}", source.display())))
    }

    /// What the draft that was just made rests on, and the wraps to be put into it.
    pub(super) async fn basis(
        &self,
        home: &Home<'_>,
        draft: &Path,
        sha256: [u8; 32],
    ) -> Result<(Basis, Wraps), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let service = service_over(draft, &home.config.audit.log)?;
        let log = service.log_key().await.map_err(|e| failed(&e))?;
        self.is_the_log(&log)?;
        let verified = service.verify_log(&log).await;
        let verified = verified.map_err(|e| failed(&format!("the store or backup is damaged: {e}")))?;
        let (file, wraps) = self.file(home, &log)?;
        let stored = service.recovery_key().await.map_err(|e| failed(&e))?;
        if let (Some(stored), Some(file)) = (&stored, &file)
            && stored.set != file.key.set
            && stored.made_ms > file.key.made_ms
        {
            let text =
                "the recovery file is from before the recovery key was replaced; nothing was changed. Take a newer one";
            return Err(Failure::new(3, text));
        }
        let key = file.as_ref().map(|file| file.key.clone()).or(stored).ok_or_else(|| {
            let text = "no recovery key was ever set up: without the token nothing opens; nothing was changed";
            Failure::new(4, text)
        })?;
        let subjects = subjects(home.path, self.tombstones.as_deref(), &log)?;
        let (entries, is_stopped) = (verified.entries, self.backup.is_some() && !self.sign_at_once);
        Ok((Basis { log, key, file, sha256, subjects, entries, is_stopped }, wraps))
    }

    /// The same, of a restore that was cut off; `None` if that was of something else.
    pub(super) async fn basis_of(
        &self,
        home: &Home<'_>,
        draft: &Path,
        notes: &Notes,
    ) -> Result<Option<Basis>, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
        let log: VerifierKey = notes.begun.log_key.parse().map_err(|e| failed(&e))?;
        self.is_the_log(&log)?;
        let (file, _) = self.file(home, &log)?;
        let sha256 = self.sha256(home)?;
        if source(sha256, file.as_ref()) != notes.begun.source {
            return Ok(None);
        }
        let key = service_over(draft, &home.config.audit.log)?.recovery_key().await.map_err(|e| failed(&e))?;
        let key = key.ok_or_else(|| failed(&"the draft has no recovery key"))?;
        let subjects = subjects(home.path, self.tombstones.as_deref(), &log)?;
        let (entries, is_stopped) = (notes.begun.entries, self.backup.is_some() && !self.sign_at_once);
        Ok(Some(Basis { log, key, file, sha256, subjects, entries, is_stopped }))
    }

    fn is_the_log(&self, log: &VerifierKey) -> Result<(), Failure> {
        if self.key.as_ref().is_some_and(|key| key != log) {
            let text = "the log has another verifier key: it is not of this service; nothing was changed";
            return Err(Failure::new(1, text));
        }
        Ok(())
    }

    fn file(&self, home: &Home<'_>, log: &VerifierKey) -> Result<(Option<Contents>, Wraps), Failure> {
        let place = self.file.clone().unwrap_or_else(|| Place::of(home.path, &home.config.recovery).newest());
        match recovery::read(&place, log) {
            Ok((contents, wraps)) => Ok((Some(contents), wraps)),
            // The wraps are in the store too, as long as that is there.
            Err(why) if self.file.is_none() && self.backup.is_none() => {
                eprintln!("claviger: {why}: the store's own wraps are used");
                Ok((None, Vec::new()))
            }
            Err(why) => Err(Failure::new(1, format!("{why}; nothing was changed"))),
        }
    }
}
