//! What operators do about an incident.

use super::super::{Service, ServiceError};
use super::{Step, TEXT_MAX, hashed, person, text};
use crate::audit::timestamp;
use crate::execution::Origin;
use crate::id::IncidentId;
use crate::identity::OperatorPrincipal;
use crate::incident::{Duty, Incident, IncidentState, NoteKind, Opener, Review};
use crate::notice::{About, Topic};
use crate::store::{Change, OpenIntent, Scope, Stop};
use crate::view::scope_words;

/// So often owners are told of one incident at most.
const NOTICES_MAX: usize = 50;

/// The longest text of a review, in characters.
const REVIEW_MAX: usize = 8_000;

impl Service {
    /// Adds to the timeline: what was known, or what was done.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] once it is closed.
    pub async fn note_incident(
        &self,
        id: IncidentId,
        kind: NoteKind,
        words: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Incident, ServiceError> {
        let words = text("text", words, 1, TEXT_MAX)?;
        let step = |incident: &mut Incident| {
            still_open(incident)?;
            Ok(Step::new("incident.note", kind, words.clone()))
        };
        self.advance(id, principal, origin, step).await
    }

    /// Stops everything that the incident touches, in one act. When this answers, nothing in it is signed any more.
    ///
    /// It is one write however many credentials there are. `confirm` is the scope's own name, for what cannot be undone.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for revoking without that name, or more than a tenant. Any other: it may be stopped
    /// all the same; repeating it is harmless.
    pub async fn contain_incident(
        &self,
        id: IncidentId,
        stop: Stop,
        confirm: &str,
        reason: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<(Incident, Vec<OpenIntent>), ServiceError> {
        let reason = text("reason", reason, 1, 200)?;
        let (_, incident) = self.incident(id, principal).await?;
        still_open(&incident)?;
        if stop == Stop::Revoked {
            may_revoke(&incident.scope, confirm)?;
        }
        let why = format!("{id}: {reason}");
        // First of all it stops; what is written down of it comes after.
        let stopped = self.stop(incident.tenant, incident.scope.clone(), stop, &why, origin).await?;
        let contain = |incident: &mut Incident| {
            // Whose keys were stopped as far as that before have been told.
            let news = Some(stop) > incident.containment && room_to_tell(incident).is_ok();
            incident.containment = incident.containment.max(Some(stop));
            let told = ("state", stop.as_str().to_owned());
            let changes = if news { self.tell(Topic::IncidentContained, incident, told) } else { Vec::new() };
            let said = format!("{}: {reason}", stop.as_str());
            let reached = incident.containment.map(|stop| ("containment", stop.as_str().to_owned()));
            let details = reached.into_iter().collect();
            Ok(Step { details, changes, ..Step::new("incident.contain", NoteKind::Done, said) })
        };
        Ok((self.advance(id, principal, origin, contain).await?, stopped.open))
    }

    /// Tells the owners of everything that it touches, each once, what they are to do. Its clock is met when the last of
    /// them was told.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] without such words; [`ServiceError::Conflict`] once it is closed.
    pub async fn notify_incident(
        &self,
        id: IncidentId,
        words: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Incident, ServiceError> {
        let words = text("text", words, 1, TEXT_MAX)?;
        let step = |incident: &mut Incident| {
            still_open(incident)?;
            room_to_tell(incident)?;
            let changes = self.tell(Topic::IncidentNotified, incident, ("text", words.clone()));
            let said = format!("owners are told: {words}");
            Ok(Step { changes, ..Step::new("incident.notify", NoteKind::Done, said) })
        };
        self.advance(id, principal, origin, step).await
    }

    /// The rows of a notice about an incident, which it is one of from then on.
    fn tell(&self, topic: Topic, incident: &mut Incident, told: (&'static str, String)) -> Vec<Change> {
        let details = vec![
            ("incident", incident.id.to_string()),
            ("severity", incident.severity.as_str().to_owned()),
            ("title", incident.title.clone()),
            ("detected_at", timestamp(incident.detected_ms)),
            told,
        ];
        let (notice, changes) = self.noticed(topic, About::Incident(incident.id), details);
        incident.notices.push(notice);
        changes
    }

    /// Has everybody read of it; once more, with another summary.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] without a summary.
    pub async fn publish_incident(
        &self,
        id: IncidentId,
        summary: Option<&str>,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Incident, ServiceError> {
        let summary = summary.map(|summary| text("summary", summary, 1, TEXT_MAX)).transpose()?;
        let now = self.clock.unix_ms();
        let step = |incident: &mut Incident| {
            if let Some(summary) = &summary {
                incident.summary.clone_from(summary);
            }
            if incident.summary.is_empty() {
                let text = "say in a summary what happened: everybody reads it; nothing was published";
                return Err(ServiceError::invalid("summary_missing", text));
            }
            incident.published_ms.get_or_insert(now);
            if let Some(deadline) = incident.deadline_mut(Duty::Publish) {
                deadline.met_ms.get_or_insert(now);
            }
            let details = vec![("summary", hashed(&incident.summary))];
            Ok(Step { details, ..Step::new("incident.publish", NoteKind::Done, "published") })
        };
        self.advance(id, principal, origin, step).await
    }

    /// Notes that what a clock is about was done, or why it need not be. Reports to a supervisor may come after the
    /// incident is closed.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a clock that it does not have; [`ServiceError::Conflict`] for one that was met.
    pub async fn meet_deadline(
        &self,
        id: IncidentId,
        duty: Duty,
        words: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Incident, ServiceError> {
        let words = text("text", words, 1, TEXT_MAX)?;
        let now = self.clock.unix_ms();
        let step = |incident: &mut Incident| {
            let deadline = incident.deadline_mut(duty).ok_or(ServiceError::NotFound("clock of this incident"))?;
            if deadline.met_ms.is_some() {
                return Err(ServiceError::conflict("clock_met", "this clock was met before; nothing was changed"));
            }
            deadline.met_ms = Some(now);
            let said = format!("{}: {words}", duty.as_str());
            let details = vec![("clock", duty.as_str().to_owned())];
            Ok(Step { details, ..Step::new("incident.clock", NoteKind::Done, said) })
        };
        self.advance(id, principal, origin, step).await
    }

    /// Reviews an incident and closes it. Whoever opened it is not who closes it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for whoever opened it; [`ServiceError::Conflict`] while it is neither known who was
    /// told nor what was published, or once it is closed.
    pub async fn close_incident(
        &self,
        id: IncidentId,
        root_cause: &str,
        measures: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Incident, ServiceError> {
        let root_cause = text("root_cause", root_cause, 10, REVIEW_MAX)?;
        let measures = text("measures", measures, 10, REVIEW_MAX)?;
        let now = self.clock.unix_ms();
        let (_, incident) = self.incident(id, principal).await?;
        let sighted = self.forgotten(&incident).await?;
        let step = |incident: &mut Incident| {
            still_open(incident)?;
            if matches!(&incident.opened_by, Opener::Operator(opener) if opener.id == principal.operator) {
                let text = "you opened it yourself: another operator reviews and closes it; nothing was changed";
                return Err(ServiceError::forbidden("second_operator_required", text));
            }
            let open = incident.deadlines.iter().find(|deadline| deadline.met_ms.is_none() && !deadline.duty.is_dora());
            if let Some(deadline) = open {
                let duty = deadline.duty.as_str();
                let text =
                    format!("its clock `{duty}` runs: meet it, or say with it why that need not be; it stays open");
                return Err(ServiceError::conflict("clocks_open", text));
            }
            let details = vec![("root_cause", hashed(&root_cause)), ("measures", hashed(&measures))];
            let (root_cause, measures) = (root_cause.clone(), measures.clone());
            incident.review = Some(Review { root_cause, measures, by: person(principal), at_ms: now });
            let changes = sighted.clone();
            Ok(Step { details, changes, ..Step::new("incident.close", NoteKind::Done, "reviewed and closed") })
        };
        self.advance(id, principal, origin, step).await
    }
}

/// Whether owners can be told of it once more.
fn room_to_tell(incident: &Incident) -> Result<(), ServiceError> {
    if incident.notices.len() < NOTICES_MAX {
        return Ok(());
    }
    let text = format!("owners were told of it {NOTICES_MAX} times already: open another incident; nothing was done");
    Err(ServiceError::conflict("notices_full", text))
}

fn still_open(incident: &Incident) -> Result<(), ServiceError> {
    if incident.state() == IncidentState::Closed {
        let text = "the incident is closed: open another one; nothing was changed";
        return Err(ServiceError::conflict("incident_closed", text));
    }
    Ok(())
}

/// A revocation is for good, so it is confirmed by name; all there is, or all of a venue, is frozen instead.
fn may_revoke(scope: &Scope, confirm: &str) -> Result<(), ServiceError> {
    let (kind, id) = scope_words(scope);
    if matches!(scope, Scope::All | Scope::Venue(_)) {
        let text = format!("{kind} {id} would never be signed for again: freeze it; nothing was done");
        return Err(ServiceError::invalid("scope_too_wide", text));
    }
    if confirm == id {
        return Ok(());
    }
    let text = format!("revoking is for good: send `confirm` as \"{id}\"; nothing was done");
    Err(ServiceError::invalid("confirm_missing", text))
}
