//! Whether a grant's new terms allow anything that the old ones do not.

use claviger_venues::{Class, Kind, VenueId};

use super::granted::is_class;
use super::hours::Hours;
use super::stream;
use crate::identity::{Credentials, Terms};

/// Whether `new` allows anything that `old` does not. In doubt it does: then somebody else looks at it.
#[must_use]
pub fn widens(old: &Terms, new: &Terms) -> bool {
    let credentials = match (&old.credentials, &new.credentials) {
        (Credentials::All, _) => true,
        (Credentials::These(_), Credentials::All) => false,
        (Credentials::These(old), Credentials::These(new)) => new.iter().all(|id| old.contains(id)),
    };
    let operations = new.operations.iter().all(|name| covers(&old.operations, name));
    let networks = old.networks.is_empty()
        || (!new.networks.is_empty() && new.networks.iter().all(|new| old.networks.iter().any(|old| new.lies_in(old))));
    let figures =
        Hours::all_within(&new.hours, &old.hours) && new.orders.within(&old.orders) && new.budget.within(&old.budget);
    let enroll = old.enroll || !new.enroll;
    !(credentials && operations && networks && figures && enroll)
}

/// Whether what a grant includes by `name` is included already.
fn covers(old: &[String], name: &str) -> bool {
    let includes = |name: &str| old.iter().any(|allowed| allowed == name);
    if includes(name) || is_class(name) {
        return includes(name);
    }
    if stream::is_stream(name) {
        return includes(Class::Read.as_str());
    }
    let mut named = VenueId::ALL.iter().filter_map(|venue| claviger_venues::operation(*venue, name)).peekable();
    // What makes positions riskier is granted by its own name only.
    named.peek().is_some() && named.all(|op| op.kind != Kind::Setting && includes(op.class.as_str()))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the numbers of tests are small")]
mod tests {
    use std::net::IpAddr;

    use claviger_venues::{CeilingClass, Products};
    use proptest::prelude::*;

    use super::super::tests::{credential, grant, principal};
    use super::super::{Budget, Caller, Frame, Grants, Limits, Policy, Prices, Resolved, check};
    use super::*;
    use crate::credential::Credential;
    use crate::id::CredentialId;
    use crate::identity::AppPrincipal;

    const OPERATIONS: [&str; 8] =
        ["market", "read", "trade", "signatures", "order.place", "order.cancel", "account", "stream.user-data"];
    const NETWORKS: [&str; 5] = ["192.0.2.0/24", "192.0.2.0/25", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32"];
    const HOURS: [(&str, &str); 3] = [("08:00", "20:00"), ("09:00", "12:00"), ("12:00", "24:00")];

    fn terms() -> impl Strategy<Value = Terms> {
        let some = |words: &'static [&'static str]| prop::sample::subsequence(words, 0..=words.len());
        let ids = prop::option::of(prop::collection::vec(0_u8..3, 0..3));
        let hours = prop::sample::subsequence(HOURS.as_slice(), 0..=HOURS.len());
        let most = prop::option::of(1_u32..4);
        let symbols = some(&["BTCUSDT", "ETHUSDT"]);
        (ids, some(&OPERATIONS), symbols, some(&NETWORKS), hours, most, any::<bool>()).prop_map(
            |(ids, operations, symbols, networks, hours, most, enroll)| Terms {
                credentials: ids.map_or(Credentials::All, |ids| Credentials::These(ids.into_iter().map(id).collect())),
                operations: operations.into_iter().map(str::to_owned).collect(),
                networks: networks.into_iter().map(|network| network.parse().unwrap()).collect(),
                hours: hours.into_iter().map(|(from, until)| between(from, until)).collect(),
                orders: Limits {
                    symbols: symbols.into_iter().map(str::to_owned).collect(),
                    quantity_max: most.map(Into::into),
                    ..Limits::default()
                },
                budget: Budget { orders_per_day: most, ..Budget::default() },
                enroll,
            },
        )
    }

    fn between(from: &str, until: &str) -> Hours {
        Hours { days: Vec::new(), from: from.to_owned(), until: until.to_owned() }
    }

    fn id(n: u8) -> CredentialId {
        CredentialId::from_bytes([n; 16])
    }

    /// Everything that a small world can ask for.
    fn allowed(terms: &Terms) -> Vec<bool> {
        let grants = Grants::new([(1, grant(&[]).with_terms(terms.clone()))]);
        let resolve = |operation: &str, params: &[(&str, &str)]| {
            Resolved::new(VenueId::Binance, operation, params.iter().copied().collect()).unwrap()
        };
        let order = |symbol, quantity| {
            let params = [("symbol", symbol), ("side", "BUY"), ("type", "MARKET"), ("quantity", quantity)];
            resolve("order.place", &params)
        };
        let cancel = resolve("order.cancel", &[("symbol", "BTCUSDT"), ("orderId", "1")]);
        let calls = [
            order("BTCUSDT", "1"),
            order("BTCUSDT", "3"),
            order("ETHUSDT", "2"),
            order("XRPUSDT", "9"),
            cancel,
            resolve("account", &[]),
        ];
        let addresses = ["192.0.2.7", "192.0.2.200", "198.51.100.1", "2001:db8::1", "2001:db9::1"];
        let (policy, prices) = (Policy::default(), Prices::new());
        let mut all = vec![terms.enroll];
        let each = calls.iter().flat_map(|call| (0..3).map(move |n| (call, n)));
        for ((call, n), address) in each.flat_map(|one| addresses.map(|address| (one, address))) {
            let principal = AppPrincipal { address: address.parse::<IpAddr>().unwrap(), ..principal() };
            let row = Credential { id: id(n), ..credential(CeilingClass::Trade, Products::SPOT) };
            for (release, hour) in [(false, 7), (true, 8), (false, 10), (true, 13), (false, 23)] {
                let now_ms = hour * 3_600_000;
                let frame = Frame { venue_enabled: true, policy: &policy, prices: &prices, now_ms, approved: None };
                let caller = Caller { principal: &principal, grants: &grants, release };
                all.push(check(caller, &frame, Some(&row), call.clone()).is_ok());
            }
        }
        all
    }

    proptest! {
        #[test]
        fn what_does_not_widen_allows_nothing_new(old in terms(), new in terms()) {
            if !widens(&old, &new) {
                for (before, after) in allowed(&old).into_iter().zip(allowed(&new)) {
                    prop_assert!(before || !after, "{old:?} -> {new:?}");
                }
            }
        }

        #[test]
        fn what_allows_something_new_widens(old in terms(), new in terms()) {
            let more = allowed(&old).into_iter().zip(allowed(&new)).any(|(before, after)| after && !before);
            prop_assert!(!more || widens(&old, &new), "{old:?} -> {new:?}");
        }

        #[test]
        fn leaving_out_widens_nothing(old in terms(), keep in any::<(u8, u8, u8, u8)>()) {
            fn kept<T: Clone>(all: &[T], mask: u8) -> Vec<T> {
                let kept: Vec<T> =
                    all.iter().enumerate().filter(|(n, _)| mask >> n & 1 == 1).map(|(_, one)| one.clone()).collect();
                if kept.is_empty() { all.to_vec() } else { kept }
            }
            let new = Terms {
                credentials: match &old.credentials {
                    Credentials::All => Credentials::These(vec![id(keep.0)]),
                    Credentials::These(ids) => Credentials::These(kept(ids, keep.0)),
                },
                operations: kept(&old.operations, keep.1),
                networks: kept(&old.networks, keep.2),
                hours: kept(&old.hours, keep.3),
                orders: old.orders.clone(),
                budget: Budget { orders_per_minute: Some(1), ..old.budget.clone() },
                enroll: false,
            };
            prop_assert!(!widens(&old, &new));
        }
    }

    #[test]
    fn a_class_covers_its_operations_but_no_setting() {
        let old = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(covers(&old(&["trade"]), "order.place"));
        assert!(!covers(&old(&["read"]), "order.place"));
        assert!(!covers(&old(&["order.place"]), "trade"));
        assert!(!covers(&old(&["trade", "read", "market"]), "signatures"));
        let setting = VenueId::ALL
            .iter()
            .flat_map(|venue| claviger_venues::catalogue(*venue))
            .find(|operation| operation.kind == Kind::Setting)
            .unwrap();
        assert!(!covers(&old(&["trade", "read", "market"]), setting.name));
        assert!(!covers(&old(&["trade", "read", "market"]), "no.such.thing"));
    }
}
