//! The call log, and the one way to complain.

use std::fs::File;
use std::io::Write as _;
use std::sync::OnceLock;

/// Appends a line in one write, so that threads and processes do not mix theirs.
///
/// The file is opened at the first call and stays open: a sandbox may close the path later.
pub(crate) fn line(text: &str) {
    static LOG: OnceLock<Option<File>> = OnceLock::new();
    let file = LOG.get_or_init(|| {
        let path = std::env::var_os("CLAVIGER_FAULT_LOG")?;
        File::options().append(true).create(true).open(path).ok()
    });
    if let Some(mut file) = file.as_ref() {
        // A log that cannot be written must not change what the module does.
        let _ = file.write_all(format!("{} {text}\n", std::process::id()).as_bytes());
    }
}

/// Says on stderr why a test cannot mean anything.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "claviger-fault-module: {text}");
}
