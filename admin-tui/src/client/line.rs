//! One request, one answer, over connections that are kept for the next.
//!
//! A request is written at most once: it moves to another connection only if it never reached the first. Requests do not
//! queue behind each other, so that a freeze never waits for a list.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, Response};
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

/// What became of a request on one connection.
enum Sent {
    /// It was sent, and this came of it.
    Answered(Result<Reply, Trouble>),
    /// The connection did not take it, so another may.
    Not(Box<Request<Body>>),
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

    /// Sends `request` and reads the whole answer; each connection that is tried has `patience`.
    ///
    /// # Errors
    /// [`Trouble`], which says whether it may have happened.
    pub(super) async fn exchange(&self, mut request: Request<Body>, patience: Duration) -> Result<Reply, Trouble> {
        while let Some(sender) = self.pop_idle() {
            match self.send(sender, request, patience).await {
                Sent::Answered(answered) => return answered,
                Sent::Not(unsent) => request = *unsent,
            }
        }
        match self.send(self.connect().await?, request, patience).await {
            Sent::Answered(answered) => answered,
            Sent::Not(_) => Err(Trouble::NotSent("the connection closed at once".to_owned())),
        }
    }

    /// Sends `request` over a connection of its own and leaves the body to be read as it comes; until that begins, there is
    /// `patience`. The connection ends when the body is dropped.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn open(&self, request: Request<Body>, patience: Duration) -> Result<Response<Incoming>, Trouble> {
        let mut sender = self.connect().await?;
        let answered = timeout(patience, sender.send_request(request)).await;
        answered.map_err(|_| late(patience))?.map_err(|error| Trouble::NoAnswer(chain(&error)))
    }

    async fn send(&self, mut sender: SendRequest<Body>, request: Request<Body>, patience: Duration) -> Sent {
        let sent = timeout(patience, async {
            let response = match sender.try_send_request(request).await {
                Ok(response) => response,
                Err(mut refused) => {
                    return match refused.take_message() {
                        Some(unsent) => Sent::Not(Box::new(unsent)),
                        None => Sent::Answered(Err(Trouble::NoAnswer(chain(refused.error())))),
                    };
                }
            };
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| Trouble::NoAnswer(format!("the answer broke off: {}", chain(&*error))));
            Sent::Answered(body.map(|body| Reply {
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.to_bytes(),
            }))
        });
        let sent = sent.await.unwrap_or_else(|_| Sent::Answered(Err(late(patience))));
        if matches!(sent, Sent::Answered(Ok(_))) && !sender.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
        sent
    }

    fn pop_idle(&self) -> Option<SendRequest<Body>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Trouble> {
        let opened = timeout(CONNECT, self.connect_unhurried()).await;
        let slow = |_| Trouble::NotSent(format!("no connection within {CONNECT:?}"));
        opened.map_err(slow)?.map_err(|error| Trouble::NotSent(chain(&*error)))
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

fn late(patience: Duration) -> Trouble {
    Trouble::NoAnswer(format!("nothing within {patience:?}"))
}

/// An error and what caused it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
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
