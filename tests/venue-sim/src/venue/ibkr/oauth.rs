//! OAuth 1.0a as Interactive Brokers reads it: the header, the base string, the two signatures over it.
//!
//! The base string has the method, the URL as it was requested but for the query, and the header's members. Neither
//! query nor body is part of it.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use hyper::header::{AUTHORIZATION, HOST};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::account::Key;
use crate::recorder::Received;

/// What RFC 5849 section 3.6 encodes.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const REALMS: [&str; 2] = ["limited_poa", "test_realm"];

/// The members of an `Authorization` header, decoded; the realm is none of them.
#[derive(Debug)]
pub(super) struct Authorization(BTreeMap<String, String>);

impl Authorization {
    /// Reads the header; `None` unless it is of OAuth, of a known realm, and names everything once.
    pub(super) fn read(received: &Received) -> Option<Self> {
        let header = received.header(AUTHORIZATION.as_str()).strip_prefix("OAuth ")?;
        let mut members = BTreeMap::new();
        for member in header.split(',') {
            let (name, value) = member.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            let value = percent_decode_str(value).decode_utf8().ok()?;
            if members.insert(name.to_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        let realm = members.remove("realm")?;
        REALMS.contains(&realm.as_str()).then_some(Self(members))
    }

    /// A member, or empty.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// When it was signed, in seconds since the Unix epoch.
    pub(super) fn timestamp_s(&self) -> Option<u64> {
        self.get("oauth_timestamp").parse().ok()
    }

    /// Whether the owner's RSA key signed it, as the request for a live session token must be; the decrypted access
    /// token secret stands before the base string in hex.
    pub(super) fn is_signed_by_owner(&self, received: &Received, key: &Key) -> bool {
        let message = [key.part("access_token_secret"), &self.base_string(received)].concat();
        self.get("oauth_signature_method") == "RSA-SHA256"
            && self.signature().is_some_and(|signature| key.verifier.accepts(message.as_bytes(), &signature))
    }

    /// Whether it was signed with a live session token.
    pub(super) fn is_signed_with(&self, received: &Received, live_session_token: &str) -> bool {
        let Ok(token) = BASE64.decode(live_session_token.as_bytes()) else {
            return false;
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &token);
        self.get("oauth_signature_method") == "HMAC-SHA256"
            && self
                .signature()
                .is_some_and(|signature| hmac::verify(&key, self.base_string(received).as_bytes(), &signature).is_ok())
    }

    fn signature(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.get("oauth_signature").as_bytes()).ok()
    }

    fn base_string(&self, received: &Received) -> String {
        let members: Vec<String> = self
            .0
            .iter()
            .filter(|(name, _)| *name != "oauth_signature")
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        format!("{}&{}&{}", received.method, encode(&url(received)), encode(&members.join("&")))
    }
}

/// The consumer key that a header claims, whatever else is wrong with it; or empty.
pub(super) fn consumer_key(received: &Received) -> &str {
    let (_, rest) = received.header(AUTHORIZATION.as_str()).split_once("oauth_consumer_key=\"").unwrap_or_default();
    rest.split('"').next().unwrap_or_default()
}

/// The URL that was asked for, without its query.
fn url(received: &Received) -> String {
    let authority =
        received.uri.authority().map_or_else(|| received.header(HOST.as_str()), |authority| authority.as_str());
    format!("https://{authority}{}", received.uri.path())
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
