//! Tenants that are deleted: what is theirs goes, a bounded number of rows a commit, and nothing of theirs comes back.

use redb::ReadableTable;

use super::super::super::{
    Change, Execution, Key, OpenIntent, Row, Scope, Spender, StoreError, Versioned, rows_of_credential,
};
use super::super::tables::{self, Id};
use super::{Apply, Failed};
use crate::agenda::Errand;
use crate::deletion::{Cleared, Deletion};
use crate::id::{AppId, TenantId};

/// Rows of one kind that one commit removes at most: whoever waits for the same commit does not wait long.
const AT_ONCE: usize = 256;

/// Removes some rows of one kind, and says how many.
type Step<'tx> = fn(&mut Apply<'tx>, TenantId, &mut Deletion) -> Result<usize, Failed>;

impl<'tx> Apply<'tx> {
    /// What goes first: what makes new rows, and what can be signed with.
    const FIRST: [Step<'tx>; 5] = [
        Self::remove_plain,
        Self::remove_credentials,
        Self::remove_virtual_keys,
        Self::remove_decoys,
        Self::remove_apps,
    ];

    /// What goes when no intent is open any more, in order: what seals others and what names owners last.
    const LAST: [Step<'tx>; 5] =
        [Self::remove_executions, Self::remove_claims, Self::remove_sealed, Self::remove_keks, Self::remove_audit_keys];

    pub(in super::super) fn clear_tenant(&mut self, tenant: TenantId) -> Result<Cleared, Failed> {
        let key = Key::Deletion(tenant);
        let Some(Versioned { row: Row::Deletion(mut deletion), .. }) = self.row(&key)? else {
            let text = format!("{tenant} is not being deleted");
            return Err(Failed::Refused(StoreError::NotApplied(text)));
        };
        let mut removed = self.first_of(&Self::FIRST, tenant, &mut deletion)?;
        if removed == 0 {
            if self.is_open(tenant)? {
                return Ok(Cleared::Waits);
            }
            removed = self.first_of(&Self::LAST, tenant, &mut deletion)?;
        }
        if removed == 0 {
            return Ok(Cleared::All);
        }
        self.write(&key, &Row::Deletion(deletion))?;
        Ok(Cleared::Some(u64::try_from(removed).unwrap_or(u64::MAX)))
    }

    /// Takes the first step that finds something to remove.
    fn first_of(&mut self, steps: &[Step<'tx>], tenant: TenantId, deletion: &mut Deletion) -> Result<usize, Failed> {
        for step in steps {
            let removed = step(self, tenant, deletion)?;
            if removed > 0 {
                return Ok(removed);
            }
        }
        Ok(0)
    }

    /// The deletion that a change comes too late for.
    pub(super) fn comes_after_deletion(&self, change: &Change) -> Result<Option<Key>, Failed> {
        let Some(tenant) = change.row.as_ref().and_then(|row| change.key.tenant(row)) else { return Ok(None) };
        let key = Key::Deletion(tenant);
        Ok(self.row(&key)?.map(|_| key))
    }

    /// Whether a tenant is being deleted, or was.
    pub(super) fn is_deleted(&self, tenant: TenantId) -> Result<bool, Failed> {
        Ok(self.row(&Key::Deletion(tenant))?.is_some())
    }

    /// Whether an intent of the tenant's has no outcome: its execution is kept until it has.
    fn is_open(&self, tenant: TenantId) -> Result<bool, Failed> {
        for row in self.open.iter()? {
            if tables::decode::<OpenIntent>(row?.1.value())?.scopes.tenant == tenant {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn remove_plain(&mut self, tenant: TenantId, _: &mut Deletion) -> Result<usize, Failed> {
        let mut removed = 0_usize;
        for prefix in tables::plain_of(tenant) {
            for (key, _) in self.led(&prefix, AT_ONCE.saturating_sub(removed))? {
                self.remove_at(&key)?;
                removed = removed.saturating_add(1);
            }
        }
        Ok(removed)
    }

    fn remove_credentials(&mut self, tenant: TenantId, deletion: &mut Deletion) -> Result<usize, Failed> {
        let found = self.led(&tables::led_by(tables::CREDENTIAL, tenant), AT_ONCE)?;
        for (key, row) in &found {
            let Row::Credential(credential) = row else { return Err(misfit(key)) };
            if let Some(Versioned { row: Row::Born(born), .. }) = self.row(&Key::Born(tenant, credential.id))?
                && let Some(label) = born.object
            {
                // Nobody's: the token's own object is destroyed after this commit.
                let row = Row::TokenObject { label: label.clone(), credential: None };
                self.write(&Key::TokenObject(label), &row)?;
            }
            for key in rows_of_credential(credential) {
                self.remove(&key)?;
            }
            if let Some(Versioned { row: Row::Agenda(agenda), .. }) = self.row(&Key::Agenda(credential.id))? {
                let probe = (Errand::Probe(credential.venue), agenda.probe_ms);
                for (errand, at_ms) in agenda.expiry_ms.map(|at_ms| (Errand::Expiry, at_ms)).into_iter().chain([probe])
                {
                    self.remove(&Key::Due(errand, at_ms, credential.id))?;
                }
                self.remove(&Key::Agenda(credential.id))?;
            }
            self.nonces.remove(*credential.id.as_bytes())?;
            let count = deletion.credentials.entry(credential.venue).or_default();
            *count = count.saturating_add(1);
        }
        Ok(found.len())
    }

    fn remove_virtual_keys(&mut self, tenant: TenantId, deletion: &mut Deletion) -> Result<usize, Failed> {
        let found = self.led(&tables::led_by(tables::VIRTUAL_KEY, tenant), AT_ONCE)?;
        for (key, row) in &found {
            let Row::VirtualKey(row) = row else { return Err(misfit(key)) };
            self.remove(&Key::VirtualName(row.name))?;
            self.remove(&Key::Stopped(Scope::VirtualKey(row.id)))?;
            self.remove_at(key)?;
            deletion.virtual_keys = deletion.virtual_keys.saturating_add(1);
        }
        Ok(found.len())
    }

    fn remove_decoys(&mut self, tenant: TenantId, _: &mut Deletion) -> Result<usize, Failed> {
        let found = self.led(&tables::led_by(tables::DECOY, tenant), AT_ONCE)?;
        for (key, row) in &found {
            let Row::Decoy(row) = row else { return Err(misfit(key)) };
            self.remove(&Key::DecoyName(row.name))?;
            self.remove_at(key)?;
        }
        Ok(found.len())
    }

    /// Grants go before their app, and an app that has more of them than go at once waits for the next commit.
    fn remove_apps(&mut self, tenant: TenantId, deletion: &mut Deletion) -> Result<usize, Failed> {
        let mut removed = 0_usize;
        for (mark, _) in self.led(&tables::led_by(tables::TENANT_APP, tenant), AT_ONCE)? {
            let Some(Key::App(app)) = tables::marked(&mark) else { return Err(misfit(&mark)) };
            removed = removed.saturating_add(self.remove_grants(app, AT_ONCE.saturating_sub(removed))?);
            if removed >= AT_ONCE {
                break;
            }
            let (spent, stopped) = (Key::Spent(Spender::App(app)), Key::Stopped(Scope::App(app)));
            for key in [Key::App(app), Key::AppUse(app), spent, stopped] {
                self.remove(&key)?;
            }
            self.remove_at(&mark)?;
            removed = removed.saturating_add(1);
            deletion.apps = deletion.apps.saturating_add(1);
        }
        Ok(removed)
    }

    fn remove_grants(&mut self, app: AppId, most: usize) -> Result<usize, Failed> {
        let found = self.led(&tables::grants_of(app), most)?;
        for (key, row) in &found {
            let Row::Grant(grant) = row else { return Err(misfit(key)) };
            self.remove(&Key::Spent(Spender::Grant(grant.id)))?;
            self.remove(&Key::Stopped(Scope::Grant(grant.id)))?;
            self.remove_at(key)?;
        }
        Ok(found.len())
    }

    /// Executions with their answers, and signatures that were released.
    fn remove_executions(&mut self, tenant: TenantId, _: &mut Deletion) -> Result<usize, Failed> {
        self.released.retain(|_, bytes| {
            tables::decode::<OpenIntent>(bytes).map_or(true, |intent| intent.scopes.tenant != tenant)
        })?;
        let (first, last) = ((*tenant.as_bytes(), Id::default()), (*tenant.as_bytes(), [0xff; 16]));
        let mut ids = Vec::new();
        for row in self.tenant_executions.range(first..=last)?.take(AT_ONCE) {
            ids.push(row?.0.value().1);
        }
        for id in &ids {
            let execution = self.executions.get(id)?.map(|row| tables::decode::<Execution>(row.value())).transpose()?;
            if let Some(execution) = execution {
                self.due.remove((execution.at_ms, execution.intent))?;
                self.unknown.remove(execution.intent)?;
                self.executions.remove(id)?;
            }
            self.tenant_executions.remove((*tenant.as_bytes(), *id))?;
        }
        Ok(ids.len())
    }

    fn remove_claims(&mut self, tenant: TenantId, _: &mut Deletion) -> Result<usize, Failed> {
        let (first, last) = (tenant.as_bytes().as_slice(), tables::after(tenant.as_bytes()));
        let mut claims = Vec::new();
        for row in self.idempotency.range(first..last.as_slice())?.take(AT_ONCE) {
            claims.push(row?.0.value().to_vec());
        }
        for claim in &claims {
            self.idempotency.remove(claim.as_slice())?;
        }
        Ok(claims.len())
    }

    /// What is sealed under the tenant's KEKs and belongs to nothing: then nothing is in the KEKs' way.
    fn remove_sealed(&mut self, tenant: TenantId, _: &mut Deletion) -> Result<usize, Failed> {
        let (first, last) = tables::under(tenant, 0..=u32::MAX);
        let mut keys = Vec::new();
        for row in self.sealed_under.range(first..=last)?.take(AT_ONCE) {
            keys.push(row?.0.value().2.to_vec());
        }
        for key in &keys {
            self.remove_at(key)?;
        }
        Ok(keys.len())
    }

    fn remove_keks(&mut self, tenant: TenantId, _: &mut Deletion) -> Result<usize, Failed> {
        let found = self.led(&tables::led_by(tables::KEK, tenant), AT_ONCE)?;
        found.iter().try_for_each(|(key, _)| self.remove_at(key))?;
        Ok(found.len())
    }

    fn remove_audit_keys(&mut self, tenant: TenantId, deletion: &mut Deletion) -> Result<usize, Failed> {
        let tenant = tenant.to_string();
        let mut owners = Vec::new();
        for row in self.audit_keys.range((tenant.as_str(), "")..)?.take(AT_ONCE) {
            let (key, _) = row?;
            let (whose, owner) = key.value();
            if whose != tenant {
                break;
            }
            owners.push(owner.to_owned());
        }
        for owner in &owners {
            self.audit_keys.remove((tenant.as_str(), owner.as_str()))?;
            deletion.owners = deletion.owners.saturating_add(1);
        }
        Ok(owners.len())
    }

    /// The first rows whose keys begin with a prefix, at most `most`.
    fn led(&self, prefix: &[u8], most: usize) -> Result<Vec<(Vec<u8>, Row)>, Failed> {
        let mut found = Vec::new();
        for row in self.records.range(prefix..tables::after(prefix).as_slice())?.take(most) {
            let (key, bytes) = row?;
            found.push((key.value().to_vec(), tables::decode_row(bytes.value())?.row));
        }
        Ok(found)
    }
}

fn misfit(key: &[u8]) -> Failed {
    Failed::Spoiled(StoreError::Corrupt(format!("a row of another kind under {key:?}")))
}
