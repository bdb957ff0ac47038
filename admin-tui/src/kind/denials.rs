//! By which rules a tenant's requests were refused.

use claviger_core::view::{DenialsView, DeniedByView};
use serde::de::Error as _;

use super::item::{Cell, Item};
use super::read::Page;
use super::{Shape, column};

pub(super) const SHAPE: Shape = Shape {
    name: "denials",
    aliases: &["denied"],
    one: "rule",
    what: "by which rules requests were refused, in the last 24 hours or since the service started",
    empty: "nothing was refused",
    facts: &[
        column("rule", 26, 20, 60),
        column("refused", 10, 0, 60),
        column("last", 5, 0, 60),
        column("counted for", 11, 0, 60),
    ],
    events: &["denial"],
    path: |target| target.of_tenant("denials"),
    read,
    ..Shape::PLAIN
};

fn read(bytes: &[u8]) -> Result<Page, serde_json::Error> {
    let view: DenialsView = serde_json::from_slice(bytes)?;
    let items: Option<Vec<Item>> = view.data.iter().map(|rule| item(rule, &view.since)).collect();
    Ok(Page { items: items.ok_or_else(|| serde_json::Error::custom("a rule without a proper tag"))?, next: None })
}

fn item(view: &DeniedByView, since: &str) -> Option<Item> {
    Some(Item::new(&view.rule, &view.rule, "")?.with([
        Cell::plain(&view.rule),
        Cell::Number(view.count),
        Cell::ago(&view.last_at),
        Cell::ago(since),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;

    #[test]
    fn counts_by_rule() {
        let answer = json!({ "since": "2026-11-21T08:00:00.000Z", "data": [
            { "rule": "order.notional", "count": 7, "last_at": "2026-11-22T08:00:00.000Z" },
            { "rule": "state.frozen", "count": 1, "last_at": "2026-11-22T07:00:00.000Z" },
        ] });
        let items = read(&SHAPE, &answer).items;
        assert_eq!((items[0].id.as_str(), items.len()), ("order.notional", 2));
        assert_eq!(fact(&SHAPE, &items[0], "refused"), "Number(7)");
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/denials");
    }
}
