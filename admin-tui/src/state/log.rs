//! What was done in this run.

use serde::{Deserialize, Serialize};

use super::dialog::{Confirmed, Outcome};
use super::id::Id;
use crate::clean::Clean;
use crate::event::Failure;
use crate::kind::{Deed, Kind};

/// What was done in this run, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The acts.
    pub records: Vec<Record>,
    /// The number that was given last.
    pub next_ticket: u64,
}

/// An act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub ticket: u64,
    /// When it was confirmed, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// To what kind of things.
    pub kind: Kind,
    /// What was asked for.
    pub deed: Deed,
    /// The first of the things; none where it was about the list.
    pub first: Option<(Id, Clean)>,
    /// How many there were.
    pub count: usize,
    /// The reason that was given.
    pub reason: Clean,
    /// What came of it; nothing while that is not known yet.
    pub result: Option<Result<Outcome, Failure>>,
}

impl Record {
    /// The server's number for the request.
    pub fn request_id(&self) -> Option<&Clean> {
        match self.result.as_ref()? {
            Ok(outcome) => outcome.request_id.as_ref(),
            Err(failure) => failure.request_id(),
        }
    }
}

impl Log {
    /// A number for an act or a dialog.
    pub fn number(&mut self) -> u64 {
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.next_ticket
    }

    /// Writes down that an act is asked for.
    pub fn begin(&mut self, ticket: u64, unix_ms: u64, confirmed: &Confirmed) {
        let record = Record {
            ticket,
            unix_ms,
            kind: confirmed.kind(),
            deed: confirmed.deed(),
            first: confirmed.targets().first().map(|item| (item.id.clone(), item.name.clone())),
            count: confirmed.targets().len(),
            reason: confirmed.reason().unwrap_or_default().into(),
            result: None,
        };
        if self.records.len() >= RECORDS_MAX {
            self.records.remove(0);
        }
        self.records.push(record);
    }

    /// Whether what came of an act is not known yet.
    pub fn is_waiting(&self) -> bool {
        self.records.iter().any(|record| record.result.is_none())
    }

    /// Writes down what came of it.
    pub fn end(&mut self, ticket: u64, result: Result<Outcome, Failure>) -> Option<&Record> {
        let record = self.records.iter_mut().rev().find(|record| record.ticket == ticket)?;
        record.result = Some(result);
        Some(record)
    }
}

/// The log keeps this many acts.
const RECORDS_MAX: usize = 500;
