//! What the pages say of the tree is so: tests, files, messages, places and keys that they name exist, and none is
//! missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use claviger_core::act::{RULES, Second};
use claviger_core::identity::role::{BUILT_IN, Permission, Role};
use claviger_server::config::{Config, Sink, Venue};

use crate::tree::{root, sources};

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// What stands between backticks, code blocks left out.
fn quoted(text: &str) -> BTreeSet<&str> {
    let prose = text.split("\n```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

fn texts() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let named = |file: std::path::PathBuf| {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        (name, fs::read_to_string(file).unwrap())
    };
    files.into_iter().map(named).collect()
}

/// What the threat model names besides tests, in as many words.
const FACTS: &[&str] = &["key_management_assumed"];

#[test]
fn tests_that_the_threat_model_names_exist() {
    let (page, texts) = (page("THREAT_MODEL.md"), texts());
    let is_name = |word: &&str| {
        let letters = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        letters && word.matches('_').count() >= 2
    };
    let named: Vec<&str> = quoted(&page).into_iter().filter(is_name).collect();
    assert!(named.len() > 60, "{} names", named.len());
    let is_test = |name: &str| texts.values().any(|text| text.contains(&format!("fn {name}(")));
    let missing: Vec<&str> = named.into_iter().filter(|name| !FACTS.contains(name) && !is_test(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn files_that_the_pages_name_exist() {
    let rooms = ["core/", "hsm/", "venues/", "server/", "admin-tui/", "tests/", "docs/"];
    let mut seen = 0;
    for name in ["THREAT_MODEL.md", "ARCHITECTURE.md", "docs/key-modes.md", "docs/operations.md"] {
        let page = page(name);
        for path in quoted(&page) {
            if rooms.iter().any(|room| path.starts_with(room)) && !path.contains(['{', '<', '*', ' ']) {
                seen += 1;
                assert!(root().join(path).exists(), "{name}: {path}");
            }
        }
    }
    assert!(seen > 40, "{seen} files");
}

/// The words of an enum's variants, as the pages write them.
fn variants<'a>(text: &'a str, opening: &str) -> BTreeSet<String> {
    let body = text.split(opening).nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    let variant =
        |line: &'a str| line.strip_prefix("    ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let snake = |line: &str| {
        let word = line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
        let parts = word.char_indices().flat_map(|(at, c)| {
            let joint = (c.is_ascii_uppercase() && at > 0).then_some('_');
            joint.into_iter().chain([c.to_ascii_lowercase()])
        });
        parts.collect()
    };
    body.lines().filter_map(variant).map(snake).collect()
}

#[test]
fn the_threat_model_weighs_each_message_to_the_keeper() {
    let page = page("THREAT_MODEL.md");
    let weighed: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("`: "))
        .flat_map(|(names, _)| names.split("`, `").map(ToOwned::to_owned))
        .collect();
    let messages =
        variants(&fs::read_to_string(root().join("core/src/keeper/message.rs")).unwrap(), "pub enum Request {");
    assert!(messages.len() > 10);
    assert_eq!(weighed, messages);
    let architecture = self::page("ARCHITECTURE.md");
    let listed = quoted(&architecture);
    assert!(messages.iter().all(|message| listed.contains(message.as_str())), "ARCHITECTURE.md lacks one");
}

/// Where the product touches a secret, and how often in a file; tests do as they like.
fn touches() -> BTreeMap<String, usize> {
    let product = texts().into_iter().filter(|(name, _)| name.contains("/src/") && !name.starts_with("tests/"));
    let count = |text: &str| text.split("#[cfg(test)]").next().unwrap().matches("\"EXPOSE: ").count();
    let counted = product.filter(|(name, _)| !name.ends_with("/tests.rs")).map(|(name, text)| (name, count(&text)));
    counted.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn the_threat_model_lists_where_secrets_are_touched() {
    let page = page("THREAT_MODEL.md");
    let table = page.split("## Where secrets are touched").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: BTreeMap<String, usize> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` "))
        .map(|(name, rest)| {
            let times =
                rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(1, |(n, _)| n.parse().unwrap());
            (name.to_owned(), times)
        })
        .collect();
    assert_eq!(listed, touches());
}

#[test]
fn every_key_of_the_configuration_is_documented() {
    let page = page("docs/configuration.md");
    let least = "[hsm]\nmodule = 'm'\ntoken_label = 't'\npin_file = 'p'\n[audit]\nlog = 'claviger/x'\n";
    let mut config: Config = toml::from_str(least).unwrap();
    config.venues.insert("<id>".to_owned(), Venue::default());
    let mut sections: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(serde_json::to_value(config).unwrap()).unwrap();
    let venue = sections.remove("venues").unwrap()["<id>"].clone();
    sections.insert("venues.<id>".to_owned(), venue);
    sections.insert("[audit.sinks]".to_owned(), serde_json::to_value(Sink::default()).unwrap());
    for (name, keys) in sections {
        let section = page.split(&format!("## `[{name}]`\n")).nth(1).unwrap_or_else(|| panic!("no section {name}"));
        let section = section.split("\n## ").next().unwrap();
        let of_row =
            |line: &str| line.strip_prefix("| `").map(|row| row.split(" | ").next().unwrap().replace(['`', ','], ""));
        let documented: BTreeSet<String> = section
            .lines()
            .filter_map(of_row)
            .flat_map(|names| names.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>())
            .collect();
        let keys: BTreeSet<String> = keys.as_object().unwrap().keys().cloned().collect();
        assert_eq!(documented, keys, "[{name}]");
    }
}

#[test]
fn the_table_of_acts_is_the_code() {
    let page = page("docs/approvals.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let told: Vec<String> = rows.map(|row| row.replace('`', "")).collect();
    let yes = |is: bool| if is { "yes" } else { "no" };
    let row = |rule: &claviger_core::act::Rule| {
        let second = match rule.second {
            Second::Always => "always",
            Second::WhenWider => "when wider",
        };
        let (danger, scheduled) = (rule.danger.as_str(), yes(rule.scheduled));
        format!(
            "| {} | {danger} | {} | {second} | {scheduled} | {} |",
            rule.tag,
            rule.permission,
            yes(rule.break_glass)
        )
    };
    assert_eq!(told, RULES.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn the_roles_are_as_they_are_documented() {
    let page = page("docs/roles.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect()
    };
    let mut table = page.lines().skip_while(|line| !line.starts_with("| | `read`"));
    let actions = cells(table.next().unwrap());
    let mut documented = BTreeMap::new();
    for row in table.skip(1).take_while(|line| line.starts_with('|')).map(cells) {
        for (action, who) in actions.iter().zip(&row).skip(1) {
            documented.insert(format!("{}.{action}", row[0]), who.clone());
        }
    }

    let holders = |permission: Permission| {
        let roles = BUILT_IN.iter().map(|name| Role::built_in(name).unwrap());
        let roles: Vec<String> = roles.filter(|role| role.permissions.has(permission)).map(|role| role.name).collect();
        (permission.to_string(), roles.join(", "))
    };
    assert_eq!(documented, Permission::all().map(holders).collect());
}
