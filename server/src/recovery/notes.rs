//! The notes of a restore that is under way, beside its draft: what it was begun with and what it found, a line of JSON
//! each, so that a run that was cut off at any moment is gone on with.
//!
//! They begin when the first row is about to be sealed anew. What was done before that costs nothing to do again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use claviger_core::service::{Recovery, RecoveryEvent, RecoveryPlan};
use serde::{Deserialize, Serialize};

/// The store that a recovery makes, in the home.
pub(crate) const DRAFT: &str = "claviger.redb.recovering";

/// Where the tombstones are that the token before a recovery signed.
pub(crate) const TOMBSTONES_BEFORE: &str = "tombstones.before-recovery";

const NOTES: &str = "claviger.redb.recovering.notes";

/// What a restore was begun with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// Milliseconds since the Unix epoch.
    pub(crate) at_ms: u64,
    /// What it is made of.
    pub(crate) source: Source,
    /// The log's verifier key until then.
    pub(crate) log_key: String,
    /// Entries of the log until then.
    pub(crate) entries: u64,
    /// The public half of the key of checkpoints, of the token that it is made for, hexadecimal.
    pub(crate) token_key: String,
    /// The file that it writes invitations to.
    pub(crate) invitations: Option<PathBuf>,
    pub(crate) plan: RecoveryPlan,
}

/// What a restore is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// SHA-256 of the store or backup, hexadecimal.
    pub(crate) sha256: String,
    /// Generation of the recovery file, and when it was written.
    pub(crate) file: Option<(u64, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(Box<Begun>),
    Found(RecoveryEvent),
    /// From here on the draft may have the store's name.
    Placing,
}

/// The notes, to be gone on with.
#[derive(Debug)]
pub(crate) struct Notes {
    file: File,
    /// What it was begun with.
    pub(crate) begun: Begun,
    /// What does not come back, as far as that is known.
    pub(crate) found: Recovery,
    is_placing: bool,
}

impl Notes {
    /// Begins them, beside a draft that is ready to have rows sealed anew.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn begin(home: &Path, begun: Begun) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(home.join(NOTES))?;
        let mut notes = Self { file, begun, found: Recovery::default(), is_placing: false };
        notes.found.waiting.clone_from(&notes.begun.plan.waiting);
        let line = Line::Begun(Box::new(notes.begun.clone()));
        notes.append(&line)?;
        File::open(home)?.sync_all()?;
        Ok(notes)
    }

    /// Those of a restore that was cut off, if it had begun to seal rows anew.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn of(home: &Path) -> io::Result<Option<Self>> {
        let path = home.join(NOTES);
        let text = match fs::read_to_string(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        // A line that was cut off is of something that was not done yet.
        let whole = text.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let mut lines = text.get(..whole).unwrap_or_default().lines();
        let Some(Ok(Line::Begun(begun))) = lines.next().map(serde_json::from_str) else { return Ok(None) };
        let file = OpenOptions::new().append(true).open(&path)?;
        file.set_len(u64::try_from(whole).map_err(io::Error::other)?)?;
        let found = Recovery { waiting: begun.plan.waiting.clone(), ..Recovery::default() };
        let mut notes = Self { file, begun: *begun, found, is_placing: false };
        for line in lines {
            match serde_json::from_str(line)? {
                Line::Begun(_) => return Err(io::Error::new(ErrorKind::InvalidData, "it begins twice")),
                Line::Found(event) => notes.found.add(event),
                Line::Placing => notes.is_placing = true,
            }
        }
        let has_draft = home.join(DRAFT).exists();
        // A draft that somebody took away is not gone on with.
        Ok((has_draft || notes.is_placing).then_some(notes))
    }

    /// Takes note of what does not come back, before it is dropped.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn take(&mut self, event: RecoveryEvent) -> io::Result<()> {
        if !matches!(event, RecoveryEvent::Sealed(_)) {
            self.append(&Line::Found(event.clone()))?;
        }
        self.found.add(event);
        Ok(())
    }

    /// Says that the draft takes the store's place next.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn placing(&mut self) -> io::Result<()> {
        self.is_placing = true;
        self.append(&Line::Placing)
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_all()
    }

    /// Whether the draft has the store's name.
    pub(crate) fn is_placed(&self, home: &Path) -> bool {
        self.is_placing && !home.join(DRAFT).exists()
    }
}

/// Drops a restore that was cut off; nothing of it was in place. The notes first: they are never beside another draft.
///
/// # Errors
/// What the file system says.
pub(crate) fn drop_begun(home: &Path) -> io::Result<()> {
    [NOTES, DRAFT].iter().try_for_each(|name| {
        removed(fs::remove_file(home.join(name)))?;
        File::open(home)?.sync_all()
    })
}

/// Ends a restore whose store is in place: the tombstones of the token before are put aside. Says whether there was one.
///
/// # Errors
/// What the file system says; repeating it goes on.
pub(crate) fn finish(home: &Path) -> io::Result<bool> {
    if !Notes::of(home)?.is_some_and(|notes| notes.is_placed(home)) {
        return Ok(false);
    }
    let tombstones = home.join("tombstones");
    removed(fs::rename(tombstones.join("tombstones"), tombstones.join(TOMBSTONES_BEFORE)))?;
    fs::remove_file(home.join(NOTES))?;
    File::open(home)?.sync_all()?;
    Ok(true)
}

fn removed(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
}
