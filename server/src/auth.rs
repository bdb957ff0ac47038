//! Who calls: access tokens of apps, logins of operators.

mod app;
pub(crate) mod assertion;
pub mod device;
mod operator;
pub mod password;
mod throttle;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use claviger_core::execution::Origin;
use claviger_core::id::{RequestId, TenantId};
use claviger_core::service::ServiceError;

use crate::front::Front;
use crate::net::ClientAddr;

pub use app::{Bearers, CallingApp};
pub use operator::CallingOperator;
pub use throttle::{Throttle, Try, Who};

pub(crate) use app::certificate;

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
