//! A service over a store in memory, with two founders, and time as the test wants it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use claviger_core::act::{Act, Approval, Plan};
use claviger_core::audit::{Guard, UserKind};
use claviger_core::clock::{BootTime, Clock};
use claviger_core::credential::{Credential, Health, State, Upkeep};
use claviger_core::envelope::Mode;
use claviger_core::execution::Origin;
use claviger_core::execution::egress::{Egress, SendError, VenueAnswer};
use claviger_core::id::{ApprovalId, CredentialId, LoginId, OperatorId, RequestId, TenantId};
use claviger_core::identity::role::Role;
use claviger_core::identity::{CallerSecret, Factors, Login, LoginKind, Operator, OperatorPrincipal, Tenant};
use claviger_core::keeper::{KeeperClient, KekOrigin, KekRow};
use claviger_core::service::{Approved, Ask, Reply, Service, ServiceError, Venues, Waits};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{AuditRange, Change, Key, Row};
use claviger_core::token::KekBlob;
use claviger_venues::{Ceiling, CeilingClass, Products, RequestParts, SecretKind, VenueId};
use redb::backends::InMemoryBackend;

use crate::meddled::{Meddled, Meddler};

pub(crate) const REASON: &str = "because the test says so";
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const START_MS: u64 = 1_785_312_000_000;

#[derive(Debug)]
pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn step(&self, ms: u64) {
        self.0.fetch_add(ms * 1_000_000, Ordering::SeqCst);
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

#[derive(Debug)]
struct NoWay;

#[async_trait]
impl Egress for NoWay {
    async fn send(&self, _: VenueId, _: RequestParts, _: Duration, _: Duration) -> Result<VenueAnswer, SendError> {
        panic!("no act sends anything")
    }
}

pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) meddler: Meddler,
    pub(crate) tenant: TenantId,
    pub(crate) credential: CredentialId,
    /// Two admins that `init` made.
    pub(crate) ann: OperatorPrincipal,
    pub(crate) bob: OperatorPrincipal,
}

impl World {
    pub(crate) async fn new(delay_hours: u64) -> Self {
        let clock = Arc::new(ManualClock(AtomicU64::new(START_MS * 1_000_000)));
        let store = RedbStore::over(InMemoryBackend::new, 1 << 20, "claviger/acts", clock.clone()).unwrap();
        let meddler = Meddler::default();
        let store = Meddled { store, meddler: meddler.clone() };
        let waits = Waits { expire: Duration::from_hours(24), delay: Duration::from_hours(delay_hours) };
        let (egress, origin) = (Arc::new(NoWay), "claviger/acts".to_owned());
        let keeper = KeeperClient::default();
        let service = Service::new(Arc::new(store), keeper, egress, clock.clone(), Venues::default(), origin);
        let (tenant, credential) = (TenantId::from_bytes([1; 16]), CredentialId::from_bytes([2; 16]));
        let service = service.with_waits(waits);
        let nobody = principal(OperatorId::MIN, "nobody", "admin", None, &clock);
        let (ann, bob) = (nobody.clone(), nobody);
        let mut world = Self { service, clock, meddler, tenant, credential, ann, bob };
        world.ann = world.operator("ann", "admin", None, 0).await;
        world.bob = world.operator("bob", "admin", None, 0).await;
        let row = Tenant { id: tenant, name: "t".to_owned(), kek_version: 1, created_ms: 0 };
        let held = KekBlob { root: 1, wrapped: vec![1], canary: vec![1] };
        let kek = KekRow { tenant, version: 1, origin: KekOrigin::Generated, blob: held, mac: [0; 32] };
        world
            .put(vec![
                Change::set(Key::Tenant(tenant), Row::Tenant(row)),
                Change::set(Key::Kek(tenant, 1), Row::Kek(kek)),
                Change::set(Key::Sealed(credential), Row::Sealed(vec![1])),
                Change::set(Key::Index([7; 32]), Row::CredentialRef(credential)),
            ])
            .await;
        world.freeze_by_hand(State::Frozen).await;
        world
    }

    /// Sets the credential's state, as if some stop had done so.
    pub(crate) async fn freeze_by_hand(&self, state: State) {
        let epoch = self.row().await.map_or(1, |row| row.epoch + 1);
        let row = Credential {
            id: self.credential,
            tenant: self.tenant,
            owner: "owner".to_owned(),
            label: "main".to_owned(),
            venue: VenueId::Binance,
            kind: SecretKind::Hmac,
            mode: Mode::Sealed,
            ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
            hint: String::new(),
            index: [7; 32],
            state,
            health: Health::Ok,
            ip_restricted: true,
            version: 1,
            epoch,
            created_ms: 0,
            changed_ms: 0,
            probed_ms: 0,
            upkeep: Upkeep::default(),
        };
        self.put(vec![Change::set(Key::Credential(self.tenant, self.credential), Row::Credential(row))]).await;
    }

    pub(crate) async fn put(&self, changes: Vec<Change>) {
        self.service.store().put_cas(changes, Vec::new()).await.unwrap();
    }

    pub(crate) async fn row(&self) -> Option<Credential> {
        match self.service.store().get(Key::Credential(self.tenant, self.credential)).await.unwrap()?.row {
            Row::Credential(row) => Some(row),
            _ => None,
        }
    }

    /// Makes an operator by hand, with a login.
    pub(crate) async fn operator(
        &self,
        name: &str,
        role: &str,
        tenant: Option<TenantId>,
        made_ms: u64,
    ) -> OperatorPrincipal {
        let id = OperatorId::new(self.clock.as_ref());
        let row = Operator {
            id,
            name: name.to_owned(),
            tenant,
            role: role.to_owned(),
            factors: Factors::default(),
            factors_ms: made_ms,
            created_ms: made_ms,
        };
        self.put(vec![
            Change::set(Key::Operator(id), Row::Operator(row)),
            Change::set(Key::OperatorName(name.to_owned()), Row::OperatorRef(id)),
        ])
        .await;
        let principal = principal(id, name, role, tenant, &self.clock);
        self.log_in(&principal).await;
        principal
    }

    async fn log_in(&self, principal: &OperatorPrincipal) {
        let login = Login {
            id: principal.login,
            operator: principal.operator,
            name: principal.name.clone(),
            kind: principal.kind,
            address: String::new(),
            device: String::new(),
            proven_ms: principal.proven_ms,
            created_ms: 0,
            expires_ms: u64::MAX,
        };
        self.put(vec![Change::set(Key::Login(principal.guard.0), Row::Login(login))]).await;
    }

    pub(crate) fn clock_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// The same operator after a fresh proof.
    pub(crate) fn fresh(&self, principal: &OperatorPrincipal) -> OperatorPrincipal {
        OperatorPrincipal { proven_ms: self.clock.unix_ms(), ..principal.clone() }
    }

    pub(crate) fn unfreeze(&self) -> Act {
        Act::UnfreezeCredential { tenant: self.tenant, credential: self.credential }
    }

    pub(crate) fn delete(&self) -> Act {
        Act::DeleteCredential { tenant: self.tenant, credential: self.credential }
    }

    pub(crate) fn origin(&self, principal: &OperatorPrincipal) -> Origin {
        Origin {
            kind: UserKind::Operator,
            id: principal.name.clone(),
            address: String::new(),
            request: RequestId::new(self.clock.as_ref()),
            guard: Some(principal.guard),
        }
    }

    pub(crate) async fn plan(&self, act: &Act, who: &OperatorPrincipal) -> Plan {
        self.service.plan(act, who).await.unwrap()
    }

    /// Plans an act and asks for it, with everything that it takes.
    pub(crate) async fn ask(&self, act: Act, who: &OperatorPrincipal) -> Result<Reply, ServiceError> {
        let plan = self.service.plan(&act, who).await?;
        let ask = Ask { act, digest: &plan.digest, if_match: plan.etag, confirm: &plan.name, reason: REASON };
        self.service.ask(ask, who, &self.origin(who)).await
    }

    /// The same, for an act that is known to wait.
    pub(crate) async fn asked(&self, act: Act, who: &OperatorPrincipal) -> Approval {
        match self.ask(act, who).await.unwrap() {
            Reply::Waiting(approval, _) => *approval,
            other => panic!("{other:?}"),
        }
    }

    /// The same, with the half of an invitation that who asks is shown.
    pub(crate) async fn invites(&self, act: Act, who: &OperatorPrincipal) -> (Approval, CallerSecret) {
        match self.ask(act, who).await.unwrap() {
            Reply::Waiting(approval, Some(half)) => (*approval, half),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn approve(&self, id: ApprovalId, who: &OperatorPrincipal) -> Result<Approved, ServiceError> {
        self.service.approve(id, REASON, who, &self.origin(who)).await
    }

    pub(crate) async fn state(&self, id: ApprovalId) -> String {
        let approval = self.service.approval(id, &self.ann).await.unwrap();
        approval.state_at(self.clock.unix_ms()).as_str().to_owned()
    }

    /// How many entries of this action the log has.
    pub(crate) async fn entries(&self, action: &str) -> usize {
        let all = AuditRange { from: 0, limit: 10_000, tenant: None };
        let leaves = self.service.store().audit_scan(all).await.unwrap();
        let wanted = format!("\"action\":\"{action}\"");
        leaves.iter().filter(|leaf| String::from_utf8_lossy(&leaf.bytes).contains(&wanted)).count()
    }
}

pub(crate) fn principal(
    operator: OperatorId,
    name: &str,
    role: &str,
    tenant: Option<TenantId>,
    clock: &ManualClock,
) -> OperatorPrincipal {
    let login = LoginId::new(clock);
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(login.as_bytes());
    OperatorPrincipal {
        operator,
        name: name.to_owned(),
        tenant,
        permissions: Role::built_in(role).unwrap().permissions,
        flagged_only: false,
        login,
        kind: LoginKind::Password,
        guard: Guard(hash),
        has_second: false,
        proven_ms: clock.unix_ms(),
        address: IpAddr::from([192, 0, 2, 1]),
    }
}

/// An invitation of its two halves.
pub(crate) fn joined(one: &CallerSecret, other: &CallerSecret) -> String {
    format!("{}.{}", one.reveal(), other.reveal())
}

/// The stable code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> &'static str {
    match result.unwrap_err() {
        ServiceError::Forbidden { code, .. }
        | ServiceError::Conflict { code, .. }
        | ServiceError::Invalid { code, .. } => code,
        ServiceError::PlanChanged => "plan_changed",
        ServiceError::Changed => "changed",
        ServiceError::NotFound(_) => "not_found",
        ServiceError::Unauthenticated(_) => "unauthenticated",
        other => panic!("{other:?}"),
    }
}
