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

/// A `V` that there is one of, as a page.
///
/// # Errors
/// As [`page`].
pub fn alone<V: DeserializeOwned>(bytes: &[u8], item: impl Fn(&V) -> Option<Item>) -> Result<Page, serde_json::Error> {
    let view: V = serde_json::from_slice(bytes)?;
    Ok(Page { items: items(&[view], item)?, next: None })
}

/// The things that a `V` has in it.
///
/// # Errors
/// As [`page`].
pub fn inner<V: DeserializeOwned, W>(
    bytes: &[u8],
    list: impl Fn(&V) -> &[W],
    item: impl Fn(&W) -> Option<Item>,
) -> Result<Page, serde_json::Error> {
    let view: V = serde_json::from_slice(bytes)?;
    Ok(Page { items: items(list(&view), item)?, next: None })
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

/// An id by its last four characters, which are what tells long ones apart.
pub(super) fn short(id: &str) -> String {
    match id.char_indices().rev().nth(3) {
        Some((at, _)) if at > 12 => format!("…{}", id.split_at(at).1),
        _ => id.to_owned(),
    }
}

/// A name as an id, for what has no other.
pub(super) fn slug(name: &str) -> String {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let parts: Vec<&str> = name.split(|c| !sound(c)).filter(|part| !part.is_empty()).collect();
    parts.join("-").chars().take(CHARS_MAX).collect()
}

/// Ids may be a little longer.
const CHARS_MAX: usize = 64;

/// A stretch of time, in its two largest units.
pub(super) fn span(seconds: u64) -> String {
    let two = |large: u64, unit: &str, small: u64, rest: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {rest}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

fn items<V>(views: &[V], item: impl Fn(&V) -> Option<Item>) -> Result<Vec<Item>, serde_json::Error> {
    let items: Option<Vec<Item>> = views.iter().map(item).collect();
    items.ok_or_else(|| serde_json::Error::custom("a thing without a proper id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_are_told_apart_by_their_ends() {
        let ids = ["", "binance", "cred_01k6g0000000000000000000a1"].map(short);
        assert_eq!(ids, ["", "binance", "…00a1"]);
    }

    #[test]
    fn names_are_made_ids() {
        assert_eq!(
            ["webhooks: messages", "KEK of ten_1", "a/b"].map(slug),
            ["webhooks-messages", "KEK-of-ten_1", "a-b"]
        );
    }

    #[test]
    fn stretches_of_time_have_two_units_at_most() {
        let spans = [0, 59, 60, 90, 3_600, 7_260, 86_400, 200_000].map(span);
        assert_eq!(spans, ["0 s", "59 s", "1 min", "1 min 30 s", "1 h", "2 h 1 min", "1 d", "2 d 7 h"]);
    }
}
