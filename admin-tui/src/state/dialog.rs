//! The dialog that an act has to pass through.
//!
//! A [`Confirmed`] is the proof that somebody read the victim's name and pressed the confirm key; only [`Dialog`] makes
//! one, and nothing else can be sent as an act.

use serde::{Deserialize, Serialize};

use super::field::Field;
use super::id::Id;
use super::row::{Planned, Reading, Row};
use crate::clean::Clean;
use crate::event::{Failure, Moment};
use crate::keymap::{Danger, Place};
use crate::strings;

/// An act on a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Nothing is signed until somebody unfreezes it.
    Freeze,
    /// Nothing is signed ever again.
    Revoke,
    /// It may be used again.
    Unfreeze,
}

impl Deed {
    /// How dear a mistake is.
    pub fn danger(self) -> Danger {
        match self {
            Self::Freeze => Danger::D1,
            Self::Revoke | Self::Unfreeze => Danger::D2,
        }
    }

    /// Whether the server must be asked first how the credential stands, and refuses if that changed meanwhile.
    fn reads_first(self) -> bool {
        matches!(self, Self::Unfreeze)
    }

    /// Where the dialog starts, once it knows what it needs.
    fn first_stage(self) -> Stage {
        if self.danger() >= Danger::D2 { Stage::Reason } else { Stage::Confirm }
    }
}

/// What an act is about, as it was when the dialog opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Victim {
    /// Which credential.
    pub id: Id,
    /// Its name.
    pub label: Clean,
    /// Whose it is.
    pub owner: Clean,
    /// Where it is used.
    pub venue: Clean,
    /// Which tenant's it is.
    pub tenant: Clean,
    /// Its state, as the API says it.
    pub state: String,
    /// The version in use.
    pub version: u32,
    /// The `ETag` it was read with, if it was read for this.
    pub etag: Option<String>,
    /// What the server says that will happen, if it was asked.
    pub planned: Option<Planned>,
}

impl From<&Row> for Victim {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.clone(),
            label: row.label.clone(),
            owner: row.owner.clone(),
            venue: row.venue.clone(),
            tenant: row.tenant.clone(),
            state: row.state.word().to_owned(),
            version: row.version,
            etag: None,
            planned: None,
        }
    }
}

/// An act that an operator confirmed. It cannot be cloned or read from anywhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Confirmed {
    deed: Deed,
    id: Id,
    reason: String,
    etag: Option<String>,
    digest: Option<String>,
}

impl Confirmed {
    /// What to do.
    pub fn deed(&self) -> Deed {
        self.deed
    }

    /// To which credential.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The digest of the plan that was shown.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The `ETag` that must still be right.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }
}

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
}

/// A request without an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The execution, if an app asked for one.
    pub execution: Option<Clean>,
    /// When it was granted.
    pub at: Clean,
}

/// How far a dialog is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The server is asked how the credential stands.
    Reading,
    /// The server did not say how it stands: nothing was done.
    Unread(Failure),
    /// A reason is typed.
    Reason,
    /// The confirm key is awaited.
    Confirm,
    /// The act is under way.
    Waiting {
        /// Its number.
        ticket: u64,
    },
    /// This came of it.
    Ended(Result<Outcome, Failure>),
}

/// A dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    deed: Deed,
    victim: Victim,
    stage: Stage,
    /// When this stage was drawn first.
    seen_ms: Option<u64>,
    /// The reason, as far as it is typed.
    pub reason: Field,
    /// How far the text is scrolled.
    pub scroll: usize,
}

impl Dialog {
    /// Opens a dialog about `row`.
    pub fn open(deed: Deed, row: &Row) -> Self {
        let stage = if deed.reads_first() { Stage::Reading } else { deed.first_stage() };
        Self { deed, victim: row.into(), stage, seen_ms: None, reason: Field::default(), scroll: 0 }
    }

    /// The act it is about.
    pub fn deed(&self) -> Deed {
        self.deed
    }

    /// The credential it is about.
    pub fn victim(&self) -> &Victim {
        &self.victim
    }

    /// How far it is.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Where keys go.
    pub fn place(&self) -> Place {
        match self.stage {
            Stage::Reading | Stage::Waiting { .. } => Place::Waiting,
            Stage::Reason => Place::Reason,
            Stage::Confirm => Place::Confirm,
            Stage::Ended(_) | Stage::Unread(_) => Place::Result,
        }
    }

    /// Notes that it was drawn as it is.
    pub fn drawn(&mut self, now: Moment) {
        self.seen_ms.get_or_insert(now.steady_ms);
    }

    /// Whether a key that arrives now was meant for something else: what the dialog shows was not seen yet, or only just.
    pub fn is_deaf(&self, now: Moment) -> bool {
        self.seen_ms.is_none_or(|seen| now.since(seen) < DEAF_MS)
    }

    /// Whether the reason is long enough to be one.
    pub fn has_reason(&self) -> bool {
        self.deed.danger() < Danger::D2 || self.reason.chars() >= REASON_CHARS_MIN
    }

    /// Takes in how the credential stands, if that is what the dialog waits for.
    pub fn read(&mut self, id: &Id, result: &Result<Box<Reading>, Failure>) {
        if self.stage != Stage::Reading || self.victim.id != *id {
            return;
        }
        match result {
            Ok(reading) => {
                let (etag, planned) = (reading.etag.clone(), reading.planned.clone());
                self.victim = Victim { etag, planned, ..(&reading.row).into() };
                self.go(self.deed.first_stage());
            }
            Err(failure) => self.go(Stage::Unread(failure.clone())),
        }
    }

    /// Ends the typing of the reason. Says whether it is good enough.
    pub fn submit_reason(&mut self) -> bool {
        let good = self.stage == Stage::Reason && self.has_reason();
        if good {
            self.go(Stage::Confirm);
        }
        good
    }

    /// The confirm key was pressed: makes the act, under the number `ticket`, if the dialog asks for it and has been
    /// seen, and has a reason where one is due. This is the only way to a [`Confirmed`].
    pub fn confirm(&mut self, now: Moment, ticket: u64) -> Option<Confirmed> {
        if self.stage != Stage::Confirm || self.is_deaf(now) || !self.has_reason() {
            return None;
        }
        self.go(Stage::Waiting { ticket });
        let typed = self.reason.text().trim();
        let reason = if typed.is_empty() { strings::REASON_UNSAID } else { typed }.to_owned();
        let etag = self.victim.etag.clone();
        let digest = self.victim.planned.as_ref().map(|plan| plan.digest.clone());
        Some(Confirmed { deed: self.deed, id: self.victim.id.clone(), reason, etag, digest })
    }

    /// Takes in what came of the act.
    pub fn end(&mut self, ticket: u64, result: &Result<Outcome, Failure>) {
        if self.stage == (Stage::Waiting { ticket }) {
            self.go(Stage::Ended(result.clone()));
        }
    }

    fn go(&mut self, stage: Stage) {
        self.stage = stage;
        self.seen_ms = None;
        self.scroll = 0;
    }
}

/// For so long after a dialog was first seen as it is, keys are not meant for it.
pub const DEAF_MS: u64 = 250;
/// Shorter is no reason.
pub const REASON_CHARS_MIN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let view = serde_json::json!({
            "id": "cred_01a", "tenant": "ten_1", "owner": "o", "label": "l", "venue": "binance", "kind": "hmac",
            "ceiling": {"class": "read"}, "hint": "h", "state": "frozen", "health": "ok", "ip_restricted": false,
            "version": 1, "created_at": "", "changed_at": "", "probed_at": ""
        });
        Row::from_view(&serde_json::from_value(view).unwrap()).unwrap()
    }

    fn at(steady_ms: u64) -> Moment {
        Moment { steady_ms, unix_ms: 0 }
    }

    #[test]
    fn hears_the_confirm_key_only_after_it_was_seen_for_a_while() {
        let mut dialog = Dialog::open(Deed::Freeze, &row());
        assert_eq!(dialog.confirm(at(10_000), 0), None, "it was never drawn");
        dialog.drawn(at(10_000));
        dialog.drawn(at(10_200));
        assert_eq!(dialog.confirm(at(10_249), 0), None);
        let confirmed = dialog.confirm(at(10_250), 7).unwrap();
        assert_eq!((confirmed.deed(), confirmed.id().as_str()), (Deed::Freeze, "cred_01a"));
        assert_eq!(confirmed.reason(), strings::REASON_UNSAID);
        dialog.drawn(at(20_000));
        assert_eq!(dialog.confirm(at(30_000), 8), None, "once");
    }

    #[test]
    fn wants_a_reason_for_what_disrupts() {
        let mut dialog = Dialog::open(Deed::Revoke, &row());
        dialog.drawn(at(0));
        dialog.reason.paste("   too short   ");
        assert!(!dialog.submit_reason());
        dialog.reason.paste("- no longer");
        assert_eq!(dialog.confirm(at(1000), 0), None, "it is still being typed");
        assert!(dialog.submit_reason());
        assert_eq!(dialog.confirm(at(1000), 0), None, "the question was not seen yet");
        dialog.drawn(at(1000));
        assert_eq!(dialog.confirm(at(1250), 0).unwrap().reason(), "too short   - no longer");
    }

    #[test]
    fn reads_before_it_unfreezes() {
        let (mut dialog, row) = (Dialog::open(Deed::Unfreeze, &row()), row());
        let reading = Ok(Box::new(Reading { row: row.clone(), etag: Some("\"7\"".to_owned()), planned: None }));
        dialog.read(&Id::parse("cred_other").unwrap(), &reading);
        assert_eq!(*dialog.stage(), Stage::Reading);
        dialog.read(&row.id, &reading);
        assert_eq!(*dialog.stage(), Stage::Reason);
        dialog.reason.paste("the owner asked for it");
        dialog.submit_reason();
        dialog.drawn(at(0));
        assert_eq!(dialog.confirm(at(250), 0).unwrap().etag(), Some("\"7\""));

        let mut dialog = Dialog::open(Deed::Unfreeze, &row);
        dialog.read(&row.id, &Err(Failure::NoAnswer("nothing".into())));
        assert_eq!(dialog.place(), Place::Result);
    }

    #[test]
    fn shows_the_answer_to_its_own_act_only() {
        let mut dialog = Dialog::open(Deed::Freeze, &row());
        dialog.drawn(at(0));
        dialog.confirm(at(250), 7);
        dialog.end(6, &Ok(Outcome::default()));
        assert_eq!(*dialog.stage(), Stage::Waiting { ticket: 7 });
        dialog.end(7, &Ok(Outcome::default()));
        assert_eq!(*dialog.stage(), Stage::Ended(Ok(Outcome::default())));
    }
}
