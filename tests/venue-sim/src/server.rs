//! Listening, TLS, HTTP, and going away in an orderly manner.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::body::{AnswerBody, Cut};
use crate::clock::Moment;
use crate::control;
use crate::recorder::Received;
use crate::simulator::{Delivery, Simulator};
use crate::tls;
use crate::venue::Answer;

const BODY_BYTES_MAX: usize = 1 << 20;
/// How long open requests may take to finish once the simulator is told to stop.
const FAREWELL: Duration = Duration::from_millis(500);

/// Where and how to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Directory of the test authority, made if it is not there.
    pub tls_dir: PathBuf,
    /// Written once requests are answered.
    pub ready_file: Option<PathBuf>,
}

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The test authority or the server's certificate could not be made.
    #[error("cannot prepare TLS in {dir}")]
    Tls {
        /// The directory of the authority.
        dir: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The address is not to be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The ready file could not be written.
    #[error("cannot write {path}")]
    ReadyFile {
        /// The file asked for.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// A simulator that serves until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    ca_file: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Running {
    /// The address that was bound.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://…`, without a trailing slash; a venue's base is `{url}/{venue}`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The file with the authority that vouches for the simulator.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Lets open requests finish for a moment, then closes everything.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // A receiver that is gone has stopped already.
            let _gone = stop.send(());
        }
        let _ended = self.serving.await;
    }
}

/// Starts a simulator on the current Tokio runtime.
///
/// It answers once this returns; the ready file, if any, is written then.
///
/// # Errors
/// [`StartError`] says which of certificate, address and ready file failed; nothing is left running.
pub async fn serve(options: Options) -> Result<Running, StartError> {
    let tls =
        tls::prepare(&options.tls_dir).map_err(|source| StartError::Tls { dir: options.tls_dir.clone(), source })?;
    let bound = async {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    let (listener, address) = bound.await.map_err(|source| StartError::Listen { address: options.listen, source })?;
    let (stop, stopped) = oneshot::channel();
    if let Some(path) = &options.ready_file {
        // The socket accepts already: whoever reads the file now waits in its backlog.
        write_ready_file(path, address, &tls.ca_file)
            .map_err(|source| StartError::ReadyFile { path: path.clone(), source })?;
    }
    let serving = tokio::spawn(accept_until(listener, TlsAcceptor::from(tls.config), stopped));
    Ok(Running { address, ca_file: tls.ca_file, stop: Some(stop), serving })
}

fn write_ready_file(path: &Path, address: SocketAddr, ca_file: &Path) -> io::Result<()> {
    let ready = json!({
        "url": format!("https://{address}"),
        "ca_file": ca_file,
        "pid": std::process::id(),
    });
    tls::write_atomically(path, 0o644, ready.to_string().as_bytes())
}

async fn accept_until(listener: TcpListener, tls: TlsAcceptor, mut stopped: oneshot::Receiver<()>) {
    let simulator = Arc::new(Simulator::new());
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A failed accept concerns one client, or passes when descriptors are free again.
                if let Ok((stream, peer)) = accepted {
                    let connection = serve_connection(
                        stream,
                        peer.ip(),
                        tls.clone(),
                        Arc::clone(&simulator),
                        graceful.watcher(),
                    );
                    tokio::spawn(connection);
                } else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    let _overdue = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

async fn serve_connection(
    stream: TcpStream,
    peer: IpAddr,
    tls: TlsAcceptor,
    simulator: Arc<Simulator>,
    watcher: Watcher,
) {
    // Whatever fails here is the client's to notice.
    let _unsupported = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request| {
        let at = Moment::now();
        let seq = simulator.recorder.next_seq();
        answer(Arc::clone(&simulator), at, peer, seq, request)
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let _closed = watcher.watch(connection).await;
}

async fn answer(
    simulator: Arc<Simulator>,
    at: Moment,
    peer: IpAddr,
    seq: u64,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX)
        .collect()
        .await
        .map_or(Err(Cut), |body| Ok::<Bytes, Cut>(body.to_bytes()))?;
    let received =
        Arc::new(Received { seq, at, peer, method: head.method, uri: head.uri, headers: head.headers, body });
    if received.uri.path().starts_with(control::PREFIX) {
        return Ok(respond(control::respond(&simulator, &received), false));
    }
    let (answer, delivery) = simulator.respond(&received);
    match delivery {
        Delivery::Whole => Ok(respond(answer, false)),
        Delivery::Late(delay) => {
            tokio::time::sleep(delay).await;
            Ok(respond(answer, false))
        }
        Delivery::CutBefore => Err(Cut),
        Delivery::CutMidAnswer => Ok(respond(answer, true)),
        Delivery::Never => std::future::pending().await,
    }
}

fn respond(answer: Answer, cut: bool) -> Response<AnswerBody> {
    let mut response = Response::new(if cut { AnswerBody::half(answer.body) } else { AnswerBody::whole(answer.body) });
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
