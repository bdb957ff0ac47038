//! How often Bybit may be asked.
//!
//! Source: bybit-exchange.github.io/docs/v5/rate-limit. Stored copy, read 2026-11.

use super::order::batch_items;
use crate::limits::{Excess, Limit, Scope};
use crate::venue::{Answer, Call, Refusal};

const SECOND_MS: u64 = 1_000;
/// An address that asks too much is shut out at once.
const SHUT_OUT_MS: u64 = 600_000;

/// Requests of one account to one path in a second; of several figures for one path, the lowest.
const PER_SECOND: [(&str, u32); 8] = [
    ("/v5/order/realtime", 50),
    ("/v5/order/history", 50),
    ("/v5/order/c", 10),
    ("/v5/order/amend", 10),
    ("/v5/execution/list", 50),
    ("/v5/position/list", 50),
    ("/v5/position/set-leverage", 10),
    ("/v5/account/wallet-balance", 50),
];

/// The documented budgets.
pub(super) fn limits() -> Vec<Limit> {
    let by_path = PER_SECOND
        .into_iter()
        .map(|(path, max)| Limit::per(Scope::Endpoint, SECOND_MS, max).path(path).left_header("x-bapi-limit-status"));
    [Limit::per(Scope::Address, 5_000, 600).ban(1, SHUT_OUT_MS)].into_iter().chain(by_path).collect()
}

/// Each order of a batch counts.
pub(super) fn cost(scope: Scope, call: &Call<'_>) -> u32 {
    match scope {
        Scope::Endpoint if call.path.ends_with("-batch") => {
            let orders = batch_items(call).map_or(0, |items| items.len());
            u32::try_from(orders).unwrap_or(u32::MAX).max(1)
        }
        Scope::Address | Scope::Endpoint => 1,
        Scope::Key | Scope::Orders => 0,
    }
}

/// Who is refused: the account, or the address for all its accounts.
pub(super) fn refusal(excess: Excess) -> Refusal {
    if excess.scope == Scope::Address { Refusal::Banned } else { Refusal::RateLimited }
}

/// The budget of the path; the moment is the present one as long as there is room.
pub(super) fn show_on(mut answer: Answer, call: &Call<'_>) -> Answer {
    if let Some((_, max)) = PER_SECOND.iter().find(|(path, _)| call.path.starts_with(path)) {
        answer.headers.push(("x-bapi-limit", max.to_string()));
        answer.headers.push(("x-bapi-limit-reset-timestamp", call.received.at.ms().to_string()));
    }
    answer
}
