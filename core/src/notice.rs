//! Notices: what owners are told when something happens to their keys, or to all of many.
//!
//! A notice is one row, written in the commit of what it is about, however many are to be told. Afterwards it is spread,
//! a page at a time, into deliveries: rows of a queue, sorted by when each is due. What a delivery needs is read when it
//! is made, so that no address and no text of anybody's waits in a queue.
//!
//! ```text
//! commit that causes it: Notice + Delivery(Tend)
//!   tend: per page of credentials  Told + Delivery(Mail)   each owner once
//!   mail: taken by the relay       Delivery gone, counted; the last one brings Delivery(Tend) back
//!   tend: marks go, an entry says how many were told, the incident's clock is met
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::hash_of;
use crate::id::{CredentialId, IncidentId, NoticeId, TenantId};
use crate::store::Key;

mod address;
mod template;
mod topic;

pub use address::Address;
pub(crate) use address::is_address;
pub use template::{Rendered, Template, TemplateError};
pub use topic::Topic;

/// How long a letter is tried before it counts as failed, milliseconds: three days.
const TRIED_MS: u64 = 3 * 24 * 60 * 60 * 1_000;

/// What comes after the first try, and the longest wait between two, milliseconds.
const FIRST_WAIT_MS: u64 = 2_000;
const LONGEST_WAIT_MS: u64 = 30 * 60 * 1_000;

/// Whose keys a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// Everything that an incident touches.
    Incident(IncidentId),
    /// One credential.
    Credential(TenantId, CredentialId),
}

/// How far a notice is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It is being spread: the owners of what lies behind this place in the list of credentials are not on it yet.
    Spreading(Option<Vec<u8>>),
    /// Every letter is in the queue.
    Out,
    /// Every letter was taken or has failed, and what was kept to tell nobody twice goes: up to this place it is gone.
    Clearing(Option<Vec<u8>>),
    /// It is over since a time in milliseconds since the Unix epoch.
    Ended(u64),
}

/// Something that owners are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// What it is.
    pub topic: Topic,
    /// Whose keys it is about.
    pub about: About,
    /// When it happened, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What its text says of it, by placeholder. Nothing secret, and nobody's name.
    pub details: Vec<(String, String)>,
    /// How far it is.
    pub stage: Stage,
    /// How many are told.
    pub count: Count,
}

/// How many a notice has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Letters that the relay has taken.
    pub sent: u64,
    /// Letters that wait.
    pub waiting: u64,
    /// Letters that were refused for good, or for too long.
    pub failed: u64,
    /// Credentials without a contact address, or that no letter could be written for, or of an incident's that were gone
    /// before theirs was: their owners are to be told otherwise.
    pub unreached: u64,
}

impl Count {
    /// Whether nobody is left who is to be told.
    pub fn is_complete(&self) -> bool {
        (self.waiting, self.failed, self.unreached) == (0, 0, 0)
    }

    /// Whether that is so because everybody was told, not because nobody was to be.
    pub fn has_told(&self) -> bool {
        self.sent > 0 && self.is_complete()
    }
}

/// Who a delivery is for: for a letter a hash over the owner, by which nobody is told twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Recipient(pub [u8; 16]);

impl Recipient {
    /// Nobody in particular.
    pub const NOBODY: Self = Self([0; 16]);

    /// An owner, for one notice. The key over what the audit log says of the owner is in it, so that once this is
    /// destroyed nobody finds out by guessing whose it was.
    pub(crate) fn owner(notice: NoticeId, tenant: TenantId, owner: &str, key: &[u8; 32]) -> Self {
        let parts = [b"notice".as_slice(), notice.as_bytes(), tenant.as_bytes(), key, owner.as_bytes()];
        let hash = hash_of(parts);
        let mut short = [0; 16];
        short.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(short)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// What a delivery is, each with a queue of its own: one that is stuck keeps no other waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Queue {
    /// The next step of a notice: being spread, or being cleared up.
    Tend,
    /// A letter.
    Mail,
}

/// Something to be done for a notice, when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Which queue it is in.
    pub queue: Queue,
    /// When it is due, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// For which notice.
    pub notice: NoticeId,
    /// For whom.
    pub to: Recipient,
    /// The credential whose contact address a letter goes to.
    pub credential: Option<(TenantId, CredentialId)>,
    /// When it was due first, milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// How often it was tried.
    pub tries: u32,
}

impl Delivery {
    /// One that is due at once.
    pub fn new(queue: Queue, notice: NoticeId, to: Recipient, now_ms: u64) -> Self {
        Self { queue, at_ms: now_ms, notice, to, credential: None, since_ms: now_ms, tries: 0 }
    }

    /// Where it stands in its queue.
    pub(crate) fn key(&self) -> Key {
        Key::Delivery(self.queue, self.at_ms, self.notice, self.to)
    }

    /// The same for another try, some time after the one that has failed at `now_ms`; `None` when it was tried for long
    /// enough.
    #[must_use]
    pub fn again(&self, now_ms: u64) -> Option<Self> {
        if now_ms.saturating_sub(self.since_ms) >= TRIED_MS {
            return None;
        }
        let doubled = FIRST_WAIT_MS.saturating_mul(1_u64.checked_shl(self.tries.min(20)).unwrap_or(u64::MAX));
        let at_ms = now_ms.saturating_add(doubled.min(LONGEST_WAIT_MS));
        Some(Self { at_ms, tries: self.tries.saturating_add(1), ..*self })
    }
}

/// That an owner is on a notice's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The key's second half once more, for lists.
    pub to: Recipient,
    /// The credential that the owner was found by.
    pub credential: CredentialId,
    /// Why there was no letter, once that is sure.
    pub failed: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_785_312_000_000;

    #[test]
    fn a_notice_has_told_once_somebody_was_and_nobody_is_left() {
        let told = |sent, waiting, failed, unreached| Count { sent, waiting, failed, unreached }.has_told();
        assert!(told(1, 0, 0, 0));
        for left in [(0, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1)] {
            assert!(!told(left.0, left.1, left.2, left.3), "{left:?}");
        }
    }

    #[test]
    fn tries_come_further_apart_and_end_after_three_days() {
        let mut delivery = Delivery::new(Queue::Mail, NoticeId::MIN, Recipient::NOBODY, NOW_MS);
        let mut waits = Vec::new();
        while let Some(next) = delivery.again(delivery.at_ms) {
            waits.push(next.at_ms - delivery.at_ms);
            delivery = next;
        }
        assert_eq!(waits[..4], [2_000, 4_000, 8_000, 16_000]);
        assert!(waits.is_sorted() && waits.last() == Some(&LONGEST_WAIT_MS));
        assert!((TRIED_MS..TRIED_MS + LONGEST_WAIT_MS).contains(&(delivery.at_ms - NOW_MS)));
    }

    #[test]
    fn an_owner_is_the_same_within_a_notice_and_nobody_elses() {
        let [one, other] = [1, 2].map(|n| NoticeId::from_bytes([n; 16]));
        let [tenant, foreign] = [1, 2].map(|n| TenantId::from_bytes([n; 16]));
        let ada = Recipient::owner(one, tenant, "ada", &[7; 32]);
        assert_eq!(ada, Recipient::owner(one, tenant, "ada", &[7; 32]));
        for differs in [
            Recipient::owner(other, tenant, "ada", &[7; 32]),
            Recipient::owner(one, foreign, "ada", &[7; 32]),
            Recipient::owner(one, tenant, "eve", &[7; 32]),
            Recipient::owner(one, tenant, "ada", &[8; 32]),
        ] {
            assert_ne!(ada, differs);
        }
    }
}
