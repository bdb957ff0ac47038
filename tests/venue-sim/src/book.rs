//! One key's orders, balances and positions.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rust_decimal::Decimal;

use crate::clock::Moment;
use crate::market::Symbol;

/// Orders kept per key; the oldest are forgotten, so that a benchmark runs in bounded memory.
const ORDERS_MAX: usize = 100_000;

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Buy,
    Sell,
}

impl Side {
    /// The other way.
    pub(crate) const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `amount` as seen from the base asset: more of it when buying, less when selling.
    pub(crate) fn signed(self, amount: Decimal) -> Decimal {
        match self {
            Self::Buy => amount,
            Self::Sell => Decimal::ZERO.saturating_sub(amount),
        }
    }
}

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    Filled,
    Canceled,
    Expired,
}

impl Status {
    /// The word that Binance uses; the control API uses it for every venue.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// What happens to an order as soon as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It waits in the book.
    Rest,
    /// It is filled at the ticker.
    Fill,
    /// It ends unfilled, for it may not wait and found nobody.
    Expire,
}

/// An order as the venue's module understood it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) symbol: &'static Symbol,
    pub(crate) side: Side,
    /// The venue's word for its type.
    pub(crate) kind: String,
    pub(crate) time_in_force: String,
    pub(crate) price: Option<Decimal>,
    pub(crate) quantity: Decimal,
    pub(crate) client_order_id: Option<String>,
    pub(crate) reduce_only: bool,
    /// Whether it moves a position instead of balances.
    pub(crate) on_margin: bool,
    pub(crate) fate: Fate,
    /// Sequence number of the request that brought it.
    pub(crate) seq: u64,
    pub(crate) received: Moment,
    /// The decoded parameters but for what authenticates, as JSON text.
    pub(crate) params: Box<str>,
}

/// An order that the venue has taken.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) draft: Draft,
    pub(crate) status: Status,
    pub(crate) executed: Decimal,
    /// Quote currency paid or earned.
    pub(crate) executed_quote: Decimal,
    pub(crate) updated: Moment,
}

impl Order {
    /// The client's own name for it, or the one that the venue gave.
    pub(crate) fn client_order_id(&self) -> &str {
        self.draft.client_order_id.as_deref().unwrap_or_default()
    }

    /// The client's own name for it, empty if it gave none.
    pub(crate) fn chosen_client_order_id(&self) -> &str {
        let name = self.client_order_id();
        if name == given_name(self.id) { "" } else { name }
    }

    /// Price per unit of what was executed, else zero.
    pub(crate) fn average_price(&self) -> Decimal {
        self.executed_quote.checked_div(self.executed).unwrap_or_default()
    }
}

/// Why an order was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// An open order has the same client order id.
    DuplicateClientOrderId,
    /// A reduce-only order would not reduce a position.
    NothingToReduce,
}

/// An amount of a symbol held in derivatives; negative when short.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    pub(crate) amount: Decimal,
    pub(crate) entry_price: Decimal,
}

/// One key's orders, balances and positions.
#[derive(Debug)]
pub(crate) struct Book {
    /// Ids rise by one, so an id is found by its distance from the front's.
    orders: VecDeque<Order>,
    next_id: u64,
    open: BTreeSet<u64>,
    open_by_client_id: HashMap<String, u64>,
    /// What was gained and lost by trading, on top of what the venue gives everyone.
    pub(crate) balance_changes: BTreeMap<&'static str, Decimal>,
    pub(crate) positions: BTreeMap<&'static str, Position>,
    /// The leverage set for a symbol; the venue's own where none was set.
    pub(crate) leverage: BTreeMap<&'static str, Decimal>,
}

impl Book {
    /// Makes an empty book whose orders are numbered from `first_id`.
    pub(crate) fn new(first_id: u64) -> Self {
        Self {
            orders: VecDeque::new(),
            next_id: first_id,
            open: BTreeSet::new(),
            open_by_client_id: HashMap::new(),
            balance_changes: BTreeMap::new(),
            positions: BTreeMap::new(),
            leverage: BTreeMap::new(),
        }
    }

    /// Takes an order and lets its fate happen.
    pub(crate) fn place(&mut self, mut draft: Draft) -> Result<&Order, Rejected> {
        if let Some(wanted) = &draft.client_order_id
            && self.open_by_client_id.contains_key(wanted)
        {
            return Err(Rejected::DuplicateClientOrderId);
        }
        if draft.reduce_only && !self.would_reduce(&draft) {
            return Err(Rejected::NothingToReduce);
        }
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        let client_order_id = draft.client_order_id.get_or_insert_with(|| given_name(id));
        if draft.fate == Fate::Rest {
            self.open_by_client_id.insert(client_order_id.clone(), id);
            self.open.insert(id);
        }
        let order = self.execute(id, draft);
        self.forget_oldest();
        self.orders.push_back(order);
        self.by_id(id).ok_or(Rejected::DuplicateClientOrderId)
    }

    /// Cancels an open order and shows what it is afterwards; `None` if it is not open.
    pub(crate) fn cancel(&mut self, id: u64, at: Moment) -> Option<&Order> {
        if !self.open.remove(&id) {
            return None;
        }
        let index = self.index(id)?;
        let order = self.orders.get_mut(index)?;
        order.status = Status::Canceled;
        order.updated = at;
        self.open_by_client_id.remove(order.client_order_id());
        Some(order)
    }

    /// Gives an open order another price or quantity; `None` if it is not open.
    pub(crate) fn amend(
        &mut self,
        id: u64,
        price: Option<Decimal>,
        quantity: Option<Decimal>,
        at: Moment,
    ) -> Option<&Order> {
        if !self.open.contains(&id) {
            return None;
        }
        let index = self.index(id)?;
        let order = self.orders.get_mut(index)?;
        order.draft.price = price.or(order.draft.price);
        order.draft.quantity = quantity.unwrap_or(order.draft.quantity);
        order.updated = at;
        Some(order)
    }

    /// Cancels the open orders of a symbol, or all, and tells their ids.
    pub(crate) fn cancel_all(&mut self, symbol: Option<&Symbol>, at: Moment) -> Vec<u64> {
        let ids: Vec<u64> = self
            .open()
            .filter(|order| symbol.is_none_or(|symbol| symbol.name == order.draft.symbol.name))
            .map(|order| order.id)
            .collect();
        for id in &ids {
            self.cancel(*id, at);
        }
        ids
    }

    /// An order by its id, open or not.
    pub(crate) fn by_id(&self, id: u64) -> Option<&Order> {
        self.orders.get(self.index(id)?)
    }

    /// The newest order with a client order id; an open one before all others.
    pub(crate) fn by_client_id(&self, client_order_id: &str) -> Option<&Order> {
        if let Some(id) = self.open_by_client_id.get(client_order_id) {
            return self.by_id(*id);
        }
        self.orders.iter().rev().find(|order| order.client_order_id() == client_order_id)
    }

    /// Open orders, oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.iter().filter_map(|id| self.by_id(*id))
    }

    /// All orders that are remembered, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    fn index(&self, id: u64) -> Option<usize> {
        let first = self.orders.front()?.id;
        usize::try_from(id.checked_sub(first)?).ok()
    }

    fn would_reduce(&self, draft: &Draft) -> bool {
        let held = self.positions.get(draft.symbol.name).map_or(Decimal::ZERO, |position| position.amount);
        match draft.side {
            Side::Buy => held < Decimal::ZERO,
            Side::Sell => held > Decimal::ZERO,
        }
    }

    fn execute(&mut self, id: u64, draft: Draft) -> Order {
        let price = draft.symbol.price;
        let (status, executed) = match draft.fate {
            Fate::Rest => (Status::New, Decimal::ZERO),
            Fate::Expire => (Status::Expired, Decimal::ZERO),
            Fate::Fill => (Status::Filled, self.fillable(&draft)),
        };
        let executed_quote = executed.saturating_mul(price);
        let side = draft.side;
        if draft.on_margin {
            self.move_position(draft.symbol, side.signed(executed));
        } else {
            self.change(draft.symbol.base, side.signed(executed));
            self.change(draft.symbol.quote, side.opposite().signed(executed_quote));
        }
        Order { id, status, executed, executed_quote, updated: draft.received, draft }
    }

    /// A reduce-only order is cut to what is held.
    fn fillable(&self, draft: &Draft) -> Decimal {
        match self.positions.get(draft.symbol.name) {
            Some(position) if draft.reduce_only => draft.quantity.min(position.amount.abs()),
            _ => draft.quantity,
        }
    }

    fn change(&mut self, asset: &'static str, by: Decimal) {
        if !by.is_zero() {
            let balance = self.balance_changes.entry(asset).or_default();
            *balance = balance.saturating_add(by);
        }
    }

    fn move_position(&mut self, symbol: &'static Symbol, by: Decimal) {
        if by.is_zero() {
            return;
        }
        let position = self.positions.entry(symbol.name).or_default();
        position.amount = position.amount.saturating_add(by);
        // Prices never move, so every entry is at the ticker.
        position.entry_price = symbol.price;
        if position.amount.is_zero() {
            self.positions.remove(symbol.name);
        }
    }

    fn forget_oldest(&mut self) {
        if self.orders.len() < ORDERS_MAX {
            return;
        }
        if let Some(oldest) = self.orders.pop_front()
            && self.open.remove(&oldest.id)
        {
            self.open_by_client_id.remove(oldest.client_order_id());
        }
    }
}

/// What the venue calls an order whose client gave it no name.
fn given_name(id: u64) -> String {
    format!("sim-{id}")
}
