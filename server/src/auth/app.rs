//! Access tokens of apps (RFC 9068), and the certificates that they may be bound to (RFC 8705).

use std::collections::HashMap;
use std::sync::Mutex;

use axum::http::request::Parts;
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::id::{AppId, AuthenticatorId, TenantId};
use claviger_core::identity::{AppPrincipal, hash_secret};
use claviger_core::keeper::service::key_id;
use claviger_core::service::ServiceError;
use claviger_core::token::PublicKeys;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use super::{address, bearer, lock, request_id};
use crate::api::problem::Problem;
use crate::front::Front;
use crate::net::PeerCertificate;

/// What of an access token is believed once its signature is verified.
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    sub: AppId,
    tenant: TenantId,
    exp: u64,
    authenticator: AuthenticatorId,
    cnf: Option<Confirmation>,
}

/// The certificate without which the token is worth nothing (RFC 8705 section 3.1).
#[derive(Clone, Debug, Deserialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
}

/// Access tokens whose signature was verified, by hash, until they expire: one P-256 verification per token, not one per
/// request. Whether the app may still call is asked each time.
#[derive(Debug, Default)]
pub struct Bearers(Mutex<HashMap<[u8; 32], Claims>>);

/// Tokens remembered at most.
const REMEMBERED: usize = 10_000;

impl Bearers {
    fn known(&self, hash: &[u8; 32], now: u64) -> Option<Claims> {
        lock(&self.0).get(hash).filter(|claims| claims.exp > now).cloned()
    }

    fn remember(&self, hash: [u8; 32], claims: Claims, now: u64) {
        let mut known = lock(&self.0);
        if known.len() >= REMEMBERED {
            known.retain(|_, claims| claims.exp > now);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(hash, claims);
    }
}

/// An app that showed a valid access token.
#[derive(Clone, Debug)]
pub struct CallingApp {
    /// Who.
    pub principal: AppPrincipal,
    /// As the audit log names it.
    pub origin: Origin,
}

impl CallingApp {
    /// The app whose access token the request shows.
    ///
    /// # Errors
    /// 401, or 503 if it cannot be known at the moment.
    pub(crate) async fn authenticate(parts: &Parts, front: &Front) -> Result<Self, Problem> {
        let request = request_id(parts, front);
        let told = |error: ServiceError| Problem::of(&error, request);
        let bearer = bearer(parts).map_err(told)?;
        let address = address(parts);
        let claims = verified(front, bearer).await.map_err(told)?;
        let known = front.service.live_app(claims.sub).await.map_err(told)?;
        // The claim and the row agree unless the key signed for another store.
        if known.app.tenant != claims.tenant {
            return Err(told(ServiceError::Unauthenticated("the access token is of another service")));
        }
        let bound = bound_to(&claims, parts).map_err(told)?;
        if !known.app.upholds(claims.authenticator, bound.as_ref()) {
            let text = "what the app got this access token for was taken away: get a new one at /api/v1/token";
            return Err(told(ServiceError::Unauthenticated(text)));
        }
        front.service.note_use(claims.sub, Some(claims.authenticator));
        let principal = AppPrincipal { app: claims.sub, tenant: claims.tenant, address, virtual_key: None };
        let origin = Origin {
            kind: UserKind::App,
            id: claims.sub.to_string(),
            address: address.to_string(),
            request,
            guard: None,
        };
        Ok(Self { principal, origin })
    }
}

/// The certificate that the token is bound to, if it is to one and the connection shows that very one.
fn bound_to(claims: &Claims, parts: &Parts) -> Result<Option<[u8; 32]>, ServiceError> {
    let Some(Confirmation { thumbprint }) = &claims.cnf else { return Ok(None) };
    let shown = certificate(parts);
    match shown.filter(|shown| BASE64URL_NOPAD.encode(shown) == *thumbprint) {
        Some(shown) => Ok(Some(shown)),
        None => Err(ServiceError::Unauthenticated(
            "the access token is bound to a client certificate: use it over a connection with that certificate",
        )),
    }
}

/// SHA-256 of the certificate that the client proved to have the key of, if it showed one.
pub(crate) fn certificate(parts: &Parts) -> Option<[u8; 32]> {
    parts.extensions.get::<PeerCertificate>().map(|certificate| certificate.0)
}

async fn verified(front: &Front, bearer: &str) -> Result<Claims, ServiceError> {
    let refused = ServiceError::Unauthenticated("the access token is not valid here: get a new one at /api/v1/token");
    let now = front.service.clock().unix_ms() / 1_000;
    let hash = hash_secret(bearer);
    if let Some(claims) = front.bearers.known(&hash, now) {
        return Ok(claims);
    }
    let Some(keys) = front.service.public_keys().await? else { return Err(refused) };
    let claims = verify(bearer, &keys, front.service.origin(), now).ok_or(refused)?;
    front.bearers.remember(hash, claims.clone(), now);
    Ok(claims)
}

/// Algorithm, key id, issuer, audience and times are pinned; header members that nobody expects are refused.
fn verify(token: &str, keys: &PublicKeys, issuer: &str, now: u64) -> Option<Claims> {
    let header = token.split('.').next()?;
    let header: serde_json::Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).ok()?).ok()?;
    let pinned = serde_json::json!({ "alg": "ES256", "typ": "at+jwt", "kid": key_id(&keys.api) });
    if header != pinned {
        return None;
    }
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_audience(&[issuer]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    let point = keys.api.get(1..)?;
    let (x, y) = point.split_at_checked(32)?;
    let key = DecodingKey::from_ec_components(&BASE64URL_NOPAD.encode(x), &BASE64URL_NOPAD.encode(y)).ok()?;
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()?.claims;
    (claims.exp > now).then_some(claims)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use claviger_core::clock::{Clock as _, SystemClock};
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "claviger/test";

    struct Issuer {
        pair: EcdsaKeyPair,
        keys: PublicKeys,
        now: u64,
    }

    impl Issuer {
        fn new() -> Self {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let keys = PublicKeys { api: pair.public_key().as_ref().to_vec(), audit: Vec::new() };
            Self { pair, keys, now: SystemClock.unix_ms() / 1_000 }
        }

        fn header(&self) -> Value {
            json!({ "alg": "ES256", "typ": "at+jwt", "kid": key_id(&self.keys.api) })
        }

        fn claims(&self) -> Value {
            let (app, tenant) = (AppId::MIN, TenantId::MIN);
            json!({ "iss": ISSUER, "aud": ISSUER, "sub": app, "tenant": tenant, "iat": self.now, "nbf": self.now,
                "exp": self.now.saturating_add(60), "authenticator": AuthenticatorId::MIN })
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let input = input(header, claims);
            let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
            format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
        }

        fn takes(&self, token: &str) -> bool {
            verify(token, &self.keys, ISSUER, self.now).is_some()
        }
    }

    fn input(header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", encode(header), encode(claims))
    }

    fn with(object: Value, name: &str, value: Value) -> Value {
        let mut object = object;
        object.as_object_mut().unwrap().retain(|known, _| known != name);
        if !value.is_null() {
            object[name] = value;
        }
        object
    }

    #[test]
    fn a_token_of_this_issuer_passes_and_its_binding_is_read() {
        let issuer = Issuer::new();
        assert!(issuer.takes(&issuer.sign(&issuer.header(), &issuer.claims())));
        let claims = with(issuer.claims(), "cnf", json!({ "x5t#S256": "abc" }));
        let read = verify(&issuer.sign(&issuer.header(), &claims), &issuer.keys, ISSUER, issuer.now).unwrap();
        assert_eq!(read.cnf.unwrap().thumbprint, "abc");
    }

    #[test]
    fn what_the_right_key_signed_must_still_be_right() {
        let issuer = Issuer::new();
        let now = issuer.now;
        for (name, wrong) in [
            ("exp", json!(now)),
            ("exp", json!(now - 1)),
            ("exp", Value::Null),
            ("nbf", json!(now + 60)),
            ("nbf", Value::Null),
            ("aud", json!("claviger/other")),
            ("aud", Value::Null),
            ("iss", json!("claviger/other")),
            ("iss", Value::Null),
            ("sub", json!("somebody")),
            ("tenant", Value::Null),
            ("authenticator", Value::Null),
            // A confirmation of another kind is one that nobody checks.
            ("cnf", json!({ "jkt": "abc" })),
        ] {
            let token = issuer.sign(&issuer.header(), &with(issuer.claims(), name, wrong.clone()));
            assert!(!issuer.takes(&token), "{name}: {wrong}");
        }
        for (name, wrong) in [
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", Value::Null),
            ("typ", json!("JWT")),
            ("kid", json!("0000000000000000")),
            ("kid", Value::Null),
            ("crit", json!(["exp"])),
            ("jku", json!("https://attacker.example")),
        ] {
            let token = issuer.sign(&with(issuer.header(), name, wrong.clone()), &issuer.claims());
            assert!(!issuer.takes(&token), "{name}: {wrong}");
        }
    }

    #[test]
    fn what_another_key_or_none_signed_is_nothing() {
        let issuer = Issuer::new();
        let other = Issuer::new();
        assert!(!issuer.takes(&other.sign(&issuer.header(), &issuer.claims())));
        for alg in ["HS256", "ES256", "none"] {
            let input = input(&with(issuer.header(), "alg", json!(alg)), &issuer.claims());
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &issuer.keys.api), input.as_bytes());
            assert!(!issuer.takes(&format!("{input}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))), "{alg}");
            assert!(!issuer.takes(&format!("{input}.")), "{alg}");
            assert!(!issuer.takes(&input), "{alg}");
        }
    }

    #[test]
    fn a_token_that_is_remembered_ends_all_the_same() {
        let bearers = Bearers::default();
        let claims: Claims = serde_json::from_value(Issuer::new().claims()).unwrap();
        let end = claims.exp;
        bearers.remember([1; 32], claims, end - 60);

        assert!(bearers.known(&[1; 32], end - 1).is_some());
        assert!(bearers.known(&[1; 32], end).is_none());
    }
}
