//! What tests of kinds share.

use super::{Deed, Fact, Item, Page, Reason, Scope, Shape, Target, Typed};
use crate::keymap::Danger;
use crate::state::Id;

/// The tenant `acme`, and `way` as what was passed.
pub(super) fn scope(way: &[&str]) -> Scope {
    Scope { tenant: "acme".to_owned(), way: way.iter().map(|id| Id::parse(id).unwrap()).collect() }
}

/// What an act on `id` sends: method, path and what is in the body; what is typed has a question mark.
pub(super) fn sent(shape: &Shape, deed: Deed, way: &[&str], id: &str) -> String {
    let act = shape.acts.iter().find(|act| act.deed == deed).unwrap();
    let value = |typed: &Typed| match typed {
        Typed::Text(text) => (*text).to_owned(),
        Typed::Flag(flag) => flag.to_string(),
        Typed::Id => id.to_owned(),
        Typed::Name => "its name".to_owned(),
        Typed::Tenant => "acme".to_owned(),
        Typed::Fact(index) => format!("its {}", shape.facts[*index].name),
    };
    let constant = act.body.iter().map(|(name, typed)| format!(" {name}={}", value(typed)));
    let typed = act.questions.iter().map(|question| format!(" {}?", question.name));
    let reason = (act.reason != Reason::None).then(|| " reason?".to_owned());
    let confirm = (act.danger == Danger::D3).then(|| " confirm?".to_owned());
    let body: String = constant.chain(typed).chain(reason).chain(confirm).collect();
    let path = (act.path)(&Target { scope: &scope(way), id, item: None });
    format!("{:?} {path}{body}", act.method)
}

/// The path of the list.
pub(super) fn path(shape: &Shape, way: &[&str]) -> String {
    (shape.path)(&Target { scope: &scope(way), id: "", item: None })
}

/// Reads what a server sends for the list.
pub(super) fn read(shape: &Shape, answer: &serde_json::Value) -> Page {
    let page = (shape.read)(answer.to_string().as_bytes()).unwrap();
    assert!(
        page.items.iter().all(|item| item.cells.len() == shape.facts.len()),
        "{}: a cell for each fact",
        shape.name
    );
    page
}

/// What a fact says of an item, as its debug form, which has all of it.
pub(super) fn fact(shape: &Shape, item: &Item, name: &str) -> String {
    let index = shape.facts.iter().position(|fact: &Fact| fact.name == name).unwrap();
    format!("{:?}", item.cells[index])
}
