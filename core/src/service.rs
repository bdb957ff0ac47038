//! Use-cases: what the API and the command line can ask for, each a straight path over store, keeper and egress.

mod accounts;
mod acts;
mod agenda;
mod apps;
mod audit;
mod backups;
mod birth;
mod ceilings;
mod checkpoint;
mod contacts;
mod credentials;
mod decoys;
mod directory;
mod disk;
mod enroll;
mod epochs;
mod erasure;
mod error;
mod execute;
mod expiry;
mod factors;
mod failures;
mod foresight;
mod gateway;
mod grants;
mod held;
mod imports;
mod incidents;
mod keks;
mod logins;
mod monitor;
mod notices;
mod operators;
mod passkeys;
mod place;
mod policies;
mod prices;
mod probe;
mod recorder;
mod recovered;
mod recovery;
mod reenroll;
mod resolve;
mod restored;
mod retention;
mod roles;
mod roots;
mod settle;
mod signatures;
mod start;
mod stops;
mod tallies;
mod tenants;
mod tokens;
mod tombstones;
mod uses;
mod virtual_keys;
mod webhooks;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use claviger_venues::VenueId;
use tokio::sync::{Mutex, Semaphore};

use crate::clock::Clock;
use crate::epoch::EpochTimes;
use crate::execution::Lanes;
use crate::execution::budget::Budgets;
use crate::execution::egress::Egress;
use crate::keeper::KeeperClient;
use crate::keeper::service::Hosts;
use crate::store::{Outcome, Store};

pub use acts::{Approved, Ask, Reply, Waits};
pub use apps::{AppSecret, Asserted, Shown};
pub use audit::{ARCHIVED, NOT_SIGNED};
pub use credentials::SeenCredential;
pub use decoys::{NewDecoy, ShownDecoy};
pub use directory::Directory;
pub use enroll::{Enrollment, NewKey, Rotated};
pub use epochs::EpochState;
pub use erasure::Erasure;
pub use error::{Part, ServiceError};
pub use execute::{Asked, Executed, ExecutionRequest};
pub use expiry::Expiring;
pub use factors::{NewPassword, Proven};
pub use foresight::Foresight;
pub use gateway::GatewayAnswer;
pub use held::Held;
pub use imports::Brought;
pub use incidents::{History, NewIncident, Running, Sighting};
pub use keks::{KekUse, Pace, Steer, Step, Unopened};
pub use logins::{FromDevice, NewLogin};
pub use monitor::Look;
pub use notices::{Fate, Letter};
pub use operators::{Invited, NewOperator, PreparedOperator};
pub use passkeys::{NewPasskey, ShownPasskey};
pub use policies::{Difference, differences};
pub use recovered::{Event as RecoveryEvent, Plan as RecoveryPlan, Recovery, Reinvited};
pub use recovery::{Pass, Wrapped};
pub use resolve::Lost;
pub use restored::{Tried, VerifiedLog};
pub use retention::{Folder, Retention, RetentionError, Shelf};
pub use roots::{RootProgress, RootUse};
pub use signatures::{ReleasedSignature, SignatureRequest, Wanted};
pub use start::{MetKeeper, RELIEF_AFTER, StartError};
pub use tallies::{Count, DeniedBy};
pub use tombstones::Graveyard;
pub use virtual_keys::{NewVirtualKey, ShownKey};
pub use webhooks::{Posted, ShownWebhook, SignedMessage};

/// Executions under way at most; the last ones are kept for cancels.
const UNDER_WAY: usize = 1_024;
const KEPT_FOR_CANCELS: usize = 128;

/// Requests for market data without a key under way at most.
const STRANGERS: usize = 256;

/// Searches of the store under way at most: the others wait.
const SEARCHES: usize = 2;

/// How often a commit is tried at most while others change what it rests on.
const TRIES: usize = 5;

/// In this time every key is asked about once, unless another is configured.
pub const CYCLE: Duration = Duration::from_mins(15);

/// The venues as they are configured.
#[derive(Debug, Default)]
pub struct Venues {
    /// Those that may be used.
    pub enabled: HashSet<VenueId>,
    /// Where they are.
    pub hosts: Hosts,
    /// Those whose rate limits somebody else keeps.
    pub unlimited: HashSet<VenueId>,
    /// Those at which a key may be held although the venue does not show what it may do.
    pub accept_unproven: HashSet<VenueId>,
    /// The addresses that requests to venues come from, for owners to bind their keys to.
    pub addresses: Vec<IpAddr>,
}

/// The domain's front: everything that needs store, keeper and egress together.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keeper: KeeperClient,
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) venues: Venues,
    /// The origin line of the audit log, and the issuer of access tokens.
    pub(crate) origin: String,
    pub(crate) directory: Directory,
    lanes: Lanes,
    pub(crate) budgets: Budgets,
    orders: Semaphore,
    cancels: Semaphore,
    /// Those who ask for market data without a key.
    strangers: Semaphore,
    /// Searches under way.
    seeking: Semaphore,
    /// The size of the newest signed checkpoint.
    signed_size: Mutex<u64>,
    /// Held while a key is made in the token, until the store knows it.
    births: Mutex<()>,
    /// Outcomes that the store did not take yet.
    unsettled: std::sync::Mutex<Vec<Outcome>>,
    failures: failures::Failures,
    decoys: decoys::Decoys,
    tokens: tokens::Tokens,
    references: prices::References,
    recorder: recorder::Recorder,
    recovery: recovery::Recovery,
    uses: uses::Uses,
    tallies: tallies::Tallies,
    searches: Arc<resolve::Searches>,
    disk: disk::Disk,
    waits: Waits,
    /// Where tombstones go.
    graveyard: Option<Graveyard>,
    /// Held while tombstones are written.
    engraving: Mutex<()>,
    bursts: incidents::Bursts,
    shown: incidents::Shown,
    refusals: monitor::Refusals,
    /// Tenants that fall under DORA, by id or name.
    dora_tenants: Vec<String>,
    /// In this time every key is asked about once.
    cycle: Duration,
    /// Whether there is a relay that takes letters.
    mails: bool,
    epoch_times: EpochTimes,
    epoch_alarms: epochs::EpochAlarms,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Service {
    /// Puts the parts together.
    pub fn new(
        store: Arc<dyn Store>,
        keeper: KeeperClient,
        egress: Arc<dyn Egress>,
        clock: Arc<dyn Clock>,
        venues: Venues,
        origin: String,
    ) -> Self {
        Self {
            directory: Directory::default(),
            tallies: tallies::Tallies::since(clock.unix_ms()),
            budgets: Budgets::new(clock.boot(), venues.unlimited.clone()),
            store,
            keeper,
            egress,
            clock,
            venues,
            origin,
            lanes: Lanes::default(),
            orders: Semaphore::new(UNDER_WAY.saturating_sub(KEPT_FOR_CANCELS)),
            cancels: Semaphore::new(UNDER_WAY),
            strangers: Semaphore::new(STRANGERS),
            seeking: Semaphore::new(SEARCHES),
            signed_size: Mutex::new(0),
            births: Mutex::default(),
            unsettled: std::sync::Mutex::default(),
            failures: failures::Failures::default(),
            decoys: decoys::Decoys::default(),
            tokens: tokens::Tokens::default(),
            references: prices::References::default(),
            recorder: recorder::Recorder::default(),
            recovery: recovery::Recovery::default(),
            uses: uses::Uses::default(),
            searches: Arc::default(),
            disk: disk::Disk::default(),
            waits: Waits::default(),
            graveyard: None,
            engraving: Mutex::default(),
            bursts: incidents::Bursts::default(),
            shown: incidents::Shown::default(),
            refusals: monitor::Refusals::default(),
            dora_tenants: Vec::new(),
            cycle: CYCLE,
            mails: false,
            epoch_times: EpochTimes::default(),
            epoch_alarms: epochs::EpochAlarms::default(),
        }
    }

    /// With other times that acts wait.
    #[must_use]
    pub fn with_waits(self, waits: Waits) -> Self {
        Self { waits, ..self }
    }

    /// With tenants that fall under DORA, by id or name: their incidents have its clocks too.
    #[must_use]
    pub fn with_dora(self, dora_tenants: Vec<String>) -> Self {
        Self { dora_tenants, ..self }
    }

    /// With another time in which every key is asked about once.
    #[must_use]
    pub fn with_cycle(self, cycle: Duration) -> Self {
        Self { cycle, ..self }
    }

    /// With a relay that takes letters: without one owners are not written to.
    #[must_use]
    pub fn with_mails(self, mails: bool) -> Self {
        Self { mails, ..self }
    }

    /// In this time every key is asked about once.
    pub fn cycle(&self) -> Duration {
        self.cycle
    }

    fn cycle_ms(&self) -> u64 {
        u64::try_from(self.cycle.as_millis()).unwrap_or(u64::MAX)
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The keeper.
    pub fn keeper(&self) -> &KeeperClient {
        &self.keeper
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The venues as they are configured.
    pub fn venues(&self) -> &Venues {
        &self.venues
    }

    /// For how long a venue is left alone because it asked for that, if it is.
    pub fn quiet_of(&self, venue: VenueId) -> Option<Duration> {
        Some(self.budgets.quiet_of(venue, self.clock.boot())).filter(|quiet| !quiet.is_zero())
    }

    /// The origin line of the audit log.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}
