//! Certificates and the TLS configuration of the listeners.
//!
//! The cryptography is always named (`aws_lc_rs`), never taken from a process-wide default, so that no dependency can
//! change it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    version::{TLS12, TLS13},
};

/// How long a test certificate is valid: the longest that common clients accept from a private CA.
const VALIDITY: Duration = Duration::from_hours(825 * 24);

/// Clocks of clients lag behind; a certificate made this second is valid for them too.
const CLOCK_SKEW: Duration = Duration::from_hours(1);

/// What is wrong with the certificates, which file, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: check `[tls]` in the configuration, or let `claviger init` make test certificates", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: check the directory's owner and free space", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not what its place in the configuration says.
    #[error("{} is not PEM with {expected}: put the right file there", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Every user of the machine can read the private key.
    #[error("{} can be read by everybody: run `chmod 600` on it, and replace the key if others use this machine", .0.display())]
    KeyExposed(PathBuf),
    /// Certificate and key cannot be used together.
    #[error("{} and {} do not fit together: they must be a certificate chain, the server's own first, and its key", .certificate.display(), .key.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// A certificate is there and is not replaced.
    #[error("{} is there already: move it away to have a new one made", .0.display())]
    Exists(PathBuf),
    /// No certificate can be made for these names.
    #[error("no certificate can be made for these names: give host names or IP addresses")]
    Names(#[source] rcgen::Error),
    /// The cryptographic library refused to work.
    #[error("the TLS library cannot be set up")]
    Library(#[source] rustls::Error),
}

/// The files that [`make_test_ca_and_certificate`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCertificate {
    /// The CA's certificate, for clients.
    pub ca: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's private key, readable by its owner only.
    pub key: PathBuf,
}

/// Makes a CA and a server certificate for `names` (host names and IP addresses) in `dir`, which must exist.
///
/// The CA's key signs this one certificate and is never stored, so that nobody can sign another. `now_unix_ms` is
/// milliseconds since the Unix epoch; the certificate is valid from an hour before for 825 days. A call that was
/// interrupted can be repeated: the certificate is written last.
///
/// # Errors
/// [`TlsError::Exists`] if there is a certificate, which then is untouched; [`TlsError::Names`], [`TlsError::Write`].
pub fn make_test_ca_and_certificate(
    dir: &Path,
    names: &[String],
    now_unix_ms: u64,
) -> Result<TestCertificate, TlsError> {
    let files =
        TestCertificate { ca: dir.join("ca.pem"), certificate: dir.join("server.pem"), key: dir.join("server.key") };
    if files.certificate.exists() {
        return Err(TlsError::Exists(files.certificate));
    }
    let pems = issue(names, Duration::from_millis(now_unix_ms)).map_err(TlsError::Names)?;

    write_atomically(&files.key, pems.key.as_bytes(), 0o600)?;
    write_atomically(&files.ca, pems.ca.as_bytes(), 0o644)?;
    write_atomically(&files.certificate, pems.certificate.as_bytes(), 0o644)?;
    Ok(files)
}

/// The configuration of a listener: TLS 1.3, and 1.2 with AEAD suites if `allow_tls12`; HTTP/2 and HTTP/1.1; the
/// server's order of suites; no early data.
///
/// # Errors
/// [`TlsError`] names the file and what to do.
pub fn server_config(certificate: &Path, key: &Path, allow_tls12: bool) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = read_chain(certificate)?;
    let private_key = read_key(key)?;
    let versions: &[_] = if allow_tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(TlsError::Library)?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(|source| TlsError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned(), source })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ignore_client_order = true;
    Ok(Arc::new(config))
}

/// The one provider of cryptography for TLS, in both directions. Its first key exchange is the hybrid X25519MLKEM768.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

struct Pems {
    ca: String,
    certificate: String,
    key: String,
}

fn issue(names: &[String], now: Duration) -> Result<Pems, rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Claviger test CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    limit_validity(&mut authority, now);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "Claviger");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    limit_validity(&mut server, now);
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &authority)?;

    Ok(Pems { ca: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}

fn limit_validity(params: &mut CertificateParams, now: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |since_epoch: Duration| epoch.checked_add(since_epoch.try_into().ok()?);
    if let (Some(from), Some(until)) = (at(now.saturating_sub(CLOCK_SKEW)), at(now.saturating_add(VALIDITY))) {
        params.not_before = from;
        params.not_after = until;
    }
}

/// Writes beside the file and renames, so that the file is whole or not there.
fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<(), TlsError> {
    let write = || {
        let unfinished = path.with_extension("new");
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    write().map_err(|source| TlsError::Write { path: path.to_owned(), source })
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
    use super::*;

    const NOW_MS: u64 = 1_795_000_000_000;

    fn fresh_dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("claviger-tls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        dir
    }

    fn make(dir: &Path) -> TestCertificate {
        make_test_ca_and_certificate(dir, &["localhost".to_owned(), "127.0.0.1".to_owned()], NOW_MS).unwrap()
    }

    #[test]
    fn what_init_makes_is_what_serve_loads() {
        let files = make(&fresh_dir("loads"));

        let strict = server_config(&files.certificate, &files.key, false).unwrap();
        let lenient = server_config(&files.certificate, &files.key, true).unwrap();

        assert!(strict.ignore_client_order);
        assert_eq!(strict.max_early_data_size, 0);
        assert_eq!(strict.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert!(!lenient.alpn_protocols.is_empty());
    }

    #[test]
    fn the_key_is_for_its_owner_alone_and_the_ca_key_is_nowhere() {
        let dir = fresh_dir("modes");
        let files = make(&dir);

        assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
        let keys = fs::read_dir(&dir)
            .unwrap()
            .filter(|entry| fs::read_to_string(entry.as_ref().unwrap().path()).unwrap().contains("PRIVATE KEY"))
            .count();
        assert_eq!(keys, 1);
    }

    #[test]
    fn a_certificate_is_never_replaced_but_an_interrupted_attempt_is() {
        let dir = fresh_dir("again");
        fs::write(dir.join("server.key"), "left over").unwrap();
        fs::write(dir.join("server.new"), "left over").unwrap();
        let files = make(&dir);
        let before = fs::read(&files.certificate).unwrap();

        let again = make_test_ca_and_certificate(&dir, &["localhost".to_owned()], NOW_MS);

        assert!(matches!(again, Err(TlsError::Exists(path)) if path == files.certificate));
        assert_eq!(fs::read(&files.certificate).unwrap(), before);
    }

    #[test]
    fn errors_name_the_file() {
        let dir = fresh_dir("errors");
        let files = make(&dir);
        let other = fresh_dir("errors-other");
        let foreign = make(&other);
        let check = |certificate: &Path, key: &Path, culprit: &Path, word: &str| {
            let text = server_config(certificate, key, false).unwrap_err().to_string();
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
}
