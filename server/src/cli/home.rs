//! The home: one process at a time works on it.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Takes the home's lock for as long as the file lives.
///
/// # Errors
/// Exit code 69 and what to do, when another process has it.
pub fn lock(home: &Path) -> Result<File, (u8, String)> {
    let path = home.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| (69, format!("{}: {e}; the home must be writable for the service", path.display())))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| (69, format!("{} is in use by a running claviger: stop it first", home.display())))?;
    Ok(file)
}

/// Whether a service works on the home.
#[must_use]
pub fn is_locked(home: &Path) -> bool {
    lock(home).is_err()
}
