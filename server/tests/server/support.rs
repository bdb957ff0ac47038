//! Certificates and TLS clients for tests on the loopback interface.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use claviger_server::tls::{Clients, Files, Served, TestCertificate, make_test_ca_and_certificate, server_config};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long a test waits for what must happen. Reaching it is a failure, never a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One certificate for `localhost`, 127.0.0.1 and `::1`, for all tests of this process.
pub(crate) static CERTIFICATE: LazyLock<TestCertificate> = LazyLock::new(|| {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    make_test_ca_and_certificate(&fresh_dir("tls"), &names, now_unix_ms()).unwrap()
});

/// A listener's TLS configuration with [`CERTIFICATE`].
pub(crate) fn listener_tls() -> Arc<ServerConfig> {
    let pair = Files::from(CERTIFICATE.clone()).read().unwrap();
    server_config(Arc::new(Served::new(pair)), false, Clients::MayShowCertificates).unwrap()
}

/// A new empty directory.
pub(crate) fn fresh_dir(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{count}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A client's TLS configuration that trusts [`CERTIFICATE`]'s CA.
pub(crate) fn client_config(alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&CERTIFICATE.ca).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// Connects with TLS.
pub(crate) async fn connect(address: SocketAddr, alpn: &[&str]) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(client_config(alpn)).connect(name, tcp).await.unwrap()
}

/// Waits for what must happen.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}

fn now_unix_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    u64::try_from(now.tv_sec).unwrap().checked_mul(1000).unwrap()
}
