//! A receiver of webhooks that remembers what came, and takes it or does not.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use claviger_e2e::{Home, until};
use data_encoding::BASE64;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::sinks::collector::acceptor;

/// What it does with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes it.
    Takes,
    /// Answers with this status; a redirect leads to another path of its own.
    Says(u16),
    /// Takes it, and is gone before it says so.
    TakesAndVanishes,
    /// Never answers.
    Silent,
}

/// One attempt at a message, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
    pub(crate) manner: Manner,
}

impl Came {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How many of its signatures a secret verifies, by this test's own reading of the specification.
    pub(crate) fn verified_by(&self, secret: &str) -> Result<usize> {
        let key = BASE64.decode(secret.strip_prefix("whsec_").context("no secret")?.as_bytes())?;
        let key = hmac::Key::new(HMAC_SHA256, &key);
        let signed = [format!("{}.{}.", self.id, self.timestamp).as_bytes(), &self.body].concat();
        let macs = self.signature.split(' ').filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?.as_bytes()).ok());
        Ok(macs.filter(|mac| hmac::verify(&key, &signed, mac).is_ok()).count())
    }
}

#[derive(Debug, Default)]
struct Shared {
    came: Vec<Came>,
    script: VecDeque<Manner>,
    usual: Option<Manner>,
}

/// A receiver that runs until it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// One with the certificate of a home, which the service is told to trust.
    pub(crate) async fn start(home: &Home) -> Result<Self> {
        Self::start_at(home, "127.0.0.1:0".parse()?).await
    }

    async fn start_at(home: &Home, address: SocketAddr) -> Result<Self> {
        let acceptor = acceptor(&home.file("tls/server.pem"), &home.file("tls/server.key"))?;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::<Mutex<Shared>>::default();
        let kept = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, kept) = (acceptor.clone(), kept.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(request, kept.clone()));
                    let _gone = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { address, shared, task })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends it, and starts another in its place that knows of nothing.
    pub(crate) async fn again(self, home: &Home) -> Result<Self> {
        let address = self.address;
        self.down().await;
        Self::start_at(home, address).await
    }

    /// Ends it: nobody listens there any more.
    pub(crate) async fn down(mut self) {
        self.task.abort();
        let _ended = (&mut self.task).await;
    }

    /// What it does with the next messages, one by one; then what is usual.
    pub(crate) fn next(&self, script: &[Manner]) {
        self.lock().script.extend(script);
    }

    /// What it does with every message, from then on.
    pub(crate) fn usually(&self, manner: Manner) {
        self.lock().usual = Some(manner);
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.lock().came.clone()
    }

    /// Waits for the first attempt that fits.
    pub(crate) async fn hears(&self, what: &str, fits: impl Fn(&Came) -> bool) -> Result<Came> {
        until(what, async || {
            let came = self.came();
            let found = came.iter().find(|came| fits(came)).cloned();
            found.with_context(|| format!("{} came: {:?}", came.len(), came.last()))
        })
        .await
    }

    /// Waits for the first message of a kind that it took.
    pub(crate) async fn takes(&self, kind: &str) -> Result<Came> {
        self.hears(kind, |came| came.json()["type"] == kind && came.manner == Manner::Takes).await
    }

    /// Nothing may have come.
    pub(crate) fn heard_nothing(&self) -> Result<()> {
        ensure!(self.came().is_empty(), "{:?}", self.came());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct Vanishes;

impl std::fmt::Display for Vanishes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the receiver vanishes")
    }
}

impl std::error::Error for Vanishes {}

async fn answer(request: Request<Incoming>, shared: Arc<Mutex<Shared>>) -> Result<Response<Full<Bytes>>, Vanishes> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let [id, timestamp, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header);
    let (id, timestamp, signature) = (id.to_owned(), timestamp.to_owned(), signature.to_owned());
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(Collected::to_bytes).map_err(|_| Vanishes)?.to_vec();
    let manner = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = shared.usual.unwrap_or(Manner::Takes);
        let manner = shared.script.pop_front().unwrap_or(usual);
        shared.came.push(Came { path, id, timestamp, signature, body, manner });
        manner
    };
    let status = match manner {
        Manner::Takes => 204,
        Manner::Says(status) => status,
        Manner::TakesAndVanishes => return Err(Vanishes),
        Manner::Silent => std::future::pending().await,
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_| Vanishes)?;
    let extra: Option<(HeaderName, &'static str)> = match status {
        302 => Some((LOCATION, "/elsewhere")),
        429 => Some((RETRY_AFTER, "3")),
        _ => None,
    };
    response.headers_mut().extend(extra.map(|(name, value)| (name, HeaderValue::from_static(value))));
    Ok(response)
}
