//! The gateway's side of a venue: a client that speaks the venue's protocol to Claviger.
//!
//! The order is [`claim`], the check of what it claims (elsewhere: secrets do not come here), then [`resolve`]. Claims
//! are over the raw bytes; only then is anything parsed, and what is parsed is one catalogued operation or nothing. The
//! request that goes to the venue is built anew from that operation: no byte of the client's is in it.

mod parse;
mod virtual_key;

pub(crate) use parse::{bearer, fields, form, require};
pub use virtual_key::{Alphabet, Shape, VirtualForm, VirtualSecret};

use crate::{
    json,
    operation::{Operation, catalogue},
    params::{ParamError, Params, check},
    signing::Scheme,
    venue::VenueId,
};

/// A client's request as it came, the gateway's own prefix removed.
#[derive(Clone, Copy)]
pub struct Inbound<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, undecoded.
    pub path: &'a str,
    /// The query, undecoded and without its question mark; empty if there is none.
    pub query: &'a str,
    /// The headers; names are in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty if there is none.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Inbound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

impl<'a> Inbound<'a> {
    /// Returns the header of that name.
    ///
    /// # Errors
    /// [`InboundError::Malformed`] if it comes twice: which one counts would be a guess.
    pub fn header(&self, name: &str) -> Result<Option<&'a str>, InboundError> {
        let mut values = self.headers.iter().filter(|(given, _)| *given == name).map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(InboundError::Malformed("a header comes twice")),
            (value, None) => Ok(value),
        }
    }

    /// Returns the body as text.
    ///
    /// # Errors
    /// [`InboundError::Malformed`] if it is not UTF-8.
    pub fn text(&self) -> Result<&'a str, InboundError> {
        std::str::from_utf8(self.body).map_err(|_| InboundError::Malformed("the body is not UTF-8"))
    }
}

/// Who a request says it is from.
#[derive(Clone)]
pub enum Claim<'a> {
    /// Nobody: good for public market data only.
    Nobody,
    /// The holder of a key id's secret.
    Signed(Signed<'a>),
    /// Whoever shows this token.
    Bearer(&'a str),
    /// Whoever shows this secret in the venue's login, and wants a token for it.
    Login(&'a str),
}

/// A claim is shown without what would prove it.
impl std::fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Signed(signed) => signed.fmt(f),
            Self::Bearer(_) => f.write_str("Bearer(..)"),
            Self::Login(_) => f.write_str("Login(..)"),
        }
    }
}

/// A claim to hold the secret of a key id.
#[derive(Clone)]
pub struct Signed<'a> {
    /// The virtual key's id.
    pub key_id: &'a str,
    /// What an HMAC secret signs with here; a key with a public half has its own scheme.
    pub scheme: Scheme,
    /// The bytes that must bear the signature. Where clients are known to sign other bytes than they send, each
    /// acceptable reading stands here; one of them must fit.
    pub signed: Vec<Vec<u8>>,
    /// The signature, decoded.
    pub signature: Vec<u8>,
    /// A passphrase, where the venue has one.
    pub passphrase: Option<&'a str>,
    /// How it is kept from being used again.
    pub freshness: Freshness,
}

impl std::fmt::Debug for Signed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// How a venue keeps a signed request from being used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It is good for so long after this time, and from one second before it.
    Window {
        /// Milliseconds since the Unix epoch.
        at_ms: u64,
        /// Milliseconds, as the client asked for.
        valid_ms: u64,
    },
    /// It is good until this time.
    Until {
        /// Milliseconds since the Unix epoch.
        at_ms: u64,
    },
    /// Its nonce is the time in milliseconds, microseconds or nanoseconds, as every client library makes them. Requests
    /// of several clients arrive in any order, so none is held against the highest seen: each is good for a minute, once.
    Nonce(u64),
    /// The venue has no such thing: the same bytes are accepted once, or, for reads and cancels, again.
    Unbounded,
}

/// The longest that a client's signature is good at the gateway, whatever it asks for.
const WINDOW_MS_MAX: u64 = 60_000;
/// How far a client's clock may be ahead.
const AHEAD_MS: u64 = 1_000;

impl Freshness {
    /// Whether the request is in time.
    pub fn in_time(self, now_ms: u64) -> bool {
        match self {
            Self::Window { at_ms, valid_ms } => {
                at_ms < now_ms.saturating_add(AHEAD_MS) && now_ms.saturating_sub(at_ms) <= valid_ms.min(WINDOW_MS_MAX)
            }
            Self::Until { at_ms } => now_ms < at_ms && at_ms <= now_ms.saturating_add(WINDOW_MS_MAX),
            Self::Nonce(nonce) => Self::Window { at_ms: milliseconds(nonce), valid_ms: WINDOW_MS_MAX }.in_time(now_ms),
            Self::Unbounded => true,
        }
    }
}

/// A time of today in milliseconds, whether it was written in those, in microseconds or in nanoseconds.
pub(crate) fn milliseconds(time: u64) -> u64 {
    match time {
        0..100_000_000_000_000 => time,
        100_000_000_000_000..100_000_000_000_000_000 => time / 1_000,
        _ => time / 1_000_000,
    }
}

/// The request is nothing that the venue's gateway takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InboundError {
    /// No operation of the catalogue has this method and path.
    #[error("this call is not in Claviger's catalogue")]
    NoSuchRoute,
    /// It could be read in more than one way, or in none.
    #[error("{0}")]
    Malformed(&'static str),
    /// Its parameters do not fit the operation.
    #[error(transparent)]
    Parameters(#[from] ParamError),
}

/// Why the gateway says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuse {
    /// There is no such key, or it was revoked.
    UnknownKey,
    /// The signature does not fit. A key that does not exist is refused as [`Self::UnknownKey`], after as much work.
    BadSignature,
    /// The time is outside the window.
    Stale,
    /// The nonce is not above the last one, or the same request came before.
    Replayed,
    /// A rule denies it, or the call does not exist for Claviger.
    Denied,
    /// It cannot be read in one way only.
    Malformed,
    /// The budget is used up; the client should wait.
    Limited,
    /// Nothing was sent; the client may try again.
    Unavailable,
    /// It may have been executed; the client must ask before it tries again.
    Unknown,
}

/// An answer of the gateway's own, in the venue's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// What a venue answers about the gateway that speaks its protocol.
pub(crate) trait Dialect: Sync {
    /// Says who the request claims to be from, over the raw bytes.
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError>;

    /// The parameters that belong to the signature or choose nothing: known to be there, and left out.
    fn dropped(&self) -> &'static [&'static str];

    /// Whether a parameter of an operation, or a member of an object in one of its lists, is one of those.
    fn drops(&self, _operation: &Operation, name: &str, _value: &str) -> bool {
        self.dropped().contains(&name)
    }

    /// Whether parameters may come in the query, in a form, or in both, whatever the operation says.
    fn anywhere(&self) -> bool {
        false
    }

    /// Finds parameters that the client library writes in its own way; most write what the venue documents.
    fn reshape(&self, _operation: &'static Operation, params: Params) -> Result<Params, InboundError> {
        Ok(params)
    }

    /// The headers that name a key, in lower case; a token stands in the last word of its header.
    fn key_headers(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    /// The form of a virtual key.
    fn virtual_form(&self) -> VirtualForm;

    /// Says no in the venue's own shape. `text` is for people, `now_ms` is milliseconds since the Unix epoch.
    fn refusal(&self, why: Refuse, text: &str, now_ms: u64) -> Refusal;

    /// Answers a login with a token, in the venue's own shape; `None` where the venue has no logins.
    fn login_answer(&self, _token: &str, _expires_ms: u64) -> Option<String> {
        None
    }
}

/// Says who a request claims to be from; nothing is verified yet.
///
/// # Errors
/// [`InboundError`] if the claim could be read in more than one way.
pub fn claim<'a>(venue: VenueId, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
    inbound.header("host")?;
    // A length beside chunks is gone by the time that it could be seen, so there are no chunks at all.
    if inbound.header("transfer-encoding")?.is_some() {
        return Err(InboundError::Malformed("the body comes in chunks, and not with its length"));
    }
    venue.rules().dialect().claim(inbound)
}

/// Every key id or token that a request names, whether or not anything else about it can be read.
pub fn named<'a>(venue: VenueId, inbound: &Inbound<'a>) -> Vec<&'a str> {
    let claimed = match claim(venue, inbound) {
        Ok(Claim::Signed(signed)) => Some(signed.key_id),
        Ok(Claim::Bearer(token) | Claim::Login(token)) => Some(token),
        Ok(Claim::Nobody) | Err(_) => None,
    };
    let names = venue.rules().dialect().key_headers();
    let in_headers = inbound.headers.iter().filter(|(name, _)| names.contains(name));
    let in_headers = in_headers.filter_map(|(_, value)| value.split_whitespace().next_back());
    let mut all: Vec<&str> = claimed.into_iter().chain(in_headers).take(NAMED_MAX).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Names of keys in one request that are looked at; no client sends more than one.
const NAMED_MAX: usize = 4;

/// Finds the one operation that a request is, with its parameters.
///
/// # Errors
/// [`InboundError`]; nothing of it repeats a value.
pub fn resolve(venue: VenueId, inbound: &Inbound<'_>) -> Result<(&'static Operation, Params), InboundError> {
    let dialect = venue.rules().dialect();
    let mut refused = InboundError::NoSuchRoute;
    for (operation, in_path) in routes(venue, inbound) {
        match given(dialect, operation, in_path, inbound) {
            Ok(params) => return Ok((operation, params)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The parameters of a request, if they fit the operation.
fn given(
    dialect: &dyn Dialect,
    operation: &'static Operation,
    mut params: Params,
    inbound: &Inbound<'_>,
) -> Result<Params, InboundError> {
    let keeps = |name: &str, value: &str| !dialect.drops(operation, name, value);
    for (name, value) in parse::carried(operation, inbound, dialect.anywhere())?.iter() {
        if keeps(name, value) {
            let is_list = operation.param(name).is_some_and(|param| param.grammar.list().is_some());
            // What is no list of objects stays as it is; the check says what is wrong with it.
            let sifted = if is_list { json::sifted(value, keeps).ok() } else { None };
            params.push(name, sifted.unwrap_or_else(|| value.to_owned()));
        }
    }
    let params = dialect.reshape(operation, params)?;
    check(operation, &params)?;
    Ok(params)
}

/// Returns the form of virtual keys at the venue.
pub fn virtual_form(venue: VenueId) -> VirtualForm {
    venue.rules().dialect().virtual_form()
}

/// Says no in the venue's own shape, in a code that clients do not retry unless waiting helps.
pub fn refusal(venue: VenueId, why: Refuse, text: &str, now_ms: u64) -> Refusal {
    venue.rules().dialect().refusal(why, text, now_ms)
}

/// Answers a client's login in the venue's own shape; `None` where the venue has no logins.
pub fn login_answer(venue: VenueId, token: &str, expires_ms: u64) -> Option<String> {
    venue.rules().dialect().login_answer(token, expires_ms)
}

/// The operations whose template the path fits, byte for byte, and the parameters in the path. Where several share one
/// route, their parameters tell them apart.
fn routes(venue: VenueId, inbound: &Inbound<'_>) -> Vec<(&'static Operation, Params)> {
    let with_method = catalogue(venue).iter().filter(|op| op.method.as_str() == inbound.method && !op.is_login());
    // A constant path goes before a template that it happens to fit.
    let exact: Vec<_> =
        with_method.clone().filter(|op| op.path == inbound.path).map(|op| (op, Params::new())).collect();
    if !exact.is_empty() {
        return exact;
    }
    with_method.filter_map(|op| Some((op, segments(op, inbound.path)?))).collect()
}

fn segments(operation: &'static Operation, path: &str) -> Option<Params> {
    let mut params = Params::new();
    let (mut wanted, mut given) = (operation.path.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(wanted), Some(given)) => match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                // Admitted undecoded: what would need decoding is no segment of ours.
                Some(name) if operation.param(name)?.grammar.admits(given) => params.push(name, given),
                None if wanted == given => {}
                Some(_) | None => return None,
            },
            (None, Some(_)) | (Some(_), None) => return None,
        }
    }
}
