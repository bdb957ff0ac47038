//! The test CA that `claviger init` makes, and the one certificate that it signs.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::TlsError;

/// How long a test certificate is valid: the longest that common clients accept from a private CA.
const VALIDITY: Duration = Duration::from_hours(825 * 24);

/// Clocks of clients lag behind; a certificate made this second is valid for them too.
const CLOCK_SKEW: Duration = Duration::from_hours(1);

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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::tests::{NOW_MS, fresh_dir, make};
    use super::*;

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
}
