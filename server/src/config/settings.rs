//! The configuration as operators are shown it: each value with where it comes from, and nothing secret.

use claviger_core::view::SettingView;
use serde_json::Value;

use super::{Config, sources};

/// What is shown in the place of what could be secret.
const HIDDEN: &str = "…";

/// A value by its key, with dots.
type Leaf = (String, Value);

impl Config {
    /// All values in force, in the order of their keys. `text` is the file's, `overrides` the environment's.
    pub(super) fn settings(&self, text: &str, overrides: &[(Vec<String>, String)]) -> Vec<SettingView> {
        let read = |text: &str, overrides: &[(Vec<String>, String)]| {
            let table = sources::table(text, overrides).ok();
            leaves(table.and_then(|table| serde_json::to_value(table).ok()).unwrap_or_default())
        };
        let (file, environment) = (read(text, &[]), read("", overrides));
        let names = |leaves: &[Leaf], key: &str| leaves.iter().any(|(known, _)| known == key);
        let shown = leaves(serde_json::to_value(self).unwrap_or_default());
        let setting = |(key, value): Leaf| {
            let origin = match (names(&environment, &key), names(&file, &key)) {
                (true, _) => "environment",
                (false, true) => "file",
                (false, false) => "default",
            };
            SettingView { value: shown_as(&key, value).to_string(), key, origin: origin.to_owned() }
        };
        shown.into_iter().map(setting).collect()
    }
}

/// All that is no table, by its key. What is in a list is one value, but for tables in it.
fn leaves(value: Value) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(String::new(), value, &mut found);
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn collect(key: String, value: Value, found: &mut Vec<Leaf>) {
    let within = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                collect(within(&name), value, found);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            for (at, value) in values.into_iter().enumerate() {
                collect(within(&at.to_string()), value, found);
            }
        }
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            found.push((key, value));
        }
    }
}

/// A value without what could be secret: the environment of a vendor's module, and of addresses more than the host.
fn shown_as(key: &str, value: Value) -> Value {
    if key.starts_with("hsm.environment.") {
        return HIDDEN.into();
    }
    let Some((scheme, rest)) = value.as_str().and_then(|text| text.split_once("://")) else { return value };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let more = if host.len() == rest.len() { "" } else { HIDDEN };
    format!("{scheme}://{host}{more}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_says_where_it_comes_from_and_none_tells_a_secret() {
        let text = "[hsm]\nmodule = \"/m.so\"\ntoken_label = \"t\"\npin_file = \"pin\"\n[hsm.environment]\nPIN = \"1234\"\n\
            [audit]\nlog = \"claviger/x\"\n[[audit.sinks]]\nname = \"far\"\nhttps = \"https://me:letmein@logs.example/token-1\"\n";
        let overrides = [
            (vec!["listen".to_owned(), "api".to_owned()], "127.0.0.1:0".to_owned()),
            (vec!["venues".to_owned(), "binance_usdm".to_owned(), "enabled".to_owned()], "true".to_owned()),
        ];
        let config = sources::merge(text, &overrides).unwrap();
        let settings = config.settings(text, &overrides);
        let of = |key: &str| {
            let found = settings.iter().find(|setting| setting.key == key).unwrap();
            (found.value.as_str(), found.origin.as_str())
        };
        assert_eq!(of("hsm.pin_file"), ("\"pin\"", "file"));
        assert_eq!(of("hsm.threads"), ("2", "default"));
        assert_eq!(of("listen.api"), ("\"127.0.0.1:0\"", "environment"));
        assert_eq!(of("venues.binance-usdm.enabled"), ("true", "environment"));
        assert_eq!(of("venues.binance-usdm.rate_limits"), ("true", "default"));
        assert_eq!(of("audit.sinks.0.https"), ("\"https://logs.example…\"", "file"));
        assert_eq!(of("hsm.environment.PIN"), ("\"…\"", "file"));
        let all = format!("{settings:?}");
        assert!(!["1234", "letmein", "token-1"].iter().any(|secret| all.contains(secret)), "{all}");
    }
}
