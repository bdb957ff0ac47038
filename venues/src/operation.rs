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
    /// The whole path of the outgoing URL, after the host. A segment `{name}` stands for that parameter, whose grammar
    /// admits nothing that could be read as more than a segment; nothing else is ever put into a path.
    pub path: &'static str,
    /// What a credential must be allowed for this call.
    pub class: Class,
    /// Which of the venue's hosts serves the call.
    pub host: HostRole,
    /// What the call does, as far as policy and probes must know.
    pub kind: Kind,
    /// Where the parameters go that are not in the path.
    pub carry: Carry,
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

    /// Whether only Claviger itself makes this call, to get or to renew a token of the venue's.
    pub fn is_login(&self) -> bool {
        self.kind == Kind::Login
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
            carry: Carry::Query,
            params: &[],
            one_of: &[],
            products: Products::NONE,
        }
    }

    /// Gives the call its closed parameter list.
    pub(crate) const fn takes(self, params: &'static [Param]) -> Self {
        Self { params, ..self }
    }

    /// Sends the parameters as a form.
    pub(crate) const fn form(self) -> Self {
        Self { carry: Carry::Form, ..self }
    }

    /// Sends the parameters as a JSON object.
    pub(crate) const fn json(self) -> Self {
        Self { carry: Carry::Json, ..self }
    }

    /// Sends the one list among the parameters as a JSON array that is the whole body.
    pub(crate) const fn json_array(self) -> Self {
        Self { carry: Carry::JsonArray, ..self }
    }

    /// Makes the call a login, which only Claviger makes.
    pub(crate) const fn login(self) -> Self {
        Self { kind: Kind::Login, ..self }
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

    /// Makes another host than the main one serve the call.
    pub(crate) const fn on(self, host: HostRole) -> Self {
        Self { host, ..self }
    }

    /// Makes the call trade these products.
    pub(crate) const fn trade(self, kind: Kind, products: Products) -> Self {
        Self { class: Class::Trade, kind, products, ..self }
    }

    /// Returns the names of the parameters in the path, in its order.
    pub fn in_path(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
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
    /// How the value stands in a JSON body; without meaning elsewhere.
    pub json: Json,
}

impl Param {
    pub(crate) const fn required(name: &'static str, grammar: Grammar) -> Self {
        Self { name, grammar, required: true, json: Json::Text }
    }

    pub(crate) const fn optional(name: &'static str, grammar: Grammar) -> Self {
        Self { name, grammar, required: false, json: Json::Text }
    }

    /// Writes the value as a number or as `true` or `false`.
    pub(crate) const fn bare(self) -> Self {
        Self { json: Json::Bare, ..self }
    }
}

/// Where the parameters of a call go that are not in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carry {
    /// Into the query.
    Query,
    /// Into an `application/x-www-form-urlencoded` body.
    Form,
    /// Into a JSON object. A dot in a name leads into an object: `order.units` is `{"order": {"units": ...}}`.
    Json,
    /// The one list is the body, as a JSON array.
    JsonArray,
}

/// How a value stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Json {
    /// As a string.
    Text,
    /// As a number, `true` or `false`.
    Bare,
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
    /// Answers with what the key itself may do, or at least that it works.
    Probe,
    /// Gets or renews a token that the venue hands out; the answer holds it.
    Login,
    /// Places orders.
    Place,
    /// Changes orders.
    Amend,
    /// Cancels orders by name.
    Cancel,
    /// Cancels every open order, of one symbol where the venue asks for it.
    CancelAll,
    /// Closes a position or a part of it.
    Close,
    /// Changes leverage, margin or position mode. Such a call is granted by its own name only, never by class.
    Setting,
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
    /// Every method, in the order of the enum.
    pub const ALL: &'static [Self] = &[Self::Get, Self::Post, Self::Put, Self::Delete];

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
    /// The host of the permission probe and what goes with it, where it is another one.
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
mod tests;
