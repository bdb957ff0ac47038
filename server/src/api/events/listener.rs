//! Somebody who listens: a seat, and a login that is looked at again for as long as they do.

use axum::http::StatusCode;
use claviger_core::identity::role::{Action, Permission, Resource};
use claviger_core::service::ServiceError;

use super::seats::Seat;
use crate::api::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// Who listens to a stream, until it is dropped.
pub(in crate::api) struct Listener {
    pub(in crate::api) front: Front,
    pub(in crate::api) caller: CallingOperator,
    _seat: Seat,
}

impl Listener {
    /// Takes a seat.
    ///
    /// # Errors
    /// 429 `too_many_streams`.
    pub(in crate::api) fn seated(front: Front, caller: CallingOperator) -> Result<Self, Problem> {
        let seat = front.seats.take(caller.principal.operator).ok_or_else(|| {
            let text = "too many streams are open: close one, or wait until one has ended";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", text, caller.origin.request)
        })?;
        Ok(Self { front, caller, _seat: seat })
    }

    /// Whether the service stops, and with it every stream.
    pub(in crate::api) fn is_sent_home(&self) -> bool {
        self.front.seats.are_closed()
    }

    /// Whether the login is there, with a role that lets it read this.
    ///
    /// # Errors
    /// When that cannot be known at the moment.
    pub(in crate::api) async fn may_read(&mut self, resource: Resource) -> Result<bool, ServiceError> {
        match self.front.service.authenticated(&self.caller.bearer, self.caller.principal.address).await {
            Ok(now) => {
                self.caller.principal = now;
                Ok(self.caller.principal.may(Permission(resource, Action::Read)))
            }
            Err(ServiceError::Unauthenticated(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
