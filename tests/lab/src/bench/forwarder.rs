//! The yardstick: axum and rustls, and nothing else. What it is given it passes on to the venue.
//!
//! It speaks as Claviger does: TLS and kept connections on both hops, HTTP/1.1 towards callers and whatever the venue
//! prefers towards it, which is one connection of HTTP/2. The body it is given is a signed order, up to its first space,
//! and goes out as the query, as Binance's clients and Claviger send it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::Response;
use axum::{Router, routing};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::story::say;

/// Where it forwards to, and as whom.
#[derive(Clone)]
struct Venue {
    base: String,
    key_id: HeaderValue,
    sender: SendRequest<Empty<Bytes>>,
}

/// Serves until it is killed. Its certificate goes to `certificate`, its address to standard output.
pub(crate) async fn run(base: &str, ca_file: &Path, key_id: &str, certificate: &Path) -> Result<()> {
    let address = base.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let venue = Venue { base: base.to_owned(), key_id: key_id.parse()?, sender: connect(address, ca_file).await? };
    let router = Router::new().fallback(routing::post(forward)).with_state(venue);
    let tls = TlsAcceptor::from(Arc::new(certified(certificate)?));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say(&listener.local_addr()?.to_string());
    loop {
        let (tcp, _) = listener.accept().await?;
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            tcp.set_nodelay(true)?;
            let stream = TokioIo::new(tls.accept(tcp).await?);
            http1::Builder::new().serve_connection(stream, TowerToHyperService::new(router)).await?;
            anyhow::Ok(())
        });
    }
}

async fn forward(State(mut venue): State<Venue>, order: String) -> Result<Response, StatusCode> {
    let query = order.split(' ').next().unwrap_or_default();
    let passed_on = async {
        let uri = format!("{}/api/v3/order?{query}", venue.base);
        let request = Request::post(uri).header("x-mbx-apikey", venue.key_id).body(Empty::new())?;
        venue.sender.ready().await?;
        let (head, body) = venue.sender.send_request(request).await?.into_parts();
        let mut response = Response::new(Body::from(body.collect().await?.to_bytes()));
        *response.status_mut() = head.status;
        anyhow::Ok(response)
    };
    passed_on.await.map_err(|_| StatusCode::BAD_GATEWAY)
}

async fn connect(address: &str, ca_file: &Path) -> Result<SendRequest<Empty<Bytes>>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file)? {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(address).await.with_context(|| format!("no venue at {address}"))?;
    tcp.set_nodelay(true)?;
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
    let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host)?, tcp).await?;
    ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "the venue does not speak HTTP/2");
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn certified(file: &Path) -> Result<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    std::fs::write(file, made.cert.pem())?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
