//! A view: a list of a kind of things, and the one of them that is looked at closely.

use serde::{Deserialize, Serialize};

use super::list::{List, REFRESH_MS, REFRESH_TOLD_MS};
use crate::clean::{Clean, clean};
use crate::event::Moment;
use crate::kind::{Item, Kind, Scope, Shape};

/// What one looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its number: an answer for a view that was left is known as such.
    pub number: u32,
    /// What it shows.
    pub kind: Kind,
    /// Where that is found.
    pub scope: Scope,
    /// The list.
    pub list: List,
    /// What is looked at closely.
    pub close: Option<Close>,
    /// How far the detail is scrolled.
    pub scroll: usize,
}

/// What is looked at closely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// It.
    pub item: Item,
    /// When the server was asked for it last.
    pub asked_ms: Option<u64>,
}

impl View {
    /// A view that has asked nothing yet.
    pub fn new(number: u32, kind: Kind, scope: Scope) -> Self {
        Self { number, kind, scope, list: List::default(), close: None, scroll: 0 }
    }

    /// How its kind looks.
    pub fn shape(&self) -> &'static Shape {
        self.kind.shape()
    }

    /// Whether one thing fills it, not a list.
    pub fn is_detail(&self) -> bool {
        self.close.is_some() || self.shape().alone
    }

    /// The thing that an act would be about: the one that fills the view, or the one under the cursor.
    pub fn victim(&self) -> Option<&Item> {
        match (&self.close, self.shape().alone) {
            (Some(close), _) => Some(&close.item),
            (None, true) => self.list.only(),
            (None, false) => self.list.selected(),
        }
    }

    /// The thing that fills it.
    pub fn filling(&self) -> Option<&Item> {
        self.victim().filter(|_| self.is_detail())
    }

    /// Makes it due.
    pub fn hurry(&mut self) {
        self.list.hurry();
        if let Some(close) = &mut self.close {
            close.asked_ms = None;
        }
    }

    /// What the header calls it.
    pub fn crumbs(&self) -> Vec<Clean> {
        let name = clean(self.shape().name);
        std::iter::once(name).chain(self.close.as_ref().map(|close| close.item.name.clone())).collect()
    }

    /// The scope of what hangs on the thing that fills it.
    pub fn scope_within(&self) -> Scope {
        let mut scope = self.scope.clone();
        scope.way.extend(self.close.as_ref().map(|close| close.item.id.clone()));
        scope
    }
}

impl Close {
    /// Whether it is time to ask again: seldom where changes are `told`.
    pub fn is_due(&self, now: Moment, told: bool) -> bool {
        let every = if told { REFRESH_TOLD_MS } else { REFRESH_MS };
        self.asked_ms.is_none_or(|asked| now.since(asked) >= every)
    }
}
