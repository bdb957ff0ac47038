//! Webhooks: made, listed, given another secret, removed, and what is sent to them.

mod fan_out;
mod post;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::accounts::{no_random, picked};
use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::{DeliveryId, TenantId, WebhookId};
use crate::identity::NoRandom;
use crate::keeper::message::Seal;
use crate::secret::Plaintext;
use crate::store::{Change, Expect, Key, Page, Range, Row, StoreError, Versioned};
use crate::webhook::{
    Delivery, DeliveryState, DueDelivery, EventKind, Message, OVERLAP_MS, Previous, SECRET_BYTES, SECRET_PREFIX,
    Webhook, binding,
};

pub use post::{Posted, SignedMessage};

/// Webhooks of one tenant at most.
const WEBHOOKS_MAX: usize = 10;

/// The longest label, in characters, and the longest URL, in bytes.
const LABEL_MAX: usize = 120;
const URL_MAX: usize = 2_000;

/// Deliveries that are removed at once.
const PAGE: usize = 100;

/// A webhook with its secret, as it is shown once.
pub struct ShownWebhook {
    /// The row.
    pub row: Webhook,
    /// The secret: `whsec_` and base64.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for ShownWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownWebhook").field("row", &self.row.id).finish_non_exhaustive()
    }
}

impl Service {
    /// Makes a webhook at `url`, which the caller found to be one that can be posted to.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_webhook(
        &self,
        tenant: TenantId,
        label: &str,
        url: &str,
        origin: &Origin,
    ) -> Result<ShownWebhook, ServiceError> {
        let is_label = (1..=LABEL_MAX).contains(&label.chars().count()) && !label.chars().any(char::is_control);
        if !is_label {
            let text = format!("`label` is 1 to {LABEL_MAX} characters in one line; nothing was made");
            return Err(ServiceError::invalid("label_invalid", text));
        }
        if url.len() > URL_MAX {
            let text = format!("`url` has {URL_MAX} bytes at most; nothing was made");
            return Err(ServiceError::invalid("url_invalid", text));
        }
        if self.store.scan(Range::Webhooks(tenant), None, WEBHOOKS_MAX).await?.rows.len() == WEBHOOKS_MAX {
            let text = format!("the tenant has {WEBHOOKS_MAX} webhooks: remove one; nothing was made");
            return Err(ServiceError::conflict("webhooks_full", text));
        }
        let id = WebhookId::new(self.clock());
        let (secret, sealed) = self.sealed_anew(tenant, id, 1).await?;
        let row = Webhook {
            id,
            tenant,
            label: label.to_owned(),
            url: url.to_owned(),
            secret_version: 1,
            sealed,
            previous: None,
            created_ms: self.clock.unix_ms(),
            took_ms: 0,
            disabled: None,
        };
        let change = Change::create(Key::Webhook(tenant, id), Row::Webhook(Box::new(row.clone())));
        self.store.put_cas(vec![change], vec![origin.stamp(about("webhook.create", &row))]).await?;
        Ok(ShownWebhook { row, secret })
    }

    /// A page of a tenant's webhooks, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn webhooks(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Webhook>, ServiceError> {
        let page = self.store.scan(Range::Webhooks(tenant), after, limit).await?;
        Ok(picked(page, |row| if let Row::Webhook(row) = row { Some(*row) } else { None }))
    }

    /// Removes a webhook: nothing is sent to it any more, and its secret is gone.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn remove_webhook(&self, tenant: TenantId, id: WebhookId, origin: &Origin) -> Result<(), ServiceError> {
        let (_, row) = self.webhook(tenant, id).await?;
        loop {
            let page = self.store.scan(Range::WebhookDeliveries(tenant, id), None, PAGE).await?;
            let deliveries = page
                .rows
                .iter()
                .filter_map(|row| if let Row::WebhookDelivery(row) = &row.row { Some(row) } else { None });
            self.store.put_cas(deliveries.flat_map(|delivery| unqueued(delivery)).collect(), Vec::new()).await?;
            if page.next.is_none() {
                break;
            }
        }
        // What is queued meanwhile finds no webhook when it is due, and goes.
        let change = Change::remove(Key::Webhook(tenant, id));
        self.store.put_cas(vec![change], vec![origin.stamp(about("webhook.delete", &row))]).await?;
        Ok(())
    }

    /// Gives a webhook another secret. The one before signs along for a day; the one before that is destroyed.
    ///
    /// # Errors
    /// [`ServiceError`]; the secret is as before.
    pub async fn rotate_webhook(
        &self,
        tenant: TenantId,
        id: WebhookId,
        origin: &Origin,
    ) -> Result<ShownWebhook, ServiceError> {
        let (version, row) = self.webhook(tenant, id).await?;
        let secret_version = row.secret_version.saturating_add(1);
        let (secret, sealed) = self.sealed_anew(tenant, id, secret_version).await?;
        let previous = Previous { sealed: row.sealed, until_ms: self.clock.unix_ms().saturating_add(OVERLAP_MS) };
        let row = Webhook { secret_version, sealed, previous: Some(previous), ..row };
        let change = Change::replace(Key::Webhook(tenant, id), version, Row::Webhook(Box::new(row.clone())));
        self.store.put_cas(vec![change], vec![origin.stamp(about("webhook.rotate", &row))]).await?;
        Ok(ShownWebhook { row, secret })
    }

    /// Sends a webhook a message that says nothing, also one that is disabled: if it takes it, it is enabled.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn ping_webhook(
        &self,
        tenant: TenantId,
        id: WebhookId,
        origin: &Origin,
    ) -> Result<Delivery, ServiceError> {
        let (_, row) = self.webhook(tenant, id).await?;
        let at_ms = self.clock.unix_ms();
        let (kind, resource) = (EventKind::Ping, "webhook".to_owned());
        let message = Message { kind, at_ms, resource, id: id.to_string(), entry: None };
        let delivery = self.new_delivery(tenant, id, message);
        let entry = origin.stamp(about("webhook.test", &row)).detail("delivery", delivery.id.to_string());
        self.store.put_cas(queued(&delivery, Expect::Absent), vec![entry]).await?;
        Ok(delivery)
    }

    /// A page of what a webhook was or is to be sent, newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn deliveries(
        &self,
        tenant: TenantId,
        id: WebhookId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Delivery>, ServiceError> {
        self.webhook(tenant, id).await?;
        let page = self.store.scan(Range::WebhookDeliveries(tenant, id), after, limit).await?;
        Ok(picked(page, |row| if let Row::WebhookDelivery(row) = row { Some(*row) } else { None }))
    }

    /// Sends a message once more, under its own id, and tries for as long as for a new one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's; [`ServiceError::Conflict`] while it is being tried.
    pub async fn redeliver(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        id: DeliveryId,
        origin: &Origin,
    ) -> Result<Delivery, ServiceError> {
        let (_, row) = self.webhook(tenant, webhook).await?;
        let (version, delivery) =
            self.delivery(tenant, webhook, id).await?.ok_or(ServiceError::NotFound("delivery"))?;
        if let DeliveryState::Waiting(_) = delivery.state {
            let text = "it is being tried: look at its next attempt; nothing was done";
            return Err(ServiceError::conflict("delivery_waiting", text));
        }
        let now = self.clock.unix_ms();
        let again = Delivery { since_ms: now, attempts: 0, state: DeliveryState::Waiting(now), ..delivery };
        let entry = origin.stamp(about("webhook.redeliver", &row)).detail("delivery", id.to_string());
        self.store.put_cas(queued(&again, Expect::Version(version)), vec![entry]).await?;
        Ok(again)
    }

    async fn webhook(&self, tenant: TenantId, id: WebhookId) -> Result<(u64, Webhook), ServiceError> {
        match self.store.get(Key::Webhook(tenant, id)).await? {
            Some(Versioned { version, row: Row::Webhook(row) }) => Ok((version, *row)),
            _ => Err(ServiceError::NotFound("webhook")),
        }
    }

    async fn delivery(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<(u64, Delivery)>, StoreError> {
        Ok(match self.store.get(Key::WebhookDelivery(tenant, webhook, id)).await? {
            Some(Versioned { version, row: Row::WebhookDelivery(row) }) => Some((version, *row)),
            _ => None,
        })
    }

    fn new_delivery(&self, tenant: TenantId, webhook: WebhookId, message: Message) -> Delivery {
        let (id, since_ms) = (DeliveryId::new(self.clock()), self.clock.unix_ms());
        let state = DeliveryState::Waiting(since_ms);
        Delivery { id, tenant, webhook, message, since_ms, attempts: 0, state, last: None }
    }

    /// Makes a secret, and has the keeper seal it.
    async fn sealed_anew(
        &self,
        tenant: TenantId,
        id: WebhookId,
        version: u32,
    ) -> Result<(Zeroizing<String>, Vec<u8>), ServiceError> {
        let kek = self.newest_kek(tenant).await?;
        let (shown, sealing) = {
            let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
            aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| no_random(NoRandom))?;
            let shown = Zeroizing::new([SECRET_PREFIX, BASE64.encode(bytes.as_ref()).as_str()].concat());
            let secret = Plaintext::copy_of(bytes.as_ref())
                .map_err(|error| ServiceError::unavailable(Part::Load, error.to_string()))?;
            let seal = Seal { binding: binding(tenant, id, version), key_id: String::new(), kek };
            (shown, self.keeper.seal(seal, secret))
        };
        Ok((shown, sealing.await?))
    }
}

/// The rows of a delivery that waits.
fn queued(delivery: &Delivery, expect: Expect) -> Vec<Change> {
    let row = Row::WebhookDelivery(Box::new(delivery.clone()));
    let change = Change { key: delivery_key(delivery), expect, row: Some(row) };
    let due = delivery.due().map(|due| Change::set(due_key(&due), Row::WebhookDue(due)));
    [change].into_iter().chain(due).collect()
}

/// The rows of a delivery, removed.
fn unqueued(delivery: &Delivery) -> Vec<Change> {
    let due = delivery.due().map(|due| Change::remove(due_key(&due)));
    [Change::remove(delivery_key(delivery))].into_iter().chain(due).collect()
}

fn delivery_key(delivery: &Delivery) -> Key {
    Key::WebhookDelivery(delivery.tenant, delivery.webhook, delivery.id)
}

fn due_key(due: &DueDelivery) -> Key {
    Key::WebhookDue(due.tenant, due.webhook, due.at_ms, due.delivery)
}

/// An entry about a webhook. Its URL may be the receiver's secret, and is left out.
fn about(action: &str, row: &Webhook) -> Draft {
    let entry = Draft::new(action, EntryOutcome::Allowed).tenant(row.tenant.to_string());
    entry.on("webhook", row.id.to_string()).detail("label", &row.label)
}
