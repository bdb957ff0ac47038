//! Folders of a test's own, gone when the test is.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

use crate::programs::Programs;

/// Where a folder costs no disk: making a token is bound by the file system's fsync.
const MEMORY: &str = "/dev/shm";

/// A private folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new folder, in memory if the machine has such a place, else under the target folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        Self::in_folder(Path::new(MEMORY)).or_else(|_| Self::on_disk())
    }

    /// A new folder under the target folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn on_disk() -> Result<Self> {
        Self::in_folder(&Programs::find()?.target().join("tmp"))
    }

    fn in_folder(parent: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("claviger-{}-{count}", std::process::id()));
        clear_away(parent);
        // The process id may have come round again.
        let _none = fs::remove_dir_all(&path);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes what processes that are no more have left behind: a test that is killed cannot do it itself.
fn clear_away(parent: &Path) {
    let owner = |name: &str| name.strip_prefix("claviger-")?.split('-').next()?.parse::<u32>().ok();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(owner);
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            // Somebody else may be clearing away, too.
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in nobody's way: the next folder has another name.
        let _left = fs::remove_dir_all(&self.path);
    }
}

/// The log of this test's server: kept, and written anew when the test is run again.
pub(crate) fn log_file() -> Result<PathBuf> {
    let folder = Programs::find()?.target().join("tmp/e2e");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join(format!("{}.log", test_name().replace("::", "-")));
    fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The name of the running test. The test runner names the thread after it, unless there is only one to run: then the
/// command line does.
pub(crate) fn test_name() -> String {
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name != "main" && !name.starts_with("tokio") => name.to_owned(),
        _ => {
            let asked_for = std::env::args().skip(1).find(|word| word.contains("::"));
            asked_for.unwrap_or_else(|| format!("process-{}", std::process::id()))
        }
    }
}
