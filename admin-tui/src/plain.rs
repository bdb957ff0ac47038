//! The console line by line, for screen readers, terminals without a cursor, and pipes.
//!
//! State, acts, dialogs and client are those of the drawn console, and a line becomes the keys that it stands for there, so
//! nothing can be done here in fewer steps. What is printed is text alone: no escape sequence, no frame, no spinner.
//! A line is read only when one is asked for; what is typed ahead of a dialog does not answer it.

mod answer;
mod command;
mod text;

use std::mem::{Discriminant, discriminant};

use crate::action::{Action, Ask};
use crate::app;
use crate::clean::Clean;
use crate::event::{Answer, Event, Input, Key, Moment};
use crate::keymap::Place;
use crate::kind::{Item, Kind};
use crate::state::dialog::Slot;
use crate::state::login::Focus;
use crate::state::{Link, Stage, State};
use crate::strings as s;

/// How the console was told to be plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// `--plain`.
    Flag,
    /// `CLAVIGER_PLAIN`.
    Environment,
    /// `TERM=dumb`.
    Terminal,
}

/// What a line is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A command.
    Command,
    /// The operator's name.
    Operator,
    /// The operator's password.
    Password,
    /// A code of the second factor.
    Code,
    /// The field of this number in a dialog; whether it is a secret.
    Field(usize, bool),
    /// Whether to do it.
    Confirm,
    /// The password, to prove who is there.
    ProofPassword,
    /// The code, to prove who is there.
    ProofCode,
}

impl Prompt {
    /// Whether what is typed must not be shown.
    pub fn is_secret(self) -> bool {
        match self {
            Self::Password | Self::Code | Self::ProofPassword | Self::ProofCode | Self::Field(_, true) => true,
            Self::Command | Self::Operator | Self::Field(_, false) | Self::Confirm => false,
        }
    }
}

/// By what one stage of a dialog is told from another.
type Shown = (Discriminant<Stage>, bool, Option<Clean>);

/// The console line by line.
#[derive(Debug)]
pub struct Plain {
    /// What it knows.
    pub state: State,
    said: Vec<Clean>,
    /// Questions to the server that have no answer yet.
    awaited: usize,
    /// What is to be told as soon as nothing is awaited: the service's status, the view.
    tells: (bool, bool),
    /// The rows, or the one thing, that were told last, by their numbers.
    rows: Vec<(usize, Item)>,
    shown: Option<Shown>,
    prompted: Option<Prompt>,
    reading: Option<Prompt>,
    /// Whether a line is to be read that is not being read yet.
    wants: bool,
    notice_ms: Option<u64>,
    login_text: Option<Clean>,
    browser: bool,
    was_live: bool,
    changed: usize,
}

impl Plain {
    /// A console that has said nothing but what it is.
    pub fn new(state: State, because: Because) -> Self {
        let said = vec![s::plain_because(because)];
        Self {
            state,
            said,
            awaited: 0,
            tells: (false, false),
            rows: Vec::new(),
            shown: None,
            prompted: None,
            reading: None,
            wants: false,
            notice_ms: None,
            login_text: None,
            browser: false,
            was_live: true,
            changed: 0,
        }
    }

    /// Starts, as [`app::start`].
    pub fn start(&mut self, operator: Option<&str>, logged_in: bool, kind: Kind) -> Vec<Action> {
        let actions = app::start(&mut self.state, operator, logged_in, kind);
        self.tells = (true, true);
        self.count(&actions);
        self.settle();
        actions
    }

    /// Takes in what happened, but for lines.
    pub fn hear(&mut self, at: Moment, input: Input) -> Vec<Action> {
        if let Input::Answer(Answer::Status(_) | Answer::Page { .. } | Answer::One { .. }) = input {
            self.awaited = self.awaited.saturating_sub(1);
        }
        let was_out = self.state.login.is_some();
        let mut actions = self.update(at, input);
        if was_out && self.state.login.is_none() {
            self.say(s::plain_logged_in(&self.state.operator));
            (self.tells, self.shown) = ((true, self.state.dialog.is_none()), None);
        }
        // What came of an act is told once and needs no answer.
        if self.state.place() == Place::Result && !self.is_deaf() {
            actions.extend(self.update(at, Input::Key(Key::Esc)));
        }
        self.settle();
        actions
    }

    /// Takes in that the line that was wanted cannot be used.
    pub fn unusable(&mut self) -> Vec<Action> {
        (self.reading, self.prompted) = (None, None);
        self.say(s::PLAIN_TOO_LONG);
        self.settle();
        Vec::new()
    }

    /// What it has to say since it was asked last, a line each.
    pub fn said(&mut self) -> Vec<Clean> {
        std::mem::take(&mut self.said)
    }

    /// What a line is to be read for; told once.
    pub fn wants(&mut self) -> Option<Prompt> {
        std::mem::take(&mut self.wants).then_some(self.reading).flatten()
    }

    fn say(&mut self, text: impl Into<Clean>) {
        self.said.push(text.into());
    }

    fn update(&mut self, at: Moment, input: Input) -> Vec<Action> {
        let actions = app::update(&mut self.state, Event { at, input });
        self.count(&actions);
        actions
    }

    fn press(&mut self, at: Moment, keys: &[Key]) -> Vec<Action> {
        keys.iter().flat_map(|key| self.update(at, Input::Key(*key))).collect()
    }

    fn count(&mut self, actions: &[Action]) {
        let asks = actions
            .iter()
            .filter(|action| matches!(action, Action::Ask(Ask::Status | Ask::Page { .. } | Ask::One { .. })));
        self.awaited = self.awaited.saturating_add(asks.count());
    }

    fn is_deaf(&self) -> bool {
        self.state.login.is_none() && self.state.dialog.as_ref().is_some_and(|dialog| dialog.is_deaf(self.state.now))
    }

    /// Tells what there is to tell, and asks for the next line.
    fn settle(&mut self) {
        self.tell_login();
        self.tell_dialog();
        self.tell_notice();
        let Some(prompt) = self.prompt() else { return };
        if self.reading.is_some_and(|reading| reading != prompt) && self.prompted != Some(prompt) {
            self.say(s::PLAIN_PRESS_ENTER);
            self.prompted = Some(prompt);
        }
        if self.reading.is_some() {
            return;
        }
        if prompt == Prompt::Command {
            self.tell_what_is_due();
        }
        if self.prompted != Some(prompt) {
            self.prompted = Some(prompt);
            let text = self.question(prompt);
            self.say(text);
        }
        if !self.is_deaf() {
            (self.reading, self.wants) = (Some(prompt), true);
        }
    }

    fn tell_login(&mut self) {
        let login = self.state.login.as_ref();
        let (text, browser) = login.map_or((None, None), |login| (login.text.clone(), login.browser.clone()));
        if text != self.login_text {
            self.login_text.clone_from(&text);
            self.said.extend(text);
        }
        let browser = browser.or_else(|| self.state.browser.clone());
        if self.browser != browser.is_some() {
            self.browser = browser.is_some();
            self.said.extend(browser.iter().flat_map(text::browser));
        }
    }

    fn tell_dialog(&mut self) {
        let Some(dialog) = self.state.dialog.as_ref().filter(|_| self.state.login.is_none()) else {
            self.shown = None;
            return;
        };
        let stage = dialog.stage();
        let shown: Shown = match stage {
            Stage::Proof { waiting, text, .. } => (discriminant(stage), *waiting, text.clone()),
            Stage::Reading
            | Stage::Unread(_)
            | Stage::Form
            | Stage::Confirm
            | Stage::Waiting { .. }
            | Stage::Ended(_) => (discriminant(stage), false, None),
        };
        if self.shown.as_ref() == Some(&shown) {
            return;
        }
        if self.shown.is_none() {
            self.said.extend(text::about(dialog));
        }
        self.said.extend(text::dialog(&self.state, dialog));
        if *stage == Stage::Form {
            self.said.push(s::PLAIN_CANCEL.into());
        }
        if matches!(stage, Stage::Ended(_)) {
            self.notice_ms = self.state.notice.as_ref().map(|notice| notice.at_ms);
        }
        self.shown = Some(shown);
        let at = self.state.now;
        drop(app::update(&mut self.state, Event { at, input: Input::Drawn }));
    }

    fn tell_notice(&mut self) {
        let Some(notice) = self.state.notice.take() else { return };
        if self.notice_ms.take() != Some(notice.at_ms) {
            self.said.push(notice.text);
        }
    }

    /// What is to be read; no command while something is awaited, since its answer is told first.
    fn prompt(&self) -> Option<Prompt> {
        let is_busy = self.awaited > 0 || self.state.log.is_waiting();
        self.open_question().filter(|prompt| !is_busy || *prompt != Prompt::Command)
    }

    /// What a line that arrives is the answer to.
    fn open_question(&self) -> Option<Prompt> {
        if let Some(login) = &self.state.login {
            return (!login.is_busy()).then_some(match login.focus {
                Focus::Operator => Prompt::Operator,
                Focus::Password => Prompt::Password,
                Focus::Code => Prompt::Code,
            });
        }
        let Some(dialog) = &self.state.dialog else {
            return Some(Prompt::Command);
        };
        match dialog.stage() {
            Stage::Form => {
                let focus = dialog.form.focus();
                Some(Prompt::Field(focus, matches!(dialog.form.slots().get(focus), Some(Slot::Secret(..)))))
            }
            Stage::Confirm => Some(Prompt::Confirm),
            Stage::Proof { waiting: false, .. } if self.state.browser.is_some() => None,
            Stage::Proof { waiting: false, on_code, .. } => {
                Some(if *on_code { Prompt::ProofCode } else { Prompt::ProofPassword })
            }
            Stage::Reading | Stage::Unread(_) | Stage::Waiting { .. } | Stage::Proof { .. } | Stage::Ended(_) => None,
        }
    }

    /// What is told before a command is asked for.
    fn tell_what_is_due(&mut self) {
        let (status, view) = std::mem::take(&mut self.tells);
        let live = matches!(self.state.link(), Link::Live | Link::Opening);
        if status || live != self.was_live {
            self.said.extend(text::status(&self.state));
        }
        self.was_live = live;
        if view {
            let (lines, rows) = text::view(&mut self.state);
            self.said.extend(lines);
            (self.rows, self.changed) = (rows, 0);
        }
        let changed = text::changed(&self.state, &self.rows);
        if changed != self.changed && changed > 0 {
            self.say(s::plain_changed(changed));
        }
        self.changed = changed;
    }
}

#[cfg(test)]
mod tests;
