//! The dialog that an act has to pass through.
//!
//! A [`Confirmed`] is the proof that somebody read what an act is about and agreed to it; only [`Dialog`] makes one, and
//! nothing else can be sent as an act. What is harmless (D0) needs no dialog, and [`Dialog::harmless`] takes nothing else.

mod form;
mod outcome;

use serde::{Deserialize, Serialize};

pub(crate) use self::form::words;
pub use self::form::{Form, Reply, Slot};
pub use self::outcome::{InFlight, Outcome};
use crate::clean::Clean;
use crate::event::{Failure, Moment};
use crate::keymap::{Danger, Place};
use crate::kind::{Act, Before, Deed, Item, Kind, Scope};
use crate::secrets::Slot as SecretSlot;

/// An act, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind.
    pub kind: Kind,
    /// What is to be done.
    pub deed: Deed,
    /// Where the things are found.
    pub scope: Scope,
    /// The things, as they were when the dialog opened; none where an act is about the list.
    pub victims: Vec<Item>,
}

impl Cause {
    /// The act.
    pub fn act(&self) -> Option<&'static Act> {
        self.kind.shape().acts.iter().find(|act| act.deed == self.deed)
    }

    /// How dear a mistake is.
    pub fn danger(&self) -> Danger {
        self.act().map_or(Danger::D3, |act| act.danger)
    }

    /// The one thing that it is about, or the first of several.
    pub fn first(&self) -> Option<&Item> {
        self.victims.first()
    }
}

/// What the server said before the operator was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The own name of what it is about; empty if there was no plan.
    pub name: String,
    /// What will happen, a sentence each.
    pub lines: Vec<Clean>,
    /// Whether a second operator has to approve it.
    pub second: bool,
    /// Names the plan.
    pub digest: Option<String>,
    /// The `ETag` that must still be right.
    pub etag: Option<String>,
}

/// An act that an operator confirmed. It cannot be cloned or read from anywhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Confirmed {
    kind: Kind,
    deed: Deed,
    scope: Scope,
    targets: Vec<Item>,
    reason: Option<String>,
    name: Option<String>,
    answers: Vec<Reply>,
    digest: Option<String>,
    etag: Option<String>,
}

impl Confirmed {
    /// What it is done to: a kind of things.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do.
    pub fn deed(&self) -> Deed {
        self.deed
    }

    /// Where the things are found.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// To which things, as they were read; none where it is about the list.
    pub fn targets(&self) -> &[Item] {
        &self.targets
    }

    /// Why.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The name that was typed, where an act cannot be undone.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What else was typed, by its name in the body.
    pub fn answers(&self) -> &[Reply] {
        &self.answers
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

/// How far a dialog is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The server is asked how the thing stands, or what the act would do.
    Reading,
    /// It did not say: nothing was done.
    Unread(Failure),
    /// Something is typed: a reason, a name, answers.
    Form,
    /// The confirm key is awaited.
    Confirm,
    /// The act is under way.
    Waiting {
        /// Its number.
        ticket: u64,
    },
    /// The server wants a fresh proof of who asks; the act waits for it and nothing was done.
    Proof {
        /// The act's number.
        ticket: u64,
        /// Whether the code has the focus, not the password.
        on_code: bool,
        /// Whether anything is typed as password, and as code.
        typed: (bool, bool),
        /// Whether the server is being asked.
        waiting: bool,
        /// What the server said of the last try.
        text: Option<Clean>,
    },
    /// This came of it.
    Ended(Result<Outcome, Failure>),
}

/// A dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    cause: Cause,
    ticket: u64,
    planned: Option<Planned>,
    stage: Stage,
    /// When this stage was drawn first.
    seen_ms: Option<u64>,
    /// What is typed.
    pub form: Form,
    /// How far the text is scrolled.
    pub scroll: usize,
}

impl Dialog {
    /// Opens a dialog, under the number `ticket`.
    pub fn open(cause: Cause, ticket: u64) -> Self {
        let form = Form::of(&cause);
        let act = cause.act().filter(|_| cause.victims.len() <= 1);
        let stage = match act.map(|act| act.before) {
            None | Some(Before::Nothing) => form.first_stage(),
            // A plan that depends on what is typed waits for that.
            Some(Before::Plan) if !form.is_planned_blind() => Stage::Form,
            Some(Before::Plan | Before::Thing) => Stage::Reading,
        };
        Self { cause, ticket, planned: None, stage, seen_ms: None, form, scroll: 0 }
    }

    /// An act without a dialog: one that is harmless and asks nothing.
    pub fn harmless(cause: &Cause) -> Option<Confirmed> {
        let form = Form::of(cause);
        let harmless = cause.danger() == Danger::D0 && form.is_empty();
        harmless.then(|| form.confirmed(cause, None))
    }

    /// What it is about.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Its number.
    pub fn ticket(&self) -> u64 {
        self.ticket
    }

    /// What the server said before.
    pub fn planned(&self) -> Option<&Planned> {
        self.planned.as_ref()
    }

    /// How far it is.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Where keys go.
    pub fn place(&self) -> Place {
        match self.stage {
            Stage::Reading | Stage::Waiting { .. } | Stage::Proof { waiting: true, .. } => Place::Waiting,
            Stage::Form => Place::Form,
            Stage::Confirm => Place::Confirm,
            Stage::Proof { .. } => Place::Proof,
            Stage::Ended(_) | Stage::Unread(_) => Place::Result,
        }
    }

    /// The secret that has the focus.
    pub fn secret(&self) -> Option<SecretSlot> {
        match self.stage {
            Stage::Form => self.form.is_secret_focused().then_some(SecretSlot::Answer),
            Stage::Proof { waiting: false, on_code, .. } => {
                Some(if on_code { SecretSlot::Code } else { SecretSlot::Password })
            }
            Stage::Reading
            | Stage::Unread(_)
            | Stage::Confirm
            | Stage::Waiting { .. }
            | Stage::Proof { .. }
            | Stage::Ended(_) => None,
        }
    }

    /// Notes that it was drawn as it is.
    pub fn drawn(&mut self, now: Moment) {
        self.seen_ms.get_or_insert(now.steady_ms);
    }

    /// Notes that it was out of sight: keys count again only once it was seen for a while.
    pub fn hide(&mut self) {
        self.seen_ms = None;
    }

    /// Notes that the login has ended: what was typed as a secret was wiped with it.
    pub fn log_out(&mut self) {
        self.hide();
        if let Stage::Proof { typed, .. } = &mut self.stage {
            *typed = (false, false);
        }
    }

    /// Whether a key that arrives now was meant for something else: what the dialog shows was not seen yet, or only just.
    pub fn is_deaf(&self, now: Moment) -> bool {
        self.seen_ms.is_none_or(|seen| now.since(seen) < DEAF_MS)
    }

    /// Takes in what the server said, if that is what the dialog waits for.
    pub fn read(&mut self, ticket: u64, result: &Result<Planned, Failure>) {
        if !matches!(self.stage, Stage::Reading | Stage::Proof { .. }) || self.ticket != ticket {
            return;
        }
        match result {
            Ok(planned) => {
                self.form.expect(&self.cause, planned);
                self.planned = Some(planned.clone());
                self.go(if self.form.is_complete() { Stage::Confirm } else { Stage::Form });
            }
            Err(failure) => self.go(Stage::Unread(failure.clone())),
        }
    }

    /// Goes to the next field, and from the last on to the question whether to do it, or to the server's plan, which then
    /// has to be asked for with what was typed.
    ///
    /// # Errors
    /// What is wrong with the field that has the focus, or with the first that is not complete.
    pub fn submit(&mut self) -> Result<Option<Vec<Reply>>, Clean> {
        if self.stage != Stage::Form || !self.form.advance()? {
            return Ok(None);
        }
        let plans = self.cause.act().is_some_and(|act| act.before == Before::Plan) && self.cause.victims.len() <= 1;
        if plans && self.planned.is_none() {
            self.go(Stage::Reading);
            return Ok(Some(self.form.replies(&self.cause)));
        }
        self.go(Stage::Confirm);
        Ok(None)
    }

    /// The confirm key was pressed: makes the act, if the dialog asks for it, has been seen, and everything that it wants
    /// was typed. This and [`Self::harmless`] are the only ways to a [`Confirmed`].
    pub fn confirm(&mut self, now: Moment) -> Option<Confirmed> {
        if self.stage != Stage::Confirm || self.is_deaf(now) || !self.form.is_complete() {
            return None;
        }
        self.go(Stage::Waiting { ticket: self.ticket });
        Some(self.form.confirmed(&self.cause, self.planned.as_ref()))
    }

    /// The server wants a proof of who asks before it does act `ticket`, or did not take the one it was given.
    pub fn prove(&mut self, ticket: u64, text: Option<Clean>) {
        let asked = matches!(self.stage, Stage::Reading | Stage::Waiting { .. } | Stage::Proof { .. });
        if asked && self.ticket == ticket {
            self.go(Stage::Proof { ticket, on_code: false, typed: (false, false), waiting: false, text });
        }
    }

    /// Takes in what came of the act.
    pub fn end(&mut self, ticket: u64, result: &Result<Outcome, Failure>) {
        if matches!(self.stage, Stage::Waiting { ticket: own } | Stage::Proof { ticket: own, .. } if own == ticket) {
            self.go(Stage::Ended(result.clone()));
        }
    }

    /// Notes whether anything is in the secret that has the focus.
    pub fn note_secret(&mut self, there: bool) {
        match &mut self.stage {
            Stage::Proof { on_code: false, typed, .. } => typed.0 = there,
            Stage::Proof { on_code: true, typed, .. } => typed.1 = there,
            Stage::Form => self.form.note_secret(there),
            Stage::Reading | Stage::Unread(_) | Stage::Confirm | Stage::Waiting { .. } | Stage::Ended(_) => {}
        }
    }

    /// Goes from the password to the code or back; from the code, Enter asks. Says under which number, if it does.
    pub fn submit_proof(&mut self) -> Option<u64> {
        let Stage::Proof { ticket, on_code, waiting, .. } = &mut self.stage else { return None };
        if !*on_code {
            *on_code = true;
            return None;
        }
        *waiting = true;
        Some(*ticket)
    }

    /// Goes to the other field.
    pub fn next_field(&mut self) {
        match &mut self.stage {
            Stage::Proof { on_code, waiting: false, .. } => *on_code = !*on_code,
            Stage::Form => self.form.next(),
            Stage::Reading
            | Stage::Unread(_)
            | Stage::Confirm
            | Stage::Waiting { .. }
            | Stage::Proof { .. }
            | Stage::Ended(_) => {}
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
/// Longer is none either.
pub const REASON_CHARS_MAX: usize = 200;
