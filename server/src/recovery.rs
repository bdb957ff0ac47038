//! The recovery file: the wraps of all DEKs as they are, signed, whole under its name or not there, and the one before it.

pub(crate) mod notes;

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use claviger_core::audit::VerifierKey;
use claviger_core::backup::Sink;
use claviger_core::recovery::file::{self, Contents, RecoveryFile, Wraps};
use claviger_core::service::Service;

use crate::backup::Hashing;
use crate::config;

/// Where the recovery file is.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
}

/// A file that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it is a picture of.
    pub contents: Contents,
    /// How long it is, bytes.
    pub bytes: u64,
}

/// A draft of the file, hashed as it is written.
struct Draft {
    to: Option<Hashing>,
    sha256: Arc<Mutex<[u8; 32]>>,
}

impl Place {
    /// As configured, in a folder that is made if it is not there.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn open(home: &Path, config: &config::Recovery) -> Result<Self, String> {
        let place = Self::of(home, config);
        match DirBuilder::new().recursive(true).mode(0o700).create(place.folder()) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                Err(format!("recovery.file: {}: {e}", place.folder().display()))
            }
            _ => Ok(place),
        }
    }

    /// As configured; nothing is made.
    #[must_use]
    pub fn of(home: &Path, config: &config::Recovery) -> Self {
        Self { path: home.join(&config.file) }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// The newest file, or the one before it where a write was cut off.
    #[must_use]
    pub fn newest(&self) -> PathBuf {
        if self.path.exists() { self.path.clone() } else { self.beside(".previous") }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        PathBuf::from(name)
    }

    /// Writes the file, and keeps the one before it; `None`, and nothing was written, without a recovery key.
    ///
    /// # Errors
    /// What went wrong, in words; the files are as they were.
    pub async fn write(&self, service: &Service) -> Result<Option<Written>, String> {
        let hidden = self.beside(".tmp");
        let said = |e: io::Error| format!("{}: {e}", self.path.display());
        let sha256 = Arc::default();
        let draft = Draft::begin(&hidden, Arc::clone(&sha256)).map_err(said)?;
        let contents = service.store().wraps(Box::new(draft)).await.map_err(|e| e.to_string())?;
        let Some(contents) = contents else {
            let _ = fs::remove_file(&hidden);
            return Ok(None);
        };
        let sha256 = *sha256.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = RecoveryFile { generation: contents.generation, sha256 };
        let note = service.sign_recovery_file(signed).await.map_err(|e| e.to_string())?;
        let place = self.clone();
        let put = tokio::task::spawn_blocking(move || place.put(&hidden, &note)).await;
        let bytes = put.map_err(|e| e.to_string())?.map_err(said)?;
        Ok(Some(Written { contents, bytes }))
    }

    /// Ends a draft with its note, and gives it its name.
    fn put(&self, hidden: &Path, note: &str) -> io::Result<u64> {
        let mut draft = OpenOptions::new().append(true).open(hidden)?;
        draft.write_all(&file::tail(note))?;
        draft.sync_all()?;
        let bytes = draft.metadata()?.len();
        match fs::rename(&self.path, self.beside(".previous")) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::rename(hidden, &self.path)?;
        File::open(self.folder())?.sync_all()?;
        Ok(bytes)
    }

    /// Whether the file is as long as it was written: all that is looked at every few seconds.
    #[must_use]
    pub fn is_there(&self, written: &Written) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.len() == written.bytes)
    }

    /// What is wrong with the file, if it is not the one that was written.
    #[must_use]
    pub fn fault(&self, written: &Written, key: &VerifierKey) -> Option<String> {
        match read(&self.path, key) {
            Err(why) => Some(why),
            Ok((contents, _)) => {
                (contents != written.contents).then(|| "it is not the one that was written".to_owned())
            }
        }
    }
}

/// Reads a recovery file of a log.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(path: &Path, key: &VerifierKey) -> Result<(Contents, Wraps), String> {
    let said = |e: io::Error| format!("{}: {e}", path.display());
    let mut file = io::BufReader::new(File::open(path).map_err(said)?);
    file::read(&mut file, key).map_err(said)
}

impl Draft {
    fn begin(path: &Path, sha256: Arc<Mutex<[u8; 32]>>) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { to: Some(Hashing::of(file)), sha256 })
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
        let (_, sha256) = self.to.take().ok_or(ErrorKind::BrokenPipe)?.finish()?;
        *self.sha256.lock().unwrap_or_else(PoisonError::into_inner) = sha256;
        Ok(())
    }
}
