//! What health says beside the parts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claviger_core::clock::BootTime;
use claviger_core::view::ReadyView;

/// What is wrong, or weaker than it could be, without stopping anything.
#[derive(Debug, Default)]
pub struct Notes {
    /// What this kernel or token cannot do, found out at the start.
    weak: Mutex<Vec<String>>,
    /// What somebody has to mend, until it is mended.
    standing: Mutex<BTreeMap<Warning, String>>,
    no_keeper: Mutex<Option<String>>,
    disk: Mutex<Option<String>>,
    /// What health said last, and when.
    pub(crate) seen: tokio::sync::Mutex<Option<(BootTime, ReadyView)>>,
}

/// What somebody has to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The certificate ends soon, or has ended.
    CertificateExpires,
    /// New files of the certificate cannot be served.
    CertificateUnfit,
    /// A sink of the audit log does not take entries.
    SinkBehind,
    /// The relay that takes letters to owners cannot be reached.
    RelayAway,
}

impl Warning {
    /// Its name for everybody; the text beside it is for operators.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CertificateExpires => "certificate_expires",
            Self::CertificateUnfit => "certificate_unfit",
            Self::SinkBehind => "sink_behind",
            Self::RelayAway => "relay_away",
        }
    }
}

impl Notes {
    /// With what the front could not shut.
    #[must_use]
    pub fn new(weak: Vec<String>) -> Self {
        Self { weak: Mutex::new(weak), ..Self::default() }
    }

    /// Adds what weakens a guarantee for as long as the process runs.
    pub fn weakened(&self, more: &[String]) {
        let mut weak = lock(&self.weak);
        for warning in more {
            if !weak.contains(warning) {
                tracing::warn!(%warning, "a guarantee is weaker here");
                weak.push(warning.clone());
            }
        }
    }

    /// Warns until it is called again. What was not said before is a line in the log.
    pub fn warn(&self, what: Warning, text: Option<String>) {
        let mut standing = lock(&self.standing);
        match text {
            None => drop(standing.remove(&what)),
            Some(text) => {
                if standing.get(&what) != Some(&text) {
                    tracing::warn!(code = what.code(), "{text}");
                }
                standing.insert(what, text);
            }
        }
    }

    /// All warnings in words, for operators.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let standing = lock(&self.standing);
        lock(&self.weak).iter().chain(standing.values()).cloned().collect()
    }

    /// The names of what is to be mended, for everybody.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        lock(&self.standing).keys().map(|what| what.code().to_owned()).collect()
    }

    /// Says why no keeper can be started, or that one was.
    pub fn set_no_keeper(&self, why: Option<String>) {
        *lock(&self.no_keeper) = why;
    }

    /// Says that there is little room on the disk, in words, or that there is enough.
    pub fn set_disk(&self, little: Option<String>) {
        *lock(&self.disk) = little;
    }

    /// What is wrong with the disk.
    #[must_use]
    pub fn disk(&self) -> Option<String> {
        lock(&self.disk).clone()
    }

    /// Why no keeper can be started.
    #[must_use]
    pub fn no_keeper(&self) -> Option<String> {
        lock(&self.no_keeper).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
