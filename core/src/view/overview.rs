//! Everything at a glance, as it leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ExpiringView, GapView, LoginView, ReadyView, RotationView};
use crate::audit::timestamp;
use crate::service::{Count, DeniedBy, Running};

/// Everything at a glance. What an operator's role does not let them read is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverviewView {
    /// The parts.
    #[serde(flatten)]
    pub ready: ReadyView,
    /// The server's clock, RFC 3339.
    pub now: String,
    /// When the service started, RFC 3339.
    pub started_at: String,
    /// The software's version.
    pub version: String,
    /// What was carried out and refused lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_minute: Option<MinuteView>,
    /// The venues that may be used.
    pub venues: Vec<VenueStateView>,
    /// Incidents that are not closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidents: Option<OpenIncidentsView>,
    /// Acts that wait for a second operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals_waiting: Option<u64>,
    /// Credentials whose keys expire within the time of the first notice, those that do first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiring: Option<FirstView<ExpiringView>>,
    /// Logins by break-glass code that wait for another operator's review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreviewed_logins: Option<FirstView<LoginView>>,
    /// Rotations of KEKs that go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<TenantRotationView>,
    /// Whether more rotations go on than are shown.
    #[serde(default)]
    pub more_rotations: bool,
}

/// How many there are, or at least there are, and the first 5 of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirstView<T> {
    /// How many.
    pub count: u64,
    /// Whether there may be more: they were counted up to a bound.
    #[serde(default)]
    pub more: bool,
    /// The first.
    pub first: Vec<T>,
}

impl<T> FirstView<T> {
    /// Of all that were found; there may be `more`.
    pub fn of<R>(found: &[R], more: bool) -> Self
    where
        for<'a> T: From<&'a R>,
    {
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        Self { count, more, first: found.iter().take(5).map(T::from).collect() }
    }
}

/// What was carried out and refused in the last 60 full seconds: of all tenants, or of the operator's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MinuteView {
    /// Executions and signatures that were begun.
    pub executions: u64,
    /// Requests that a rule refused.
    pub denials: u64,
}

impl From<Count> for MinuteView {
    fn from(Count { executions, denials }: Count) -> Self {
        Self { executions, denials }
    }
}

/// How a venue is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueStateView {
    /// The venue.
    pub id: String,
    /// Since when it cannot be asked about keys, and why; absent while it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<GapView>,
    /// For how many milliseconds it is left alone because it asked for that; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_ms: Option<u64>,
}

/// Incidents that are not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenIncidentsView {
    /// How many.
    pub open: u64,
    /// Clocks that have run out.
    pub overdue: u64,
    /// The clock that runs out next, or ran out first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearestClockView>,
}

/// A clock of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NearestClockView {
    /// `inc_…`
    pub incident: String,
    /// The duty, as a word.
    pub clock: String,
    /// RFC 3339.
    pub due_at: String,
}

impl From<&Running> for OpenIncidentsView {
    fn from(running: &Running) -> Self {
        Self {
            open: running.open,
            overdue: u64::try_from(running.overdue.len()).unwrap_or(u64::MAX),
            nearest: running.nearest.as_ref().map(|(id, deadline)| NearestClockView {
                incident: id.to_string(),
                clock: deadline.duty.as_str().to_owned(),
                due_at: timestamp(deadline.due_ms),
            }),
        }
    }
}

/// A rotation of a tenant's KEK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantRotationView {
    /// `ten_…`
    pub tenant: String,
    /// How far it is.
    #[serde(flatten)]
    pub rotation: RotationView,
}

/// By which rules a tenant's requests were refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DenialsView {
    /// From when on they were counted, RFC 3339: the last 24 hours, or since the service started.
    pub since: String,
    /// Rules that refused something, by their tags.
    pub data: Vec<DeniedByView>,
}

/// How often a rule refused something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeniedByView {
    /// The rule's tag: `docs/policy.md` has them all.
    pub rule: String,
    /// How often.
    pub count: u64,
    /// When last, RFC 3339.
    pub last_at: String,
}

impl From<&DeniedBy> for DeniedByView {
    fn from(denied: &DeniedBy) -> Self {
        Self { rule: denied.rule.to_owned(), count: denied.count, last_at: timestamp(denied.last_ms) }
    }
}
