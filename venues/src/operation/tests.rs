//! The catalogue as a whole.

use std::collections::BTreeSet;

use super::*;
use crate::{Host, Item};

fn all() -> impl Iterator<Item = &'static Operation> {
    VenueId::ALL.iter().flat_map(|venue| catalogue(*venue))
}

#[test]
fn names_are_unique_within_a_venue_and_routes_lead_to_one_operation() {
    for venue in VenueId::ALL.iter().copied() {
        let entries = catalogue(venue);
        let names: BTreeSet<_> = entries.iter().map(|op| op.name).collect();
        assert_eq!(names.len(), entries.len(), "{venue}");
        for (at, op) in entries.iter().enumerate() {
            let twins = entries[..at].iter().filter(|other| (other.method, other.path) == (op.method, op.path));
            for twin in twins {
                assert!(differ(op.params, twin.params), "nothing tells {} and {} apart", op.name, twin.name);
            }
        }
        assert!(entries.iter().all(|op| op.venue == venue), "{venue}");
        for op in entries {
            assert_eq!(operation(venue, op.name), Some(op));
        }
    }
}

/// Whether no call can fit both: a word that both need has no value in common.
fn differ(left: &'static [Param], right: &'static [Param]) -> bool {
    let needed = |params: &'static [Param]| params.iter().filter(|param| param.required);
    let apart = |(one, other): (&Param, &Param)| match (one.grammar, other.grammar) {
        (Grammar::OneOf(one), Grammar::OneOf(other)) => one.iter().all(|word| !other.contains(word)),
        (Grammar::List(one), Grammar::List(other)) => match (&one.item, &other.item) {
            (Item::Object(one), Item::Object(other)) => differ(one, other),
            _ => false,
        },
        _ => false,
    };
    let pairs = needed(left).flat_map(|one| needed(right).map(move |other| (one, other)));
    pairs.filter(|(one, other)| one.name == other.name).any(apart)
}

#[test]
fn kind_and_class_agree() {
    for op in all() {
        let trades = match op.kind {
            Kind::Place | Kind::Amend | Kind::Cancel | Kind::CancelAll | Kind::Close | Kind::Setting => true,
            Kind::Data | Kind::Probe | Kind::Login => false,
        };
        assert_eq!(op.class == Class::Trade, trades, "{op:?}");
        assert_eq!(op.products().is_empty(), !trades, "{op:?}");
        assert!(!op.is_probe() || op.class == Class::Read, "{op:?}");
        assert!(!op.is_login() || op.class == Class::Read, "{op:?}");
    }
}

#[test]
fn every_venue_has_the_operations_the_house_relies_on() {
    for venue in VenueId::ALL.iter().copied() {
        for name in ["order.place", "order.cancel", "orders.open"] {
            assert!(operation(venue, name).is_some(), "{venue} {name}");
        }
        let probes = catalogue(venue).iter().filter(|op| op.is_probe()).count();
        assert_eq!(probes, 1, "{venue}");
    }
}

#[test]
fn parameters_are_well_formed() {
    for op in all() {
        let names: BTreeSet<_> = op.params.iter().map(|param| param.name).collect();
        assert_eq!(names.len(), op.params.len(), "{op:?}");
        for name in op.in_path() {
            assert!(op.param(name).is_some_and(|param| param.required && param.grammar.is_segment()), "{op:?} {name}");
        }
        let lists = op.params.iter().filter(|param| matches!(param.grammar, Grammar::List(_))).count();
        assert!(op.carry != Carry::JsonArray || lists == 1, "{op:?}");
        for name in op.one_of {
            assert!(op.param(name).is_some_and(|param| !param.required), "{op:?} {name}");
        }
    }
}

#[test]
fn the_futures_probe_is_on_the_spot_host() {
    let spot = "https://api.binance.com";
    for (venue, main, probe) in [
        (VenueId::Binance, spot, spot),
        (VenueId::BinanceUsdm, "https://fapi.binance.com", spot),
        (VenueId::Kraken, "https://api.kraken.com", "https://api.kraken.com"),
    ] {
        assert_eq!(default_host(venue, HostRole::Main), main);
        let entry = operation(venue, "key.permissions").unwrap();
        assert_eq!(default_host(venue, entry.host), probe);
    }
}

#[test]
fn default_hosts_parse() {
    for op in all() {
        let text = default_host(op.venue, op.host);
        assert_eq!(Host::parse(text).unwrap().as_str(), text);
    }
}
