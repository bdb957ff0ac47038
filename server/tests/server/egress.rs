//! A venue that is slow, gone, rude or misleading, and the one promise: no request arrives twice, and whoever sent it
//! knows whether it may have arrived.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request, routing::any};
use claviger_core::execution::egress::{Egress as _, SendError, VenueAnswer};
use claviger_server::{
    egress::{EgressConfig, HttpEgress, Reach, Route, RouteError},
    net::{Limits, Proxies, serve},
};
use claviger_venues::{Host, Method, RequestParts, VenueId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::support::{CERTIFICATE, listener_tls, soon};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-mbx-used-weight-1m: 7\r\nset-cookie: a=b\r\n\r\nok";

/// What a venue does with each connection.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers every request.
    Answer(&'static str),
    /// Answers one request and closes, as a venue does that was silent for too long.
    AnswerAndClose(&'static str),
    /// Reads one request and closes.
    ReadAndClose,
    /// Reads one request and says nothing.
    ReadAndWait,
    /// Closes before the handshake.
    Close,
    /// Never begins the handshake.
    Wait,
}

/// What a venue saw.
#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
    closed_by_client: Notify,
    closed_by_venue: Notify,
}

struct Venue {
    address: SocketAddr,
    log: Arc<Log>,
}

impl Venue {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let mut tls = listener_tls();
        Arc::make_mut(&mut tls).alpn_protocols.clear();
        let (acceptor, kept) = (TlsAcceptor::from(tls), Arc::clone(&log));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                kept.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, acceptor.clone(), manner, Arc::clone(&kept)));
            }
        });
        Self { address, log }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn requests(&self) -> Vec<String> {
        self.log.requests.lock().unwrap().clone()
    }

    fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, manner: Manner, log: Arc<Log>) {
    match manner {
        Manner::Close => return,
        Manner::Wait => return std::future::pending().await,
        Manner::Answer(_) | Manner::AnswerAndClose(_) | Manner::ReadAndClose | Manner::ReadAndWait => {}
    }
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    while let Some(request) = read_request(&mut stream).await {
        log.requests.lock().unwrap().push(request);
        match manner {
            Manner::Answer(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Manner::AnswerAndClose(answer) => {
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
                return log.closed_by_venue.notify_one();
            }
            Manner::ReadAndWait => return std::future::pending().await,
            Manner::ReadAndClose | Manner::Close | Manner::Wait => return,
        }
    }
    log.closed_by_client.notify_one();
}

/// One request as it came over the wire, or `None` at the end.
async fn read_request(stream: &mut TlsStream<TcpStream>) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

fn local_route(url: &str) -> Route {
    Route {
        reach: Reach::Local,
        ca_pem: Some(std::fs::read(&CERTIFICATE.ca).unwrap()),
        ..Route::new(vec![Host::parse(url).unwrap()])
    }
}

fn egress(route: Route) -> HttpEgress {
    HttpEgress::new(EgressConfig { venues: BTreeMap::from([(VenueId::Kraken, route)]) }).unwrap()
}

fn request(url: &str) -> RequestParts {
    RequestParts {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![("API-Key".to_owned(), "a-key".to_owned())],
        body: b"pair=XBTUSD".to_vec(),
    }
}

async fn send(egress: &HttpEgress, url: &str) -> Result<VenueAnswer, SendError> {
    egress.send(VenueId::Kraken, request(url), Duration::from_secs(10), Duration::from_secs(10)).await
}

fn assert_not_sent(result: &Result<VenueAnswer, SendError>, reason: &str) {
    assert!(matches!(result, Err(SendError::NotSent(text)) if text.contains(reason)), "{result:?}");
}

fn assert_unknown(result: &Result<VenueAnswer, SendError>, reason: &str) {
    assert!(matches!(result, Err(SendError::Unknown(text)) if text.contains(reason)), "{result:?}");
}

#[tokio::test]
async fn a_request_is_exactly_what_was_signed_and_an_answer_is_cleaned() {
    let venue = Venue::start(Manner::Answer(OK)).await;
    let url = format!("{}/0/private/AddOrder?x=1", venue.url());

    let answer = send(&egress(local_route(&venue.url())), &url).await.unwrap();

    assert_eq!(
        venue.requests(),
        [format!(
            "POST /0/private/AddOrder?x=1 HTTP/1.1\r\napi-key: a-key\r\ncontent-length: 11\r\n\
             host: localhost:{}\r\n\r\npair=XBTUSD",
            venue.address.port()
        )]
    );
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
    assert_eq!(answer.headers, [("x-mbx-used-weight-1m".to_owned(), "7".to_owned())]);
}

#[tokio::test]
async fn http_2_is_spoken_when_offered_on_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let tls = listener_tls();
    let router = Router::new().fallback(any(|request: Request| async move {
        format!("{:?} {} {:?}", request.version(), request.uri(), request.headers())
    }));
    let (_stop, shutdown) = watch::channel(false);
    let limits = Limits { connections: 1, ..Limits::default() };
    tokio::spawn(serve(listener, tls, router, limits, Proxies::none(), shutdown));
    let egress = egress(local_route(&url));

    for _ in 0..3 {
        let answer = send(&egress, &format!("{url}/a?b=c")).await.unwrap();
        assert_eq!(
            String::from_utf8(answer.body).unwrap(),
            format!(r#"HTTP/2.0 {url}/a?b=c {{"api-key": "a-key", "content-length": "11"}}"#)
        );
    }
}

#[tokio::test]
async fn a_private_address_is_no_public_venue() {
    let venue = Venue::start(Manner::Answer(OK)).await;
    let port = venue.address.port();

    for url in [venue.url(), format!("https://127.0.0.1:{port}"), format!("https://[::ffff:127.0.0.1]:{port}")] {
        let route = Route { reach: Reach::Public, ..local_route(&url) };
        assert_not_sent(&send(&egress(route), &url).await, "no address that a public venue may have");
    }
    assert_eq!(venue.connections(), 0);
}

#[tokio::test]
async fn only_the_venue_s_own_hosts_are_reached() {
    let (own, other) = (Venue::start(Manner::Answer(OK)).await, Venue::start(Manner::Answer(OK)).await);
    let egress = egress(local_route(&own.url()));

    for url in [
        other.url(),
        format!("https://127.0.0.1:{}", own.address.port()),
        format!("https://localhost:{}@localhost:{}/", own.address.port(), other.address.port()),
    ] {
        assert!(matches!(send(&egress, &url).await, Err(SendError::NotSent(_))), "{url}");
    }
    assert_not_sent(&send(&egress, &own.url().replace("https", "http")).await, "malformed");
    let disabled =
        egress.send(VenueId::Binance, request(&own.url()), Duration::from_secs(10), Duration::from_secs(10)).await;
    assert_not_sent(&disabled, "not enabled");
    assert_eq!((own.connections(), other.connections()), (0, 0));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let venue =
        Venue::start(Manner::Answer("HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")).await;

    let answer = send(&egress(local_route(&venue.url())), &venue.url()).await.unwrap();

    assert_eq!(answer, VenueAnswer { status: 302, headers: Vec::new(), body: Vec::new() });
    assert_eq!(venue.requests().len(), 1);
}

#[tokio::test]
async fn what_fails_before_the_request_is_not_sent() {
    let closing = Venue::start(Manner::Close).await;
    assert_not_sent(&send(&egress(local_route(&closing.url())), &closing.url()).await, "TLS was not agreed");

    let waiting = Venue::start(Manner::Wait).await;
    let hasty = Route { connect_timeout: Duration::from_millis(100), ..local_route(&waiting.url()) };
    assert_not_sent(&send(&egress(hasty), &waiting.url()).await, "no connection within");
    let patient = egress(local_route(&waiting.url()));
    let hasty = patient
        .send(VenueId::Kraken, request(&waiting.url()), Duration::from_millis(100), Duration::from_millis(100))
        .await;
    assert_not_sent(&hasty, "no connection in time");

    let stranger = Venue::start(Manner::Answer(OK)).await;
    let public_roots = Route { ca_pem: None, ..local_route(&stranger.url()) };
    assert_not_sent(&send(&egress(public_roots), &stranger.url()).await, "certificate");
    assert_eq!(stranger.requests().len(), 0);

    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("https://127.0.0.1:{}", gone.port());
    assert_not_sent(&send(&egress(local_route(&url)), &url).await, "no address answers");
}

#[tokio::test]
async fn what_fails_after_the_request_is_unknown() {
    let check = async |manner, timeout, reason: &str| {
        let venue = Venue::start(manner).await;
        let egress = egress(local_route(&venue.url()));
        let result = egress.send(VenueId::Kraken, request(&venue.url()), timeout, timeout).await;
        assert_unknown(&result, reason);
        assert_eq!(venue.requests().len(), 1);
    };
    let (long, short) = (Duration::from_secs(10), Duration::from_millis(500));

    check(Manner::ReadAndClose, long, "").await;
    check(Manner::ReadAndWait, short, "no complete answer in time").await;
    check(Manner::AnswerAndClose("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"), long, "broke off").await;
    check(Manner::Answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"), short, "no complete answer in time").await;
    check(Manner::Answer("no HTTP at all\r\n\r\n"), long, "").await;
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let venue = Venue::start(Manner::Answer(OK)).await;
    let route = |body_bytes_max| Route { body_bytes_max, ..local_route(&venue.url()) };

    assert_unknown(&send(&egress(route(1)), &venue.url()).await, "longer than 1 bytes");
    assert_eq!(send(&egress(route(2)), &venue.url()).await.unwrap().body, b"ok");
}

#[tokio::test]
async fn a_connection_serves_many_requests_unless_they_carry_secrets() {
    let venue = Venue::start(Manner::Answer(OK)).await;
    let (kept, single) =
        (egress(local_route(&venue.url())), egress(Route { keep_alive: false, ..local_route(&venue.url()) }));

    for _ in 0..3 {
        send(&kept, &venue.url()).await.unwrap();
    }
    assert_eq!(venue.connections(), 1);

    for count in 2..5 {
        send(&single, &venue.url()).await.unwrap();
        soon("the connection is closed", venue.log.closed_by_client.notified()).await;
        assert_eq!(venue.connections(), count);
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let venue = Venue::start(Manner::Answer(OK)).await;
    let egress = egress(Route { idle: Duration::from_millis(100), ..local_route(&venue.url()) });

    send(&egress, &venue.url()).await.unwrap();

    soon("the connection is closed", venue.log.closed_by_client.notified()).await;
}

/// The venue closes each connection right after its answer, without a word, so that every request finds a connection
/// that is dead, or dying, or new. Whatever a request meets, its sender's belief must be true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_connection_neither_loses_nor_repeats_a_request() {
    let venue = Venue::start(Manner::AnswerAndClose(OK)).await;
    let egress = Arc::new(egress(local_route(&venue.url())));

    for round in 0..50 {
        let pair = [0, 1].map(|which| {
            let (egress, url) = (Arc::clone(&egress), format!("{}/order-{round}-{which}-", venue.url()));
            tokio::spawn(async move { (send(&egress, &url).await, url) })
        });
        for sent in pair {
            let (result, url) = sent.await.unwrap();
            let path = url.split_once("localhost:").unwrap().1.split_once('/').unwrap().1;
            let arrived = venue.requests().iter().filter(|request| request.contains(path)).count();
            match result {
                Ok(_) => assert_eq!(arrived, 1, "{path} was answered"),
                Err(SendError::NotSent(reason)) => assert_eq!(arrived, 0, "{path}: {reason}"),
                Err(SendError::Unknown(reason)) => assert!(arrived <= 1, "{path}: {reason}"),
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_nothing() {
    let venue = Venue::start(Manner::AnswerAndClose(OK)).await;
    let egress = egress(local_route(&venue.url()));

    for count in 1..4 {
        send(&egress, &venue.url()).await.unwrap();
        assert_eq!(venue.requests().len(), count);
        soon("the venue has closed", venue.log.closed_by_venue.notified()).await;
        for _ in 0..1000 {
            // The runtime takes notice of the closing.
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn the_environment_has_no_say() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "egress::a_request_is_exactly_what_was_signed_and_an_answer_is_cleaned"])
        .envs(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, "http://127.0.0.1:1")))
        .output()
        .unwrap();

    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}

#[test]
fn a_bad_ca_file_is_named_by_its_venue() {
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let route = Route { ca_pem: Some(pem.into()), ..Route::new(Vec::new()) };
        let error = HttpEgress::new(EgressConfig { venues: BTreeMap::from([(VenueId::Kraken, route)]) }).unwrap_err();
        assert!(matches!(error, RouteError::Certificates(..) | RouteError::Authority(..)));
        assert!(error.to_string().contains("venue kraken"), "{error}");
    }
}
