//! What the console says that goes line by line.

use super::danger;
use crate::clean::Clean;
use crate::kind::{Act, Fact, Item, Kind};
use crate::plain::Because;

/// That the console is plain, and why.
pub(crate) fn plain_because(because: Because) -> Clean {
    let why = match because {
        Because::Flag => "--plain was given",
        Because::Environment => "CLAVIGER_PLAIN is set",
        Because::Terminal => "TERM is dumb",
    };
    format!("claviger console, line by line, because {why}. `help` tells what can be typed.").into()
}

/// Who is logged in.
pub(crate) fn plain_logged_in(operator: &Clean) -> Clean {
    format!("logged in as {operator}").into()
}

/// How far what is told can be believed.
pub(crate) fn plain_link(link: &str) -> Clean {
    format!("service: {link}").into()
}

/// How much of a list is told.
pub(crate) fn plain_count(told: usize, shown: usize, has_more: bool) -> Clean {
    let more = if has_more { ", and more at the server" } else { "" };
    format!("{told} of {shown} rows{more}").into()
}

/// How many rows are not as they were told.
pub(crate) fn plain_changed(count: usize) -> Clean {
    format!("changed: {count} {} (refresh)", if count == 1 { "row" } else { "rows" }).into()
}

/// One of what an act is about.
pub(crate) fn plain_victim(item: &Item) -> Clean {
    format!("{} ({})", item.name, item.id.as_str()).into()
}

/// The name that has to be typed.
pub(crate) fn plain_name(name: &Clean) -> Clean {
    format!("type {name} to go on:").into()
}

/// What a choice is between.
pub(crate) fn plain_choice(label: &str, words: &[&str]) -> Clean {
    format!("{label} (one of {}; nothing for the first):", words.join(", ")).into()
}

/// That an act needs a row.
pub(crate) fn plain_which(verb: &str) -> Clean {
    format!("say to which row: {verb} 1").into()
}

/// What belongs to a thing.
pub(crate) fn plain_parts(parts: &[Kind]) -> Clean {
    let names: Vec<&str> = parts.iter().map(|part| part.shape().name).collect();
    format!("parts: {}", names.join(", ")).into()
}

/// That there is no such part here.
pub(crate) fn plain_no_part(parts: &[Kind]) -> Clean {
    match parts {
        [] => "nothing here has parts".into(),
        _ => format!("open a row first; {}", plain_parts(parts)).into(),
    }
}

/// That there is no such column.
pub(crate) fn plain_no_column(facts: &[Fact]) -> Clean {
    let names: Vec<&str> = facts.iter().filter(|fact| fact.width > 0).map(|fact| fact.name).collect();
    format!("it is sorted by one of {}", names.join(", ")).into()
}

/// An act, for the help.
pub(crate) fn plain_act(act: &Act) -> Clean {
    let row = if act.on_list { "" } else { " 3" };
    format!("{}{row}: {}{}", act.verb, act.what, danger(act.danger)).into()
}

/// The screens, for the help.
pub(crate) fn plain_names(names: &[&str]) -> Clean {
    format!("screens: {}", names.join(", ")).into()
}
