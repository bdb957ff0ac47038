//! Incidents, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{InFlightView, NoticeView, scope_words};
use crate::audit::timestamp;
use crate::credential::Credential;
use crate::identity::App;
use crate::incident::{Deadline, Incident, IncidentState, Note, NoteKind, Opener, PublicIncident, Review, Severity};
use crate::notice::Notice;

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentView {
    /// `inc_…`
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is called.
    pub title: String,
    /// What everybody reads once it is published.
    pub summary: String,
    /// How it stands.
    pub state: IncidentState,
    /// When it was known, RFC 3339: its clocks run from here.
    pub detected_at: String,
    /// RFC 3339.
    pub opened_at: String,
    /// The operator, or `detector <kind>`.
    pub opened_by: String,
    /// `ten_…`; absent for what reaches beyond one tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What it touches, such as `credential cred_…`.
    pub scope: String,
    /// How far that was stopped: `reduce-only`, `frozen` or `revoked`; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containment: Option<String>,
    /// How many entries its timeline has.
    pub notes: u32,
    /// How often its detector saw it.
    pub sightings: u32,
    /// Its clocks, soonest first.
    pub clocks: Vec<ClockView>,
    /// Whether any of them has run out without being met.
    pub overdue: bool,
    /// What owners were told of it, oldest first; lists leave it out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeView>,
    /// RFC 3339; absent where it was not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<String>,
    /// What closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewView>,
}

/// A clock of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockView {
    /// `publish`, `notify`, `dora-initial`, `dora-intermediate` or `dora-final`.
    pub clock: String,
    /// RFC 3339.
    pub due_at: String,
    /// RFC 3339; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met_at: Option<String>,
    /// Whether it has run out without being met.
    pub overdue: bool,
}

/// What closed an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewView {
    /// Why it could happen.
    pub root_cause: String,
    /// What was changed, so that it does not happen again.
    pub measures: String,
    /// Who reviewed it.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteView {
    /// Counts from 1.
    pub number: u32,
    /// RFC 3339.
    pub at: String,
    /// An operator's name, or `claviger`.
    pub by: String,
    /// What it is about.
    pub kind: NoteKind,
    /// The text.
    pub text: String,
}

/// What containing an incident did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContainedView {
    /// The incident.
    pub incident: IncidentView,
    /// Requests that were granted before and have no outcome yet, and signatures that were released and are still
    /// valid. They may still be answered by the venue; none is signed after this answer.
    pub in_flight: Vec<InFlightView>,
}

/// A credential that an incident touches, or an app that may use what it touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AffectedView {
    /// A credential.
    Credential {
        /// `cred_…`
        id: String,
        /// `ten_…`
        tenant: String,
        /// Its owner.
        owner: String,
        /// Its label.
        label: String,
        /// Its venue.
        venue: String,
        /// How it stands by itself; what is stopped with all of its scope shows there.
        state: String,
    },
    /// An app.
    App {
        /// `app_…`
        id: String,
        /// `ten_…`
        tenant: String,
        /// Its name.
        name: String,
    },
}

/// What everybody may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicIncidentsView {
    /// The time of the newest signed checkpoint, RFC 3339: this is how things stood then or later. Absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// A sentence, where there is nothing to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Newest first.
    pub incidents: Vec<PublicIncidentView>,
}

/// What everybody may know of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicIncidentView {
    /// `inc_…`
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is called.
    pub title: String,
    /// What happened.
    pub summary: String,
    /// When it was known, RFC 3339.
    pub detected_at: String,
    /// RFC 3339.
    pub published_at: String,
    /// What was learned, once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_mortem: Option<PostMortemView>,
}

/// What was learned from an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostMortemView {
    /// Why it could happen.
    pub root_cause: String,
    /// What was changed.
    pub measures: String,
}

impl IncidentView {
    /// How it stands at `now_ms`, milliseconds since the Unix epoch.
    pub fn of(row: &Incident, now_ms: u64) -> Self {
        let (kind, id) = scope_words(&row.scope);
        Self {
            id: row.id.to_string(),
            severity: row.severity,
            title: row.title.clone(),
            summary: row.summary.clone(),
            state: row.state(),
            detected_at: timestamp(row.detected_ms),
            opened_at: timestamp(row.opened_ms),
            opened_by: match &row.opened_by {
                Opener::Operator(person) => person.name.clone(),
                Opener::Detector(detector) => format!("detector {}", detector.as_str()),
            },
            tenant: row.tenant.map(|tenant| tenant.to_string()),
            scope: format!("{kind} {id}").trim_end().to_owned(),
            containment: row.containment.map(|stop| stop.as_str().to_owned()),
            notes: row.notes,
            sightings: row.sightings,
            clocks: row.deadlines.iter().map(|deadline| ClockView::of(deadline, now_ms)).collect(),
            overdue: row.overdue(now_ms).next().is_some(),
            notices: Vec::new(),
            published_at: row.published_ms.map(timestamp),
            review: row.review.as_ref().map(ReviewView::from),
        }
    }
}

impl IncidentView {
    /// With what owners were told of it.
    #[must_use]
    pub fn with_notices(self, notices: &[Notice]) -> Self {
        Self { notices: notices.iter().map(NoticeView::from).collect(), ..self }
    }
}

impl ClockView {
    fn of(deadline: &Deadline, now_ms: u64) -> Self {
        Self {
            clock: deadline.duty.as_str().to_owned(),
            due_at: timestamp(deadline.due_ms),
            met_at: deadline.met_ms.map(timestamp),
            overdue: deadline.is_overdue(now_ms),
        }
    }
}

impl From<&Review> for ReviewView {
    fn from(review: &Review) -> Self {
        let Review { root_cause, measures, by, at_ms } = review.clone();
        Self { root_cause, measures, by: by.name, at: timestamp(at_ms) }
    }
}

impl From<&Note> for NoteView {
    fn from(note: &Note) -> Self {
        let Note { number, at_ms, by, kind, text } = note.clone();
        Self { number, at: timestamp(at_ms), by, kind, text }
    }
}

impl From<&Credential> for AffectedView {
    fn from(row: &Credential) -> Self {
        Self::Credential {
            id: row.id.to_string(),
            tenant: row.tenant.to_string(),
            owner: row.owner.clone(),
            label: row.label.clone(),
            venue: row.venue.to_string(),
            state: row.state.as_str().to_owned(),
        }
    }
}

impl From<&App> for AffectedView {
    fn from(app: &App) -> Self {
        Self::App { id: app.id.to_string(), tenant: app.tenant.to_string(), name: app.name.clone() }
    }
}

impl From<&PublicIncident> for PublicIncidentView {
    fn from(row: &PublicIncident) -> Self {
        Self {
            id: row.id.to_string(),
            severity: row.severity,
            title: row.title.clone(),
            summary: row.summary.clone(),
            detected_at: timestamp(row.detected_ms),
            published_at: timestamp(row.published_ms),
            post_mortem: row.post_mortem.as_ref().map(|learned| PostMortemView {
                root_cause: learned.root_cause.clone(),
                measures: learned.measures.clone(),
            }),
        }
    }
}
