//! Pages as they are taken in: a list that begins, pages beside those that are held, and pages that are held already.

use std::collections::BTreeSet;

use super::{List, Mark};
use crate::kind::{Item, Page};
use crate::state::Id;

impl List {
    pub(super) fn begin(&mut self, page: Page) {
        self.pages = vec![Mark { cursor: None, rows: page.items.len() }];
        (self.first, self.held, self.next) = (0, 1, page.next);
        (self.items, self.fresh, self.unasked) = (page.items, BTreeSet::new(), 0);
        self.marked.clear();
    }

    pub(super) fn place(&mut self, cursor: Option<&String>, page: Page) {
        let end = self.first.saturating_add(self.held);
        match self.pages.iter().position(|mark| mark.cursor.as_ref() == cursor) {
            Some(number) if (self.first..end).contains(&number) => self.refresh(number, page),
            Some(number) if number == end => self.append(page),
            Some(number) if number.saturating_add(1) == self.first => self.prepend(page),
            None if cursor.is_some() && cursor == self.next.as_ref() && end == self.pages.len() => {
                self.pages.push(Mark { cursor: cursor.cloned(), rows: 0 });
                self.next.clone_from(&page.next);
                self.append(page);
            }
            _ => {}
        }
    }

    /// Takes in the page after those that are held; the first of them goes if there is no room.
    pub(super) fn append(&mut self, page: Page) {
        let rows = self.unknown(page.items);
        self.note_rows(self.first.saturating_add(self.held), rows.len());
        self.items.extend(rows);
        self.held = self.held.saturating_add(1);
        while self.items.len() > HELD_MAX && self.held > 1 {
            let gone = self.pages.get(self.first).map_or(0, |mark| mark.rows).min(self.items.len());
            drop(self.items.drain(..gone));
            (self.first, self.held) = (self.first.saturating_add(1), self.held.saturating_sub(1));
            (self.position, self.top) = (self.position.saturating_sub(gone), self.top.saturating_sub(gone));
        }
    }

    /// Takes in the page before those that are held; the last of them goes if there is no room.
    pub(super) fn prepend(&mut self, page: Page) {
        let rows = self.unknown(page.items);
        (self.first, self.held) = (self.first.saturating_sub(1), self.held.saturating_add(1));
        self.note_rows(self.first, rows.len());
        drop(self.items.splice(..0, rows));
        while self.items.len() > HELD_MAX && self.held > 1 {
            self.held = self.held.saturating_sub(1);
            let last = self.pages.get(self.first.saturating_add(self.held)).map_or(0, |mark| mark.rows);
            self.items.truncate(self.items.len().saturating_sub(last));
        }
    }

    pub(super) fn note_rows(&mut self, number: usize, rows: usize) {
        if let Some(mark) = self.pages.get_mut(number) {
            mark.rows = rows;
        }
    }

    /// Those that are not held already; of the others it is taken in how they stand.
    pub(super) fn unknown(&mut self, items: Vec<Item>) -> Vec<Item> {
        let known: BTreeSet<Id> = self.items.iter().map(|item| item.id.clone()).collect();
        let (old, new): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| known.contains(&item.id));
        for item in &old {
            self.update(item);
        }
        self.fresh.retain(|id| new.iter().all(|item| item.id != *id));
        new
    }

    /// Counts rows that a reload would bring.
    pub(super) fn announce(&mut self, new: Vec<Item>) {
        let room = HELD_MAX.saturating_sub(self.fresh.len());
        self.fresh.extend(new.into_iter().take(room).map(|item| item.id));
    }

    /// Takes in a held page again. A row is gone when the page holds one that stands after it, but not itself.
    pub(super) fn refresh(&mut self, number: usize, page: Page) {
        let marks = self.pages.iter().take(number).skip(self.first);
        let start: usize = marks.map(|mark| mark.rows).sum();
        let end = start.saturating_add(self.pages.get(number).map_or(0, |mark| mark.rows));
        let held: BTreeSet<&Id> = page.items.iter().map(|item| &item.id).collect();
        let rows = self.items.get(start..end).unwrap_or_default();
        // After the last row of the last page stands nothing that could prove a row's absence; but then the page itself does.
        let ends = number.saturating_add(1) == self.pages.len() && page.next.is_none();
        let known: BTreeSet<Id> = self.items.iter().map(|item| item.id.clone()).collect();
        if !ends && !rows.is_empty() && page.items.iter().all(|item| !known.contains(&item.id)) {
            // Nothing says where these stand: they may be newer than whatever is held.
            return self.announce(page.items);
        }
        let sound = rows.iter().rposition(|item| held.contains(&item.id)).map_or(0, |last| last.saturating_add(1));
        let sound = if ends { rows.len() } else { sound };
        for item in self.items.iter_mut().skip(start).take(sound) {
            item.gone |= !held.contains(&item.id);
        }
        let tail =
            page.items.iter().rposition(|item| known.contains(&item.id)).map_or(0, |last| last.saturating_add(1));
        let is_last = number.saturating_add(1) == self.pages.len();
        let (mut inside, mut after, mut new) = (page.items, Vec::new(), Vec::new());
        if is_last {
            after = inside.split_off(tail);
            self.next = page.next;
        }
        for item in inside {
            if known.contains(&item.id) {
                self.update(&item);
            } else {
                new.push(item);
            }
        }
        self.announce(new);
        self.note_rows(number, end.saturating_sub(start).saturating_add(after.len()));
        self.items.extend(after);
    }
}

/// So many rows are held, and those of one page more: 4 MiB.
pub(super) const HELD_MAX: usize = 4_000;
