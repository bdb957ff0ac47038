//! Where a backup lies open: nothing of that stays, also when the command is told to end.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// The exit code of a command that was told to end.
const TOLD_TO_END: i32 = 130;

/// A folder that is removed with what is in it.
pub(in crate::cli) struct Scratch {
    path: PathBuf,
    _removal: Removal,
}

/// Has SIGINT, SIGTERM and SIGHUP remove a file or folder before they end this process, for as long as it lives. After that
/// they end nothing.
pub(in crate::cli) struct Removal {
    _done: oneshot::Sender<()>,
}

impl Scratch {
    /// Beside `file`, for this user alone. What killed runs on the same file have left there is removed.
    pub(in crate::cli) fn beside(file: &Path) -> io::Result<Self> {
        let name = file.file_name().unwrap_or_default();
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for (of, path) in left(folder) {
            if name == OsStr::new(&of) {
                fs::remove_dir_all(path)?;
            }
        }
        let path = folder.join(format!(".{}.{}", name.display(), process::id()));
        let removal = Removal::of(path.clone())?;
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path, _removal: removal })
    }

    pub(in crate::cli) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            let _ = writeln!(io::stderr(), "claviger: {} is left, remove it: {error}", self.path.display());
        }
    }
}

impl Removal {
    pub(in crate::cli) fn of(path: PathBuf) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A line that drops hangs up.
        let (mut interrupt, mut terminate, mut hangup) = {
            let _entered = runtime.enter();
            let [interrupt, terminate, hangup] =
                [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
            (interrupt?, terminate?, hangup?)
        };
        let (done, is_done) = oneshot::channel::<()>();
        std::thread::Builder::new().name("removal".to_owned()).spawn(move || {
            let is_told = runtime.block_on(async {
                tokio::select! {
                    // Whoever is told after it is done ends nothing.
                    biased;
                    _ = is_done => false,
                    _ = interrupt.recv() => true,
                    _ = terminate.recv() => true,
                    _ = hangup.recv() => true,
                }
            });
            if is_told {
                end(&path);
            }
        })?;
        Ok(Self { _done: done })
    }
}

#[expect(
    clippy::exit,
    reason = "what goes on in other threads waits for the disk or the token, and is not wanted any more"
)]
fn end(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    let text = match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            format!("{} is left, remove it: {error}", path.display())
        }
        _ => "told to end; nothing was changed".to_owned(),
    };
    let _ = writeln!(io::stderr(), "claviger: {text}");
    process::exit(TOLD_TO_END);
}

/// The scratch folders in a folder whose process is gone, each with the name of its backup. Nobody who asks has one.
pub(in crate::cli) fn left(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let scratch = entries.filter_map(|entry| {
        let hidden = entry.file_name().into_string().ok()?;
        let (name, pid) = hidden.strip_prefix('.')?.rsplit_once('.')?;
        let pid: u32 = pid.parse().ok()?;
        // In a container each run has the number of the one before.
        let is_gone = pid == process::id() || !Path::new("/proc").join(pid.to_string()).exists();
        (entry.path().is_dir() && is_gone).then(|| (name.to_owned(), entry.path()))
    });
    scratch.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_with_the_same_number_left_is_removed() {
        let folder = std::env::temp_dir().join(format!("claviger-scratch-{}", process::id()));
        let file = folder.join("x.age");
        let before = folder.join(format!(".x.age.{}", process::id()));
        fs::create_dir_all(&before).unwrap();
        fs::write(before.join("store.redb"), "open").unwrap();

        let scratch = Scratch::beside(&file).unwrap();

        assert!(!scratch.file("store.redb").exists());
        drop(scratch);
        fs::remove_dir(folder).unwrap();
    }
}
