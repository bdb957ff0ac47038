//! Tenants' webhooks: what happened becomes messages, and messages that are due are sent, a bounded number for each
//! of them at a time, so that a receiver that is slow or down keeps nobody else's waiting.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use claviger_core::id::{DeliveryId, TenantId, WebhookId};
use claviger_core::service::{Posted, Service, ServiceError, SignedMessage};
use claviger_core::webhook::DueDelivery;
use claviger_venues::{Method, RequestParts};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::egress::Anywhere;

/// It is looked this often for what is due.
const EVERY: Duration = Duration::from_millis(250);

/// Old deliveries and secrets are looked for this often.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// A receiver answers within this time, or the message counts as not taken.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after one that could not be signed, or of which it could not be stored what came of it.
const PAUSE: Duration = Duration::from_secs(2);

/// Messages under way at once to one webhook, to one that took none last time, and altogether. A tenant has few webhooks.
const OF_A_WEBHOOK: usize = 4;
const OF_A_FAILING: usize = 1;
const ALTOGETHER: usize = 512;

/// Sends what is due until `stopped` says so.
pub(crate) async fn deliver(service: Arc<Service>, way: Arc<Anywhere>, mut stopped: watch::Receiver<bool>) {
    let mut rounds =
        Rounds { service, way, under_way: JoinSet::new(), busy: HashMap::new(), failing: HashSet::new(), after: None };
    loop {
        if let Err(error) = rounds.service.tell_webhooks().await {
            tracing::warn!(%error, "webhooks are not told yet what happened");
        }
        if let Err(error) = rounds.begin_all().await {
            tracing::warn!(%error, "what is due for webhooks cannot be read");
        }
        tokio::select! {
            Some(ended) = rounds.under_way.join_next() => rounds.end(ended.ok()),
            () = sleep(EVERY) => {}
            // What is under way is sent again after the next start.
            _ = stopped.changed() => return,
        }
    }
}

/// Forgets what is old until `stopped` says so. What is due does not wait for that.
pub(crate) async fn forget_deliveries(service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        if let Err(error) = service.tidy_webhooks().await {
            tracing::warn!(%error, "old deliveries to webhooks are still stored");
        }
    }
}

/// The messages that are under way.
struct Rounds {
    service: Arc<Service>,
    way: Arc<Anywhere>,
    under_way: JoinSet<(DueDelivery, bool)>,
    busy: HashMap<WebhookId, HashSet<DeliveryId>>,
    /// Webhooks that took nothing last time.
    failing: HashSet<WebhookId>,
    /// The webhook that was looked at last, when there was no more room: the next look begins behind it.
    after: Option<(TenantId, WebhookId)>,
}

impl Rounds {
    /// Begins what is due and has room, webhook by webhook.
    async fn begin_all(&mut self) -> Result<(), ServiceError> {
        let from = self.after.take();
        self.begin_from(from, None).await?;
        // Those before the place where the last look ended come after the others.
        if from.is_some() && self.after.is_none() {
            self.begin_from(None, from).await?;
        }
        Ok(())
    }

    async fn begin_from(
        &mut self,
        mut after: Option<(TenantId, WebhookId)>,
        last: Option<(TenantId, WebhookId)>,
    ) -> Result<(), ServiceError> {
        loop {
            // As many as have room, behind as many as may be busy.
            let waiting = self.service.waiting_deliveries(after, OF_A_WEBHOOK.saturating_mul(2)).await?;
            let Some(webhook) = waiting.first().map(|due| (due.tenant, due.webhook)) else { return Ok(()) };
            let now = self.service.clock().unix_ms();
            for due in waiting.into_iter().filter(|due| due.at_ms <= now) {
                self.begin(due);
            }
            if self.under_way.len() >= ALTOGETHER {
                self.after = Some(webhook);
                return Ok(());
            }
            if last.is_some_and(|last| webhook >= last) {
                return Ok(());
            }
            after = Some(webhook);
        }
    }

    fn begin(&mut self, due: DueDelivery) {
        let room = if self.failing.contains(&due.webhook) { OF_A_FAILING } else { OF_A_WEBHOOK };
        let busy = self.busy.entry(due.webhook).or_default();
        if busy.len() >= room || self.under_way.len() >= ALTOGETHER || !busy.insert(due.delivery) {
            return;
        }
        let (service, way) = (self.service.clone(), self.way.clone());
        self.under_way.spawn(async move {
            let sent = send(&service, &way, &due).await;
            if let Err(error) = &sent {
                tracing::warn!(%error, webhook.id = %due.webhook, "a message to a webhook waits");
                // Its place is taken meanwhile, so that the log does not fill.
                sleep(PAUSE).await;
            }
            (due, sent.unwrap_or(false))
        });
    }

    fn end(&mut self, ended: Option<(DueDelivery, bool)>) {
        let Some((due, is_taken)) = ended else {
            // Nobody knows which one it was: all are begun anew, and sent once more.
            self.under_way.abort_all();
            self.under_way = JoinSet::new();
            self.busy.clear();
            return;
        };
        if is_taken {
            self.failing.remove(&due.webhook);
        } else {
            self.failing.insert(due.webhook);
        }
        if let Some(busy) = self.busy.get_mut(&due.webhook) {
            busy.remove(&due.delivery);
            if busy.is_empty() {
                self.busy.remove(&due.webhook);
            }
        }
    }
}

/// Sends a message, and says whether the receiver has it.
async fn send(service: &Service, way: &Anywhere, due: &DueDelivery) -> Result<bool, ServiceError> {
    let Some(SignedMessage { url, headers, body }) = service.signed_message(due).await? else { return Ok(false) };
    let request = RequestParts { method: Method::Post, url, headers, body };
    let posted = match way.send(request, TIMEOUT).await {
        Ok(answer) => {
            let retry_after = answer.headers.into_iter().find(|(name, _)| name == "retry-after");
            Posted::Answered { status: answer.status, retry_after: retry_after.map(|(_, value)| value) }
        }
        Err(error) => Posted::Failed(error.to_string()),
    };
    let outcome = if posted.is_taken() { "taken" } else { "failed" };
    metrics::counter!("claviger_webhook_attempts_total", "outcome" => outcome).increment(1);
    service.posted(due, &posted).await?;
    Ok(posted.is_taken())
}
