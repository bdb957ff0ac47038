//! Where the configuration comes from: the file, and the environment over it.

use std::ffi::OsString;
use std::path::PathBuf;

use toml::{Table, Value};

use super::Config;

const PREFIX: &str = "CLAVIGER__";

/// The home when no flag names one: `CLAVIGER_HOME`, else `./claviger-home`.
#[must_use]
pub fn home() -> PathBuf {
    std::env::var_os("CLAVIGER_HOME").map_or_else(|| "claviger-home".into(), PathBuf::from)
}

/// What the environment says of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// `NO_COLOR` is not empty, whatever it is: <https://no-color.org>.
    pub no_color: bool,
    /// `CLAVIGER_PLAIN` is neither empty nor `0`.
    pub plain: bool,
    /// `TERM` is `dumb`.
    pub is_dumb: bool,
}

/// What this process's environment says of its terminal.
#[must_use]
pub fn terminal() -> Terminal {
    Terminal::of(|name| std::env::var_os(name))
}

impl Terminal {
    fn of(get: impl Fn(&str) -> Option<OsString>) -> Self {
        Self {
            no_color: get("NO_COLOR").is_some_and(|value| !value.is_empty()),
            plain: get("CLAVIGER_PLAIN").is_some_and(|value| !value.is_empty() && value != "0"),
            is_dumb: get("TERM").is_some_and(|term| term == "dumb"),
        }
    }
}

/// `CLAVIGER__SECTION__KEY=value` of the environment, as paths of lower-case names and values.
#[must_use]
pub fn overrides() -> Vec<(Vec<String>, String)> {
    let entry = |(name, value): (OsString, OsString)| {
        let path = name.to_str()?.strip_prefix(PREFIX)?.split("__").map(str::to_ascii_lowercase).collect();
        Some((path, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(entry).collect()
}

/// The file's text with the overrides applied.
pub(super) fn merge(text: &str, overrides: &[(Vec<String>, String)]) -> Result<Config, String> {
    Config::deserialize_table(table(text, overrides)?)
}

/// What the file and the overrides say.
pub(super) fn table(text: &str, overrides: &[(Vec<String>, String)]) -> Result<Table, String> {
    let mut table: Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    for (path, value) in overrides {
        set(&mut table, path, value)?;
    }
    Ok(table)
}

fn set(table: &mut Table, path: &[String], value: &str) -> Result<(), String> {
    let [section @ .., key] = path else { return Ok(()) };
    let mut at = table;
    for (depth, name) in section.iter().enumerate() {
        // Names of the environment have no dashes; names of venues do.
        let name = if depth == 1 && section.first().is_some_and(|s| s == "venues") {
            name.replace('_', "-")
        } else {
            name.clone()
        };
        let entry = at.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        at = entry.as_table_mut().ok_or_else(|| format!("{PREFIX}{}: {name} is no section", path.join("__")))?;
    }
    at.insert(key.clone(), parse(value));
    Ok(())
}

/// A value as TOML reads it (`true`, `2`, `["a"]`), else as a string.
fn parse(value: &str) -> Value {
    let as_toml = format!("v = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    match as_toml {
        Some(value @ (Value::Boolean(_) | Value::Integer(_) | Value::Array(_) | Value::Table(_))) => value,
        _ => Value::String(value.to_owned()),
    }
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, String> {
        table.try_into().map_err(|e: toml::de::Error| {
            let text = e.to_string();
            let text = text.trim_end();
            match suggestion(text) {
                Some(name) => format!("{text}; did you mean `{name}`?"),
                None => text.to_owned(),
            }
        })
    }
}

/// The known name that is nearest to an unknown one. serde lists the known ones in its message.
fn suggestion(message: &str) -> Option<String> {
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = message.contains("unknown field").then(|| names.next())??;
    names
        .filter(|name| strsim::damerau_levenshtein(unknown, name) <= 3)
        .min_by_key(|name| strsim::damerau_levenshtein(unknown, name))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str =
        "[hsm]\nmodule = \"/m.so\"\ntoken_label = \"t\"\npin_file = \"pin\"\n[audit]\nlog = \"claviger/x\"\n";

    fn with(path: &str, value: &str) -> Result<Config, String> {
        merge(MINIMAL, &[(path.split("__").map(str::to_owned).collect(), value.to_owned())])
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let config = with("listen__api", "127.0.0.1:0").unwrap();
        assert_eq!(config.listen.api.port(), 0);
        assert!(with("venues__binance_usdm__enabled", "true").unwrap().venues["binance-usdm"].enabled);
        assert!(with("hsm__token_label", "12").unwrap_err().contains("string"));
    }

    #[test]
    fn a_terminal_is_plain_or_without_colours_where_the_environment_says_so() {
        let of = |name: &str, value: &str| Terminal::of(|asked| (asked == name).then(|| value.into()));
        let none = Terminal { no_color: false, plain: false, is_dumb: false };
        for (name, value) in [("NO_COLOR", ""), ("CLAVIGER_PLAIN", ""), ("CLAVIGER_PLAIN", "0"), ("TERM", "xterm")] {
            assert_eq!(of(name, value), none, "{name}={value}");
        }
        assert_eq!(of("NO_COLOR", "0"), Terminal { no_color: true, ..none });
        assert_eq!(of("CLAVIGER_PLAIN", "1"), Terminal { plain: true, ..none });
        assert_eq!(of("TERM", "dumb"), Terminal { is_dumb: true, ..none });
    }

    #[test]
    fn unknown_keys_are_refused_with_a_suggestion() {
        let error = with("listen__apii", "127.0.0.1:0").unwrap_err();
        assert!(error.contains("did you mean `api`?"), "{error}");
        let error = with("lisen__api", "127.0.0.1:0").unwrap_err();
        assert!(error.contains("did you mean `listen`?"), "{error}");
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        assert!(with("venues__binace__enabled", "true").unwrap().check().unwrap_err().text.contains("venues.binace"));
        assert!(with("listen__metrics", "0.0.0.0:1").unwrap().check().unwrap_err().text.contains("loopback"));
        assert!(with("tokens__access_seconds", "90000").unwrap().check().is_err());
    }
}
