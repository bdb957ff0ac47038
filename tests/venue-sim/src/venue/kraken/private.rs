//! Kraken's private methods.

use rust_decimal::Decimal;
use serde_json::json;

use super::permission::api_key_info;
use super::{PRIVATE, order, result, unmodelled, view};
use crate::book::Status;
use crate::market::{KRAKEN, fixed};
use crate::venue::{Answer, Call, Caller};

/// What everybody is taken to be worth, in dollars.
const EQUITY: u32 = 1_000_000;

/// Answers a private method.
pub(super) fn answer(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    match call.path.strip_prefix(PRIVATE).unwrap_or_default() {
        "AddOrder" => order::place(call, caller),
        "AddOrderBatch" => order::place_all(call, caller),
        "AmendOrder" => order::amend(call, caller),
        "EditOrder" => order::edit(call, caller),
        "CancelOrder" => order::cancel(call, caller),
        "CancelOrderBatch" => order::cancel_listed(call, caller),
        "CancelAll" => {
            let canceled = caller.account.with_book(|book| book.cancel_all(None, call.received.at));
            Ok(result(&json!({ "count": canceled.len() })))
        }
        "CancelAllOrdersAfter" => {
            let now = call.received.at.rfc3339();
            Ok(result(
                &json!({ "currentTime": now, "triggerTime": if call.params.get("timeout") == Some("0") { "0" } else { now.as_str() } }),
            ))
        }
        method => show(method, call, caller),
    }
}

/// The methods that only show.
fn show(method: &str, call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let account = &caller.account;
    let asked = |order: &&crate::book::Order| order::asked_for(call, order);
    Ok(match method {
        "GetApiKeyInfo" => api_key_info(caller, call.received.at),
        "Balance" => account.with_book(|book| result(&view::balances(book))),
        "BalanceEx" => account.with_book(|book| result(&view::balances_in_detail(book))),
        "TradeBalance" => {
            let equity = fixed(Decimal::from(EQUITY), 4);
            result(&json!({ "eb": equity, "tb": equity, "e": equity, "mf": equity, "m": "0.0000", "uv": "0.0000" }))
        }
        "TradeVolume" => {
            let fees = |fee: &str| -> serde_json::Map<String, serde_json::Value> {
                let fee = json!({ "fee": fee, "minfee": "0.0800", "maxfee": "0.4000", "nextfee": null, "tiervolume": "0.0000" });
                KRAKEN.iter().map(|pair| (view::wire_name(pair).to_owned(), fee.clone())).collect()
            };
            result(
                &json!({ "currency": "ZUSD", "volume": "0.0000", "fees": fees("0.4000"), "fees_maker": fees("0.2500") }),
            )
        }
        "CreditLines" => result(&json!(null)),
        "OpenPositions" if call.params.get("consolidation") == Some("market") => {
            account.with_book(|book| result(&view::positions_by_market(book)))
        }
        "OpenPositions" => account.with_book(|book| result(&view::positions(book))),
        "OpenOrders" => {
            let open = account.with_book(|book| view::orders(book.open().filter(asked)));
            result(&json!({ "open": open }))
        }
        "ClosedOrders" => {
            let closed = account
                .with_book(|book| view::orders(book.all().filter(|order| order.status != Status::New).filter(asked)));
            let count = closed.len();
            result(&json!({ "closed": closed, "count": count }))
        }
        "QueryOrders" => {
            let orders =
                account.with_book(|book| order::wanted(call, book).map(|found| view::orders(found.into_iter())))?;
            result(&orders.into())
        }
        "TradesHistory" => {
            let trades = account.with_book(|book| view::trades(book));
            let count = trades.len();
            result(&json!({ "trades": trades, "count": count }))
        }
        "QueryTrades" => {
            let wanted: Vec<&str> = call.params.get("txid").unwrap_or_default().split(',').collect();
            let mut trades = account.with_book(|book| view::trades(book));
            trades.retain(|id, _| wanted.contains(&id.as_str()));
            result(&trades.into())
        }
        "OrderAmends" => result(&json!({ "amends": [], "count": 0 })),
        "Ledgers" => result(&json!({ "ledger": {}, "count": 0 })),
        "QueryLedgers" => result(&json!({})),
        _ => unmodelled(),
    })
}
