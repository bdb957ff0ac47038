//! Backup files: a snapshot of the store, encrypted with age to the configured recipients, whole under its name or not
//! there.

use std::fs::{DirBuilder, File, OpenOptions, read_dir, remove_file, rename};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::stream::StreamWriter;
use age::x25519::Recipient;
use aws_lc_rs::digest::{Context, SHA256};
use claviger_core::audit::timestamp;
use claviger_core::backup::{Backup, Sink};
use claviger_core::execution::Origin;
use claviger_core::service::Service;

use crate::config;

/// How an age file begins.
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// Where backups are made.
#[derive(Debug)]
pub struct Backups {
    folder: PathBuf,
    recipients: Vec<Recipient>,
    /// Held while one is made.
    alone: tokio::sync::Mutex<()>,
}

/// A draft of a backup, encrypted as it is written. One that is dropped is removed.
struct Draft {
    to: Option<StreamWriter<Hashing>>,
    hidden: PathBuf,
    path: PathBuf,
    written: Arc<Mutex<Written>>,
}

/// What is known of the file when it is finished.
#[derive(Clone, Copy, Default)]
struct Written {
    bytes: u64,
    sha256: [u8; 32],
}

/// Hashes what it writes.
pub(crate) struct Hashing {
    file: BufWriter<File>,
    hash: Context,
    bytes: u64,
}

impl Backups {
    /// As configured, in a folder that is made if it is not there; none without recipients.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn open(home: &Path, config: &config::Backup) -> Result<Option<Self>, String> {
        let recipients = config.recipients().map_err(|e| e.text)?;
        if recipients.is_empty() {
            return Ok(None);
        }
        let folder = home.join(&config.folder);
        match DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(format!("backup.folder: {}: {e}", folder.display())),
            _ => Ok(Some(Self { folder, recipients, alone: tokio::sync::Mutex::default() })),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a backup, and has the service remember it.
    ///
    /// # Errors
    /// What went wrong, in words, which is an alarm by then; there is no file of its name.
    pub async fn make(&self, service: &Service, origin: &Origin) -> Result<Backup, String> {
        let made = self.try_make(service, origin).await;
        if let Err(why) = &made {
            failed(service, why, origin).await;
        }
        made
    }

    /// The same without an alarm.
    ///
    /// # Errors
    /// What went wrong, in words; there is no file of its name.
    pub(crate) async fn try_make(&self, service: &Service, origin: &Origin) -> Result<Backup, String> {
        let _alone = self.alone.lock().await;
        let name = name_of(service.clock().unix_ms());
        let written = Arc::default();
        let draft = Draft::begin(&self.folder, &name, &self.recipients, Arc::clone(&written));
        let draft = draft.map_err(|e| format!("{}: {e}", self.folder.display()))?;
        let snapshot = service.store().backup(Box::new(draft)).await.map_err(|e| e.to_string())?;
        let Written { bytes, sha256 } = *written.lock().unwrap_or_else(PoisonError::into_inner);
        let backup = Backup { name, at_ms: snapshot.at_ms, entries: snapshot.entries, bytes, sha256, checked: None };
        service.remember_backup(backup.clone(), origin).await.map_err(|e| e.to_string())?;
        Ok(backup)
    }

    /// What is wrong with a backup as far as this machine can tell: that its bytes are those that were written, and begin
    /// as an age file. Only its identity opens it.
    #[must_use]
    pub fn fault(&self, backup: &Backup) -> Option<String> {
        let looked = File::open(self.folder.join(&backup.name)).and_then(|file| looked_through(BufReader::new(file)));
        match looked {
            Err(e) => Some(e.to_string()),
            Ok((false, _)) => Some("it is no age file".to_owned()),
            Ok((true, sha256)) => {
                (sha256 != backup.sha256).then(|| "its bytes are not those that were written".to_owned())
            }
        }
    }

    /// Backups in the folder that are none of these, and the time in their names, milliseconds since the Unix epoch: the
    /// store forgets what was made after a backup that it is restored from, and a crash what was made in that moment.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn strays(&self, known: &[Backup]) -> io::Result<Vec<(String, u64)>> {
        let mut strays = Vec::new();
        for entry in read_dir(&self.folder)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if let Some(at_ms) = time_of(&name).filter(|_| known.iter().all(|backup| backup.name != name)) {
                strays.push((name, at_ms));
            }
        }
        Ok(strays)
    }

    /// Removes a backup's file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match remove_file(self.folder.join(name)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// What a backup that is made at this time is called.
fn name_of(at_ms: u64) -> String {
    format!("claviger-{}.age", timestamp(at_ms).replace(':', ""))
}

/// When a backup of this name was made; nothing if no backup is called so.
fn time_of(name: &str) -> Option<u64> {
    let (day, time) = name.strip_prefix("claviger-")?.strip_suffix(".age")?.split_once('T')?;
    let (hours, minutes, seconds) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    let at: jiff::Timestamp = format!("{day}T{hours}:{minutes}:{seconds}").parse().ok()?;
    let at_ms = u64::try_from(at.as_millisecond()).ok()?;
    (name_of(at_ms) == name).then_some(at_ms)
}

/// Raises the alarm for a backup that was not made.
pub(crate) async fn failed(service: &Service, why: &str, origin: &Origin) {
    metrics::counter!("claviger_alarms_total", "kind" => "backup").increment(1);
    service.backup_failed(why, origin).await;
}

/// Whether it begins as an age file, and SHA-256 of it.
///
/// # Errors
/// What the file system says.
pub fn looked_through(mut file: impl Read) -> io::Result<(bool, [u8; 32])> {
    let (mut hash, mut chunk, mut head) = (Context::new(&SHA256), vec![0; 64 * 1024], Vec::<u8>::new());
    loop {
        let read = file.read(&mut chunk)?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
        if head.len() < AGE.len() {
            head.extend(part.iter().take(AGE.len().saturating_sub(head.len())));
        }
        hash.update(part);
    }
    Ok((head == AGE, finished(hash)))
}

fn finished(hash: Context) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(hash.finish().as_ref());
    sha256
}

impl Draft {
    fn begin(folder: &Path, name: &str, to: &[Recipient], written: Arc<Mutex<Written>>) -> io::Result<Self> {
        let (hidden, path) = (folder.join("backup.tmp"), folder.join(name));
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&hidden)?;
        let hashing = Hashing::of(file);
        let recipients = to.iter().map(|recipient| -> &dyn age::Recipient { recipient });
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        let to = Some(encryptor.wrap_output(hashing)?);
        Ok(Self { to, hidden, path, written })
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.as_mut().ok_or(ErrorKind::BrokenPipe)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.as_mut().ok_or(ErrorKind::BrokenPipe)?.flush()
    }
}

impl Sink for Draft {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let (bytes, sha256) = self.to.take().ok_or(ErrorKind::BrokenPipe)?.finish()?.finish()?;
        rename(&self.hidden, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Written { bytes, sha256 };
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After the renaming there is none of that name.
        let _ = remove_file(&self.hidden);
    }
}

impl Hashing {
    pub(crate) fn of(file: File) -> Self {
        Self { file: BufWriter::new(file), hash: Context::new(&SHA256), bytes: 0 }
    }

    /// Returns when all of it is durable; says how much it was, and SHA-256 of it.
    pub(crate) fn finish(self) -> io::Result<(u64, [u8; 32])> {
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok((self.bytes, finished(self.hash)))
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_known_by_its_name() {
        let at_ms = 1_785_312_000_123;
        assert_eq!(name_of(at_ms), "claviger-2026-07-29T080000.123Z.age");
        assert_eq!(time_of(&name_of(at_ms)), Some(at_ms));
        for other in
            ["backup.tmp", "claviger-.age", "claviger-2026-07-29T08:00:00.123Z.age", "claviger-2026-07-29T080000Z.age"]
        {
            assert_eq!(time_of(other), None, "{other}");
        }
    }
}
