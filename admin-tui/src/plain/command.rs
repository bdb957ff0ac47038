//! Lines that are commands.

use super::{Plain, text};
use crate::action::Action;
use crate::event::{Input, Key, Moment};
use crate::keymap::Place;
use crate::kind::Act;
use crate::state::list::Sort;
use crate::strings as s;

impl Plain {
    /// Does what a line says.
    pub(super) fn command(&mut self, at: Moment, line: &str) -> Vec<Action> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let keys: &[Key] = match word {
            "" => return Vec::new(),
            "help" | "?" => {
                self.said.extend(text::help(&self.state));
                return Vec::new();
            }
            "log" => {
                self.said.extend(text::log(&self.state));
                return Vec::new();
            }
            "status" => {
                self.said.extend(text::status(&self.state));
                return Vec::new();
            }
            "open" => return self.open(at, rest),
            "go" => return self.go(at, rest),
            "part" => return self.part(at, rest),
            "filter" => return self.filter(at, rest),
            "sort" => return self.sort(rest),
            "mark" => return self.mark(at, rest),
            "copy" => return self.copy(rest),
            "quit" | "exit" => return self.go(at, "quit"),
            "back" | "unmark" => &[Key::Esc],
            "next" => &[Key::PageDown],
            "first" => &[Key::Home],
            "refresh" => &[Key::Char('r')],
            _ => return self.act(at, line),
        };
        self.tells.1 = true;
        self.press(at, keys)
    }

    fn open(&mut self, at: Moment, number: &str) -> Vec<Action> {
        if !self.point_at(number) {
            return Vec::new();
        }
        self.tells.1 = true;
        self.press(at, &[Key::Enter])
    }

    /// What the palette does.
    fn go(&mut self, at: Moment, words: &str) -> Vec<Action> {
        drop(self.press(at, &[Key::Char(':')]));
        drop(self.update(at, Input::Paste(words.to_owned())));
        let actions = self.press(at, &[Key::Enter]);
        // What is not known leaves the palette open.
        self.tells.1 = self.state.over.take().is_none();
        actions
    }

    fn part(&mut self, at: Moment, name: &str) -> Vec<Action> {
        let parts = self.state.kind().map_or(&[][..], |kind| kind.shape().parts);
        let found = parts.iter().position(|part| part.shape().name == name || part.shape().aliases.contains(&name));
        let digit = found.and_then(|number| char::from_digit(u32::try_from(number).ok()?.checked_add(1)?, 10));
        match digit.filter(|_| self.state.place() == Place::Detail) {
            Some(digit) => {
                self.tells.1 = true;
                self.press(at, &[Key::Char(digit)])
            }
            None => self.refuse(s::plain_no_part(parts)),
        }
    }

    fn filter(&mut self, at: Moment, words: &str) -> Vec<Action> {
        if self.state.place() != Place::List {
            return self.refuse(s::PLAIN_NO_LIST);
        }
        let mut actions = self.press(at, &[Key::Char('/'), Key::Ctrl('u')]);
        actions.extend(self.update(at, Input::Paste(words.to_owned())));
        actions.extend(self.press(at, &[Key::Enter]));
        self.tells.1 = true;
        actions
    }

    fn sort(&mut self, words: &str) -> Vec<Action> {
        let (name, reverse) = words.strip_suffix(" reverse").map_or((words, false), |name| (name, true));
        let Some(view) = self.state.view_mut().filter(|view| !view.is_detail()) else {
            return self.refuse(s::PLAIN_NO_LIST);
        };
        let shape = view.shape();
        let fact = shape.facts.iter().position(|fact| fact.name == name && fact.width > 0);
        if fact.is_none() && !name.is_empty() {
            return self.refuse(s::plain_no_column(shape.facts));
        }
        view.list.sort = fact.map(|fact| Sort { fact, reverse });
        view.list.refilter(shape);
        self.tells.1 = true;
        Vec::new()
    }

    fn mark(&mut self, at: Moment, number: &str) -> Vec<Action> {
        if !self.point_at(number) {
            return Vec::new();
        }
        let actions = self.press(at, &[Key::Char(' ')]);
        let count = self.state.view().map_or(0, |view| view.list.marked.len());
        self.say(s::marked(count).trim().to_owned());
        actions
    }

    /// An id, whole, for who copies by other means than an escape sequence.
    fn copy(&mut self, number: &str) -> Vec<Action> {
        if number.is_empty() || self.point_at(number) {
            let id = self.state.view().and_then(|view| view.victim()).map(|item| item.id.shown());
            self.said.extend(id);
        }
        Vec::new()
    }

    /// What a kind's own acts are called, and the number of a row.
    fn act(&mut self, at: Moment, line: &str) -> Vec<Action> {
        let numbered = line.rsplit_once(char::is_whitespace).filter(|(_, last)| last.parse::<usize>().is_ok());
        let (verb, number) = numbered.map_or((line, None), |(verb, number)| (verb.trim(), Some(number)));
        let acts = text::acts(&self.state);
        let exact: Vec<&Act> = acts.iter().copied().filter(|act| act.verb == verb).collect();
        let close = || acts.iter().copied().filter(|act| act.verb.split(' ').any(|word| word == verb)).collect();
        let found: Vec<&'static Act> = if exact.is_empty() { close() } else { exact };
        let [act] = found[..] else { return self.refuse(s::PLAIN_UNKNOWN) };
        let marked = self.state.view().is_some_and(|view| !view.list.marked.is_empty());
        match number {
            Some(_) if marked => return self.refuse(s::PLAIN_MARKED),
            Some(_) if self.state.place() == Place::Detail || act.on_list => return self.refuse(s::PLAIN_NO_NUMBER),
            Some(number) if !self.point_at(number) => return Vec::new(),
            None if self.state.place() == Place::List && !act.on_list && !marked => {
                return self.refuse(s::plain_which(act.verb));
            }
            Some(_) | None => {}
        }
        self.press(at, &[act.key])
    }

    /// Moves the cursor to a row by the number under which it was told.
    fn point_at(&mut self, number: &str) -> bool {
        let found = number.parse().ok().and_then(|number: usize| self.rows.iter().find(|(own, _)| *own == number));
        let id = found.map(|(_, item)| item.id.clone());
        let height = self.state.list_rows();
        let list = self.state.view_mut().filter(|view| !view.is_detail()).map(|view| &mut view.list);
        let there = list.zip(id).is_some_and(|(list, id)| list.go_to(&id, height));
        if !there {
            self.say(s::PLAIN_NO_ROW);
        }
        there
    }

    fn refuse(&mut self, why: impl Into<crate::clean::Clean>) -> Vec<Action> {
        self.say(why);
        Vec::new()
    }
}
