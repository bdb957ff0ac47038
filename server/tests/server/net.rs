//! Slow, greedy, confused and well-behaved clients against one listener.

#[path = "net/slow.rs"]
mod slow;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode},
    routing::{get, post},
};
use claviger_server::net::{ClientAddr, CloseConnection, Limits, Proxies, serve};
use http_body_util::BodyExt as _;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::interval,
};

use crate::support::{PATIENCE, connect, listener_tls, soon};

const H1: &[&str] = &["http/1.1"];
const H2: &[&str] = &["h2"];

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

fn router() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/peer", get(|Extension(ClientAddr(client)): Extension<ClientAddr>| async move { client.to_string() }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/length", post(length_whatever_happens))
        .route("/big", get(|| async { vec![0_u8; 8 * 1024 * 1024] }))
        .route("/panic", get(panics))
        .route("/never", get(std::future::pending::<()>))
        .route("/enrolled", post(|_: Bytes| async { (Extension(CloseConnection), "sealed") }))
}

/// A handler that hides what became of the body.
async fn length_whatever_happens(body: Body) -> String {
    body.collect().await.map_or(0, |body| body.to_bytes().len()).to_string()
}

async fn panics() -> StatusCode {
    std::panic::resume_unwind(Box::new("a secret"))
}

/// Short limits, so that reaching one takes no time worth mentioning; those that a test does not mean are long.
fn limits() -> Limits {
    Limits { answer: Duration::from_mins(1), ..Limits::default() }
}

const SHORT: Duration = Duration::from_millis(200);

async fn start(limits: Limits) -> Server {
    start_behind(&[], limits).await
}

/// A server that believes these networks.
async fn start_behind(proxies: &[&str], limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, shutdown) = watch::channel(false);
    let proxies: Proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
    let ended = tokio::spawn(serve(listener, listener_tls(), router(), limits, proxies, shutdown));
    Server { address, stop, ended }
}

/// All that the server says until it closes; a reset is an end like any other.
async fn until_closed(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut said = Vec::new();
    let _ = soon("the server closes", stream.read_to_end(&mut said)).await;
    String::from_utf8_lossy(&said).into_owned()
}

/// Says `text` in HTTP/1.1 and returns the answer up to the end of the connection.
async fn exchange(server: &Server, text: &str) -> String {
    let mut stream = connect(server.address, H1).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    until_closed(&mut stream).await
}

async fn h2(server: &Server) -> http2::SendRequest<Body> {
    let stream = connect(server.address, H2).await;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri(format!("https://localhost{path}")).body(body.into()).unwrap()
}

async fn text(response: Response<hyper::body::Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn both_protocols_are_served() {
    let server = start(limits()).await;

    let h1 = exchange(&server, "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    let h2 = h2(&server).await.send_request(request("GET", "/hello", "")).await.unwrap();

    assert!(h1.starts_with("HTTP/1.1 200 OK\r\n") && h1.ends_with("\r\n\r\nhello"), "{h1}");
    assert!(h1.contains("strict-transport-security: max-age="), "{h1}");
    assert_eq!(text(h2).await, "hello");
}

/// What a handler learns of a client that sends these headers.
async fn learnt(server: &Server, headers: &str) -> String {
    exchange(server, &format!("GET /peer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")).await
}

#[tokio::test]
async fn a_handler_learns_the_peer_whatever_it_says_of_others() {
    let server = start_behind(&["192.0.2.0/24"], limits()).await;

    for headers in ["", "x-forwarded-for: 198.51.100.7\r\n", "x-forwarded-for: nonsense\r\n"] {
        let answer = learnt(&server, headers).await;
        assert!(answer.ends_with("\r\n\r\n127.0.0.1"), "{headers}: {answer}");
    }
}

#[tokio::test]
async fn a_handler_learns_the_client_of_a_trusted_proxy() {
    let server = start_behind(&["127.0.0.0/8", "192.0.2.0/24"], limits()).await;

    let several = "x-forwarded-for: 203.0.113.1\r\nX-Forwarded-For: [2001:db8::7]:443, 192.0.2.9\r\n";
    let unread = "forwarded: for=198.51.100.7\r\nx-real-ip: 198.51.100.7\r\n";

    assert!(learnt(&server, several).await.ends_with("\r\n\r\n2001:db8::7"));
    assert!(learnt(&server, unread).await.ends_with("\r\n\r\n127.0.0.1"));
    let refused = learnt(&server, "x-forwarded-for: unknown\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains(r#""code":"forwarded_for_invalid""#), "{refused}");
}

#[tokio::test]
async fn a_trusted_proxy_holds_more_connections_than_one_client_may() {
    let server = start_behind(&["127.0.0.1"], Limits { per_peer: 1, ..limits() }).await;
    let _first = connect(server.address, H1).await;

    assert!(learnt(&server, "").await.ends_with("127.0.0.1"));
}

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let server = start(limits()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'a'; 200_000]).await.unwrap();

    let answer = until_closed(&mut stream).await;

    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(answer.contains(r#""code":"https_required""#), "{answer}");
    assert!(answer.contains("this port speaks HTTPS only"), "{answer}");
}

#[tokio::test]
async fn ambiguous_framing_is_refused() {
    let server = start(limits()).await;

    for encoding in ["gzip, chunked", "chunked, chunked", "chunked\r\ntransfer-encoding: chunked"] {
        let request =
            format!("POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: {encoding}\r\n\r\n0\r\n\r\n");
        let answer = exchange(&server, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{encoding}: {answer}");
        assert!(answer.contains(r#""code":"transfer_encoding_refused""#), "{encoding}: {answer}");
    }
    for refused_by_hyper in ["identity", "gzip", "xchunked"] {
        let request =
            format!("POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: {refused_by_hyper}\r\n\r\n0\r\n\r\n");
        assert!(exchange(&server, &request).await.starts_with("HTTP/1.1 400 "), "{refused_by_hyper}");
    }
}

#[tokio::test]
async fn exactly_chunked_is_read() {
    let server = start(limits()).await;

    let answer = exchange(
        &server,
        "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    )
    .await;

    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("abcde"), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_however_it_comes() {
    let server = start(Limits { body_bytes_max: 1000, ..limits() }).await;
    let too_large = |answer: &str| {
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.contains(r#""code":"body_too_large""#), "{answer}");
    };

    let announced =
        format!("POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{}", "a".repeat(100_000));
    too_large(&exchange(&server, &announced).await);
    let found_out = format!(
        "POST /length HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{}",
        format!("3e8\r\n{}\r\n", "a".repeat(1000)).repeat(100)
    );
    too_large(&exchange(&server, &found_out).await);

    let h2 = h2(&server).await.send_request(request("POST", "/length", vec![b'a'; 1001])).await.unwrap();
    assert_eq!(h2.status(), 413);
    let exact = "POST /length HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n";
    assert!(exchange(&server, &format!("{exact}{}", "a".repeat(1000))).await.ends_with("1000"));
}

#[tokio::test]
async fn connections_over_the_cap_are_closed_at_once_and_a_place_is_given_back() {
    for limits in [Limits { connections: 2, ..limits() }, Limits { per_peer: 2, ..limits() }] {
        let server = start(limits).await;
        let first = connect(server.address, H1).await;
        let _second = connect(server.address, H1).await;

        let mut third = TcpStream::connect(server.address).await.unwrap();
        assert_eq!(until_closed(&mut third).await, "");

        drop(first);
        soon("a place is free", async {
            loop {
                let mut stream = TcpStream::connect(server.address).await.unwrap();
                stream.write_all(b"GET").await.unwrap();
                if until_closed(&mut stream).await.contains("https_required") {
                    break;
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_panicking_handler_is_a_500_without_its_payload() {
    let server = start(limits()).await;

    let answer = exchange(&server, "GET /panic HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let hello = exchange(&server, "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains(r#""code":"internal""#), "{answer}");
    assert!(!answer.contains("a secret"), "{answer}");
    assert!(hello.ends_with("hello"), "{hello}");
}

#[tokio::test]
async fn a_handler_can_close_the_connection_after_its_answer() {
    let server = start(limits()).await;

    let h1 = exchange(&server, "POST /enrolled HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\nab").await;
    let mut sender = h2(&server).await;
    let h2 = sender.send_request(request("POST", "/enrolled", "ab")).await.unwrap();

    assert!(h1.contains("connection: close\r\n") && h1.ends_with("sealed"), "{h1}");
    assert_eq!(text(h2).await, "sealed");
    soon("the h2 connection ends", async {
        while !sender.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn shutdown_lets_requests_finish_and_cuts_those_that_do_not() {
    let server = start(Limits { drain: SHORT, ..limits() }).await;
    let mut idle = connect(server.address, H1).await;
    let mut stuck = connect(server.address, H1).await;
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();

    server.stop.send(true).unwrap();

    assert_eq!(until_closed(&mut idle).await, "");
    assert_eq!(until_closed(&mut stuck).await, "");
    soon("the listener ends", server.ended).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn tls_1_2_is_refused_unless_asked_for() {
    let server = start(limits()).await;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let tcp = TcpStream::connect(server.address).await.unwrap();

    let refused =
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), tcp).await;

    assert!(refused.unwrap_err().to_string().contains("ProtocolVersion"));
}
