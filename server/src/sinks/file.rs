//! A file that lines are appended to, and synced before they count as taken.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio::sync::{mpsc, oneshot};

/// How far from the end the last whole line is looked for; no line is as long.
const TAIL_BYTES_MAX: u64 = 256 * 1024;

/// A file, and the thread that writes it: a file system that hangs holds up nobody else, nor the end of the process.
#[derive(Debug)]
pub(super) struct Appender {
    path: PathBuf,
    jobs: OnceLock<mpsc::Sender<Job>>,
}

struct Job {
    lines: Vec<u8>,
    done: oneshot::Sender<io::Result<()>>,
}

impl Appender {
    /// Makes the file if there is none, for this user alone: the front cannot make it later.
    pub(super) fn prepare(path: PathBuf) -> Result<Self, String> {
        let mut options = opening();
        // A pipe without a reader is an error here, not a wait.
        let opened = options.create(true).mode(0o600).custom_flags(libc::O_NONBLOCK).open(&path);
        opened.map_err(|e| format!("{}: {e}; the service must be able to append to it", path.display()))?;
        Ok(Self { path, jobs: OnceLock::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole lines.
    pub(super) async fn take(&self, lines: Vec<u8>) -> Result<(), String> {
        let told = |error: io::Error| format!("{}: {error}", self.path.display());
        let (done, taken) = oneshot::channel();
        let jobs = self.jobs().map_err(told)?;
        jobs.send(Job { lines, done }).await.map_err(|e| told(io::Error::other(e.to_string())))?;
        taken.await.map_err(|e| told(io::Error::other(e)))?.map_err(told)
    }

    /// The way to the thread, which is started when it is first needed.
    fn jobs(&self) -> io::Result<&mpsc::Sender<Job>> {
        if let Some(jobs) = self.jobs.get() {
            return Ok(jobs);
        }
        let (jobs, mut queue) = mpsc::channel::<Job>(1);
        let path = self.path.clone();
        std::thread::Builder::new().name("audit-sink".to_owned()).spawn(move || {
            while let Some(Job { lines, done }) = queue.blocking_recv() {
                // Whoever waited may have gone.
                let _ = done.send(append(&path, &lines));
            }
        })?;
        Ok(self.jobs.get_or_init(|| jobs))
    }
}

fn opening() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    options
}

/// Appends, all or nothing. Opened anew each time, so that nothing is written to a file that was removed.
fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = opening().open(path)?;
    if !file.metadata()?.is_file() {
        return file.write_all(lines);
    }
    let whole = heal(&mut file)?;
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if written.is_err() {
        // What cannot be taken back is, before the next lines are written.
        let _ = file.set_len(whole);
    }
    written
}

/// Takes back a line that a crash or a full disk cut off, and says how long the file is.
fn heal(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length.saturating_sub(1))?;
    }
    if last == [b'\n'] {
        return Ok(length);
    }
    let from = length.saturating_sub(TAIL_BYTES_MAX);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
        return if from == 0 { file.set_len(0).map(|()| 0) } else { Err(io::Error::other("it does not hold lines")) };
    };
    let whole = from.saturating_add(u64::try_from(end).unwrap_or(0)).saturating_add(1);
    file.set_len(whole).map(|()| whole)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A file of this test's own, gone when it is.
    struct Scratch(PathBuf);

    impl Scratch {
        fn with(content: &str) -> Self {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("sink").replace("::", "-");
            let path = std::env::temp_dir().join(format!("claviger-{}-{name}", std::process::id()));
            fs::write(&path, content).unwrap();
            Self(path)
        }

        fn text(&self) -> String {
            fs::read_to_string(&self.0).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_taken_back() {
        let file = Scratch::with("one\ntwo\nthr");
        append(&file.0, b"three\n").unwrap();
        assert_eq!(file.text(), "one\ntwo\nthree\n");
        append(&file.0, b"four\n").unwrap();
        assert_eq!(file.text(), "one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn a_file_without_a_whole_line_begins_anew_unless_it_is_something_else() {
        let file = Scratch::with("on");
        append(&file.0, b"one\n").unwrap();
        assert_eq!(file.text(), "one\n");
        let other = "x".repeat(300_000);
        fs::write(&file.0, &other).unwrap();
        append(&file.0, b"one\n").unwrap_err();
        assert_eq!(file.text(), other);
    }

    #[test]
    fn a_full_device_is_an_error_and_a_missing_file_stays_missing() {
        append(Path::new("/dev/full"), b"one\n").unwrap_err();
        let file = Scratch::with("");
        fs::remove_file(&file.0).unwrap();
        append(&file.0, b"one\n").unwrap_err();
        assert!(!file.0.exists());
    }
}
