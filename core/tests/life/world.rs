//! The service, its store on a disk whose power can be cut, its keeper, and a venue that finds every key good.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use claviger_core::act::Act;
use claviger_core::audit::{Guard, Subject};
use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::execution::Origin;
use claviger_core::execution::egress::{Egress, SendError, VenueAnswer};
use claviger_core::id::{LoginId, OperatorId, TenantId};
use claviger_core::identity::role::Role;
use claviger_core::identity::{Factors, Login, LoginKind, Operator, OperatorPrincipal};
use claviger_core::keeper::service::{Hosts, run};
use claviger_core::keeper::{Exit, KeeperClient, KeeperConfig};
use claviger_core::service::{Ask, Reply, Service, ServiceError, Venues, Waits};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Change, Key, Range, Row, Versioned};
use claviger_venues::{RequestParts, VenueId};
use redb::Database;

use super::picture::Picture;
use super::token::SoftToken;
use crate::disk::{Disk, Fault};
use crate::meddled::{Meddled, Meddler};
use crate::seed::Seed;

const ORIGIN: &str = "claviger/life";
pub(crate) const REASON: &str = "because the test says so";

/// What Binance says of a key that may read.
const READS: &str = r#"{"ipRestrict":true,"createTime":1698645219000,"enableReading":true,"enableWithdrawals":false,
    "enableInternalTransfer":false,"enableMargin":false,"enableFutures":false,"permitsUniversalTransfer":false,
    "enableVanillaOptions":false,"enableFixApiTrade":false,"enableFixReadOnly":false,
    "enableSpotAndMarginTrading":false,"enablePortfolioMarginTrading":false}"#;

/// What `TopstepX` says to a login, and of a key.
const LOGS_IN: &str = r#"{"token":"opaque","accounts":[],"success":true,"errorCode":0}"#;

#[derive(Debug)]
struct GoodVenue;

#[async_trait]
impl Egress for GoodVenue {
    async fn send(&self, at: VenueId, _: RequestParts, _: Duration, _: Duration) -> Result<VenueAnswer, SendError> {
        let body = if at == VenueId::Topstepx { LOGS_IN } else { READS };
        Ok(VenueAnswer { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() })
    }
}

pub(crate) struct World {
    disk: Disk,
    pub(crate) token: SoftToken,
    pub(crate) meddler: Meddler,
    open: Option<(Arc<Service>, JoinHandle<Exit>)>,
    operators: [OperatorPrincipal; 2],
    /// The tombstones that are kept outside of the store.
    buried: BTreeSet<Subject>,
    /// Whether there is a relay for letters.
    mails: bool,
    pub(crate) tenants: [TenantId; 2],
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_mails(true).await
    }

    pub(crate) async fn with_mails(mails: bool) -> Self {
        let operators = ["ann", "bob"].map(principal);
        let tenants = [TenantId::MIN; 2];
        let mut world = Self {
            disk: Disk::new(),
            token: SoftToken::new(),
            meddler: Meddler::default(),
            open: None,
            operators,
            buried: BTreeSet::new(),
            mails,
            tenants,
        };
        world.start().await;
        for operator in &world.operators {
            world.service().store().put_cas(rows(operator), Vec::new()).await.unwrap();
        }
        for (place, name) in ["one", "other"].into_iter().enumerate() {
            world.tenants[place] = world.service().make_tenant(name, &origin()).await.unwrap().id;
        }
        // As the store has them: ids of the same millisecond come in any order.
        world.tenants.sort_unstable();
        world
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.open.as_ref().expect("open").0
    }

    async fn start(&mut self) {
        let (disk, clock) = (self.disk.clone(), Arc::new(SystemClock));
        let store = RedbStore::over(move || disk.clone(), 1 << 20, ORIGIN, clock.clone()).unwrap();
        let store = Meddled { store, meddler: self.meddler.clone() };
        let hosts = || {
            let mut hosts = Hosts::default();
            hosts.add(VenueId::Binance, None);
            hosts.add(VenueId::Topstepx, None);
            hosts
        };
        let enabled = HashSet::from([VenueId::Binance, VenueId::Topstepx]);
        let accept_unproven = HashSet::from([VenueId::Topstepx]);
        let venues = Venues { enabled, hosts: hosts(), accept_unproven, ..Venues::default() };
        let keeper = KeeperClient::default();
        let service = Service::new(Arc::new(store), keeper, Arc::new(GoodVenue), clock, venues, ORIGIN.to_owned());
        let service = service.with_waits(Waits { delay: Duration::ZERO, ..Waits::default() }).with_mails(self.mails);
        let (here, there) = UnixStream::pair().unwrap();
        let tokens = vec![self.token.clone(), self.token.clone()];
        let config = KeeperConfig {
            hosts: hosts(),
            origin: ORIGIN.to_owned(),
            token_seconds_max: 900,
            missing: Vec::new(),
            objects_max: 0,
            root_unused: Duration::ZERO,
            import_tenants: self.tenants.to_vec(),
            leak_bytes_max: u64::MAX,
        };
        let keeper = std::thread::spawn(move || {
            run(&there, tokens, config, Box::new(SystemClock), || panic!("a call to the token hangs"))
        });
        service.take_keeper(here).await.unwrap();
        self.open = Some((Arc::new(service), keeper));
    }

    /// Ends everything, and starts again.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    /// Has the power go after so many more writes and syncs.
    pub(crate) fn cut_after(&self, operations: u64) {
        self.disk.fail(Fault::PowerCut(self.disk.operations() + operations));
    }

    /// Ends everything, at the latest now, and starts again with what the disk kept.
    pub(crate) async fn crash(&mut self, seed: &mut Seed) {
        self.disk.fail(Fault::PowerCut(0));
        self.stop().await;
        self.disk = self.disk.after_power_cut(seed);
        self.start().await;
    }

    async fn stop(&mut self) {
        let (service, keeper) = self.open.take().expect("open");
        service.keeper().detach();
        // What an error left behind ends when it is next looked at.
        while Arc::strong_count(&service) > 1 {
            tokio::task::yield_now().await;
        }
        drop(service);
        keeper.join().unwrap();
    }

    /// Puts a backup in the store's place, as whoever restores it does: what was deleted since is deleted again.
    pub(crate) async fn restore(&mut self, picture: &Picture) -> Result<(), ServiceError> {
        self.buried.extend(self.unengraved().await);
        self.stop().await;
        self.disk = Disk::of(picture.file());
        self.start().await;
        let service = self.service();
        service.bury_again(self.buried.iter().copied(), &origin()).await?;
        for operator in &self.operators {
            let logins = rows(operator).into_iter().filter_map(|change| Some(Change::set(change.key, change.row?)));
            service.store().put_cas(logins.collect(), Vec::new()).await?;
        }
        Ok(())
    }

    /// Stops everything, edits the store's file, and starts again.
    pub(crate) async fn edit(&mut self, edit: impl FnOnce(&Database)) {
        self.stop().await;
        edit(&Database::builder().create_with_backend(self.disk.clone()).unwrap());
        self.start().await;
    }

    /// Whether an intent of a tenant's has no outcome.
    pub(crate) async fn has_open(&self, tenant: TenantId) -> bool {
        let open = self.service().store().resolve().await.unwrap();
        open.iter().any(|intent| intent.scopes.tenant == tenant)
    }

    /// Tombstones that are in no file yet.
    async fn unengraved(&self) -> Vec<Subject> {
        let page = self.service().store().scan(Range::Unengraved, None, 10_000).await.unwrap();
        let subject = |row: Versioned| if let Row::Tombstone(subject) = row.row { Some(subject) } else { None };
        page.rows.into_iter().filter_map(subject).collect()
    }

    /// Has one operator ask for an act, and the other approve it.
    pub(crate) async fn two_do(&self, act: Act) -> Result<(), ServiceError> {
        let service = self.service();
        let [ann, bob] = self.operators.clone().map(|who| OperatorPrincipal { proven_ms: now(), ..who });
        let plan = service.plan(&act, &ann).await?;
        let ask = Ask { act, digest: &plan.digest, if_match: plan.etag, confirm: &plan.name, reason: REASON };
        match service.ask(ask, &ann, &origin()).await? {
            Reply::Waiting(approval, _) => service.approve(approval.id, REASON, &bob, &origin()).await.map(|_| ()),
            Reply::Done | Reply::ToReview(_) => panic!("it takes two"),
        }
    }
}

pub(crate) fn origin() -> Origin {
    Origin::system(&SystemClock)
}

fn now() -> u64 {
    SystemClock.unix_ms()
}

fn principal(name: &str) -> OperatorPrincipal {
    let login = LoginId::new(&SystemClock);
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(login.as_bytes());
    OperatorPrincipal {
        operator: OperatorId::new(&SystemClock),
        name: name.to_owned(),
        tenant: None,
        permissions: Role::built_in("admin").unwrap().permissions,
        flagged_only: false,
        login,
        kind: LoginKind::Password,
        guard: Guard(hash),
        has_second: false,
        proven_ms: now(),
        address: IpAddr::from([192, 0, 2, 1]),
    }
}

/// A founder's rows: an account and a login.
fn rows(of: &OperatorPrincipal) -> Vec<Change> {
    let operator = Operator {
        id: of.operator,
        name: of.name.clone(),
        tenant: None,
        role: "admin".to_owned(),
        factors: Factors::default(),
        factors_ms: 0,
        created_ms: 0,
    };
    let login = Login {
        id: of.login,
        operator: of.operator,
        name: of.name.clone(),
        kind: of.kind,
        address: String::new(),
        device: String::new(),
        proven_ms: of.proven_ms,
        created_ms: 0,
        expires_ms: u64::MAX,
    };
    vec![
        Change::create(Key::Operator(of.operator), Row::Operator(operator)),
        Change::create(Key::Login(of.guard.0), Row::Login(login)),
    ]
}
