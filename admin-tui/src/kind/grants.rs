//! Grants: what apps may have done with which credentials.

use claviger_core::view::GrantView;
use serde::Serialize;
use serde_json::Value;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Item, Tone};
use super::read::short;
use super::{Shape, column, detail, read};
use crate::event::Key::Ctrl;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "grants",
    one: "grant",
    what: "what apps may have done, with which credentials, within which limits",
    empty: "there is no grant here: without one, nothing is signed",
    facts: &[
        column("operations", 20, 24, 60),
        column("credentials", 14, 10, 60),
        column("symbols", 14, 14, 60),
        column("app", 8, 0, 80),
        column("enrolls", 7, 0, 80),
        column("age", 5, 0, 80),
        detail("id"),
        detail("of app"),
        detail("networks"),
        detail("hours (UTC)"),
    ],
    acts: &[Act {
        deed: Deed::Revoke,
        key: Ctrl('x'),
        verb: "revoke",
        done: "revoked",
        what: "takes it away: nothing is signed under it any more",
        danger: Danger::D2,
        before: Before::Plan,
        reason: Reason::None,
        said: |_| vec!["What other grants of the app allow stays allowed.".to_owned()],
        method: Method::Delete,
        path: |target| target.of_tenant(&format!("apps/{}/grants/{}", target.fact(APP), target.id())),
        ..Act::PLAIN
    }],
    events: &["grant"],
    path: |target| {
        let from = target.on_the_way(0);
        if from.starts_with("app_") {
            target.of_tenant(&format!("apps/{from}/grants"))
        } else {
            target.of_credential("grants")
        }
    },
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

/// Which of the facts is the app's id.
const APP: usize = 7;

fn item(view: &GrantView) -> Option<Item> {
    let all = |texts: &[String], none: &str| if texts.is_empty() { none.to_owned() } else { texts.join(", ") };
    let hours: Vec<String> = view.hours.iter().map(|hours| words(&value(hours))).collect();
    let credentials = match view.credentials.as_slice() {
        [] => Cell::toned("all", Tone::Caution),
        [one] => Cell::plain(short(one)),
        several => Cell::plain(several.len().to_string()),
    };
    let item = Item::new(&view.id, &format!("grant {} of app {}", short(&view.id), short(&view.app)), "")?.with([
        Cell::plain(all(&view.operations, "none")),
        credentials,
        Cell::plain(all(&view.symbols, "any")),
        Cell::plain(short(&view.app)),
        Cell::plain(if view.enroll { "yes" } else { "no" }),
        Cell::ago(&view.created_at),
        Cell::plain(&view.id),
        Cell::plain(&view.app),
        Cell::plain(all(&view.networks, "any")),
        Cell::plain(all(&hours, "always")),
    ]);
    let item = limits(item, "orders", &value(&view.orders));
    let item = limits(item, "budget", &value(&view.budget));
    Some(item.told(&view.credentials.join("\n")))
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// Each limit that is set, by the API's own name.
fn limits(item: Item, of: &str, value: &Value) -> Item {
    let set = value.as_object().into_iter().flatten().map(|(name, limit)| (name.replace('_', " "), words(limit)));
    let set = set.filter(|(name, words)| !words.is_empty() && name != "symbols");
    set.fold(item, |item, (name, words)| item.known(&format!("{of}: {name}"), Cell::plain(words)))
}

/// What is set, in words; nothing of what is not.
fn words(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(all) => {
            let set = all.iter().map(|(name, value)| (name.replace('_', " "), words(value)));
            let set = set.filter(|(_, words)| !words.is_empty()).map(|(name, words)| format!("{name} {words}"));
            set.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::act::Target;
    use super::super::testing::{fact, path, read, scope};
    use super::*;

    #[test]
    fn shows_each_limit_that_is_set() {
        assert_eq!(path(&SHAPE, &["app_1"]), "/api/v1/tenants/acme/apps/app_1/grants");
        let grant = json!({"id": "grant_01a", "app": "app_1", "credentials": [], "operations": ["trade", "read"],
            "symbols": ["BTCUSDT"], "networks": ["10.0.0.0/8"],
            "hours": [{"days": ["mon"], "from": "08:00", "until": "17:00"}],
            "orders": {"symbols": ["BTCUSDT"], "notional_max": "5000", "quote": "USDT", "reduce_only": true,
                "collar": {"percent": "5"}},
            "budget": {"orders_per_day": 100}, "enroll": false, "created_at": "2026-11-22T08:00:00.000Z"});
        let page = read(&SHAPE, &json!({"data": [grant]}));
        let item = &page.items[0];
        assert!(fact(&SHAPE, item, "credentials").contains("all"));
        assert!(fact(&SHAPE, item, "hours (UTC)").contains("days mon, from 08:00, until 17:00"));
        let more: Vec<(&str, &str)> =
            item.more.iter().map(|(name, cell)| (name.as_str(), cell.text().unwrap())).collect();
        assert_eq!(
            more,
            [
                ("orders: collar", "percent 5"),
                ("orders: notional max", "5000"),
                ("orders: quote", "USDT"),
                ("orders: reduce only", "yes"),
                ("budget: orders per day", "100"),
            ]
        );
    }

    #[test]
    fn it_is_taken_away_from_its_own_app_wherever_it_is_looked_at() {
        let grant = json!({"id": "grant_1", "app": "app_1", "credentials": [], "operations": [], "symbols": [],
            "networks": [], "hours": [], "orders": {}, "budget": {}, "enroll": true, "created_at": ""});
        let page = read(&SHAPE, &json!({"data": [grant]}));
        let revoke = SHAPE.acts.iter().find(|act| act.deed == Deed::Revoke).unwrap();
        for way in [&["app_1"][..], &["cred_1"], &[]] {
            let target = Target { scope: &scope(way), id: "grant_1", item: page.items.first() };
            assert_eq!((revoke.path)(&target), "/api/v1/tenants/acme/apps/app_1/grants/grant_1");
        }
        assert_eq!(path(&SHAPE, &["cred_1"]), "/api/v1/tenants/acme/grants?credential=cred_1");
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/grants");
    }
}
