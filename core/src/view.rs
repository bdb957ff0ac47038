//! What may leave the process: the API's types. No view holds a secret, so none can be shown.

mod account;
mod approval;
mod audit;
mod backup;
mod credential;
mod decoy;
mod deletion;
mod epoch;
mod erasure;
mod execution;
mod health;
mod incident;
mod job;
mod kek;
mod notice;
mod overview;
mod policy;
mod recovery;
mod role;
mod stop;
mod venue;
mod virtual_key;
mod webhook;

pub use account::{
    AppView, AuthenticatorView, GrantView, LoginView, NewAppView, NewSecretView, PasskeyView, TenantView,
};
pub use approval::{ApprovalView, ApprovedView, DecisionView, ForesightView, PlanView};
pub use audit::{ConsistencyView, ProofView};
pub use backup::BackupView;
pub use credential::{CeilingView, CredentialView};
pub use decoy::{DecoyView, NewDecoyView};
pub(crate) use deletion::keys_at_venue;
pub use deletion::{DeletionView, LeftAtVenueView};
pub use epoch::{EpochsView, UnerasedView, WaitingView};
pub use erasure::ErasureView;
pub use execution::{ExecutionView, ReceiptView, SignatureView, SignedRequestView, VenueView, body_of};
pub use health::{ExpiringView, GapView};
pub use incident::{
    AffectedView, ClockView, ContainedView, IncidentView, NoteView, PostMortemView, PublicIncidentView,
    PublicIncidentsView, ReviewView,
};
pub use job::{JobView, SettingView};
pub use kek::{
    KekDoorView, KekView, ReturnedKekView, RootPlanView, RootRotationView, RootView, RotationPlanView, RotationView,
};
pub use notice::{ContactView, NoticeState, NoticeView, TemplateView, UnreachedView};
pub use overview::{
    DenialsView, DeniedByView, FirstView, MinuteView, NearestClockView, OpenIncidentsView, OverviewView,
    TenantRotationView, VenueStateView,
};
pub use policy::{DifferenceView, PolicyView, TrialView};
pub use recovery::{LackingView, RecoveryView};
pub use role::{OperatorView, RoleView};
pub use stop::{InFlightView, StopView, at_venue, old_key_at_venue, scope_words};
pub use venue::{KindView, VenueGuideView};
pub use virtual_key::{NewVirtualKeyView, VirtualKeyView};
pub use webhook::{NewWebhookView, WebhookDeliveryView, WebhookView};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PageView<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Give this back as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// How the service is, for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The parts.
    #[serde(flatten)]
    pub ready: ReadyView,
    /// Logins by break-glass code that another operator has to review.
    pub unreviewed_logins: Vec<LoginView>,
    /// Venues that cannot be asked about keys at the moment.
    #[serde(default)]
    pub gaps: Vec<GapView>,
    /// Credentials whose keys expire within 14 days, the next one first.
    #[serde(default)]
    pub expiring: Vec<ExpiringView>,
}

/// How the parts of the service are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadyView {
    /// Whether executions are served.
    pub ready: bool,
    /// Each part: `ok`, or what is wrong and what to do.
    pub parts: std::collections::BTreeMap<String, String>,
    /// What weakens a guarantee without stopping anything.
    pub warnings: Vec<String>,
}
