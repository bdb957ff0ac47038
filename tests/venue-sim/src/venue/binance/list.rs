//! Order lists: several orders that belong together.
//!
//! They are taken, shown and canceled together; that one leg's execution ends or starts another is not modelled, for
//! resting orders never execute here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::ORDER_TYPES;
use super::view::View;
use crate::book::{Book, Order, Rejected, Status};
use crate::params::Params;
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call, Caller};

/// The lists of all keys.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<String, Vec<List>>>);

/// One list; its id is that of its first order.
#[derive(Clone, Debug)]
struct List {
    id: u64,
    client_id: String,
    contingency: &'static str,
    orders: Vec<u64>,
}

/// One order of a list: what its parameters begin with, and what stands for those it shares.
struct Leg {
    prefix: &'static str,
    shared: &'static str,
}

impl Lists {
    /// `POST /api/v3/orderList/…`, and OCO in its old spelling.
    pub(super) fn place(&self, call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
        let (contingency, legs) = kind(call.path).ok_or_else(protocol::unmodelled)?;
        let drafts = legs
            .iter()
            .map(|leg| protocol::draft(&call.with(leg_params(call, leg)), &ORDER_TYPES, false))
            .collect::<Result<Vec<_>, _>>()?;
        let mut orders = Vec::new();
        caller.account.with_book(|book| {
            for draft in drafts {
                orders.push(book.place(draft).map_err(rejected)?.id);
            }
            Ok::<_, Answer>(())
        })?;
        let id = orders.first().copied().unwrap_or_default();
        let client_id = call.params.get("listClientOrderId").map_or_else(|| format!("list-{id}"), str::to_owned);
        let list = List { id, client_id, contingency, orders };
        let answer = caller.account.with_book(|book| Answer::ok(&list.show(book, Some(&View::placed))));
        self.lock().entry(caller.account.key_id.clone()).or_default().push(list);
        Ok(answer)
    }

    /// `GET /api/v3/orderList`.
    pub(super) fn one(&self, call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
        let list = self.find(call, caller)?;
        Ok(caller.account.with_book(|book| Answer::ok(&list.show(book, None))))
    }

    /// `GET /api/v3/openOrderList` and `GET /api/v3/allOrderList`.
    pub(super) fn all(&self, caller: &Caller, open_only: bool) -> Answer {
        let lists = self.of(caller);
        caller.account.with_book(|book| {
            let wanted = |list: &&List| !open_only || list.is_open(book);
            Answer::ok(&lists.iter().filter(wanted).map(|list| list.show(book, None)).collect::<Vec<_>>())
        })
    }

    /// `DELETE /api/v3/orderList`.
    pub(super) fn cancel(&self, call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
        let list = self.find(call, caller)?;
        caller.account.with_book(|book| {
            let canceled = list.orders.iter().filter(|id| book.cancel(**id, call.received.at).is_some()).count();
            if canceled == 0 {
                return Err(protocol::bad_request(-2011, "Unknown order list sent."));
            }
            Ok(Answer::ok(&list.show(book, Some(&View::canceled))))
        })
    }

    fn find(&self, call: &Call<'_>, caller: &Caller) -> Result<List, Answer> {
        let id: Option<u64> = call.params.get("orderListId").and_then(|text| text.parse().ok());
        let client_id = call.params.get("listClientOrderId").or_else(|| call.params.get("origClientOrderId"));
        self.of(caller)
            .into_iter()
            .find(|list| id == Some(list.id) || client_id == Some(&list.client_id))
            .ok_or_else(|| protocol::bad_request(-2018, "Order list does not exist."))
    }

    fn of(&self, caller: &Caller) -> Vec<List> {
        self.lock().get(&caller.account.key_id).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<List>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn is_open(&self, book: &Book) -> bool {
        self.orders(book).any(|order| order.status == Status::New)
    }

    fn orders<'a>(&self, book: &'a Book) -> impl Iterator<Item = &'a Order> {
        self.orders.iter().filter_map(|id| book.by_id(*id))
    }

    fn show<'a>(&self, book: &'a Book, report: Option<&dyn Fn(&'a Order) -> View<'a>>) -> Value {
        let named = |order: &Order| {
            json!({
                "symbol": order.draft.symbol.name, "orderId": order.id, "clientOrderId": order.client_order_id(),
            })
        };
        let open = self.is_open(book);
        let mut shown = json!({
            "orderListId": self.id,
            "contingencyType": self.contingency,
            "listStatusType": if open { "EXEC_STARTED" } else { "ALL_DONE" },
            "listOrderStatus": if open { "EXECUTING" } else { "ALL_DONE" },
            "listClientOrderId": self.client_id,
            "transactionTime": self.orders(book).map(|order| order.updated.ms()).max(),
            "symbol": self.orders(book).map(|order| order.draft.symbol.name).next(),
            "orders": self.orders(book).map(named).collect::<Vec<_>>(),
        });
        if let (Some(report), Value::Object(members)) = (report, &mut shown) {
            members.insert("orderReports".to_owned(), json!(self.orders(book).map(report).collect::<Vec<_>>()));
        }
        shown
    }
}

fn rejected(why: Rejected) -> Answer {
    match why {
        Rejected::DuplicateClientOrderId => protocol::bad_request(-2010, "Duplicate order sent."),
        Rejected::NothingToReduce => protocol::bad_request(-2010, "Order would not reduce."),
    }
}

const OCO: &[Leg] = &[Leg { prefix: "above", shared: "" }, Leg { prefix: "below", shared: "" }];
const OLD_OCO: &[Leg] = &[Leg { prefix: "limit", shared: "" }, Leg { prefix: "stop", shared: "" }];
const OTO: &[Leg] = &[Leg { prefix: "working", shared: "" }, Leg { prefix: "pending", shared: "working" }];
const OTOCO: &[Leg] = &[
    Leg { prefix: "working", shared: "" },
    Leg { prefix: "pendingAbove", shared: "pending" },
    Leg { prefix: "pendingBelow", shared: "pending" },
];

fn kind(path: &str) -> Option<(&'static str, &'static [Leg])> {
    Some(match path {
        "/api/v3/order/oco" => ("OCO", OLD_OCO),
        "/api/v3/orderList/oco" => ("OCO", OCO),
        "/api/v3/orderList/oto" | "/api/v3/orderList/opo" => ("OTO", OTO),
        "/api/v3/orderList/otoco" | "/api/v3/orderList/opoco" => ("OTO", OTOCO),
        _ => return None,
    })
}

/// The parameters of one order, under the names that a single order has.
fn leg_params(call: &Call<'_>, leg: &Leg) -> Params<'static> {
    let mut params = Map::new();
    if let Some((_, fields)) = OLD_FIELDS.iter().find(|(prefix, _)| *prefix == leg.prefix) {
        for (name, sent_as) in *fields {
            set(&mut params, name, call.params.get(sent_as));
        }
        let kind = match (leg.prefix, call.params.get("stopLimitPrice")) {
            ("limit", _) => "LIMIT_MAKER",
            (_, None) => "STOP_LOSS",
            (_, Some(_)) => "STOP_LOSS_LIMIT",
        };
        set(&mut params, "type", Some(kind));
        return Params::object(params);
    }
    set(&mut params, "symbol", call.params.get("symbol"));
    set(&mut params, "newClientOrderId", call.params.get(&format!("{}ClientOrderId", leg.prefix)));
    for name in ["type", "side", "quantity", "price", "stopPrice", "timeInForce"] {
        let own = call.params.get(&spelled(leg.prefix, name));
        let may_share = matches!(name, "side" | "quantity");
        let value = own.or_else(|| call.params.get(&spelled(leg.shared, name)).filter(|_| may_share));
        // What is bought first is what is sold then, where the list says nothing else.
        let first = || call.params.get(&spelled("working", name)).filter(|_| name == "quantity");
        set(&mut params, name, value.or_else(first));
    }
    Params::object(params)
}

type Fields = &'static [(&'static str, &'static str)];

/// What the two orders of an old OCO take from it.
const OLD_FIELDS: [(&str, Fields); 2] = [
    (
        "limit",
        &[
            ("symbol", "symbol"),
            ("side", "side"),
            ("quantity", "quantity"),
            ("price", "price"),
            ("newClientOrderId", "limitClientOrderId"),
        ],
    ),
    (
        "stop",
        &[
            ("symbol", "symbol"),
            ("side", "side"),
            ("quantity", "quantity"),
            ("price", "stopLimitPrice"),
            ("stopPrice", "stopPrice"),
            ("timeInForce", "stopLimitTimeInForce"),
            ("newClientOrderId", "stopClientOrderId"),
        ],
    ),
];

/// `price` after `above` is `abovePrice`.
fn spelled(prefix: &str, name: &str) -> String {
    match name.split_at_checked(1) {
        Some((first, rest)) if !prefix.is_empty() => format!("{prefix}{}{rest}", first.to_ascii_uppercase()),
        _ => name.to_owned(),
    }
}

fn set(params: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        params.insert(name.to_owned(), value.into());
    }
}
