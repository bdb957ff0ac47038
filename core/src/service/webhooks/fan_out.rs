//! From what happened to a message for each webhook.

use super::super::{Service, ServiceError};
use super::queued;
use crate::id::{IncidentId, TenantId, WebhookId};
use crate::store::{Change, Expect, Key, Range, Row, StoreError, Versioned};
use crate::webhook::{Event, Previous, Webhook};

/// Events, and webhooks of one event, that are looked at in one go.
const AT_ONCE: usize = 64;

/// How long a delivery is kept, milliseconds.
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Webhooks that are read at once, and deliveries that one commit forgets at most.
const PAGE: usize = 500;

impl Service {
    /// Gives every webhook its messages about what happened. An event goes in the commit that makes the last of them.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn tell_webhooks(&self) -> Result<(), ServiceError> {
        loop {
            let page = self.store.scan(Range::Events, None, AT_ONCE).await?;
            for Versioned { version, row } in page.rows {
                let Row::Event(event) = row else { continue };
                self.tell_webhooks_of(version, event).await?;
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    async fn tell_webhooks_of(&self, mut version: u64, mut event: Event) -> Result<(), ServiceError> {
        if !self.is_told(&event).await? {
            self.store.put_cas(vec![Change::remove(Key::Event(event.entry))], Vec::new()).await?;
            return Ok(());
        }
        let key = Key::Event(event.entry);
        loop {
            // A tenant's own are few.
            let range = event.tenant.map_or(Range::WebhooksAfter(event.told), Range::Webhooks);
            let page = self.store.scan(range, None, AT_ONCE).await?;
            let webhooks: Vec<Webhook> = page.rows.into_iter().filter_map(webhook_of).map(|(_, row)| row).collect();
            let mut changes = Vec::new();
            for row in webhooks.iter().filter(|row| row.disabled.is_none()) {
                for message in &event.messages {
                    let delivery = self.new_delivery(row.tenant, row.id, message.clone());
                    changes.extend(queued(&delivery, Expect::Absent));
                }
            }
            let Some(last) = webhooks.last().filter(|_| page.next.is_some()) else {
                changes.push(Change { key, expect: Expect::Version(version), row: None });
                self.store.put_cas(changes, Vec::new()).await?;
                return Ok(());
            };
            event.told = Some((last.tenant, last.id));
            changes.push(Change::replace(key.clone(), version, Row::Event(event.clone())));
            self.store.put_cas(changes, Vec::new()).await?;
            let Some(now) = self.store.get(key.clone()).await? else { return Ok(()) };
            version = now.version;
        }
    }

    /// What is an incident of no one tenant's is not told before everybody can read of it.
    async fn is_told(&self, event: &Event) -> Result<bool, ServiceError> {
        if event.tenant.is_some() {
            return Ok(true);
        }
        let incident = event.messages.first().filter(|message| message.resource == "incident");
        let Some(Ok(id)) = incident.map(|message| message.id.parse::<IncidentId>()) else { return Ok(true) };
        Ok(self.store.get(Key::PublicIncident(id)).await?.is_some())
    }

    /// Destroys secrets that have signed along for long enough, and forgets deliveries that are over and old.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn tidy_webhooks(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::WebhooksAfter(None), after, PAGE).await?;
            for (version, row) in page.rows.into_iter().filter_map(webhook_of) {
                self.forget_deliveries(row.tenant, row.id).await?;
                self.end_previous(version, row).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn end_previous(&self, version: u64, row: Webhook) -> Result<(), ServiceError> {
        let over = |previous: &Previous| previous.until_ms <= self.clock.unix_ms();
        if !row.previous.as_ref().is_some_and(over) {
            return Ok(());
        }
        let row = Webhook { previous: None, ..row };
        let change = Change::replace(Key::Webhook(row.tenant, row.id), version, Row::Webhook(Box::new(row)));
        match self.store.put_cas(vec![change], Vec::new()).await {
            // Its secret was exchanged once more, or it is gone; else the next call comes here again.
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets what is over and old, a page in one commit. What was sent again lately stays, and keeps nothing else.
    async fn forget_deliveries(&self, tenant: TenantId, webhook: WebhookId) -> Result<(), ServiceError> {
        let before = self.clock.unix_ms().saturating_sub(KEPT_MS);
        let range = Range::WebhookDeliveriesBefore(tenant, webhook, before);
        let mut after = None;
        loop {
            let page = self.store.scan(range.clone(), after, PAGE).await?;
            let old = page.rows.into_iter().filter_map(|found| match found {
                Versioned { version, row: Row::WebhookDelivery(old) }
                    if old.since_ms < before && old.due().is_none() =>
                {
                    let key = Key::WebhookDelivery(tenant, webhook, old.id);
                    Some(Change { key, expect: Expect::Version(version), row: None })
                }
                _ => None,
            });
            let old: Vec<Change> = old.collect();
            if !old.is_empty() {
                match self.store.put_cas(old, Vec::new()).await {
                    // One of them is sent again; the next call comes here again.
                    Ok(_) | Err(StoreError::Conflict(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

fn webhook_of(row: Versioned) -> Option<(u64, Webhook)> {
    if let Row::Webhook(webhook) = row.row { Some((row.version, *webhook)) } else { None }
}
