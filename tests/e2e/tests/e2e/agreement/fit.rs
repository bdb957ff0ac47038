//! Parameters that fit an operation, at random.

use anyhow::{Context as _, Result};
use claviger_e2e::Random;
use claviger_venues::{Grammar, Item, Json, Operation, Param, Params, check};

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const PLAIN: &str = "ABCXYZabcxyz0123456789";
/// How often chance is asked before a grammar is said to admit nothing.
const TRIES: usize = 1_000;

/// Parameters of a call that passes [`check`]; `account` is the only one that the key may name.
pub(super) fn params(operation: &'static Operation, account: &str, random: &mut Random) -> Result<Params> {
    let mut attempt = || {
        let chosen = random.pick(operation.one_of).copied();
        let excluded = |name| operation.one_of.contains(&name) && chosen != Some(name);
        let mut given = Params::new();
        for param in operation.params {
            if !excluded(param.name) && (chosen == Some(param.name) || is_given(param, random)) {
                given.push(param.name, value(param.grammar, account, random));
            }
        }
        given
    };
    let mut attempts = std::iter::repeat_with(&mut attempt).take(TRIES);
    attempts.find(|given| check(operation, given).is_ok()).with_context(|| format!("nothing fits {operation:?}"))
}

fn is_given(param: &Param, random: &mut Random) -> bool {
    param.required || random.below(10) < 3
}

/// A value that the grammar admits.
fn value(grammar: Grammar, account: &str, random: &mut Random) -> String {
    let mut values = std::iter::repeat_with(|| nearly(grammar, account, random)).take(TRIES);
    values.find(|value| grammar.admits(value)).expect("a grammar admits something")
}

/// A value of the grammar's own form that may break one of its lesser rules.
fn nearly(grammar: Grammar, account: &str, random: &mut Random) -> String {
    match grammar {
        Grammar::Symbol => text(random, &[UPPER, "_-"], 1, 32),
        Grammar::Pair => text(random, &[PLAIN, "./_-"], 1, 16),
        Grammar::Pairs => several(random, |random| text(random, &[PLAIN, "/"], 3, 9)),
        Grammar::Decimal => decimal(random),
        Grammar::Signed => [random.pick(&["", "-"]).copied().unwrap_or_default(), &decimal(random)].concat(),
        Grammar::Integer { min, max } => integer(random, min, max),
        Grammar::OneOf(words) | Grammar::ListOf(words) => random.pick(words).copied().unwrap_or_default().to_owned(),
        Grammar::Bool => (random.below(2) == 1).to_string(),
        Grammar::ClientId => text(random, &[PLAIN, ".:/_-"], 1, 36),
        Grammar::OrderId => text(random, &[UPPER, "-"], 1, 32),
        Grammar::Name => text(random, &[PLAIN, ".:_-"], 1, 32),
        Grammar::OrderSpecifier => match random.below(2) {
            0 => integer(random, 1, u64::MAX),
            _ => format!("@{}", text(random, &[PLAIN, "_-"], 1, 20)),
        },
        Grammar::Names => several(random, |random| text(random, &[PLAIN], 1, 8)),
        Grammar::Cursor => text(random, &[PLAIN, "-._~:,=&+/%"], 1, 60),
        Grammar::Time => format!("20{}-0{}-0{}T00:00:00Z", integer(random, 10, 99), integer(random, 1, 9), 1),
        Grammar::Account => account.to_owned(),
        Grammar::List(list) => {
            let length = 1 + random.below(u64::try_from(list.max.min(3)).unwrap());
            let items: Vec<_> = (0..length).map(|_| item(&list.item, account, random)).collect();
            format!("[{}]", items.join(","))
        }
    }
}

fn item(item: &Item, account: &str, random: &mut Random) -> String {
    match item {
        Item::Value(grammar, json) => literal(*json, &value(*grammar, account, random)),
        Item::Object(fields) => {
            let fields: Vec<_> = fields.iter().filter(|field| is_given(field, random)).collect();
            let member = |field: &&Param| {
                format!("{:?}:{}", field.name, literal(field.json, &value(field.grammar, account, random)))
            };
            format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","))
        }
    }
}

fn literal(json: Json, value: &str) -> String {
    match json {
        Json::Text => serde_json::Value::from(value).to_string(),
        Json::Bare => value.to_owned(),
    }
}

fn decimal(random: &mut Random) -> String {
    format!("{}.{}", random.below(100_000), random.below(10_000))
}

fn integer(random: &mut Random, min: u64, max: u64) -> String {
    let number = random.number();
    (max - min).checked_add(1).map_or(number, |span| min + number % span).to_string()
}

fn several(random: &mut Random, mut one: impl FnMut(&mut Random) -> String) -> String {
    let count = 1 + random.below(4);
    (0..count).map(|_| one(random)).collect::<Vec<_>>().join(",")
}

/// `min` to `max` signs of the alphabets, the first of the first.
fn text(random: &mut Random, alphabets: &[&str], min: u64, max: u64) -> String {
    let all = alphabets.concat();
    let mut one = |alphabet: &str| char::from(*random.pick(alphabet.as_bytes()).unwrap());
    let first = one(alphabets[0]);
    let length = min + random.below(max - min + 1);
    let mut one = |alphabet: &str| char::from(*random.pick(alphabet.as_bytes()).unwrap());
    std::iter::once(first).chain((1..length).map(|_| one(&all))).collect()
}
