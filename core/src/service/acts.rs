//! Acts that cannot simply be taken back: planned, asked for, approved by a second operator, and done exactly once.
//!
//! Each act is prepared by the room that it belongs to, as changes and entries, and these go into the store in one
//! commit with the approval's own new state: whoever approves at the same time, and whatever crashes, it is done once.
//! What follows from it outside the store (what is held in memory, what the keeper bars) may be repeated.

mod approve;
mod ask;
mod blast;
mod close;
mod due;
mod follow;
mod people;
mod prepare;
mod room;
mod who;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Service, ServiceError};
use crate::act::{Act, Approval, ApprovalState, PLAN_MS, Plan, Second, Seen, digest, window};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::ApprovalId;
use crate::identity::{CallerSecret, OperatorPrincipal};
use crate::store::{Change, Expect, Key, Order, Page, Range, Row, StoreError, Versioned};

pub(super) use blast::COUNTED_MAX;
pub(super) use who::reason;

pub use approve::Approved;
pub use ask::{Ask, Reply};

/// Approvals that are read at once.
const PAGE: usize = 500;

/// How long acts wait.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a second operator, before the request expires.
    pub expire: Duration,
    /// Once approved, before something is destroyed.
    pub delay: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { expire: day, delay: day }
    }
}

/// An act as its room prepared it: nothing of it is done yet.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// The own name of what it is done to.
    pub name: String,
    /// What will happen, a sentence each. Nobody's personal data: it is kept with the approval.
    pub lines: Vec<String>,
    /// What hangs on it.
    pub blast_radius: BTreeMap<String, u64>,
    /// What it rests on: when any of it changes, the act has to be planned anew.
    pub seen: Seen,
    /// The version of the row that it is done to.
    pub etag: Option<u64>,
    /// Whether it allows more than before; asked only of acts for which that decides.
    pub wider: bool,
    /// What is done already when it is asked for.
    pub at_once: Option<(Change, Draft)>,
    /// What is done.
    pub changes: Vec<Change>,
    /// What is written down, without who did it.
    pub entries: Vec<Draft>,
    /// Half of an invitation: who asks hands one to the person whom it is about, who approves another; shown once.
    pub secret: Option<CallerSecret>,
}

impl Prepared {
    /// Whether it takes a second operator.
    fn takes_second(&self, act: &Act) -> bool {
        match act.rule().second {
            Second::Always => true,
            Second::WhenWider => self.wider,
        }
    }

    /// Has what is done rest on a row, which it may itself change.
    fn rest_on(&mut self, key: Key, version: u64) -> Result<(), ServiceError> {
        match self.changes.iter().find(|change| change.key == key).map(|change| change.expect) {
            None => self.changes.push(Change::still(key, version)),
            Some(Expect::Version(own) | Expect::Still(own)) if own == version => {}
            Some(_) => return Err(ServiceError::Changed),
        }
        Ok(())
    }
}

impl Service {
    /// What an act will do. Nothing is changed.
    ///
    /// # Errors
    /// [`ServiceError`]: the operator may not ask for it, or it cannot be done.
    pub async fn plan(&self, act: &Act, principal: &OperatorPrincipal) -> Result<Plan, ServiceError> {
        self.may_ask(act, principal.into()).await?;
        let prepared = self.prepare(act, None).await?;
        let now = self.clock.unix_ms();
        Ok(Plan {
            second: prepared.takes_second(act),
            digest: seal(act, &prepared.seen, window(now))?,
            expires_ms: window(now).saturating_add(2).saturating_mul(PLAN_MS),
            name: prepared.name,
            lines: prepared.lines,
            blast_radius: prepared.blast_radius,
            etag: prepared.etag,
        })
    }

    /// An act that was asked for, if the operator may know of it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn approval(&self, id: ApprovalId, principal: &OperatorPrincipal) -> Result<Approval, ServiceError> {
        self.approval_row(id, principal).await.map(|(_, approval)| approval)
    }

    /// A page of the acts that were asked for, without those that the operator may not know of.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn approvals(
        &self,
        principal: &OperatorPrincipal,
        order: Order,
        cursor: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Approval>, ServiceError> {
        let page = self.page_of(Range::Approvals, order, cursor, limit).await?;
        let next = page.next;
        let rows = page.rows.into_iter().filter_map(approval_of).map(|(_, approval)| approval);
        Ok(Page { rows: rows.filter(|approval| who::reaches(principal, &approval.act)).collect(), next })
    }

    /// How many acts wait for a second operator that an operator may see.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn approvals_waiting(&self, principal: &OperatorPrincipal) -> Result<u64, ServiceError> {
        let (now, mut count, mut after) = (self.clock.unix_ms(), 0_u64, None);
        loop {
            let page = self.approvals(principal, Order::Oldest, after, PAGE).await?;
            let waiting = page.rows.iter().filter(|approval| *approval.state_at(now) == ApprovalState::Waiting).count();
            count = count.saturating_add(u64::try_from(waiting).unwrap_or(u64::MAX));
            after = page.next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    async fn approval_row(
        &self,
        id: ApprovalId,
        principal: &OperatorPrincipal,
    ) -> Result<(u64, Approval), ServiceError> {
        let found = self.store.get(Key::Approval(id)).await?.and_then(approval_of);
        found.filter(|(_, approval)| who::reaches(principal, &approval.act)).ok_or(ServiceError::NotFound("approval"))
    }

    /// Writes an approval's new state, with what else belongs into the same commit, and says up to which intent number
    /// nothing knew of it.
    async fn move_approval(
        &self,
        version: u64,
        approval: Approval,
        mut changes: Vec<Change>,
        entries: Vec<Draft>,
    ) -> Result<u64, StoreError> {
        let (key, wanted) = (Key::Approval(approval.id), Row::Approval(Box::new(approval)));
        changes.push(Change::replace(key.clone(), version, wanted.clone()));
        match self.store.put_cas(changes, entries).await {
            Ok(done) => Ok(done.up_to),
            // Nobody else writes this very row: who decided, and when, is in it.
            Err(error @ StoreError::Unknown(_)) => match self.store.get(key).await {
                Ok(Some(found)) if found.row == wanted => self.store.highest_intent().await,
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

fn approval_of(row: Versioned) -> Option<(u64, Approval)> {
    if let Row::Approval(approval) = row.row { Some((row.version, *approval)) } else { None }
}

fn seal(act: &Act, seen: &Seen, window: u64) -> Result<String, ServiceError> {
    digest(act, seen, window).map_err(|e| ServiceError::invalid("act_invalid", format!("the act has no form: {e}")))
}

/// An entry about an approval: what was asked for, by whom, and what it was asked on.
fn approval_entry(verb: &str, approval: &Approval, origin: &Origin) -> Draft {
    let entry = origin
        .draft(&format!("approval.{verb}"), EntryOutcome::Allowed)
        .on("approval", approval.id.to_string())
        .detail("act", approval.act.rule().tag)
        .detail("digest", &approval.digest)
        .detail("requester", approval.requester.id.to_string());
    let entry = match &approval.approved {
        Some(by) => entry.detail("approver", by.by.id.to_string()),
        None => entry,
    };
    match approval.act.tenant() {
        Some(tenant) => entry.tenant(tenant.to_string()),
        None => entry,
    }
}

/// The act's own entries, with who did it and why.
fn act_entries(entries: Vec<Draft>, reason: &str, approval: Option<&Approval>, origin: &Origin) -> Vec<Draft> {
    let with_more = |entry: Draft| {
        let entry = origin.stamp(entry).detail("reason", reason);
        match approval {
            Some(approval) => entry.detail("approval", approval.id.to_string()),
            None => entry,
        }
    };
    entries.into_iter().map(with_more).collect()
}

fn closed(approval: &Approval, now_ms: u64) -> ServiceError {
    let text = format!("it is {}; nothing was done", approval.state_at(now_ms).as_str());
    ServiceError::conflict("approval_closed", text)
}

fn moved(approval: &Approval, state: ApprovalState, now_ms: u64) -> Approval {
    let moved = Approval { state, changed_ms: now_ms, ..approval.clone() };
    if let (Act::DeleteTenant { .. }, ApprovalState::Executed) = (&moved.act, &moved.state) {
        // What it says of the venues is left to be read; the tenant has no name any more.
        return Approval { name: String::new(), ..moved };
    }
    if moved.state.is_open() || moved.act.owner().is_none() {
        return moved;
    }
    // Nothing is to be done any more, so the owner need not be known.
    unnamed(moved)
}

/// The same without the owner whom it is about.
fn unnamed(approval: Approval) -> Approval {
    Approval { act: approval.act.unnamed(), name: String::new(), lines: Vec::new(), ..approval }
}
