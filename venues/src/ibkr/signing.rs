//! OAuth 1.0a (RFC 5849) as Interactive Brokers has it.
//!
//! Method, URL and the header's members are signed; neither query nor body is. Source: IBKR's *OAuth 1.0a Extended*; that
//! the query is left out: ibind 0.1.24, run.

use super::CHALLENGE;
use crate::{
    encoding::{Encoding, percent},
    request::Rendered,
    secret::SecretKind,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

const REALM: &str = "limited_poa";
const SIGNATURE: &str = "oauth_signature";

/// What opens a brokerage session, in place of whichever other session the username has.
const OPENING: &str = r#"{"publish":true,"compete":true}"#;

/// Stage 1: the base string: method, URL without its query, and the members in the order of their names.
///
/// Before what a login signs stands the decrypted access token secret in hexadecimal, which is not known here.
pub fn base_string(method: &str, url: &str, members: &[(&str, &str)]) -> String {
    let mut members: Vec<_> = members.iter().map(|(name, value)| [percent(name), percent(value)].join("=")).collect();
    members.sort();
    [method, &percent(url), &percent(&members.join("&"))].join("&")
}

/// Runs the stages for one request; stage 2 is the header, with the signature among its members.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let mut rendered = Rendered::of(draft.call);
    if draft.call.operation().name == "session.open" {
        OPENING.clone_into(&mut rendered.body);
    }
    let (nonce, timestamp) = (draft.nonce.to_string(), (draft.at.now_ms / 1_000).to_string());
    let (scheme, method) = if draft.key.kind == SecretKind::Login {
        (Scheme::RsaSha256, "RSA-SHA256")
    } else {
        (Scheme::HmacSha256, "HMAC-SHA256")
    };
    let mut members = vec![
        ("oauth_consumer_key", draft.key.key_id),
        ("oauth_nonce", &nonce),
        ("oauth_signature_method", method),
        ("oauth_timestamp", &timestamp),
        ("oauth_token", draft.key.access_token),
    ];
    if let Some(challenge) = draft.call.get(CHALLENGE) {
        members.push((CHALLENGE, challenge));
        rendered.query.clear();
    }
    let to_sign = base_string(draft.call.operation().method.as_str(), &draft.host.url(&rendered.path), &members);
    let headers = rendered.content_type.filter(|_| !rendered.body.is_empty());
    let headers = headers.map(|value| ("Content-Type", value.to_owned())).into_iter().collect();
    Signable {
        scheme: Some(scheme),
        to_sign: to_sign.into_bytes(),
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![Fill::signature(Encoding::Base64Percent, header(&members))],
    }
}

/// The members in the order of their names, the signature in its place among them.
fn header(members: &[(&str, &str)]) -> Place {
    let written = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", percent(value));
    let mut sorted = members.to_vec();
    sorted.sort_unstable();
    let (before, after) = sorted.split_at(sorted.partition_point(|(name, _)| *name < SIGNATURE));
    let before: Vec<_> = before.iter().map(written).collect();
    let after: Vec<_> = after.iter().map(written).collect();
    Place::Header {
        name: "Authorization",
        before: format!("OAuth realm=\"{REALM}\", {}, {SIGNATURE}=\"", before.join(", ")),
        after: format!("\", {}", after.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_and_encoded_twice() {
        let base = base_string("GET", "https://a.example/v1/api/x", &[("b", "1 2"), ("a", "=")]);
        assert_eq!(base, "GET&https%3A%2F%2Fa.example%2Fv1%2Fapi%2Fx&a%3D%253D%26b%3D1%25202");
        let Place::Header { before, after, .. } = header(&[("oauth_token", "t"), ("oauth_nonce", "7")]) else {
            panic!()
        };
        assert_eq!(before, r#"OAuth realm="limited_poa", oauth_nonce="7", oauth_signature=""#);
        assert_eq!(after, r#"", oauth_token="t""#);
    }
}
