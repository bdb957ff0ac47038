//! Incidents that open by themselves.

use super::super::{Service, ServiceError};
use super::{OWN_NAME, TRIES, creation, first_note, noted, opened};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::hash::hash_of;
use crate::id::{AppId, IncidentId, TenantId};
use crate::incident::{Detector, Incident, NoteKind, Opener, deadlines};
use crate::store::{Change, Expect, Key, Range, Row, Scope, StoreError, Versioned};
use crate::view::scope_words;

/// How often the same detector's seeing the same is a note of its own; further ones are counted.
const NOTED_SIGHTINGS: u32 = 20;

/// Incidents that detectors have open at once before further ones are gathered by tenant.
const APART_MAX: usize = 50;

/// Something that a detector saw.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Which detector.
    pub detector: Detector,
    /// Whose it is; none for what reaches beyond one tenant.
    pub tenant: Option<TenantId>,
    /// What it touches.
    pub scope: Scope,
    /// What was seen, a sentence for the timeline. Nothing secret, and nobody's name.
    pub text: String,
}

impl Sighting {
    /// Of what touches a tenant or, for Claviger's own, everything.
    pub(in super::super) fn within(detector: Detector, tenant: Option<TenantId>, text: impl Into<String>) -> Self {
        let tenant = tenant.filter(|tenant| *tenant != TenantId::OWN);
        let scope = tenant.map_or(Scope::All, Scope::Tenant);
        Self { detector, tenant, scope, text: text.into() }
    }

    /// An alarm's entry, where the detector leaves none of its own.
    fn alarm(&self, origin: &Origin) -> Draft {
        let (kind, id) = scope_words(&self.scope);
        let entry = origin.draft(&format!("alarm.{}", self.detector.as_str()), EntryOutcome::Failed).on(kind, id);
        match self.tenant {
            Some(tenant) => entry.tenant(tenant.to_string()),
            None => entry,
        }
    }

    /// Where the open incident of this detector and scope is found.
    fn key(&self) -> Key {
        key(self.detector, &self.scope)
    }
}

impl Service {
    /// Opens an incident for what a detector saw, or adds to the one that is open for the same; `alarms` are written in
    /// the same commit.
    ///
    /// Whoever calls it has something else to do and to answer, so nothing is returned: what could not be written is an
    /// error in the log. The alarms are written even if the incident cannot be.
    pub async fn detected(&self, sighting: Sighting, alarms: Vec<Draft>) {
        let kind = sighting.detector.as_str();
        if let Err(error) = self.detected_with(sighting, &alarms, &[]).await {
            tracing::error!(alarm = kind, %error, "no incident could be opened");
            if let Err(error) = self.store.append(alarms).await {
                tracing::error!(alarm = kind, %error, "the alarm could not be recorded");
            }
        }
    }

    /// The same for callers who come again: `changes` are made in the same commit too, and after an error nothing was.
    pub(in super::super) async fn detected_with(
        &self,
        sighting: Sighting,
        alarms: &[Draft],
        changes: &[Change],
    ) -> Result<(), ServiceError> {
        let kind = sighting.detector.as_str();
        let incident = self.try_detected(sighting, alarms, changes).await?;
        tracing::error!(alarm = kind, incident.id = %incident, "a detector saw something");
        Ok(())
    }

    /// The same, with an entry of its own.
    pub async fn alarmed(&self, sighting: Sighting) {
        let alarm = sighting.alarm(&Origin::system(self.clock()));
        self.detected(sighting, vec![alarm]).await;
    }

    /// Notes that somebody did by break-glass what takes two; its alarm is written with what was done.
    pub(in super::super) async fn broke_glass(&self, tenant: Option<TenantId>, text: String) {
        self.detected(Sighting::within(Detector::BreakGlass, tenant, text), Vec::new()).await;
    }

    /// Counts a denied request of an app's. What is stopped is denied as it should be, and is no attack.
    pub(in super::super) async fn count_denied(&self, tenant: TenantId, app: AppId, rule: &str) {
        if rule.starts_with("state.") || !self.bursts.denied(app, self.clock.unix_ms()) {
            return;
        }
        let text = format!("100 requests of {app} were denied within a minute, the last one by {rule}");
        let sighting =
            Sighting { scope: Scope::App(app), ..Sighting::within(Detector::DeniedBurst, Some(tenant), text) };
        self.alarmed(sighting).await;
    }

    /// Counts a failed login.
    pub(in super::super) async fn count_failed_login(&self) {
        if self.bursts.failed_login(self.clock.unix_ms()) {
            let text = "50 logins failed within 15 minutes: the audit log says where they came from";
            self.alarmed(Sighting::within(Detector::BruteForce, None, text)).await;
        }
    }

    async fn try_detected(
        &self,
        mut sighting: Sighting,
        alarms: &[Draft],
        with: &[Change],
    ) -> Result<IncidentId, ServiceError> {
        for _ in 0..TRIES {
            let (at, open) = self.sighted(sighting.key()).await?;
            let (id, mut changes, entries) = match open {
                Some((version, incident)) if !incident.is_told() => self.seen_again(version, incident, &sighting),
                None if self.gathers(&sighting).await? => {
                    let text = format!("{}: {}", scope_words(&sighting.scope).1, sighting.text);
                    sighting = Sighting::within(sighting.detector, sighting.tenant, text);
                    continue;
                }
                // Its clocks were for what was known then.
                _ => self.seen_first(&sighting, at).await?,
            };
            changes.extend_from_slice(with);
            match self.store.put_cas(changes, [alarms, &entries].concat()).await {
                Err(StoreError::Conflict(_)) => {}
                done => return done.map(|_| id).map_err(ServiceError::from),
            }
        }
        Err(ServiceError::Changed)
    }

    /// The version of the row that names the newest open incident of a detector and scope, or 0 for none, and that
    /// incident.
    async fn sighted(&self, key: Key) -> Result<(u64, Option<(u64, Incident)>), StoreError> {
        match self.store.get(key).await? {
            Some(Versioned { version, row: Row::IncidentRef(id) }) => Ok((version, self.incident_row(id).await?)),
            _ => Ok((0, None)),
        }
    }

    /// What goes when an incident is closed: from then on the same opens another one.
    pub(super) async fn forgotten(&self, incident: &Incident) -> Result<Vec<Change>, StoreError> {
        let Opener::Detector(detector) = incident.opened_by else { return Ok(Vec::new()) };
        let key = key(detector, &incident.scope);
        Ok(match self.sighted(key.clone()).await? {
            (version, Some((_, newest))) if newest.id == incident.id => {
                vec![Change { key, expect: Expect::Version(version), row: None }]
            }
            // It names a later one.
            _ => Vec::new(),
        })
    }

    /// Whether so many are open that this one is gathered with others of its tenant.
    async fn gathers(&self, sighting: &Sighting) -> Result<bool, StoreError> {
        if matches!(sighting.scope, Scope::All | Scope::Tenant(_)) {
            return Ok(false);
        }
        Ok(self.store.scan(Range::Sighted, None, APART_MAX).await?.rows.len() >= APART_MAX)
    }

    fn seen_again(
        &self,
        version: u64,
        mut incident: Incident,
        sighting: &Sighting,
    ) -> (IncidentId, Vec<Change>, Vec<Draft>) {
        let id = incident.id;
        incident.sightings = incident.sightings.saturating_add(1);
        if incident.sightings > NOTED_SIGHTINGS {
            let row = Row::Incident(Box::new(incident));
            return (id, vec![Change::replace(Key::Incident(id), version, row)], Vec::new());
        }
        let (now, text) = (self.clock.unix_ms(), sighting.text.clone());
        let (note, changes) = noted(&mut incident, version, OWN_NAME, now, NoteKind::Known, text);
        let entry = Origin::system(self.clock()).stamp(super::about("incident.note", &incident, &note));
        (id, changes, vec![entry])
    }

    /// Opens another incident, which `at`, the version of the row that names it, comes to name.
    async fn seen_first(
        &self,
        sighting: &Sighting,
        at: u64,
    ) -> Result<(IncidentId, Vec<Change>, Vec<Draft>), ServiceError> {
        let (now, detector) = (self.clock.unix_ms(), sighting.detector);
        let incident = Incident {
            id: IncidentId::new(self.clock()),
            severity: detector.severity(),
            title: detector.title().to_owned(),
            summary: String::new(),
            detected_ms: now,
            opened_ms: now,
            opened_by: Opener::Detector(detector),
            tenant: sighting.tenant,
            scope: sighting.scope.clone(),
            containment: None,
            notes: 1,
            sightings: 1,
            deadlines: deadlines(now, self.falls_under_dora(sighting.tenant).await?),
            notices: Vec::new(),
            published_ms: None,
            review: None,
        };
        let note = first_note(&incident, OWN_NAME, &sighting.text);
        let entry = Origin::system(self.clock()).stamp(opened(&incident, &note));
        let mut changes = creation(&incident, note);
        let expect = if at == 0 { Expect::Absent } else { Expect::Version(at) };
        changes.push(Change { key: sighting.key(), expect, row: Some(Row::IncidentRef(incident.id)) });
        Ok((incident.id, changes, vec![entry]))
    }
}

fn key(detector: Detector, scope: &Scope) -> Key {
    let (kind, id) = scope_words(scope);
    Key::Sighted(hash_of([detector.as_str().as_bytes(), kind.as_bytes(), id.as_bytes()]))
}
