//! One connection to a venue, of either protocol.

use std::{sync::Arc, time::Duration};

use hyper::{
    Response,
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::request::{Body, Outgoing, Target};

/// While answers are awaited, a venue that has vanished is found out by its silence.
const PING_EVERY: Duration = Duration::from_secs(5);

/// A connection that can take a request.
#[derive(Debug)]
pub(super) enum Connection {
    H1(http1::SendRequest<Body>),
    H2(Shared),
}

/// A connection of HTTP/2, used by many at once; `users` counts its handles.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    sender: http2::SendRequest<Body>,
    users: Arc<()>,
}

/// What became of a request that was given to a connection.
pub(super) enum Attempt {
    Answered(Response<Incoming>),
    /// Not a byte was written, and here it is again.
    GivenBack(Outgoing),
    /// Some of it was written, and no answer came.
    Lost(hyper::Error),
}

impl Connection {
    /// Begins to speak what was agreed on `stream`.
    ///
    /// # Errors
    /// The connection broke before it was of use.
    pub(super) async fn begin(stream: TlsStream<TcpStream>) -> hyper::Result<Self> {
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        if h2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING_EVERY)
                .keep_alive_timeout(PING_EVERY)
                .handshake(io)
                .await?;
            tokio::spawn(connection);
            Ok(Self::H2(Shared { sender, users: Arc::default() }))
        } else {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Ok(Self::H1(sender))
        }
    }

    /// Moves `request` into the connection. hyper returns it if and only if it did not begin to write it.
    pub(super) async fn attempt(&mut self, mut request: Outgoing, target: &Target) -> Attempt {
        let result = match self {
            Self::H1(sender) => {
                target.write_h1(&mut request);
                if sender.ready().await.is_err() {
                    return Attempt::GivenBack(request);
                }
                sender.try_send_request(request).await
            }
            Self::H2(Shared { sender, .. }) => {
                target.write_h2(&mut request);
                if sender.ready().await.is_err() {
                    return Attempt::GivenBack(request);
                }
                sender.try_send_request(request).await
            }
        };
        result.map_or_else(Attempt::from, Attempt::Answered)
    }
}

impl From<TrySendError<Outgoing>> for Attempt {
    fn from(mut error: TrySendError<Outgoing>) -> Self {
        match error.take_message() {
            Some(unsent) => Self::GivenBack(unsent),
            None => Self::Lost(error.into_error()),
        }
    }
}

impl Shared {
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether a request or an answer is under way, if one handle is the asker's own.
    pub(super) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.users) > 1
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.users, &other.users)
    }
}
