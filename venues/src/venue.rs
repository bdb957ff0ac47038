//! The closed set of venues, and what each of them must answer.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    binance, bitmex,
    budget::Budget,
    bybit, ibkr,
    inbound::Dialect,
    kraken, kraken_futures,
    lapse::Lapse,
    meaning::Meaning,
    mexc, oanda,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::{Pricing, Unpriced},
    product::Products,
    reading::{ReadError, Reading},
    retrieval::Found,
    secret::SecretRule,
    signing::{Draft, Identity, Signable, SigningTime},
    stream::{Stream, StreamLogin},
    token::{TokenAnswer, TokenRule},
    topstepx, tradovate,
};

/// Declares the venues: a variant, the identifier of configuration, API and storage, and the rules.
macro_rules! venues {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $rules:expr;)+) => {
        /// Names an exchange or broker that Claviger can act at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        pub enum VenueId {
            $($(#[$doc])* $variant,)+
        }

        impl VenueId {
            /// Every venue, in the order of the enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the identifier used in configuration, API and storage.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }

            /// Returns the venue's own rules: the one place where a venue becomes code.
            pub(crate) fn rules(self) -> &'static dyn Venue {
                match self {
                    $(Self::$variant => &$rules,)+
                }
            }
        }
    };
}

venues! {
    /// Binance spot, with the wallet's permission probe.
    Binance = "binance", binance::SPOT;
    /// Binance USD-M futures; its keys are Binance keys.
    BinanceUsdm = "binance-usdm", binance::USDM;
    /// `BitMEX`, which has closed; its entry is for keys that are still there.
    Bitmex = "bitmex", bitmex::Bitmex;
    /// Kraken spot and margin.
    Kraken = "kraken", kraken::Kraken;
    /// Kraken Futures, with keys of their own.
    KrakenFutures = "kraken-futures", kraken_futures::KrakenFutures;
    /// OANDA v20: leveraged foreign exchange.
    Oanda = "oanda", oanda::Oanda;
    /// Interactive Brokers' Web API.
    Ibkr = "ibkr", ibkr::Ibkr;
    /// Tradovate: futures.
    Tradovate = "tradovate", tradovate::Tradovate;
    /// TopstepX, and what else speaks the ProjectX gateway.
    Topstepx = "topstepx", topstepx::TopstepX;
    /// Bybit v5: spot, margin and contracts.
    Bybit = "bybit", bybit::Bybit;
    /// MEXC spot.
    Mexc = "mexc", mexc::Spot;
    /// MEXC futures; its keys are MEXC keys.
    MexcContract = "mexc-contract", mexc::Contract;
    /// OKX v5: spot, margin and contracts.
    Okx = "okx", crate::okx::Okx;
}

/// The text names no venue of [`VenueId::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown venue")]
pub struct UnknownVenue;

impl fmt::Display for VenueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VenueId {
    type Err = UnknownVenue;

    fn from_str(text: &str) -> Result<Self, UnknownVenue> {
        Self::ALL.iter().copied().find(|venue| venue.as_str() == text).ok_or(UnknownVenue)
    }
}

impl From<VenueId> for &'static str {
    fn from(venue: VenueId) -> Self {
        venue.as_str()
    }
}

impl TryFrom<String> for VenueId {
    type Error = UnknownVenue;

    fn try_from(text: String) -> Result<Self, UnknownVenue> {
        text.parse()
    }
}

/// Returns what the owner does at the venue to make a key that Claviger accepts, step by step.
pub fn guide(venue: VenueId) -> &'static [&'static str] {
    venue.rules().guide()
}

/// Returns the page on which the owner edits or deletes the key.
pub fn manage_url(venue: VenueId) -> &'static str {
    venue.rules().manage_url()
}

/// What a venue module answers; everything public in this crate ends in one of these.
///
/// Implementations are pure and total: whatever bytes or parameters come in, they return.
pub(crate) trait Venue: Sync {
    /// Returns the operations that exist at this venue.
    fn catalogue(&self) -> &'static [Operation];

    /// Returns the live host for a role.
    fn default_host(&self, role: HostRole) -> &'static str;

    /// Returns the kinds of secret the venue takes, and how each is read and used.
    fn secrets(&self) -> &'static [SecretRule];

    /// Whether `key_id` could be a key id of this venue; what passes is safe in a header.
    fn key_id_ok(&self, key_id: &str) -> bool;

    /// Whether signed requests carry an increasing nonce.
    fn uses_nonce(&self) -> bool;

    /// Returns what ends a signature that the venue has not seen.
    fn lapse(&self) -> Lapse {
        if self.uses_nonce() { Lapse::Nonce } else { Lapse::Never }
    }

    /// Builds the bytes to sign and the request they belong to.
    fn signable(&self, draft: &Draft<'_>) -> Signable;

    /// Reads what a call of class trade is about to do.
    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError>;

    /// Reads an accepted answer of the permission probe; `None` if it is not what the venue documents.
    ///
    /// Where the venue shows no permissions, an accepted answer is [`KeyFacts::unproven`].
    fn permissions(&self, body: &[u8]) -> Option<KeyFacts>;

    /// Returns the products that the venue's own permission boxes do not tell apart.
    fn bundled(&self) -> Products;

    /// Says, in the venue's own words, how the owner mends a fault of the key.
    fn advice(&self, fault: &Fault) -> String;

    /// Classifies an answer.
    fn meaning(&self, status: u16, body: &[u8]) -> Meaning;

    /// Speaks the venue's protocol to clients.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Returns the limits of [`budgets`](crate::budgets).
    fn budgets(&self) -> &'static [Budget];

    /// Returns the weight of a call.
    fn weight(&self, _call: &Call<'_>) -> u32 {
        1
    }

    /// Returns how tokens are fetched, where a login hands them out.
    fn tokens(&self) -> Option<&'static TokenRule> {
        None
    }

    /// Reads the answer of an accepted login.
    fn token<'b>(&self, _body: &'b [u8]) -> Option<TokenAnswer<'b>> {
        None
    }

    /// Returns the streams that need a login.
    fn streams(&self) -> &'static [Stream];

    /// Builds the login to a stream that [`Self::streams`] says is signed.
    fn stream_login(
        &self,
        _stream: &Stream,
        _key: Identity<'_>,
        _at: SigningTime,
        _challenge: Option<&str>,
    ) -> Option<StreamLogin> {
        None
    }

    /// Returns the parameter for a client order id, and one made from `digest` in the venue's form.
    fn client_order_id(&self, operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)>;

    /// Returns the operation and parameters that ask for the order that `call` placed.
    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)>;

    /// Returns the same for orders that have ended, where the venue keeps them apart.
    fn lookup_ended(&self, _call: &Call<'_>) -> Option<(&'static str, Params)> {
        None
    }

    /// Reads the answer to that.
    fn found(&self, meaning: &Meaning, body: &[u8]) -> Found;

    /// Returns what the venue knows of prices.
    fn pricing(&self) -> &'static dyn Pricing {
        &Unpriced
    }

    /// Returns the steps of [`guide`].
    fn guide(&self) -> &'static [&'static str];

    /// Returns the page of [`manage_url`].
    fn manage_url(&self) -> &'static str;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for venue in VenueId::ALL.iter().copied() {
            assert_eq!(venue.as_str().parse(), Ok(venue));
            let json = serde_json::to_string(&venue).unwrap();
            assert_eq!(json, format!("\"{venue}\""));
            assert_eq!(serde_json::from_str::<VenueId>(&json).unwrap(), venue);
        }
        for hostile in ["", "Binance", "binance ", "binance\0", "coinbase"] {
            assert_eq!(hostile.parse::<VenueId>(), Err(UnknownVenue));
        }
    }

    #[test]
    fn every_venue_guides_the_owner() {
        for venue in VenueId::ALL.iter().copied() {
            assert!(manage_url(venue).starts_with("https://"));
            assert!(guide(venue).iter().any(|step| step.contains("Untick")));
        }
    }
}
