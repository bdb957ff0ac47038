//! The catalogue: every call that exists for Claviger, and nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{grammar::Grammar, product::Products, venue::VenueId};

/// One entry of a venue's catalogue.
///
/// Entries exist only as constants of this crate: outside it an operation can be looked up and read, never made.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The name apps and grants use, uniform over all venues, such as `order.place`.
    pub name: &'static str,
    /// The venue whose catalogue this entry belongs to.
    pub venue: VenueId,
    /// The HTTP method.
    pub method: Method,
    /// The whole path of the outgoing URL, after the host; nothing is ever put into it.
    pub path: &'static str,
    /// What a credential must be allowed for this call.
    pub class: Class,
    /// Which of the venue's hosts serves the call.
    pub host: HostRole,
    /// What the call does, as far as policy and probes must know.
    pub kind: Kind,
    /// The parameters a caller may give, in the venue's own names.
    pub params: &'static [Param],
    /// Parameters of which exactly one must be given; empty if there is no such choice.
    pub one_of: &'static [&'static str],
    /// The products a call of class trade can touch.
    pub(crate) products: Products,
}

impl Operation {
    /// Whether this is the venue's permission probe.
    pub fn is_probe(&self) -> bool {
        self.kind == Kind::Probe
    }

    /// Whether this call only takes orders away.
    pub fn is_cancel(&self) -> bool {
        matches!(self.kind, Kind::Cancel | Kind::CancelAll)
    }

    /// Whether the signed request needs a nonce greater than any that the key has used.
    pub fn uses_nonce(&self) -> bool {
        self.class != Class::Market && self.venue.rules().uses_nonce()
    }

    /// Returns the products a call of class trade can touch; which of them it does, the order tells.
    pub fn products(&self) -> Products {
        self.products
    }

    /// Describes a call of class read on the main host, the plainest there is; what follows makes it more.
    pub(crate) const fn read(venue: VenueId, name: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            name,
            venue,
            method,
            path,
            class: Class::Read,
            host: HostRole::Main,
            kind: Kind::Data,
            params: &[],
            one_of: &[],
            products: Products::NONE,
        }
    }

    /// Gives the call its closed parameter list.
    pub(crate) const fn takes(self, params: &'static [Param]) -> Self {
        Self { params, ..self }
    }

    /// Demands exactly one of these parameters.
    pub(crate) const fn one_of(self, one_of: &'static [&'static str]) -> Self {
        Self { one_of, ..self }
    }

    /// Makes the call public.
    pub(crate) const fn market(self) -> Self {
        Self { class: Class::Market, ..self }
    }

    /// Makes the call the permission probe, on the host that serves it.
    pub(crate) const fn probe(self, host: HostRole) -> Self {
        Self { kind: Kind::Probe, host, ..self }
    }

    /// Makes the call trade these products.
    pub(crate) const fn trade(self, kind: Kind, products: Products) -> Self {
        Self { class: Class::Trade, kind, products, ..self }
    }

    /// Returns the parameter of that name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }
}

/// One parameter of an operation.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Param {
    /// The venue's own name for it.
    pub name: &'static str,
    /// The values it takes.
    pub grammar: Grammar,
    /// Whether a call without it is refused.
    pub required: bool,
}

impl Param {
    pub(crate) const fn required(name: &'static str, grammar: Grammar) -> Self {
        Self { name, grammar, required: true }
    }

    pub(crate) const fn optional(name: &'static str, grammar: Grammar) -> Self {
        Self { name, grammar, required: false }
    }
}

/// What a credential must be allowed for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Public market data; no key is involved.
    Market,
    /// Reads of the account.
    Read,
    /// Places or cancels orders.
    Trade,
}

impl Class {
    /// Returns the name used in configuration, API and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Read => "read",
            Self::Trade => "trade",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a call does, as far as policy and probes must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Answers with data and changes nothing.
    Data,
    /// Answers with what the key itself may do.
    Probe,
    /// Places one order.
    Place,
    /// Cancels one order.
    Cancel,
    /// Cancels every open order, of one symbol where the venue asks for it.
    CancelAll,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// Returns the method as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which of a venue's hosts serves a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostRole {
    /// The host that trades.
    Main,
    /// The host of the permission probe, where it is another one.
    Probe,
}

/// Returns the operation of that name, if the venue's catalogue has it.
pub fn operation(venue: VenueId, name: &str) -> Option<&'static Operation> {
    catalogue(venue).iter().find(|entry| entry.name == name)
}

/// Returns everything that can be done at the venue.
pub fn catalogue(venue: VenueId) -> &'static [Operation] {
    venue.rules().catalogue()
}

/// Returns the venue's live host for a role, as [`Host::parse`](crate::Host::parse) takes it.
pub fn default_host(venue: VenueId, role: HostRole) -> &'static str {
    venue.rules().default_host(role)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Host;

    fn all() -> impl Iterator<Item = &'static Operation> {
        VenueId::ALL.iter().flat_map(|venue| catalogue(*venue))
    }

    #[test]
    fn names_and_routes_are_unique_within_a_venue() {
        for venue in VenueId::ALL.iter().copied() {
            let entries = catalogue(venue);
            let names: BTreeSet<_> = entries.iter().map(|op| op.name).collect();
            let routes: BTreeSet<_> = entries.iter().map(|op| (op.method.as_str(), op.path)).collect();
            assert_eq!(names.len(), entries.len(), "{venue}");
            assert_eq!(routes.len(), entries.len(), "{venue}");
            assert!(entries.iter().all(|op| op.venue == venue), "{venue}");
            for op in entries {
                assert_eq!(operation(venue, op.name), Some(op));
            }
        }
    }

    #[test]
    fn kind_and_class_agree() {
        for op in all() {
            let trades = matches!(op.kind, Kind::Place | Kind::Cancel | Kind::CancelAll);
            assert_eq!(op.class == Class::Trade, trades, "{op:?}");
            assert_eq!(op.products().is_empty(), !trades, "{op:?}");
            assert!(!op.is_probe() || op.class == Class::Read, "{op:?}");
            assert!(op.class != Class::Market || op.method == Method::Get, "{op:?}");
        }
    }

    #[test]
    fn every_venue_has_the_operations_the_house_relies_on() {
        for venue in VenueId::ALL.iter().copied() {
            for name in [
                "time",
                "ticker",
                "key.permissions",
                "account",
                "orders.open",
                "order.get",
                "order.place",
                "order.cancel",
                "orders.cancel_all",
            ] {
                assert!(operation(venue, name).is_some(), "{venue} {name}");
            }
            let probes: Vec<_> = catalogue(venue).iter().filter(|op| op.is_probe()).collect();
            assert!(matches!(probes[..], [probe] if probe.params.is_empty()), "{venue}");
        }
    }

    #[test]
    fn parameters_are_well_formed() {
        for op in all() {
            let names: BTreeSet<_> = op.params.iter().map(|param| param.name).collect();
            assert_eq!(names.len(), op.params.len(), "{op:?}");
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
}
