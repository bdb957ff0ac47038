//! The recovery file: all wraps of one moment, away from the machine.
//!
//! ```text
//! …  the wraps: as a backup is written, of one table
//! …  a signed note: that this is this log's, which generation, SHA-256 of the wraps
//! 4  the note's length
//! ```
//!
//! Wraps open for m shareholders alone, so the file is no secret; the note, by the key of the checkpoints, keeps anybody
//! else from giving them wraps of his own.

use std::io::{self, Read, Seek, SeekFrom};

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{RecoveryKey, WrapId};
use crate::audit::checkpoint::RECOVERY_PREFIX;
use crate::audit::{VerifierKey, note, timestamp};
use crate::backup::{Part, Reader, malformed};

/// How the wraps begin; the last word is their format.
pub(crate) const MAGIC: &[u8] = b"claviger-recovery-file/v1\n";

const VERSION: &str = "v1";
const NOTE_BYTES_MAX: u32 = 4_096;

/// What a recovery file's wraps are a picture of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The origin line of the audit log.
    pub origin: String,
    /// The key that the wraps are for.
    pub key: RecoveryKey,
    /// How often wraps had been written or removed.
    pub generation: u64,
    /// When it was written, milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// Wraps, with what they open.
pub type Wraps = Vec<(WrapId, Vec<u8>)>;

/// What is signed of a recovery file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryFile {
    /// As in [`Contents`].
    pub generation: u64,
    /// SHA-256 of the wraps.
    pub sha256: [u8; 32],
}

impl RecoveryFile {
    /// The text that is signed: which no checkpoint's origin, and no tombstone, can be mistaken for.
    pub fn body(&self, origin: &str, unix_ms: u64) -> String {
        format!("{}time {}\n", self.head(origin), timestamp(unix_ms))
    }

    fn head(&self, origin: &str) -> String {
        let (generation, sha256) = (self.generation, HEXLOWER.encode(&self.sha256));
        format!("{RECOVERY_PREFIX}{VERSION}\n{origin}\ngeneration {generation}\nsha256 {sha256}\n")
    }
}

/// What follows the wraps in the file.
#[must_use]
pub fn tail(note: &str) -> Vec<u8> {
    let length = u32::try_from(note.len()).unwrap_or(u32::MAX).to_be_bytes();
    [note.as_bytes(), &length].concat()
}

/// Reads a recovery file: whole, signed by `key`, of the log that `key` is named after.
///
/// # Errors
/// What is wrong with it, or what the file system says.
pub fn read(file: &mut (impl Read + Seek), key: &VerifierKey) -> io::Result<(Contents, Wraps)> {
    let mut length = [0; 4];
    let end = file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    let body = end.checked_sub(length.into()).filter(|_| length <= NOTE_BYTES_MAX);
    let body = body.ok_or_else(|| malformed("it is cut short, or no recovery file"))?;
    file.seek(SeekFrom::Start(body))?;
    let mut note = Vec::new();
    file.by_ref().take(length.into()).read_to_end(&mut note)?;
    file.seek(SeekFrom::Start(0))?;
    let mut wraps = Hashing { from: file.by_ref().take(body), hash: Context::new(&SHA256) };
    let (contents, rows) = rows(&mut wraps)?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(wraps.hash.finish().as_ref());
    let signed = note::open(&note, key).map_err(|_| malformed("it is not signed by this log's key"))?;
    let wanted = RecoveryFile { generation: contents.generation, sha256 }.head(key.name());
    if contents.origin != key.name() || !signed.starts_with(&wanted) {
        return Err(malformed("it is not what was signed"));
    }
    Ok((contents, rows))
}

fn rows(from: &mut impl Read) -> io::Result<(Contents, Wraps)> {
    let (mut reader, contents) = Reader::begin(from, MAGIC)?;
    let mut rows = Vec::new();
    loop {
        match reader.next()? {
            Part::Table(_) => {}
            Part::Row(id, wrap) => {
                let id = id.try_into().map_err(|_| malformed("a row is damaged"))?;
                rows.push((id, wrap));
            }
            Part::End => return Ok((contents, rows)),
        }
    }
}

/// Hashes what it reads.
struct Hashing<R> {
    from: R,
    hash: Context,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(out)?;
        self.hash.update(out.get(..read).unwrap_or_default());
        Ok(read)
    }
}
