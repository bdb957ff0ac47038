//! The firewall once more, as plainly as it can be said: every rule is asked about every order, nothing is found by an
//! index, nothing is counted by slices but by adding up what was let through.

use std::collections::HashMap;

use claviger_core::credential::Credential;
use claviger_core::identity::{AppPrincipal, Credentials, Grant};
use claviger_core::policy::{Budget, Collar, Day, Document, Hours, Limits, Prices, Resolved, Rule};
use claviger_core::store::{Effect, Spender, Unit, Window};
use claviger_venues::{
    Amend, CeilingClass, Class, Kind, Order, OrderKind, Product, Reading, Side, VenueId, quoted_in, worth,
    worth_of_amend,
};
use rust_decimal::Decimal;

/// What was let through: who spent how much of what, and when.
#[derive(Debug, Default)]
pub(crate) struct Model {
    spent: HashMap<(Spender, Unit, Window), Vec<(u64, Decimal)>>,
    placed: Vec<(Credential, VenueId, String, Side, Option<Decimal>, u64)>,
}

/// A request and everything that is known beside it.
pub(crate) struct Case<'a> {
    pub(crate) principal: &'a AppPrincipal,
    pub(crate) grants: &'a [Grant],
    pub(crate) policy: &'a Document,
    pub(crate) credential: &'a Credential,
    pub(crate) resolved: &'a Resolved,
    pub(crate) prices: &'a Prices,
    pub(crate) now_ms: u64,
}

/// One thing that is traded, as limits see it.
struct One<'a> {
    symbol: Option<&'a str>,
    order: Option<&'a Order>,
    amend: Option<&'a Amend>,
    setting_leverage: Option<Decimal>,
    is_setting: bool,
}

type Costs = Vec<(Spender, Unit, Window, Decimal, Decimal)>;

impl Model {
    /// The tag of the rule that refuses, or nothing.
    pub(crate) fn decide(&mut self, case: &Case<'_>) -> Result<(), &'static str> {
        let (credential, resolved) = (case.credential, case.resolved);
        let operation = resolved.operation();
        if operation.is_login() {
            return Err("system.only");
        }
        let read_only = credential.ceiling.class == CeilingClass::Read;
        if !credential.ceiling.allows(operation, resolved.reading().products()) {
            return Err(if read_only { "ceiling.class" } else { "ceiling.product" });
        }
        let grant = granted(case)?;
        let (mut costs, mut guarded) = (Costs::new(), false);
        for rule in case.policy.rules.iter().filter(|rule| concerns(rule, case)) {
            judge(rule, case, &mut costs)?;
            guarded |= rule.no_self_trade;
        }
        if resolved.effect() != Effect::Reduces {
            cost(&grant.budget, Spender::Grant(grant.id), case, &mut costs)?;
        }
        self.take(costs, guarded, case)
    }

    fn take(&mut self, costs: Costs, guarded: bool, case: &Case<'_>) -> Result<(), &'static str> {
        let mut once: Vec<((Spender, Unit, Window), Decimal, Decimal)> = Vec::new();
        for (spender, unit, window, amount, most) in costs {
            let key = (spender, unit, window);
            match once.iter_mut().find(|(same, ..)| *same == key) {
                Some((_, _, tightest)) => *tightest = most.min(*tightest),
                None => once.push((key, amount, most)),
            }
        }
        for (key, amount, most) in &once {
            let (_, unit, window) = key;
            let (length, count) = if *window == Window::Minute { (5_000, 12) } else { (3_600_000, 24) };
            let within = |at: &u64| at / length + count >= case.now_ms / length;
            let spent = self.spent.get(key).into_iter().flatten();
            let before: Decimal = spent.filter(|(at, _)| within(at)).map(|(_, amount)| *amount).sum();
            if before + *amount > *most {
                return Err(match unit {
                    Unit::Requests => "budget.requests",
                    Unit::Orders => "budget.orders",
                    Unit::Notional(_) => "budget.notional",
                });
            }
        }
        let mut placing = Vec::new();
        for (asked, own_side, own_price) in if guarded { met(case.resolved) } else { Vec::new() } {
            let crosses = |side: Side, price: Option<Decimal>| match (side, own_side, price, own_price) {
                (Side::Buy, Side::Buy, ..) | (Side::Sell, Side::Sell, ..) => false,
                (_, _, None, _) | (_, _, _, None) => true,
                (Side::Buy, Side::Sell, Some(buys), Some(sells)) | (Side::Sell, Side::Buy, Some(sells), Some(buys)) => {
                    buys >= sells
                }
            };
            let venue = case.resolved.operation().venue;
            let meets = self.placed.iter().any(|(whose, at, symbol, side, price, when)| {
                whose.id != case.credential.id
                    && *at == venue
                    && *symbol == asked
                    && when + 60_000 > case.now_ms
                    && crosses(*side, *price)
            });
            if meets {
                return Err("self-trade");
            }
            placing.push((case.credential.clone(), venue, asked, own_side, own_price, case.now_ms));
        }
        self.placed.extend(placing);
        for (key, amount, _) in once {
            self.spent.entry(key).or_default().push((case.now_ms, amount));
        }
        Ok(())
    }
}

fn judge(rule: &Rule, case: &Case<'_>, costs: &mut Costs) -> Result<(), &'static str> {
    let reduces = case.resolved.effect() == Effect::Reduces;
    if !rule.networks.is_empty() && !rule.networks.iter().any(|n| n.contains(case.principal.address)) {
        return Err("policy.network");
    }
    if !reduces && !open(&rule.hours, case.now_ms) {
        return Err("policy.hours");
    }
    for one in ones(case.resolved) {
        limits(&rule.orders, &one, case)?;
    }
    let counted = ones(case.resolved).iter().any(|one| counts(one));
    if rule.approval && counted {
        return Err("approval.needed");
    }
    if !reduces {
        cost(&rule.per_app, Spender::App(case.principal.app), case, costs)?;
        cost(&rule.per_credential, Spender::Credential(case.credential.id), case, costs)?;
    }
    Ok(())
}

fn concerns(rule: &Rule, case: &Case<'_>) -> bool {
    let venue = case.resolved.operation().venue;
    (rule.apps.is_empty() || rule.apps.contains(&case.principal.app))
        && (rule.owners.is_empty() || rule.owners.contains(&case.credential.owner))
        && (rule.credentials.is_empty() || rule.credentials.contains(&case.credential.id))
        && (rule.venues.is_empty() || rule.venues.contains(&venue))
}

/// Grants for all credentials are asked before those that name some.
fn granted<'a>(case: &Case<'a>) -> Result<&'a Grant, &'static str> {
    let (all, some): (Vec<&Grant>, Vec<&Grant>) =
        case.grants.iter().partition(|grant| grant.credentials == Credentials::All);
    let mut best: (usize, &'static str) = (0, "grant.none");
    for grant in all.into_iter().chain(some) {
        let covers = match &grant.credentials {
            Credentials::All => true,
            Credentials::These(ids) => ids.contains(&case.credential.id),
        };
        if grant.app != case.principal.app || grant.tenant != case.principal.tenant || !covers {
            continue;
        }
        let steps = [operation(grant, case), network(grant, case), hours(grant, case), orders(grant, case)];
        match steps.iter().position(Option::is_some) {
            None => return Ok(grant),
            Some(step) => {
                let rule = steps[step].unwrap();
                if step + 1 > best.0 {
                    best = (step + 1, rule);
                }
            }
        }
    }
    Err(best.1)
}

fn operation(grant: &Grant, case: &Case<'_>) -> Option<&'static str> {
    let operation = case.resolved.operation();
    let by_class = operation.kind != Kind::Setting
        && grant.operations.iter().any(|name| {
            matches!(
                (name.as_str(), operation.class),
                ("market", Class::Market) | ("read", Class::Read) | ("trade", Class::Trade)
            )
        });
    (!by_class && !grant.operations.iter().any(|name| name == operation.name)).then_some("grant.operation")
}

fn network(grant: &Grant, case: &Case<'_>) -> Option<&'static str> {
    let inside = grant.networks.is_empty() || grant.networks.iter().any(|n| n.contains(case.principal.address));
    (!inside).then_some("grant.network")
}

fn hours(grant: &Grant, case: &Case<'_>) -> Option<&'static str> {
    let reduces = case.resolved.effect() == Effect::Reduces;
    (!reduces && !open(&grant.hours, case.now_ms)).then_some("grant.hours")
}

fn orders(grant: &Grant, case: &Case<'_>) -> Option<&'static str> {
    let refused = ones(case.resolved).iter().find_map(|one| limits(&grant.orders, one, case).err())?;
    Some(if refused == "order.symbol" { "grant.symbol" } else { refused })
}

/// Days since the epoch, which was a Thursday, and minutes of the day.
fn open(all: &[Hours], now_ms: u64) -> bool {
    let days = [Day::Thu, Day::Fri, Day::Sat, Day::Sun, Day::Mon, Day::Tue, Day::Wed];
    let today = days[usize::try_from(now_ms / 86_400_000 % 7).unwrap()];
    let minute = now_ms / 60_000 % 1_440;
    let minutes = |text: &str| -> u64 {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<u64>().unwrap() * 60 + minutes.parse::<u64>().unwrap()
    };
    all.is_empty()
        || all.iter().any(|hours| {
            (hours.days.is_empty() || hours.days.contains(&today))
                && minutes(&hours.from) <= minute
                && minute < minutes(&hours.until)
        })
}

fn ones(resolved: &Resolved) -> Vec<One<'_>> {
    let none = || One { symbol: None, order: None, amend: None, setting_leverage: None, is_setting: false };
    match resolved.reading() {
        Reading::Orders(orders) => {
            orders.iter().map(|o| One { symbol: Some(&o.symbol), order: Some(o), ..none() }).collect()
        }
        Reading::Amends(amends) => {
            amends.iter().map(|a| One { symbol: a.symbol.as_deref(), amend: Some(a), ..none() }).collect()
        }
        Reading::Close { symbol, .. } => vec![One { symbol: Some(symbol), ..none() }],
        Reading::Setting(setting) => vec![One {
            symbol: setting.symbol.as_deref(),
            setting_leverage: setting.leverage,
            is_setting: true,
            ..none()
        }],
        Reading::Cancels(_) | Reading::CancelAll { .. } | Reading::None => vec![],
    }
}

/// What others could trade with: every order that is placed, and every changed price on either side.
fn met(resolved: &Resolved) -> Vec<(String, Side, Option<Decimal>)> {
    let mut met = Vec::new();
    for one in ones(resolved) {
        match (one.order, one.amend) {
            (Some(order), _) if !order.dry_run => met.push((order.symbol.clone(), order.side, order.price)),
            (_, Some(Amend { symbol: Some(symbol), price: Some(price), .. })) => {
                met.extend([Side::Buy, Side::Sell].map(|side| (symbol.clone(), side, Some(*price))));
            }
            _ => {}
        }
    }
    met
}

fn counts(one: &One<'_>) -> bool {
    one.amend.is_some() || one.order.is_some_and(|order| !order.reduce_only && !order.dry_run)
}

fn limits(limits: &Limits, one: &One<'_>, case: &Case<'_>) -> Result<(), &'static str> {
    let Limits { symbols, thin, sides, types, .. } = limits;
    if !symbols.is_empty() && !one.symbol.is_some_and(|symbol| symbols.contains(symbol)) {
        return Err("order.symbol");
    }
    if !thin.is_empty() && one.symbol.is_none_or(|symbol| thin.contains(symbol)) {
        return Err("order.thin");
    }
    if let Some(order) = one.order {
        if !sides.is_empty() && !sides.contains(&order.side) {
            return Err("order.side");
        }
        if !types.is_empty() && !types.contains(&order.kind) {
            return Err("order.type");
        }
    }
    let makes_risk = counts(one) || one.is_setting;
    if limits.reduce_only && makes_risk {
        return Err("order.reduce-only");
    }
    let leverage = one.setting_leverage.or(one.order.and_then(|order| order.leverage).map(Decimal::from));
    if let (Some(asked), Some(max)) = (leverage, limits.leverage_max)
        && asked > max
    {
        return Err("order.leverage");
    }
    size(limits, one, case)?;
    match &limits.collar {
        Some(collar) => held(collar, one, case),
        None => Ok(()),
    }
}

fn reference(one: &One<'_>, case: &Case<'_>) -> Option<Decimal> {
    one.symbol.and_then(|symbol| case.prices.get(symbol)).copied()
}

fn value(one: &One<'_>, case: &Case<'_>) -> Option<Decimal> {
    let (venue, reference) = (case.resolved.operation().venue, reference(one, case));
    match (one.order, one.amend) {
        (Some(order), _) => worth(venue, order, reference),
        (_, Some(amend)) => worth_of_amend(venue, amend, reference),
        _ => None,
    }
}

fn is_quoted_in(one: &One<'_>, asset: &str, case: &Case<'_>) -> bool {
    let product = one.order.map(|order| order.product).or(one.amend.and_then(|amend| amend.product));
    let venue = case.resolved.operation().venue;
    one.symbol.is_some_and(|symbol| quoted_in(venue, symbol, product.unwrap_or(Product::Spot), asset))
}

fn size(limits: &Limits, one: &One<'_>, case: &Case<'_>) -> Result<(), &'static str> {
    let quantity = match (one.order, one.amend) {
        (Some(order), _) => order.quantity,
        (_, Some(amend)) if amend.quantity.is_some() || amend.price.is_some() => amend.quantity,
        _ => return Ok(()),
    };
    match (limits.quantity_max, quantity) {
        (Some(_), None) => return Err("order.quantity-unknown"),
        (Some(max), Some(quantity)) if quantity > max => return Err("order.quantity"),
        _ => {}
    }
    if limits.quote.as_ref().is_some_and(|asset| !is_quoted_in(one, asset, case)) {
        return Err("order.quote");
    }
    match (limits.notional_max, value(one, case)) {
        (Some(_), None) => Err("order.notional-unknown"),
        (Some(max), Some(value)) if value > max => Err("order.notional"),
        _ => Ok(()),
    }
}

fn held(collar: &Collar, one: &One<'_>, case: &Case<'_>) -> Result<(), &'static str> {
    let (price, trigger, side, kind) = match (one.order, one.amend) {
        (Some(order), _) => (order.price, order.stop_price, Some(order.side), Some(order.kind)),
        (_, Some(amend)) if amend.price.is_some() || amend.stop_price.is_some() => {
            (amend.price, amend.stop_price, None, None)
        }
        _ => return Ok(()),
    };
    let Some(price) = price else {
        return if collar.market_orders { Ok(()) } else { Err("collar.market") };
    };
    let Some(market) = reference(one, case) else { return Err("collar.no-price") };
    let mut from = market;
    if let Some(trigger) = trigger {
        let profit = matches!(kind, Some(OrderKind::TakeProfit | OrderKind::TakeProfitLimit));
        let stop = matches!(kind, Some(OrderKind::Stop | OrderKind::StopLimit));
        let waits = match side {
            Some(Side::Buy) => (stop && trigger >= market) || (profit && trigger <= market),
            Some(Side::Sell) => (stop && trigger <= market) || (profit && trigger >= market),
            None => false,
        };
        if !waits {
            return Err("collar.trigger");
        }
        from = trigger;
    }
    let part = from * collar.percent / Decimal::ONE_HUNDRED;
    let too_high = price > from + part;
    let too_low = price < from - part;
    let bad = match side {
        Some(Side::Buy) => too_high,
        Some(Side::Sell) => too_low,
        None => too_high || too_low,
    };
    if bad { Err("collar.price") } else { Ok(()) }
}

fn cost(budget: &Budget, spender: Spender, case: &Case<'_>, costs: &mut Costs) -> Result<(), &'static str> {
    if let Some(most) = budget.requests_per_minute {
        costs.push((spender, Unit::Requests, Window::Minute, Decimal::ONE, most.into()));
    }
    let all = ones(case.resolved);
    let counted: Vec<_> = all.iter().filter(|one| counts(one)).collect();
    if counted.is_empty() {
        return Ok(());
    }
    let orders = Decimal::from(counted.len());
    for (most, window) in [(budget.orders_per_minute, Window::Minute), (budget.orders_per_day, Window::Day)] {
        if let Some(most) = most {
            costs.push((spender, Unit::Orders, window, orders, most.into()));
        }
    }
    let caps = [(budget.notional_per_minute, Window::Minute), (budget.notional_per_day, Window::Day)];
    let (true, Some(asset)) = (caps.iter().any(|(most, _)| most.is_some()), &budget.quote) else { return Ok(()) };
    let mut total = Decimal::ZERO;
    for one in counted {
        if !is_quoted_in(one, asset, case) {
            return Err("order.quote");
        }
        total += value(one, case).ok_or("order.notional-unknown")?;
    }
    for (most, window) in caps {
        if let Some(most) = most {
            costs.push((spender, Unit::Notional(asset.clone()), window, total, most));
        }
    }
    Ok(())
}
