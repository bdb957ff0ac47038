//! Reading of lists.

use claviger_core::view::PageView;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

use super::item::Item;

/// A page of things, as the server gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The things.
    pub items: Vec<Item>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A page of `V`s, each of which `item` reads.
///
/// # Errors
/// It is no such page, or a thing in it has no proper id.
pub fn page<V: DeserializeOwned>(bytes: &[u8], item: impl Fn(&V) -> Option<Item>) -> Result<Page, serde_json::Error> {
    let view: PageView<V> = serde_json::from_slice(bytes)?;
    Ok(Page { items: items(&view.data, item)?, next: view.next_cursor })
}

/// A plain list of `V`s.
///
/// # Errors
/// As [`page`].
pub fn list<V: DeserializeOwned>(bytes: &[u8], item: impl Fn(&V) -> Option<Item>) -> Result<Page, serde_json::Error> {
    let views: Vec<V> = serde_json::from_slice(bytes)?;
    Ok(Page { items: items(&views, item)?, next: None })
}

/// One `V`.
///
/// # Errors
/// It is none.
pub fn one<V: DeserializeOwned>(
    bytes: &[u8],
    item: impl Fn(&V) -> Option<Item>,
) -> Result<Option<Item>, serde_json::Error> {
    Ok(item(&serde_json::from_slice(bytes)?))
}

fn items<V>(views: &[V], item: impl Fn(&V) -> Option<Item>) -> Result<Vec<Item>, serde_json::Error> {
    let items: Option<Vec<Item>> = views.iter().map(item).collect();
    items.ok_or_else(|| serde_json::Error::custom("a thing without a proper id"))
}
