//! One credential, looked at closely.

use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::event::Moment;

/// One credential, looked at closely: its own copy, which outlives its row in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The credential.
    pub row: Row,
    /// When the server was asked for it last.
    pub asked_ms: u64,
}

impl Detail {
    /// Whether it is time to ask again.
    pub fn is_due(&self, now: Moment) -> bool {
        now.since(self.asked_ms) >= super::list::REFRESH_MS
    }
}
