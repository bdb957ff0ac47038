//! From a name to a TLS stream, through addresses that were checked.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem, pem::PemObject as _},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Route, RouteError, address::Reach, request::Origin};

/// Why there is no connection; nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the name does not resolve: {0}")]
    Resolve(#[source] io::Error),
    #[error("the name resolves to no address that a public venue may have")]
    NotPublic,
    #[error("the name resolves to no address that a local venue may have")]
    NotLocal,
    #[error("the name resolves to no address")]
    Nowhere,
    #[error("no address answers: {0}")]
    Tcp(#[source] io::Error),
    #[error("TLS was not agreed: {0}")]
    Tls(#[source] io::Error),
    #[error("no connection within {0:?}")]
    Timeout(Duration),
}

/// Connects to the hosts of one venue.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    reach: Reach,
    timeout: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(whose: &str, route: &Route) -> Result<Self, RouteError> {
        let mut config = client_config(whose, route.ca_pem.as_deref())?;
        // A connection for one request gains nothing from HTTP/2.
        let protocols: &[&[u8]] = if route.keep_alive { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Self { tls: Arc::new(config).into(), reach: route.reach, timeout: route.connect_timeout })
    }

    /// Connects to `origin`.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing of a request was sent.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<TlsStream<TcpStream>, ConnectError> {
        timeout(self.timeout, self.connect_unhurried(origin)).await.unwrap_or(Err(ConnectError::Timeout(self.timeout)))
    }

    async fn connect_unhurried(&self, origin: &Origin) -> Result<TlsStream<TcpStream>, ConnectError> {
        let resolved = lookup_host((origin.host.as_str(), origin.port)).await.map_err(ConnectError::Resolve)?;
        let permitted: Vec<_> = resolved.filter(|address| self.reach.permits(address.ip())).collect();
        if permitted.is_empty() {
            return Err(match self.reach {
                Reach::Public => ConnectError::NotPublic,
                Reach::Local => ConnectError::NotLocal,
                Reach::Anywhere => ConnectError::Nowhere,
            });
        }
        let tcp = self.connect_to_any(&permitted).await.map_err(ConnectError::Tcp)?;
        let name = server_name(&origin.host).map_err(ConnectError::Tls)?;
        self.tls.connect(name, tcp).await.map_err(ConnectError::Tls)
    }

    /// Tries one address after the other. Each gets its share of the time, so that a silent one does not cost all.
    async fn connect_to_any(&self, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
        let mut failure = io::ErrorKind::NotFound.into();
        for (position, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len().saturating_sub(position)).unwrap_or(u32::MAX);
            let share = self.timeout.checked_div(left.saturating_add(1)).unwrap_or_default();
            let now = Instant::now();
            match timeout_at(now.checked_add(share).unwrap_or(now), TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(failure)
    }
}

/// TLS to whoever has a certificate of the public roots, or of `ca_pem` alone. `whose` names it in errors.
pub(crate) fn client_config(whose: &str, ca_pem: Option<&[u8]>) -> Result<ClientConfig, RouteError> {
    let roots = match ca_pem {
        Some(pem) => own_roots(whose, pem)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let builder = ClientConfig::builder_with_provider(crate::tls::provider()).with_safe_default_protocol_versions();
    Ok(builder.map_err(RouteError::Library)?.with_root_certificates(roots).with_no_client_auth())
}

fn own_roots(whose: &str, text: &[u8]) -> Result<RootCertStore, RouteError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|source| RouteError::Certificates(whose.to_owned(), source))?;
        roots.add(certificate).map_err(|source| RouteError::Authority(whose.to_owned(), source))?;
    }
    if roots.is_empty() {
        return Err(RouteError::Certificates(whose.to_owned(), pem::Error::NoItemsFound));
    }
    Ok(roots)
}

/// The name or address that a certificate is to be for.
pub(crate) fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(ServerName::IpAddress(address.into())),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(io::Error::other),
    }
}
