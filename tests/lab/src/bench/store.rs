//! The store by itself: what a durable audit entry costs, and the two commits that every execution pays for.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use claviger_core::audit::{Draft, EntryOutcome, UserKind};
use claviger_core::clock::SystemClock;
use claviger_core::id::{AppId, CredentialId, ExecutionId, GrantId, TenantId};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{
    Admit, Change, Effect, ExecutionState, Idempotency, Intent, IntentKind, Key, NewExecution, Outcome, Question, Row,
    Scopes, Store, StoredAnswer,
};
use claviger_venues::{Params, VenueId};

use super::crowd::{Caller, crowd};
use super::stats::Round;
use crate::stock::credential_row;

/// What the simulator answers to an order, about.
const ANSWER_BYTES: usize = 400;

/// A store with one credential, and what is asked of it.
#[derive(Debug)]
pub(crate) struct Desk {
    store: RedbStore,
    scopes: Scopes,
    number: AtomicU64,
}

/// What one caller does.
#[derive(Clone, Debug)]
enum Asks {
    /// One audit entry.
    Entry(Arc<Desk>),
    /// An intent and its outcome: two commits.
    Pair(Arc<Desk>),
}

impl Desk {
    /// Makes a store in a folder.
    pub(crate) async fn open(folder: &Path) -> Result<Arc<Self>> {
        let clock = SystemClock;
        let store = RedbStore::open(&folder.join("bench.redb"), "claviger/bench", Arc::new(clock))?;
        let (tenant, credential) = (TenantId::new(&clock), CredentialId::new(&clock));
        let scopes = Scopes {
            tenant,
            owner: Some("trader-1".to_owned()),
            venue: VenueId::Binance,
            app: Some(AppId::new(&clock)),
            grant: Some(GrantId::new(&clock)),
            credential: Some(credential),
            virtual_key: None,
        };
        let row = Row::Credential(credential_row(tenant, credential));
        let desk = Self { store, scopes, number: AtomicU64::new(0) };
        desk.store.put_cas(vec![Change::set(Key::Credential(tenant, credential), row)], vec![desk.draft()]).await?;
        Ok(Arc::new(desk))
    }

    /// Audit entries that belong to nothing, by so many callers.
    pub(crate) async fn entries(self: &Arc<Self>, callers: usize, lasting: Duration) -> Result<Round> {
        Ok(crowd(vec![Asks::Entry(Arc::clone(self)); callers], lasting).await?.1)
    }

    /// Intents with their outcomes, by so many callers.
    pub(crate) async fn pairs(self: &Arc<Self>, callers: usize, lasting: Duration) -> Result<Round> {
        Ok(crowd(vec![Asks::Pair(Arc::clone(self)); callers], lasting).await?.1)
    }

    async fn pair(&self) -> Result<()> {
        let id = ExecutionId::new(&SystemClock);
        let key = format!("bench-{}", self.number.fetch_add(1, Ordering::Relaxed));
        let idempotency = Idempotency { key, request: [7; 32] };
        let intent = Intent {
            kind: IntentKind::App,
            scopes: self.scopes.clone(),
            epoch: Some(1),
            effect: Effect::Opens,
            nonce: false,
            execution: Some(NewExecution {
                id,
                operation: "order.place".to_owned(),
                idempotency,
                release: false,
                questions: vec![Question {
                    operation: "order.get".to_owned(),
                    params: Params::from_iter([("symbol", "BTCUSDT"), ("origClientOrderId", "clv0123456789abcdef")]),
                }],
            }),
            seen: Vec::new(),
            uses: None,
            charges: Vec::new(),
            resting: Vec::new(),
            entry: self.draft(),
        };
        let admitted = self.store.commit_intents(vec![intent]).await?.pop();
        let Some(Admit::Granted(granted)) = admitted else { bail!("not granted: {admitted:?}") };
        let outcome = Outcome {
            intent: granted.intent(),
            state: ExecutionState::Acked,
            answer: Some(StoredAnswer { status: 200, body: vec![b'x'; ANSWER_BYTES], question: None }),
            valid_until_ms: None,
            entry: self.draft().intent(granted.intent()),
        };
        self.store.commit_outcomes(vec![outcome]).await?.pop().context("no receipt").map(drop)
    }

    /// An entry as long as those of executions are.
    fn draft(&self) -> Draft {
        let id = |id: Option<String>| id.unwrap_or_default();
        Draft::new("execution.intent", EntryOutcome::Allowed)
            .tenant(self.scopes.tenant.to_string())
            .by(UserKind::App, id(self.scopes.app.map(|app| app.to_string())))
            .on("credential", id(self.scopes.credential.map(|credential| credential.to_string())))
            .from_ip("127.0.0.1")
            .request("req_01jbench00000000000000000")
            .detail("operation", "order.place")
            .detail("venue", "binance")
    }
}

impl Caller for Asks {
    async fn call(&mut self) -> Result<()> {
        match self {
            Self::Entry(desk) => desk.store.append(vec![desk.draft()]).await.map(drop).map_err(Into::into),
            Self::Pair(desk) => desk.pair().await,
        }
    }
}
