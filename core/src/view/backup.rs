//! Backups, as they leave.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::backup::Backup;

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupView {
    /// The file's name in the folder.
    pub name: String,
    /// When it was taken, RFC 3339.
    pub at: String,
    /// How old it is, seconds.
    pub age_seconds: u64,
    /// How many entries of the audit log it holds.
    pub entries: u64,
    /// The file's length, bytes.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// `not checked`, `as written`, or what is wrong with the file. Only its identity shows what is in it.
    pub verdict: String,
    /// When it was looked at last, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
}

impl BackupView {
    /// The view of a backup at a time, milliseconds since the Unix epoch.
    pub fn of(backup: &Backup, now_ms: u64) -> Self {
        let verdict = match &backup.checked {
            None => "not checked",
            Some(checked) => checked.fault.as_deref().unwrap_or("as written"),
        };
        Self {
            name: backup.name.clone(),
            at: timestamp(backup.at_ms),
            age_seconds: now_ms.saturating_sub(backup.at_ms) / 1_000,
            entries: backup.entries,
            bytes: backup.bytes,
            sha256: HEXLOWER.encode(&backup.sha256),
            verdict: verdict.to_owned(),
            checked_at: backup.checked.as_ref().map(|checked| timestamp(checked.at_ms)),
        }
    }
}
