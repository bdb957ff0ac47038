use std::net::{IpAddr, Ipv4Addr};

use claviger_venues::{Ceiling, CeilingClass, Params, Products, SecretKind, VenueId};

use super::*;
use crate::credential::{Health, State, Upkeep};
use crate::envelope::Mode;
use crate::id::{AppId, CredentialId, GrantId};
use crate::identity::{Credentials, Grant};
use crate::store::Effect;

const TENANT: TenantId = TenantId::MIN;
const APP: AppId = AppId::MIN;

pub(super) fn principal() -> AppPrincipal {
    AppPrincipal { app: APP, tenant: TENANT, address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), virtual_key: None }
}

pub(super) fn credential(class: CeilingClass, products: Products) -> Credential {
    Credential {
        id: CredentialId::MIN,
        tenant: TENANT,
        owner: "owner".into(),
        label: String::new(),
        venue: VenueId::Binance,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class, products },
        hint: String::new(),
        index: [0; 32],
        state: State::Active,
        health: Health::Ok,
        ip_restricted: true,
        version: 1,
        epoch: 4,
        created_ms: 0,
        changed_ms: 0,
        probed_ms: 0,
        upkeep: Upkeep::default(),
    }
}

pub(super) fn grant(operations: &[&str]) -> Grant {
    Grant {
        id: GrantId::MIN,
        tenant: TENANT,
        app: APP,
        credentials: Credentials::All,
        operations: operations.iter().map(ToString::to_string).collect(),
        networks: vec![],
        hours: vec![],
        orders: Limits::default(),
        budget: Budget::default(),
        enroll: false,
        created_ms: 0,
    }
}

fn order(symbol: &str) -> Resolved {
    let params = [("symbol", symbol), ("side", "BUY"), ("type", "MARKET"), ("quantity", "1")];
    Resolved::new(VenueId::Binance, "order.place", Params::from_iter(params)).unwrap()
}

fn symbols(names: &[&str]) -> Limits {
    Limits { symbols: names.iter().map(ToString::to_string).collect(), ..Limits::default() }
}

fn held(grants: &[Grant]) -> Grants {
    Grants::new(grants.iter().map(|grant| (1, grant.clone())))
}

/// What decides beside the grants: nothing, unless a test says otherwise.
fn framed<T>(decide: impl FnOnce(&Frame<'_>) -> T) -> T {
    let (policy, prices) = (Policy::default(), Prices::new());
    decide(&Frame { venue_enabled: true, policy: &policy, prices: &prices, now_ms: 0, approved: None })
}

fn asked(
    release: bool,
    grants: &[Grant],
    credential: &Credential,
    resolved: Resolved,
) -> Result<Checked, &'static str> {
    let (principal, grants) = (principal(), held(grants));
    let caller = Caller { principal: &principal, grants: &grants, release };
    framed(|frame| check(caller, frame, Some(credential), resolved)).map_err(|denied| denied.rule)
}

fn decide(grants: &[Grant], credential: &Credential, resolved: Resolved) -> Result<Checked, &'static str> {
    asked(false, grants, credential, resolved)
}

/// A request as it is kept, made at the beginning of time.
fn request(resolved: &Resolved) -> Request {
    Request::of((&principal(), None), resolved, (0, &Prices::new()), false)
}

#[test]
fn default_is_deny_and_each_rule_has_its_tag() {
    let trade = credential(CeilingClass::Trade, Products::SPOT);
    let check = |grants: &[Grant], credential: &Credential, resolved, rule: &str| {
        assert_eq!(decide(grants, credential, resolved).unwrap_err(), rule);
    };
    check(&[], &trade, order("BTCUSDT"), "grant.none");
    check(&[grant(&["read"])], &trade, order("BTCUSDT"), "grant.operation");
    check(&[grant(&["trade"])], &credential(CeilingClass::Read, Products::SPOT), order("BTCUSDT"), "ceiling.class");
    check(&[grant(&["trade"])], &credential(CeilingClass::Trade, Products::DERIVATIVES), order("X"), "ceiling.product");
    let elsewhere = Grant { networks: vec!["198.51.100.0/24".parse().unwrap()], ..grant(&["trade"]) };
    check(std::slice::from_ref(&elsewhere), &trade, order("BTCUSDT"), "grant.network");
    let other_symbol = Grant { orders: symbols(&["ETHUSDT"]), ..grant(&["trade"]) };
    check(&[elsewhere, other_symbol], &trade, order("BTCUSDT"), "grant.symbol");
    let other_credential = Grant { credentials: Credentials::These(vec![CredentialId::MAX]), ..grant(&["trade"]) };
    check(&[other_credential], &trade, order("BTCUSDT"), "grant.none");
    let other_tenant = Grant { tenant: TenantId::MAX, ..grant(&["trade"]) };
    check(&[other_tenant], &trade, order("BTCUSDT"), "grant.none");
}

#[test]
fn a_key_signs_nothing_from_the_moment_on_that_it_expires() {
    let until = |expires_ms| {
        let upkeep = Upkeep { expires_ms: Some(expires_ms), ..Upkeep::default() };
        Credential { upkeep, ..credential(CeilingClass::Trade, Products::SPOT) }
    };
    // Decisions are made at the beginning of time.
    assert!(decide(&[grant(&["trade"])], &until(1), order("BTCUSDT")).is_ok());
    assert_eq!(decide(&[grant(&["trade"])], &until(0), order("BTCUSDT")).unwrap_err(), "state.expired");
}

#[test]
fn who_may_enroll_for_one_credential_may_not_for_others() {
    let one = Grant { enroll: true, credentials: Credentials::These(vec![CredentialId::MAX]), ..grant(&["trade"]) };
    let all = Grant { enroll: true, ..grant(&["trade"]) };
    let may = |grant: &Grant, credential| held(std::slice::from_ref(grant)).enroll(credential, principal().address, 0);
    let asked = [Some(CredentialId::MAX), Some(CredentialId::MIN), None];
    assert_eq!(asked.map(|credential| may(&one, credential)), [true, false, false]);
    assert_eq!(asked.map(|credential| may(&all, credential)), [true, true, true]);
}

#[test]
fn a_call_that_does_not_name_its_symbol_is_for_none_of_a_list() {
    let trade = Credential { venue: VenueId::Kraken, ..credential(CeilingClass::Trade, Products::SPOT) };
    let call = |name: &str, pairs: &[(&str, &str)]| {
        Resolved::new(VenueId::Kraken, name, pairs.iter().copied().collect()).unwrap()
    };
    let amend = || call("order.amend", &[("txid", "OQCLML-BW3P3-BUCMWZ"), ("order_qty", "1")]);
    let any = grant(&["trade"]);
    let listed = Grant { orders: symbols(&["XBTUSD"]), ..grant(&["trade"]) };
    assert!(decide(std::slice::from_ref(&any), &trade, amend()).is_ok());
    assert_eq!(decide(std::slice::from_ref(&listed), &trade, amend()).unwrap_err(), "grant.symbol");
    // Kraken does not look at the pair that such a call tells.
    let told = [("txid", "OQCLML-BW3P3-BUCMWZ"), ("order_qty", "1"), ("pair", "XBTUSD")];
    let told = || call("order.amend", &told);
    assert_eq!(decide(std::slice::from_ref(&listed), &trade, told()).unwrap_err(), "grant.symbol");
    let thin = Limits { thin: symbols(&["ETHUSD"]).symbols, ..Limits::default() };
    assert_eq!(decide(&[Grant { orders: thin, ..any }], &trade, told()).unwrap_err(), "order.thin");
    let cancel = call("order.cancel", &[("txid", "OQCLML-BW3P3-BUCMWZ")]);
    assert!(decide(&[listed], &trade, cancel).is_ok());
}

#[test]
fn a_market_is_one_under_each_of_its_names() {
    const NAMES: [&str; 6] = ["XBTUSD", "XXBTZUSD", "XBT/USD", "BTC/USD", "BTCUSD", "xbtusd"];
    let kraken = Credential { venue: VenueId::Kraken, ..credential(CeilingClass::Trade, Products::SPOT) };
    let order = |pair, side| {
        let order = [("pair", pair), ("type", side), ("ordertype", "limit"), ("volume", "1"), ("price", "100")];
        Resolved::new(VenueId::Kraken, "order.place", Params::from_iter(order)).unwrap()
    };
    let apart = Document::parse("[[rule]]\nname = \"apart\"\nno_self_trade = true\n").unwrap();
    let policy = Policy::of(1, 1, apart);
    for (listed, named) in NAMES.into_iter().flat_map(|listed| NAMES.map(|named| (listed, named))) {
        let limited = |orders| decide(&[Grant { orders, ..grant(&["trade"]) }], &kraken, order(named, "buy"));
        assert!(limited(symbols(&[listed])).is_ok(), "{named} is {listed}");
        let thin = Limits { thin: symbols(&[listed]).symbols, ..Limits::default() };
        assert_eq!(limited(thin).unwrap_err(), "order.thin", "{named} is {listed}");

        let mut replay = Replay::of(&policy);
        let mut asks = |credential: u8, pair, side| {
            replay.decide(&Request {
                credential: Some(CredentialId::from_bytes([credential; 16])),
                ..request(&order(pair, side))
            })
        };
        assert_eq!(asks(1, listed, "sell"), Verdict::Allowed);
        assert_eq!(asks(2, named, "buy"), Verdict::Denied(Denied::self_trade()), "{named} is {listed}");
        assert_eq!(asks(2, "XBTEUR", "buy"), Verdict::Allowed);
    }
}

#[test]
fn an_approval_is_for_one_way_of_asking() {
    let sent = request(&order("BTCUSDT"));
    let released = Request { release: true, ..sent.clone() };
    assert_ne!(sent.digest(), released.digest());
    let later = Request { at_ms: 1, address: IpAddr::V4(Ipv4Addr::LOCALHOST), ..sent.clone() };
    assert_eq!(sent.digest(), later.digest());
}

#[test]
fn what_is_allowed_carries_its_scopes() {
    let trade = credential(CeilingClass::Trade, Products::SPOT);
    let grants = [grant(&["market"]), grant(&["order.place"])];
    let checked = decide(&grants, &trade, order("BTCUSDT")).unwrap();
    assert_eq!(checked.scopes().grant, Some(GrantId::MIN));
    assert_eq!(checked.scopes().owner.as_deref(), Some("owner"));
    assert_eq!(checked.epoch(), Some(4));
    assert_eq!(checked.resolved().effect(), Effect::Opens);
}

#[test]
fn the_system_only_probes_and_an_app_may_ask_for_the_same() {
    let trade = credential(CeilingClass::Trade, Products::SPOT);
    let denied = check_own(Own::Probe, true, (&trade, Stored::Yes), order("BTCUSDT")).unwrap_err();
    assert_eq!(denied.rule, "system.only");
    let probe = || Resolved::new(VenueId::Binance, "key.permissions", Params::new()).unwrap();
    assert!(check_own(Own::Probe, true, (&trade, Stored::Yes), probe()).is_ok());
    assert!(decide(&[grant(&["read"])], &trade, probe()).is_ok());
}

#[test]
fn who_looks_for_a_lost_order_only_reads() {
    let trade = credential(CeilingClass::Trade, Products::SPOT);
    let look = |name: &str, pairs: &[(&str, &str)]| {
        let resolved = Resolved::new(VenueId::Binance, name, pairs.iter().copied().collect()).unwrap();
        check_own(Own::Resolve, true, (&trade, Stored::Yes), resolved).map_err(|denied| denied.rule)
    };
    let found = look("order.get", &[("symbol", "BTCUSDT"), ("origClientOrderId", "x")]).unwrap();
    assert_eq!((found.kind(), found.scopes().app, found.epoch()), (IntentKind::Resolve, None, Some(4)));
    for (name, pairs) in [
        ("order.cancel", &[("symbol", "BTCUSDT"), ("orderId", "1")][..]),
        ("key.permissions", &[]),
        ("ticker", &[("symbol", "BTCUSDT")]),
    ] {
        assert_eq!(look(name, pairs).unwrap_err(), "system.only", "{name}");
    }
}

#[test]
fn a_signature_is_released_under_its_own_grant_where_it_soon_expires() {
    let trade = credential(CeilingClass::Trade, Products::SPOT);
    let release = |grants: &[Grant], credential: &Credential, resolved| asked(true, grants, credential, resolved);
    let both = [grant(&["trade", "signatures"])];
    assert!(release(&both, &trade, order("BTCUSDT")).unwrap().release());
    assert!(!decide(&both, &trade, order("BTCUSDT")).unwrap().release());
    let apart = [grant(&["trade"]), grant(&["signatures"])];
    assert_eq!(release(&apart, &trade, order("BTCUSDT")).unwrap_err(), "grant.signatures");
    assert_eq!(release(&[grant(&["signatures"])], &trade, order("BTCUSDT")).unwrap_err(), "grant.operation");
    assert_eq!(decide(&[grant(&["signatures"])], &trade, order("BTCUSDT")).unwrap_err(), "grant.operation");

    let balances = Resolved::new(VenueId::Kraken, "balances", Params::new()).unwrap();
    let kraken = Credential { venue: VenueId::Kraken, ..trade.clone() };
    assert_eq!(release(&[grant(&["read", "signatures"])], &kraken, balances).unwrap_err(), "signatures.validity");
    // Every request of OKX's holds the passphrase.
    let account = Resolved::new(VenueId::Okx, "balances", Params::new()).unwrap();
    let okx = Credential { venue: VenueId::Okx, ..trade.clone() };
    assert_eq!(release(&[grant(&["read", "signatures"])], &okx, account).unwrap_err(), "signatures.secret");
    for kind in [SecretKind::Bearer, SecretKind::Login, SecretKind::Token] {
        let shown = Credential { kind, ..trade.clone() };
        assert_eq!(release(&both, &shown, order("BTCUSDT")).unwrap_err(), "signatures.secret");
    }
}

#[test]
fn a_streams_login_is_a_read_that_is_released() {
    let stream = |venue, name: &str| claviger_venues::streams(venue).iter().find(|s| s.name == name).unwrap();
    let feeds = stream(VenueId::KrakenFutures, "feeds");
    let futures = Credential { venue: VenueId::KrakenFutures, ..credential(CeilingClass::Read, Products::DERIVATIVES) };
    let log_in = |operations: &[&str], credential: &Credential, stream| {
        let (principal, grants) = (principal(), held(&[grant(operations)]));
        framed(|frame| check_stream((&principal, &grants), frame, credential, stream, None))
    };
    for operations in [["read", "signatures"], ["stream.feeds", "signatures"]] {
        let checked = log_in(&operations, &futures, feeds).unwrap();
        assert_eq!((checked.operation().as_str(), checked.scopes().grant), ("stream.feeds", Some(GrantId::MIN)));
    }
    assert_eq!(log_in(&["read"], &futures, feeds).unwrap_err().rule, "grant.signatures");
    assert_eq!(log_in(&["trade", "signatures"], &futures, feeds).unwrap_err().rule, "grant.operation");
    assert_eq!(log_in(&["stream.private", "signatures"], &futures, feeds).unwrap_err().rule, "grant.operation");

    let private = stream(VenueId::Kraken, "private");
    let refused = log_in(&["read", "signatures"], &futures, private).unwrap_err();
    assert_eq!((refused.rule, refused.text), ("signatures.stream", private.reason));
    assert!(is_grantable("stream.feeds") && !is_grantable("stream.nowhere") && !is_grantable("stream."));
}

#[test]
fn the_documented_rules_are_the_rules() {
    let documented = include_str!("../../../docs/policy.md");
    for (tag, text) in RULES {
        assert!(documented.contains(&format!("| `{tag}` | {text} |")), "docs/policy.md lacks | `{tag}` | {text} |");
    }
    let table = documented.split("| tag | meaning |").nth(1).unwrap();
    assert_eq!(table.matches("\n| `").count(), RULES.len(), "docs/policy.md names a rule that is none");
}

#[test]
fn the_documented_policy_is_one() {
    let documented = include_str!("../../../docs/policy.md");
    let example = documented.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let document = Document::parse(example).unwrap();
    assert_eq!(document.rules.len(), 6);
    assert!(document.within(&Document::default()) && document.within(&document));
    assert!(!Document::default().within(&document));
}

#[test]
fn what_is_no_policy_is_refused_with_the_place() {
    let refused = |text: &str| Document::parse(text).unwrap_err().to_string();
    assert!(refused("[[rule]]\nname = \"a\"\nnonsense = 1\n").contains("nonsense"));
    assert!(refused("[[rule]]\nname = \"a\"\n[[rule]]\nname = \"a\"\n").contains("two rules are called `a`"));
    assert!(refused("[[rule]]\nname = \"a b\"\n").contains("a-z A-Z"));
    assert!(refused("[[rule]]\nname = \"a\"\norders = { notional_max = \"5\" }\n").contains("needs `quote`"));
    assert!(refused("[[rule]]\nname = \"a\"\norders = { collar = { percent = \"0\" } }\n").contains("collar.percent"));
    assert!(refused("[[rule]]\nname = \"a\"\nhours = [{ from = \"9\", until = \"10\" }]\n").contains("HH:MM"));
    assert!(refused("[[rule]]\nname = \"a\"\norders = { quantity_max = \"-1\" }\n").contains("negative"));
    assert!(refused(&" ".repeat(TEXT_BYTES_MAX + 1)).contains("at most"));
}
