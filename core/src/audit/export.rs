//! Exports of the log: one line of JSON each for a header, the leaves in order, and checkpoints.
//!
//! ```json
//! {"format":"claviger-audit-export/v1","origin":…,"verifier_key":…,"tenant":null,"writer":…}
//! {"seq":0,"leaf":"<the leaf, byte for byte>"}
//! {"seq":1,"hash":"<leaf hash, where a tenant's export does not show another's row>"}
//! {"checkpoint":"<signed note>"}
//! ```
//!
//! An export begins with leaf 0 and leaves out no number. A checkpoint stands behind the last leaf it covers (or before
//! that), so that a reader needs one pass and almost no memory; normally it is the last line. Leaves behind the last
//! checkpoint are allowed and reported as not proven. Each line has exactly one way to be written.

use std::io::{self, BufRead, Read as _};

use serde::{Deserialize, Serialize};

use super::checkpoint::SignedCheckpoint;
use super::note::VerifierKey;
use super::to_json;
use super::tree::Hash;

/// The format that this code writes and reads.
pub const EXPORT_FORMAT: &str = "claviger-audit-export/v1";

/// The longest line that is read or written, in bytes, with its newline. Any leaf fits, however much of it is escaped.
pub const LINE_BYTES_MAX: u64 = 256 * 1024;

/// The first line of an export. Nothing in it is evidence; it says what the file claims to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`EXPORT_FORMAT`].
    pub format: String,
    /// The origin of the checkpoints.
    pub origin: String,
    /// The key that signed them, for comparison with the one the reader already has.
    pub verifier_key: String,
    /// The tenant whose rows are shown; `None` if all rows are.
    pub tenant: Option<String>,
    /// The writer of the log.
    pub writer: String,
    /// How many entries, the first ones, have left the store: they stand as hashes, and [segments](super::segment) have
    /// them. Left out if there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub archived: u64,
}

/// Why a leaf cannot be exported: what is stored is not a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Not UTF-8.
    #[error("the stored leaf {0} is not text")]
    NotText(u64),
    /// Its line would be longer than a reader accepts.
    #[error("the stored leaf {0} is too long")]
    TooLong(u64),
}

impl Header {
    /// The header of an export of `tenant`'s rows, or of all rows.
    pub fn new(
        origin: impl Into<String>,
        key: &VerifierKey,
        tenant: Option<String>,
        writer: impl Into<String>,
    ) -> Self {
        Self {
            format: EXPORT_FORMAT.to_owned(),
            origin: origin.into(),
            verifier_key: key.to_string(),
            tenant,
            writer: writer.into(),
            archived: 0,
        }
    }

    /// The same of a log whose first entries have left the store.
    #[must_use]
    pub fn archived(self, archived: u64) -> Self {
        Self { archived, ..self }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Writes the header, with its newline.
pub fn header_line(header: &Header) -> String {
    line(header)
}

/// Writes a leaf, with the newline.
///
/// # Errors
/// [`ExportError`] if the bytes are not a leaf's; an export without it would not verify.
pub fn leaf_line(seq: u64, leaf: &[u8]) -> Result<String, ExportError> {
    let leaf = str::from_utf8(leaf).map_err(|_| ExportError::NotText(seq))?.to_owned();
    let line = line(&Line::Leaf { seq, leaf });
    if u64::try_from(line.len()).is_ok_and(|bytes| bytes <= LINE_BYTES_MAX) {
        Ok(line)
    } else {
        Err(ExportError::TooLong(seq))
    }
}

/// Writes the hash of a leaf that is not shown, with the newline.
pub fn hash_line(seq: u64, hash: &Hash) -> String {
    line(&Line::Hash { seq, hash: *hash })
}

/// Writes a checkpoint, with the newline. It belongs behind the last leaf that it covers.
pub fn checkpoint_line(checkpoint: &SignedCheckpoint) -> String {
    line(&Line::Checkpoint { checkpoint: checkpoint.clone() })
}

/// A line below the header.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Leaf { seq: u64, leaf: String },
    Hash { seq: u64, hash: Hash },
    Checkpoint { checkpoint: SignedCheckpoint },
}

/// Why the next line could not be read.
#[derive(Debug)]
pub(super) enum LineError {
    Io(io::Error),
    TooLong,
    Malformed,
}

/// Reads line by line, never more than one line and never more than [`LINE_BYTES_MAX`] of it.
pub(super) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads a line as `T`, or `None` at the end. A line that `T` would not be written as is refused, which also leaves
    /// no room for fields that `T` does not have.
    pub(super) fn next<T: Serialize + for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, LineError> {
        self.number = self.number.saturating_add(1);
        self.buffer.clear();
        let mut source = self.source.by_ref().take(LINE_BYTES_MAX);
        if source.read_until(b'\n', &mut self.buffer).map_err(LineError::Io)? == 0 {
            return Ok(None);
        }
        let cut_off = source.limit() == 0;
        let text = match self.buffer.strip_suffix(b"\n") {
            Some(text) => text,
            None if cut_off => return Err(LineError::TooLong),
            None => &self.buffer,
        };
        let value: T = serde_json::from_slice(text).map_err(|_| LineError::Malformed)?;
        if to_json(&value).as_bytes() == text { Ok(Some(value)) } else { Err(LineError::Malformed) }
    }
}

fn line(value: &impl Serialize) -> String {
    let mut line = to_json(value);
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::super::tree::leaf_hash;
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Line>, LineError> {
        Lines::new(bytes).next()
    }

    #[test]
    fn the_lines_of_version_1() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        assert_eq!(
            header_line(&Header::new("claviger/log_1", &key, None, "node-a")),
            format!(
                "{{\"format\":\"claviger-audit-export/v1\",\"origin\":\"claviger/log_1\",\"verifier_key\":\"{key}\",\
                 \"tenant\":null,\"writer\":\"node-a\"}}\n"
            )
        );
        assert_eq!(leaf_line(7, br#"{"v":1}"#).unwrap(), "{\"seq\":7,\"leaf\":\"{\\\"v\\\":1}\"}\n");
        let hash = leaf_hash(b"x");
        assert_eq!(hash_line(8, &hash), format!("{{\"seq\":8,\"hash\":\"{hash}\"}}\n"));
        assert_eq!(checkpoint_line(&SignedCheckpoint::unverified("a\n")), "{\"checkpoint\":\"a\\n\"}\n");
    }

    #[test]
    fn what_is_written_is_read() {
        let leaf = "{\"a\":\"\\u0001 \u{e9}\"}".to_owned();
        let line = leaf_line(7, leaf.as_bytes()).unwrap();
        assert_eq!(read(line.as_bytes()).unwrap(), Some(Line::Leaf { seq: 7, leaf }));
        assert_eq!(read(b"{\"seq\":7,\"leaf\":\"\"}").unwrap(), Some(Line::Leaf { seq: 7, leaf: String::new() }));
        assert_eq!(read(b"").unwrap(), None);
    }

    #[test]
    fn every_other_way_to_write_a_line_is_refused() {
        let others: [&[u8]; 8] = [
            b"\n",
            b"{\"seq\":7,\"leaf\":\"\"}\r\n",
            b"{\"seq\": 7,\"leaf\":\"\"}\n",
            b"{\"leaf\":\"\",\"seq\":7}\n",
            b"{\"seq\":7,\"leaf\":\"\\u0061\"}\n",
            b"{\"seq\":7,\"leaf\":\"\",\"hash\":\"\"}\n",
            b"{\"seq\":7}\n",
            b"{\"seq\":7,\"leaf\":\"\xff\"}\n",
        ];
        for other in others {
            assert!(matches!(read(other), Err(LineError::Malformed)), "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn a_line_is_bounded() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        assert!(matches!(Lines::new(endless).next::<Line>(), Err(LineError::TooLong)));
        assert_eq!(leaf_line(1, &vec![1; 64 * 1024]), Err(ExportError::TooLong(1)));
        assert_eq!(leaf_line(1, b"\xff"), Err(ExportError::NotText(1)));
    }
}
