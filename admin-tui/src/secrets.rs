//! Passwords, codes and keys, while they are typed: outside the state, outside the events, and wiped when they were used.

use std::fmt;

use crossterm::event::{Event as Raw, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::event::{Answer, Input, Key, Size};
use crate::keymap::Place;
use crate::state::{Stage, State};

/// The secrets that can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slot {
    /// The operator's password.
    Password,
    /// A code of the operator's second factor.
    Code,
    /// What an act asks for: an owner's new key.
    Answer,
}

/// What is typed into secret fields.
pub struct Secrets {
    password: Zeroizing<String>,
    code: Zeroizing<String>,
    answer: Zeroizing<String>,
    /// Whether what is typed is for a login.
    at_login: bool,
}

impl Default for Secrets {
    fn default() -> Self {
        // Room for all of it from the start: a buffer that grows leaves copies behind.
        let room = || Zeroizing::new(String::with_capacity(BYTES_MAX));
        Self { password: room(), code: room(), answer: room(), at_login: true }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Reads what the terminal reports. While a secret field has the focus, its characters stay here.
    pub fn read(&mut self, state: &State, raw: Raw) -> Option<Input> {
        match raw {
            Raw::Key(event) => self.read_key(state, key(event)?),
            Raw::Paste(text) if state.secret().is_some() => {
                let text = Zeroizing::new(text);
                self.edit(state, |secret| text.chars().for_each(|c| add(secret, c)))
            }
            Raw::Paste(text) => Some(Input::Paste(text)),
            Raw::Resize(columns, rows) => Some(Input::Resize(Size { columns, rows })),
            Raw::FocusGained | Raw::FocusLost | Raw::Mouse(_) => None,
        }
    }

    /// What was typed into `slot`, to be sent.
    pub fn copy(&self, slot: Slot) -> Zeroizing<String> {
        let typed = match slot {
            Slot::Password => &self.password,
            Slot::Code => &self.code,
            Slot::Answer => &self.answer,
        };
        // A line that was copied with its end; a key in PEM has lines of its own.
        let pem = typed.contains("-----BEGIN");
        Zeroizing::new(if pem { typed.as_str() } else { typed.trim_end_matches('\n') }.to_owned())
    }

    /// Wipes what an answer has made useless: everything, but for a password that wants a code beside it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only three answers end what secrets are for")]
    pub fn hear(&mut self, answer: &Answer) {
        match answer {
            Answer::Login(Err(failure)) if failure.wants_code() => self.code.zeroize(),
            Answer::Login(_) | Answer::Proof { .. } => {
                self.password.zeroize();
                self.code.zeroize();
            }
            _ => {}
        }
    }

    /// Wipes what nobody is asked for any more.
    pub fn tidy(&mut self, state: &State) {
        let dialog = state.dialog.as_ref().map(crate::state::Dialog::stage);
        if !matches!(dialog, Some(Stage::Form | Stage::Confirm)) {
            self.answer.zeroize();
        }
        // What was typed for a proof is no beginning of a login, nor the other way round.
        if std::mem::replace(&mut self.at_login, state.login.is_some()) != state.login.is_some() {
            self.password.zeroize();
            self.code.zeroize();
        }
        if state.login.is_none() && !matches!(dialog, Some(Stage::Proof { .. })) {
            self.password.zeroize();
            self.code.zeroize();
        }
    }

    fn read_key(&mut self, state: &State, key: Key) -> Option<Input> {
        if state.secret().is_none() || state.place() == Place::TooSmall && !matches!(key, Key::Char(_)) {
            return Some(Input::Key(key));
        }
        match key {
            Key::Char(c) => self.edit(state, |secret| add(secret, c)),
            Key::Backspace => self.edit(state, |secret| {
                secret.pop();
            }),
            Key::Ctrl('u') => self.edit(state, String::zeroize),
            Key::Ctrl(_)
            | Key::Enter
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::Up
            | Key::Down
            | Key::Left
            | Key::Right
            | Key::PageUp
            | Key::PageDown
            | Key::Home
            | Key::End => Some(Input::Key(key)),
        }
    }

    fn edit(&mut self, state: &State, change: impl FnOnce(&mut String)) -> Option<Input> {
        let secret = match state.takes_secret()? {
            Slot::Password => &mut self.password,
            Slot::Code => &mut self.code,
            Slot::Answer => &mut self.answer,
        };
        change(secret);
        Some(Input::Secret { typed: !secret.is_empty() })
    }
}

/// Adds a character, if it is one or ends a line of a key, and there is room without moving the others.
fn add(secret: &mut String, c: char) {
    let fits = secret.len().saturating_add(c.len_utf8()) <= BYTES_MAX;
    if fits && (!c.is_control() || c == '\n') {
        secret.push(c);
    }
}

/// A key as the key table knows it; what it does not know is no key.
#[expect(clippy::wildcard_enum_match_arm, reason = "terminals have many keys, and the table few")]
fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER) {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(c) if control => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        _ => return None,
    })
}

/// A secret has at most this many bytes: an RSA key of 4096 bits has 3,300.
const BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Login, Look};

    fn state() -> State {
        let mut state = State::new("default", Look::default(), false, Size { columns: 80, rows: 24 });
        state.login = Some(Login::new(Some("ada")));
        state
    }

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Raw {
        Raw::Key(KeyEvent::new(code, modifiers))
    }

    fn letter(c: char) -> Raw {
        press(KeyCode::Char(c), KeyModifiers::NONE)
    }

    #[test]
    fn keeps_what_is_typed_into_the_password() {
        let (state, mut secrets) = (state(), Secrets::default());
        assert_eq!(secrets.read(&state, letter('x')), Some(Input::Secret { typed: true }));
        assert_eq!(secrets.read(&state, Raw::Paste("yz\n".to_owned())), Some(Input::Secret { typed: true }));
        assert_eq!(secrets.copy(Slot::Password).as_str(), "xyz");
        secrets.hear(&Answer::Login(Ok("ada".into())));
        assert_eq!(secrets.copy(Slot::Password).as_str(), "");
        secrets.read(&state, letter('x'));
        let erased = secrets.read(&state, press(KeyCode::Backspace, KeyModifiers::NONE));
        assert_eq!(erased, Some(Input::Secret { typed: false }));
    }

    #[test]
    fn keeps_it_when_it_cannot_be_taken_either() {
        let (mut state, mut secrets) = (state(), Secrets::default());
        state.login.as_mut().unwrap().waiting = true;
        assert_eq!(secrets.read(&state, letter('x')), None);
        state.login.as_mut().unwrap().waiting = false;
        state.size.rows = 3;
        assert_eq!(secrets.read(&state, letter('x')), None);
        assert_eq!(secrets.copy(Slot::Password).as_str(), "");
    }

    #[test]
    fn never_moves_the_buffer() {
        let (state, mut secrets) = (state(), Secrets::default());
        let place = secrets.password.as_ptr();
        secrets.read(&state, Raw::Paste("é".repeat(50_000)));
        assert_eq!(secrets.password.as_ptr(), place);
        assert_eq!(secrets.password.len(), BYTES_MAX);
    }

    #[test]
    fn passes_everything_else_on() {
        let (mut state, mut secrets) = (state(), Secrets::default());
        assert_eq!(secrets.read(&state, press(KeyCode::Enter, KeyModifiers::NONE)), Some(Input::Key(Key::Enter)));
        state.login = None;
        assert_eq!(secrets.read(&state, letter('x')), Some(Input::Key(Key::Char('x'))));
        let chord = press(KeyCode::Char('X'), KeyModifiers::CONTROL);
        assert_eq!(secrets.read(&state, chord), Some(Input::Key(Key::Ctrl('x'))));
        assert_eq!(secrets.read(&state, press(KeyCode::Char('F'), KeyModifiers::ALT)), None);
    }
}
