//! The way out: HTTPS to known hosts at checked addresses, and nothing else. Venues are reached over it, and the sinks of
//! the audit log that take HTTPS. Tenants' webhooks are named later, and reached by the same rules (`anywhere`).
//!
//! An order must not be sent twice, and whoever asked must learn whether it was sent at all. Both follow from one
//! rule, which the types keep: a request is *moved* into a connection, and only a connection that has not written one
//! byte of it gives it back (`pool`). A request that came back goes to another connection; one that did not is
//! [`SendError::Unknown`] unless its answer arrives whole.
//!
//! A name is resolved here, the addresses are checked (`address`), and the connection goes to a checked address: a
//! name that resolves differently a moment later changes nothing. No redirect is followed, no proxy is taken from the
//! environment, and no header is sent that the request does not have, `host` and `content-length` excepted.

mod address;
mod answer;
mod anywhere;
mod connect;
mod connection;
mod pool;
mod request;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use claviger_core::execution::egress::{Egress, SendError, VenueAnswer};
use claviger_venues::{Host, RequestParts, VenueId};
use hyper::{Response, body::Incoming};
use rustls::pki_types::pem;
use tokio::time::{Instant, timeout_at};

pub use self::address::Reach;
pub(crate) use self::anywhere::{Anywhere, NotThere};
pub(crate) use self::connect::{client_config, server_name};
use self::{
    connect::Connector,
    pool::Pool,
    request::{Origin, Outgoing, Target},
};

/// The way to one venue or sink.
#[derive(Clone, Debug)]
pub struct Route {
    /// The hosts that requests may go to; paths in them are ignored here.
    pub hosts: Vec<Host>,
    /// PEM certificates of the CAs to trust instead of the public ones.
    pub ca_pem: Option<Vec<u8>>,
    /// Which addresses are connected to.
    pub reach: Reach,
    /// Whether a connection serves several requests. `false` where requests carry a bearer or a login, so that buffers
    /// that held one are freed, and thereby wiped, with the connection.
    pub keep_alive: bool,
    /// The longest answer, in bytes.
    pub body_bytes_max: usize,
    /// From looking up the name to the end of the TLS handshake.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle: Duration,
}

impl Route {
    /// A route over the public Internet with the defaults: public CAs, keep-alive for 30 s, answers of 4 MiB, 5 s to
    /// connect.
    pub fn new(hosts: Vec<Host>) -> Self {
        Self {
            hosts,
            ca_pem: None,
            reach: Reach::Public,
            keep_alive: true,
            body_bytes_max: 4 * 1024 * 1024,
            connect_timeout: Duration::from_secs(5),
            idle: Duration::from_secs(30),
        }
    }
}

/// Which venues can be reached, and how.
#[derive(Clone, Debug, Default)]
pub struct EgressConfig {
    /// A venue that is not here is not reachable.
    pub venues: BTreeMap<VenueId, Route>,
}

/// A route that cannot be taken. Each names whose it is, as the configuration does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// A CA file does not hold certificates.
    #[error("the ca_file of {0} is not PEM with certificates")]
    Certificates(String, #[source] pem::Error),
    /// A CA file holds a certificate that cannot be trusted.
    #[error("the ca_file of {0} holds a certificate that cannot be used as a CA")]
    Authority(String, #[source] rustls::Error),
    /// A host is not an https origin.
    #[error("a host of {0} is not an https origin")]
    Host(String),
    /// The TLS library cannot be set up.
    #[error("the TLS library cannot be set up")]
    Library(#[source] rustls::Error),
}

/// Sends finished requests to venues over pooled connections.
#[derive(Debug)]
pub struct HttpEgress {
    venues: BTreeMap<VenueId, Way>,
}

/// A prepared [`Route`].
#[derive(Debug)]
pub(crate) struct Way {
    pools: BTreeMap<Origin, Arc<Pool>>,
    body_bytes_max: usize,
}

impl HttpEgress {
    /// Prepares the routes; nothing is connected yet.
    ///
    /// # Errors
    /// [`RouteError`] names the venue whose entry is wrong.
    pub fn new(config: EgressConfig) -> Result<Self, RouteError> {
        let venues = config
            .venues
            .into_iter()
            .map(|(id, route)| Ok((id, Way::new(&format!("venue {id}"), &route)?)))
            .collect::<Result<_, RouteError>>()?;
        Ok(Self { venues })
    }
}

impl Way {
    /// Prepares a route of whom the configuration calls `whose`.
    pub(crate) fn new(whose: &str, route: &Route) -> Result<Self, RouteError> {
        let connector = Connector::new(whose, route)?;
        let mut pools = BTreeMap::new();
        for host in &route.hosts {
            let origin = Origin::of_host(host).ok_or_else(|| RouteError::Host(whose.to_owned()))?;
            let pool = Pool::new(origin.clone(), connector.clone(), route);
            pools.insert(origin, Arc::new(pool));
        }
        Ok(Self { pools, body_bytes_max: route.body_bytes_max })
    }

    /// Sends a request: it leaves within `departure` or never, and its answer is awaited for `timeout`.
    pub(crate) async fn send(
        &self,
        request: RequestParts,
        departure: Duration,
        timeout: Duration,
    ) -> Result<VenueAnswer, SendError> {
        let not_sent = |reason: &str| SendError::NotSent(reason.to_owned());
        let (origin, target, request) = request::build(request).ok_or_else(|| not_sent("the request is malformed"))?;
        let pool = self.pools.get(&origin).ok_or_else(|| not_sent("the host is not one of the venue's"))?;
        let read = async |response| answer::read(response, self.body_bytes_max).await;
        exchange(pool, (request, &target), departure, timeout, read).await
    }
}

/// One request and what `read` makes of its answer.
async fn exchange(
    pool: &Arc<Pool>,
    (request, target): (Outgoing, &Target),
    departure: Duration,
    timeout: Duration,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<VenueAnswer, SendError>,
) -> Result<VenueAnswer, SendError> {
    let now = Instant::now();
    let at = |delay| now.checked_add(delay).unwrap_or(now);
    let left = AtomicBool::new(false);
    let exchange = async {
        let (response, lease) = pool.send(request, target, &left).await?;
        let answer = read(response).await?;
        lease.put_back();
        Ok(answer)
    };
    let mut exchange = std::pin::pin!(exchange);
    if let Ok(result) = timeout_at(at(departure), &mut exchange).await {
        return result;
    }
    // What has not left by now never does: the future that would write it is dropped.
    if !left.load(Ordering::SeqCst) {
        return Err(SendError::NotSent("no connection in time".to_owned()));
    }
    match timeout_at(at(timeout), exchange).await {
        Ok(result) => result,
        Err(_) => Err(SendError::Unknown("no complete answer in time".to_owned())),
    }
}

#[async_trait]
impl Egress for HttpEgress {
    async fn send(
        &self,
        venue: VenueId,
        request: RequestParts,
        departure: Duration,
        timeout: Duration,
    ) -> Result<VenueAnswer, SendError> {
        let way = self.venues.get(&venue);
        let way = way.ok_or_else(|| SendError::NotSent("the venue is not enabled".to_owned()))?;
        way.send(request, departure, timeout).await
    }
}
