//! The listeners: an accept loop that no client can hold up.
//!
//! hyper by itself waits for slow clients for ever. Here every stage of a connection has a deadline, and its end is
//! decided in one place (`activity`): the TLS handshake, the header of a request, its body, the handler, the taking
//! of the answer, and the silence in between. What a client can make the process hold is bounded by [`Limits`].
//!
//! A request passes these rooms: `connection` (is it TLS at all, then HTTP/1.1 or HTTP/2), `exchange` (framing, size,
//! panics, closing), the router. A handler steers its connection by response extensions: [`CloseConnection`] and
//! [`Streaming`].

mod activity;
mod body;
mod connection;
mod exchange;
mod peers;
mod plain;
mod problem;
mod proxies;

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use self::{connection::Shared, peers::Peers};

pub use self::proxies::Proxies;

/// How long and how much a client may take. Each listener has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the accepted connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request's header to the last.
    pub header: Duration,
    /// From the end of the header to the end of the body.
    pub body: Duration,
    /// Silence between two requests, and before the first.
    pub idle: Duration,
    /// From the end of the header until the handler has an answer.
    ///
    /// This is the last resort and drops the handler where it stands. What acts on the world ends itself earlier and
    /// records what it knows.
    pub request: Duration,
    /// From the handler's answer until the client has taken all of it; [`Streaming`] answers are exempt.
    pub answer: Duration,
    /// What open connections get to finish once the listener shuts down.
    pub drain: Duration,
    /// Connections of this listener at one time.
    pub connections: usize,
    /// Connections of one peer at one time: an IPv4 address or an IPv6 /64. A trusted proxy may have more, because it
    /// stands for many.
    pub per_peer: usize,
    /// Requests in flight on one HTTP/2 connection.
    pub streams: u32,
    /// The longest request body.
    pub body_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            header: Duration::from_secs(10),
            body: Duration::from_secs(15),
            idle: Duration::from_mins(1),
            request: Duration::from_mins(1),
            answer: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            connections: 4096,
            per_peer: 512,
            streams: 128,
            body_bytes_max: 64 * 1024,
        }
    }
}

/// Where a request came from, in the extensions of every request: the socket's peer, or what a trusted proxy says. IPv4
/// addresses are IPv4, however the listener is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);

/// SHA-256 over the client's certificate (DER), in the extensions of every request of a connection whose client proved
/// in the handshake to have its key. That it means anything, nobody has said yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCertificate(pub [u8; 32]);

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    address: IpAddr,
    certificate: Option<PeerCertificate>,
}

/// Put into the extensions of a response, it closes the connection once the answer is out.
///
/// # Security
/// Read buffers of an open connection hold what came over it. An answer to a request that carried a secret carries
/// this, so that the buffers are freed, and thereby wiped, with the connection.
#[derive(Clone, Copy, Debug)]
pub struct CloseConnection;

/// Put into the extensions of a response, it exempts the answer from [`Limits::answer`]: for streams of events.
#[derive(Clone, Copy, Debug)]
pub struct Streaming;

/// Serves `router` on `listener` until `shutdown` says `true` or its sender is gone, then lets open connections finish
/// within [`Limits::drain`].
///
/// Connections over a cap are closed at once. Every connection is counted by the gauge `claviger_connections`, every
/// refused one by `claviger_connections_refused_total{reason}`, every one ended early by
/// `claviger_connections_ended_total{reason}`.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    limits: Limits,
    proxies: Proxies,
    mut shutdown: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let peers = Peers::new(limits.per_peer);
    let shared = Arc::new(Shared { tls, router, limits, proxies, shutdown: shutdown.clone() });
    let mut connections = JoinSet::new();
    let mut backoff = Backoff::default();

    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = shutdown.wait_for(|&stop| stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
            Err(error) => {
                tokio::select! {
                    () = backoff.after(&error) => continue,
                    _ = shutdown.wait_for(|&stop| stop) => break,
                }
            }
        };
        backoff = Backoff::default();
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            refused("connections");
            continue;
        };
        let place = peers.admit(peer);
        if place.is_none() && !shared.proxies.trust(peer) {
            refused("per_peer");
            continue;
        }
        if let Err(error) = prepare(&stream, &limits) {
            tracing::debug!(%error, "a socket option was refused");
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _held = (seat, place, Counted::new());
            connection::run(stream, peer, shared).await;
        });
    }

    drop(listener);
    let finished = timeout(limits.drain, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut at shutdown");
    }
}

/// Small answers leave at once, and a peer that takes nothing for as long as an answer may last is gone.
fn prepare(stream: &TcpStream, limits: &Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let patience_ms = u32::try_from(limits.answer.as_millis()).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(stream, patience_ms)?;
    Ok(())
}

fn refused(reason: &'static str) {
    metrics::counter!("claviger_connections_refused_total", "reason" => reason).increment(1);
}

/// Counts a connection for as long as it lives.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("claviger_connections").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("claviger_connections").decrement(1.0);
    }
}

/// The pause after a failed accept. Without descriptors the next attempt fails too, and a loop without a pause would
/// take the processor from those who could free some.
#[derive(Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(1);

    async fn after(&mut self, error: &io::Error) {
        refused("accept");
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            return;
        }
        tracing::warn!(%error, "accepting a connection failed");
        sleep(self.pause()).await;
    }

    fn pause(&mut self) -> Duration {
        let pause = Self::FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_accepts_wait_longer_each_time_but_never_more_than_a_second() {
        let mut backoff = Backoff::default();

        let pauses: Vec<_> = (0..9).map(|_| backoff.pause().as_millis()).collect();

        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }
}
