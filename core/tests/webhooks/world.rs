//! The service over a store in memory and a keeper, with two tenants and time as the test wants it.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use claviger_core::audit::{Draft, EntryOutcome};
use claviger_core::clock::{BootTime, Clock};
use claviger_core::execution::Origin;
use claviger_core::execution::egress::{Egress, SendError, VenueAnswer};
use claviger_core::id::{TenantId, WebhookId};
use claviger_core::keeper::service::{Hosts, run};
use claviger_core::keeper::{KeeperClient, KeeperConfig};
use claviger_core::service::{Posted, Service, ShownWebhook, SignedMessage, Venues};
use claviger_core::store::redb::RedbStore;
use claviger_core::webhook::{Delivery, DueDelivery, Webhook};
use claviger_venues::{RequestParts, VenueId};
use data_encoding::BASE64;
use redb::backends::InMemoryBackend;

use crate::token::SoftToken;

pub(crate) const HOUR_MS: u64 = 60 * 60 * 1_000;

const ORIGIN: &str = "claviger/webhooks";
const START_MS: u64 = 1_785_312_000_000;

#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    pub(crate) fn step(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn is_at_least(&self, at_ms: u64) {
        self.0.fetch_max(at_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst) * 1_000_000
    }

    fn boot(&self) -> BootTime {
        BootTime(0)
    }
}

#[derive(Debug)]
struct NoWay;

#[async_trait]
impl Egress for NoWay {
    async fn send(&self, _: VenueId, _: RequestParts, _: Duration, _: Duration) -> Result<VenueAnswer, SendError> {
        panic!("no venue is asked")
    }
}

pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) clock: ManualClock,
    pub(crate) tenants: [TenantId; 2],
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock(Arc::new(AtomicU64::new(START_MS)));
        let (here, there) = UnixStream::pair().unwrap();
        let config = KeeperConfig {
            hosts: Hosts::default(),
            origin: ORIGIN.to_owned(),
            token_seconds_max: 900,
            missing: Vec::new(),
            objects_max: 0,
            root_unused: Duration::ZERO,
            import_tenants: Vec::new(),
            leak_bytes_max: u64::MAX,
        };
        let (token, time) = (SoftToken::new(), Box::new(clock.clone()));
        // It ends with the service's end of the socket.
        std::thread::spawn(move || run(&there, vec![token], config, time, || panic!("a call to the token hangs")));
        let time = Arc::new(clock.clone());
        let store = RedbStore::over(InMemoryBackend::new, 1 << 20, ORIGIN, time.clone()).unwrap();
        let (keeper, venues) = (KeeperClient::default(), Venues::default());
        let service = Service::new(Arc::new(store), keeper, Arc::new(NoWay), time, venues, ORIGIN.to_owned());
        service.take_keeper(here).await.unwrap();
        let mut tenants = [TenantId::MIN; 2];
        for (tenant, name) in tenants.iter_mut().zip(["one", "other"]) {
            *tenant = service.make_tenant(name, &Origin::system(&clock)).await.unwrap().id;
        }
        Self { service, clock, tenants }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::system(&self.clock)
    }

    pub(crate) async fn made(&self, tenant: TenantId) -> ShownWebhook {
        self.service.make_webhook(tenant, "desk", "https://desk.example/in", &self.origin()).await.unwrap()
    }

    pub(crate) async fn webhook(&self, tenant: TenantId, id: WebhookId) -> Webhook {
        let all = self.service.webhooks(tenant, None, 99).await.unwrap().rows;
        all.into_iter().find(|row| row.id == id).expect("a webhook")
    }

    /// Writes an entry, and gives every webhook its messages, a moment later than what was before.
    pub(crate) async fn happens(&self, entry: Draft) -> u64 {
        self.clock.step(1);
        let seq = self.service.store().append(vec![entry]).await.unwrap()[0].seq;
        self.service.tell_webhooks().await.unwrap();
        seq
    }

    pub(crate) async fn deliveries(&self, tenant: TenantId, id: WebhookId) -> Vec<Delivery> {
        self.service.deliveries(tenant, id, None, 200).await.unwrap().rows
    }

    /// What waits for a tenant's webhook.
    pub(crate) async fn waiting(&self, tenant: TenantId, id: WebhookId) -> Vec<DueDelivery> {
        let mut after = None;
        loop {
            let waiting = self.service.waiting_deliveries(after, 200).await.unwrap();
            let Some(first) = waiting.first() else { return Vec::new() };
            if (first.tenant, first.webhook) == (tenant, id) {
                return waiting;
            }
            after = Some((first.tenant, first.webhook));
        }
    }

    /// Tries what is due first when it is due; says what was sent.
    pub(crate) async fn tried(&self, tenant: TenantId, id: WebhookId, posted: Posted) -> Option<SignedMessage> {
        let due = *self.waiting(tenant, id).await.first().expect("something that waits");
        self.clock.is_at_least(due.at_ms);
        let message = self.service.signed_message(&due).await.unwrap();
        if message.is_some() {
            self.service.posted(&due, &posted).await.unwrap();
        }
        message
    }

    /// A message that an operator asked for, as it was sent.
    pub(crate) async fn pinged(&self, tenant: TenantId, id: WebhookId) -> SignedMessage {
        self.service.ping_webhook(tenant, id, &self.origin()).await.unwrap();
        self.tried(tenant, id, answered(200)).await.expect("a message")
    }
}

pub(crate) fn answered(status: u16) -> Posted {
    Posted::Answered { status, retry_after: None }
}

pub(crate) fn freeze(tenant: Option<TenantId>, resource: &str) -> Draft {
    let entry = Draft::new("scope.freeze", EntryOutcome::Allowed).on(resource, "x");
    tenant.map_or(entry.clone(), |tenant| entry.tenant(tenant.to_string()))
}

/// Which of a message's signatures a secret verifies, by its own reading of the specification.
pub(crate) fn verifies(message: &SignedMessage, secret: &str) -> Vec<bool> {
    let header = |name: &str| message.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    let head = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    let key = hmac::Key::new(HMAC_SHA256, &key);
    let signed = [head.as_bytes(), &message.body].concat();
    let verifies = |signature: &str| {
        let mac = BASE64.decode(signature.strip_prefix("v1,").unwrap().as_bytes()).unwrap();
        hmac::verify(&key, &signed, &mac).is_ok()
    };
    header("webhook-signature").split(' ').map(verifies).collect()
}
