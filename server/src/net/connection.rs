//! One connection, from its first byte to its last.

use std::{io, net::IpAddr, pin::pin, sync::Arc};

use axum::Router;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use rustls::ServerConfig;
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Limits, Peer, PeerCertificate, Proxies,
    activity::{Activity, End, Watched},
    exchange, plain, refused,
};
use crate::tls::thumbprint;

/// What all connections of a listener have in common.
pub(super) struct Shared {
    pub(super) tls: Arc<ServerConfig>,
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) proxies: Proxies,
    pub(super) shutdown: watch::Receiver<bool>,
}

/// Runs a connection until it ends, is ended, or the listener shuts down.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, shared: Arc<Shared>) {
    let mut shutdown = shared.shutdown.clone();
    let greeted = tokio::select! {
        greeted = timeout(shared.limits.handshake, greet(stream, &shared)) => greeted,
        _ = shutdown.wait_for(|&stop| stop) => return,
    };
    match greeted {
        Ok(Ok(Some(tls))) => converse(tls, peer, shared, shutdown).await,
        Ok(Ok(None)) => refused("plain_http"),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            refused("handshake");
        }
        Err(_) => refused("handshake_timeout"),
    }
}

/// The TLS stream, or `None` if the client does not speak TLS and has been told so.
async fn greet(stream: TcpStream, shared: &Shared) -> io::Result<Option<TlsStream<TcpStream>>> {
    if !plain::begins_tls(&stream).await? {
        plain::refuse(stream).await?;
        return Ok(None);
    }
    TlsAcceptor::from(Arc::clone(&shared.tls)).accept(stream).await.map(Some)
}

/// Speaks HTTP, and watches over the deadlines meanwhile.
async fn converse(tls: TlsStream<TcpStream>, peer: IpAddr, shared: Arc<Shared>, mut shutdown: watch::Receiver<bool>) {
    let limits = shared.limits;
    let h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let certificate =
        tls.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|der| PeerCertificate(thumbprint(der)));
    let peer = Peer { address: peer, certificate };
    let activity = Activity::new(h2);
    let service = service_fn(|request| exchange::answer(request, peer, Arc::clone(&shared), Arc::clone(&activity)));
    let builder = builder(&limits, h2);
    let io = TokioIo::new(Watched::new(tls, Arc::clone(&activity)));
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut stopping = false;

    loop {
        if activity.is_closing() && !stopping {
            stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        let next = match activity.check(&limits) {
            Ok(next) => next,
            Err(End::Idle) if !stopping => {
                activity.close();
                continue;
            }
            Err(end) => {
                metrics::counter!("claviger_connections_ended_total", "reason" => end.as_str()).increment(1);
                return;
            }
        };
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke");
                }
                return;
            }
            () = sleep_until(next) => {}
            () = activity.changed() => {}
            _ = shutdown.wait_for(|&stop| stop), if !stopping => activity.close(),
        }
    }
}

/// HTTP/1.1 or HTTP/2 as agreed in the handshake.
fn builder(limits: &Limits, h2: bool) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if h2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        // It would run between requests too; `Activity` knows the difference.
        .header_read_timeout(None)
        .half_close(false)
        .max_headers(64)
        .max_buf_size(32 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.idle.checked_div(3))
        .keep_alive_timeout(limits.header)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(16 * 1024)
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024)
        .max_send_buf_size(64 * 1024);
    builder
}
