//! Finding an order again whose placing was never answered: by the client order id that it went out with.

use crate::{
    json,
    meaning::{Meaning, meaning},
    operation::{Kind, Operation, operation},
    params::{Call, Params},
    venue::VenueId,
};

/// Whether the venue has an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It has.
    Yes,
    /// It says that there is none.
    No,
    /// It did not say.
    Unclear,
}

/// Gives the order a client order id of ours, if it is one order, the venue has such ids, and the caller gave none.
///
/// `digest` is random to everybody but us and the same for the same request: a retry gets the same id.
pub fn name_order(operation: &'static Operation, params: &mut Params, digest: &[u8; 16]) {
    if operation.kind != Kind::Place {
        return;
    }
    let Some((name, id)) = operation.venue.rules().client_order_id(operation, digest) else { return };
    if operation.param(name).is_none() {
        if let Some(named) = named_in_list(operation, params, name, &id) {
            *params = named;
        }
    } else if params.get(name).is_none() {
        params.push(name, id);
    }
}

/// The parameters with the id in their one list of orders, if that has one order without such an id.
fn named_in_list(operation: &'static Operation, params: &Params, name: &str, id: &str) -> Option<Params> {
    let mut lists = operation.params.iter().filter_map(|param| Some((param.name, param.grammar.list()?)));
    let (at, list) = lists.rfind(|(_, list)| list.has(name))?;
    let mut items = json::items(params.get(at)?, list).ok()?;
    let (Some(order), true) = (items.pop(), items.is_empty()) else { return None };
    if order.get(name).is_some() {
        return None;
    }
    let order: Params = order.iter().chain([(name, id)]).collect();
    let text = json::array_of(&[order], list);
    Some(params.iter().map(|(given, value)| (given, if given == at { text.as_str() } else { value })).collect())
}

/// Returns the call that asks the venue for the order that `call` placed; `None` if it cannot be asked for, or placed none.
pub fn lookup(call: &Call<'_>) -> Option<(&'static Operation, Params)> {
    if call.operation().kind != Kind::Place {
        return None;
    }
    let (name, params) = call.operation().venue.rules().lookup(call)?;
    Some((operation(call.operation().venue, name)?, params))
}

/// Returns the call that asks for it among the orders that have ended, at a venue that keeps them apart: what
/// [`lookup`] does not find may be there. Asked in this order, none slips through between the two.
pub fn lookup_ended(call: &Call<'_>) -> Option<(&'static Operation, Params)> {
    if call.operation().kind != Kind::Place {
        return None;
    }
    let (name, params) = call.operation().venue.rules().lookup_ended(call)?;
    Some((operation(call.operation().venue, name)?, params))
}

/// Reads the answer to a [`lookup`] or [`lookup_ended`].
pub fn found(venue: VenueId, status: u16, body: &[u8]) -> Found {
    venue.rules().found(&meaning(venue, status, body), body)
}

/// What most venues' answers say: an order, or a refusal with a code for orders that are not there.
pub(crate) fn by_meaning(meaning: &Meaning, absent: &[&str]) -> Found {
    match meaning {
        Meaning::Accepted => Found::Yes,
        Meaning::Rejected { code } if absent.contains(&code.as_str()) => Found::No,
        Meaning::Rejected { .. }
        | Meaning::BadSignature
        | Meaning::DeadKey
        | Meaning::SuspectKey
        | Meaning::MissingPermission
        | Meaning::AddressNotAllowed
        | Meaning::ClockSkew
        | Meaning::BadNonce
        | Meaning::RateLimited { .. }
        | Meaning::Unavailable
        | Meaning::Unknown => Found::Unclear,
    }
}
