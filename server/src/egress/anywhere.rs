//! The way to hosts that are not known beforehand: tenants name them. A connection carries one request, and of the answer
//! only its head is read.

use std::{net::IpAddr, sync::Arc, time::Duration};

use claviger_core::execution::egress::{SendError, VenueAnswer};
use claviger_venues::{Method, RequestParts};

use super::{Reach, Route, RouteError, answer, connect::Connector, exchange, pool::Pool, request};

/// The way to wherever a request says, as far as the addresses there may be connected to.
#[derive(Debug)]
pub(crate) struct Anywhere {
    connector: Connector,
    route: Route,
}

/// Why nothing is sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotThere {
    /// No such URL.
    #[error("it is no URL of the form https://host/path")]
    Url,
    /// An address that is not connected to.
    #[error("its address is not one that may be connected to from here")]
    Address,
}

impl Anywhere {
    /// Prepares the way for whom the configuration calls `whose`, over addresses within `reach`.
    pub(crate) fn new(whose: &str, ca_pem: Option<Vec<u8>>, reach: Reach) -> Result<Self, RouteError> {
        let route = Route { ca_pem, reach, keep_alive: false, ..Route::new(Vec::new()) };
        Ok(Self { connector: Connector::new(whose, &route)?, route })
    }

    /// Whether something may be posted to a URL, as far as the URL itself tells. Names are resolved when it is.
    pub(crate) fn admits(&self, url: &str) -> Result<(), NotThere> {
        let parts = RequestParts { method: Method::Post, url: url.to_owned(), headers: Vec::new(), body: Vec::new() };
        let (origin, ..) = request::build(parts).ok_or(NotThere::Url)?;
        match origin.host.parse::<IpAddr>() {
            Ok(address) if !self.route.reach.permits(address) => Err(NotThere::Address),
            _ => Ok(()),
        }
    }

    /// Sends a request and reads the head of its answer, within `timeout`.
    pub(crate) async fn send(&self, request: RequestParts, timeout: Duration) -> Result<VenueAnswer, SendError> {
        let built = request::build(request);
        let (origin, target, request) =
            built.ok_or_else(|| SendError::NotSent("the request is malformed".to_owned()))?;
        let pool = Arc::new(Pool::new(origin, self.connector.clone(), &self.route));
        exchange(&pool, (request, &target), timeout, timeout, async |response| Ok(answer::head(&response))).await
    }
}
