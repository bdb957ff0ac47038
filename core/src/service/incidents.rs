//! Incidents: opened by operators and by detectors, contained in one act, published, reviewed, closed.
//!
//! Each step is one commit of the incident's row, the entry of its timeline and the audit entry. The audit log has the
//! hash of every text, and not the text: a timeline that was changed later shows, and what it says of people can go.

mod affected;
mod burst;
mod detected;
mod history;
mod steps;
mod told;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use super::{Service, ServiceError};
use crate::act::Person;
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::{IncidentId, TenantId};
use crate::identity::OperatorPrincipal;
use crate::incident::{Incident, Note, NoteKind, Opener, Severity, deadlines};
use crate::store::{Change, Key, Order, Page, Range, Row, Scope, StoreError, Versioned};

pub use detected::Sighting;
pub use history::History;
pub use told::Running;

pub(super) use burst::Bursts;
pub(super) use history::Shown;

/// How often something is tried anew when a step was made meanwhile.
const TRIES: usize = 20;

/// Incidents of one tenant, or of none, that something is left to be done about: with more, operators open none.
const OPEN_MAX: usize = 1_000;

/// The longest texts, in characters.
const TITLE_MAX: usize = 120;
const TEXT_MAX: usize = 2_000;

/// What claviger calls itself in timelines.
pub(super) const OWN_NAME: &str = "claviger";

/// An incident that an operator opens.
#[derive(Clone, Debug)]
pub struct NewIncident {
    /// How bad it is.
    pub severity: Severity,
    /// What it is called, in at most 120 characters.
    pub title: String,
    /// What everybody reads once it is published; it can be given later.
    pub summary: String,
    /// When it was known, milliseconds since the Unix epoch, if not just now.
    pub detected_ms: Option<u64>,
    /// Whose it is; none for what reaches beyond one tenant.
    pub tenant: Option<TenantId>,
    /// What it touches.
    pub scope: Scope,
}

/// A step of an incident: what it does to the row, and what its timeline and the audit log say of it.
struct Step {
    action: &'static str,
    kind: NoteKind,
    text: String,
    details: Vec<(&'static str, String)>,
    changes: Vec<Change>,
}

impl Step {
    fn new(action: &'static str, kind: NoteKind, text: impl Into<String>) -> Self {
        Self { action, kind, text: text.into(), details: Vec::new(), changes: Vec::new() }
    }
}

impl Service {
    /// Opens an incident. Its clocks run from the moment that it was known.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for texts that are empty or too long, and for a time in the future;
    /// [`ServiceError::Conflict`] when too many are open.
    pub async fn open_incident(
        &self,
        new: NewIncident,
        by: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Incident, ServiceError> {
        let now = self.clock.unix_ms();
        let detected_ms = new.detected_ms.unwrap_or(now);
        if detected_ms > now {
            let text = "an incident was known now or before: `detected_at` lies in the future; nothing was opened";
            return Err(ServiceError::invalid("detected_at_invalid", text));
        }
        if self.store.scan(Range::OpenIncidentsOf(new.tenant), None, OPEN_MAX).await?.rows.len() >= OPEN_MAX {
            let text =
                format!("{OPEN_MAX} incidents are open: close some first, and meet their clocks; none was opened");
            return Err(ServiceError::conflict("incidents_full", text));
        }
        let incident = Incident {
            id: IncidentId::new(self.clock()),
            severity: new.severity,
            title: text("title", &new.title, 1, TITLE_MAX)?,
            summary: text("summary", &new.summary, 0, TEXT_MAX)?,
            detected_ms,
            opened_ms: now,
            opened_by: Opener::Operator(person(by)),
            tenant: new.tenant,
            scope: new.scope,
            containment: None,
            notes: 1,
            sightings: 0,
            deadlines: deadlines(detected_ms, self.falls_under_dora(new.tenant).await?),
            notices: Vec::new(),
            published_ms: None,
            review: None,
        };
        let note = first_note(&incident, &by.name, &incident.title);
        let entry = origin.stamp(opened(&incident, &note));
        self.store.put_cas(creation(&incident, note), vec![entry]).await?;
        Ok(incident)
    }

    /// An incident, with the version of its row.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is not one of the operator's tenant.
    pub async fn incident(
        &self,
        id: IncidentId,
        principal: &OperatorPrincipal,
    ) -> Result<(u64, Incident), ServiceError> {
        let found = self.incident_row(id).await?;
        found.filter(|(_, incident)| reaches(principal, incident)).ok_or(ServiceError::NotFound("incident"))
    }

    /// A page of all incidents that the operator reaches.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn incidents(
        &self,
        principal: &OperatorPrincipal,
        order: Order,
        cursor: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Incident>, ServiceError> {
        let page = self.page_of(Range::Incidents, order, cursor, limit).await?;
        let rows = page.rows.into_iter().filter_map(incident_of).map(|(_, incident)| incident);
        Ok(Page { rows: rows.filter(|incident| reaches(principal, incident)).collect(), next: page.next })
    }

    /// A page of an incident's timeline, oldest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is not one of the operator's tenant.
    pub async fn timeline(
        &self,
        id: IncidentId,
        principal: &OperatorPrincipal,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Note>, ServiceError> {
        self.incident(id, principal).await?;
        let page = self.store.scan(Range::IncidentNotes(id), after, limit).await?;
        Ok(super::accounts::picked(page, |row| if let Row::IncidentNote(note) = row { Some(note) } else { None }))
    }

    /// Makes a step on an incident that the operator reaches, as it stands when it is written.
    async fn advance(
        &self,
        id: IncidentId,
        principal: &OperatorPrincipal,
        origin: &Origin,
        step: impl Fn(&mut Incident) -> Result<Step, ServiceError> + Send + Sync,
    ) -> Result<Incident, ServiceError> {
        let mut tries = 0..TRIES;
        loop {
            let (version, mut incident) = self.incident(id, principal).await?;
            let Step { action, kind, text, details, changes } = step(&mut incident)?;
            let (note, mut all) = noted(&mut incident, version, &principal.name, self.clock.unix_ms(), kind, text);
            all.extend(changes);
            let entry = about(action, &incident, &note);
            let entry = details.into_iter().fold(entry, |entry, (name, value)| entry.detail(name, value));
            let draft = origin.stamp(entry);
            match self.store.put_cas(all, vec![draft]).await {
                Err(StoreError::Conflict(_)) if tries.next().is_some() => {}
                done => {
                    // Also after an error: it may be stored all the same.
                    if incident.published_ms.is_some() {
                        self.shown.forget().await;
                    }
                    return done.map(|_| incident).map_err(ServiceError::from);
                }
            }
        }
    }

    pub(super) async fn incident_row(&self, id: IncidentId) -> Result<Option<(u64, Incident)>, StoreError> {
        Ok(self.store.get(Key::Incident(id)).await?.and_then(incident_of))
    }

    /// Whether what touches a tenant, or all of them, touches one that falls under DORA.
    async fn falls_under_dora(&self, tenant: Option<TenantId>) -> Result<bool, ServiceError> {
        let Some(tenant) = tenant else { return Ok(!self.dora_tenants.is_empty()) };
        for named in &self.dora_tenants {
            match self.tenant(named).await {
                Ok(found) if found.id == tenant => return Ok(true),
                Ok(_) | Err(ServiceError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// The rows of a new incident.
fn creation(incident: &Incident, note: Note) -> Vec<Change> {
    vec![
        Change::create(Key::IncidentNote(incident.id, note.number), Row::IncidentNote(note)),
        Change::create(Key::Incident(incident.id), Row::Incident(Box::new(incident.clone()))),
        Change::create(Key::OpenIncident(incident.tenant, incident.id), Row::Mark),
    ]
}

fn first_note(incident: &Incident, by: &str, text: &str) -> Note {
    let (at_ms, by, text) = (incident.opened_ms, by.to_owned(), text.to_owned());
    Note { number: 1, at_ms, by, kind: NoteKind::Known, text }
}

/// Counts a note, and gives the rows that it changes: those of everybody are kept as the incident's own.
pub(super) fn noted(
    incident: &mut Incident,
    version: u64,
    by: &str,
    at_ms: u64,
    kind: NoteKind,
    text: String,
) -> (Note, Vec<Change>) {
    incident.notes = incident.notes.saturating_add(1);
    let note = Note { number: incident.notes, at_ms, by: by.to_owned(), kind, text };
    let mut changes = vec![
        Change::create(Key::IncidentNote(incident.id, note.number), Row::IncidentNote(note.clone())),
        Change::replace(Key::Incident(incident.id), version, Row::Incident(Box::new(incident.clone()))),
    ];
    if incident.is_over() {
        changes.push(Change::remove(Key::OpenIncident(incident.tenant, incident.id)));
    }
    let public = incident.public();
    changes.extend(public.map(|public| Change::set(Key::PublicIncident(public.id), Row::PublicIncident(public))));
    (note, changes)
}

fn opened(incident: &Incident, note: &Note) -> Draft {
    about("incident.open", incident, note).detail("severity", incident.severity.as_str())
}

pub(super) fn about(action: &str, incident: &Incident, note: &Note) -> Draft {
    let entry = Draft::new(action, EntryOutcome::Allowed).on("incident", incident.id.to_string());
    let entry = entry.detail("note", note.number.to_string()).detail("text", hashed(&note.text));
    match incident.tenant {
        Some(tenant) => entry.tenant(tenant.to_string()),
        None => entry,
    }
}

/// SHA-256 of a text in hex: what the audit log has of it.
fn hashed(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

fn incident_of(row: Versioned) -> Option<(u64, Incident)> {
    if let Row::Incident(incident) = row.row { Some((row.version, *incident)) } else { None }
}

fn reaches(principal: &OperatorPrincipal, incident: &Incident) -> bool {
    principal.tenant.is_none() || principal.tenant == incident.tenant
}

fn person(principal: &OperatorPrincipal) -> Person {
    Person { id: principal.operator, name: principal.name.clone() }
}

/// A text of a person's: trimmed, of some length, and without control characters but line ends.
fn text(name: &'static str, text: &str, least: usize, most: usize) -> Result<String, ServiceError> {
    let text = text.trim();
    let fits = (least..=most).contains(&text.chars().count());
    if fits && !text.chars().any(|c| c.is_control() && c != '\n') {
        return Ok(text.to_owned());
    }
    let text =
        format!("`{name}` is a text of {least} to {most} characters, without control characters; nothing was done");
    Err(ServiceError::invalid("text_invalid", text))
}
