//! A certificate and its key: in two files, and as the listeners show them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_parser::parse_x509_certificate;

use super::{TestCertificate, TlsError, provider};

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// PEM: the chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

impl From<TestCertificate> for Files {
    fn from(made: TestCertificate) -> Self {
        Self { certificate: made.certificate, key: made.key }
    }
}

impl Files {
    /// Reads both.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what to do.
    pub fn read(&self) -> Result<Pair, TlsError> {
        let chain = read_chain(&self.certificate)?;
        let leaf = chain.first().and_then(|leaf| parse_x509_certificate(leaf).ok());
        let (_, leaf) = leaf.ok_or_else(|| TlsError::Leaf(self.certificate.clone()))?;
        let expires_unix_s = leaf.validity().not_after.timestamp();
        let key = read_key(&self.key)?;
        let shown = CertifiedKey::from_der(chain, key, &provider()).map_err(|source| TlsError::Mismatch {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })?;
        Ok(Pair { shown: Arc::new(shown), expires_unix_s })
    }

    /// The directories that a process needs in order to read both files, today and after they were renewed: a renewed
    /// file is a new one under the old name, or the name is a link that leads to another file from then on.
    ///
    /// # Errors
    /// [`TlsError::Shared`] when one of `secrets`, which that process must not read, lies in such a directory;
    /// [`TlsError::Read`] when there is none.
    pub fn folders(&self, secrets: &[&Path]) -> Result<Vec<PathBuf>, TlsError> {
        let mut folders = Vec::new();
        for file in [&self.certificate, &self.key] {
            for path in [std::path::absolute(file), fs::canonicalize(file)] {
                let path = path.map_err(|source| TlsError::Read { path: file.clone(), source })?;
                folders.extend(path.parent().map(Path::to_owned));
            }
        }
        folders.sort();
        folders.dedup();
        for secret in secrets {
            let real = fs::canonicalize(secret).unwrap_or_else(|_| (*secret).to_owned());
            let holds = |folder: &&PathBuf| {
                real.starts_with(folder) || fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder))
            };
            if let Some(folder) = folders.iter().find(holds) {
                return Err(TlsError::Shared { folder: folder.clone(), secret: (*secret).to_owned() });
            }
        }
        Ok(folders)
    }
}

/// A certificate chain and the key that fits it.
#[derive(Debug)]
pub struct Pair {
    shown: Arc<CertifiedKey>,
    expires_unix_s: i64,
}

/// What the listeners show in handshakes. It is exchanged while they serve; connections that are open go on.
#[derive(Debug)]
pub struct Served(ArcSwap<Pair>);

impl Served {
    /// Shows `pair`.
    #[must_use]
    pub fn new(pair: Pair) -> Self {
        Self(ArcSwap::from_pointee(pair))
    }

    /// Shows `pair` from the next handshake on.
    pub(super) fn show(&self, pair: Pair) {
        self.0.store(Arc::new(pair));
    }

    /// When the server's own certificate ends, seconds since the Unix epoch.
    #[must_use]
    pub fn expires_unix_s(&self) -> i64 {
        self.0.load().expires_unix_s
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load().shown.clone())
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let wrong = |source| TlsError::Pem { path: path.to_owned(), expected: "a certificate chain", source };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(wrong)?;
    if chain.is_empty() { Err(wrong(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    let metadata = fs::metadata(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    if metadata.permissions().mode() & 0o007 != 0 {
        return Err(TlsError::KeyExposed(path.to_owned()));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|source| TlsError::Pem {
        path: path.to_owned(),
        expected: "a private key",
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW_MS, fresh_dir, make};
    use super::*;

    #[test]
    fn errors_name_the_file() {
        let dir = fresh_dir("errors");
        let files = make(&dir);
        let other = fresh_dir("errors-other");
        let foreign = make(&other);
        let check = |certificate: &Path, key: &Path, culprit: &Path, word: &str| {
            let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
            let text = files.read().unwrap_err().to_string();
            assert!(text.contains(&culprit.display().to_string()) && text.contains(word), "{text}");
        };

        let missing = dir.join("missing.pem");
        check(&missing, &files.key, &missing, "cannot be read");
        check(&files.key, &files.key, &files.key, "a certificate chain");
        check(&files.certificate, &files.certificate, &files.certificate, "chmod 600");
        check(&files.certificate, &foreign.key, &foreign.key, "do not fit");
        fs::set_permissions(&foreign.certificate, fs::Permissions::from_mode(0o600)).unwrap();
        check(&files.certificate, &foreign.certificate, &foreign.certificate, "a private key");
    }
    #[test]
    fn the_end_of_the_certificate_is_known() {
        let pair = Files::from(make(&fresh_dir("end"))).read().unwrap();

        let days = |days: i64| days * 24 * 60 * 60;
        assert_eq!(pair.expires_unix_s, i64::try_from(NOW_MS / 1_000).unwrap() + days(825));
    }

    #[test]
    fn both_the_name_and_what_it_leads_to_are_reached_but_no_secret_beside_them() {
        let (live, archive) = (fresh_dir("live"), fresh_dir("archive"));
        let made = make(&archive);
        std::os::unix::fs::symlink(&made.certificate, live.join("chain.pem")).unwrap();
        std::os::unix::fs::symlink(&made.key, live.join("key.pem")).unwrap();
        let files = Files { certificate: live.join("chain.pem"), key: live.join("key.pem") };

        assert_eq!(files.folders(&[Path::new("/nowhere/pin")]).unwrap(), [archive.clone(), live.clone()]);
        for secret in [live.join("pin"), archive.join("token").join("pin")] {
            let refused = files.folders(&[&secret]).unwrap_err();
            assert!(matches!(refused, TlsError::Shared { secret: named, .. } if named == secret));
        }
    }
}
