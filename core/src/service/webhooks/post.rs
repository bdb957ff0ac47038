//! Sending: what is due, the signed request, and what comes of it. The network is the caller's.

use data_encoding::BASE64;

use super::super::{Service, ServiceError};
use super::{about, due_key, queued, unqueued};
use crate::envelope::Envelope;
use crate::execution::Origin;
use crate::id::{TenantId, WebhookId};
use crate::keeper::KeeperError;
use crate::keeper::message::{Refused, SealedSecret, SignWebhook};
use crate::store::{Change, Expect, Key, Range, Row, StoreError};
use crate::webhook::{Attempt, Delivery, DeliveryState, Disabled, DueDelivery, Webhook, Why, asked_ms, next_try_ms};

/// How often something is stored anew when a row changed meanwhile.
const TRIES: usize = 20;

/// That a webhook took something is written down this often, milliseconds.
const TOOK_EVERY_MS: u64 = 60 * 60 * 1_000;

/// A message, signed, to be posted now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedMessage {
    /// Where it goes.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What came of posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// An answer.
    Answered {
        /// Its status.
        status: u16,
        /// Its `Retry-After`.
        retry_after: Option<String>,
    },
    /// None, and why.
    Failed(String),
}

impl Posted {
    /// Whether the receiver has it.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }
}

impl Service {
    /// What waits for the first webhook after this one, or of all, that something waits for; what is due first comes
    /// first. Nothing if none is left.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn waiting_deliveries(
        &self,
        after: Option<(TenantId, WebhookId)>,
        limit: usize,
    ) -> Result<Vec<DueDelivery>, ServiceError> {
        let page = self.store.scan(Range::WebhooksDueAfter(after), None, limit).await?;
        let rows =
            page.rows.into_iter().filter_map(|row| if let Row::WebhookDue(due) = row.row { Some(due) } else { None });
        let mut rows: Vec<DueDelivery> = rows.collect();
        let first = rows.first().map(|due| due.webhook);
        rows.retain(|due| Some(due.webhook) == first);
        Ok(rows)
    }

    /// The message of a delivery that is due; none if it is not to be sent any more.
    ///
    /// # Errors
    /// [`ServiceError`]; it stays due.
    pub async fn signed_message(&self, due: &DueDelivery) -> Result<Option<SignedMessage>, ServiceError> {
        let found = self.delivery(due.tenant, due.webhook, due.delivery).await?;
        let Some((version, delivery)) = found.filter(|(_, delivery)| delivery.due().as_ref() == Some(due)) else {
            self.store.put_cas(vec![Change::remove(due_key(due))], Vec::new()).await?;
            return Ok(None);
        };
        let row = match self.webhook(due.tenant, due.webhook).await {
            Ok((_, row)) => row,
            Err(ServiceError::NotFound(_)) => {
                self.store.put_cas(unqueued(&delivery), Vec::new()).await?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // What was asked for since is sent all the same: it may be enabled by that.
        if row.disabled.is_some_and(|disabled| delivery.since_ms < disabled.at_ms) {
            let over = Delivery { state: DeliveryState::GivenUp(self.clock.unix_ms()), ..delivery };
            let changes = [queued(&over, Expect::Version(version)), vec![Change::remove(due_key(due))]].concat();
            self.store.put_cas(changes, Vec::new()).await?;
            return Ok(None);
        }
        let body = delivery.message.body(due.tenant);
        match self.signed(due, &row, &body).await {
            Ok(headers) => Ok(Some(SignedMessage { url: row.url, headers, body })),
            Err(ServiceError::Tampered) => {
                tracing::error!(webhook.id = %due.webhook, tenant.id = %due.tenant, "the webhook's secret does not open");
                let why = "the stored secret does not open: rotate it";
                self.posted(due, &Posted::Failed(why.to_owned())).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The headers of a message, by the keeper.
    async fn signed(
        &self,
        due: &DueDelivery,
        row: &Webhook,
        body: &[u8],
    ) -> Result<Vec<(String, String)>, ServiceError> {
        let now = self.clock.unix_ms();
        let previous = row.previous.as_ref().filter(|previous| previous.until_ms > now);
        let mut secrets = Vec::new();
        for sealed in [Some(&row.sealed), previous.map(|previous| &previous.sealed)].into_iter().flatten() {
            let version = Envelope::from_bytes(sealed).map_err(|_| ServiceError::Tampered)?.kek_version;
            let kek = self.directory.kek(self.store(), row.tenant, version).await?.ok_or(ServiceError::Tampered)?;
            secrets.push(SealedSecret { sealed: sealed.clone(), kek: kek.as_ref().clone() });
        }
        let sign =
            SignWebhook { tenant: row.tenant, webhook: row.id, delivery: due.delivery, body: body.to_vec(), secrets };
        let signed = self.keeper.sign_webhook(sign).await.map_err(|error| match error {
            // A row that was moved here from elsewhere opens as little as one that was changed.
            KeeperError::Refused(Refused::Relabelled) => ServiceError::Tampered,
            error @ (KeeperError::Gone | KeeperError::Token(_) | KeeperError::Refused(_)) => error.into(),
        })?;
        let signatures: Vec<String> = signed.macs.iter().map(|mac| format!("v1,{}", BASE64.encode(mac))).collect();
        let header = |name: &str, value: String| (name.to_owned(), value);
        Ok(vec![
            header("content-type", "application/json".to_owned()),
            header("user-agent", "claviger".to_owned()),
            header("webhook-id", due.delivery.to_string()),
            header("webhook-timestamp", signed.timestamp.to_string()),
            header("webhook-signature", signatures.join(" ")),
        ])
    }

    /// Writes down what came of posting a delivery: it was taken, is tried again later, or is given up. A webhook that
    /// wants no more, or took nothing for as long as one delivery is tried, is disabled; one that takes something is
    /// enabled.
    ///
    /// # Errors
    /// [`ServiceError`]; it is as before, and will be sent once more.
    pub async fn posted(&self, due: &DueDelivery, posted: &Posted) -> Result<(), ServiceError> {
        let mut random = [0; 1];
        // Without it they are tried together: no reason to try none.
        let _ = aws_lc_rs::rand::fill(&mut random);
        let mut tries = 0..TRIES;
        loop {
            let found = self.delivery(due.tenant, due.webhook, due.delivery).await?;
            let Some((version, delivery)) = found.filter(|(_, delivery)| delivery.due().as_ref() == Some(due)) else {
                // It was removed, or another one wrote down the same.
                return Ok(());
            };
            let (webhook_version, row) = match self.webhook(due.tenant, due.webhook).await {
                Err(ServiceError::NotFound(_)) => return Ok(()),
                found => found?,
            };
            let now = self.clock.unix_ms();
            let next = after_attempt(delivery, posted, now, random[0]);
            let mut changes = vec![Change::remove(due_key(due))];
            changes.extend(queued(&next, Expect::Version(version)));
            let mut entries = Vec::new();
            if let Some((changed, action)) = after_delivery(row, &next, posted, now) {
                let origin = Origin::system(self.clock());
                entries.extend(action.map(|action| origin.stamp(told(action, &changed))));
                let key = Key::Webhook(due.tenant, due.webhook);
                changes.push(Change::replace(key, webhook_version, Row::Webhook(Box::new(changed))));
            }
            match self.store.put_cas(changes, entries).await {
                Err(StoreError::Conflict(_)) if tries.next().is_some() => {}
                done => return Ok(done.map(drop)?),
            }
        }
    }
}

/// A delivery after an attempt.
fn after_attempt(delivery: Delivery, posted: &Posted, now: u64, random: u8) -> Delivery {
    let attempts = delivery.attempts.saturating_add(1);
    let (status, fault, asked) = match posted {
        Posted::Answered { status, retry_after } => {
            let asked = retry_after.as_deref().and_then(|text| asked_ms(text, now));
            let fault = if posted.is_taken() { String::new() } else { format!("it answers with status {status}") };
            (Some(*status), fault, asked)
        }
        Posted::Failed(why) => (None, why.clone(), None),
    };
    let state = if posted.is_taken() {
        DeliveryState::Taken(now)
    } else if status == Some(GONE) {
        DeliveryState::GivenUp(now)
    } else {
        next_try_ms(attempts, now, asked, random).map_or(DeliveryState::GivenUp(now), DeliveryState::Waiting)
    };
    Delivery { attempts, state, last: Some(Attempt { at_ms: now, status, fault }), ..delivery }
}

/// A webhook after that, if it changes, and what the log says of it.
fn after_delivery(
    row: Webhook,
    delivery: &Delivery,
    posted: &Posted,
    now: u64,
) -> Option<(Webhook, Option<&'static str>)> {
    if posted.is_taken() {
        let was_disabled = row.disabled.is_some();
        let is_news = was_disabled || now.saturating_sub(row.took_ms) >= TOOK_EVERY_MS;
        let action = was_disabled.then_some("webhook.enable");
        return is_news.then_some((Webhook { took_ms: now, disabled: None, ..row }, action));
    }
    let DeliveryState::GivenUp(_) = delivery.state else { return None };
    let is_gone = matches!(posted, Posted::Answered { status: GONE, .. });
    let why = if is_gone { Why::Gone } else { Why::Failing };
    if row.disabled.is_some() || !(is_gone || row.took_ms < delivery.since_ms) {
        return None;
    }
    tracing::warn!(webhook.id = %row.id, tenant.id = %row.tenant, why = why.as_str(), "a webhook is disabled");
    Some((Webhook { disabled: Some(Disabled { at_ms: now, why }), ..row }, Some("webhook.disable")))
}

/// The status of whoever wants nothing more.
const GONE: u16 = 410;

fn told(action: &str, row: &Webhook) -> crate::audit::Draft {
    let entry = about(action, row);
    match row.disabled {
        Some(disabled) => entry.rule(disabled.why.as_str()),
        None => entry,
    }
}
