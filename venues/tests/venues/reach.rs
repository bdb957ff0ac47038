//! What cannot be reached: whatever a caller says, a URL is a catalogue template or there is none.

use claviger_venues::{
    Class, Grammar, Host, Identity, Item, Json, Operation, Param, Params, PrepareError, Proof, Reading, RequestParts,
    SecretKind, SigningTime, VenueId, attach, catalogue, check, operation, prepare, read, unsigned,
};
use proptest::{prelude::*, sample::select};

use crate::testdata::DENIED_PATHS;

const ORIGIN: &str = "https://127.0.0.1:4000/sim";
pub(crate) const AT: SigningTime = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };

const HOSTILE: &[&str] = &[
    "",
    " ",
    "..",
    "../../sapi/v1/capital/withdraw/apply",
    "..%2f..%2fsapi",
    "%2e%2e/",
    "\\..\\",
    "//evil.example/",
    "@evil.example",
    "?a=b",
    "#fragment",
    "1&symbol=ETHBTC",
    "1=2",
    "1;2",
    "a b",
    "a+b",
    "\r\nX-Injected: 1",
    "\0",
    "\u{202e}TDSUCTB",
    "１２３",
    "ＢＴＣ",
    "-1",
    "1e9",
    "NaN",
    "0",
    "[\"BTCUSDT\"]",
];

pub(crate) fn operations() -> Vec<&'static Operation> {
    VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)).collect()
}

/// The account that [`Grammar::Account`] stands for; a key id that every venue takes.
pub(crate) const KEY_ID: &str = "101";

/// A kind of secret that signs the venue's calls.
pub(crate) fn kind(operation: &Operation) -> SecretKind {
    let venue = operation.venue;
    let takes = |kind: &SecretKind| claviger_venues::secret_parts(venue, *kind).is_some();
    let logs_in = claviger_venues::tokens(venue).is_some_and(|rule| rule.login == operation.name);
    let kinds: &[SecretKind] =
        if logs_in { &[SecretKind::Login] } else { &[SecretKind::Hmac, SecretKind::Token, SecretKind::Bearer] };
    kinds.iter().copied().find(takes).unwrap()
}

/// Builds the finished request as the house would, with a signature and secrets of made-up bytes.
fn build(operation: &'static Operation, params: &Params) -> Option<RequestParts> {
    let host = Host::parse(ORIGIN).unwrap();
    let call = check(operation, params).ok()?;
    let parts = if operation.class == Class::Market {
        unsigned(&call, &host).unwrap()
    } else {
        assert_eq!(unsigned(&call, &host), Err(PrepareError::NeedsSignature));
        let key = Identity::new(KEY_ID, kind(operation));
        match prepare(&call, &host, key, AT, 7) {
            Ok(signable) => attach(signable, Proof { signature: &[0xff; 32], parts: &[b"part".as_slice(); 8] }),
            Err(error) => {
                assert_eq!(error, PrepareError::ForeignAccount);
                return None;
            }
        }
    };
    Some(parts)
}

/// The one promise: host, template, query, and nothing in any of them that could be read as something else.
fn is_confined(operation: &Operation, parts: &RequestParts) -> bool {
    let encoded = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%&=".contains(&b));
    let (path, query) = match parts.url.strip_prefix(ORIGIN) {
        Some(rest) => rest.split_once('?').unwrap_or((rest, "")),
        None => return false,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:@".contains(&b);
    let is_segment = |text: &str| !text.is_empty() && !text.contains("..") && text != "." && text.bytes().all(plain);
    let wanted: Vec<_> = operation.path.split('/').collect();
    let given: Vec<_> = path.split('/').collect();
    let same_path = wanted.len() == given.len()
        && wanted.iter().zip(&given).all(
            |(wanted, given)| {
                if wanted.starts_with('{') { is_segment(given) } else { wanted == given }
            },
        );
    let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    let body = std::str::from_utf8(&parts.body).unwrap();
    let is_json = serde_json::from_str::<serde_json::Value>(body).is_ok();
    parts.method == operation.method
        && same_path
        && encoded(query)
        && (encoded(body) || is_json)
        && parts.headers.iter().all(|(name, value)| printable(name) && printable(value))
}

/// A value that the grammar admits.
pub(crate) fn fitting(grammar: Grammar) -> BoxedStrategy<String> {
    match grammar {
        Grammar::Symbol => "[A-Z0-9_-]{1,32}".boxed(),
        Grammar::Pair => "[A-Za-z0-9./_-]{1,32}".boxed(),
        Grammar::Pairs => "[A-Za-z0-9]{1,8}(,[A-Z]{3}/[A-Z]{3}){0,4}".boxed(),
        Grammar::Decimal => "(0|[1-9][0-9]{0,10})\\.[0-9]{0,10}[1-9]".boxed(),
        Grammar::Signed => "-?(0|[1-9][0-9]{0,10})\\.[0-9]{0,10}[1-9]".boxed(),
        Grammar::Integer { min, max } => (min..=max).prop_map(|n| n.to_string()).boxed(),
        Grammar::OneOf(words) | Grammar::ListOf(words) => select(words).prop_map(str::to_owned).boxed(),
        Grammar::Bool => any::<bool>().prop_map(|b| b.to_string()).boxed(),
        Grammar::ClientId => "[A-Za-z0-9.:/_-]{1,36}".boxed(),
        Grammar::OrderId => "[A-Z][A-Z0-9-]{0,31}".boxed(),
        Grammar::Name => "[A-Za-z0-9][A-Za-z0-9.:_-]{0,30}[A-Za-z0-9]".boxed(),
        Grammar::OrderSpecifier => "[1-9][0-9]{0,9}|@[A-Za-z0-9][A-Za-z0-9_-]{0,30}".boxed(),
        Grammar::Names => "[A-Za-z0-9]{1,8}(,[A-Za-z0-9]{1,8}){0,4}".boxed(),
        Grammar::Cursor => "[A-Za-z0-9.:%=+/-]{1,60}".boxed(),
        Grammar::Time => "20[0-9]{2}-0[1-9]-0[1-9]T00:00:00Z".boxed(),
        Grammar::Account => Just(KEY_ID.to_owned()).boxed(),
        Grammar::List(list) => list_of(&list.item, list.max.min(3)),
    }
}

fn list_of(item: &'static Item, max: usize) -> BoxedStrategy<String> {
    let item = match item {
        Item::Value(grammar, json) => fitting(*grammar).prop_map(move |value| literal(*json, &value)).boxed(),
        Item::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(field).collect();
            let object = |members: Vec<String>| format!("{{{}}}", members.join(","));
            fields.prop_map(move |members| object(members.into_iter().flatten().collect())).boxed()
        }
    };
    proptest::collection::vec(item, 1..=max).prop_map(|items| format!("[{}]", items.join(","))).boxed()
}

fn field(param: &'static Param) -> impl Strategy<Value = Option<String>> {
    let member = move |value: String| format!("{:?}:{}", param.name, literal(param.json, &value));
    proptest::option::weighted(if param.required { 0.99 } else { 0.3 }, fitting(param.grammar).prop_map(member))
}

fn literal(json: Json, value: &str) -> String {
    match json {
        Json::Text => serde_json::Value::from(value).to_string(),
        Json::Bare => value.to_owned(),
    }
}

fn anything() -> BoxedStrategy<String> {
    prop_oneof![
        select(HOSTILE).prop_map(str::to_owned),
        select(DENIED_PATHS.as_slice()),
        any::<String>(),
        "\\PC{0,80}",
        Just("A".repeat(10_000)),
    ]
    .boxed()
}

/// An operation with parameters that mostly fit it, so that many calls get through.
pub(crate) fn nearly_fitting() -> impl Strategy<Value = (&'static Operation, Params)> {
    select(operations()).prop_flat_map(|operation| {
        let one = |param: &'static Param| {
            let present = if param.required { 0.98 } else { 0.3 };
            let value = prop_oneof![12 => fitting(param.grammar), 1 => anything()];
            proptest::option::weighted(present, value.prop_map(move |value| (param.name.to_owned(), value)))
        };
        let given: Vec<_> = operation.params.iter().map(one).collect();
        let stray = proptest::option::weighted(0.05, (anything(), anything()));
        (given, stray).prop_map(move |(given, stray)| (operation, given.into_iter().flatten().chain(stray).collect()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_gets_through_is_confined_and_readable((operation, params) in nearly_fitting()) {
        if let Some(parts) = build(operation, &params) {
            prop_assert!(is_confined(operation, &parts), "{}", parts.url);
            let call = check(operation, &params).unwrap();
            if let Ok(reading) = read(&call) {
                for order in reading.orders() {
                    prop_assert_eq!(order.price.is_some(), order.kind.has_price());
                    prop_assert_eq!(order.stop_price.is_some(), order.kind.has_trigger());
                    prop_assert!(!(order.quantity.is_some() && order.quote_quantity.is_some()));
                    prop_assert!(operation.products().contains(order.product));
                }
                match reading {
                    Reading::Cancels(_) | Reading::CancelAll { .. } => prop_assert!(operation.is_cancel()),
                    Reading::None => prop_assert_ne!(operation.class, Class::Trade),
                    Reading::Orders(orders) => prop_assert!(!orders.is_empty()),
                    Reading::Amends(amends) => prop_assert!(!amends.is_empty()),
                    Reading::Close { .. } | Reading::Setting(_) => {}
                }
            } else {
                prop_assert_eq!(operation.class, Class::Trade);
            }
        }
    }

    #[test]
    fn any_name_and_any_parameters_lead_to_a_template_or_nowhere(
        venue in select(VenueId::ALL),
        name in anything(),
        given in proptest::collection::vec((anything(), anything()), 0..6),
    ) {
        prop_assert!(operation(venue, &name).is_none());
        let params = Params::from_iter(given);
        for operation in catalogue(venue) {
            if let Some(parts) = build(operation, &params) {
                prop_assert!(is_confined(operation, &parts), "{}", parts.url);
            }
        }
    }

    #[test]
    fn a_doubled_parameter_never_passes((operation, params) in nearly_fitting(), at in any::<prop::sample::Index>(), value in anything()) {
        if let Ok(call) = check(operation, &params) && !params.is_empty() {
            let (name, _) = call.params().iter().nth(at.index(params.len())).unwrap();
            let mut doubled = params.clone();
            doubled.push(name, value);
            prop_assert!(check(operation, &doubled).is_err());
        }
    }

    #[test]
    fn hosts_are_origins_or_errors(text in prop_oneof![anything(), "https://\\PC{0,40}", "https://[a-z0-9.:/@?#%-]{0,40}"]) {
        if let Ok(host) = Host::parse(&text) {
            let rest = host.as_str().strip_prefix("https://").unwrap();
            prop_assert!(!rest.contains(['@', '?', '#', '%', '\\']) && !rest.contains(".."));
            prop_assert!(rest.is_ascii() && !rest.ends_with('/') && !rest.contains("//"));
        }
    }
}

/// A call that passes: a value for every parameter of the operation that it can have at once.
fn plain(operation: &Operation) -> Vec<(&'static str, String)> {
    let excluded = operation.one_of.get(1..).unwrap_or_default();
    let params = operation.params.iter().filter(|param| !excluded.contains(&param.name));
    params.map(|param| (param.name, sample(param.grammar))).collect()
}

fn sample(grammar: Grammar) -> String {
    match grammar {
        Grammar::Symbol => "BTCUSDT".to_owned(),
        Grammar::Pair | Grammar::Pairs => "XBT/USD".to_owned(),
        Grammar::Decimal | Grammar::Signed => "1".to_owned(),
        Grammar::Integer { min, .. } => min.max(1).to_string(),
        Grammar::OneOf(words) | Grammar::ListOf(words) => words[0].to_owned(),
        Grammar::Bool => "true".to_owned(),
        Grammar::ClientId | Grammar::Name | Grammar::Names | Grammar::Cursor => "mine-1".to_owned(),
        Grammar::OrderId => "OQCLML-BW3P3-BUCMWZ".to_owned(),
        Grammar::OrderSpecifier => "@mine-1".to_owned(),
        Grammar::Time => "2026-01-01T00:00:00Z".to_owned(),
        Grammar::Account => KEY_ID.to_owned(),
        Grammar::List(list) => match &list.item {
            Item::Value(grammar, json) => format!("[{}]", literal(*json, &sample(*grammar))),
            Item::Object(fields) => {
                let required = fields.iter().filter(|field| field.required);
                let member =
                    |field: &Param| format!("{:?}:{}", field.name, literal(field.json, &sample(field.grammar)));
                format!("[{{{}}}]", required.map(member).collect::<Vec<_>>().join(","))
            }
        },
    }
}

#[test]
fn every_operation_can_be_called() {
    for operation in operations() {
        let params = plain(operation).into_iter().collect();
        let parts = build(operation, &params).unwrap_or_else(|| panic!("{operation:?}"));
        assert!(is_confined(operation, &parts), "{}", parts.url);
    }
}

#[test]
fn denied_calls_are_reached_by_no_name_and_no_value() {
    let denied = &*DENIED_PATHS;
    for path in denied {
        for venue in VenueId::ALL.iter().copied() {
            for name in
                [path.clone(), format!("POST {path}"), path.replace('/', "."), path.trim_start_matches('/').to_owned()]
            {
                assert!(operation(venue, &name).is_none(), "{venue} {name}");
            }
        }
    }
    for operation in operations() {
        for value in denied.iter().map(String::as_str).chain(HOSTILE.iter().copied()) {
            each_value_replaced(operation, value);
        }
        each_value_replaced(operation, &"9".repeat(10_000));
    }
}

/// Puts `value` in the place of every parameter in turn: the call is refused, or the value arrives encoded.
fn each_value_replaced(operation: &'static Operation, value: &str) {
    let fitting = plain(operation);
    for (name, _) in &fitting {
        let replaced = fitting.iter().map(|(n, v)| (*n, if n == name { value } else { v.as_str() }));
        if let Some(parts) = build(operation, &replaced.collect()) {
            assert!(is_confined(operation, &parts), "{name}={value:?} gave {}", parts.url);
        }
    }
    let mut stray: Params = fitting.into_iter().collect();
    stray.push(value, "1");
    assert_eq!(build(operation, &stray), None, "{value:?} is no parameter of {operation:?}");
}
