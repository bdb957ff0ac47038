//! The file: made readable by its user alone, opened by one process at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError};

/// Pages kept in memory, in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Opens the file or makes it. An error says what is wrong in words for an operator.
pub(super) fn open(path: &Path) -> Result<Database, String> {
    let file = open_or_make(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let opened = FileBackend::new(file)
        .and_then(|backend| Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(backend));
    opened.map_err(|e| {
        let in_use = matches!(e, DatabaseError::DatabaseAlreadyOpen);
        let why = if in_use { super::IN_USE.to_owned() } else { e.to_string() };
        format!("{}: {why}", path.display())
    })
}

fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let file = options.create_new(true).open(path)?;
            // Without this a power cut may take the name away, and with it everything in the file.
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
            Ok(file)
        }
        opened => opened,
    }
}
