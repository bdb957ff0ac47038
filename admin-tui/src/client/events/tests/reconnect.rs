//! A stream that breaks off and is opened again, at a listener of the test's own. No pause is waited for: each is noted.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::client::line::Line;
use crate::client::tls::{Endpoint, believing};

/// What the listener does with a connection.
enum Act {
    /// It drops it, before TLS.
    Drop,
    /// It answers with this status and body, and closes it.
    Answer(u16, &'static str),
}

struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Server {
    /// A listener, and a client that has a login there.
    async fn open() -> (Self, Client) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let line = Line::new(endpoint, believing(roots).unwrap());
        let client = Client::on(line, Arc::new(|_| unreachable!("no login is kept")), Bearer::new("first", false));
        (Self { listener, tls: Arc::new(config).into() }, client)
    }

    /// Does this with one connection after the other, and returns the login and the last id of each request, in order.
    async fn serve(&self, acts: &[Act]) -> Vec<(String, Option<String>)> {
        let mut asked = Vec::new();
        for act in acts {
            let (tcp, _) = self.listener.accept().await.unwrap();
            let Act::Answer(status, body) = act else { continue };
            let mut stream = self.tls.accept(tcp).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let header = |name: &str| {
                let mut named = head.lines().filter_map(|line| line.split_once(": "));
                named.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
            };
            asked.push((header("authorization").unwrap(), header("last-event-id")));
            let answer =
                format!("HTTP/1.1 {status} so\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            // The client may have hung up first.
            drop(stream.shutdown().await);
        }
        asked
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_stream_is_resumed_after_longer_and_longer_pauses_until_the_login_is_refused() {
    let acts = [
        Act::Drop,
        Act::Drop,
        Act::Drop,
        Act::Drop,
        Act::Drop,
        Act::Drop,
        Act::Answer(200, "event: credential\ndata: {}\nid: 7\n\n"),
        Act::Answer(503, ""),
        Act::Answer(429, ""),
        Act::Answer(200, ": alive\n\n"),
        Act::Answer(401, ""),
    ];
    let (told, pauses) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let tell = |push| {
        // How long a stream was open decides how often it was heard to be alive.
        if push != Push::Beat {
            told.borrow_mut().push(push);
        }
        std::future::ready(true)
    };
    let wait = |pause: Duration| {
        pauses.borrow_mut().push(pause.as_secs());
        std::future::ready(())
    };
    let (asked, ended) = runtime().block_on(async {
        let (server, client) = Server::open().await;
        let bearer = client.login.borrow().clone().unwrap();
        tokio::join!(server.serve(&acts), client.follow_one(&bearer, &tell, &wait))
    });

    assert_eq!(ended, Some(()), "it is the login that ended");
    assert_eq!(pauses.into_inner(), [1, 2, 4, 8, 15, 15, 1, 2, 4, 1], "a stream that was open begins anew");
    let ids: Vec<_> = asked.iter().map(|(_, id)| id.as_deref()).collect();
    assert_eq!(ids, [None, Some("7"), Some("7"), Some("7"), Some("7")]);
    let told = told.into_inner();
    assert!(told[..6].iter().all(|push| matches!(push, Push::Closed(_))), "{told:?}");
    let closed = |why: &str| Push::Closed(Clean::from(why));
    let expected = [
        Push::Open,
        changed(ALL),
        changed("credential"),
        closed(s::EVENTS_ENDED),
        closed(&s::events_refused(503)),
        closed(&s::events_refused(429)),
        Push::Open,
        closed(s::EVENTS_ENDED),
        closed(&s::events_refused(401)),
    ];
    assert_eq!(told[6..], expected, "what changed meanwhile is told by the stream that is resumed");
}

#[test]
fn a_login_that_was_refused_is_not_tried_again_and_the_next_one_is() {
    let (asked, ()) = runtime().block_on(async {
        let (server, client) = Server::open().await;
        let tell = |push| {
            if let Push::Closed(_) = push {
                client.login.send_replace(Bearer::new("second", true));
            }
            std::future::ready(push != Push::Open)
        };
        let acts = [Act::Answer(401, ""), Act::Answer(200, "id: 7\n\n")];
        tokio::join!(server.serve(&acts), client.follow(tell))
    });
    assert_eq!(asked, [("Bearer first".to_owned(), None), ("Bearer second".to_owned(), None)]);
}
