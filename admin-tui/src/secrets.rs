//! The password, while it is typed: outside the state, outside the events, and wiped when it was used.

use std::fmt;

use crossterm::event::{Event as Raw, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use zeroize::Zeroizing;

use crate::event::{Input, Key, Size};
use crate::state::State;

/// What is typed into secret fields.
pub struct Secrets {
    password: Zeroizing<String>,
}

impl Default for Secrets {
    fn default() -> Self {
        // Room for all of it from the start: a buffer that grows leaves copies behind.
        Self { password: Zeroizing::new(String::with_capacity(PASSWORD_BYTES_MAX)) }
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
            Raw::Paste(text) if state.is_secret_focused() => {
                let text = Zeroizing::new(text);
                self.edit(state, |password| text.chars().for_each(|c| add(password, c)))
            }
            Raw::Paste(text) => Some(Input::Paste(text)),
            Raw::Resize(columns, rows) => Some(Input::Resize(Size { columns, rows })),
            Raw::FocusGained | Raw::FocusLost | Raw::Mouse(_) => None,
        }
    }

    /// The password that was typed; nothing is left of it here.
    pub fn take_password(&mut self) -> Zeroizing<String> {
        std::mem::take(self).password
    }

    fn read_key(&mut self, state: &State, key: Key) -> Option<Input> {
        if !state.is_secret_focused() {
            return Some(Input::Key(key));
        }
        match key {
            Key::Char(c) => self.edit(state, |password| add(password, c)),
            Key::Backspace => self.edit(state, |password| {
                password.pop();
            }),
            Key::Ctrl('u') => self.edit(state, String::clear),
            Key::Ctrl(_)
            | Key::Enter
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::Up
            | Key::Down
            | Key::PageUp
            | Key::PageDown
            | Key::Home
            | Key::End => Some(Input::Key(key)),
        }
    }

    fn edit(&mut self, state: &State, change: impl FnOnce(&mut String)) -> Option<Input> {
        if !state.takes_secret() {
            return None;
        }
        change(&mut self.password);
        Some(Input::Secret { typed: !self.password.is_empty() })
    }
}

/// Adds a character, if it is one and there is room without moving the others.
fn add(password: &mut String, c: char) {
    if !c.is_control() && password.len().saturating_add(c.len_utf8()) <= PASSWORD_BYTES_MAX {
        password.push(c);
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
        _ => return None,
    })
}

/// A password has at most this many bytes.
const PASSWORD_BYTES_MAX: usize = 1024;

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
        assert_eq!(secrets.take_password().as_str(), "xyz");
        assert_eq!(secrets.take_password().as_str(), "");
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
        assert_eq!(secrets.take_password().as_str(), "");
    }

    #[test]
    fn never_moves_the_buffer() {
        let (state, mut secrets) = (state(), Secrets::default());
        let place = secrets.password.as_ptr();
        secrets.read(&state, Raw::Paste("é".repeat(5000)));
        assert_eq!(secrets.password.as_ptr(), place);
        assert_eq!(secrets.password.len(), PASSWORD_BYTES_MAX);
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
