//! Operators, by their logins.

use axum::http::request::Parts;
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::identity::OperatorPrincipal;
use claviger_core::service::ServiceError;
use zeroize::Zeroizing;

use super::{address, bearer, request_id};
use crate::api::problem::Problem;
use crate::front::Front;

/// An operator who showed a login that has not ended.
#[derive(Clone, Debug)]
pub struct CallingOperator {
    /// Who.
    pub principal: OperatorPrincipal,
    /// As the audit log names it.
    pub origin: Origin,
    /// The bearer, to end this very login.
    pub bearer: Zeroizing<String>,
}

impl CallingOperator {
    /// The operator whose login the request shows.
    ///
    /// # Errors
    /// 401, or 503 if it cannot be known at the moment.
    pub(crate) async fn authenticate(parts: &Parts, front: &Front) -> Result<Self, Problem> {
        let request = request_id(parts, front);
        let told = |error: ServiceError| Problem::of(&error, request);
        let bearer = Zeroizing::new(bearer(parts).map_err(told)?.to_owned());
        let address = address(parts);
        let principal = front.service.authenticated(&bearer, address).await.map_err(told)?;
        let (id, guard) = (principal.name.clone(), Some(principal.guard));
        let origin = Origin { kind: UserKind::Operator, id, address: address.to_string(), request, guard };
        Ok(Self { principal, origin, bearer })
    }
}
