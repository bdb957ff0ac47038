//! The signing firewall: whether a resolved operation may be signed for.
//!
//! Default is deny. [`check`] is the one way to a [`Checked`], and every refusal names its rule by a stable tag, which
//! the audit entry and the answer carry. What must be strict to the last moment (states, stops, budgets) is decided once
//! more inside the commit that records the intent; [`Denied::of_refusal`] gives those refusals their tags.

use claviger_venues::{Class, Kind, Operation, Order, Params, Reading, SecretKind, VenueId};

mod stream;

pub use stream::{CheckedStream, check_stream};

use crate::credential::{Credential, State};
use crate::identity::{AppPrincipal, Credentials, Grant};
use crate::keeper::VALID_MS;
use crate::store::{Effect, IntentKind, Refusal, Scope, Scopes, Stop};

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
    ("signatures.secret", "the request would hold the secret itself, so it is not released"),
    ("signatures.validity", "the venue does not let a signature expire within 5 seconds, so none is released"),
    ("signatures.stream", "the login to this stream is not signed, for the venue's reason that the refusal gives"),
    (
        "system.only",
        "logins are made by Claviger alone, which does nothing else but probe keys and look for lost orders",
    ),
    ("state.all-stopped", "the kill switch is on"),
    ("state.tenant-stopped", "the tenant is stopped"),
    ("state.owner-stopped", "the owner's credentials are stopped"),
    ("state.venue-stopped", "the venue is stopped"),
    ("state.app-stopped", "the app is stopped"),
    ("state.grant-stopped", "the grant is stopped"),
    ("state.pending", "the credential is not proven yet"),
    ("state.reduce-only", "the credential or its scope lets only cancels, closing orders and reads through"),
    ("state.virtual-key-stopped", "the virtual key is revoked"),
    ("state.frozen", "the credential is frozen"),
    ("state.revoked", "the credential is revoked"),
];

/// A refusal, with the rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Denied {
    /// The rule's tag, one of [`RULES`].
    pub rule: &'static str,
    /// What the rule says.
    pub text: &'static str,
}

impl Denied {
    fn by(rule: &'static str) -> Self {
        let text = RULES.iter().find(|(tag, _)| *tag == rule).map_or("refused", |(_, text)| *text);
        Self { rule, text }
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
            Refusal::State(State::Active) | Refusal::Stale | Refusal::Gone | Refusal::KeyReused => return None,
        }))
    }
}

/// An operation of the catalogue with parameters that fit it, and how it reads.
#[derive(Clone, Debug)]
pub struct Resolved {
    operation: &'static Operation,
    params: Params,
    reading: Reading,
    weight: u32,
}

/// Why a request names nothing that can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No such operation in the venue's catalogue.
    #[error("{venue} has no operation of this name in Claviger's catalogue")]
    Uncatalogued {
        /// The venue.
        venue: VenueId,
    },
    /// The parameters do not fit.
    #[error("{0}")]
    Parameters(String),
}

impl Resolved {
    /// Looks an operation up and checks its parameters.
    ///
    /// # Errors
    /// [`ResolveError`]; no text in it repeats a value.
    pub fn new(venue: VenueId, operation: &str, params: Params) -> Result<Self, ResolveError> {
        let operation = claviger_venues::operation(venue, operation).ok_or(ResolveError::Uncatalogued { venue })?;
        let call = claviger_venues::check(operation, &params).map_err(|e| ResolveError::Parameters(e.to_string()))?;
        let reading = claviger_venues::read(&call).map_err(|e| ResolveError::Parameters(e.to_string()))?;
        let weight = claviger_venues::weight(&call);
        Ok(Self { operation, params, reading, weight })
    }

    /// The catalogue's entry.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The parameters, in the caller's order.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// How much it counts where the venue counts weight.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// How it reads.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What it does to open risk.
    pub fn effect(&self) -> Effect {
        match &self.reading {
            Reading::Orders(orders) if orders.iter().all(|order| order.dry_run) => Effect::Reads,
            Reading::Orders(orders) if orders.iter().all(|order| order.reduce_only) => Effect::Reduces,
            Reading::Orders(_) | Reading::Amends(_) | Reading::Setting(_) => Effect::Opens,
            Reading::Cancels(_) | Reading::CancelAll { .. } | Reading::Close { .. } => Effect::Reduces,
            Reading::None => Effect::Reads,
        }
    }

    /// The orders that it places.
    pub fn orders(&self) -> &[Order] {
        self.reading.orders()
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// An app, with its grants.
    App(&'a AppPrincipal, &'a [Grant]),
    /// An app that wants to send the signed request itself.
    Releasing(&'a AppPrincipal, &'a [Grant]),
    /// Claviger itself, for a permission probe.
    System,
    /// Claviger itself, to read what became of an app's order.
    Resolve,
}

impl<'a> Subject<'a> {
    fn app(self) -> Option<(&'a AppPrincipal, &'a [Grant])> {
        match self {
            Self::App(principal, grants) | Self::Releasing(principal, grants) => Some((principal, grants)),
            Self::System | Self::Resolve => None,
        }
    }

    fn kind(self) -> IntentKind {
        match self {
            Self::App(..) | Self::Releasing(..) => IntentKind::App,
            Self::System => IntentKind::System,
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
}

/// Decides.
///
/// `credential` is `None` for class market only; `stored` is false for a credential that is being enrolled and has no
/// row yet.
///
/// # Errors
/// [`Denied`] names the first rule that refuses.
pub fn check(
    subject: Subject<'_>,
    tenant: crate::id::TenantId,
    venue_enabled: bool,
    credential: Option<(&Credential, Stored)>,
    resolved: Resolved,
) -> Result<Checked, Denied> {
    if !venue_enabled {
        return Err(Denied::by("venue.disabled"));
    }
    let operation = resolved.operation;
    if !subject.kind().may(operation) {
        return Err(Denied::by("system.only"));
    }
    let release = matches!(subject, Subject::Releasing(..));
    let row = credential.map(|(row, _)| row);
    let grant = match subject.app() {
        Some((principal, grants)) => {
            row.map_or(Ok(()), |row| within_ceiling(row, &resolved))?;
            let wanted = Wanted::of(&resolved, release);
            Some(granted(principal, grants, row, &wanted)?)
        }
        None => None,
    };
    if let (true, Some(row)) = (release, row) {
        releasable(row)?;
    }
    let scopes = Scopes {
        tenant,
        owner: credential.map(|(c, _)| c.owner.clone()),
        venue: resolved.operation.venue,
        app: grant.map(|g| g.app),
        grant: grant.map(|g| g.id),
        credential: credential.map(|(c, _)| c.id),
        virtual_key: subject.app().and_then(|(principal, _)| principal.virtual_key),
    };
    let epoch = credential.and_then(|(c, stored)| (stored == Stored::Yes).then_some(c.epoch));
    Ok(Checked { resolved, scopes, kind: subject.kind(), epoch, release })
}

/// Whether a credential has a row already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It has.
    Yes,
    /// It is being enrolled.
    NotYet,
}

fn within_ceiling(credential: &Credential, resolved: &Resolved) -> Result<(), Denied> {
    if credential.ceiling.allows(resolved.operation, resolved.reading.products()) {
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

/// What a grant must include.
struct Wanted<'a> {
    name: &'a str,
    /// The class that includes it.
    class: Option<Class>,
    /// Of everything it places or changes; `None` where the call does not say.
    symbols: Vec<Option<&'a str>>,
    release: bool,
}

impl<'a> Wanted<'a> {
    fn of(resolved: &'a Resolved, release: bool) -> Self {
        let operation = resolved.operation;
        // What makes positions riskier is granted by its own name only.
        let class = (operation.kind != Kind::Setting).then_some(operation.class);
        Self { name: operation.name, class, symbols: resolved.reading.symbols(), release }
    }
}

/// The first grant that allows it; without one, the refusal of the grant that came furthest.
fn granted<'a>(
    principal: &AppPrincipal,
    grants: &'a [Grant],
    credential: Option<&Credential>,
    wanted: &Wanted<'_>,
) -> Result<&'a Grant, Denied> {
    let mut furthest = (0_u8, Denied::by("grant.none"));
    for grant in grants.iter().filter(|grant| grant.app == principal.app && grant.tenant == principal.tenant) {
        match allows(grant, principal, credential, wanted) {
            Ok(()) => return Ok(grant),
            Err((step, denied)) if step > furthest.0 => furthest = (step, denied),
            Err(_) => {}
        }
    }
    Err(furthest.1)
}

fn allows(
    grant: &Grant,
    principal: &AppPrincipal,
    credential: Option<&Credential>,
    wanted: &Wanted<'_>,
) -> Result<(), (u8, Denied)> {
    let covered = match (credential, &grant.credentials) {
        (None, _) | (Some(_), Credentials::All) => true,
        (Some(credential), Credentials::These(ids)) => ids.contains(&credential.id),
    };
    if !covered {
        return Err((0, Denied::by("grant.none")));
    }
    let includes = |name: &str| grant.operations.iter().any(|allowed| allowed == name);
    if !includes(wanted.name) && !wanted.class.is_some_and(|class| includes(class.as_str())) {
        return Err((1, Denied::by("grant.operation")));
    }
    if wanted.release && !includes(SIGNATURES) {
        return Err((2, Denied::by("grant.signatures")));
    }
    if !grant.networks.is_empty() && !grant.networks.iter().any(|network| network.contains(principal.address)) {
        return Err((3, Denied::by("grant.network")));
    }
    let listed = |symbol: Option<&str>| symbol.is_some_and(|symbol| grant.symbols.iter().any(|s| s == symbol));
    if !grant.symbols.is_empty() && !wanted.symbols.iter().copied().all(listed) {
        return Err((4, Denied::by("grant.symbol")));
    }
    Ok(())
}

/// What a grant names beside an operation whose signature may be released.
const SIGNATURES: &str = "signatures";

/// What a grant may name that is no operation of a catalogue: a class, the release of signatures, a stream's login.
pub(crate) fn is_grantable(text: &str) -> bool {
    is_class(text) || text == SIGNATURES || stream::is_stream(text)
}

/// Whether a class may be granted by name: `market`, `read`, `trade`.
fn is_class(text: &str) -> bool {
    [Class::Market, Class::Read, Class::Trade].iter().any(|class| class.as_str() == text)
}

#[cfg(test)]
mod tests;
