//! Where segments are kept.

use std::fs::{DirBuilder, File, OpenOptions, read_dir, rename};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use crate::audit::segment::of_file_name;

/// The name of a segment that is not finished.
const DRAFT: &str = "segment.tmp";

/// A place for segments, and for one draft of the next. What failed does not count as done.
pub trait Shelf: Send + Sync {
    /// The last entry of the finished segment that begins with entry `first`; `None` if there is none.
    ///
    /// # Errors
    /// What the file system says.
    fn find(&self, first: u64) -> io::Result<Option<u64>>;

    /// Begins a draft; one from before is lost.
    ///
    /// # Errors
    /// What the file system says.
    fn draft(&self) -> io::Result<Box<dyn Write + Send>>;

    /// Returns when the draft is durable.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_draft(&self) -> io::Result<()>;

    /// Reads the draft.
    ///
    /// # Errors
    /// What the file system says.
    fn read_draft(&self) -> io::Result<Box<dyn Read + Send>>;

    /// Gives the draft its name, and returns when that is durable.
    ///
    /// # Errors
    /// What the file system says.
    fn keep_draft(&self, name: &str) -> io::Result<()>;

    /// Reads a finished segment.
    ///
    /// # Errors
    /// What the file system says.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;
}

/// A folder of segments, readable by this user alone.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, made if it is not there; the one above it must be.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
            Ok(()) => {
                if let Some(parent) = path.parent() {
                    File::open(parent)?.sync_all()?;
                }
            }
        }
        Ok(Self(path))
    }
}

impl Shelf for Folder {
    fn find(&self, first: u64) -> io::Result<Option<u64>> {
        for file in read_dir(&self.0)? {
            let name = file?.file_name();
            if let Some((_, last)) = name.to_str().and_then(of_file_name).filter(|(found, _)| *found == first) {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }

    fn draft(&self) -> io::Result<Box<dyn Write + Send>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        Ok(Box::new(BufWriter::new(options.open(self.0.join(DRAFT))?)))
    }

    fn sync_draft(&self) -> io::Result<()> {
        File::open(self.0.join(DRAFT))?.sync_all()
    }

    fn read_draft(&self) -> io::Result<Box<dyn Read + Send>> {
        self.read(DRAFT)
    }

    fn keep_draft(&self, name: &str) -> io::Result<()> {
        rename(self.0.join(DRAFT), self.0.join(name))?;
        File::open(&self.0)?.sync_all()
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.0.join(name))?))
    }
}
