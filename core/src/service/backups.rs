//! What is remembered of backups: that they were made, and what a look at them found.

use super::incidents::Sighting;
use super::{Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::backup::{Backup, Checked};
use crate::execution::Origin;
use crate::incident::Detector;
use crate::store::{Change, Key, Range, Row, Versioned};

/// The most backups that are listed: a schedule of one an hour keeps fewer in a year.
const LISTED_MAX: usize = 10_000;

impl Service {
    /// The backups that are kept, newest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn backups(&self) -> Result<Vec<Backup>, ServiceError> {
        let page = self.store.scan(Range::Backups, None, LISTED_MAX).await?;
        let backup = |row: Versioned| if let Row::Backup(backup) = row.row { Some(*backup) } else { None };
        Ok(page.rows.into_iter().rev().filter_map(backup).collect())
    }

    /// Remembers a backup that was made.
    ///
    /// # Errors
    /// [`ServiceError`]; the file is there all the same.
    pub async fn remember_backup(&self, backup: Backup, origin: &Origin) -> Result<(), ServiceError> {
        let entry = origin.draft("backup.make", EntryOutcome::Allowed).on("backup", backup.name.clone());
        let entry = entry
            .detail("sha256", data_encoding::HEXLOWER.encode(&backup.sha256))
            .detail("bytes", backup.bytes.to_string())
            .detail("entries", backup.entries.to_string());
        let change = Change::create(Key::Backup(backup.name.clone()), Row::Backup(Box::new(backup)));
        self.store.put_cas(vec![change], vec![entry]).await?;
        Ok(())
    }

    /// Remembers what a look at a backup found. A fault is an alarm and an incident.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn judge_backup(&self, backup: Backup, fault: Option<String>) -> Result<(), ServiceError> {
        let origin = Origin::system(self.clock());
        let entry = match &fault {
            Some(why) => {
                tracing::error!(alarm = "backup", backup = backup.name, %why, "a backup failed its drill");
                origin.draft("alarm.backup", EntryOutcome::Failed).detail("fault", why.clone())
            }
            None => origin.draft("backup.check", EntryOutcome::Allowed),
        };
        let entry = entry.on("backup", backup.name.clone());
        let failed = fault.is_some().then(|| format!("the backup {} failed its drill", backup.name));
        let checked = Some(Checked { at_ms: self.clock.unix_ms(), fault });
        let change = Change::set(Key::Backup(backup.name.clone()), Row::Backup(Box::new(Backup { checked, ..backup })));
        match failed {
            Some(text) => self.detected_with(Sighting::within(Detector::Backup, None, text), &[entry], &[change]).await,
            None => Ok(self.store.put_cas(vec![change], vec![entry]).await.map(drop)?),
        }
    }

    /// Says that a backup could not be made: an alarm and an incident.
    pub async fn backup_failed(&self, why: &str, origin: &Origin) {
        tracing::error!(alarm = "backup", %why, "no backup was made");
        let entry = origin.draft("alarm.backup", EntryOutcome::Failed).detail("fault", why);
        let sighting = Sighting::within(Detector::Backup, None, format!("no backup was made: {why}"));
        self.detected(sighting, vec![entry]).await;
    }

    /// Forgets a backup whose file was removed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn forget_backup(&self, name: &str) -> Result<(), ServiceError> {
        let entry = Origin::system(self.clock()).draft("backup.remove", EntryOutcome::Allowed).on("backup", name);
        self.store.put_cas(vec![Change::remove(Key::Backup(name.to_owned()))], vec![entry]).await?;
        Ok(())
    }
}
