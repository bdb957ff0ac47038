//! Certificates and the TLS configuration of the listeners.
//!
//! The cryptography is always named (`aws_lc_rs`), never taken from a process-wide default, so that no dependency can
//! change it.

mod client;
mod made;
mod pair;
mod renewal;

use std::{io, path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::pem,
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};

pub use self::{
    made::{TestCertificate, make_test_ca_and_certificate},
    pair::{Files, Pair, Served},
    renewal::{Look, Renewal},
};

pub(crate) use self::client::{thumbprint, thumbprint_of_pem};

use self::client::AnyCertificate;

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
    /// The first certificate cannot be read as one.
    #[error("{} does not begin with a certificate that can be read: put the server's own first", .0.display())]
    Leaf(PathBuf),
    /// The front may read the whole directory of these files, and something is in it that it must not read.
    #[error("{} is in the directory of a file of `[tls]`, {}, which the front may read as a whole: give certificate and key a directory of their own", .secret.display(), .folder.display())]
    Shared {
        /// The directory.
        folder: PathBuf,
        /// What the front must not read.
        secret: PathBuf,
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

/// What a listener wants to know of its clients in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Nothing.
    Anonymous,
    /// A certificate, if they have one: any, as long as they have its key.
    MayShowCertificates,
}

/// The configuration of a listener: TLS 1.3, and 1.2 with AEAD suites if `allow_tls12`; HTTP/2 and HTTP/1.1; the
/// server's order of suites; no early data. Each handshake shows what is `served` by then: sessions are not resumed, for
/// whoever resumes one is shown no certificate, and believes in one that was replaced. Whoever shows a certificate of his
/// own proves in each handshake anew that he has its key.
///
/// # Errors
/// [`TlsError::Library`]
pub fn server_config(served: Arc<Served>, allow_tls12: bool, clients: Clients) -> Result<Arc<ServerConfig>, TlsError> {
    let versions: &[_] = if allow_tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(versions).map_err(TlsError::Library)?;
    let builder = match clients {
        Clients::Anonymous => builder.with_no_client_auth(),
        Clients::MayShowCertificates => builder.with_client_cert_verifier(AnyCertificate::new(algorithms)),
    };
    let mut config = builder.with_cert_resolver(served);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ignore_client_order = true;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The one provider of cryptography for TLS, in both directions. Its first key exchange is the hybrid X25519MLKEM768.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    pub(super) const NOW_MS: u64 = 1_795_000_000_000;

    pub(super) fn fresh_dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("claviger-tls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        dir
    }

    pub(super) fn make(dir: &Path) -> TestCertificate {
        make_test_ca_and_certificate(dir, &["localhost".to_owned(), "127.0.0.1".to_owned()], NOW_MS).unwrap()
    }

    #[test]
    fn what_init_makes_is_what_serve_loads() {
        let files = Files::from(make(&fresh_dir("loads")));
        let served = Arc::new(Served::new(files.read().unwrap()));

        let strict = server_config(served.clone(), false, Clients::Anonymous).unwrap();
        let lenient = server_config(served, true, Clients::MayShowCertificates).unwrap();

        assert!(strict.ignore_client_order);
        assert_eq!(strict.max_early_data_size, 0);
        assert_eq!(strict.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert!(!lenient.alpn_protocols.is_empty());
    }
}
