//! Who calls: access tokens of apps, logins of operators.

mod operator;
pub mod password;
mod throttle;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::id::{AppId, RequestId, TenantId};
use claviger_core::identity::{AppPrincipal, hash_secret};
use claviger_core::keeper::service::key_id;
use claviger_core::service::ServiceError;
use claviger_core::token::PublicKeys;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use crate::api::problem::Problem;
use crate::front::Front;
use crate::net::ClientAddr;

pub use operator::CallingOperator;
pub use throttle::Throttle;

/// What of an access token is believed once its signature is verified.
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    sub: AppId,
    tenant: TenantId,
    exp: u64,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who was found to call, for the entry that a refused request leaves.
#[derive(Clone, Debug, Default)]
pub struct Caller(Arc<OnceLock<(Origin, Option<TenantId>)>>);

impl Caller {
    /// The caller, if there was one.
    pub fn found(&self) -> Option<&(Origin, Option<TenantId>)> {
        self.0.get()
    }

    /// Remembers who calls, and in which tenant.
    pub(crate) fn note(parts: &Parts, origin: &Origin, tenant: Option<TenantId>) {
        if let Some(caller) = parts.extensions.get::<Self>() {
            let _ = caller.0.set((origin.clone(), tenant));
        }
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

fn bearer(parts: &Parts) -> Result<&str, ServiceError> {
    let missing = ServiceError::Unauthenticated("send Authorization: Bearer <token>, once");
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (Some(header), None) => {
            let token = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
            token.filter(|token| token.len() <= 4_096).ok_or(missing)
        }
        _ => Err(missing),
    }
}

/// Where the request came from.
#[must_use]
pub fn address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<ClientAddr>().map_or(IpAddr::from([0, 0, 0, 0]), |client| client.0)
}

/// The request's id, which the middleware gave it.
#[must_use]
pub fn request_id(parts: &Parts, front: &Front) -> RequestId {
    parts.extensions.get::<RequestId>().copied().unwrap_or_else(|| RequestId::new(front.service.clock()))
}
