//! How much a venue bears: budgets per source address, key, endpoint and order, on the simulator's clock.
//!
//! A venue declares what its documentation says in [`Venue::limits`], as a table of [`Limit`], and what a call
//! takes from each budget in [`Venue::cost`]. Every call is counted, and the limit's headers carry the count,
//! but nobody is refused until a test turns the documented figures on (`POST /_sim/limits/strict`) or sets a
//! budget of its own (`POST /_sim/limits`). An excess is answered by [`Venue::over_limit`] and counted.
//!
//! ```text
//! vec![
//!     Limit::per(Scope::Address, 60_000, 6_000).path("/api").headers(&["x-mbx-used-weight-1m"]).ban(20, 120_000),
//!     Limit::per(Scope::Key, 40_000, 20).decaying(),
//! ]
//! ```

mod counter;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::counter::{Charge, Counter};
use crate::venue::{Answer, Call, Venue};

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Requests, or their weight, from one source address, signed or not.
    Address,
    /// Requests, or their weight, of one key; only signed ones count.
    Key,
    /// Requests of one key to one path.
    Endpoint,
    /// Orders of one key.
    Orders,
}

/// One budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    pub(crate) scope: Scope,
    /// Length of the window; for a decaying budget, the time in which a full one is empty again.
    pub(crate) window_ms: u64,
    /// What fits into one window.
    pub(crate) max: u32,
    /// Only paths that begin so; empty for all.
    #[serde(default)]
    pub(crate) path: String,
    /// Whether it drains steadily instead of starting anew with each window.
    #[serde(default)]
    pub(crate) decays: bool,
    /// After so many refusals within a window whoever goes on is banned; zero for never.
    #[serde(default)]
    pub(crate) ban_after: u32,
    /// How long a ban lasts.
    #[serde(default)]
    pub(crate) ban_ms: u64,
    /// Headers that tell what is used; part of the venue's protocol, so not to be set by a test.
    #[serde(skip)]
    pub(crate) headers: &'static [&'static str],
    /// The header that tells what is left, at venues that count down.
    #[serde(skip)]
    pub(crate) left_header: Option<&'static str>,
}

impl Limit {
    /// A budget of `max` for every window of `window_ms` milliseconds.
    pub(crate) fn per(scope: Scope, window_ms: u64, max: u32) -> Self {
        Self {
            scope,
            window_ms,
            max,
            path: String::new(),
            decays: false,
            ban_after: 0,
            ban_ms: 0,
            headers: &[],
            left_header: None,
        }
    }

    /// Covers only paths that begin with `path`.
    pub(crate) fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Tells what is used in these headers, which are lower-case.
    pub(crate) fn headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    /// Tells what is left in this header, which is lower-case.
    pub(crate) fn left_header(self, header: &'static str) -> Self {
        Self { left_header: Some(header), ..self }
    }

    /// Drains steadily.
    pub(crate) fn decaying(self) -> Self {
        Self { decays: true, ..self }
    }

    /// Bans for `ban_ms` milliseconds at the refusal number `ban_after` of a window.
    pub(crate) fn ban(self, ban_after: u32, ban_ms: u64) -> Self {
        Self { ban_after, ban_ms, ..self }
    }

    fn same_budget(&self, other: &Self) -> bool {
        (self.scope, self.window_ms, &self.path, self.decays)
            == (other.scope, other.window_ms, &other.path, other.decays)
    }
}

/// A budget that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) scope: Scope,
    /// Whether it was ignored for so long that the venue bans.
    pub(crate) banned: bool,
    /// When there is room again.
    pub(crate) retry_after_ms: u64,
}

impl Excess {
    /// Whole seconds to wait, as `Retry-After` has them.
    pub(crate) fn retry_after_s(self) -> u32 {
        u32::try_from(self.retry_after_ms.div_ceil(1_000)).unwrap_or(u32::MAX)
    }
}

/// What the budgets say to one call.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) excess: Option<Excess>,
    headers: Vec<(&'static str, u32)>,
}

impl Verdict {
    /// Adds what is used to an answer.
    pub(crate) fn show_on(self, answer: Answer) -> Answer {
        self.headers.into_iter().fold(answer, |answer, (name, used)| answer.with(name, used))
    }
}

/// The body of `POST /_sim/limits`.
#[derive(Debug, Deserialize)]
pub(crate) struct Setting {
    venue: String,
    #[serde(flatten)]
    limit: Limit,
}

/// The body of `POST /_sim/limits/strict`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Strictness {
    /// Every venue without it.
    venue: Option<String>,
    on: bool,
}

/// The budgets of all venues.
#[derive(Debug)]
pub(crate) struct Limits {
    venues: BTreeMap<&'static str, Mutex<Register>>,
}

#[derive(Debug)]
struct Register {
    documented: Vec<Limit>,
    rules: Vec<Rule>,
    refused: u64,
}

#[derive(Debug)]
struct Rule {
    limit: Limit,
    enforced: bool,
    /// By address, key, or key and path.
    counters: HashMap<String, Counter>,
}

impl Limits {
    /// Takes up the documented budgets of each venue; none is enforced.
    pub(crate) fn new<'a>(venues: impl Iterator<Item = &'a dyn Venue>) -> Self {
        Self { venues: venues.map(|venue| (venue.id(), Mutex::new(Register::new(venue.limits())))).collect() }
    }

    /// Counts a call; `key_id` is there if it was correctly signed.
    pub(crate) fn charge(&self, venue: &dyn Venue, call: &Call<'_>, key_id: Option<&str>) -> Verdict {
        let mut verdict = Verdict::default();
        let Some(register) = self.venues.get(venue.id()) else {
            return verdict;
        };
        let mut register = lock(register);
        for rule in &mut register.rules {
            rule.charge(venue, call, key_id, &mut verdict);
        }
        register.refused = register.refused.saturating_add(u64::from(verdict.excess.is_some()));
        verdict
    }

    /// Enforces a budget; the documented one of the same scope, window and path gives way to it.
    pub(crate) fn set(&self, setting: Setting) -> Result<(), &'static str> {
        if setting.limit.window_ms == 0 {
            return Err("window_ms is zero");
        }
        let mut register = lock(self.venues.get(setting.venue.as_str()).ok_or("no such venue")?);
        register.set(setting.limit);
        Ok(())
    }

    /// Turns the documented budgets of one venue, or of all, on or off.
    pub(crate) fn set_strict(&self, strictness: &Strictness) -> Result<(), &'static str> {
        let wanted = strictness.venue.as_deref();
        if wanted.is_some_and(|venue| !self.venues.contains_key(venue)) {
            return Err("no such venue");
        }
        for (venue, register) in &self.venues {
            if wanted.is_none_or(|wanted| wanted == *venue) {
                lock(register).rules.iter_mut().for_each(|rule| rule.enforced = strictness.on);
            }
        }
        Ok(())
    }

    /// Enforces nothing, and forgets what was counted.
    pub(crate) fn clear(&self) {
        for register in self.venues.values() {
            let mut register = lock(register);
            *register = Register::new(std::mem::take(&mut register.documented));
        }
    }

    /// The answer of `GET /_sim/limits`.
    pub(crate) fn show(&self) -> Value {
        let shown: Vec<(&str, u64, Value)> = self
            .venues
            .iter()
            .map(|(venue, register)| {
                let register = lock(register);
                let rules: Vec<Value> = register
                    .rules
                    .iter()
                    .map(|rule| json!({ "limit": rule.limit, "enforced": rule.enforced }))
                    .collect();
                (*venue, register.refused, json!({ "refused": register.refused, "limits": rules }))
            })
            .collect();
        let refused: u64 = shown.iter().map(|(_, refused, _)| refused).sum();
        let venues: serde_json::Map<String, Value> =
            shown.into_iter().map(|(venue, _, shown)| (venue.to_owned(), shown)).collect();
        json!({ "refused": refused, "venues": venues })
    }
}

impl Register {
    fn new(documented: Vec<Limit>) -> Self {
        let rules = documented.iter().map(|limit| Rule::new(limit.clone(), false)).collect();
        Self { documented, rules, refused: 0 }
    }

    fn set(&mut self, limit: Limit) {
        match self.rules.iter_mut().find(|rule| rule.limit.same_budget(&limit)) {
            Some(rule) => {
                let (headers, left_header) = (rule.limit.headers, rule.limit.left_header);
                *rule = Rule::new(Limit { headers, left_header, ..limit }, true);
            }
            None => self.rules.push(Rule::new(limit, true)),
        }
    }
}

impl Rule {
    fn new(limit: Limit, enforced: bool) -> Self {
        Self { limit, enforced, counters: HashMap::new() }
    }

    fn charge(&mut self, venue: &dyn Venue, call: &Call<'_>, key_id: Option<&str>, verdict: &mut Verdict) {
        if !call.path.starts_with(&self.limit.path) {
            return;
        }
        let scope = self.limit.scope;
        let subject = match (scope, key_id) {
            (Scope::Address, _) => call.received.peer.to_string(),
            (Scope::Key | Scope::Orders, Some(key_id)) => key_id.to_owned(),
            (Scope::Endpoint, Some(key_id)) => format!("{key_id} {}", call.path),
            (Scope::Key | Scope::Endpoint | Scope::Orders, None) => return,
        };
        let cost = venue.cost(scope, call);
        if cost == 0 {
            return;
        }
        let counter = self.counters.entry(subject).or_default();
        let charge = counter.charge(&self.limit, self.enforced, cost, call.received.at.ms());
        let used = counter.used(&self.limit);
        verdict.headers.extend(self.limit.headers.iter().map(|name| (*name, used)));
        verdict.headers.extend(self.limit.left_header.map(|name| (name, self.limit.max.saturating_sub(used))));
        if let Charge::Refused { banned, retry_after_ms } = charge {
            verdict.excess.get_or_insert(Excess { scope, banned, retry_after_ms });
        }
    }
}

fn lock(register: &Mutex<Register>) -> MutexGuard<'_, Register> {
    register.lock().unwrap_or_else(PoisonError::into_inner)
}
