//! From a venue's request to hyper's.

use std::fmt;

use claviger_venues::{Host, RequestParts};
use http_body_util::Full;
use hyper::{
    Method, Request, Uri,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
    http::uri::{PathAndQuery, Scheme},
};

/// A request's body; empty if it has none.
pub(super) type Body = Full<Bytes>;

/// A request on its way. Where it goes is written into it by [`Target`] for each connection that takes it.
pub(super) type Outgoing = Request<Body>;

const HTTPS_PORT: u16 = 443;

/// Host and port of an https URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// In lower case; an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of_host(host: &Host) -> Option<Self> {
        Self::of(&host.as_str().parse().ok()?)
    }

    /// The origin of an https URL. Written differently than it is read here (userinfo, an impossible port), it is none.
    fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        let host = authority.host().to_ascii_lowercase();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host).to_owned();
        let origin = Self { host, port: authority.port_u16().unwrap_or(HTTPS_PORT) };

        let written = authority.as_str().to_ascii_lowercase();
        let read = origin.to_string();
        let is_read_right = written == read || written == format!("{read}:{HTTPS_PORT}");
        (uri.scheme() == Some(&Scheme::HTTPS) && is_read_right).then_some(origin)
    }
}

/// As it stands in a `host` header.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]", self.host) } else { f.write_str(&self.host) }?;
        if self.port == HTTPS_PORT { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Where the request goes, and the request; or `None` if it cannot be sent as it is.
///
/// Header values never enter the compression tables of HTTP/2: they may be keys, tokens or signatures.
pub(super) fn build(parts: RequestParts) -> Option<(Origin, Target, Outgoing)> {
    let uri: Uri = parts.url.parse().ok()?;
    if parts.url.contains(['#', '\\']) {
        return None;
    }
    let origin = Origin::of(&uri)?;
    let target = Target::new(&uri, &origin)?;
    let method = Method::from_bytes(parts.method.as_str().as_bytes()).ok()?;
    let length = parts.body.len();
    let wants_length = length > 0 || method != Method::GET;

    let mut request = Request::new(Full::from(parts.body));
    *request.method_mut() = method;
    for (name, value) in &parts.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        if CONNECTION_HEADERS.contains(&name) {
            return None;
        }
        value.set_sensitive(true);
        request.headers_mut().append(name, value);
    }
    if wants_length {
        request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    Some((origin, target, request))
}

/// They belong to the connection, and would let a request be read as two.
const CONNECTION_HEADERS: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What a request asks for, as each protocol says it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    whole: Uri,
    path_and_query: Uri,
    host: HeaderValue,
}

impl Target {
    fn new(uri: &Uri, origin: &Origin) -> Option<Self> {
        let path_and_query = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let origin = origin.to_string();
        Some(Self {
            whole: format!("https://{origin}{path_and_query}").parse().ok()?,
            path_and_query: path_and_query.parse().ok()?,
            host: origin.try_into().ok()?,
        })
    }

    /// HTTP/1.1 has path and query in its first line, and the host in a header.
    pub(super) fn write_h1(&self, request: &mut Outgoing) {
        *request.uri_mut() = self.path_and_query.clone();
        request.headers_mut().insert(header::HOST, self.host.clone());
    }

    /// HTTP/2 has the whole URL in its pseudo-headers.
    pub(super) fn write_h2(&self, request: &mut Outgoing) {
        *request.uri_mut() = self.whole.clone();
        request.headers_mut().remove(header::HOST);
    }
}

#[cfg(test)]
mod tests {
    use claviger_venues::Method as VenueMethod;

    use super::*;

    fn parts(url: &str, headers: &[(&str, &str)]) -> RequestParts {
        RequestParts {
            method: VenueMethod::Post,
            url: url.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: b"a=1".to_vec(),
        }
    }

    #[test]
    fn an_origin_is_what_is_connected_to() {
        let check = |url: &str, expected: Option<(&str, u16)>| {
            let origin = build(parts(url, &[])).map(|(origin, ..)| origin);
            assert_eq!(origin.as_ref().map(|origin| (origin.host.as_str(), origin.port)), expected, "{url}");
        };

        check("https://api.example/a?b=c", Some(("api.example", 443)));
        check("https://API.example:8443/", Some(("api.example", 8443)));
        check("https://api.example:443/", Some(("api.example", 443)));
        check("https://[::1]:4000/x", Some(("::1", 4000)));
        check("https://[::1]", Some(("::1", 443)));
        check("http://api.example/", None);
        check("https://api.example@evil.example/", None);
        check("https://user:pass@api.example/", None);
        check("https://api.example\\@evil.example/", None);
        check("https://api.example/#@evil.example", None);
        check("https://api.example:99999/", None);
        check("https://api.example:/", None);
        check("//api.example/", None);
        check("/only/a/path", None);
        check("https://api.example/a b", None);
        check("https://api.example/a\r\nx: y", None);
    }

    #[test]
    fn headers_cannot_carry_a_second_request() {
        let check = |name: &str, value: &str| {
            assert!(build(parts("https://api.example/", &[(name, value)])).is_none(), "{name}: {value}");
        };

        check("x-key", "a\r\nx-evil: b");
        check("x-key", "a\nb");
        check("x key", "a");
        check("Host", "evil.example");
        check("Content-Length", "0");
        check("Transfer-Encoding", "chunked");
        check("Connection", "x-key");
    }

    #[test]
    fn a_request_has_its_own_headers_host_and_length_and_nothing_else() {
        let (_, target, mut request) = build(parts("https://api.example:8443/a?b=c", &[("X-Key", "k")])).unwrap();

        target.write_h1(&mut request);
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()["host"], "api.example:8443");
        assert!(request.headers()["x-key"].is_sensitive());
        assert_eq!(request.headers()["content-length"], "3");
        assert_eq!(request.headers().len(), 3);

        target.write_h2(&mut request);
        assert_eq!(request.uri(), "https://api.example:8443/a?b=c");
        assert_eq!(request.headers().len(), 2);
    }
}
