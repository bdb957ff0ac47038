//! Tombstones: what was deleted is signed for, in a file outside of the store and its backups, before the deletion is
//! answered.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use super::{Part, Service, ServiceError};
use crate::audit::note::SIGNATURE;
use crate::store::{Change, Key, Range, Row, Versioned};

/// The file's name in its folder.
const FILE: &str = "tombstones";

/// Tombstones that are written in one go.
const PAGE: usize = 500;

/// How much of the file's end is looked at before anything is appended, bytes: a note is far shorter.
const TAIL: u64 = 1 << 14;

/// The file of tombstones, one after the other with an empty line after each.
#[derive(Clone, Debug)]
pub struct Graveyard(PathBuf);

impl Graveyard {
    /// The one in `folder`, which is made if it is not there; the folder above it must be.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self(folder.join(FILE))),
        }
    }

    /// Appends notes, and returns when they are durable. A failure may leave a part of them, which the next call cuts off.
    fn append(&self, notes: &[String]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).append(true).mode(0o600).open(&self.0)?;
        cut_fragment(&mut file)?;
        let mut text = notes.join("\n");
        text.push('\n');
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let folder = self.0.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

/// Cuts off what a write that did not end has left behind the last whole note: its subject waits in the store, and is
/// written again.
fn cut_fragment(file: &mut File) -> io::Result<()> {
    let len = file.metadata()?.len();
    let from = file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let (mut end, mut whole) = (0_usize, None);
    for line in tail.split_inclusive(|byte| *byte == b'\n') {
        end = line.len().saturating_add(end);
        if line.starts_with(SIGNATURE.as_bytes()) && line.ends_with(b"\n") {
            whole = Some(end);
        }
    }
    match whole {
        // Ended by an empty line, as it should be.
        Some(whole) if tail.get(whole..) == Some(b"\n") => Ok(()),
        Some(whole) => {
            file.set_len(from.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX)))?;
            file.write_all(b"\n")
        }
        None if from == 0 => file.set_len(0),
        None => Err(io::Error::new(ErrorKind::InvalidData, "the file of tombstones ends in something else")),
    }
}

impl Service {
    /// Where tombstones go; without, they wait in the store.
    #[must_use]
    pub fn with_graveyard(self, graveyard: Graveyard) -> Self {
        Self { graveyard: Some(graveyard), ..self }
    }

    /// Has the keeper sign the tombstones that are in no file yet, and returns when the file has them.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`]: what was deleted stays so, and the next call tries again. A note may be in the file
    /// twice then, which says no more than once.
    pub async fn engrave(&self) -> Result<(), ServiceError> {
        let Some(graveyard) = &self.graveyard else { return Ok(()) };
        let _alone = self.engraving.lock().await;
        loop {
            let page = self.store.scan(Range::Unengraved, None, PAGE).await?;
            let subjects: Vec<_> = page
                .rows
                .into_iter()
                .filter_map(|row| match row {
                    Versioned { row: Row::Tombstone(subject), .. } => Some(subject),
                    _ => None,
                })
                .collect();
            if subjects.is_empty() {
                return Ok(());
            }
            let mut notes = Vec::with_capacity(subjects.len());
            for subject in &subjects {
                notes.push(self.keeper.sign_tombstone(*subject).await.map_err(|e| waits(&e))?);
            }
            append(graveyard.clone(), notes).await.map_err(|e| waits(&e))?;
            let done = subjects.into_iter().map(|subject| Change::remove(Key::Unengraved(subject))).collect();
            self.store.put_cas(done, Vec::new()).await?;
        }
    }
}

/// On a thread of its own: the disk keeps nobody else waiting.
async fn append(graveyard: Graveyard, notes: Vec<String>) -> io::Result<()> {
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new().name("tombstones".to_owned()).spawn(move || {
        let _ = answer.send(graveyard.append(&notes));
    })?;
    answered.await.map_err(io::Error::other)?
}

fn waits(error: &dyn std::fmt::Display) -> ServiceError {
    let text = format!(
        "it is deleted, but no tombstone outside of the store says so yet: {error}. That is tried again every minute; \
         until then a restored backup could bring it back"
    );
    ServiceError::unavailable(Part::Keeper, text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn note(subject: &str) -> String {
        format!("claviger-tombstone/v1\nlog\n{subject}\ntime t\n\n\u{2014} log abc=\n")
    }

    #[test]
    fn a_write_that_did_not_end_is_cut_off_by_the_next() {
        let (one, cut, next) = (note("tenant x"), note("kek z 1"), note("tenant y"));
        let folder = std::env::temp_dir().join(format!("claviger-tombstones-{}", std::process::id()));
        let graveyard = Graveyard::open(&folder).unwrap();
        let file = folder.join(FILE);
        for kept in [String::new(), format!("{one}\n")] {
            for at in 0..=cut.len() {
                fs::write(&file, [kept.as_bytes(), &cut.as_bytes()[..at]].concat()).unwrap();

                graveyard.append(std::slice::from_ref(&next)).unwrap();

                let whole = if at == cut.len() { format!("{cut}\n") } else { String::new() };
                assert_eq!(fs::read_to_string(&file).unwrap(), format!("{kept}{whole}{next}\n"), "cut at {at}");
            }
        }
        let other = vec![b'x'; 1 << 15];
        fs::write(&file, &other).unwrap();
        assert_eq!(graveyard.append(&[next]).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(fs::read(&file).unwrap(), other, "what is no file of tombstones is left alone");
        fs::remove_dir_all(folder).unwrap();
    }
}
