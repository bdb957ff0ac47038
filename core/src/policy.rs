//! The signing firewall: whether a resolved operation may be signed for.
//!
//! Default is deny. [`check`] is the one way to a [`Checked`], and every refusal names its rule by a stable tag, which
//! the audit entry and the answer carry. It is a pure function: grants, policy, prices and time are arguments. What must
//! be strict to the last moment (states, stops, budgets) is decided once more inside the commit that records the intent;
//! [`Denied::of_refusal`] gives those refusals their tags.
//!
//! A grant allows; everything else only takes away. Ceiling, grants and every rule of the tenant's policy that is for
//! the request must let it through.

use claviger_venues::{Product, SecretKind};

mod bounds;
mod compiled;
mod denied;
mod document;
mod granted;
mod hours;
mod limits;
mod replay;
mod resolved;
mod stream;
mod trade;
mod wider;

use crate::credential::Credential;
use crate::id::TenantId;
use crate::identity::AppPrincipal;
use crate::keeper::VALID_MS;
use crate::store::{Charge, IntentKind, Key, Resting, Scopes};
use compiled::Subject;
use granted::{Allowed, Wanted, granted};
use hours::Moment;
use trade::Trade;

pub use compiled::Policy;
pub use denied::{Denied, RULES};
pub use document::{BadPolicy, Document, RULES_MAX, Rule, TEXT_BYTES_MAX, check_limits};
pub use granted::Grants;
pub use hours::{Day, Hours};
pub use limits::{Budget, Collar, Limits};
pub use replay::{Replay, Request, Verdict};
pub use resolved::{ResolveError, Resolved};
pub use stream::{CheckedStream, check_stream};
pub use trade::Prices;
pub use wider::widens;

pub(crate) use granted::is_grantable;

/// Claviger itself asks.
#[derive(Clone, Copy, Debug)]
pub enum Own {
    /// It probes a key, or logs in.
    Probe,
    /// It reads what became of an app's order.
    Resolve,
}

impl Own {
    fn kind(self) -> IntentKind {
        match self {
            Self::Probe => IntentKind::System,
            Self::Resolve => IntentKind::Resolve,
        }
    }
}

/// An operation that policy allowed, not recorded yet. Made by [`check`] alone.
#[derive(Debug)]
#[must_use]
pub struct Checked {
    resolved: Resolved,
    scopes: Scopes,
    kind: IntentKind,
    epoch: Option<u64>,
    release: bool,
    allowed: Allowed,
}

impl Checked {
    /// What was allowed.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Where it lies.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Who stands behind it.
    pub fn kind(&self) -> IntentKind {
        self.kind
    }

    /// The credential's epoch that the decision saw.
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Whether the signed request goes to the app instead of the venue.
    pub fn release(&self) -> bool {
        self.release
    }

    /// The operator's approval that it uses up.
    pub fn uses(&self) -> Option<&Key> {
        self.allowed.uses.as_ref()
    }

    /// What it spends of budgets.
    pub fn charges(&self) -> &[Charge] {
        &self.allowed.charges
    }

    /// The rows that the decision rests on, with their versions; 0 for one that was not there.
    pub fn seen(&self) -> &[(Key, u64)] {
        &self.allowed.seen
    }

    /// The orders that no other credential of the tenant's may trade with.
    pub fn resting(&self) -> &[Resting] {
        &self.allowed.resting
    }
}

/// What a decision looks at beside the request and who makes it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Whether the venue is enabled.
    pub venue_enabled: bool,
    /// The tenant's policy.
    pub policy: &'a Policy,
    /// Reference prices of the symbols that the request names.
    pub prices: &'a Prices,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The row that says that an operator approved this very request, with its version.
    pub approved: Option<&'a (Key, u64)>,
}

/// The symbols whose reference prices [`check`] wants to know, with their products; none where no rule asks for one.
pub fn wanted_prices(
    principal: &AppPrincipal,
    grants: &Grants,
    policy: &Policy,
    credential: Option<&Credential>,
    resolved: &Resolved,
) -> Vec<(String, Product)> {
    let venue = resolved.operation().venue;
    let wanted = policy.wants_prices(Subject::of(principal.app, credential), venue)
        || grants.want_prices(credential.map(|row| row.id));
    if wanted { trade::named(resolved.reading()) } else { Vec::new() }
}

/// An app that asks, and what it may do.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The app.
    pub principal: &'a AppPrincipal,
    /// Its grants.
    pub grants: &'a Grants,
    /// Whether it wants to send the signed request itself.
    pub release: bool,
}

/// Decides what an app asks for. `credential` is `None` for class market only.
///
/// # Errors
/// [`Denied`] names the first rule that refuses.
pub fn check(
    caller: Caller<'_>,
    frame: &Frame<'_>,
    credential: Option<&Credential>,
    resolved: Resolved,
) -> Result<Checked, Denied> {
    catalogued(IntentKind::App, frame.venue_enabled, &resolved)?;
    let trades = Trade::all(&resolved, Some(frame.prices));
    let allowed = allowed(caller, frame, credential, (&resolved, &trades), false)?;
    let Caller { principal, release, .. } = caller;
    let scopes = Scopes {
        app: Some(principal.app),
        grant: Some(allowed.grant),
        virtual_key: principal.virtual_key,
        ..bare(principal.tenant, credential, &resolved)
    };
    let epoch = credential.map(|row| row.epoch);
    Ok(Checked { resolved, scopes, kind: IntentKind::App, epoch, release, allowed })
}

/// Refuses what no price and no approval could let through, so that nothing is spent on it. The frame's own prices and
/// approval are not looked at, and what this lets through is not decided.
///
/// # Errors
/// [`Denied`], of a request that [`check`] refuses, too.
pub fn check_early(
    caller: Caller<'_>,
    frame: &Frame<'_>,
    credential: Option<&Credential>,
    resolved: &Resolved,
) -> Result<(), Denied> {
    catalogued(IntentKind::App, frame.venue_enabled, resolved)?;
    let trades = Trade::all(resolved, None);
    allowed(caller, frame, credential, (resolved, &trades), true).map(drop)
}

/// Decides what Claviger itself asks for. `stored` is whether the credential has a row already.
///
/// # Errors
/// [`Denied`] names the first rule that refuses.
pub fn check_own(
    own: Own,
    venue_enabled: bool,
    (credential, stored): (&Credential, Stored),
    resolved: Resolved,
) -> Result<Checked, Denied> {
    catalogued(own.kind(), venue_enabled, &resolved)?;
    let scopes = bare(credential.tenant, Some(credential), &resolved);
    let epoch = (stored == Stored::Yes).then_some(credential.epoch);
    Ok(Checked { resolved, scopes, kind: own.kind(), epoch, release: false, allowed: Allowed::default() })
}

fn catalogued(kind: IntentKind, venue_enabled: bool, resolved: &Resolved) -> Result<(), Denied> {
    match (venue_enabled, kind.may(resolved.operation())) {
        (false, _) => Err(Denied::by("venue.disabled")),
        (true, false) => Err(Denied::by("system.only")),
        (true, true) => Ok(()),
    }
}

fn bare(tenant: TenantId, credential: Option<&Credential>, resolved: &Resolved) -> Scopes {
    Scopes {
        tenant,
        owner: credential.map(|row| row.owner.clone()),
        venue: resolved.operation().venue,
        app: None,
        grant: None,
        credential: credential.map(|row| row.id),
        virtual_key: None,
    }
}

/// Ceiling, grant and policy, in this order.
fn allowed(
    caller: Caller<'_>,
    frame: &Frame<'_>,
    credential: Option<&Credential>,
    (resolved, trades): (&Resolved, &[Trade<'_>]),
    early: bool,
) -> Result<Allowed, Denied> {
    let Caller { principal, grants, release } = caller;
    credential.map_or(Ok(()), |row| unexpired(row, frame.now_ms).and_then(|()| within_ceiling(row, resolved)))?;
    let wanted = Wanted { early, ..Wanted::of(resolved, trades, release, Moment::of(frame.now_ms)) };
    let allowed = granted(principal, grants, credential, frame, &wanted)?;
    if let (true, Some(row)) = (release, credential) {
        releasable(row)?;
    }
    Ok(allowed)
}

/// Whether a credential has a row already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It has.
    Yes,
    /// It is being enrolled.
    NotYet,
}

/// Nothing is signed with a key whose time is over, whether or not its credential was frozen for that already.
fn unexpired(credential: &Credential, now_ms: u64) -> Result<(), Denied> {
    let is_over = credential.expires_ms().is_some_and(|expires_ms| expires_ms <= now_ms);
    if is_over { Err(Denied::by("state.expired")) } else { Ok(()) }
}

fn within_ceiling(credential: &Credential, resolved: &Resolved) -> Result<(), Denied> {
    if credential.ceiling.allows(resolved.operation(), resolved.reading().products()) {
        return Ok(());
    }
    let trades = credential.ceiling.class == claviger_venues::CeilingClass::Trade;
    Err(Denied::by(if trades { "ceiling.product" } else { "ceiling.class" }))
}

/// A request that leaves Claviger signed holds no secret, and is soon worth nothing.
fn releasable(credential: &Credential) -> Result<(), Denied> {
    let signs = matches!(credential.kind, SecretKind::Hmac | SecretKind::PrivateKey);
    if !signs || claviger_venues::shows_secrets(credential.venue) {
        return Err(Denied::by("signatures.secret"));
    }
    let good_for = claviger_venues::lapse(credential.venue).after_ms(VALID_MS);
    if good_for.is_some_and(|ms| ms <= VALID_MS) { Ok(()) } else { Err(Denied::by("signatures.validity")) }
}

#[cfg(test)]
mod tests;
