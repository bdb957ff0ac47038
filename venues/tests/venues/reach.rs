//! What cannot be reached: whatever a caller says, a URL is a catalogue template or there is none.

use claviger_venues::{
    Class, Grammar, Host, Intent, Operation, Params, PrepareError, Product, Proof, RequestParts, SecretKind,
    SigningTime, VenueId, attach, catalogue, check, operation, prepare, read, unsigned,
};
use proptest::{prelude::*, sample::select};

use crate::testdata::DENIED_PATHS;

const ORIGIN: &str = "https://127.0.0.1:4000/sim";
const AT: SigningTime = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };

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

fn operations() -> Vec<&'static Operation> {
    VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)).collect()
}

/// Builds the finished request as the house would, with a signature of made-up bytes.
fn build(operation: &'static Operation, params: &Params) -> Option<RequestParts> {
    let host = Host::parse(ORIGIN).unwrap();
    let call = check(operation, params).ok()?;
    let parts = if operation.class == Class::Market {
        unsigned(&call, &host).unwrap()
    } else {
        assert_eq!(unsigned(&call, &host), Err(PrepareError::NeedsSignature));
        let signable = prepare(&call, &host, "exampleKeyId", SecretKind::Hmac, AT, 7).unwrap();
        attach(signable, Proof::Signature(&[0xff; 32]))
    };
    Some(parts)
}

/// The one promise: host, template, query, and nothing in any of them that could be read as something else.
fn is_confined(operation: &Operation, parts: &RequestParts) -> bool {
    let encoded = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%&=".contains(&b));
    let template = format!("{ORIGIN}{}", operation.path);
    let query = match parts.url.strip_prefix(&template) {
        Some("") => "",
        Some(rest) => match rest.strip_prefix('?') {
            Some(query) => query,
            None => return false,
        },
        None => return false,
    };
    let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    parts.method == operation.method
        && encoded(query)
        && std::str::from_utf8(&parts.body).is_ok_and(encoded)
        && parts.headers.iter().all(|(name, value)| printable(name) && printable(value))
}

/// A value that the grammar admits.
fn fitting(grammar: Grammar) -> BoxedStrategy<String> {
    match grammar {
        Grammar::Symbol => "[A-Z0-9_-]{1,32}".boxed(),
        Grammar::Pair => "[A-Za-z0-9./_-]{1,32}".boxed(),
        Grammar::Decimal => "(0|[1-9][0-9]{0,10})\\.[0-9]{0,10}[1-9]".boxed(),
        Grammar::Integer { min, max } => (min..=max).prop_map(|n| n.to_string()).boxed(),
        Grammar::OneOf(words) | Grammar::ListOf(words) => select(words).prop_map(str::to_owned).boxed(),
        Grammar::Bool => any::<bool>().prop_map(|b| b.to_string()).boxed(),
        Grammar::ClientId => "[A-Za-z0-9.:/_-]{1,36}".boxed(),
        Grammar::OrderId => "[A-Z][A-Z0-9-]{0,31}".boxed(),
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
fn nearly_fitting() -> impl Strategy<Value = (&'static Operation, Params)> {
    select(operations()).prop_flat_map(|operation| {
        let one = |param: &'static claviger_venues::Param| {
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
            match read(&call) {
                Ok(Intent::Order(order)) => {
                    prop_assert_eq!(order.price.is_some(), order.kind.has_price());
                    prop_assert_eq!(order.stop_price.is_some(), order.kind.has_trigger());
                    prop_assert_ne!(order.quantity.is_some(), order.quote_quantity.is_some());
                    prop_assert!(operation.products().contains(order.product));
                    prop_assert_eq!(order.leverage.is_some(), order.product == Product::Margin);
                }
                Ok(Intent::Cancel(_) | Intent::CancelAll { .. }) => prop_assert!(operation.is_cancel()),
                Ok(Intent::None) => prop_assert_ne!(operation.class, Class::Trade),
                Err(_) => prop_assert!(operation.class == Class::Trade && !operation.is_cancel()),
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
fn plain(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let sample = |grammar| match grammar {
        Grammar::Symbol => "BTCUSDT",
        Grammar::Pair => "XBT/USD",
        Grammar::Decimal | Grammar::Integer { .. } => "1",
        Grammar::OneOf(words) | Grammar::ListOf(words) => words[0],
        Grammar::Bool => "true",
        Grammar::ClientId => "mine-1",
        Grammar::OrderId => "OQCLML-BW3P3-BUCMWZ",
    };
    let excluded = operation.one_of.get(1..).unwrap_or_default();
    let params = operation.params.iter().filter(|param| !excluded.contains(&param.name));
    params.map(|param| (param.name, sample(param.grammar))).collect()
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
        let replaced = fitting.iter().map(|(n, v)| (*n, if n == name { value } else { *v }));
        if let Some(parts) = build(operation, &replaced.collect()) {
            assert!(is_confined(operation, &parts), "{name}={value:?} gave {}", parts.url);
        }
    }
    let mut stray: Params = fitting.into_iter().collect();
    stray.push(value, "1");
    assert_eq!(build(operation, &stray), None, "{value:?} is no parameter of {operation:?}");
}
