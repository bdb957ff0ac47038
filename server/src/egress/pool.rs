//! Connections to one origin, and the rule that no request is written twice.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use claviger_core::execution::egress::SendError;
use hyper::{Response, body::Incoming, client::conn::http1};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep_until},
};

use super::{
    Route,
    connect::Connector,
    connection::{Attempt, Connection, Shared},
    request::{Body, Origin, Outgoing, Target},
};

/// Handshakes at one time. A burst waits for a connection of HTTP/2 instead of opening one for each request.
const HANDSHAKES_MAX: usize = 8;

/// The connections to one origin.
#[derive(Debug)]
pub(super) struct Pool {
    origin: Origin,
    connector: Connector,
    keep_alive: bool,
    idle: Duration,
    handshakes: Semaphore,
    resting: Mutex<Resting>,
}

/// A connection that carries an answer. Dropped, it is not used again.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    connection: Connection,
}

impl Pool {
    pub(super) fn new(origin: Origin, connector: Connector, route: &Route) -> Self {
        Self {
            origin,
            connector,
            keep_alive: route.keep_alive,
            idle: route.idle,
            handshakes: Semaphore::new(HANDSHAKES_MAX),
            resting: Mutex::default(),
        }
    }

    /// Sends `request` on a resting connection or a new one. `left` says at every moment whether a connection has it.
    ///
    /// A resting connection may have been closed by the venue meanwhile. Then it gives the request back, and the next
    /// one gets it; a new connection is the last.
    ///
    /// # Errors
    /// [`SendError::NotSent`] if no connection wrote any of it, else [`SendError::Unknown`].
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Outgoing,
        target: &Target,
        left: &AtomicBool,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        loop {
            let (mut connection, is_new) = match self.rested() {
                Some(connection) => (connection, false),
                None => self.open().await?,
            };
            left.store(true, Ordering::SeqCst);
            match connection.attempt(request, target).await {
                Attempt::Answered(response) => return Ok((response, Lease { pool: Arc::clone(self), connection })),
                Attempt::Lost(error) => return Err(SendError::Unknown(error.to_string())),
                Attempt::GivenBack(_) if is_new => {
                    return Err(SendError::NotSent("the venue closed a new connection".to_owned()));
                }
                Attempt::GivenBack(unsent) => {
                    left.store(false, Ordering::SeqCst);
                    request = unsent;
                    self.forget(&connection);
                }
            }
        }
    }

    /// A connection that was used before and seems to live.
    fn rested(&self) -> Option<Connection> {
        self.lock().take(Instant::now())
    }

    /// A new connection, or one that came up while this waited for its turn; then it is not new.
    async fn open(self: &Arc<Self>) -> Result<(Connection, bool), SendError> {
        let not_sent = |error: &dyn std::error::Error| SendError::NotSent(error.to_string());
        let _turn = self.handshakes.acquire().await.map_err(|error| not_sent(&error))?;
        if let Some(connection) = self.rested() {
            return Ok((connection, false));
        }
        let stream = self.connector.connect(&self.origin).await.map_err(|error| not_sent(&error))?;
        let connection = Connection::begin(stream).await.map_err(|error| not_sent(&error))?;
        if let Connection::H2(shared) = &connection {
            self.rest(Connection::H2(shared.clone()));
        }
        Ok((connection, true))
    }

    /// Keeps a connection for others.
    fn rest(self: &Arc<Self>, connection: Connection) {
        if !self.keep_alive {
            return;
        }
        let now = Instant::now();
        let until = now.checked_add(self.idle).unwrap_or(now);
        let mut resting = self.lock();
        resting.put(connection, until);
        if !std::mem::replace(&mut resting.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self), until));
        }
    }

    fn forget(&self, connection: &Connection) {
        if let Connection::H2(shared) = connection {
            self.lock().h2.take_if(|(kept, _)| kept.is(shared));
        }
    }

    /// Every method leaves the lists whole, so a poisoned lock guards nothing broken.
    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Gives the connection back after the answer was read to its end.
    pub(super) fn put_back(self) {
        self.pool.rest(self.connection);
    }
}

/// Connections that wait for work, each until it is too old.
#[derive(Debug, Default)]
struct Resting {
    h1: Vec<(http1::SendRequest<Body>, Instant)>,
    h2: Option<(Shared, Instant)>,
    /// Whether a task will drop them when they are too old.
    is_swept: bool,
}

impl Resting {
    fn take(&mut self, now: Instant) -> Option<Connection> {
        self.drop_stale(now);
        if let Some((shared, _)) = &self.h2 {
            return Some(Connection::H2(shared.clone()));
        }
        self.h1.pop().map(|(sender, _)| Connection::H1(sender))
    }

    fn put(&mut self, connection: Connection, until: Instant) {
        match (connection, &mut self.h2) {
            (Connection::H1(sender), _) => self.h1.push((sender, until)),
            (Connection::H2(shared), Some((kept, kept_until))) => {
                // One is enough; the other ends with its last user.
                if kept.is(&shared) {
                    *kept_until = until;
                }
            }
            (Connection::H2(shared), none) => *none = Some((shared, until)),
        }
    }

    fn drop_stale(&mut self, now: Instant) {
        self.h1.retain(|(sender, until)| !sender.is_closed() && now < *until);
        self.h2.take_if(|(shared, until)| shared.is_closed() || (now >= *until && !shared.is_in_use()));
    }
}

/// Closes connections when they are too old, until there are none; `next` is when to look first.
async fn sweep(pool: Weak<Pool>, mut next: Instant) {
    loop {
        sleep_until(next).await;
        let Some(pool) = pool.upgrade() else { return };
        let now = Instant::now();
        let mut resting = pool.lock();
        resting.drop_stale(now);
        if resting.h1.is_empty() && resting.h2.is_none() {
            resting.is_swept = false;
            return;
        }
        let oldest =
            resting.h1.iter().map(|(_, until)| *until).chain(resting.h2.as_ref().map(|(_, until)| *until)).min();
        // A connection in use may be older than its time; it is looked at again.
        let soonest = now.checked_add(SWEEP_EVERY_MIN).unwrap_or(now);
        next = oldest.unwrap_or(soonest).max(soonest);
    }
}

/// The shortest time between two looks at the connections.
const SWEEP_EVERY_MIN: Duration = Duration::from_millis(50);
