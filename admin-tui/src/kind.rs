//! What can be looked at: every screen is a kind of thing, and a kind is data.
//!
//! A kind says where its things are listed, how one of them is read, which of what is known of it are columns, what it
//! consists of, and what can be done to it. Lists, details, dialogs, the palette and the help are made from that, so a
//! new kind is one file in `kind/` and a line in each of the two lists below.

pub mod act;
pub mod approvals;
pub mod apps;
pub mod audit;
pub mod backups;
pub mod credentials;
pub mod decoys;
pub mod deletions;
pub mod denials;
pub mod executions;
pub mod grants;
pub mod held;
pub mod incidents;
pub mod item;
pub mod jobs;
pub mod keks;
pub mod log_key;
pub mod logins;
pub mod operators;
pub mod overview;
pub mod plan;
pub mod policies;
pub mod proof;
pub mod read;
pub mod recovery;
pub mod roles;
pub mod roots;
pub mod rotation;
mod search;
pub mod stops;
pub mod templates;
pub mod tenants;
#[cfg(test)]
mod testing;
pub mod venues;
pub mod virtual_keys;
pub mod webhooks;

use serde::{Deserialize, Serialize};

pub use self::act::{Act, Before, Deed, Question, Reason, Target, Typed};
pub use self::item::{Cell, Glyph, Item, Tone};
pub use self::read::Page;
pub use self::search::{Named, Search};
use crate::state::Id;

/// Kinds of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the shape of each describes it")]
pub enum Kind {
    Credentials,
    Keks,
    Rotation,
    Roots,
    RootRotation,
    Incidents,
    Timeline,
    Affected,
    AffectedApps,
    Notices,
    Unreached,
    Audit,
    History,
    Proof,
    LogKey,
    Apps,
    Authenticators,
    Grants,
    VirtualKeys,
    Decoys,
    Webhooks,
    Deliveries,
    Templates,
    Backups,
    Venues,
    Recovery,
    Deletions,
    Overview,
    Jobs,
    Settings,
    Denials,
    Executions,
    Approvals,
    Held,
    Policies,
    Operators,
    Logins,
    OwnLogins,
    Roles,
    Stops,
    Tenants,
}

/// All kinds, in the order of the palette.
pub const KINDS: &[Kind] = &[
    Kind::Overview,
    Kind::Credentials,
    Kind::Executions,
    Kind::History,
    Kind::Incidents,
    Kind::Timeline,
    Kind::Affected,
    Kind::AffectedApps,
    Kind::Notices,
    Kind::Unreached,
    Kind::Approvals,
    Kind::Held,
    Kind::Stops,
    Kind::Policies,
    Kind::Denials,
    Kind::Apps,
    Kind::Authenticators,
    Kind::Grants,
    Kind::VirtualKeys,
    Kind::Keks,
    Kind::Rotation,
    Kind::Roots,
    Kind::RootRotation,
    Kind::Audit,
    Kind::Proof,
    Kind::LogKey,
    Kind::Operators,
    Kind::Logins,
    Kind::OwnLogins,
    Kind::Roles,
    Kind::Tenants,
    Kind::Venues,
    Kind::Jobs,
    Kind::Backups,
    Kind::Recovery,
    Kind::Deletions,
    Kind::Settings,
    Kind::Webhooks,
    Kind::Deliveries,
    Kind::Templates,
    Kind::Decoys,
];

impl Kind {
    /// What the console shows first.
    pub const FIRST: Self = Self::Overview;

    /// How it looks.
    pub fn shape(self) -> &'static Shape {
        match self {
            Self::Credentials => &credentials::SHAPE,
            Self::Keks => &keks::SHAPE,
            Self::Rotation => &rotation::SHAPE,
            Self::Roots => &roots::SHAPE,
            Self::RootRotation => &rotation::ROOT,
            Self::Incidents => &incidents::SHAPE,
            Self::Timeline => &incidents::parts::TIMELINE,
            Self::Affected => &incidents::parts::AFFECTED,
            Self::AffectedApps => &incidents::parts::AFFECTED_APPS,
            Self::Notices => &incidents::parts::NOTICES,
            Self::Unreached => &incidents::parts::UNREACHED,
            Self::Audit => &audit::SHAPE,
            Self::History => &audit::HISTORY,
            Self::Proof => &proof::SHAPE,
            Self::LogKey => &log_key::SHAPE,
            Self::Apps => &apps::SHAPE,
            Self::Authenticators => &apps::AUTHENTICATORS,
            Self::Grants => &grants::SHAPE,
            Self::VirtualKeys => &virtual_keys::SHAPE,
            Self::Decoys => &decoys::SHAPE,
            Self::Webhooks => &webhooks::SHAPE,
            Self::Deliveries => &webhooks::DELIVERIES,
            Self::Templates => &templates::SHAPE,
            Self::Backups => &backups::SHAPE,
            Self::Venues => &venues::SHAPE,
            Self::Recovery => &recovery::SHAPE,
            Self::Deletions => &deletions::SHAPE,
            Self::Overview => &overview::SHAPE,
            Self::Jobs => &jobs::SHAPE,
            Self::Settings => &jobs::SETTINGS,
            Self::Denials => &denials::SHAPE,
            Self::Executions => &executions::SHAPE,
            Self::Approvals => &approvals::SHAPE,
            Self::Held => &held::SHAPE,
            Self::Policies => &policies::SHAPE,
            Self::Operators => &operators::SHAPE,
            Self::Logins => &logins::SHAPE,
            Self::OwnLogins => &logins::OWN,
            Self::Roles => &roles::SHAPE,
            Self::Stops => &stops::SHAPE,
            Self::Tenants => &tenants::SHAPE,
        }
    }

    /// The kind that the palette knows as `name`: those that hang on another are reached through it only.
    pub fn named(name: &str) -> Option<Self> {
        let mut reachable = KINDS.iter().copied().filter(|kind| !kind.shape().hangs_on_another);
        reachable.find(|kind| kind.shape().name == name || kind.shape().aliases.contains(&name))
    }
}

/// How a kind of thing looks, and where it is found.
#[derive(Debug)]
pub struct Shape {
    /// What the palette and the header call it, in small letters: `virtual-keys`.
    pub name: &'static str,
    /// Other names that the palette takes.
    pub aliases: &'static [&'static str],
    /// One of it, for dialogs: `virtual key`.
    pub one: &'static str,
    /// What it is, in one line, for the palette's completion.
    pub what: &'static str,
    /// Said where there is none.
    pub empty: &'static str,
    /// What is known of one, in the order of an [`Item`]'s cells.
    pub facts: &'static [Fact],
    /// What one consists of: reached from its detail by the digits, from 1.
    pub parts: &'static [Kind],
    /// What can be done to it.
    pub acts: &'static [Act],
    /// Whether it is found only through the thing that it belongs to.
    pub hangs_on_another: bool,
    /// Who looks for what stands in the filter.
    pub search: Search,
    /// Whether there is a list of it, or one thing only, whose detail is the screen.
    pub alone: bool,
    /// Whether its newest row comes first, and comes in by itself while the cursor is on the first row:
    /// only for what nothing can be done to.
    pub tail: bool,
    /// The events of `/api/v1/events` after which it may be otherwise.
    pub events: &'static [&'static str],
    /// The path of the list, or of the one thing; it may have a query, behind which `&` goes before anything further.
    pub path: fn(&Target<'_>) -> String,
    /// Reads an answer of that path.
    pub read: fn(&[u8]) -> Result<Page, serde_json::Error>,
    /// The path of one by itself, and how it is read, where that says more than the list or has an `ETag`.
    pub closer: Option<Closer>,
}

impl Shape {
    /// What most kinds have in common.
    const PLAIN: Self = Self {
        name: "",
        aliases: &[],
        one: "",
        what: "",
        empty: "",
        facts: &[],
        parts: &[],
        acts: &[],
        hangs_on_another: false,
        search: Search::Here,
        alone: false,
        tail: false,
        events: &[],
        path: |_| String::new(),
        read: |bytes| serde_json::from_slice(bytes),
        closer: None,
    };
}

/// One thing, read by itself.
#[derive(Clone, Copy, Debug)]
pub struct Closer {
    /// Its path. The target's id is the thing's.
    pub path: fn(&Target<'_>) -> String,
    /// Reads the answer; none if it is no such thing.
    pub read: fn(&[u8]) -> Result<Option<Item>, serde_json::Error>,
}

/// Something that is known of every thing of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its name, in small letters; columns have it in capitals.
    pub name: &'static str,
    /// The width of its column; 0 if only the detail has it.
    pub width: usize,
    /// How much wider the column may get where there is room.
    pub grow: usize,
    /// From how many columns of terminal on it is a column: 60 for always, 80, 110, 150.
    pub from: u16,
}

/// Makes a fact that is a column.
pub const fn column(name: &'static str, width: usize, grow: usize, from: u16) -> Fact {
    Fact { name, width, grow, from }
}

/// Makes a fact that only the detail has.
pub const fn detail(name: &'static str) -> Fact {
    Fact { name, width: 0, grow: 0, from: 0 }
}

/// Where one looks: a tenant, and the ids of the things on the way, the outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The tenant, as the console was told: an id or a name.
    pub tenant: String,
    /// The things on the way.
    pub way: Vec<Id>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_kinds_have_the_same_name() {
        let mut seen = BTreeSet::new();
        for shape in KINDS.iter().map(|kind| kind.shape()) {
            for name in shape.aliases.iter().chain([&shape.name]) {
                assert!(seen.insert(*name), "{name} twice");
            }
        }
    }

    #[test]
    fn the_columns_of_every_kind_fit_their_terminal() {
        for (shape, terminal) in KINDS.iter().flat_map(|kind| [60, 80, 110, 150].map(|from| (kind.shape(), from))) {
            let columns = shape.facts.iter().filter(|fact| fact.width > 0 && fact.from <= terminal);
            let width: usize = columns.map(|fact| fact.width + 1).sum();
            assert!(width + 2 <= usize::from(terminal), "{} needs {width} of {terminal}", shape.name);
        }
    }

    #[test]
    fn kinds_follow_events_that_there_are() {
        let (_, told) = include_str!("../../docs/api.md").split_once("## Following changes").unwrap();
        let (told, _) = told.split_once("\n## ").unwrap();
        for (shape, event) in
            KINDS.iter().flat_map(|kind| kind.shape().events.iter().map(|event| (kind.shape(), event)))
        {
            assert!(told.contains(&format!("`{event}`")), "{}: {event}", shape.name);
        }
    }

    #[test]
    fn whatever_is_asked_is_a_route_of_the_admin_listener() {
        let matrix = include_str!("../../docs/roles-matrix.txt");
        let routes: Vec<(&str, &str)> =
            matrix.lines().filter_map(|line| line.strip_prefix("admin ")?.split_once(' ')).collect();
        let asked = |method: &str, path: &str| {
            let fits = |(part, route): (&str, &str)| route.starts_with('{') || part == route;
            let (path, _) = path.split_once('?').unwrap_or((path, ""));
            let is = |route: &str| {
                let (parts, wanted) = (path.split('/'), route.split('/'));
                parts.clone().count() == wanted.clone().count() && parts.zip(wanted).all(fits)
            };
            let known = routes.iter().any(|(verb, route)| *verb == method && is(route));
            assert!(known, "{method} {path}");
        };
        let scope = Scope { tenant: "acme".to_owned(), way: vec![Id::parse("a").unwrap(), Id::parse("b").unwrap()] };
        for shape in KINDS.iter().map(|kind| kind.shape()) {
            asked("GET", &(shape.path)(&Target { scope: &scope, id: "", item: None }));
            if let Some(closer) = shape.closer {
                asked("GET", &(closer.path)(&Target { scope: &scope, id: "x_1", item: None }));
            }
            for act in shape.acts {
                let (method, id) = (format!("{:?}", act.method).to_uppercase(), if act.on_list { "" } else { "x_1" });
                asked(&method, &(act.path)(&Target { scope: &scope, id, item: None }));
            }
        }
    }

    #[test]
    fn a_key_means_one_act_of_a_kind() {
        for shape in KINDS.iter().map(|kind| kind.shape()) {
            let mut seen = BTreeSet::new();
            assert!(shape.acts.iter().all(|act| seen.insert(act.key)), "{}", shape.name);
        }
    }
}
