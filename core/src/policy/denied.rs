//! Refusals and their tags.

use crate::credential::State;
use crate::store::{Charge, Refusal, Scope, Spender, Stop, Unit};

/// Every rule's tag and what it stands for. The table in `docs/policy.md` is held against this one by a test.
pub const RULES: &[(&str, &str)] = &[
    ("venue.disabled", "the venue is not enabled in the configuration"),
    ("ceiling.class", "the credential's ceiling is read, and the operation trades"),
    ("ceiling.product", "the credential's ceiling does not include the product"),
    ("grant.none", "the app has no grant for this credential"),
    ("grant.operation", "no grant of the app includes the operation"),
    ("grant.signatures", "no grant of the app that includes the operation also includes `signatures`"),
    ("grant.network", "the request comes from a network that the grant does not list"),
    ("grant.symbol", "the order is for a symbol that the grant does not list, or for one that the call does not name"),
    ("grant.hours", "the grant is for other hours"),
    ("policy.network", "a rule of the policy is for other networks"),
    ("policy.hours", "a rule of the policy is for other hours"),
    ("order.symbol", "the order is for a symbol that the rule does not list, or for one that the call does not name"),
    ("order.thin", "the symbol is listed as too thin to trade, or the call does not name it"),
    ("order.side", "the rule does not allow this side"),
    ("order.type", "the rule does not allow this type of order"),
    ("order.reduce-only", "the rule allows only what makes positions smaller"),
    ("order.leverage", "the leverage is higher than the rule allows"),
    ("order.quantity", "the quantity is larger than the rule allows"),
    ("order.quantity-unknown", "the rule limits the quantity in the base asset, and the call does not tell it"),
    ("order.quote", "the rule counts in another asset than the symbol is quoted in"),
    ("order.notional", "the order is worth more than the rule allows"),
    ("order.notional-unknown", "the rule limits what an order is worth, and nothing tells it"),
    ("collar.price", "the price is further from the market than the rule allows"),
    ("collar.market", "the order has no price of its own that the collar could hold"),
    ("collar.trigger", "the market is past the trigger already"),
    ("collar.no-price", "the collar needs the venue's public price, and there is none at the moment"),
    ("approval.needed", "an operator must approve the request first"),
    ("self-trade", "another credential of the tenant's placed an order a moment ago that this one could trade with"),
    ("budget.requests", "the requests of this minute are spent"),
    ("budget.orders", "the orders of this minute or day are spent"),
    ("budget.notional", "what orders may be worth in this minute or day is spent"),
    ("signatures.secret", "the request would hold the secret itself, so it is not released"),
    ("signatures.validity", "the venue does not let a signature expire within 5 seconds, so none is released"),
    ("signatures.stream", "the login to this stream is not signed, for the venue's reason that the refusal gives"),
    (
        "system.only",
        "logins are made by Claviger alone, which does nothing else but probe keys and look for lost orders",
    ),
    ("state.all-stopped", "the kill switch is on"),
    ("state.tenant-stopped", "the tenant is stopped"),
    ("state.kek-withdrawn", "the tenant has taken its own KEK away"),
    ("state.owner-stopped", "the owner's credentials are stopped"),
    ("state.venue-stopped", "the venue is stopped"),
    ("state.app-stopped", "the app is stopped"),
    ("state.grant-stopped", "the grant is stopped"),
    ("state.pending", "the credential is not proven yet"),
    ("state.reduce-only", "the credential or its scope lets only cancels, closing orders and reads through"),
    ("state.virtual-key-stopped", "the virtual key is revoked"),
    ("state.frozen", "the credential is frozen"),
    ("state.expired", "the credential's key has expired: it waits for another one"),
    ("state.revoked", "the credential is revoked"),
];

/// A refusal, with the rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}{}", .by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default())]
pub struct Denied {
    /// The rule's tag, one of [`RULES`].
    pub rule: &'static str,
    /// What the rule says.
    pub text: &'static str,
    /// Which rule of a policy or which grant it was, where there are several.
    pub by: Option<String>,
}

impl Denied {
    pub(super) fn by(rule: &'static str) -> Self {
        let text = RULES.iter().find(|(tag, _)| *tag == rule).map_or("refused", |(_, text)| *text);
        Self { rule, text, by: None }
    }

    /// The same, by one of several.
    pub(super) fn of(self, by: impl Into<String>) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// The venue is not enabled.
    pub(crate) fn venue_disabled() -> Self {
        Self::by("venue.disabled")
    }

    /// The request comes from where no grant of the app's reaches.
    pub(crate) fn network() -> Self {
        Self::by("grant.network")
    }

    /// The rule behind a refusal of the deciding commit; `None` when it is no rule but a conflict.
    pub fn of_refusal(refusal: &Refusal) -> Option<Self> {
        Some(Self::by(match refusal {
            Refusal::Stopped(_, Stop::ReduceOnly) | Refusal::State(State::ReduceOnly) => "state.reduce-only",
            Refusal::Stopped(scope, Stop::Frozen | Stop::Revoked) => match scope {
                Scope::All => "state.all-stopped",
                Scope::Tenant(_) => "state.tenant-stopped",
                Scope::Owner(..) => "state.owner-stopped",
                Scope::Venue(_) => "state.venue-stopped",
                Scope::App(_) => "state.app-stopped",
                Scope::Grant(_) => "state.grant-stopped",
                Scope::Credential(_) => "state.frozen",
                Scope::VirtualKey(_) => "state.virtual-key-stopped",
            },
            Refusal::State(State::Pending) => "state.pending",
            Refusal::State(State::Frozen) => "state.frozen",
            Refusal::State(State::Revoked) => "state.revoked",
            Refusal::Spent(charge) => return Some(Self::spent(charge)),
            Refusal::SelfTrade => return Some(Self::self_trade()),
            Refusal::Withdrawn => "state.kek-withdrawn",
            Refusal::State(State::Active) | Refusal::Stale | Refusal::Gone | Refusal::KeyReused => return None,
        }))
    }

    /// Whether an operator could approve what is refused.
    pub(crate) fn needs_approval(&self) -> bool {
        self.rule == "approval.needed"
    }

    /// An order that another credential's could trade with.
    pub(super) fn self_trade() -> Self {
        Self::by("self-trade")
    }

    pub(super) fn spent(charge: &Charge) -> Self {
        let rule = match charge.unit {
            Unit::Requests => "budget.requests",
            Unit::Orders => "budget.orders",
            Unit::Notional(_) => "budget.notional",
        };
        let whose = match charge.spender {
            Spender::App(id) => id.to_string(),
            Spender::Credential(id) => id.to_string(),
            Spender::Grant(id) => id.to_string(),
        };
        Self::by(rule).of(format!("{} a {} for {whose}", charge.most, charge.window.as_str()))
    }
}
