//! Requests as policy saw them, and what another policy would have decided.

use std::collections::HashMap;
use std::net::IpAddr;

use claviger_venues::{Params, VenueId};
use serde::{Deserialize, Serialize};

use super::compiled::{Asked, Subject, Taken};
use super::hours::Moment;
use super::trade::Trade;
use super::{Denied, Policy, Prices, Resolved};
use crate::credential::Credential;
use crate::hash::hash_of;
use crate::id::{AppId, CredentialId};
use crate::identity::AppPrincipal;
use crate::store::{Recent, Spender, Spent};

/// A request as policy saw it. It holds what the app asked for, and nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// When it was decided, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The app.
    pub app: AppId,
    /// Where it came from.
    pub address: IpAddr,
    /// The credential; none for market data.
    pub credential: Option<CredentialId>,
    /// The credential's owner.
    pub owner: Option<String>,
    /// The venue.
    pub venue: VenueId,
    /// The operation's name.
    pub operation: String,
    /// Its parameters, in order.
    pub params: Vec<(String, String)>,
    /// Whether the signed request goes to the app instead of the venue.
    pub release: bool,
    /// Reference prices by symbol.
    pub prices: Prices,
    /// Whether an operator had approved it.
    pub approved: bool,
    /// The tag of the rule that refused it; none where it was let through.
    pub refused_by: Option<String>,
}

impl Request {
    /// An app's request, decided at `now_ms`, milliseconds since the Unix epoch, by these prices.
    pub(crate) fn of(
        (principal, credential): (&AppPrincipal, Option<&Credential>),
        resolved: &Resolved,
        (now_ms, prices): (u64, &Prices),
        release: bool,
    ) -> Self {
        Self {
            at_ms: now_ms,
            app: principal.app,
            address: principal.address,
            credential: credential.map(|row| row.id),
            owner: credential.map(|row| row.owner.clone()),
            venue: resolved.operation().venue,
            operation: resolved.operation().name.to_owned(),
            params: resolved.params().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            release,
            prices: prices.clone(),
            approved: false,
            refused_by: None,
        }
    }

    /// What makes two requests the same for whoever approves one: who asks for what and in which way, not when and from
    /// where.
    pub fn digest(&self) -> [u8; 32] {
        let credential = self.credential.map(|id| *id.as_bytes()).unwrap_or_default();
        let named =
            [self.app.as_bytes(), credential.as_slice(), self.venue.as_str().as_bytes(), self.operation.as_bytes()];
        let params = self.params.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let way: Option<&[u8]> = self.release.then_some(b"release");
        hash_of(named.into_iter().chain(params).chain(way))
    }
}

/// What a policy decides about a recorded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It lets it through.
    Allowed,
    /// It refuses.
    Denied(Denied),
    /// Whatever the policy says: it was refused before any policy was asked, or it names nothing that there is.
    Elsewhere,
}

/// Decides requests in the order in which they are given, each budget beginning empty.
#[derive(Debug)]
pub struct Replay<'a> {
    policy: &'a Policy,
    spent: HashMap<Spender, Spent>,
    recent: HashMap<(VenueId, String), Recent>,
}

impl<'a> Replay<'a> {
    /// Begins with a policy.
    pub fn of(policy: &'a Policy) -> Self {
        Self { policy, spent: HashMap::new(), recent: HashMap::new() }
    }

    /// Decides the next request.
    pub fn decide(&mut self, request: &Request) -> Verdict {
        let params = Params::from(request.params.clone());
        let Ok(resolved) = Resolved::new(request.venue, &request.operation, params) else { return Verdict::Elsewhere };
        if request.refused_by.as_deref().is_some_and(|rule| !is_policys(rule)) {
            return Verdict::Elsewhere;
        }
        let trades = Trade::all(&resolved, Some(&request.prices));
        let subject = Subject { app: request.app, credential: request.credential, owner: request.owner.as_deref() };
        let asked = Asked {
            subject,
            address: request.address,
            venue: request.venue,
            effect: resolved.effect(),
            trades: &trades,
            moment: Moment::of(request.at_ms),
            approved: request.approved,
        };
        match self.policy.judge(&asked).and_then(|taken| self.take(request, &taken)) {
            Ok(()) => Verdict::Allowed,
            Err(denied) => Verdict::Denied(denied),
        }
    }

    /// As the commit of an intent does: all that is spent, or nothing.
    fn take(&mut self, request: &Request, taken: &Taken) -> Result<(), Denied> {
        let mut spent: HashMap<Spender, Spent> = HashMap::new();
        for charge in &taken.charges {
            let stored = || self.spent.get(&charge.spender).cloned().unwrap_or_default();
            if !spent.entry(charge.spender).or_insert_with(stored).take(charge, request.at_ms) {
                return Err(Denied::spent(charge));
            }
        }
        if let Some(credential) = request.credential {
            let mut recent = HashMap::new();
            for order in &taken.resting {
                let key = (request.venue, order.market.clone());
                let stored = || self.recent.get(&key).cloned().unwrap_or_default();
                if !recent.entry(key.clone()).or_insert_with(stored).take(credential, order, request.at_ms) {
                    return Err(Denied::self_trade());
                }
            }
            self.recent.extend(recent);
        }
        self.spent.extend(spent);
        Ok(())
    }
}

/// Whether a refusal is one that another policy might not make.
fn is_policys(rule: &str) -> bool {
    let topic = rule.split('.').next().unwrap_or_default();
    matches!(topic, "policy" | "order" | "collar" | "approval" | "self-trade" | "budget")
}
