//! The versions of a tenant's policy.

use claviger_core::view::PolicyView;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Closer, Shape, column, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "policies",
    aliases: &["policy", "pol"],
    one: "version of the policy",
    what: "the versions of this tenant's policy, and which of them decides",
    empty: "no policy is stored: what grants allow is allowed",
    facts: &[
        column("version", 7, 0, 60),
        column("state", 10, 0, 60),
        column("rules", 5, 0, 60),
        column("by", 14, 10, 60),
        column("age", 4, 0, 60),
    ],
    acts: ACTS,
    events: &["policy"],
    path: |target| target.of_tenant("policies"),
    read: |bytes| read::page(bytes, item),
    closer: Some(Closer {
        path: |target| target.of_tenant(&format!("policies/{}", target.id())),
        read: |bytes| read::one(bytes, item),
    }),
    ..Shape::PLAIN
};

const ACTS: &[Act] = &[Act {
    deed: Deed::Activate,
    key: Char('A'),
    verb: "activate",
    done: "activated",
    what: "puts it into force in place of the version that decides",
    danger: Danger::D2,
    before: Before::Plan,
    reason: Reason::Asked,
    pointless: |item| (item.state == IN_FORCE).then_some("it is in force already"),
    method: Method::Post,
    path: |target| target.of_tenant(&format!("policies/{}/activate", target.id())),
    ..Act::PLAIN
}];

const IN_FORCE: &str = "in force";

fn item(view: &PolicyView) -> Option<Item> {
    let (state, glyph, tone) =
        if view.in_force { (IN_FORCE, Glyph::On, Tone::Good) } else { ("stored", Glyph::Waiting, Tone::Quiet) };
    let version = view.version.to_string();
    let item = Item::new(&version, &format!("version {version}"), state)?.with([
        Cell::Number(view.version.into()),
        Cell::word(glyph, state, tone),
        Cell::Number(u64::try_from(view.rules).unwrap_or(u64::MAX)),
        Cell::plain(&view.by),
        Cell::ago(&view.created_at),
    ]);
    Some(view.text.iter().fold(item, |item, text| item.told(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{path, read, sent};
    use super::*;

    #[test]
    fn says_which_decides_and_shows_its_text_line_by_line() {
        let mut view = json!({ "version": 2, "in_force": true, "rules": 3, "by": "ada",
            "created_at": "2026-11-22T08:00:00.000Z" });
        let item = read(&SHAPE, &json!({ "data": [view] })).items.swap_remove(0);
        assert_eq!((item.id.as_str(), item.state.as_str(), item.text.len()), ("2", IN_FORCE, 0));
        assert!((ACTS[0].pointless)(&item).is_some());
        view["text"] = "[[rule]]\ndeny = \"withdraw\"\n".into();
        let item = (SHAPE.closer.unwrap().read)(view.to_string().as_bytes()).unwrap().unwrap();
        assert_eq!(item.text.len(), 2);
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/policies");
        let sent = sent(&SHAPE, Deed::Activate, &[], "2");
        assert_eq!(sent, "Post /api/v1/tenants/acme/policies/2/activate reason?");
    }
}
