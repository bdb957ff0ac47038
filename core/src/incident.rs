//! Incidents: suspected or confirmed compromises. What they touch, what was known when, what was done, and the clocks
//! that run from the moment they were known.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::act::Person;
use crate::id::{IncidentId, NoticeId, TenantId};
use crate::store::{Scope, Stop};

mod detector;
mod duty;

pub use detector::Detector;
pub use duty::{Deadline, Duty, deadlines};

/// How bad an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing was lost, and nothing can be.
    Low,
    /// Something is wrong that could be used.
    Medium,
    /// Somebody probably used it.
    High,
    /// Keys of many are at stake.
    Critical,
}

impl Severity {
    /// The word used in API, pages and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How an incident stands: it follows from what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentState {
    /// Nothing was done yet.
    Open,
    /// What it touches is stopped.
    Contained,
    /// Whoever must know was told.
    Notified,
    /// It was reviewed.
    Closed,
}

impl IncidentState {
    /// The word used in API and command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Contained => "contained",
            Self::Notified => "notified",
            Self::Closed => "closed",
        }
    }
}

/// Who opened an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opener {
    /// An operator.
    Operator(Person),
    /// Claviger itself.
    Detector(Detector),
}

/// A suspected or confirmed compromise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// How bad it is.
    pub severity: Severity,
    /// For operators, and for everybody once it is published.
    pub title: String,
    /// What everybody reads once it is published.
    pub summary: String,
    /// When it was known, milliseconds since the Unix epoch: its clocks run from here.
    pub detected_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub opened_ms: u64,
    /// Who opened it.
    pub opened_by: Opener,
    /// Whose it is; none for what reaches beyond one tenant.
    pub tenant: Option<TenantId>,
    /// What it touches: what containment stops, and whose owners are to be told.
    pub scope: Scope,
    /// How far that was stopped by this incident.
    pub containment: Option<Stop>,
    /// How many notes its timeline has.
    pub notes: u32,
    /// How often its detector saw it.
    pub sightings: u32,
    /// Its clocks, soonest first.
    pub deadlines: Vec<Deadline>,
    /// What owners were told of it, oldest first.
    pub notices: Vec<NoticeId>,
    /// When it was published first, milliseconds since the Unix epoch.
    pub published_ms: Option<u64>,
    /// What closed it.
    pub review: Option<Review>,
}

impl Incident {
    /// How it stands.
    pub fn state(&self) -> IncidentState {
        let told = self.deadlines.iter().any(|deadline| deadline.duty == Duty::Notify && deadline.met_ms.is_some());
        match (&self.review, told, self.containment) {
            (Some(_), ..) => IncidentState::Closed,
            (None, true, _) => IncidentState::Notified,
            (None, false, Some(_)) => IncidentState::Contained,
            (None, false, None) => IncidentState::Open,
        }
    }

    /// Whether everybody could read of it and was told: what happens from then on needs clocks of its own.
    pub fn is_told(&self) -> bool {
        let running = |deadline: &Deadline| deadline.met_ms.is_none() && !deadline.duty.is_dora();
        !self.deadlines.iter().any(running)
    }

    /// Whether nothing is left to be done about it, and none of its clocks can run out any more.
    pub fn is_over(&self) -> bool {
        self.review.is_some() && self.deadlines.iter().all(|deadline| deadline.met_ms.is_some())
    }

    /// Its clocks that have run out without being met, at a time in milliseconds since the Unix epoch.
    pub fn overdue(&self, now_ms: u64) -> impl Iterator<Item = &Deadline> {
        self.deadlines.iter().filter(move |deadline| deadline.is_overdue(now_ms))
    }

    /// The clock of a duty, if it has one.
    pub fn deadline_mut(&mut self, duty: Duty) -> Option<&mut Deadline> {
        self.deadlines.iter_mut().find(|deadline| deadline.duty == duty)
    }

    /// What everybody may know of it, once it is published.
    pub fn public(&self) -> Option<PublicIncident> {
        Some(PublicIncident {
            id: self.id,
            severity: self.severity,
            title: self.title.clone(),
            summary: self.summary.clone(),
            detected_ms: self.detected_ms,
            published_ms: self.published_ms?,
            post_mortem: self
                .review
                .as_ref()
                .map(|review| PostMortem { root_cause: review.root_cause.clone(), measures: review.measures.clone() }),
        })
    }
}

/// What closed an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Why it could happen.
    pub root_cause: String,
    /// What was changed, so that it does not happen again.
    pub measures: String,
    /// Who reviewed it.
    pub by: Person,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// What everybody may know of an incident. It is stored by itself, and the public page reads nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicIncident {
    /// Its id.
    pub id: IncidentId,
    /// How bad it is.
    pub severity: Severity,
    /// What it is called.
    pub title: String,
    /// What happened.
    pub summary: String,
    /// Milliseconds since the Unix epoch.
    pub detected_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub published_ms: u64,
    /// What was learned, once it is closed.
    pub post_mortem: Option<PostMortem>,
}

/// What was learned from an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostMortem {
    /// Why it could happen.
    pub root_cause: String,
    /// What was changed.
    pub measures: String,
}

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Counts from 1.
    pub number: u32,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Who wrote it: an operator's name, or `claviger`.
    pub by: String,
    /// What it is about.
    pub kind: NoteKind,
    /// The text.
    pub text: String,
}

/// What an entry of a timeline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// What was known.
    Known,
    /// What was done.
    Done,
}
