//! What an act did.

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::Failure;

/// What an act did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The approval that it waits for, if it was not done yet.
    pub waiting: Option<Clean>,
    /// What may still be answered by the venue; nothing if the answer did not say.
    pub in_flight: Option<Vec<InFlight>>,
    /// What is left to do at the venue.
    pub at_venue: Option<Clean>,
    /// The server's number for the request.
    pub request_id: Option<Clean>,
    /// Where it was about several things: to how many it was done.
    pub done: usize,
    /// And to which not, by name, and why.
    pub failed: Vec<(Clean, Failure)>,
}

/// A request without an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The execution, if an app asked for one.
    pub execution: Option<Clean>,
    /// When it was granted.
    pub at: Clean,
}

impl Outcome {
    /// Takes in what was done to one more thing.
    pub fn add(&mut self, name: &Clean, result: Result<Self, Failure>) {
        match result {
            Ok(one) => {
                self.done = self.done.saturating_add(1);
                self.request_id = one.request_id.or(self.request_id.take());
                self.at_venue = one.at_venue.or(self.at_venue.take());
                self.waiting = one.waiting.or(self.waiting.take());
                if let Some(open) = one.in_flight {
                    self.in_flight.get_or_insert_default().extend(open);
                }
            }
            Err(failure) => self.failed.push((name.clone(), failure)),
        }
    }
}
