//! A simulator per test, and the smallest clients that can sign for its venues.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use claviger_venue_sim::{Options, Running, serve};
use data_encoding::{BASE64, HEXLOWER};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A key id as Binance makes them.
pub(crate) const BINANCE_KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
pub(crate) const BINANCE_SECRET: &str = "simulated-secret";
pub(crate) const KRAKEN_KEY: &str = "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aVRiHsgX";
pub(crate) const KRAKEN_SECRET: &str = "c2ltdWxhdGVkLXNlY3JldA==";

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A running simulator.
pub(crate) struct Sim {
    pub(crate) running: Running,
    dir: PathBuf,
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.dir);
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON answer")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Sim {
    pub(crate) async fn start() -> Self {
        let dir = fresh_dir();
        let options = Options { listen: "127.0.0.1:0".parse().unwrap(), tls_dir: dir.clone(), ready_file: None };
        Self { running: serve(options).await.unwrap(), dir }
    }

    /// Registers a key that may read and trade, and what `permissions` adds.
    pub(crate) async fn register(&self, venue: &str, permissions: Value) {
        let (key_id, secret) =
            if venue == "kraken" { (KRAKEN_KEY, KRAKEN_SECRET) } else { (BINANCE_KEY, BINANCE_SECRET) };
        let body = json!({
            "venue": venue, "key_id": key_id, "kind": "hmac", "secret": secret, "permissions": permissions,
        });
        let reply = self.control("POST", "/_sim/keys", &body).await;
        assert_eq!(reply, json!({ "venue": venue, "key_id": key_id }));
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        let reply = self.send(request).await.unwrap();
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text);
        reply.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Full::default()).unwrap()).await.unwrap()
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, Failure> {
        let stream = self.connect(b"http/1.1").await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        read(sender.send_request(request).await?).await
    }

    pub(crate) async fn connect(&self, protocol: &[u8]) -> Result<TlsStream<TcpStream>, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.running.ca_file())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(self.running.address()).await?;
        let name = ServerName::try_from("127.0.0.1")?;
        Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    }

    /// Signs with the registered HMAC key as Binance wants it, all in the query.
    pub(crate) async fn binance(&self, method: &str, path: &str, params: &str) -> Reply {
        self.try_binance(method, path, params).await.unwrap()
    }

    pub(crate) async fn try_binance(&self, method: &str, path: &str, params: &str) -> Result<Reply, Failure> {
        let separator = if params.is_empty() { "" } else { "&" };
        let query = format!("{params}{separator}timestamp={}", now_ms());
        self.send(binance_request(method, path, &query, &binance_signature(&query))).await
    }

    /// Signs with the registered key as Kraken wants it; the nonce is the time.
    pub(crate) async fn kraken(&self, path: &str, params: &str) -> Reply {
        self.kraken_with_nonce(path, params, now_ns()).await
    }

    pub(crate) async fn kraken_with_nonce(&self, path: &str, params: &str, nonce: u64) -> Reply {
        let body = if params.is_empty() { format!("nonce={nonce}") } else { format!("nonce={nonce}&{params}") };
        let signature = kraken_signature(path, nonce, &body);
        self.send(kraken_request(path, &body, &signature)).await.unwrap()
    }
}

pub(crate) fn binance_request(method: &str, path: &str, query: &str, signature: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("{path}?{query}&signature={signature}"))
        .header("X-MBX-APIKEY", BINANCE_KEY)
        .body(Full::default())
        .unwrap()
}

pub(crate) fn binance_signature(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, BINANCE_SECRET.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref())
}

pub(crate) fn kraken_request(path: &str, body: &str, signature: &str) -> Request<Full<Bytes>> {
    Request::post(format!("/kraken{path}"))
        .header("API-Key", KRAKEN_KEY)
        .header("API-Sign", signature)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body.to_owned().into())
        .unwrap()
}

pub(crate) fn kraken_signature(path: &str, nonce: u64, body: &str) -> String {
    let hashed = digest::digest(&digest::SHA256, format!("{nonce}{body}").as_bytes());
    let secret = BASE64.decode(KRAKEN_SECRET.as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA512, &secret);
    BASE64.encode(hmac::sign(&key, &[path.as_bytes(), hashed.as_ref()].concat()).as_ref())
}

/// A request with a bearer token, if any, and a JSON body unless that is null.
pub(crate) fn json_request(method: &str, path: &str, token: Option<&str>, body: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("Content-Type", "application/json");
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    request.body(body.into()).unwrap()
}

pub(crate) async fn read(response: Response<hyper::body::Incoming>) -> Result<Reply, Failure> {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    Ok(Reply { status: head.status.as_u16(), headers: head.headers, text: String::from_utf8(bytes.to_vec())? })
}

pub(crate) fn now_ns() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since_epoch.as_nanos()).unwrap()
}

pub(crate) fn now_ms() -> u64 {
    now_ns() / 1_000_000
}

/// A directory that no other test uses.
pub(crate) fn fresh_dir() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sim-{}-{number}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    dir
}
