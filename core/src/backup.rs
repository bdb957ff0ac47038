//! Backups: one consistent snapshot of the store as a stream of rows, and what is remembered of each.
//!
//! The stream is [`MAGIC`], the [`Snapshot`], then each table by its name with its rows in order, and last how many rows
//! there were. Keys and values are the store's own bytes. It is neither secret nor signed by itself: who writes it
//! encrypts it, and what is sealed in the store is as sealed in here.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How a stream begins; the last word is its format.
pub const MAGIC: &[u8] = b"claviger-backup/v1\n";

/// No key, value or header of a backup is longer, in bytes.
const PART_BYTES_MAX: u32 = 16 << 20;

const END: u8 = 0;
const TABLE: u8 = 1;
const ROW: u8 = 2;

/// What a backup is a picture of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The origin line of the audit log.
    pub origin: String,
    /// When it was taken, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The format of the store's rows.
    pub format: u64,
    /// How many commits the store had seen.
    pub commits: u64,
    /// The highest intent number allotted.
    pub intents: u64,
    /// How many entries the audit log had.
    pub entries: u64,
    /// The newest signed checkpoint.
    pub checkpoint: Option<String>,
}

/// A backup that was made, as the store remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The file's name in the folder.
    pub name: String,
    /// When it was taken, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// How many entries of the audit log it holds.
    pub entries: u64,
    /// The file's length, bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// When it was looked at last, and what was found.
    pub checked: Option<Checked>,
}

/// What a look at a backup found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What is wrong with it, if anything is.
    pub fault: Option<String>,
}

/// Where a backup goes.
pub trait Sink: Write + Send {
    /// Returns when all of it is durable under its name. One that is dropped before leaves no file of that name.
    ///
    /// # Errors
    /// What the file system says.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Writes a backup.
pub(crate) struct Writer<'sink> {
    to: &'sink mut dyn Write,
    rows: u64,
}

impl<'sink> Writer<'sink> {
    /// Begins with `magic` and what follows is a picture of.
    pub(crate) fn begin(to: &'sink mut dyn Write, magic: &[u8], header: &impl Serialize) -> io::Result<Self> {
        to.write_all(magic)?;
        let header = postcard::to_allocvec(header).map_err(io::Error::other)?;
        let mut this = Self { to, rows: 0 };
        this.part(&header)?;
        Ok(this)
    }

    pub(crate) fn table(&mut self, name: &str) -> io::Result<()> {
        self.to.write_all(&[TABLE])?;
        self.part(name.as_bytes())
    }

    pub(crate) fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.rows = self.rows.saturating_add(1);
        self.to.write_all(&[ROW])?;
        self.part(key)?;
        self.part(value)
    }

    pub(crate) fn end(self) -> io::Result<()> {
        self.to.write_all(&[END])?;
        self.to.write_all(&self.rows.to_be_bytes())
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= PART_BYTES_MAX);
        let length = length.ok_or_else(|| io::Error::other("a row is too long for a backup"))?;
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(bytes)
    }
}

/// What a backup goes on with.
pub(crate) enum Part {
    Table(String),
    Row(Vec<u8>, Vec<u8>),
    End,
}

/// Reads a backup.
pub(crate) struct Reader<'source> {
    from: &'source mut dyn Read,
    rows: u64,
}

impl<'source> Reader<'source> {
    /// Reads what a stream begins with.
    pub(crate) fn begin<H: DeserializeOwned>(from: &'source mut dyn Read, magic: &[u8]) -> io::Result<(Self, H)> {
        let mut begin = vec![0; magic.len()];
        from.read_exact(&mut begin)?;
        if begin != magic {
            return Err(malformed("it does not begin as it should, or is of another format"));
        }
        let mut this = Self { from, rows: 0 };
        let header = this.part()?;
        let header = postcard::from_bytes(&header).map_err(|_| malformed("its header is damaged"))?;
        Ok((this, header))
    }

    pub(crate) fn next(&mut self) -> io::Result<Part> {
        let mut tag = [0];
        self.from.read_exact(&mut tag)?;
        match tag {
            [TABLE] => {
                let name = String::from_utf8(self.part()?).map_err(|_| malformed("a table has no name"))?;
                Ok(Part::Table(name))
            }
            [ROW] => {
                self.rows = self.rows.saturating_add(1);
                Ok(Part::Row(self.part()?, self.part()?))
            }
            [END] => {
                let mut rows = [0; 8];
                self.from.read_exact(&mut rows)?;
                let is_all = u64::from_be_bytes(rows) == self.rows && self.from.read(&mut tag)? == 0;
                if is_all { Ok(Part::End) } else { Err(malformed("rows are missing, or there are too many")) }
            }
            _ => Err(malformed("it is damaged")),
        }
    }

    fn part(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > PART_BYTES_MAX {
            return Err(malformed("a row is too long"));
        }
        let mut bytes = Vec::new();
        let read = self.from.take(u64::from(length)).read_to_end(&mut bytes)?;
        if u32::try_from(read) == Ok(length) { Ok(bytes) } else { Err(malformed("it is cut short")) }
    }
}

pub(crate) fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let snapshot = Snapshot {
            origin: "claviger/x".to_owned(),
            at_ms: 1,
            format: 1,
            commits: 2,
            intents: 3,
            entries: 4,
            checkpoint: None,
        };
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&mut bytes, MAGIC, &snapshot).unwrap();
        writer.table("records").unwrap();
        writer.row(b"key", b"value").unwrap();
        writer.end().unwrap();
        bytes
    }

    fn count(bytes: &[u8]) -> io::Result<u32> {
        let mut source = bytes;
        let (mut reader, _) = Reader::begin::<Snapshot>(&mut source, MAGIC)?;
        let mut parts: u32 = 0;
        while !matches!(reader.next()?, Part::End) {
            parts = parts.saturating_add(1);
        }
        Ok(parts)
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_refused() {
        let bytes = written();
        assert_eq!(count(&bytes).unwrap(), 2);
        for end in 0..bytes.len() {
            assert!(count(&bytes[..end]).is_err(), "{end}");
        }
        assert!(count(&[bytes.as_slice(), b"more"].concat()).is_err());
    }
}
