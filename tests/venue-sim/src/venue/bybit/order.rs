//! Bybit's orders, one by one and in batches.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::view::{View, execution, order_id, parse_order_id};
use super::{Category, Listed, Mistake, Page, envelope, ok};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side, Status};
use crate::params::Params;
use crate::venue::{Answer, Call, Caller};

const BATCH_MAX: usize = 20;
const LIST_DEFAULT: usize = 20;
const LIST_MAX: usize = 50;
const CLIENT_ID_LENGTH_MAX: usize = 36;

/// What an act on one order answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ack {
    order_id: String,
    order_link_id: String,
}

/// What an act on one order of a batch answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItem {
    category: &'static str,
    symbol: String,
    #[serde(flatten)]
    ack: Ack,
    create_at: String,
}

/// One order to act on, alone or out of a batch.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    call: &'a Call<'a>,
    category: Category,
}

/// `POST /v5/order/create`.
pub(super) fn create(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    one(call, caller, create_one)
}

/// `POST /v5/order/amend`.
pub(super) fn amend(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    one(call, caller, amend_one)
}

/// `POST /v5/order/cancel`.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    one(call, caller, cancel_one)
}

/// Does `act` to each item of `request`; each has its own number and words beside the results.
pub(super) fn batch(
    call: &Call<'_>,
    caller: &Caller,
    act: impl Fn(Request<'_>, &mut Book) -> Result<Ack, Mistake>,
) -> Result<Answer, Mistake> {
    let category = Category::of(&call.params)?;
    let items = batch_items(call).filter(|items| (1..=BATCH_MAX).contains(&items.len()));
    let items = items.ok_or_else(|| Mistake::params("request is invalid"))?;
    let (mut results, mut said) = (Vec::new(), Vec::new());
    for params in items {
        let item = Call { params, ..*call };
        let outcome = match item.params.repeated() {
            Some(name) => Err(Mistake::params(&format!("duplicate {name}"))),
            None => caller.account.with_book(|book| act(Request { call: &item, category }, book)),
        };
        let (ack, code, msg) = match outcome {
            Ok(ack) => (ack, 0, "OK".into()),
            Err(mistake) => {
                let named = item.params.get("orderLinkId").unwrap_or_default().to_owned();
                (Ack { order_id: String::new(), order_link_id: named }, mistake.code, mistake.msg)
            }
        };
        results.push(BatchItem {
            category: category.word(),
            symbol: item.params.get("symbol").unwrap_or_default().to_owned(),
            ack,
            create_at: call.received.at.ms().to_string(),
        });
        said.push(json!({ "code": code, "msg": msg }));
    }
    Ok(envelope(call, 0, "OK", Listed { list: results }, Listed { list: said }))
}

/// The orders of a batch, whose `request` is read from the body: on the way into the parameters, a name that an
/// order has twice would be lost.
pub(super) fn batch_items(call: &Call<'_>) -> Option<Vec<Params<'static>>> {
    #[derive(Deserialize)]
    struct Batch {
        request: Vec<Params<'static>>,
    }
    serde_json::from_slice::<Batch>(&call.received.body).ok().map(|batch| batch.request)
}

/// Takes a new order.
pub(super) fn create_one(request: Request<'_>, book: &mut Book) -> Result<Ack, Mistake> {
    match book.place(draft(request)?) {
        Ok(order) => Ok(Ack::of(order)),
        Err(Rejected::DuplicateClientOrderId) if request.category == Category::Spot => {
            Err(Mistake::new(170_141, "Duplicate clientOrderId."))
        }
        Err(Rejected::DuplicateClientOrderId) => Err(Mistake::new(110_072, "OrderLinkedID is duplicate")),
        Err(Rejected::NothingToReduce) => {
            Err(Mistake::new(110_017, "current position is zero, cannot fix reduce-only order qty"))
        }
    }
}

/// Changes price or quantity of an open order.
pub(super) fn amend_one(request: Request<'_>, book: &mut Book) -> Result<Ack, Mistake> {
    let id = request.wanted(book)?;
    let (price, quantity) = (request.decimal("price", "Price")?, request.decimal("qty", "Qty")?);
    let amended = book.amend(id, price, quantity, request.call.received.at);
    amended.map(Ack::of).ok_or_else(|| request.not_found())
}

/// Cancels an open order.
pub(super) fn cancel_one(request: Request<'_>, book: &mut Book) -> Result<Ack, Mistake> {
    let id = request.wanted(book)?;
    book.cancel(id, request.call.received.at).map(Ack::of).ok_or_else(|| request.not_found())
}

/// `POST /v5/order/cancel-all`: contracts must say which, spot need not.
pub(super) fn cancel_all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let filter = Filter::of(&call.params)?;
    if filter.category != Category::Spot && !filter.narrows() {
        return Err(Mistake::params("symbol, baseCoin or settleCoin is required"));
    }
    let canceled: Vec<Ack> = caller.account.with_book(|book| {
        let ids: Vec<u64> = book.open().filter(|order| filter.takes(order)).map(|order| order.id).collect();
        ids.into_iter().filter_map(|id| book.cancel(id, call.received.at).map(Ack::of)).collect()
    });
    Ok(ok(call, json!({ "list": canceled, "success": "1" })))
}

/// `GET /v5/order/realtime`: open orders, or one by its name whatever became of it.
pub(super) fn realtime(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let filter = Filter::of(&call.params)?;
    let named = filter.id.is_some() || filter.client_id.is_some();
    if filter.category != Category::Spot && !named && !filter.narrows() {
        return Err(Mistake::params("symbol, settleCoin or baseCoin is required"));
    }
    let closed_too = named || call.params.get("openOnly") == Some("1");
    Ok(caller.account.with_book(|book| {
        page(call, filter.category, book, |order| filter.takes(order) && (closed_too || order.status == Status::New))
    }))
}

/// `GET /v5/order/history`: orders that have ended.
pub(super) fn history(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let filter = Filter::of(&call.params)?;
    Ok(caller.account.with_book(|book| {
        page(call, filter.category, book, |order| filter.takes(order) && order.status != Status::New)
    }))
}

/// `GET /v5/execution/list`.
pub(super) fn executions(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let filter = Filter::of(&call.params)?;
    let executions: Vec<Value> = caller.account.with_book(|book| {
        let filled = book.all().filter(|order| filter.takes(order) && !order.executed.is_zero());
        filled.map(execution).collect()
    });
    let list: Vec<Value> = executions.into_iter().rev().take(limit(call)).collect();
    Ok(ok(call, Page { list, next_page_cursor: String::new(), category: filter.category.word() }))
}

fn one(
    call: &Call<'_>,
    caller: &Caller,
    act: impl Fn(Request<'_>, &mut Book) -> Result<Ack, Mistake>,
) -> Result<Answer, Mistake> {
    let category = Category::of(&call.params)?;
    let ack = caller.account.with_book(|book| act(Request { call, category }, book))?;
    Ok(ok(call, ack))
}

fn draft(request: Request<'_>) -> Result<Draft, Mistake> {
    let call = request.call;
    let params = &call.params;
    let symbol = request.category.symbol(params.get("symbol"))?;
    let side = match params.get("side") {
        Some("Buy") => Side::Buy,
        Some("Sell") => Side::Sell,
        _ => return Err(Mistake::params("Side invalid")),
    };
    let kind = params.get("orderType").unwrap_or_default();
    let price = match kind {
        "Market" => None,
        "Limit" => Some(request.decimal("price", "Price")?.ok_or_else(|| Mistake::params("Price invalid"))?),
        _ => return Err(Mistake::params("OrderType invalid")),
    };
    let time_in_force = params.get("timeInForce").unwrap_or(if price.is_none() { "IOC" } else { "GTC" });
    if !["GTC", "IOC", "FOK", "PostOnly"].contains(&time_in_force) {
        return Err(Mistake::params("timeInForce invalid"));
    }
    let client_order_id = params.get("orderLinkId").map(str::to_owned);
    if client_order_id.as_ref().is_some_and(|id| id.len() > CLIENT_ID_LENGTH_MAX) {
        return Err(Mistake::params("orderLinkId too long"));
    }
    if params.get("positionIdx").is_some_and(|index| index != "0") {
        return Err(Mistake::new(10001, "position idx not match position mode"));
    }
    let mut quantity = request.decimal("qty", "Qty")?.ok_or_else(|| Mistake::params("Qty invalid"))?;
    let spot = request.category == Category::Spot;
    // A spot market purchase says what to spend, unless it says otherwise.
    let unit = params.get("marketUnit").unwrap_or(if side == Side::Buy { "quoteCoin" } else { "baseCoin" });
    if spot && price.is_none() && unit == "quoteCoin" {
        quantity = quantity.checked_div(symbol.price).unwrap_or_default().round_dp(8);
    }
    let waits = params.get("triggerPrice").is_some();
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: time_in_force.to_owned(),
        price,
        quantity,
        client_order_id,
        reduce_only: params.flag("reduceOnly"),
        on_margin: !spot,
        fate: match (price, time_in_force) {
            _ if waits => Fate::Rest,
            (None, _) => Fate::Fill,
            (_, "IOC" | "FOK") => Fate::Expire,
            _ => Fate::Rest,
        },
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&[]),
    })
}

/// Newest first; the cursor is the number of the last order shown.
fn page(call: &Call<'_>, category: Category, book: &Book, takes: impl Fn(&Order) -> bool) -> Answer {
    let before = call.params.get("cursor").and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
    let mut found: Vec<&Order> = book.all().filter(|order| order.id < before && takes(order)).collect();
    found.reverse();
    let more = found.len() > limit(call);
    found.truncate(limit(call));
    let cursor = found.last().filter(|_| more).map(|order| order.id.to_string());
    let next_page_cursor = cursor.unwrap_or_default();
    let list: Vec<View<'_>> = found.into_iter().map(View::of).collect();
    ok(call, Page { list, next_page_cursor, category: category.word() })
}

fn limit(call: &Call<'_>) -> usize {
    call.params.get("limit").and_then(|text| text.parse().ok()).unwrap_or(LIST_DEFAULT).clamp(1, LIST_MAX)
}

impl Ack {
    fn of(order: &Order) -> Self {
        Self { order_id: order_id(order), order_link_id: order.chosen_client_order_id().to_owned() }
    }
}

impl Request<'_> {
    /// The order that `orderId`, or else `orderLinkId`, means.
    fn wanted(self, book: &Book) -> Result<u64, Mistake> {
        let symbol = self.category.symbol(self.call.params.get("symbol"))?;
        let found = match (self.call.params.get("orderId"), self.call.params.get("orderLinkId")) {
            (Some(id), _) => parse_order_id(id).and_then(|id| book.by_id(id)),
            (None, Some(id)) => book.by_client_id(id),
            (None, None) => return Err(Mistake::params("orderId or orderLinkId is required")),
        };
        let on_margin = self.category != Category::Spot;
        let here = |order: &&Order| order.draft.symbol.name == symbol.name && order.draft.on_margin == on_margin;
        found.filter(here).map(|order| order.id).ok_or_else(|| self.not_found())
    }

    fn not_found(self) -> Mistake {
        match self.category {
            Category::Spot => Mistake::new(170_213, "Order does not exist."),
            Category::Linear | Category::Other(_) => Mistake::new(110_001, "order not exists or too late to cancel"),
        }
    }

    /// A decimal greater than zero, if it was sent.
    fn decimal(self, name: &str, shown: &str) -> Result<Option<Decimal>, Mistake> {
        let parse = |text: &str| text.parse().ok().filter(|value| *value > Decimal::ZERO);
        let invalid = || Mistake::params(&format!("{shown} invalid"));
        self.call.params.get(name).map(|text| parse(text).ok_or_else(invalid)).transpose()
    }
}

/// Which orders are meant.
#[derive(Clone, Copy)]
struct Filter<'a> {
    category: Category,
    symbol: Option<&'a str>,
    id: Option<&'a str>,
    client_id: Option<&'a str>,
    base: Option<&'a str>,
    settle: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn of(params: &'a Params<'_>) -> Result<Self, Mistake> {
        let category = Category::of(params)?;
        let symbol = params.get("symbol").map(|name| category.symbol(Some(name))).transpose()?;
        Ok(Self { category, symbol: symbol.map(|symbol| symbol.name), ..Self::of_names(params) })
    }

    fn of_names(params: &'a Params<'_>) -> Self {
        Self {
            category: Category::Spot,
            symbol: None,
            id: params.get("orderId"),
            client_id: params.get("orderLinkId"),
            base: params.get("baseCoin"),
            settle: params.get("settleCoin"),
        }
    }

    fn narrows(&self) -> bool {
        self.symbol.or(self.base).or(self.settle).is_some()
    }

    fn takes(&self, order: &Order) -> bool {
        let fits = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
        let on_margin = match self.category {
            Category::Spot => false,
            Category::Linear => true,
            Category::Other(_) => return false,
        };
        order.draft.on_margin == on_margin
            && fits(self.symbol, order.draft.symbol.name)
            && fits(self.base, order.draft.symbol.base)
            && fits(self.settle, order.draft.symbol.quote)
            && fits(self.id, &order_id(order))
            && fits(self.client_id, order.client_order_id())
    }
}
