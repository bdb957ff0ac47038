//! The tenant's credentials, as far as they were loaded.
//!
//! Pages are loaded when somebody goes there, never all of them. What was loaded keeps its place: a refresh changes
//! cells, adds at the end and announces the rest, so that no row moves under the cursor. Only a reload that was asked
//! for begins anew.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::field::Field;
use super::id::Id;
use super::row::Row;
use crate::action::Ask;
use crate::clean::Clean;
use crate::event::{Failure, Moment};
use crate::strings;

/// A page as the server gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Where a loaded page begins, and how to ask for it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    cursor: Option<String>,
    start: usize,
}

/// The tenant's credentials, as far as they were loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    rows: Vec<Row>,
    pages: Vec<Mark>,
    next: Option<String>,
    /// Grows with every reload, so that an answer to an older question is known as such.
    load: u32,
    reloading: bool,
    /// The cursors of the pages that were asked for and did not come yet.
    awaited: BTreeSet<Option<String>>,
    asked_ms: Option<u64>,
    /// The rows that pass the filter, as indices.
    shown: Vec<usize>,
    position: usize,
    top: usize,
    /// What rows must contain, words in any order.
    pub filter: Field,
    /// Whether the filter is being typed.
    pub filtering: bool,
    /// Rows that would stand between those that are shown.
    fresh: BTreeSet<Id>,
    /// When rows in view were heard of last.
    pub heard_ms: Option<u64>,
    /// Why the last question got no good answer.
    pub trouble: Option<Clean>,
}

impl List {
    /// The row under the cursor.
    pub fn selected(&self) -> Option<&Row> {
        self.shown.get(self.position).and_then(|&index| self.rows.get(index))
    }

    /// The rows in view: which of them is under the cursor, and the rows.
    pub fn view(&self, height: usize) -> impl Iterator<Item = (bool, &Row)> {
        let numbered = self.shown.iter().enumerate().skip(self.top).take(height);
        numbered.filter_map(|(position, &index)| Some((position == self.position, self.rows.get(index)?)))
    }

    /// How many rows were loaded.
    pub fn loaded(&self) -> usize {
        self.rows.len()
    }

    /// How many of them pass the filter.
    pub fn passing(&self) -> usize {
        self.shown.len()
    }

    /// Whether the server has more.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// How many rows a reload would bring that are not shown.
    pub fn fresh(&self) -> usize {
        self.fresh.len()
    }

    /// Whether nothing was loaded yet.
    pub fn is_opening(&self) -> bool {
        self.pages.is_empty()
    }

    /// Begins anew. What is shown stays until the first page is there.
    pub fn reload(&mut self, now: Moment) -> Ask {
        self.load = self.load.wrapping_add(1);
        self.reloading = true;
        self.asked_ms = Some(now.steady_ms);
        self.awaited = BTreeSet::from([None]);
        Ask::Page { load: self.load, cursor: None }
    }

    /// What to ask again so that the rows in view are as they are, if it is time.
    pub fn due(&mut self, now: Moment, height: usize) -> Vec<Ask> {
        if !self.awaited.is_empty() || self.asked_ms.is_some_and(|asked| now.since(asked) < REFRESH_MS) {
            return Vec::new();
        }
        if self.pages.is_empty() {
            return vec![self.reload(now)];
        }
        self.asked_ms = Some(now.steady_ms);
        let cursors: Vec<_> = self.pages_in_view(height).into_iter().map(|mark| mark.cursor.clone()).collect();
        self.awaited.extend(cursors.iter().cloned());
        cursors.into_iter().map(|cursor| Ask::Page { load: self.load, cursor }).collect()
    }

    /// The next page, if the cursor is near the end of what is loaded.
    pub fn more(&mut self, height: usize) -> Option<Ask> {
        let near = self.position.saturating_add(height) >= self.shown.len();
        if !near || self.reloading || self.awaited.contains(&self.next) {
            return None;
        }
        let cursor = self.next.clone()?;
        self.awaited.insert(Some(cursor.clone()));
        Some(Ask::Page { load: self.load, cursor: Some(cursor) })
    }

    /// Takes in what came of asking for a page.
    pub fn hear(&mut self, now: Moment, load: u32, cursor: Option<String>, result: Result<Page, Failure>) {
        if load != self.load {
            return;
        }
        self.awaited.remove(&cursor);
        let reloading = std::mem::take(&mut self.reloading);
        let page = match result {
            Ok(page) => page,
            Err(failure) => {
                self.trouble = Some(strings::failure(&failure));
                return;
            }
        };
        self.trouble = None;
        if reloading {
            self.replace(page);
        } else if let Some(number) = self.pages.iter().position(|mark| mark.cursor == cursor) {
            self.refresh(number, page);
        } else {
            self.append(cursor, page);
            return;
        }
        self.heard_ms = Some(now.steady_ms);
    }

    /// Takes in what the server says of one credential.
    pub fn update(&mut self, row: &Row) {
        if let Some(old) = self.rows.iter_mut().find(|old| old.id == row.id) {
            old.clone_from(row);
        }
    }

    /// Notes that the server does not know a credential any more.
    pub fn lose(&mut self, id: &Id) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == *id) {
            row.gone = true;
        }
    }

    /// Moves the cursor by `steps`.
    pub fn step(&mut self, steps: isize, height: usize) {
        let last = self.shown.len().saturating_sub(1);
        self.position = self.position.saturating_add_signed(steps).min(last);
        self.keep_in_view(height);
    }

    /// Scrolls so that the cursor can be seen.
    pub fn keep_in_view(&mut self, height: usize) {
        let lowest = self.position.saturating_add(1).saturating_sub(height);
        self.top = self.top.clamp(lowest, self.position.max(lowest));
    }

    /// Applies the filter as it is now. The cursor stays on its row if that still passes.
    pub fn refilter(&mut self, height: usize) {
        let under_cursor = self.selected().map(|row| row.id.clone());
        let words = self.words();
        let passing = self.rows.iter().enumerate().filter(|(_, row)| row.matches(&words));
        self.shown = passing.map(|(index, _)| index).collect();
        let same = |&index: &usize| self.rows.get(index).map(|row| &row.id) == under_cursor.as_ref();
        self.position = self.shown.iter().position(same).unwrap_or(0);
        self.keep_in_view(height);
    }

    /// Forgets what was asked; what is shown stays, and is old.
    pub fn hang_up(&mut self) {
        self.awaited.clear();
        self.reloading = false;
        self.heard_ms = None;
    }

    fn words(&self) -> Vec<String> {
        self.filter.text().split_whitespace().map(str::to_lowercase).collect()
    }

    fn pages_in_view(&self, height: usize) -> Vec<&Mark> {
        let in_view: Vec<usize> = self.shown.iter().skip(self.top).take(height).copied().collect();
        let ends = self.pages.iter().skip(1).map(|mark| mark.start).chain([usize::MAX]);
        let overlaps = |start, end| in_view.iter().any(|index| (start..end).contains(index));
        let seen: Vec<_> = self
            .pages
            .iter()
            .zip(ends)
            .filter(|(mark, end)| overlaps(mark.start, *end))
            .map(|(mark, _)| mark)
            .collect();
        // With nothing in view, the first page is what may bring something.
        if seen.is_empty() { self.pages.iter().take(1).collect() } else { seen }
    }

    fn replace(&mut self, page: Page) {
        let (under_cursor, position) = (self.selected().map(|row| row.id.clone()), self.position);
        (self.rows, self.pages, self.fresh) = (Vec::new(), Vec::new(), BTreeSet::new());
        (self.shown, self.next) = (Vec::new(), None);
        self.append(None, page);
        let same = |&index: &usize| self.rows.get(index).map(|row| &row.id) == under_cursor.as_ref();
        let kept = self.shown.iter().position(same).unwrap_or(position);
        self.position = kept.min(self.shown.len().saturating_sub(1));
        self.top = self.top.min(self.position);
    }

    fn append(&mut self, cursor: Option<String>, page: Page) {
        self.pages.push(Mark { cursor, start: self.rows.len() });
        self.next = page.next;
        self.push(page.rows);
    }

    /// Adds rows at the end; those that are there already change where they stand.
    fn push(&mut self, rows: Vec<Row>) {
        let words = self.words();
        for row in rows {
            if self.rows.iter().any(|old| old.id == row.id) {
                self.update(&row);
                continue;
            }
            self.fresh.remove(&row.id);
            if row.matches(&words) {
                self.shown.push(self.rows.len());
            }
            self.rows.push(row);
        }
    }

    /// Takes in the page `number` again. A row is gone when the page holds one that stands after it, but not itself.
    fn refresh(&mut self, number: usize, page: Page) {
        let start = self.pages.get(number).map_or(0, |mark| mark.start);
        let held: BTreeSet<&Id> = page.rows.iter().map(|row| &row.id).collect();
        let end = self.rows.iter().rposition(|row| held.contains(&row.id)).map_or(start, |last| last.saturating_add(1));
        for row in self.rows.iter_mut().take(end).skip(start) {
            row.gone |= !held.contains(&row.id);
        }
        let known: BTreeSet<Id> = self.rows.iter().map(|row| row.id.clone()).collect();
        let tail = page.rows.iter().rposition(|row| known.contains(&row.id)).map_or(0, |last| last.saturating_add(1));
        let is_last = number.saturating_add(1) == self.pages.len();
        let (mut inside, mut after) = (page.rows, Vec::new());
        if is_last {
            after = inside.split_off(tail);
            self.next = page.next;
        }
        for row in inside {
            if known.contains(&row.id) {
                self.update(&row);
            } else {
                self.fresh.insert(row.id);
            }
        }
        self.push(after);
    }
}

/// How often the rows in view are asked for.
pub const REFRESH_MS: u64 = 5_000;
/// How many rows a page has.
pub const PAGE_ROWS: u16 = 50;

#[cfg(test)]
mod tests;
