//! The words of notices to owners.

use claviger_core::view::TemplateView;

use super::item::{Cell, Item};
use super::{Shape, column, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "templates",
    one: "notice's words",
    what: "what this tenant's owners are told, word for word",
    empty: "there is no notice",
    facts: &[
        column("notice", 22, 0, 60),
        column("words", 8, 0, 60),
        column("subject", 24, 60, 60),
        detail("names"),
        detail("to change"),
    ],
    path: |target| target.of_tenant("templates"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &TemplateView) -> Option<Item> {
    let topic = view.topic.as_str();
    let names: Vec<String> = view.placeholders.iter().map(|name| format!("{{{name}}}")).collect();
    Some(Item::new(topic, topic, "")?.told(&view.text).with([
        Cell::plain(topic),
        Cell::plain(if view.own { "own" } else { "built in" }),
        Cell::plain(&view.subject),
        Cell::plain(names.join(" ")),
        Cell::plain("claviger template set"),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;

    #[test]
    fn shows_the_words_as_they_are_sent() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/templates");
        let words = json!({"topic": "credential.expiring", "subject": "Your key expires", "text": "Hello,\nit expires.",
            "own": true, "placeholders": ["label", "venue"]});
        let page = read(&SHAPE, &json!({"data": [words]}));
        let item = &page.items[0];
        assert_eq!(item.text.len(), 2);
        assert!(fact(&SHAPE, item, "names").contains("{label} {venue}"));
        assert!(fact(&SHAPE, item, "words").contains("own"));
    }
}
