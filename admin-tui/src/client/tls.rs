//! Where the listener is, and whom to believe that it is the listener.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use hyper::Uri;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, pem};
use rustls::{ClientConfig, RootCertStore};

use crate::error::ConsoleError;

/// The admin listener's address, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The name or address, an IPv6 one without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the certificate has to be for.
    pub(super) name: ServerName<'static>,
    /// The value of the `host` header.
    pub(super) authority: String,
}

impl Endpoint {
    /// Reads `host:port` or an `https` URL without a path.
    ///
    /// # Errors
    /// [`ConsoleError::Address`]. Plain `http` is refused too: there is no listener for it.
    pub(super) fn parse(text: &str) -> Result<Self, ConsoleError> {
        Self::read(text).ok_or_else(|| ConsoleError::Address(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let url = text.contains("://");
        let uri: Uri = if url { text.parse().ok()? } else { format!("https://{text}").parse().ok()? };
        let bare = uri.path() == "/" && uri.query().is_none();
        let authority = uri.authority()?.clone();
        if uri.scheme_str() != Some("https") || !bare || authority.as_str().contains('@') {
            return None;
        }
        let port = if url { authority.port_u16().unwrap_or(443) } else { authority.port_u16()? };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = match host.parse::<IpAddr>() {
            Ok(address) => ServerName::IpAddress(address.into()),
            Err(_) => ServerName::try_from(host.clone()).ok()?,
        };
        Some(Self { host, port, name, authority: authority.to_string() })
    }
}

/// TLS that believes the authorities in `ca_file` and no other: the system's do not count.
///
/// # Errors
/// [`ConsoleError::CaFile`], [`ConsoleError::Authority`], [`ConsoleError::Tls`].
pub(super) fn config(ca_file: &Path) -> Result<ClientConfig, ConsoleError> {
    let unreadable = |source| ConsoleError::CaFile { path: ca_file.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file).map_err(unreadable)? {
        let refused = |source| ConsoleError::Authority { path: ca_file.to_owned(), source };
        roots.add(certificate.map_err(unreadable)?).map_err(refused)?;
    }
    if roots.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    believing(roots).map_err(ConsoleError::Tls)
}

/// TLS that believes these authorities.
///
/// # Errors
/// rustls', if its algorithms serve no version of TLS.
pub(super) fn believing(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_addresses_people_give() {
        let check = |text: &str, host: &str, port: u16| {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port), "{text}");
        };
        check("127.0.0.1:8444", "127.0.0.1", 8444);
        check("https://127.0.0.1:8444", "127.0.0.1", 8444);
        check("https://claviger.example/", "claviger.example", 443);
        check("[::1]:8444", "::1", 8444);
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "localhost", "http://localhost:8444", "https://a:1/path", "https://me@a:1", "a b:1", ":8444"] {
            assert!(matches!(Endpoint::parse(text), Err(ConsoleError::Address(_))), "{text}");
        }
    }

    #[test]
    fn a_missing_ca_file_is_named() {
        let error = config(Path::new("no/such/ca.pem")).unwrap_err().to_string();
        assert!(error.contains("no/such/ca.pem"), "{error}");
    }
}
