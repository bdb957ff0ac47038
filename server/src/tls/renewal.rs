//! Certificates that are replaced while the service runs.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, sync::Arc};

use super::{Files, Served, TlsError};

/// Looks again and again whether the two files are others than those that are served.
///
/// Two files cannot be replaced at one instant, so what does not fit is not complained of at first: only when it has
/// not moved since the look before. It is said once; whatever is served stays so meanwhile.
#[derive(Debug)]
pub struct Renewal {
    files: Files,
    served: Arc<Served>,
    /// The files of which all is said.
    settled: Stamps,
    /// Files that did not fit at the last look.
    moving: Option<Stamps>,
}

/// What came of a look.
#[derive(Debug)]
pub enum Look {
    /// The files are those of the look before, or are being written.
    Nothing,
    /// New files are served from here on.
    Renewed,
    /// There are new files that cannot be served: what is served stays.
    Unfit(TlsError),
}

/// What tells one state of the two files from the next.
type Stamps = [Option<Stamp>; 2];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Renewal {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`TlsError`]: there is nothing to serve.
    pub fn begin(files: Files) -> Result<Self, TlsError> {
        // Before they are read: what is written meanwhile is seen at the first look.
        let settled = stamps(&files);
        let served = Arc::new(Served::new(files.read()?));
        Ok(Self { files, served, settled, moving: None })
    }

    /// What the listeners show.
    #[must_use]
    pub fn served(&self) -> &Arc<Served> {
        &self.served
    }

    /// Looks once. `complete` says that whoever writes the files is known to be done.
    pub fn look(&mut self, complete: bool) -> Look {
        let found = stamps(&self.files);
        if found == self.settled {
            self.moving = None;
            return Look::Nothing;
        }
        match self.files.read() {
            Ok(pair) => {
                self.served.show(pair);
                (self.settled, self.moving) = (found, None);
                Look::Renewed
            }
            Err(error) if complete || self.moving == Some(found) => {
                (self.settled, self.moving) = (found, None);
                Look::Unfit(error)
            }
            Err(_) => {
                self.moving = Some(found);
                Look::Nothing
            }
        }
    }
}

fn stamps(files: &Files) -> Stamps {
    [stamp(&files.certificate), stamp(&files.key)]
}

/// `None` while there is no such file. Whatever is written to a file, or put in its place, changes one of these.
fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.size(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::make_test_ca_and_certificate;
    use super::super::tests::{fresh_dir, make};
    use super::*;

    const LATER_MS: u64 = 1_796_000_000_000;

    /// Puts a file there as a new one, which is certain to look like one.
    fn put(content: &Path, there: &Path) {
        fs::copy(content, there.with_extension("draft")).unwrap();
        fs::rename(there.with_extension("draft"), there).unwrap();
    }

    /// A pair that is served, and another that is not.
    fn two(name: &str) -> (Renewal, Files, Files) {
        let files = Files::from(make(&fresh_dir(name)));
        let other =
            make_test_ca_and_certificate(&fresh_dir(&format!("{name}-new")), &["localhost".to_owned()], LATER_MS);
        (Renewal::begin(files.clone()).unwrap(), files, Files::from(other.unwrap()))
    }

    #[test]
    fn a_new_pair_is_served_once_it_is_whole() {
        let (mut renewal, files, new) = two("renewed");
        let before = renewal.served().expires_unix_s();
        assert!(matches!(renewal.look(false), Look::Nothing));

        put(&new.certificate, &files.certificate);
        assert!(matches!(renewal.look(false), Look::Nothing));
        assert_eq!(renewal.served().expires_unix_s(), before);
        put(&new.key, &files.key);
        assert!(matches!(renewal.look(false), Look::Renewed));

        assert!(renewal.served().expires_unix_s() > before);
        assert!(matches!(renewal.look(false), Look::Nothing));
    }

    #[test]
    fn what_does_not_fit_is_said_once_when_it_stays_and_the_old_pair_too() {
        let (mut renewal, files, new) = two("unfit");
        let before = renewal.served().expires_unix_s();
        let old_key = files.key.with_extension("old");
        fs::copy(&files.key, &old_key).unwrap();
        put(&new.key, &files.key);

        assert!(matches!(renewal.look(false), Look::Nothing));
        assert!(matches!(renewal.look(false), Look::Unfit(TlsError::Mismatch { .. })));
        assert!(matches!(renewal.look(false), Look::Nothing));
        fs::remove_file(&files.certificate).unwrap();
        assert!(matches!(renewal.look(true), Look::Unfit(TlsError::Read { .. })));
        assert_eq!(renewal.served().expires_unix_s(), before);

        put(&new.certificate, &files.certificate);
        assert!(matches!(renewal.look(false), Look::Renewed));
        put(&old_key, &files.key);
        assert!(matches!(renewal.look(true), Look::Unfit(TlsError::Mismatch { .. })));
    }
}
