//! The login form.

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::clean::Clean;
use crate::event::{Browser, Moment};
use crate::secrets::Slot;

/// The login form. What is typed as password and code stays in [`Secrets`](crate::secrets::Secrets); this knows whether
/// they are empty and no more, not even how long they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The operator's name.
    pub operator: Field,
    /// Where keys go.
    pub focus: Focus,
    /// Whether anything is typed as password.
    pub password: bool,
    /// Whether anything is typed as code.
    pub code: bool,
    /// Whether the server is being asked.
    pub waiting: bool,
    /// Where to go on in a browser, while a passkey is waited for.
    pub browser: Option<Browser>,
    /// Since when it is there, where it came up by itself: what is typed just then was meant for something else.
    pub opened_ms: Option<u64>,
    /// What the server said, or why a login is needed.
    pub text: Option<Clean>,
}

/// The fields of the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named after what is typed there")]
pub enum Focus {
    #[default]
    Operator,
    Password,
    Code,
}

impl Login {
    /// A form for `operator`, if the name is known.
    pub fn new(operator: Option<&str>) -> Self {
        let operator = operator.map(Field::with).unwrap_or_default();
        let focus = if operator.chars() > 0 { Focus::Password } else { Focus::Operator };
        Self { operator, focus, ..Self::default() }
    }

    /// The field that characters go to, unless it is a secret.
    pub fn field(&mut self) -> Option<&mut Field> {
        (self.focus == Focus::Operator && !self.is_busy()).then_some(&mut self.operator)
    }

    /// The secret that has the focus.
    pub fn secret(&self) -> Option<Slot> {
        match self.focus {
            Focus::Operator => None,
            Focus::Password => Some(Slot::Password),
            Focus::Code => Some(Slot::Code),
        }
    }

    /// Whether a key that arrives now was meant for what was there before.
    pub fn is_deaf(&self, now: Moment) -> bool {
        self.opened_ms.is_some_and(|opened| now.since(opened) < DEAF_MS)
    }

    /// Whether an answer is awaited, of the server or of a person at a browser.
    pub fn is_busy(&self) -> bool {
        self.waiting || self.browser.is_some()
    }

    /// Notes whether anything is in the secret that has the focus.
    pub fn note_secret(&mut self, typed: bool) {
        match self.focus {
            Focus::Operator => {}
            Focus::Password => self.password = typed,
            Focus::Code => self.code = typed,
        }
    }

    /// Goes to the next field, or to the one before.
    pub fn next(&mut self, forward: bool) {
        self.focus = match (self.focus, forward) {
            (Focus::Operator, true) | (Focus::Code, false) => Focus::Password,
            (Focus::Password, true) | (Focus::Operator, false) => Focus::Code,
            (Focus::Code, true) | (Focus::Password, false) => Focus::Operator,
        };
    }

    /// Whether there is something to ask the server: a name and a password. A code is asked for where there has to be one.
    pub fn is_complete(&self) -> bool {
        self.operator.chars() > 0 && self.password && !self.is_busy()
    }
}

/// For so long after the form came up by itself, keys are not meant for it.
const DEAF_MS: u64 = 1_000;
