//! What a venue says that a key may do, small enough to be kept with every credential.

use claviger_venues::{IpRestriction, KeyFacts, Product};
use serde::{Deserialize, Serialize};

/// A word, and whether the venue's answer says so.
type Power = (&'static str, fn(&KeyFacts) -> bool);

/// The powers in the order of their bits: a new one comes last.
const POWERS: [Power; 12] = [
    ("read", |facts| facts.read),
    ("trade-spot", |facts| facts.trade.contains(Product::Spot)),
    ("trade-margin", |facts| facts.trade.contains(Product::Margin)),
    ("trade-derivatives", |facts| facts.trade.contains(Product::Derivatives)),
    ("cancel", |facts| facts.cancel),
    ("trade-token", |facts| facts.trade_token),
    ("transfer", |facts| facts.transfer),
    ("withdraw", |facts| facts.withdraw),
    ("key-management", |facts| facts.key_management),
    ("any-address", |facts| facts.ip == IpRestriction::None),
    ("unlisted-addresses", |facts| facts.ip == IpRestriction::Flag),
    ("unproven", |facts| facts.unproven),
];

/// What a venue says that a key may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Powers {
    bits: u16,
    /// The addresses that it works from, and permissions that are not known here; in order.
    names: Vec<String>,
}

impl Powers {
    /// Of a venue's answer.
    pub fn of(facts: &KeyFacts) -> Self {
        let bits = POWERS.iter().rev().fold(0, |bits, (_, has)| bits << 1 | u16::from(has(facts)));
        let mut names = facts.unknown.clone();
        if let IpRestriction::List(addresses) = &facts.ip {
            names.extend(addresses.iter().map(|address| format!("address {address}")));
        }
        names.sort();
        names.dedup();
        Self { bits, names }
    }

    /// In words.
    pub fn words(&self) -> Vec<String> {
        let known = POWERS.iter().enumerate().filter(|(at, _)| self.bits >> at & 1 == 1);
        known.map(|(_, (word, _))| (*word).to_owned()).chain(self.names.iter().cloned()).collect()
    }

    /// The words that the other does not have.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let theirs = other.words();
        self.words().into_iter().filter(|word| !theirs.contains(word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use claviger_venues::Products;

    use super::*;

    #[test]
    fn a_difference_is_named_word_by_word() {
        let before = KeyFacts { read: true, trade: Products::SPOT, cancel: true, ..KeyFacts::default() };
        let after = KeyFacts {
            withdraw: true,
            cancel: false,
            ip: IpRestriction::List(vec!["192.0.2.1".to_owned()]),
            unknown: vec!["enableTeleport".to_owned()],
            ..before.clone()
        };
        let (before, after) = (Powers::of(&before), Powers::of(&after));
        assert_eq!(before.words(), ["read", "trade-spot", "cancel", "any-address"]);
        assert_eq!(after.beyond(&before), ["withdraw", "address 192.0.2.1", "enableTeleport"]);
        assert_eq!(before.beyond(&after), ["cancel", "any-address"]);
        assert!(after.beyond(&after).is_empty());
    }

    #[test]
    fn it_is_small() {
        let facts = KeyFacts { read: true, trade: Products::SPOT_AND_MARGIN, ..KeyFacts::default() };
        assert!(postcard::to_stdvec(&Powers::of(&facts)).unwrap().len() <= 4);
    }
}
