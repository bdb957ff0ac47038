//! The simulator's own certificate authority.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca-key.pem";

/// A server configuration, and the file with the authority that vouches for it.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) ca_file: PathBuf,
}

/// Reuses the authority in `dir` or makes one, and certifies a fresh server key for this machine.
pub(crate) fn prepare(dir: &Path) -> io::Result<Tls> {
    fs::create_dir_all(dir)?;
    let ca_file = dir.join(CA_FILE);
    let key_file = dir.join(CA_KEY_FILE);
    let ca_key = match fs::read_to_string(&key_file) {
        Ok(pem) if ca_file.exists() => KeyPair::from_pem(&pem).map_err(io::Error::other)?,
        _ => make_authority(&ca_file, &key_file)?,
    };
    // The certificate on disk has exactly these parameters, so it need not be read back.
    let issuer = Issuer::new(authority_params(), ca_key);
    let server_key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate =
        server_params().and_then(|params| params.signed_by(&server_key, &issuer)).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der())),
        )
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { config: Arc::new(config), ca_file })
}

/// Writes a file so that a reader sees all of it or nothing.
pub(crate) fn write_atomically(path: &Path, mode: u32, contents: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

/// The certificate is written last: where it is, its key is too.
fn make_authority(ca_file: &Path, key_file: &Path) -> io::Result<KeyPair> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = authority_params().self_signed(&key).map_err(io::Error::other)?;
    write_atomically(key_file, 0o600, key.serialize_pem().as_bytes())?;
    write_atomically(ca_file, 0o644, certificate.pem().as_bytes())?;
    Ok(key)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Claviger venue simulator CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server_params() -> Result<CertificateParams, rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = named("Claviger venue simulator");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
