//! Lists that grow at their beginning, where the newest row is.

use std::collections::BTreeSet;

use super::List;
use super::pages::HELD_MAX;
use crate::kind::{Item, Page, Shape};
use crate::state::Id;

impl List {
    /// Whether new rows come in on top: the cursor is on the first row, and nobody sorted them otherwise.
    pub(super) fn follows(&self, shape: &Shape) -> bool {
        shape.tail && self.position == 0 && self.first == 0 && self.sort.is_none()
    }

    /// Takes in the page that has the newest rows. Those between it and what is held may be unknown: no row ever stands
    /// under one that it does not follow.
    pub(super) fn place_newest(&mut self, page: Page, follows: bool) {
        if page.items.is_empty() && page.next.is_some() {
            // No row passed as far as the server looked; what passed before still does.
            return;
        }
        let known: BTreeSet<&Id> = self.items.iter().map(|item| &item.id).collect();
        let is_new = |item: &&Item| !known.contains(&item.id);
        let new: Vec<Item> = page.items.iter().filter(is_new).cloned().collect();
        let below = self.pages.get(self.first).map(|mark| &mark.cursor);
        let touches = new.len() < page.items.len() || below == Some(&page.next);
        match self.first {
            0 if follows => self.follow(page, new, touches),
            1 if touches => self.prepend(page),
            // What is held is where the list begins, until it begins anew.
            1 => {
                drop(self.pages.drain(..1));
                self.first = 0;
                self.announce(new);
            }
            0 => self.announce(new),
            _ => {}
        }
    }

    fn follow(&mut self, page: Page, new: Vec<Item>, touches: bool) {
        let room = self.items.len().saturating_add(new.len()) <= HELD_MAX;
        match self.pages.first_mut() {
            Some(mark) if mark.cursor.is_none() && touches && room => mark.rows = mark.rows.saturating_add(new.len()),
            _ => return self.begin(page),
        }
        self.fresh.clear();
        drop(self.items.splice(..0, new));
    }
}
