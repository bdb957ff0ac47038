//! What a key may do, and what of it Claviger objects to.

use serde::{Deserialize, Serialize};

use crate::{
    meaning::{Meaning, meaning},
    operation::{Class, Operation, catalogue},
    product::{Product, Products},
    venue::VenueId,
};

/// What the venue's probe says about a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the model of section 19 of the venue facts: one independent answer per power"
)]
pub struct KeyFacts {
    /// The venue does not show what the key may do: everything else here is assumed, and nothing is objected to.
    pub unproven: bool,
    /// Can read what the catalogue's reads need.
    pub read: bool,
    /// Can place orders in these products.
    pub trade: Products,
    /// Can cancel orders; a venue that has no such box of its own says the same as for trading.
    pub cancel: bool,
    /// Can mint a token that places orders where Claviger does not see them.
    pub trade_token: bool,
    /// Can move value between accounts, borrow, or stake.
    pub transfer: bool,
    /// Can withdraw.
    pub withdraw: bool,
    /// Can change keys, addresses or accounts.
    pub key_management: bool,
    /// Is taken to manage keys whatever its boxes say: the venue has no box against it, so that the catalogue alone keeps
    /// the key from it. Nothing is objected to, or no key of that venue could be held.
    pub key_management_assumed: bool,
    /// The same for moving value between the owner's own accounts.
    pub transfer_assumed: bool,
    /// From where the key works.
    pub ip: IpRestriction,
    /// When it stops working, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// Permissions the key has that this version does not know, cleaned and bounded.
    pub unknown: Vec<String>,
}

impl KeyFacts {
    /// What is assumed of a key whose permissions the venue does not show.
    pub(crate) fn unproven(trade: Products) -> Self {
        Self { unproven: true, read: true, trade, cancel: !trade.is_empty(), ..Self::default() }
    }
}

/// From where a key works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpRestriction {
    /// From anywhere.
    #[default]
    None,
    /// From a list that the venue does not show.
    Flag,
    /// From these addresses or ranges.
    List(Vec<String>),
}

/// The most that a credential may ever be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// Whether it may trade at all.
    pub class: CeilingClass,
    /// The products it may trade; without meaning for [`CeilingClass::Read`].
    pub products: Products,
}

/// Whether a credential may trade at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CeilingClass {
    /// Reads only.
    Read,
    /// Reads and trades.
    Trade,
}

impl Ceiling {
    /// Whether a call is within the ceiling.
    ///
    /// `traded` is what its orders trade; if that is nothing, as for cancels, any product of the operation will do.
    pub fn allows(&self, operation: &Operation, traded: Products) -> bool {
        match (operation.class, self.class) {
            (Class::Market | Class::Read, _) => true,
            (Class::Trade, CeilingClass::Read) => false,
            (Class::Trade, CeilingClass::Trade) => {
                let within = self.products.intersection(operation.products());
                !within.is_empty() && traded.intersection(within) == traded
            }
        }
    }

    /// Whether it allows nothing that `other` does not.
    pub fn lies_in(self, other: Self) -> bool {
        let trades = self.trades();
        self.class <= other.class && trades.intersection(other.trades()) == trades
    }

    fn trades(self) -> Products {
        match self.class {
            CeilingClass::Read => Products::NONE,
            CeilingClass::Trade => self.products,
        }
    }
}

/// The probe did not tell what the key may do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The venue refused the probe.
    #[error("the venue refused the permission probe")]
    Refused(Meaning),
    /// The venue accepted the probe, and its answer is not the documented one.
    #[error("the venue's answer to the permission probe cannot be read")]
    Unreadable,
}

impl ProbeError {
    /// Returns what the answer means for the key.
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Refused(meaning) => meaning.clone(),
            Self::Unreadable => Meaning::Unknown,
        }
    }
}

/// One reason not to hold a key, and how its owner mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// A stable code.
    pub code: &'static str,
    /// What to do, in the venue's own words.
    pub advice: String,
}

impl Objection {
    /// Whether the key may do too much, rather than too little.
    pub fn is_excess(&self) -> bool {
        !matches!(self.code, "read_missing" | "trade_missing" | "cancel_missing")
    }
}

/// Reads the answer of the permission probe.
///
/// # Errors
/// [`ProbeError`]; the key is then unproven, never assumed to be harmless.
pub fn permissions(venue: VenueId, status: u16, body: &[u8]) -> Result<KeyFacts, ProbeError> {
    let meaning = meaning(venue, status, body);
    if meaning != Meaning::Accepted {
        return Err(ProbeError::Refused(meaning));
    }
    venue.rules().permissions(body).ok_or(ProbeError::Unreadable)
}

/// Lists every reason not to hold a key with these facts under this ceiling, the gravest first; none if it is empty.
pub fn objections(venue: VenueId, facts: &KeyFacts, ceiling: Ceiling) -> Vec<Objection> {
    if facts.unproven {
        return Vec::new();
    }
    let rules = venue.rules();
    faults(venue, facts, ceiling)
        .iter()
        .map(|fault| Objection { code: fault.code(), advice: rules.advice(fault) })
        .collect()
}

/// What is wrong with a key, before the venue has put it into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    WithdrawEnabled,
    TransferEnabled,
    KeyManagementEnabled,
    UnknownPermission(String),
    TradeNotWanted,
    ProductNotWanted(Product),
    ReadMissing,
    TradeMissing(Product),
    CancelMissing,
}

impl Fault {
    const fn code(&self) -> &'static str {
        match self {
            Self::WithdrawEnabled => "withdraw_enabled",
            Self::TransferEnabled => "transfer_enabled",
            Self::KeyManagementEnabled => "key_management_enabled",
            Self::UnknownPermission(_) => "unknown_permission",
            Self::TradeNotWanted => "trade_not_wanted",
            Self::ProductNotWanted(_) => "product_not_wanted",
            Self::ReadMissing => "read_missing",
            Self::TradeMissing(_) => "trade_missing",
            Self::CancelMissing => "cancel_missing",
        }
    }
}

fn faults(venue: VenueId, facts: &KeyFacts, ceiling: Ceiling) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut note = |wrong: bool, fault: Fault| {
        if wrong {
            faults.push(fault);
        }
    };
    note(facts.withdraw, Fault::WithdrawEnabled);
    note(facts.transfer, Fault::TransferEnabled);
    note(facts.key_management, Fault::KeyManagementEnabled);
    for name in &facts.unknown {
        note(true, Fault::UnknownPermission(name.clone()));
    }
    let wanted = ceiling.trades();
    if wanted.is_empty() {
        let can_trade = !facts.trade.is_empty() || facts.cancel || facts.trade_token;
        note(can_trade, Fault::TradeNotWanted);
    } else {
        for product in facts.trade.iter().filter(|product| !comes_with(venue, wanted, *product)) {
            note(true, Fault::ProductNotWanted(product));
        }
    }
    note(!facts.read, Fault::ReadMissing);
    for product in wanted.intersection(traded_at(venue)).iter() {
        note(!facts.trade.contains(product), Fault::TradeMissing(product));
    }
    note(!wanted.is_empty() && !facts.trade.is_empty() && !facts.cancel, Fault::CancelMissing);
    faults
}

/// Whether a product is wanted, or comes with a wanted one because the venue has one box for both.
///
/// What comes along unasked stays out of reach all the same: the ceiling refuses it on each call.
fn comes_with(venue: VenueId, wanted: Products, product: Product) -> bool {
    let bundled = venue.rules().bundled();
    wanted.contains(product) || (bundled.contains(product) && !bundled.intersection(wanted).is_empty())
}

/// Returns the products that Claviger trades at the venue; a key need not be able to trade others.
fn traded_at(venue: VenueId) -> Products {
    catalogue(venue).iter().fold(Products::NONE, |all, operation| all.union(operation.products()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation;

    const READ: Ceiling = Ceiling { class: CeilingClass::Read, products: Products::NONE };
    const SPOT: Ceiling = Ceiling { class: CeilingClass::Trade, products: Products::SPOT };

    fn codes(venue: VenueId, facts: &KeyFacts, ceiling: Ceiling) -> Vec<&'static str> {
        let objections = objections(venue, facts, ceiling);
        assert!(objections.iter().all(|objection| objection.advice.len() > 20));
        objections.iter().map(|objection| objection.code).collect()
    }

    fn trader(trade: Products) -> KeyFacts {
        KeyFacts { read: true, cancel: true, trade, ..KeyFacts::default() }
    }

    #[test]
    fn a_fitting_key_meets_no_objection() {
        let reader = KeyFacts { read: true, ..KeyFacts::default() };
        for venue in VenueId::ALL.iter().copied() {
            assert_eq!(codes(venue, &reader, READ), [""; 0]);
        }
        assert_eq!(codes(VenueId::Binance, &trader(Products::SPOT), SPOT), [""; 0]);
    }

    #[test]
    fn every_power_beyond_the_ceiling_is_named() {
        let facts = KeyFacts {
            transfer: true,
            withdraw: true,
            key_management: true,
            unknown: vec!["enableTeleport".to_owned()],
            ..trader(Products::SPOT)
        };
        for venue in VenueId::ALL.iter().copied() {
            assert_eq!(
                codes(venue, &facts, READ),
                [
                    "withdraw_enabled",
                    "transfer_enabled",
                    "key_management_enabled",
                    "unknown_permission",
                    "trade_not_wanted"
                ]
            );
        }
    }

    #[test]
    fn products_are_held_against_the_ceiling() {
        let both = trader(Products::SPOT.union(Products::DERIVATIVES));
        assert_eq!(codes(VenueId::Binance, &both, SPOT), ["product_not_wanted"]);
        let futures = Ceiling { class: CeilingClass::Trade, products: Products::DERIVATIVES };
        assert_eq!(codes(VenueId::BinanceUsdm, &both, futures), ["product_not_wanted"]);
        assert_eq!(codes(VenueId::BinanceUsdm, &trader(Products::NONE), futures), ["trade_missing"]);
    }

    #[test]
    fn a_key_need_not_trade_what_claviger_does_not_trade_there() {
        let products = Products::SPOT.union(Products::DERIVATIVES);
        let ceiling = Ceiling { class: CeilingClass::Trade, products };
        assert_eq!(codes(VenueId::Binance, &trader(Products::SPOT), ceiling), [""; 0]);
        assert_eq!(codes(VenueId::BinanceUsdm, &trader(Products::SPOT), ceiling), ["trade_missing"]);
    }

    #[test]
    fn a_product_that_shares_the_wanted_box_is_no_fault_of_the_key() {
        let bundle = trader(Products::SPOT_AND_MARGIN);
        assert_eq!(codes(VenueId::Kraken, &bundle, SPOT), [""; 0]);
        assert_eq!(codes(VenueId::Binance, &bundle, SPOT), [""; 0]);
    }

    #[test]
    fn what_the_ceiling_needs_must_be_there() {
        let facts = KeyFacts { cancel: true, ..KeyFacts::default() };
        assert_eq!(codes(VenueId::Binance, &facts, SPOT), ["read_missing", "trade_missing"]);
        let facts = KeyFacts { cancel: false, ..trader(Products::SPOT) };
        assert_eq!(codes(VenueId::Kraken, &facts, SPOT), ["cancel_missing"]);
    }

    #[test]
    fn too_much_is_told_from_too_little() {
        let facts = KeyFacts { withdraw: true, unknown: vec!["x".to_owned()], ..KeyFacts::default() };
        let excess = |ceiling| {
            let all = objections(VenueId::Kraken, &facts, ceiling).into_iter();
            all.filter(Objection::is_excess).map(|objection| objection.code).collect::<Vec<_>>()
        };
        assert_eq!(excess(SPOT), ["withdraw_enabled", "unknown_permission"]);
    }

    #[test]
    fn cancelling_and_trading_tokens_exceed_a_read_ceiling() {
        let cancels = KeyFacts { read: true, cancel: true, ..KeyFacts::default() };
        let mints = KeyFacts { read: true, trade_token: true, ..KeyFacts::default() };
        for facts in [cancels, mints] {
            assert_eq!(codes(VenueId::Kraken, &facts, READ), ["trade_not_wanted"]);
        }
    }

    #[test]
    fn a_ceiling_judges_class_and_product() {
        let place = operation(VenueId::Kraken, "order.place").unwrap();
        let cancel = operation(VenueId::Kraken, "order.cancel").unwrap();
        let account = operation(VenueId::Kraken, "account").unwrap();
        assert!(SPOT.allows(place, Products::SPOT));
        assert!(!SPOT.allows(place, Products::NONE.with(Product::Margin)));
        assert!(!SPOT.allows(place, Products::DERIVATIVES));
        assert!(SPOT.allows(cancel, Products::NONE));
        assert!(!READ.allows(cancel, Products::NONE));
        assert!(READ.allows(account, Products::NONE));
        let futures = Ceiling { class: CeilingClass::Trade, products: Products::DERIVATIVES };
        assert!(!futures.allows(cancel, Products::NONE));
        let nothing = Ceiling { class: CeilingClass::Trade, products: Products::NONE };
        assert!(!nothing.allows(place, Products::SPOT));
    }
}
