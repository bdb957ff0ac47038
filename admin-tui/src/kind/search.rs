//! Who looks for what stands in the filter of a list.

use super::act;

/// Who looks for what stands in the filter.
#[derive(Clone, Copy, Debug)]
pub enum Search {
    /// The console, in what is loaded.
    Here,
    /// The server, by `q`.
    There,
    /// Both: this tells what the server is asked from what is looked for in what is loaded.
    Named(fn(&str) -> Named),
}

impl Search {
    /// What the server is asked, and what is looked for in what is loaded, for what stands in the filter.
    pub fn split(self, filter: &str) -> Named {
        let filter = filter.trim();
        match self {
            Self::Here => Named { query: String::new(), here: filter.to_owned() },
            Self::There if filter.is_empty() => Named::default(),
            Self::There => Named { query: format!("q={}", act::encode(filter)), here: String::new() },
            Self::Named(split) => split(filter),
        }
    }
}

/// What stands in the filter of a list whose API has names for what it looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The part of the query that the server gets; empty if it gets none.
    pub query: String,
    /// The words that the console looks for in what is loaded.
    pub here: String,
}
