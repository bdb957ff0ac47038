//! Bytes that no HTTP library would send.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Client, Message};

use crate::gateway::Desk;

/// What came back, as far as it was HTTP.
#[derive(Debug)]
pub(super) struct Heard {
    /// The status of the first answer; 0 if the connection was cut.
    pub(super) status: u16,
    /// The rule that refused.
    pub(super) rule: String,
    /// Everything.
    pub(super) text: String,
}

impl Heard {
    pub(super) fn is_refused(&self) -> bool {
        !matches!(self.status, 200 | 201) || !self.rule.is_empty()
    }
}

/// Sends a message as a library would, or what no library takes as bare bytes.
pub(super) async fn heard(message: &Message, client: &Client) -> Result<Heard> {
    let Ok(request) = message.request() else { return written(&message.bytes(&client.address()?, ""), client).await };
    match client.send(request).await {
        Ok(reply) => {
            Ok(Heard { status: reply.status, rule: reply.header("x-claviger-rule").to_owned(), text: reply.text() })
        }
        Err(error) => Ok(Heard { status: 0, rule: String::new(), text: format!("{error:#}") }),
    }
}

async fn written(bytes: &[u8], client: &Client) -> Result<Heard> {
    let text = client.write_raw(bytes).await.unwrap_or_else(|error| format!("{error:#}"));
    let status = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0);
    let rule = text.lines().find_map(|line| line.strip_prefix("x-claviger-rule: ")).unwrap_or_default().to_owned();
    Ok(Heard { status, rule, text })
}

/// Sends the same signed order in every wrong way that there is, and returns the names of those that were accepted.
pub(super) async fn attacked(desk: &Desk) -> Result<BTreeSet<String>> {
    let mut accepted = BTreeSet::new();
    let host = desk.door().address()?;
    let good = message(desk, "rawgood")?;
    let heard = written(&bytes(&good, &host, &length(&good), &good.body), desk.door()).await?;
    ensure!(!heard.is_refused(), "the control is refused: {}", heard.text);
    accepted.insert("rawgood".to_owned());

    for (count, (what, wrong)) in WRONG.iter().enumerate() {
        let name = format!("raw{count}");
        let message = message(desk, &name)?;
        let heard = written(&wrong(&message, &host), desk.door()).await?;
        ensure!(heard.status < 500, "{what}: {}", heard.text);
        if !heard.is_refused() {
            ensure!(HARMLESS.contains(what), "{what}: {}", heard.text);
            accepted.insert(name);
        }
    }
    Ok(accepted)
}

/// What can be read in one way only: nothing that is signed depends on a host, RFC 9112 lets a line end without a
/// carriage return, and what follows a whole request is another one.
const HARMLESS: &[&str] =
    &["a lone line feed", "line feeds only", "no host", "another host", "a request in the place of a header"];

type Wrong = fn(&Message, &str) -> Vec<u8>;

const WRONG: &[(&str, Wrong)] = &[
    // Two lengths, and a length beside chunks.
    ("two lengths", |m, host| bytes(m, host, &format!("{}content-length: 9\r\n", length(m)), &m.body)),
    ("chunks, and no length", |m, host| {
        bytes(m, host, "content-length: 0\r\ntransfer-encoding: chunked\r\n", &chunked(&m.body))
    }),
    ("chunks and a length", |m, host| {
        bytes(m, host, &format!("{}transfer-encoding: chunked\r\n", length(m)), &chunked(&m.body))
    }),
    ("chunks twice encoded", |m, host| bytes(m, host, "transfer-encoding: chunked, identity\r\n", &chunked(&m.body))),
    ("chunks of another kind", |m, host| bytes(m, host, "transfer-encoding: xchunked\r\n", &chunked(&m.body))),
    ("chunks with a space", |m, host| bytes(m, host, "transfer-encoding : chunked\r\n", &chunked(&m.body))),
    ("chunks or not", |m, host| {
        bytes(m, host, "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", &chunked(&m.body))
    }),
    ("a negative length", |m, host| bytes(m, host, "content-length: -1\r\n", &m.body)),
    ("a length in another base", |m, host| bytes(m, host, "content-length: 0x10\r\n", &m.body)),
    ("a length with a sign", |m, host| bytes(m, host, &format!("content-length: +{}\r\n", m.body.len()), &m.body)),
    // More than one request, or half of one, in the place of a body or a header.
    ("a request in the place of a header", |m, host| {
        bytes(m, host, &format!("x-a: b\r\n\r\nGET /gateway/x HTTP/1.1\r\n{}", length(m)), &m.body)
    }),
    ("a lone carriage return", |m, host| {
        bytes(m, host, &format!("x-a: b\rX-Original-URL: /w\r\n{}", length(m)), &m.body)
    }),
    ("a lone line feed", |m, host| bytes(m, host, &format!("x-a: b\nx-c: d\n{}", length(m)), &m.body)),
    ("a NUL in a name", |m, host| bytes(m, host, &format!("x-a\0: b\r\n{}", length(m)), &m.body)),
    ("a NUL in a value", |m, host| bytes(m, host, &format!("x-a: \0b\r\n{}", length(m)), &m.body)),
    ("a folded line", |m, host| bytes(m, host, &format!("x-a: b\r\n folded: c\r\n{}", length(m)), &m.body)),
    ("a line that begins with a space", |m, host| bytes(m, host, &format!(" x-a: b\r\n{}", length(m)), &m.body)),
    ("a name beyond ASCII", |m, host| bytes(m, host, &format!("x-\u{e9}: b\r\n{}", length(m)), &m.body)),
    ("two hosts", |m, host| bytes(m, host, &format!("host: elsewhere.example\r\n{}", length(m)), &m.body)),
    ("a line without a colon", |m, host| bytes(m, host, &format!("no colon\r\n{}", length(m)), &m.body)),
    // The line that says what is asked.
    ("a line end in the target", |m, host| lined(m, host, "\r\nX-Injected: 1")),
    ("two targets", |m, host| lined(m, host, " /gateway/binance")),
    ("a tab behind the target", |m, host| lined(m, host, "\t")),
    ("a NUL in the target", |m, host| lined(m, host, "\0")),
    ("a target beyond ASCII", |m, host| lined(m, host, "\u{e9}")),
    ("backslashes in the target", |m, host| lined(m, host, "\\..\\..")),
    ("an old version", |m, host| text(m, host).replacen("HTTP/1.1", "HTTP/0.9", 1).into_bytes()),
    ("a new version", |m, host| text(m, host).replacen("HTTP/1.1", "HTTP/2.0", 1).into_bytes()),
    ("a version in lower case", |m, host| text(m, host).replacen("HTTP/1.1", "http/1.1", 1).into_bytes()),
    ("a target without a slash", |m, host| text(m, host).replacen(" /gateway", " gateway", 1).into_bytes()),
    ("a target with a backslash", |m, host| text(m, host).replacen(" /gateway", " \\gateway", 1).into_bytes()),
    ("no host", |m, host| text(m, host).replacen(&format!("host: {host}\r\n"), "", 1).into_bytes()),
    ("another host", |m, host| {
        text(m, host).replacen(&format!("host: {host}"), "host: api.binance.com", 1).into_bytes()
    }),
    ("line feeds only", |m, host| text(m, host).replace("\r\n", "\n").into_bytes()),
    ("another method first", |m, host| {
        format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\n\r\n{}", text(m, host)).into_bytes()
    }),
    // Too much of it.
    ("a megabyte of header", |m, host| {
        bytes(m, host, &format!("x-a: {}\r\n{}", "b".repeat(1 << 20), length(m)), &m.body)
    }),
    ("five thousand headers", |m, host| {
        bytes(m, host, &format!("{}{}", "x-a: b\r\n".repeat(5_000), length(m)), &m.body)
    }),
    ("a megabyte of target", |m, host| lined(m, host, &"a".repeat(1 << 20))),
];

fn message(desk: &Desk, name: &str) -> Result<Message> {
    desk.client.signed(&desk.scene.place(name)).context("signed")
}

fn length(message: &Message) -> String {
    format!("content-length: {}\r\n", message.body.len())
}

fn bytes(message: &Message, host: &str, lines: &str, body: &str) -> Vec<u8> {
    Message { body: body.to_owned(), ..message.clone() }.bytes(host, lines)
}

/// A good one.
fn text(message: &Message, host: &str) -> String {
    String::from_utf8_lossy(&bytes(message, host, &length(message), &message.body)).into_owned()
}

/// With something behind the request target.
fn lined(message: &Message, host: &str, more: &str) -> Vec<u8> {
    text(message, host).replacen(" HTTP/1.1", &format!("{more} HTTP/1.1"), 1).into_bytes()
}

fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}
