//! What is typed into a dialog.

use serde::{Deserialize, Serialize};

use super::{Cause, Confirmed, Planned, REASON_CHARS_MAX, REASON_CHARS_MIN, Stage};
use crate::clean::{Clean, clean};
use crate::keymap::Danger;
use crate::kind::act::QuestionKind;
use crate::kind::{Act, Before, Question, Reason};
use crate::state::Field;
use crate::strings as s;

/// What is typed into a dialog: fields one under the other, one of which has the focus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    slots: Vec<Slot>,
    focus: usize,
}

/// What was typed as an answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The question's name in the body.
    pub name: &'static str,
    /// The answer.
    pub text: String,
    /// Whether it is a number, and not a text.
    pub number: bool,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slot {
    /// An answer to the act's question of this number, of so many characters at least.
    Question(usize, usize, Field),
    /// A whole number above 0, or nothing, for the act's question of this number.
    Number(usize, Field),
    /// A choice among the words of the act's question of this number.
    Choice(usize, usize),
    /// A secret, for the act's question of this number. The characters are elsewhere; here is whether there are any.
    Secret(usize, bool),
    /// Why.
    Reason(Field),
    /// What has to be typed, letter for letter, and what is.
    Name(String, Field),
}

impl Form {
    /// What an act wants.
    pub(super) fn of(cause: &Cause) -> Self {
        let Some(act) = cause.act() else { return Self::default() };
        let questions = act.questions.iter().enumerate().map(|(number, question)| match question.kind {
            QuestionKind::Text(least) => Slot::Question(number, least, Field::default()),
            QuestionKind::Number => Slot::Number(number, Field::default()),
            QuestionKind::Choice(_) => Slot::Choice(number, 0),
            QuestionKind::Secret => Slot::Secret(number, false),
        });
        let reason = (act.reason == Reason::Asked).then(|| Slot::Reason(Field::default()));
        let form = Self { slots: questions.chain(reason).collect(), focus: 0 };
        let count = cause.victims.len();
        match act.danger {
            // A plan brings the name as the server has it.
            Danger::D3 if act.before != Before::Plan => form.with_name(own_name(cause)),
            Danger::D2 if count > 1 => form.with_name(count.to_string()),
            Danger::D3 | Danger::D2 | Danger::D1 | Danger::D0 => form,
        }
    }

    /// Wants the name that the server gave, where what cannot be undone is confirmed by it.
    pub(super) fn expect(&mut self, cause: &Cause, planned: &Planned) {
        let named = self.slots.iter().any(|slot| matches!(slot, Slot::Name(..)));
        if cause.danger() == Danger::D3 && !named {
            let own = if planned.name.is_empty() { own_name(cause) } else { planned.name.clone() };
            let missing = self.slots.iter().position(|slot| slot.missing().is_some());
            self.focus = missing.unwrap_or(self.slots.len());
            self.slots.push(Slot::Name(own, Field::default()));
        }
    }

    /// Whether the server's plan depends on nothing that is typed here.
    pub(super) fn is_planned_blind(&self) -> bool {
        !self.slots.iter().any(|slot| matches!(slot, Slot::Question(..) | Slot::Number(..) | Slot::Choice(..)))
    }

    fn with_name(mut self, name: String) -> Self {
        self.slots.push(Slot::Name(name, Field::default()));
        self
    }

    /// Its fields.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The number of the field with the focus.
    pub fn focus(&self) -> usize {
        self.focus
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The text that has the focus.
    pub fn field(&mut self) -> Option<&mut Field> {
        match self.slots.get_mut(self.focus)? {
            Slot::Question(_, _, field) | Slot::Number(_, field) | Slot::Reason(field) | Slot::Name(_, field) => {
                Some(field)
            }
            Slot::Choice(..) | Slot::Secret(..) => None,
        }
    }

    /// Whether the focus is on a secret.
    pub fn is_secret_focused(&self) -> bool {
        matches!(self.slots.get(self.focus), Some(Slot::Secret(..)))
    }

    /// Notes whether there is anything in the secret that has the focus.
    pub fn note_secret(&mut self, typed: bool) {
        if let Some(Slot::Secret(_, noted)) = self.slots.get_mut(self.focus) {
            *noted = typed;
        }
    }

    /// Chooses the next word of the choice that has the focus, or the one before.
    pub fn choose(&mut self, act: &Act, forward: bool) {
        let Some(Slot::Choice(number, chosen)) = self.slots.get_mut(self.focus) else { return };
        let count = act.questions.get(*number).map_or(1, |question| words(question).len()).max(1);
        let step = if forward { 1 } else { count.saturating_sub(1) };
        *chosen = chosen.saturating_add(step).checked_rem(count).unwrap_or(0);
    }

    /// Goes to the next field, and from the last to the first.
    pub fn next(&mut self) {
        self.focus = self.focus.saturating_add(1).checked_rem(self.slots.len()).unwrap_or(0);
    }

    pub(super) fn first_stage(&self) -> Stage {
        if self.is_empty() { Stage::Confirm } else { Stage::Form }
    }

    /// Goes on from the field with the focus. Says whether it was the last and all are complete.
    pub(super) fn advance(&mut self) -> Result<bool, Clean> {
        if let Some(missing) = self.slots.get(self.focus).and_then(Slot::missing) {
            return Err(missing);
        }
        if self.focus.saturating_add(1) < self.slots.len() {
            self.focus = self.focus.saturating_add(1);
            return Ok(false);
        }
        match self.slots.iter().enumerate().find_map(|(number, slot)| Some((number, slot.missing()?))) {
            Some((number, missing)) => {
                self.focus = number;
                Err(missing)
            }
            None => Ok(true),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.slots.iter().all(|slot| slot.missing().is_none())
    }

    /// What was typed as answers.
    pub(super) fn replies(&self, cause: &Cause) -> Vec<Reply> {
        let Some(act) = cause.act() else { return Vec::new() };
        let reply = |number: usize, text: &str, is_number| {
            Some(Reply { name: act.questions.get(number)?.name, text: text.trim().to_owned(), number: is_number })
        };
        let replies = self.slots.iter().filter_map(|slot| match slot {
            Slot::Question(number, _, field) => {
                reply(*number, field.text(), false).filter(|reply| !reply.text.is_empty())
            }
            Slot::Number(number, field) => reply(*number, field.text(), true),
            Slot::Choice(number, chosen) => reply(*number, words(act.questions.get(*number)?).get(*chosen)?, false),
            Slot::Secret(..) | Slot::Reason(_) | Slot::Name(..) => None,
        });
        replies.collect()
    }

    pub(super) fn confirmed(&self, cause: &Cause, planned: Option<&Planned>) -> Confirmed {
        let reason =
            |slot: &Slot| if let Slot::Reason(field) = slot { Some(field.text().trim().to_owned()) } else { None };
        let own = |slot: &Slot| if let Slot::Name(name, _) = slot { Some(name.clone()) } else { None };
        let (typed, name) = (self.slots.iter().find_map(reason), self.slots.iter().find_map(own));
        let unsaid = cause.act().and_then(|act| match act.reason {
            Reason::Unsaid(text) => Some(text.to_owned()),
            Reason::None | Reason::Asked => None,
        });
        Confirmed {
            kind: cause.kind,
            deed: cause.deed,
            scope: cause.scope.clone(),
            targets: cause.victims.clone(),
            reason: typed.or(unsaid),
            name: name.filter(|_| cause.danger() == Danger::D3),
            answers: self.replies(cause),
            digest: planned.and_then(|planned| planned.digest.clone()),
            etag: planned.and_then(|planned| planned.etag.clone()),
        }
    }
}

impl Slot {
    /// What is missing in it.
    fn missing(&self) -> Option<Clean> {
        match self {
            Self::Question(_, least, field) => (field.chars() < *least).then(|| s::ANSWER_MISSING.into()),
            Self::Number(_, field) => {
                let sound = field.chars() == 0 || field.text().trim().parse::<u64>().is_ok_and(|number| number > 0);
                (!sound).then(|| s::NUMBER_WRONG.into())
            }
            Self::Choice(..) => None,
            Self::Secret(_, typed) => (!typed).then(|| s::SECRET_MISSING.into()),
            Self::Reason(field) => {
                let fits = (REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&field.chars());
                (!fits).then(|| s::reason_length(field.chars()).into())
            }
            Self::Name(name, field) => (name.is_empty() || field.text() != name).then(|| s::name_differs(&clean(name))),
        }
    }
}

/// The words of a choice.
pub(crate) fn words(question: &Question) -> &'static [&'static str] {
    match question.kind {
        QuestionKind::Choice(words) => words,
        QuestionKind::Text(_) | QuestionKind::Number | QuestionKind::Secret => &[],
    }
}

/// The own name of what an act is about, as it was read.
fn own_name(cause: &Cause) -> String {
    cause.first().map(|item| item.name.as_str().to_owned()).unwrap_or_default()
}
