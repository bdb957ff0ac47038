//! What changed, told to operators as it happens. The audit log is where it is read from: each change has its entry there,
//! in the same commit, so none is missed, and the number of an entry is where a client goes on after a cut.
//!
//! An event says only that something changed, and only to who may read that thing. Nothing is kept for a reader: each
//! looks at the log at its own pace, and whoever falls too far behind is told to read everything again.

mod changes;
mod listener;
mod seats;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use claviger_core::clock::BootTime;
use claviger_core::identity::role::Resource;
use claviger_core::store::{AuditRange, StoreError};
use claviger_core::view::ReadyView;
use futures_util::{StreamExt as _, stream};
use tokio::time::sleep;

use super::health;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;
use crate::net::Streaming;
use changes::{Changes, Seen};

pub(super) use listener::Listener;
pub(crate) use seats::Seats;

/// The log is looked at this often, and what changed in between is told together.
const EVERY: Duration = Duration::from_millis(250);

/// After so much silence a client hears that the stream is alive.
const BEAT: Duration = Duration::from_secs(5);

/// How the parts are is looked at this often, however many listen.
const LOOK: Duration = Duration::from_secs(1);

/// Entries that are looked at to catch up; who is further behind reads everything again.
const BEHIND_MAX: u64 = 20_000;

/// Entries per read.
const CHUNK: usize = 1_000;

/// Changes as they happen, until the login ends.
///
/// Each event names what changed: `credential`, `incident`, `approval`, `rotation`, `stop`, `execution`, `app`, `grant`,
/// `virtual-key`, `policy`, `tenant`, `operator`, `login`, `role`, `backup` with `{"tenant", "id"}` as far as there are such;
/// `audit` with the `seq` of the newest entry; `status` when a part of the service went down or came back. The reading of
/// things is no change. `reset` means: read everything again, or with `{"kind"}` everything of that kind.
#[utoipa::path(get, path = "/api/v1/events", tag = "admin",
    params(("Last-Event-ID" = Option<String>, Header, description = "Goes on after the last event that had an id.")),
    responses((status = 200, content_type = "text/event-stream", body = String),
        (status = 429, body = Problem, description = "too many streams")))]
pub(super) async fn follow(
    State(front): State<Front>,
    caller: CallingOperator,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = caller.origin.request;
    let next = match headers.get("last-event-id") {
        Some(last) => Some(last.to_str().ok().and_then(|last| last.parse::<u64>().ok()).ok_or_else(|| {
            let text = "`Last-Event-ID` is the id of an event of this stream";
            Problem::new(StatusCode::BAD_REQUEST, "event_id_invalid", text, request)
        })?),
        None => None,
    };
    let listener = Listener::seated(front, caller)?;
    let (front, caller) = (&listener.front, &listener.caller);
    super::audit::read(front, &caller.origin, caller.principal.tenant, "events").await?;
    let head = front.service.store().tree_head().await.map_err(|e| Problem::of(&e.into(), request))?;
    let now = front.service.clock().boot();
    let follower = Follower {
        next: next.map_or(head.size, |last| last.saturating_add(1)),
        listener,
        told: now,
        looked: now,
        ready: None,
    };
    let begin = Event::default().comment("from here").retry(EVERY);
    let rounds = stream::unfold(follower, Follower::round).flat_map(stream::iter);
    let events = stream::iter([begin]).chain(rounds).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).into_response();
    response.extensions_mut().insert(Streaming);
    Ok(response)
}

/// One stream. It is asked for more only while its reader takes what it has.
struct Follower {
    listener: Listener,
    /// The entry that is looked at next.
    next: u64,
    told: BootTime,
    looked: BootTime,
    /// How the parts were.
    ready: Option<ReadyView>,
}

impl Follower {
    /// Waits for something to tell; `None` when there is nobody any more to tell it to.
    async fn round(mut self) -> Option<(Vec<Event>, Self)> {
        loop {
            sleep(EVERY).await;
            if self.listener.is_sent_home() {
                return None;
            }
            // What is read before the login is looked at is told to nobody who lost it meanwhile.
            let (from, entries) = (self.next, self.entries().await);
            let is_known = match self.listener.may_read(Resource::Status).await {
                Ok(false) => return None,
                seen => seen.is_ok(),
            };
            let mut events = match entries {
                // While the store does not say who listens, changes wait.
                _ if !is_known => {
                    self.next = from;
                    Vec::new()
                }
                Ok(Some(entries)) => Changes::of(&entries, &self.listener.caller.principal).events(),
                Ok(None) => vec![changes::reset()],
                // The store is down: the status says so.
                Err(_) => Vec::new(),
            };
            events.extend(self.status().await);
            let now = self.listener.front.service.clock().boot();
            if events.is_empty() && self.told.until(now) >= BEAT {
                events.push(Event::default().comment("alive"));
            }
            // The last one says how far all of them came.
            if let Some(last) = events.pop() {
                events.push(if self.next == 0 { last } else { last.id(self.next.saturating_sub(1).to_string()) });
                self.told = now;
                return Some((events, self));
            }
        }
    }

    /// The entries since the last round; `None` if they are too many, or have left the store.
    async fn entries(&mut self) -> Result<Option<Vec<Seen>>, StoreError> {
        let store = self.listener.front.service.store();
        let head = store.tree_head().await?;
        let behind = head.size.checked_sub(self.next);
        if self.next < head.oldest || behind.is_none_or(|behind| behind > BEHIND_MAX) {
            self.next = head.size;
            return Ok(None);
        }
        let (mut entries, mut next) = (Vec::new(), self.next);
        while next < head.size {
            let leaves = store.audit_scan(AuditRange { tenant: None, from: next, limit: CHUNK }).await?;
            let Some(last) = leaves.last() else { break };
            next = last.seq.saturating_add(1);
            entries.extend(leaves.iter().filter_map(Seen::of));
        }
        // Where a read failed, all of it is read again.
        self.next = next;
        Ok(Some(entries))
    }

    /// That a part went down or came back.
    async fn status(&mut self) -> Option<Event> {
        let now = self.listener.front.service.clock().boot();
        if self.ready.is_some() && self.looked.until(now) < LOOK {
            return None;
        }
        self.looked = now;
        let ready = health::seen(&self.listener.front, LOOK).await;
        let before = self.ready.replace(ready);
        (before.is_some() && before != self.ready).then(|| Event::default().event("status").data("{}"))
    }
}
