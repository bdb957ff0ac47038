//! Venues, as owners read of them.

use std::net::IpAddr;

use claviger_venues::{KeyType, SecretKind, VenueId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A venue, and what it asks of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueGuideView {
    /// The id, such as `binance`.
    pub id: String,
    /// Whether it is enabled here.
    pub enabled: bool,
    /// What an owner does at the venue to make a key that is accepted, step by step.
    pub guide: Vec<String>,
    /// The page on which the owner edits or deletes the key.
    pub manage_url: String,
    /// The kinds of secret it takes, each with the names of its parts.
    pub kinds: Vec<KindView>,
    /// The types of key pair that the token can make for it.
    pub key_types: Vec<String>,
    /// Whether the venue shows what a key may do.
    pub shows_permissions: bool,
    /// The addresses that requests come from: what owners bind their keys to.
    pub addresses: Vec<String>,
}

/// A kind of secret at a venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindView {
    /// `hmac`, `private-key`, `bearer` or `login`.
    pub kind: String,
    /// The parts that `secret` holds: one is a text, several are an object of texts.
    pub parts: Vec<String>,
}

impl VenueGuideView {
    /// What there is to say about a venue.
    pub fn of(venue: VenueId, enabled: bool, addresses: &[IpAddr]) -> Self {
        let kinds = SecretKind::ALL.iter().copied().filter(|kind| claviger_venues::accepts(venue, *kind));
        let parts = |kind| claviger_venues::secret_parts(venue, kind).unwrap_or_default();
        let kind = |kind: SecretKind| KindView {
            kind: kind.as_str().to_owned(),
            parts: parts(kind).iter().map(|part| part.name.to_owned()).collect(),
        };
        let key_type = |key_type: &KeyType| match key_type {
            KeyType::Ed25519 => "ed25519".to_owned(),
            KeyType::Rsa => "rsa".to_owned(),
        };
        Self {
            id: venue.to_string(),
            enabled,
            guide: claviger_venues::guide(venue).iter().map(|step| (*step).to_owned()).collect(),
            manage_url: claviger_venues::manage_url(venue).to_owned(),
            kinds: kinds.map(kind).collect(),
            key_types: claviger_venues::key_types(venue).iter().map(key_type).collect(),
            shows_permissions: claviger_venues::shows_permissions(venue),
            addresses: addresses.iter().map(ToString::to_string).collect(),
        }
    }
}
