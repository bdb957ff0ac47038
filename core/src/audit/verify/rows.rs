//! The content side of verifying: what the entries say of themselves, of their tenant and of their intents.

use std::collections::{BTreeMap, BTreeSet};

use super::super::entry::Entry;
use super::super::verdict::Break;

/// The most tenants in one export.
const TENANTS_MAX: usize = 1 << 20;
/// What the entry of a restore is called.
const RESTORED: &str = "store.restored";
/// The most restores in one export.
const RESTORES_MAX: usize = 1_000;
/// The most intents that may be open at once.
const OPEN_INTENTS_MAX: usize = 1 << 20;

/// What the rows so far have said.
pub(super) struct Rows {
    writer: String,
    /// The tenant whose rows are shown; `None` if all must be.
    tenant: Option<String>,
    /// So many leaves at the beginning are in segments that the reader did not give.
    pub(super) unseen: u64,
    /// The last counter of each tenant.
    counters: BTreeMap<String, u64>,
    pub(super) open: BTreeSet<u64>,
    pub(super) unmatched_outcomes: u64,
    pub(super) shown: u64,
    pub(super) hidden: u64,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    latest: String,
    pub(super) backward: u64,
    /// Where an older store was put back by a restore.
    pub(super) restored: Vec<String>,
}

impl Rows {
    pub(super) fn new(writer: String, tenant: Option<String>, unseen: u64) -> Self {
        Self {
            writer,
            tenant,
            unseen,
            counters: BTreeMap::new(),
            open: BTreeSet::new(),
            unmatched_outcomes: 0,
            shown: 0,
            hidden: 0,
            from: None,
            to: None,
            latest: String::new(),
            backward: 0,
            restored: Vec::new(),
        }
    }

    /// Takes in the leaf at `seq`.
    pub(super) fn show(&mut self, seq: u64, leaf: &str) -> Result<(), Break> {
        let entry = Entry::from_leaf(leaf.as_bytes()).map_err(|source| Break::BadEntry { seq, source })?;
        if entry.seq != seq {
            return Err(Break::Misplaced { seq, field: "seq" });
        }
        if entry.writer != self.writer {
            return Err(Break::Misplaced { seq, field: "writer" });
        }
        if self.tenant.as_ref().is_some_and(|tenant| *tenant != entry.tenant) {
            return Err(Break::Misplaced { seq, field: "tenant" });
        }
        self.count(&entry)?;
        self.follow_intents(&entry)?;
        self.follow_restores(&entry)?;
        self.follow_time(entry.at);
        self.shown = self.shown.saturating_add(1);
        Ok(())
    }

    /// Takes in a leaf that stands as a hash.
    pub(super) fn hide(&mut self, seq: u64) -> Result<(), Break> {
        if self.tenant.is_none() && seq >= self.unseen {
            return Err(Break::Withheld { seq });
        }
        self.hidden = self.hidden.saturating_add(1);
        Ok(())
    }

    fn count(&mut self, entry: &Entry) -> Result<(), Break> {
        if entry.tenant.is_empty() {
            return Ok(());
        }
        let found = entry.tenant_seq;
        let expected = match self.counters.get(&entry.tenant) {
            Some(last) => last.saturating_add(1),
            // How many there are among the unseen ones nobody can tell.
            None if self.unseen > 0 => found.max(1),
            None => 1,
        };
        if found != expected {
            return Err(Break::TenantGap { tenant: entry.tenant.clone(), seq: entry.seq, expected, found });
        }
        self.counters.insert(entry.tenant.clone(), found);
        bounded("tenants", self.counters.len(), TENANTS_MAX)
    }

    fn follow_intents(&mut self, entry: &Entry) -> Result<(), Break> {
        if let Some(intent) = entry.settles_intent()
            && !self.open.remove(&intent)
            && intent >= self.unseen
        {
            self.unmatched_outcomes = self.unmatched_outcomes.saturating_add(1);
        }
        if entry.opens_intent() {
            self.open.insert(entry.seq);
        }
        bounded("open intents", self.open.len(), OPEN_INTENTS_MAX)
    }

    /// A restore ends one history and begins another: the entry says which heads it stands between.
    fn follow_restores(&mut self, entry: &Entry) -> Result<(), Break> {
        if entry.action != RESTORED {
            return Ok(());
        }
        let detail = |name: &str| entry.detail.get(name).map_or("?", String::as_str);
        self.restored.push(format!(
            "entry {}, {}: a backup of {} entries was restored where the token had seen {}, with root {}; what came \
             between is not here",
            entry.seq,
            entry.at,
            detail("entries"),
            detail("token_entries"),
            detail("token_root")
        ));
        bounded("restores", self.restored.len(), RESTORES_MAX)
    }

    fn follow_time(&mut self, at: String) {
        if at < self.latest {
            self.backward = self.backward.saturating_add(1);
        } else {
            self.latest.clone_from(&at);
        }
        self.from.get_or_insert_with(|| at.clone());
        self.to = Some(at);
    }
}

fn bounded(what: &'static str, count: usize, max: usize) -> Result<(), Break> {
    if count > max { Err(Break::TooMany { what, max }) } else { Ok(()) }
}
