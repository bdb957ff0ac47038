//! Lines that answer a question: of the login form or of a dialog.

use crossterm::event::{Event as Raw, KeyCode, KeyEvent, KeyModifiers};
use zeroize::Zeroizing;

use super::{Plain, Prompt};
use crate::action::Action;
use crate::clean::{Clean, clean};
use crate::event::{Input, Key, Moment};
use crate::kind::act::{Question, QuestionKind};
use crate::secrets::Secrets;
use crate::state::dialog::{Slot, words};
use crate::strings as s;

impl Plain {
    /// Takes in the line that was wanted, without its end.
    pub fn read(&mut self, at: Moment, line: &Zeroizing<String>, secrets: &mut Secrets) -> Vec<Action> {
        let asked = self.reading.take();
        self.prompted = None;
        // A line is read only when it is asked for, so none is deaf to it.
        if let Some(login) = &mut self.state.login {
            login.opened_ms = None;
        }
        // What was typed for something else, before the login ended, counts for nothing.
        let prompt = self.open_question().filter(|prompt| Some(*prompt) == asked);
        let actions = match prompt {
            None => Vec::new(),
            Some(Prompt::Command) => self.command(at, line),
            Some(Prompt::Operator) => self.write(at, line, Key::Tab),
            Some(Prompt::Password) if line.as_str() == s::PLAIN_WORD_CANCEL => self.press(at, &[Key::BackTab]),
            Some(Prompt::ProofPassword | Prompt::ProofCode | Prompt::Field(..))
                if line.as_str() == s::PLAIN_WORD_CANCEL =>
            {
                self.call_off(at)
            }
            Some(Prompt::Password | Prompt::ProofPassword) if line.as_str() == s::PLAIN_WORD_PASSKEY => {
                self.press(at, &[Key::Ctrl('p')])
            }
            Some(Prompt::Password | Prompt::Code | Prompt::ProofPassword | Prompt::ProofCode) => {
                self.write_secret(at, line, secrets)
            }
            Some(Prompt::Field(number, _)) => self.fill(at, number, line, secrets),
            Some(Prompt::Confirm) if line.as_str() == "y" => self.press(at, &[Key::Char('y')]),
            Some(Prompt::Confirm) => self.call_off(at),
        };
        if !actions.contains(&Action::Quit) {
            self.settle();
        }
        actions
    }

    /// What is asked, in a line.
    pub(super) fn question(&self, prompt: Prompt) -> Clean {
        match prompt {
            Prompt::Command => s::PLAIN_COMMAND.into(),
            Prompt::Operator => format!("{}:", s::LOGIN_OPERATOR).into(),
            Prompt::Password => s::PLAIN_PASSWORD.into(),
            Prompt::ProofPassword => s::PLAIN_PROOF.into(),
            Prompt::Code | Prompt::ProofCode => s::PLAIN_CODE.into(),
            Prompt::Confirm => s::PLAIN_CONFIRM.into(),
            Prompt::Field(number, _) => match self.slot(number) {
                Some((Slot::Reason(_), _)) => format!("{}:", s::REASON_ASKED).into(),
                Some((Slot::Name(name, _), _)) => s::plain_name(&clean(name)),
                Some((_, Some(question))) => asked(question),
                Some((_, None)) | None => Clean::default(),
            },
        }
    }

    fn slot(&self, number: usize) -> Option<(&Slot, Option<&'static Question>)> {
        let dialog = self.state.dialog.as_ref()?;
        let slot = dialog.form.slots().get(number)?;
        let question = match slot {
            Slot::Question(number, ..)
            | Slot::Number(number, _)
            | Slot::Choice(number, _)
            | Slot::Secret(number, _) => dialog.cause().act().and_then(|act| act.questions.get(*number)),
            Slot::Reason(_) | Slot::Name(..) => None,
        };
        Some((slot, question))
    }

    fn fill(&mut self, at: Moment, number: usize, line: &Zeroizing<String>, secrets: &mut Secrets) -> Vec<Action> {
        match self.slot(number) {
            Some((Slot::Secret(..), _)) => self.write_secret(at, line, secrets),
            Some((Slot::Choice(..), Some(question))) => self.choose(at, number, question, line.trim()),
            Some(_) | None => self.write(at, line, Key::Enter),
        }
    }

    fn choose(&mut self, at: Moment, number: usize, question: &Question, word: &str) -> Vec<Action> {
        let words = words(question);
        if !word.is_empty() && !words.contains(&word) {
            self.say(asked(question));
            return Vec::new();
        }
        let chosen = |plain: &Self| match plain.slot(number) {
            Some((Slot::Choice(_, chosen), _)) => words.get(*chosen).copied(),
            Some(_) | None => None,
        };
        for _ in words {
            if word.is_empty() || chosen(self) == Some(word) {
                break;
            }
            drop(self.press(at, &[Key::Right]));
        }
        self.press(at, &[Key::Enter])
    }

    fn write(&mut self, at: Moment, line: &str, done: Key) -> Vec<Action> {
        drop(self.press(at, &[Key::Ctrl('u')]));
        drop(self.update(at, Input::Paste(line.to_owned())));
        self.press(at, &[done])
    }

    /// Hands a secret to where it is kept; of the line, nothing else is left.
    fn write_secret(&mut self, at: Moment, line: &Zeroizing<String>, secrets: &mut Secrets) -> Vec<Action> {
        let erase = Raw::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        for raw in [erase, Raw::Paste(line.as_str().to_owned())] {
            if let Some(input) = secrets.read(&self.state, raw) {
                drop(self.update(at, input));
            }
        }
        self.press(at, &[Key::Enter])
    }

    fn call_off(&mut self, at: Moment) -> Vec<Action> {
        let actions = self.press(at, &[Key::Esc]);
        self.say(s::PLAIN_CANCELLED);
        actions
    }
}

fn asked(question: &Question) -> Clean {
    match question.kind {
        QuestionKind::Choice(words) => s::plain_choice(question.label, words),
        QuestionKind::Number => format!("{} ({}):", question.label, s::NUMBER_WRONG).into(),
        QuestionKind::Secret => format!("{} ({}):", question.label, s::PLAIN_NOT_SHOWN).into(),
        QuestionKind::Text(0) => format!("{} ({}):", question.label, s::PLAIN_OR_NOTHING).into(),
        QuestionKind::Text(_) => format!("{}:", question.label).into(),
    }
}
