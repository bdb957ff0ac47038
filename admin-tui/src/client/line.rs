//! One request, one answer, over connections that are kept for the next.
//!
//! A request is written at most once: it moves to another connection only if it never reached the first. Requests do not
//! queue behind each other, so that a freeze never waits for a list.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::tls::Endpoint;

/// A request's body: nothing, or JSON.
pub(super) type Body = Full<Bytes>;

/// What came back, whole.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why nothing came back. The difference matters to whoever asked for an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The listener was not reached: nothing happened.
    NotSent(String),
    /// It was reached, and what happened is not known.
    NoAnswer(String),
}

/// Connections to the admin listener.
pub(super) struct Line {
    pub(super) endpoint: Endpoint,
    tls: TlsConnector,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Line {
    pub(super) fn new(endpoint: Endpoint, config: rustls::ClientConfig) -> Self {
        Self { endpoint, tls: Arc::new(config).into(), idle: Mutex::default() }
    }

    /// Sends `request` and reads the whole answer within `patience`.
    ///
    /// # Errors
    /// [`Trouble`], which says whether it may have happened.
    pub(super) async fn exchange(&self, request: Request<Body>, patience: Duration) -> Result<Reply, Trouble> {
        let (sender, request) = match self.try_idle(request, patience).await {
            Ok(answered) => return answered,
            Err(unsent) => (self.connect().await?, unsent),
        };
        let sent = timeout(patience, self.send(sender, request)).await;
        match sent.map_err(|_| silence(patience))? {
            Ok(answered) => answered,
            Err(_unsent) => Err(Trouble::NotSent("the connection closed at once".to_owned())),
        }
    }

    /// Tries the connections that are open already; gives the request back if none of them took it.
    async fn try_idle(
        &self,
        mut request: Request<Body>,
        patience: Duration,
    ) -> Result<Result<Reply, Trouble>, Request<Body>> {
        while let Some(sender) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            match timeout(patience, self.send(sender, request)).await {
                Ok(Ok(answered)) => return Ok(answered),
                Ok(Err(unsent)) => request = *unsent,
                Err(_) => return Ok(Err(silence(patience))),
            }
        }
        Err(request)
    }

    async fn send(
        &self,
        mut sender: SendRequest<Body>,
        request: Request<Body>,
    ) -> Result<Result<Reply, Trouble>, Box<Request<Body>>> {
        let response = match sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut refused) => {
                return match refused.take_message() {
                    Some(unsent) => Err(Box::new(unsent)),
                    None => Ok(Err(no_answer(refused.error()))),
                };
            }
        };
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Ok(Err(Trouble::NoAnswer(format!("the answer broke off: {error}")))),
        };
        if sender.ready().await.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
        Ok(Ok(Reply { status: head.status.as_u16(), headers: head.headers, body }))
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Trouble> {
        let opened = timeout(CONNECT, self.connect_unhurried()).await;
        let late = |_| Trouble::NotSent(format!("no connection within {CONNECT:?}"));
        opened.map_err(late)?.map_err(|error| Trouble::NotSent(chain(&*error)))
    }

    async fn connect_unhurried(&self) -> Result<SendRequest<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let tcp = TcpStream::connect((self.endpoint.host.as_str(), self.endpoint.port)).await?;
        tcp.set_nodelay(true)?;
        let stream = self.tls.connect(self.endpoint.name.clone(), tcp).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Whoever sends learns of a failure from the sender; the connection itself has nobody to tell.
        drop(tokio::spawn(async { drop(connection.await) }));
        Ok(sender)
    }
}

fn silence(patience: Duration) -> Trouble {
    Trouble::NoAnswer(format!("nothing within {patience:?}"))
}

fn no_answer(error: &hyper::Error) -> Trouble {
    Trouble::NoAnswer(chain(error))
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// How long TCP and TLS may take together.
const CONNECT: Duration = Duration::from_secs(3);

/// A page of 200 rows is about 120 KiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
