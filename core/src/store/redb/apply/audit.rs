//! The audit log: leaves, the nodes they complete, the tenants' counters and the owners' keys.

use redb::ReadableTable;

use super::super::super::{Draft, Key, Receipt, Row, StoreError};
use super::super::tables;
use super::{Apply, Failed};
use crate::audit::{AuditKey, Guard, Stamp, leaf_hash};
use crate::webhook::Event;

impl Apply<'_> {
    pub(in super::super) fn append_all(&mut self, entries: &[Draft]) -> Result<Vec<Receipt>, Failed> {
        entries.iter().map(|entry| self.append(entry)).collect()
    }

    /// Appends entries that belong to nothing else.
    pub(in super::super) fn append_live(&mut self, entries: &[Draft]) -> Result<Vec<Receipt>, Failed> {
        self.live(entries)?;
        self.append_all(entries)
    }

    /// Refuses what depends on a login that has ended; asked before anything is written.
    pub(super) fn live(&self, entries: &[Draft]) -> Result<(), Failed> {
        for Guard(hash) in entries.iter().filter_map(|entry| entry.guard) {
            if self.row(&Key::Login(hash))?.is_none() {
                return Err(Failed::Refused(StoreError::Ended));
            }
        }
        Ok(())
    }

    pub(super) fn append(&mut self, draft: &Draft) -> Result<Receipt, Failed> {
        let seq = self.log.frontier.size();
        let stamp = Stamp {
            writer: writer_of(&self.log.origin).to_owned(),
            seq,
            at_ms: self.clock.unix_ms(),
            tenant_seq: self.count(&draft.tenant, seq)?,
            salt: random()?,
        };
        self.announce(draft, seq, stamp.at_ms)?;
        let audit_key = self.audit_key(draft)?;
        let leaf = draft.clone().into_entry(stamp, audit_key.as_ref()).to_leaf();
        let hash = leaf_hash(&leaf);
        self.leaves.insert(seq, leaf.as_slice())?;
        if let Some(intent) = draft.intent {
            self.outcomes.insert((intent, seq), ())?;
        }
        for node in self.log.frontier.push(hash) {
            self.nodes.insert((node.level, node.index), *node.hash.as_bytes())?;
        }
        Ok(Receipt { origin: self.log.origin.clone(), seq, leaf_hash: hash })
    }

    /// Remembers what an entry tells webhooks, if there is one that it is for.
    fn announce(&mut self, draft: &Draft, seq: u64, at_ms: u64) -> Result<(), Failed> {
        let Some(event) = Event::of(draft, seq, at_ms) else { return Ok(()) };
        let prefix = event.tenant.map_or_else(|| vec![tables::WEBHOOK], |of| tables::led_by(tables::WEBHOOK, of));
        let is_heard = self.records.range(prefix.as_slice()..tables::after(&prefix).as_slice())?.next().is_some();
        if is_heard { self.write(&Key::Event(seq), &Row::Event(event)) } else { Ok(()) }
    }

    /// The tenant's next number; 0 for an entry of no tenant.
    fn count(&mut self, tenant: &str, seq: u64) -> Result<u64, Failed> {
        if tenant.is_empty() {
            return Ok(0);
        }
        let count = self.tenant_counts.get(tenant)?.map_or(0, |count| count.value()).saturating_add(1);
        self.tenant_counts.insert(tenant, count)?;
        self.tenant_leaves.insert((tenant, count), seq)?;
        Ok(count)
    }

    /// The owner's audit key, made when the first entry names the owner; none for one who was erased.
    fn audit_key(&mut self, draft: &Draft) -> Result<Option<AuditKey>, Failed> {
        let Some(personal) = &draft.personal else { return Ok(None) };
        let at = (draft.tenant.as_str(), personal.owner.as_str());
        if let Some(key) = self.audit_keys.get(at)? {
            return Ok(Some(AuditKey::new(key.value())));
        }
        if let Ok(tenant) = draft.tenant.parse()
            && self.is_erased(tenant, &personal.owner)?
        {
            return Ok(None);
        }
        if let Ok(tenant) = draft.tenant.parse()
            && self.is_deleted(tenant)?
        {
            return Ok(None);
        }
        let key = random()?;
        self.audit_keys.insert(at, key)?;
        Ok(Some(AuditKey::new(key)))
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], Failed> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failed::Engine("no random numbers".to_owned()))?;
    Ok(bytes)
}

/// The writer's name: what follows the last slash of the log's origin.
fn writer_of(origin: &str) -> &str {
    origin.rsplit('/').next().unwrap_or(origin)
}
