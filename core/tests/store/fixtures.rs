//! A small world: two tenants with an app and credentials each, a clock set by hand, and drafts that can be told apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_core::audit::{Draft, EntryOutcome, Personal};
use claviger_core::clock::{BootTime, Clock};
use claviger_core::credential::{Credential, Health, State, Upkeep};
use claviger_core::envelope::Mode;
use claviger_core::id::{AppId, CredentialId, ExecutionId, GrantId, TenantId, VirtualKeyId};
use claviger_core::identity::{App, Tenant};
use claviger_core::store::{
    Effect, Idempotency, Intent, IntentKind, Key, NewExecution, OpenIntent, Question, Row, Scope, Scopes, Stop,
};
use claviger_venues::{Ceiling, CeilingClass, Params, Products, SecretKind, VenueId};

pub(crate) const ORIGIN: &str = "claviger/log-1";
pub(crate) const WRITER: &str = "log-1";
pub(crate) const START_MS: u64 = 1_785_312_000_000;

/// Time as the test wants it.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(START_MS * 1_000_000)))
    }

    /// Sets the wall clock forward or back.
    pub(crate) fn step(&self, ms: i64) {
        let ns = self.unix_ns().saturating_add_signed(ms * 1_000_000);
        self.0.store(ns, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn boot(&self) -> BootTime {
        BootTime(0)
    }
}

pub(crate) fn tenant(n: u8) -> TenantId {
    TenantId::from_bytes([0x10 + n; 16])
}

pub(crate) fn app(n: u8) -> AppId {
    AppId::from_bytes([0x20 + n; 16])
}

pub(crate) fn grant(n: u8) -> GrantId {
    GrantId::from_bytes([0x30 + n; 16])
}

pub(crate) fn credential(n: u8) -> CredentialId {
    CredentialId::from_bytes([0x40 + n; 16])
}

/// Execution ids that rise with `n`, as those of one clock do.
pub(crate) fn execution(n: u64) -> ExecutionId {
    let mut id = [0x50; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    ExecutionId::from_bytes(id)
}

pub(crate) fn owner(n: u8) -> String {
    format!("owner-{n}")
}

pub(crate) fn credential_key(tenant_n: u8, n: u8) -> Key {
    Key::Credential(tenant(tenant_n), credential(n))
}

pub(crate) fn credential_row(tenant_n: u8, n: u8, state: State, epoch: u64) -> Credential {
    Credential {
        id: credential(n),
        tenant: tenant(tenant_n),
        owner: owner(n),
        label: format!("key {n}"),
        venue: VenueId::Kraken,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
        hint: "abcd…wxyz".to_owned(),
        index: [n; 32],
        state,
        health: Health::Ok,
        ip_restricted: true,
        version: 1,
        epoch,
        created_ms: START_MS,
        changed_ms: START_MS,
        probed_ms: START_MS,
        upkeep: Upkeep::default(),
    }
}

pub(crate) fn tenant_row(n: u8, name: &str) -> Row {
    Row::Tenant(Tenant { id: tenant(n), name: name.to_owned(), kek_version: 1, created_ms: START_MS })
}

pub(crate) fn app_row(tenant_n: u8, n: u8, name: &str) -> Row {
    Row::App(App {
        id: app(n),
        tenant: tenant(tenant_n),
        name: name.to_owned(),
        authenticators: Vec::new(),
        created_ms: START_MS,
    })
}

/// An entry of a tenant, found again by its label.
pub(crate) fn draft(tenant_n: u8, label: &str) -> Draft {
    Draft::new("test.write", EntryOutcome::Allowed).tenant(tenant(tenant_n).to_string()).request(label)
}

/// The same, about a person; the name stands in the clear so that a test can look up the key.
pub(crate) fn personal_draft(tenant_n: u8, label: &str, owner: &str) -> Draft {
    draft(tenant_n, label).detail("owner", owner).personal(Personal { owner: owner.to_owned() })
}

pub(crate) fn virtual_key(n: u8) -> VirtualKeyId {
    VirtualKeyId::from_bytes([n; 16])
}

/// Tenant, app, grant, owner and credential of one number belong together.
pub(crate) fn scopes(n: u8) -> Scopes {
    Scopes {
        tenant: tenant(n),
        owner: Some(owner(n)),
        venue: VenueId::Kraken,
        app: Some(app(n)),
        grant: Some(grant(n)),
        credential: Some(credential(n)),
        virtual_key: Some(virtual_key(n)),
    }
}

/// Each kind of scope that [`scopes`] lie in.
pub(crate) fn every_scope(n: u8) -> [Scope; 8] {
    [
        Scope::All,
        Scope::Tenant(tenant(n)),
        Scope::Owner(tenant(n), owner(n)),
        Scope::Venue(VenueId::Kraken),
        Scope::App(app(n)),
        Scope::Grant(grant(n)),
        Scope::VirtualKey(virtual_key(n)),
        Scope::Credential(credential(n)),
    ]
}

pub(crate) const STOPS: [Stop; 3] = [Stop::ReduceOnly, Stop::Frozen, Stop::Revoked];

/// An app's intent to trade with credential `n` at epoch 1, without an execution.
pub(crate) fn intent(n: u8, label: &str) -> Intent {
    Intent {
        kind: IntentKind::App,
        scopes: scopes(n),
        epoch: Some(1),
        effect: Effect::Opens,
        nonce: true,
        execution: None,
        seen: Vec::new(),
        uses: None,
        charges: Vec::new(),
        resting: Vec::new(),
        entry: draft(n, label),
    }
}

/// A probe of credential `n` at epoch 1.
pub(crate) fn probe(n: u8, label: &str) -> Intent {
    let scopes = Scopes { app: None, grant: None, virtual_key: None, ..scopes(n) };
    Intent { kind: IntentKind::System, scopes, effect: Effect::Reads, ..intent(n, label) }
}

pub(crate) fn new_execution(n: u64, key: &str, request: u8) -> NewExecution {
    let idempotency = Idempotency { key: key.to_owned(), request: [request; 32] };
    let questions =
        vec![Question { operation: "order.get".to_owned(), params: Params::from_iter([("origClientOrderId", key)]) }];
    NewExecution { id: execution(n), operation: "order.place".to_owned(), idempotency, release: false, questions }
}

/// An app's intent for an execution under an idempotency key.
pub(crate) fn ordered(n: u8, execution: u64, key: &str, request: u8) -> Intent {
    Intent { execution: Some(new_execution(execution, key, request)), ..intent(n, &format!("{key}/{execution}")) }
}

/// An app's intent for a signature that it wants to use itself.
pub(crate) fn released(n: u8, execution: u64, key: &str) -> Intent {
    let execution = NewExecution { release: true, questions: Vec::new(), ..new_execution(execution, key, 1) };
    Intent { execution: Some(execution), ..intent(n, key) }
}

pub(crate) fn numbers(open: &[OpenIntent]) -> Vec<u64> {
    open.iter().map(|open| open.intent).collect()
}
