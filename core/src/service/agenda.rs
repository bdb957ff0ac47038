//! What is planned for a credential, in the commits that store, change and remove it.

use super::{Service, ServiceError, TRIES};
use crate::agenda::{Agenda, Due, Errand, first_expiry_ms, next_probe_ms};
use crate::audit::Draft;
use crate::credential::Credential;
use crate::id::CredentialId;
use crate::store::{Change, Changed, Key, Row, StoreError, Versioned};

/// Something planned, and its row's version.
pub(super) type Planned = (u64, Agenda);

impl Service {
    /// What is planned for a credential; nothing while its key has no key id, nor when it was revoked.
    pub(super) async fn agenda(&self, id: CredentialId) -> Result<Option<Planned>, ServiceError> {
        Ok(match self.store.get(Key::Agenda(id)).await? {
            Some(Versioned { version, row: Row::Agenda(agenda) }) => Some((version, agenda)),
            _ => None,
        })
    }

    /// The agenda of a credential whose venue has just said what its key may do.
    pub(super) fn agenda_of(&self, row: &Credential) -> Agenda {
        let now = self.clock.unix_ms();
        let expiry_ms = row.expires_ms().map(|expires_ms| first_expiry_ms(expires_ms, now));
        Agenda { probed_ms: now, probe_ms: next_probe_ms(row.id, now, self.cycle_ms()), expiry_ms, used_ms: None }
    }

    /// Plans for a credential that is being stored.
    pub(super) fn planned(&self, row: &Credential) -> Vec<Change> {
        let agenda = self.agenda_of(row);
        let rows = looks(row, &agenda).map(|(key, due)| Change::create(key, Row::Due(due)));
        rows.chain([Change::create(Key::Agenda(row.id), Row::Agenda(agenda))]).collect()
    }

    /// Plans anew for a credential whose key was exchanged.
    pub(super) fn planned_anew(&self, row: &Credential, old: Option<Planned>) -> Vec<Change> {
        match old {
            Some(old) => {
                let used_ms = old.1.used_ms;
                replanned(row, old, Agenda { used_ms, ..self.agenda_of(row) })
            }
            None => self.planned(row),
        }
    }

    /// Makes changes of a credential together with those of its plan, which `plan` makes of the present one. Nobody who
    /// asked for them knows of the plan: when it alone was changed meanwhile, as every look of the monitor does, it is
    /// planned once more.
    pub(super) async fn put_planned(
        &self,
        id: CredentialId,
        changes: Vec<Change>,
        entry: Draft,
        plan: impl Fn(Option<Planned>) -> Result<Vec<Change>, StoreError> + Send,
    ) -> Result<Changed, ServiceError> {
        let mut tries = 1..TRIES;
        loop {
            let planned = plan(self.agenda(id).await?)?;
            match self.store.put_cas([changes.as_slice(), &planned].concat(), vec![entry.clone()]).await {
                Err(StoreError::Conflict(key)) if matches!(*key, Key::Agenda(_)) && tries.next().is_some() => {}
                done => return Ok(done?),
            }
        }
    }

    /// Removes what is planned for a credential that goes. A look that was put off meanwhile is found and removed when it
    /// is due.
    pub(super) async fn unplanned(&self, row: &Credential) -> Result<Vec<Change>, ServiceError> {
        let Some((_, agenda)) = self.agenda(row.id).await? else { return Ok(Vec::new()) };
        let rows = looks(row, &agenda).map(|(key, _)| Change::remove(key));
        Ok(rows.chain([Change::remove(Key::Agenda(row.id))]).collect())
    }

    /// Removes a look that is not planned any more, and whatever is of a credential that is gone.
    pub(super) async fn struck_out(&self, errand: Errand, due: &Due, gone: bool) -> Result<(), ServiceError> {
        let look = Change::remove(Key::Due(errand, due.at_ms, due.credential));
        let agenda = gone.then(|| Change::remove(Key::Agenda(due.credential)));
        self.store.put_cas([look].into_iter().chain(agenda).collect(), Vec::new()).await?;
        Ok(())
    }
}

/// The plan, changed. Whoever changed it meanwhile comes first.
pub(super) fn replanned(row: &Credential, (version, old): Planned, new: Agenda) -> Vec<Change> {
    let (before, after): (Vec<_>, Vec<_>) = (looks(row, &old).collect(), looks(row, &new).collect());
    let stays = |key: &Key| before.iter().any(|(old, _)| old == key) && after.iter().any(|(new, _)| new == key);
    let gone = before.iter().filter(|(key, _)| !stays(key)).map(|(key, _)| Change::remove(key.clone()));
    let added = after.iter().filter(|(key, _)| !stays(key)).map(|(key, due)| Change::set(key.clone(), Row::Due(*due)));
    gone.chain(added).chain([Change::replace(Key::Agenda(row.id), version, Row::Agenda(new))]).collect()
}

fn looks(row: &Credential, agenda: &Agenda) -> impl Iterator<Item = (Key, Due)> + use<> {
    let (tenant, credential) = (row.tenant, row.id);
    let probe = (Errand::Probe(row.venue), agenda.probe_ms);
    let expiry = agenda.expiry_ms.map(|at_ms| (Errand::Expiry, at_ms));
    std::iter::once(probe)
        .chain(expiry)
        .map(move |(errand, at_ms)| (Key::Due(errand, at_ms, credential), Due { at_ms, tenant, credential }))
}
