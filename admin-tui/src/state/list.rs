//! A list, as far as it is loaded.
//!
//! Pages are loaded when somebody goes there, never all of them, and only a window of them is held: a list may have a
//! million rows. What is held keeps its place: a refresh changes cells, adds at the end and announces the rest, so that
//! no row moves under the cursor. Only a reload that was asked for begins anew, and a tail that has fallen behind.

mod pages;
mod tail;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::pages::HELD_MAX;
use super::field::Field;
use super::id::Id;
use crate::clean::Clean;
use crate::event::{Failure, Moment};
use crate::kind::{Cell, Item, Page, Shape};
use crate::strings;

/// A page to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Which loading of the list it is for.
    pub load: u32,
    /// Where it begins; nothing for the beginning.
    pub cursor: Option<String>,
    /// What the server is to look for: a part of the request's query.
    pub query: String,
}

/// Where a page begins, and how many rows it has. A page that was loaded once can be loaded again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    cursor: Option<String>,
    rows: usize,
}

/// By which fact rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The number of the fact.
    pub fact: usize,
    /// Whether the last comes first.
    pub reverse: bool,
}

/// A list, as far as it is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    items: Vec<Item>,
    /// All pages up to the last that was loaded; `items` are those from `first` on, `held` of them.
    pages: Vec<Mark>,
    first: usize,
    held: usize,
    next: Option<String>,
    /// Grows with every reload, so that an answer to an older question is known as such.
    load: u32,
    reloading: bool,
    /// The cursors of the pages that were asked for and did not come yet.
    awaited: BTreeSet<Option<String>>,
    asked_ms: Option<u64>,
    /// The rows that are shown, in the order in which they are, as indices.
    shown: Vec<usize>,
    position: usize,
    top: usize,
    /// What rows must contain, words in any order.
    pub filter: Field,
    /// What the server was asked to look for, for what is held.
    asked_filter: String,
    /// The same for the reload that is under way.
    sought: String,
    /// Whether the cursor was moved up last.
    upward: bool,
    /// How many pages beside the held ones were asked for since the cursor was moved.
    unasked: u32,
    /// Whether the filter is being typed.
    pub filtering: bool,
    /// By what rows are sorted; as the server has them if by nothing.
    pub sort: Option<Sort>,
    /// The things that were marked, to do something to all of them.
    pub marked: BTreeMap<Id, Item>,
    /// Rows that would stand between those that are shown.
    fresh: BTreeSet<Id>,
    /// When rows in view were heard of last.
    pub heard_ms: Option<u64>,
    /// Why the last question got no good answer.
    pub trouble: Option<Clean>,
}

impl List {
    /// The thing under the cursor.
    pub fn selected(&self) -> Option<&Item> {
        self.shown.get(self.position).and_then(|&index| self.items.get(index))
    }

    /// The first thing: the one, where there is one only.
    pub fn only(&self) -> Option<&Item> {
        self.items.first()
    }

    /// The rows in view: which of them is under the cursor, and the rows.
    pub fn view(&self, height: usize) -> impl Iterator<Item = (bool, &Item)> {
        let numbered = self.shown.iter().enumerate().skip(self.top).take(height);
        numbered.filter_map(|(position, &index)| Some((position == self.position, self.items.get(index)?)))
    }

    /// The number of the row under the cursor, from 1, among all that were passed.
    pub fn number(&self) -> usize {
        let before: usize = self.pages.iter().take(self.first).map(|mark| mark.rows).sum();
        before.saturating_add(self.position).saturating_add(1)
    }

    /// How many rows were seen, those that are not held any more included.
    pub fn passed(&self) -> usize {
        self.pages.iter().take(self.first).map(|mark| mark.rows).sum::<usize>().saturating_add(self.items.len())
    }

    /// How many rows are held, and how many of them are shown.
    pub fn counts(&self) -> (usize, usize) {
        (self.items.len(), self.shown.len())
    }

    /// Whether the server has more.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// Whether a page is awaited.
    pub fn is_waiting(&self) -> bool {
        !self.awaited.is_empty()
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
    pub fn reload(&mut self, now: Moment, shape: &Shape) -> Wanted {
        self.load = self.load.wrapping_add(1);
        self.reloading = true;
        self.asked_ms = Some(now.steady_ms);
        self.awaited = BTreeSet::from([None]);
        self.sought = self.query(shape);
        Wanted { load: self.load, cursor: None, query: self.sought.clone() }
    }

    /// What to ask again so that the rows in view are as they are, if it is time: seldom where changes are `told`.
    pub fn due(&mut self, now: Moment, height: usize, shape: &Shape, told: bool) -> Vec<Wanted> {
        let query = self.query(shape);
        if query != self.asked_filter && !self.reloading {
            return vec![self.reload(now, shape)];
        }
        let every = if told && self.trouble.is_none() { REFRESH_TOLD_MS } else { REFRESH_MS };
        if !self.awaited.is_empty() || self.asked_ms.is_some_and(|asked| now.since(asked) < every) {
            return Vec::new();
        }
        if self.pages.is_empty() {
            return vec![self.reload(now, shape)];
        }
        self.asked_ms = Some(now.steady_ms);
        let cursors = if shape.tail && self.first == 0 { vec![None] } else { self.cursors_in_view(height) };
        self.awaited.extend(cursors.iter().cloned());
        cursors.into_iter().map(|cursor| self.wanted(cursor)).collect()
    }

    /// Makes the rows in view due.
    pub fn hurry(&mut self) {
        self.asked_ms = None;
    }

    /// A page beside those that are held, if the cursor is near the end of what is held.
    pub fn more(&mut self, height: usize) -> Option<Wanted> {
        if self.reloading || self.pages.is_empty() {
            return None;
        }
        let below = self.position.saturating_add(height.saturating_mul(2)) >= self.shown.len();
        if self.unasked >= UNASKED_MAX {
            return None;
        }
        let above = self.first > 0 && self.upward && self.position < height;
        let after = || match self.pages.get(self.first.saturating_add(self.held)) {
            Some(mark) => Some(mark.cursor.clone()),
            None => self.next.clone().map(Some),
        };
        let before = || self.pages.get(self.first.checked_sub(1)?).map(|mark| mark.cursor.clone());
        // Looking on unasked never costs the row under the cursor.
        let first_rows = self.pages.get(self.first).map_or(0, |mark| mark.rows);
        let keeps = (self.unasked > 0 || self.filtering)
            && self.items.len().saturating_add(usize::from(PAGE_ROWS)) > HELD_MAX
            && self.shown.get(self.position).is_some_and(|&index| index < first_rows);
        let cursor = if above { before() } else { (below && !keeps).then(after).flatten() }?;
        self.awaited.insert(cursor.clone()).then(|| {
            self.unasked = self.unasked.saturating_add(1);
            self.wanted(cursor)
        })
    }

    /// Takes in what came of asking for a page.
    pub fn hear(&mut self, now: Moment, wanted: &Wanted, result: Result<Page, Failure>, shape: &Shape) {
        if wanted.load != self.load {
            return;
        }
        self.awaited.remove(&wanted.cursor);
        let reloading = std::mem::take(&mut self.reloading);
        let page = match result {
            Ok(page) => page,
            Err(failure) => {
                self.trouble = Some(strings::failure(&failure));
                return;
            }
        };
        self.trouble = None;
        let follows = self.follows(shape);
        let under_cursor = self.selected().map(|item| item.id.clone()).filter(|_| !follows);
        if reloading || shape.alone {
            self.asked_filter.clone_from(&wanted.query);
            self.begin(page);
        } else if shape.tail && wanted.cursor.is_none() {
            self.place_newest(page, follows);
        } else {
            self.place(wanted.cursor.as_ref(), page);
        }
        self.heard_ms = Some(now.steady_ms);
        self.arrange(under_cursor.as_ref(), shape);
    }

    /// Takes in what the server says of one thing.
    pub fn update(&mut self, item: &Item) {
        if let Some(old) = self.items.iter_mut().find(|old| old.id == item.id) {
            old.clone_from(item);
        }
    }

    /// Notes that the server does not know a thing any more.
    pub fn lose(&mut self, id: &Id) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == *id) {
            item.gone = true;
        }
    }

    /// Moves the cursor by `steps`.
    pub fn step(&mut self, steps: isize, height: usize) {
        let last = self.shown.len().saturating_sub(1);
        (self.upward, self.unasked) = (steps < 0, 0);
        self.position = self.position.saturating_add_signed(steps).min(last);
        self.keep_in_view(height);
    }

    /// Scrolls so that the cursor can be seen.
    pub fn keep_in_view(&mut self, height: usize) {
        let lowest = self.position.saturating_add(1).saturating_sub(height);
        self.top = self.top.clamp(lowest, self.position.max(lowest));
    }

    /// A thing that is loaded.
    pub fn held(&self, id: &Id) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }

    /// Moves the cursor to a thing, if it is shown.
    pub fn go_to(&mut self, id: &Id, height: usize) -> bool {
        let found = self.shown.iter().position(|&index| self.items.get(index).is_some_and(|item| item.id == *id));
        self.position = found.unwrap_or(self.position);
        self.keep_in_view(height);
        found.is_some()
    }

    /// Marks the thing under the cursor, or takes the mark away.
    pub fn mark(&mut self) {
        let Some(item) = self.selected().cloned() else { return };
        if self.marked.remove(&item.id).is_none() && self.marked.len() < MARKED_MAX {
            self.marked.insert(item.id.clone(), item);
        }
    }

    /// Marks all that are shown, or takes all marks away if there are any.
    pub fn mark_shown(&mut self) {
        if !self.marked.is_empty() {
            self.marked.clear();
            return;
        }
        let shown = self.shown.iter().filter_map(|&index| self.items.get(index));
        self.marked = shown.take(MARKED_MAX).map(|item| (item.id.clone(), item.clone())).collect();
    }

    /// Sorts by the column after the one it is sorted by; after the last, as the server has it.
    pub fn sort_next(&mut self, shape: &Shape) {
        let from = self.sort.map_or(0, |sort| sort.fact.saturating_add(1));
        let next = shape.facts.iter().enumerate().skip(from).find(|(_, fact)| fact.width > 0);
        self.sort = next.map(|(fact, _)| Sort { fact, reverse: false });
        self.resort(shape);
    }

    /// Turns the order round.
    pub fn sort_reverse(&mut self, shape: &Shape) {
        if let Some(sort) = &mut self.sort {
            sort.reverse = !sort.reverse;
        }
        self.resort(shape);
    }

    /// Applies the filter as it is now. The cursor stays on its row if that is still shown.
    pub fn refilter(&mut self, shape: &Shape) {
        self.unasked = 0;
        self.resort(shape);
    }

    /// Forgets what was asked; what is shown stays, and is old.
    pub fn hang_up(&mut self) {
        self.load = self.load.wrapping_add(1);
        self.awaited.clear();
        self.reloading = false;
        self.heard_ms = None;
        self.asked_ms = None;
    }

    fn wanted(&self, cursor: Option<String>) -> Wanted {
        Wanted { load: self.load, cursor, query: self.asked_filter.clone() }
    }

    fn query(&self, shape: &Shape) -> String {
        shape.search.split(self.filter.text()).query
    }

    fn resort(&mut self, shape: &Shape) {
        let under_cursor = self.selected().map(|item| item.id.clone());
        self.arrange(under_cursor.as_ref(), shape);
    }

    /// Decides anew which rows are shown in which order, with the cursor where it was.
    fn arrange(&mut self, under_cursor: Option<&Id>, shape: &Shape) {
        let here = shape.search.split(self.filter.text()).here;
        let words: Vec<String> = here.split_whitespace().map(str::to_lowercase).collect();
        let passing = self.items.iter().enumerate().filter(|(_, item)| item.matches(&words));
        self.shown = passing.map(|(index, _)| index).collect();
        if let Some(Sort { fact, reverse }) = self.sort {
            let rank = |&index: &usize| self.items.get(index).and_then(|item| item.cells.get(fact)).map(Cell::rank);
            if reverse {
                self.shown.sort_by_cached_key(|index| Reverse(rank(index)));
            } else {
                self.shown.sort_by_cached_key(rank);
            }
        }
        let above = self.position.saturating_sub(self.top);
        let same = |&index: &usize| self.items.get(index).map(|item| &item.id) == under_cursor;
        let found = under_cursor.and_then(|_| self.shown.iter().position(same));
        self.position = found.unwrap_or(self.position).min(self.shown.len().saturating_sub(1));
        self.top = self.position.saturating_sub(above);
    }

    fn cursors_in_view(&self, height: usize) -> Vec<Option<String>> {
        let in_view: Vec<usize> = self.shown.iter().skip(self.top).take(height).copied().collect();
        let mut start = 0_usize;
        let mut seen = Vec::new();
        for mark in self.pages.iter().skip(self.first).take(self.held) {
            let end = start.saturating_add(mark.rows);
            if in_view.iter().any(|index| (start..end).contains(index)) && seen.len() < REFRESHED_MAX {
                seen.push(mark.cursor.clone());
            }
            start = end;
        }
        // With nothing in view, the first page is what may bring something.
        if seen.is_empty() { self.pages.iter().take(1).map(|mark| mark.cursor.clone()).collect() } else { seen }
    }
}

/// How often the rows in view are asked for where no event says that they changed.
pub const REFRESH_MS: u64 = 5_000;
/// How often where events do say so: some of what is shown changes without one.
pub const REFRESH_TOLD_MS: u64 = 15_000;
/// How many rows a page has.
pub const PAGE_ROWS: u16 = 100;
/// So many pages are asked for again at once: a sorted list has rows of all of them in view.
const REFRESHED_MAX: usize = 4;
/// So many pages are loaded without anybody going there: a search may have to look far.
const UNASKED_MAX: u32 = 40;
/// So many things can be marked.
pub const MARKED_MAX: usize = 500;
