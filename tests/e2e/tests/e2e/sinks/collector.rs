//! An HTTPS collector that remembers what it took, or takes nothing.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use claviger_e2e::until;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes it.
    Takes,
    /// Reads it and says nothing, until it becomes another.
    Silent,
}

/// A collector that runs until it is dropped.
pub(crate) struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    manner: watch::Sender<Manner>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    text: Vec<u8>,
    heads: Vec<String>,
    /// Requests that it said nothing to.
    ignored: usize,
}

impl Collector {
    pub(crate) async fn start(certificate: &Path, key: &Path) -> Result<Self> {
        let acceptor = acceptor(certificate, key)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::<Mutex<Seen>>::default();
        let (manner, heeded) = watch::channel(Manner::Takes);
        let kept = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, kept, heeded) = (acceptor.clone(), kept.clone(), heeded.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let mut changes = heeded.clone();
                    changes.mark_unchanged();
                    let service = service_fn(move |request| answer(request, kept.clone(), heeded.clone()));
                    let serving =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = serving => {}
                        // Connections end with the manner that they began under.
                        _ = changes.changed() => {}
                    }
                });
            }
        });
        Ok(Self { address, seen, manner, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/audit/in", self.address.port())
    }

    pub(crate) fn becomes(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    /// Waits until there is a request that it says nothing to.
    pub(crate) async fn is_given_something(&self) -> Result<()> {
        let before = self.seen.lock().unwrap().ignored;
        until("a request", async || {
            ensure!(self.seen.lock().unwrap().ignored > before, "none yet");
            Ok(())
        })
        .await
    }

    /// All that it took.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().text).into_owned()
    }

    /// First lines and headers of the requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().heads.clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves TLS with a certificate from files.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Seen>>,
    manner: watch::Receiver<Manner>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut head = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let _ = writeln!(head, "{name}: {}", value.to_str().unwrap_or_default());
    }
    let body = request.into_body().collect().await.map(Collected::to_bytes);
    if *manner.borrow() == Manner::Silent {
        seen.lock().unwrap().ignored += 1;
        std::future::pending::<()>().await;
    }
    let mut response = Response::new(Full::default());
    match body {
        Ok(body) => {
            let mut seen = seen.lock().unwrap();
            seen.text.extend_from_slice(&body);
            seen.heads.push(head);
        }
        Err(_) => *response.status_mut() = hyper::StatusCode::BAD_REQUEST,
    }
    Ok(response)
}
