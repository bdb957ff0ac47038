//! Misbehaviour on demand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a venue can misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// The answer is right but late.
    Slow,
    /// Too many requests.
    #[serde(rename = "status_429")]
    Status429,
    /// The address is banned.
    #[serde(rename = "status_418")]
    Status418,
    /// The venue does not know what happened.
    #[serde(rename = "status_5xx")]
    Status5xx,
    /// The venue knows the key no more.
    DeadKey,
    /// The connection ends without an answer.
    CutBefore,
    /// The connection ends in the middle of the answer.
    CutMidAnswer,
    /// No answer ever comes, and the connection stays.
    Hang,
    /// Status 200 and half a JSON text.
    BadJson,
}

impl FaultKind {
    /// Its name in the control API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Status429 => "status_429",
            Self::Status418 => "status_418",
            Self::Status5xx => "status_5xx",
            Self::DeadKey => "dead_key",
            Self::CutBefore => "cut_before",
            Self::CutMidAnswer => "cut_mid_answer",
            Self::Hang => "hang",
            Self::BadJson => "bad_json",
        }
    }

    /// Whether the request takes effect although the answer suffers, when the fault does not say.
    const fn executes(self) -> bool {
        matches!(self, Self::Slow | Self::CutMidAnswer | Self::BadJson)
    }
}

/// The body of `POST /_sim/faults`: what goes wrong, for whom, and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    venue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    /// Only requests to exactly this path of the venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Lateness of `slow`.
    #[serde(default)]
    delay_ms: u64,
    /// Requests it still applies to; without it, all until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// Whether the request takes effect nevertheless; each kind has its own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    executed: Option<bool>,
}

impl Fault {
    /// Whether the request takes effect although the answer suffers.
    pub(crate) fn executes(&self) -> bool {
        self.executed.unwrap_or_else(|| self.kind.executes())
    }

    /// How late the answer is.
    pub(crate) const fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    fn applies(&self, venue: &str, key_id: &str, path: &str) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
        self.count != Some(0) && fits(&self.venue, venue) && fits(&self.key_id, key_id) && fits(&self.path, path)
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Spares the healthy case the lock.
    any: AtomicBool,
    list: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Puts a fault in force.
    pub(crate) fn add(&self, fault: Fault) {
        self.list().push(fault);
        self.any.store(true, Ordering::Release);
    }

    /// Ends all faults.
    pub(crate) fn clear(&self) {
        self.list().clear();
        self.any.store(false, Ordering::Release);
    }

    /// The faults in force, used-up ones left out.
    pub(crate) fn all(&self) -> Vec<Fault> {
        self.list().clone()
    }

    /// The fault that hits this request, if any; the first that applies is used.
    pub(crate) fn take(&self, venue: &str, key_id: &str, path: &str) -> Option<Fault> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut list = self.list();
        let fault = list.iter_mut().find(|fault| fault.applies(venue, key_id, path))?;
        fault.count = fault.count.map(|count| count.saturating_sub(1));
        let taken = fault.clone();
        list.retain(|fault| fault.count != Some(0));
        Some(taken)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
