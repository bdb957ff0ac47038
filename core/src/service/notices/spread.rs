//! From a notice to its letters, a page of credentials at a time, and what is done when the last of them was sent.

use std::collections::HashSet;

use super::super::incidents::{OWN_NAME, about, noted};
use super::super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::credential::Credential;
use crate::execution::Origin;
use crate::incident::{Duty, NoteKind};
use crate::notice::{About, Count, Delivery, Notice, Queue, Recipient, Stage, Told, Topic};
use crate::store::{Change, Expect, Key, Page, Range, Row, Versioned};

/// Notices that take a step in one go.
const AT_ONCE: usize = 64;

/// Credentials whose owners are put on the list in one commit, and marks that one commit removes.
const PAGE: usize = 200;

impl Service {
    /// Takes a step for each notice whose time has come, and says whether there is more to do at once. Nobody else calls
    /// it at the same time.
    ///
    /// # Errors
    /// [`ServiceError`] when they cannot be read; what fails by itself waits for the next call.
    pub async fn tend_notices(&self) -> Result<bool, ServiceError> {
        let now = self.clock.unix_ms();
        let mut more = false;
        for found in self.store.scan(Range::Deliveries(Queue::Tend), None, AT_ONCE).await?.rows {
            let Row::Delivery(step) = found.row else { continue };
            if step.at_ms > now {
                break;
            }
            match self.tend(&step).await {
                Ok(again) => more |= again,
                Err(error) => tracing::warn!(%error, notice.id = %step.notice, "a notice waits"),
            }
        }
        Ok(more)
    }

    async fn tend(&self, step: &Delivery) -> Result<bool, ServiceError> {
        if let Some((version, notice)) = self.notice(step.notice).await? {
            match notice.stage.clone() {
                Stage::Spreading(after) => return self.spread(step, version, notice, after).await,
                Stage::Clearing(after) => return self.clear(step, version, notice, after).await,
                Stage::Out | Stage::Ended(_) => {}
            }
        }
        self.store.put_cas(vec![Change::remove(step.key())], Vec::new()).await?;
        Ok(false)
    }

    /// Puts the owners of the next credentials on the list.
    async fn spread(
        &self,
        step: &Delivery,
        version: u64,
        mut notice: Notice,
        after: Option<Vec<u8>>,
    ) -> Result<bool, ServiceError> {
        let Page { rows, next } = self.touched_by(&notice, after).await?;
        let (mut changes, mut listed) = (Vec::new(), HashSet::new());
        // What came later knows of it.
        for row in rows.iter().filter(|row| row.created_ms <= notice.at_ms) {
            let (to, why) = match self.addressee(&notice, row).await? {
                Ok(to) => (to, None),
                // Of what has no letter each credential is told apart: nobody knows how many owners these are.
                Err(why) => (Recipient(*row.id.as_bytes()), Some(why)),
            };
            let told = Key::Told(notice.id, to);
            if !listed.insert(to) || self.store.get(told.clone()).await?.is_some() {
                continue;
            }
            if why.is_some() {
                notice.count.unreached = notice.count.unreached.saturating_add(1);
            } else {
                notice.count.waiting = notice.count.waiting.saturating_add(1);
                let letter = Delivery::new(Queue::Mail, notice.id, to, self.clock.unix_ms());
                let letter = Delivery { credential: Some((row.tenant, row.id)), ..letter };
                changes.push(Change::create(letter.key(), Row::Delivery(letter)));
            }
            let row = Told { to, credential: row.id, failed: why.map(str::to_owned) };
            changes.push(Change::create(told, Row::Told(row)));
        }
        let is_out = next.is_none() && notice.count.waiting > 0;
        notice.stage = match next {
            Some(next) => Stage::Spreading(Some(next)),
            None if is_out => Stage::Out,
            None => Stage::Clearing(None),
        };
        if is_out {
            changes.push(Change::remove(step.key()));
        }
        changes.push(Change::replace(Key::Notice(notice.id), version, Row::Notice(Box::new(notice))));
        self.store.put_cas(changes, Vec::new()).await?;
        Ok(!is_out)
    }

    /// Who a letter about a credential goes to, or why there is none.
    async fn addressee(
        &self,
        notice: &Notice,
        row: &Credential,
    ) -> Result<Result<Recipient, &'static str>, ServiceError> {
        if !self.mails {
            return Ok(Err("no mail relay is configured"));
        }
        if self.addressed(notice, row.id).await?.is_none() {
            return Ok(Err("there is no contact address"));
        }
        Ok(match self.store.audit_key(row.tenant, row.owner.clone()).await? {
            Some(key) => Ok(Recipient::owner(notice.id, row.tenant, &row.owner, key.as_bytes())),
            None => Err("the owner is being erased"),
        })
    }

    /// The next credentials that a notice is about.
    async fn touched_by(&self, notice: &Notice, after: Option<Vec<u8>>) -> Result<Page<Credential>, ServiceError> {
        let none = Page { rows: Vec::new(), next: None };
        match notice.about {
            About::Credential(tenant, id) => Ok(match self.store.get(Key::Credential(tenant, id)).await? {
                Some(Versioned { row: Row::Credential(row), .. }) => Page { rows: vec![row], next: None },
                _ => none,
            }),
            About::Incident(id) => {
                let Some((_, incident)) = self.incident_row(id).await? else { return Ok(none) };
                match self.credentials_touched(&incident, after, PAGE).await {
                    // What it was about is gone.
                    Err(ServiceError::NotFound(_)) => Ok(none),
                    page => page,
                }
            }
        }
    }

    /// Removes what is not needed once all letters are sent, and then says how many they were.
    async fn clear(
        &self,
        step: &Delivery,
        version: u64,
        mut notice: Notice,
        after: Option<Vec<u8>>,
    ) -> Result<bool, ServiceError> {
        let is_kept = matches!(notice.about, About::Incident(_));
        let page = self.store.scan(Range::Told(notice.id), after, PAGE).await?;
        let mut changes = Vec::new();
        for found in page.rows {
            if let Row::Told(told) = found.row
                && !(is_kept && told.failed.is_some())
            {
                changes.push(Change::remove(Key::Told(notice.id, told.to)));
            }
        }
        let key = Key::Notice(notice.id);
        if let Some(next) = page.next {
            notice.stage = Stage::Clearing(Some(next));
            changes.push(Change::replace(key, version, Row::Notice(Box::new(notice))));
            self.store.put_cas(changes, Vec::new()).await?;
            return Ok(true);
        }
        let (more, mut entries) = self.told_in_incident(&notice).await?;
        changes.extend(more);
        changes.extend(self.former_contact_gone(&notice).await?);
        changes.push(Change::remove(step.key()));
        entries.push(ended(&notice, &Origin::system(self.clock())));
        let row = is_kept.then(|| {
            notice.stage = Stage::Ended(self.clock.unix_ms());
            Row::Notice(Box::new(notice))
        });
        changes.push(Change { key, expect: Expect::Version(version), row });
        self.store.put_cas(changes, entries).await?;
        Ok(false)
    }
}

impl Service {
    /// What an incident's timeline says of a notice that is over. Once everybody was told, its clock is met; where there
    /// was nobody to be told, that is for an operator to say.
    async fn told_in_incident(&self, notice: &Notice) -> Result<(Vec<Change>, Vec<Draft>), ServiceError> {
        let About::Incident(id) = notice.about else { return Ok(Default::default()) };
        let Some((version, mut incident)) = self.incident_row(id).await? else { return Ok(Default::default()) };
        let (now, Count { sent, failed, unreached, .. }) = (self.clock.unix_ms(), notice.count);
        let mut text = format!("{}: {sent} owners were told", notice.topic.as_str());
        let mut is_met = false;
        if !notice.count.is_complete() {
            let left = failed.saturating_add(unreached);
            text = format!("{text}, and those of {left} keys could not be: tell them otherwise, then meet the clock");
        } else if notice.topic == Topic::IncidentNotified && !notice.count.has_told() {
            text.push_str(": it touches nobody's key; meet the clock by hand, and say so");
        } else if notice.topic == Topic::IncidentNotified
            && let Some(deadline) = incident.deadline_mut(Duty::Notify)
        {
            is_met = deadline.met_ms.is_none();
            deadline.met_ms.get_or_insert(now);
        }
        let (note, changes) = noted(&mut incident, version, OWN_NAME, now, NoteKind::Done, text);
        let entry = if is_met {
            about("incident.clock", &incident, &note).detail("clock", Duty::Notify.as_str())
        } else {
            about("incident.told", &incident, &note)
        };
        Ok((changes, vec![Origin::system(self.clock()).stamp(entry)]))
    }
}

/// The entry of a notice that is over.
fn ended(notice: &Notice, origin: &Origin) -> Draft {
    let Count { sent, failed, unreached, .. } = notice.count;
    let outcome = if notice.count.is_complete() { EntryOutcome::Allowed } else { EntryOutcome::Failed };
    let entry = origin.draft("notice.end", outcome).on("notice", notice.id.to_string());
    let entry = entry.detail("topic", notice.topic.as_str()).detail("sent", sent.to_string());
    let entry = entry.detail("failed", failed.to_string()).detail("unreached", unreached.to_string());
    match notice.about {
        About::Credential(tenant, id) => entry.tenant(tenant.to_string()).detail("credential", id.to_string()),
        About::Incident(id) => entry.detail("incident", id.to_string()),
    }
}
