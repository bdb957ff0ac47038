//! What each venue offers, and which of it moves money or keys: `data/catalogue.json`, compiled once.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use hyper::Method;
use serde::Deserialize;

/// The catalogue that is built into the program.
#[expect(clippy::expect_used, reason = "the file is part of the program; a unit test compiles it")]
pub(crate) static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::compile(include_str!("../data/catalogue.json")).expect("catalogue.json is valid"));

/// Words that no ordinary path contains; matched without regard to case, after percent-decoding.
const ALARMING: [&str; 7] = ["withdraw", "transfer", "wallet", "sub-account", "subaccount", "apikey", "api-key"];

/// What kind of act a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Public data, not signed.
    Market,
    /// Opens, renews or keeps up a session: a call of the key's keeper, never of an app.
    Login,
    /// Shows the account.
    Read,
    /// Changes orders.
    Trade,
    /// Moves value off the account; trips the wire.
    Withdraw,
    /// Moves value inside the account or the firm; trips the wire.
    Transfer,
    /// Changes keys or sub-accounts; trips the wire.
    KeyManagement,
    /// No known operation, but its path speaks of money or keys; trips the wire.
    Alarming,
    /// No operation of this venue.
    Unknown,
}

impl Class {
    /// Whether the venue asks who is calling.
    pub(crate) const fn is_signed(self) -> bool {
        !matches!(self, Self::Market | Self::Unknown)
    }

    /// Whether a call of this class must never come out of the system under test.
    pub(crate) const fn trips(self) -> bool {
        matches!(self, Self::Withdraw | Self::Transfer | Self::KeyManagement | Self::Alarming)
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "market" => Self::Market,
            "login" => Self::Login,
            "read" => Self::Read,
            "trade" => Self::Trade,
            "withdraw" => Self::Withdraw,
            "transfer" => Self::Transfer,
            "key-management" => Self::KeyManagement,
            _ => return None,
        })
    }
}

/// What the catalogue says about one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// The catalogue's entry, or empty.
    pub(crate) name: &'static str,
    pub(crate) class: Class,
}

/// All entries of all venues.
#[derive(Debug)]
pub(crate) struct Catalogue {
    venues: BTreeMap<String, Surface>,
    /// Denied entries count at every venue, so that a call sent to the wrong one trips as well.
    denied: Vec<Pattern>,
}

#[derive(Debug, Default)]
struct Surface {
    exact: HashMap<String, Vec<Pattern>>,
    globs: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    /// Empty for any method.
    methods: Vec<Method>,
    glob: String,
    operation: Operation,
}

#[derive(Deserialize)]
struct File {
    venues: BTreeMap<String, Lists>,
}

#[derive(Deserialize)]
struct Lists {
    allow: BTreeMap<String, Vec<String>>,
    deny: BTreeMap<String, Vec<String>>,
}

impl Catalogue {
    /// Says what `method` on `path` is at `venue`; `path` is without the simulator's prefix.
    pub(crate) fn classify(&self, venue: &str, method: &Method, path: &str) -> Operation {
        let allowed = self.venues.get(venue).and_then(|surface| surface.find(method, path));
        let denied =
            || self.denied.iter().find(|pattern| pattern.matches(method, path)).map(|pattern| pattern.operation);
        allowed.or_else(denied).unwrap_or_else(|| Operation {
            name: "",
            class: if is_alarming(path) { Class::Alarming } else { Class::Unknown },
        })
    }

    fn compile(text: &'static str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut catalogue = Self { venues: BTreeMap::new(), denied: Vec::new() };
        for (venue, lists) in file.venues {
            let surface = catalogue.venues.entry(venue).or_default();
            for pattern in compile_lists(lists.allow)? {
                surface.add(pattern);
            }
            catalogue.denied.extend(compile_lists(lists.deny)?);
        }
        // The entry that covers a whole tree says least, so it is asked last.
        catalogue.denied.sort_by_key(|pattern| pattern.methods.is_empty());
        Ok(catalogue)
    }
}

impl Surface {
    fn add(&mut self, pattern: Pattern) {
        if pattern.glob.contains(['*', '{']) {
            self.globs.push(pattern);
        } else {
            self.exact.entry(pattern.glob.clone()).or_default().push(pattern);
        }
    }

    fn find(&self, method: &Method, path: &str) -> Option<Operation> {
        let exact = self.exact.get(path).map(Vec::as_slice).unwrap_or_default();
        exact.iter().chain(&self.globs).find(|pattern| pattern.matches(method, path)).map(|pattern| pattern.operation)
    }
}

impl Pattern {
    fn matches(&self, method: &Method, path: &str) -> bool {
        (self.methods.is_empty() || self.methods.contains(method))
            && glob_matches(self.glob.as_bytes(), path.as_bytes())
    }
}

fn compile_lists(lists: BTreeMap<String, Vec<String>>) -> Result<Vec<Pattern>, String> {
    let mut patterns = Vec::new();
    for (word, entries) in lists {
        let class = Class::from_word(&word).ok_or_else(|| format!("unknown class {word}"))?;
        for entry in entries {
            let name: &'static str = Box::leak(entry.into_boxed_str());
            patterns.extend(compile_entry(name, class).ok_or_else(|| format!("unreadable: {name}"))?);
        }
    }
    Ok(patterns)
}

/// Compiles `METHODS path (remark)`, or `any other /x path`.
fn compile_entry(name: &'static str, class: Class) -> Option<Vec<Pattern>> {
    if let Some(tree) = name.strip_prefix("any other ") {
        return Some(vec![Pattern {
            methods: Vec::new(),
            glob: format!("{}/**", tree.strip_suffix(" path")?),
            operation: Operation { name, class },
        }]);
    }
    let mut words = name.split(' ');
    let methods = words.next()?.split('|').map(|method| method.parse().ok()).collect::<Option<Vec<Method>>>()?;
    let path = words.next().filter(|path| path.starts_with('/'))?;
    Some(
        expand_braces(path)
            .into_iter()
            .map(|glob| Pattern { methods: methods.clone(), glob, operation: Operation { name, class } })
            .collect(),
    )
}

/// `{a,b}` becomes two paths; `{x}`, a name for any one segment, becomes `{}`.
fn expand_braces(path: &str) -> Vec<String> {
    let Some((head, (choices, tail))) =
        path.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?)))
    else {
        return vec![path.to_owned()];
    };
    let tails = expand_braces(tail);
    let choices: Vec<&str> = match choices.split(',').collect::<Vec<_>>() {
        names if names.len() > 1 => names,
        _ => vec!["{}"],
    };
    choices.iter().flat_map(|choice| tails.iter().map(move |tail| format!("{head}{choice}{tail}"))).collect()
}

/// `**` stands for any rest, `*` for anything within one segment, `{}` for one whole segment.
fn glob_matches(glob: &[u8], path: &[u8]) -> bool {
    match (glob, path) {
        ([b'*', b'*', ..], _) | ([], []) => true,
        // A placeholder is a whole segment, and no segment is empty.
        ([b'{', b'}', rest @ ..], [byte, ..]) if *byte != b'/' => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            path.split_at_checked(end).is_some_and(|(_, tail)| glob_matches(rest, tail))
        }
        ([b'*', rest @ ..], _) => {
            glob_matches(rest, path) || matches!(path, [byte, tail @ ..] if *byte != b'/' && glob_matches(glob, tail))
        }
        ([expected, rest @ ..], [byte, tail @ ..]) => expected == byte && glob_matches(rest, tail),
        _ => false,
    }
}

fn is_alarming(path: &str) -> bool {
    let plain = percent_encoding::percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase();
    ALARMING.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(venue: &str, method: &str, path: &str) -> Class {
        CATALOGUE.classify(venue, &method.parse().unwrap(), path).class
    }

    #[test]
    fn every_entry_of_every_venue_is_what_its_list_says() {
        let file: File = serde_json::from_str(include_str!("../data/catalogue.json")).unwrap();
        for (venue, lists) in file.venues {
            let allowed = compile_lists(lists.allow).unwrap().into_iter().map(|pattern| (pattern, false));
            let denied = compile_lists(lists.deny).unwrap().into_iter().map(|pattern| (pattern, true));
            for (pattern, trips) in allowed.chain(denied) {
                let path = pattern.glob.replace("**", "any/thing").replace('*', "any");
                let any_method = [Method::GET, Method::POST];
                let methods = if pattern.methods.is_empty() { &any_method } else { pattern.methods.as_slice() };
                for method in methods {
                    let found = CATALOGUE.classify(&venue, method, &path).class;
                    let right =
                        if trips { found.trips() || found == Class::Login } else { found == pattern.operation.class };
                    assert!(right, "{venue}: {method} {path} is {found:?}");
                }
            }
        }
    }

    #[test]
    fn entries_are_expanded() {
        for (venue, method, path, expected) in [
            ("binance", "POST", "/api/v3/order", Class::Trade),
            ("binance", "GET", "/api/v3/order", Class::Read),
            ("binance", "GET", "/sapi/v1/account/apiRestrictions", Class::Read),
            ("binance", "GET", "/sapi/v1/capital/withdraw/history", Class::Read),
            ("binance", "POST", "/sapi/v1/capital/withdraw/apply", Class::Withdraw),
            ("binance", "POST", "/sapi/v1/simple-earn/flexible/subscribe", Class::Transfer),
            ("binance", "POST", "/sapi/v1/eth-staking/eth/stake", Class::Transfer),
            ("binance", "POST", "/sapi/v1/portfolio/bnb-transfer", Class::Transfer),
            ("binance", "POST", "/sapi/v1/sub-account/eoptions/enable", Class::KeyManagement),
            ("binance", "GET", "/sapi/v1/anything", Class::KeyManagement),
            ("binance", "PUT", "/api/v3/userDataStream", Class::KeyManagement),
            ("binance", "GET", "/api/v3/nothing", Class::Unknown),
            ("binance-usdm", "POST", "/sapi/v1/asset/transfer", Class::Transfer),
            ("binance-usdm", "GET", "/fapi/v1/trade/asyn/id", Class::Unknown),
            ("binance-usdm", "GET", "/fapi/v1/trade/asyn", Class::KeyManagement),
            ("kraken", "GET", "/0/public/Ticker", Class::Market),
            ("kraken", "POST", "/0/private/GetApiKeyInfo", Class::Read),
            ("kraken", "POST", "/0/private/Earn/Allocate", Class::Transfer),
            ("kraken", "POST", "/0/private/withdrawAll", Class::Alarming),
            ("kraken", "POST", "/0/private/%57ithdraw", Class::Alarming),
            ("okx", "POST", "/api/v5/asset/withdrawal", Class::Withdraw),
            ("nowhere", "POST", "/api/v9/asset/withdrawals", Class::Alarming),
            ("oanda", "GET", "/v3/accounts/1-2-3/orders/@mine", Class::Read),
            ("oanda", "GET", "/v3/accounts/1-2-3/orders/@mine/cancel", Class::Unknown),
            ("oanda", "PUT", "/v3/accounts/1-2-3/orders/7/cancel", Class::Trade),
            ("oanda", "PUT", "/v3/accounts//orders/7/cancel", Class::Unknown),
            ("oanda", "PUT", "/v3/accounts/1-2-3/orders/", Class::Unknown),
            ("oanda", "GET", "/v3/users/7/externalUserSpecifier", Class::KeyManagement),
            ("ibkr", "POST", "/v1/api/iserver/account/U1/order/7", Class::Trade),
            ("ibkr", "POST", "/v1/api/iserver/account", Class::KeyManagement),
            ("ibkr", "GET", "/v1/api/portfolio/U1/ledger", Class::Read),
            ("ibkr", "GET", "/v1/api/tickle", Class::Login),
            ("ibkr", "PATCH", "/gw/api/v1/accounts", Class::Transfer),
            ("tradovate", "POST", "/v1/auth/renewaccesstoken", Class::Login),
            ("tradovate", "POST", "/v1/auth/oauthtoken", Class::KeyManagement),
            ("tradovate", "POST", "/v1/user/createEvaluationUsers", Class::KeyManagement),
            ("oanda", "POST", "/v1/auth/accesstokenrequest", Class::KeyManagement),
            ("topstepx", "POST", "/api/Auth/loginKey", Class::Login),
            ("topstepx", "POST", "/api/Auth/loginApp", Class::KeyManagement),
        ] {
            assert_eq!(class(venue, method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn every_denied_entry_trips_at_every_venue_that_does_not_allow_it() {
        for pattern in &CATALOGUE.denied {
            let path = pattern.glob.replace("**", "any/thing").replace('*', "any");
            let method = pattern.methods.first().unwrap_or(&Method::GET);
            for (venue, surface) in &CATALOGUE.venues {
                let class = CATALOGUE.classify(venue, method, &path).class;
                assert!(class.trips() || surface.find(method, &path).is_some(), "{venue} {method} {path}: {class:?}");
            }
        }
    }
}
