//! What a rule is tried on: a store that can be closed and opened again, and its clock.

use std::sync::Arc;

use claviger_core::credential::State;
use claviger_core::store::{Admit, Change, ExecutionState, Granted, Intent, Outcome, Row, Store, StoredAnswer};

use super::fixtures::{ManualClock, credential_key, credential_row, draft};

/// Opens the same store each time, once the one before was dropped.
pub(crate) trait Engine {
    fn open(&self, clock: Arc<ManualClock>) -> Arc<dyn Store>;
}

pub(crate) struct Bench {
    engine: Box<dyn Engine>,
    store: Option<Arc<dyn Store>>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Bench {
    pub(crate) fn new(engine: impl Engine + 'static) -> Self {
        let clock = ManualClock::new();
        let store = Some(engine.open(clock.clone()));
        Self { engine: Box::new(engine), store, clock }
    }

    /// A bench with active credentials 0 of tenant 0 and 1 of tenant 1.
    pub(crate) async fn with_credentials(self) -> Self {
        for n in [0, 1] {
            self.put_credential(n, State::Active, 1).await;
        }
        self
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_deref().expect("open")
    }

    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        self.store.clone().expect("open")
    }

    pub(crate) fn reopen(&mut self) {
        self.close();
        self.open();
    }

    pub(crate) fn close(&mut self) {
        let store = self.store.take().expect("open");
        assert_eq!(Arc::strong_count(&store), 1, "nobody else holds the store");
        drop(store);
    }

    pub(crate) fn open(&mut self) {
        self.store = Some(self.engine.open(self.clock.clone()));
    }

    /// Writes credential `n` of tenant `n`, whatever was there.
    pub(crate) async fn put_credential(&self, n: u8, state: State, epoch: u64) {
        let row = Row::Credential(credential_row(n, n, state, epoch));
        let change = Change::set(credential_key(n, n), row);
        self.store().put_cas(vec![change], vec![draft(n, "credential")]).await.unwrap();
    }

    /// Writes an active credential `n` of another tenant than `n`.
    pub(crate) async fn put_another_credential(&self, of: u8, n: u8) {
        let row = Row::Credential(credential_row(of, n, State::Active, 1));
        let change = Change::set(credential_key(of, n), row);
        self.store().put_cas(vec![change], vec![]).await.unwrap();
    }

    pub(crate) async fn admit(&self, intent: Intent) -> Admit {
        let mut admits = self.store().commit_intents(vec![intent]).await.unwrap();
        assert_eq!(admits.len(), 1);
        admits.remove(0)
    }

    pub(crate) async fn grant(&self, intent: Intent) -> Granted {
        granted(self.admit(intent).await)
    }

    /// Asks for an intent that must be granted, and lets it be.
    pub(crate) async fn passes(&self, intent: Intent) {
        drop(self.grant(intent).await);
    }

    pub(crate) async fn settle(&self, intent: u64, state: ExecutionState, body: &str) {
        self.store().commit_outcomes(vec![outcome(intent, state, body)]).await.unwrap();
    }
}

pub(crate) fn granted(admit: Admit) -> Granted {
    match admit {
        Admit::Granted(granted) => granted,
        other => panic!("not granted: {other:?}"),
    }
}

pub(crate) fn outcome(intent: u64, state: ExecutionState, body: &str) -> Outcome {
    let answer = StoredAnswer { status: 200, body: body.as_bytes().to_vec(), question: None };
    let entry = draft(0, &format!("outcome of {intent}")).intent(intent);
    Outcome { intent, state, answer: Some(answer), valid_until_ms: None, entry }
}

/// The outcome of a signature's being given out.
pub(crate) fn release(intent: u64, valid_until_ms: u64) -> Outcome {
    let valid_until_ms = Some(valid_until_ms);
    Outcome { answer: None, valid_until_ms, ..outcome(intent, ExecutionState::Released, "") }
}
