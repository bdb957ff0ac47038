//! Client assertions: `private_key_jwt` (RFC 7523 section 3, `OpenID` Connect Core section 9).

use claviger_core::id::{AppId, AuthenticatorId};
use claviger_core::identity::{AppKey, Evidence, KeyAlgorithm, hash_secret};
use claviger_core::service::{Asserted, ServiceError};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::front::Front;

/// The `client_assertion_type` of a JWT.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead an assertion may expire, seconds.
const LIFE_MAX: u64 = 300;

/// How far a client's clock may be ahead, seconds.
const SKEW: u64 = 5;

const BYTES_MAX: usize = 4_096;
const JTI_BYTES_MAX: usize = 128;

/// What a header may hold; anything more, `crit` too, is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: AuthenticatorId,
    #[serde(default)]
    typ: Option<String>,
}

/// Whose assertion it is by its own account.
#[derive(Deserialize)]
struct Claimed {
    sub: AppId,
}

/// The claims that are looked at. `aud` is one text: an assertion for several services could be used by each of them.
#[derive(Deserialize)]
struct Claims {
    iss: AppId,
    sub: AppId,
    aud: String,
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
    jti: String,
}

/// Verifies all of an assertion but that it was not used before, which the commit of the access token does.
///
/// # Errors
/// [`ServiceError::Unauthenticated`] with what is wrong. As long as the signature was not verified, all texts are one.
pub(crate) async fn verify(front: &Front, assertion: &str) -> Result<(AppId, Asserted), ServiceError> {
    let unsigned = ServiceError::Unauthenticated(
        "the assertion is not signed by a key of this app: `kid` is the key's id, `alg` its only algorithm, `typ` \
         `JWT` or left out, `iss` and `sub` the app's id; no other header members",
    );
    let (app, header) = claimed(assertion).ok_or_else(|| unsigned.clone())?;
    let known =
        front.service.live_app(app).await.map_err(|error| {
            if matches!(error, ServiceError::Unauthenticated(_)) { unsigned.clone() } else { error }
        })?;
    let claims = match known.app.authenticator(header.kid).map(|one| &one.evidence) {
        Some(Evidence::Key(key)) if key.algorithm.as_str() == header.alg => signed(assertion, key),
        _ => None,
    };
    let claims = claims.filter(|claims| claims.iss == app && claims.sub == app).ok_or(unsigned)?;
    let now = front.service.clock().unix_ms() / 1_000;
    let expires_ms = timely(&claims, now)?;
    if claims.aud != front.service.origin() && front.token_endpoint.as_deref() != Some(claims.aud.as_str()) {
        let text = "the assertion is for another service: `aud` is one text, the log's name (`audit.log`) or \
                    `tokens.endpoint` of the configuration";
        return Err(ServiceError::Unauthenticated(text));
    }
    if !(1..=JTI_BYTES_MAX).contains(&claims.jti.len()) {
        return Err(ServiceError::Unauthenticated("the assertion's `jti` is 1 to 128 bytes, another one each time"));
    }
    let jti = hash_secret(&format!("{app} {}", claims.jti));
    Ok((app, Asserted { authenticator: header.kid, jti, expires_ms }))
}

/// What the assertion says of itself; nothing of it is proven.
fn claimed(assertion: &str) -> Option<(AppId, Header)> {
    if assertion.len() > BYTES_MAX {
        return None;
    }
    let header = BASE64URL_NOPAD.decode(assertion.split('.').next()?.as_bytes()).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    let typ = header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(assertion).ok()?;
    typ.then_some((claims.sub, header))
}

/// The claims, if the key signed them. Times and audience are looked at by [`verify`], which says what is wrong.
fn signed(assertion: &str, key: &AppKey) -> Option<Claims> {
    let (algorithm, decoding) = match key.algorithm {
        KeyAlgorithm::EdDSA => (Algorithm::EdDSA, DecodingKey::from_ed_der(&key.spki)),
        KeyAlgorithm::ES256 => (Algorithm::ES256, DecodingKey::from_ec_der(&key.spki)),
        KeyAlgorithm::RS256 => (Algorithm::RS256, DecodingKey::from_rsa_der(&key.spki)),
        KeyAlgorithm::PS256 => (Algorithm::PS256, DecodingKey::from_rsa_der(&key.spki)),
    };
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    jsonwebtoken::decode::<Claims>(assertion, &decoding, &validation).ok().map(|data| data.claims)
}

/// When a timely assertion expires, milliseconds since the Unix epoch.
fn timely(claims: &Claims, now: u64) -> Result<u64, ServiceError> {
    let ahead = |at: Option<u64>| at.is_some_and(|at| at > now.saturating_add(SKEW));
    let wrong = if claims.exp <= now {
        "the assertion is expired: make a new one for each request, and set this machine's clock"
    } else if claims.exp > now.saturating_add(LIFE_MAX) {
        "the assertion lasts too long: let it expire within 5 minutes; 1 is enough"
    } else if ahead(claims.nbf) || ahead(claims.iat) {
        "the assertion is not valid yet: set this machine's clock"
    } else {
        return Ok(claims.exp.saturating_mul(1_000));
    };
    Err(ServiceError::Unauthenticated(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bounded_to_the_second() {
        let app = AppId::MIN;
        let check = |exp: u64, nbf: Option<u64>, iat: Option<u64>| {
            let claims = Claims { iss: app, sub: app, aud: String::new(), exp, nbf, iat, jti: String::new() };
            timely(&claims, 1_000).ok()
        };
        assert_eq!(check(1_001, None, None), Some(1_001_000));
        assert_eq!(check(1_000, None, None), None);
        assert_eq!(check(1_300, Some(1_005), Some(1_005)), Some(1_300_000));
        assert_eq!(check(1_301, None, None), None);
        assert_eq!(check(1_300, Some(1_006), None), None);
        assert_eq!(check(1_300, None, Some(1_006)), None);
        assert_eq!(check(u64::MAX, Some(u64::MAX), None), None);
    }
}
