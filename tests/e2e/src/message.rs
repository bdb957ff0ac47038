//! A request as a venue's client builds it, every byte in the test's hands.

use anyhow::Result;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;

use crate::http::{Client, Reply};

/// What a client asks of a venue, in the venue's own words; nothing is signed yet.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The method.
    pub method: &'static str,
    /// The path, beneath the venue's base.
    pub path: String,
    /// The parameters, in order.
    pub params: Vec<(String, String)>,
}

impl Ask {
    /// A call with its parameters.
    pub fn new(method: &'static str, path: &str, params: &[(&str, &str)]) -> Self {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { method, path: path.to_owned(), params }
    }

    /// With a parameter more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The parameters as a form or query.
    pub fn form(&self) -> String {
        let pair = |(name, value): &(String, String)| format!("{name}={}", escaped(value));
        self.params.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// The parameters as a JSON object of texts, but for the values that are JSON themselves. A dotted name is a member
    /// of a member.
    pub fn json(&self) -> String {
        let text = |value: &str| serde_json::Value::from(value).to_string();
        let member = |(name, value): &(String, String)| {
            let nested = value.starts_with(['{', '[']) || value == "true" || value == "false";
            let value = if nested { value.clone() } else { text(value) };
            match name.split_once('.') {
                Some((outer, inner)) => format!("{}:{{{}:{value}}}", text(outer), text(inner)),
                None => format!("{}:{value}", text(name)),
            }
        };
        format!("{{{}}}", self.params.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

/// A request as it goes over the wire.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The method.
    pub method: String,
    /// What stands before the path: nothing, or the gateway's and the venue's prefix.
    pub prefix: String,
    /// The path that the venue sees, and that some venues' clients sign.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Message {
    /// Sets a header.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self.add(name, value);
    }

    /// Adds a header, whether or not there is one of that name.
    pub fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// A header, or the empty text.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Path and query, as a client signs them that signs them as one.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The request target.
    pub fn target(&self) -> String {
        format!("{}{}", self.prefix, self.path_and_query())
    }

    /// Sends it as any client would.
    ///
    /// # Errors
    /// When it is no HTTP, or no answer comes.
    pub async fn send(&self, client: &Client) -> Result<Reply> {
        client.send(self.request()?).await
    }

    /// It as a library would take it.
    ///
    /// # Errors
    /// When it is no HTTP.
    pub fn request(&self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method.as_str()).uri(self.target());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(Bytes::from(self.body.clone())))?)
    }

    /// The bytes of it as HTTP/1.1 on a connection of its own, with more header lines as they stand.
    pub fn bytes(&self, host: &str, lines: &str) -> Vec<u8> {
        let line = format!("{} {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", self.method, self.target());
        let headers: String = self.headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
        format!("{line}{headers}{lines}\r\n{}", self.body).into_bytes()
    }
}

/// A value of a query or form.
pub(crate) fn escaped(value: &str) -> String {
    /// What RFC 3986 calls unreserved is never escaped.
    const RESERVED: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(value, &RESERVED).to_string()
}
