//! Clients that show a certificate, none, or one of which they have no key.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Extension, Router, routing::get};
use claviger_server::net::{Limits, PeerCertificate, Proxies, serve};
use data_encoding::HEXLOWER;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::pki_types::{PrivateKeyDer, ServerName, pem::PemObject as _};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{CERTIFICATE, listener_tls, soon};

/// A server that says which certificate it saw.
async fn start() -> (SocketAddr, watch::Sender<bool>) {
    let seen = |shown: Option<Extension<PeerCertificate>>| async move {
        shown.map_or("none".to_owned(), |Extension(PeerCertificate(hash))| HEXLOWER.encode(&hash))
    };
    let router = Router::new().route("/", get(seen));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, listener_tls(), router, Limits::default(), Proxies::none(), stopped));
    (address, stop)
}

/// A certificate and its key, and the thumbprint that the server must see.
fn identity(name: &str) -> (CertifiedKey, String) {
    let pair = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&pair).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.serialize_pem().as_bytes()).unwrap();
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.der());
    let certified = CertifiedKey::new(vec![certificate.der().clone()], any_supported_type(&key).unwrap());
    (certified, HEXLOWER.encode(thumbprint.as_ref()))
}

fn client(resolver: Option<Arc<dyn ResolvesClientCert>>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(&CERTIFICATE.ca).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    Arc::new(match resolver {
        Some(resolver) => builder.with_client_cert_resolver(resolver),
        None => builder.with_no_client_auth(),
    })
}

fn showing(certified: CertifiedKey) -> Arc<ClientConfig> {
    client(Some(Arc::new(SingleCertAndKey::from(certified))))
}

async fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::clone(config)).connect(ServerName::try_from("localhost").unwrap(), tcp).await
}

/// What the server saw, or that it would not speak.
async fn seen(mut stream: TlsStream<TcpStream>) -> Option<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    soon("an answer or an end", stream.read_to_string(&mut answer)).await.ok()?;
    Some(answer.rsplit_once("\r\n\r\n")?.1.to_owned())
}

#[tokio::test]
async fn who_shows_a_certificate_has_its_key_in_every_handshake() {
    let (address, _stop) = start().await;
    let ((one, thumbprint), (other, _)) = (identity("one"), identity("other"));
    let stolen = CertifiedKey::new(one.cert.clone(), other.key);

    let right = showing(one);
    for _ in 0..3 {
        let stream = connect(address, &right).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(seen(stream).await.as_deref(), Some(thumbprint.as_str()));
    }

    // In TLS 1.3 a client learns only with its first read that it was refused.
    let refused = match connect(address, &showing(stolen)).await {
        Ok(stream) => seen(stream).await,
        Err(_) => None,
    };
    assert_eq!(refused, None);
}

#[tokio::test]
async fn who_shows_no_certificate_is_served_all_the_same() {
    let (address, _stop) = start().await;

    let stream = connect(address, &client(None)).await.unwrap();
    assert_eq!(seen(stream).await.as_deref(), Some("none"));

    // As a browser does whose user has none that fits: asked, it answers with an empty list.
    let stream = connect(address, &client(Some(Arc::new(Nothing)))).await.unwrap();
    assert_eq!(seen(stream).await.as_deref(), Some("none"));
}

#[tokio::test]
async fn a_certificate_or_a_chain_beyond_measure_is_refused() {
    let (address, _stop) = start().await;
    let (certified, _) = identity("one");
    let long_chain = CertifiedKey::new(vec![certified.cert[0].clone(); 5], certified.key);
    let names: Vec<String> = (0..400).map(|n| format!("a-name-of-some-length-{n}.example")).collect();
    let pair = KeyPair::generate().unwrap();
    let large = CertificateParams::new(names).unwrap().self_signed(&pair).unwrap();
    assert!(large.der().len() > 8 * 1024);
    let key = PrivateKeyDer::from_pem_slice(pair.serialize_pem().as_bytes()).unwrap();
    let large = CertifiedKey::new(vec![large.der().clone()], any_supported_type(&key).unwrap());

    for certified in [long_chain, large] {
        let refused = match connect(address, &showing(certified)).await {
            Ok(stream) => seen(stream).await,
            Err(_) => None,
        };
        assert_eq!(refused, None);
    }
}

/// Has certificates, but none that fits.
#[derive(Debug)]
struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}
