//! What an app's grants allow.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;

use claviger_venues::{Class, Kind, VenueId};

use super::bounds::{Bounds, Names};
use super::compiled::{Asked, Subject, Taken};
use super::hours::{Hours, Moment};
use super::trade::Trade;
use super::{Denied, Frame, Resolved, stream};
use crate::credential::Credential;
use crate::id::{CredentialId, GrantId};
use crate::identity::{AppPrincipal, Credentials, Grant};
use crate::store::{Charge, Effect, Key, Resting, Spender};

/// An app's grants, found by the credential that they are for.
#[derive(Debug, Default)]
pub struct Grants {
    rows: Vec<Grant>,
    /// What is kept beside each.
    ready: Vec<Ready>,
    names: Names,
    /// Those for all credentials, by place.
    everywhere: Vec<usize>,
    /// Those for some, by place.
    some: HashMap<CredentialId, Vec<usize>>,
}

/// A grant, ready to judge.
#[derive(Debug)]
struct Ready {
    /// The version of its row.
    version: u64,
    /// What it says of orders.
    bounds: Bounds,
}

impl Grants {
    /// Takes grants with the versions of their rows.
    pub fn new(rows: impl IntoIterator<Item = (u64, Grant)>) -> Self {
        let mut grants = Self::default();
        for (place, (version, grant)) in rows.into_iter().enumerate() {
            match &grant.credentials {
                Credentials::All => grants.everywhere.push(place),
                Credentials::These(ids) => {
                    for id in ids {
                        grants.some.entry(*id).or_default().push(place);
                    }
                }
            }
            grants.ready.push(Ready { version, bounds: Bounds::of(&grant.orders, &mut grants.names) });
            grants.rows.push(grant);
        }
        grants
    }

    /// The places of those that are for a credential, or of all for a request that names none.
    fn for_credential(&self, id: Option<CredentialId>) -> impl Iterator<Item = (&Grant, &Ready)> {
        let all = if id.is_none() { 0..self.rows.len() } else { 0..0 };
        let some = id.into_iter().flat_map(|id| {
            self.everywhere.iter().chain(self.some.get(&id).map(Vec::as_slice).unwrap_or_default()).copied()
        });
        all.chain(some).filter_map(|place| Some((self.rows.get(place)?, self.ready.get(place)?)))
    }

    /// Whether one lets the app enroll from this address at this time. For a credential that there is, it is one that is
    /// for it; for one that there is not yet, and for all of an owner's, one that is for every credential.
    pub fn enroll(&self, credential: Option<CredentialId>, address: IpAddr, now_ms: u64) -> bool {
        let moment = Moment::of(now_ms);
        self.for_credential(credential).any(|(grant, _)| {
            let reaches = credential.is_some() || grant.credentials == Credentials::All;
            let inside = grant.networks.is_empty() || grant.networks.iter().any(|network| network.contains(address));
            grant.enroll && reaches && inside && Hours::any_has(&grant.hours, moment)
        })
    }

    /// Whether one of those for a credential needs a reference price to be judged by.
    pub(super) fn want_prices(&self, id: Option<CredentialId>) -> bool {
        self.for_credential(id).any(|(grant, _)| grant.orders.wants_price() || grant.budget.counts_worth())
    }
}

impl Deref for Grants {
    type Target = [Grant];

    fn deref(&self) -> &[Grant] {
        &self.rows
    }
}

/// What a grant must include.
pub(super) struct Wanted<'a> {
    pub(super) venue: VenueId,
    pub(super) name: &'a str,
    /// The class that includes it.
    pub(super) class: Option<Class>,
    /// Everything it places or changes.
    pub(super) trades: &'a [Trade<'a>],
    pub(super) release: bool,
    pub(super) effect: Effect,
    pub(super) moment: Option<Moment>,
    /// Whether no price was asked for yet, and no operator.
    pub(super) early: bool,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(resolved: &'a Resolved, trades: &'a [Trade<'a>], release: bool, moment: Option<Moment>) -> Self {
        let operation = resolved.operation();
        // What makes positions riskier is granted by its own name only.
        let class = (operation.kind != Kind::Setting).then_some(operation.class);
        let (venue, effect) = (operation.venue, resolved.effect());
        Self { venue, name: operation.name, class, trades, release, effect, moment, early: false }
    }
}

/// What was allowed, by which grant, what it takes, and what the decision rests on.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    pub(super) grant: GrantId,
    pub(super) charges: Vec<Charge>,
    pub(super) resting: Vec<Resting>,
    pub(super) seen: Vec<(Key, u64)>,
    pub(super) uses: Option<Key>,
}

/// Asks the grants, then the policy. The first grant that allows it counts; without one, the refusal is that of the
/// grant that came furthest.
pub(super) fn granted(
    principal: &AppPrincipal,
    grants: &Grants,
    credential: Option<&Credential>,
    frame: &Frame<'_>,
    wanted: &Wanted<'_>,
) -> Result<Allowed, Denied> {
    let (grant, version) = first(principal, grants, credential, wanted)?;
    let asked = Asked {
        subject: Subject::of(principal.app, credential),
        address: principal.address,
        venue: wanted.venue,
        effect: wanted.effect,
        trades: wanted.trades,
        moment: wanted.moment,
        approved: wanted.early || frame.approved.is_some(),
    };
    let Taken { mut charges, resting } = frame.policy.judge(&asked)?;
    // Which grant it is in the end, a price may decide.
    if wanted.effect != Effect::Reduces && !wanted.early {
        let charged = grant.budget.charges(Spender::Grant(grant.id), wanted.trades, &mut charges);
        charged.map_err(|tag| Denied::by(tag).of(grant.id.to_string()))?;
    }
    let mut seen = vec![
        (Key::Grant(grant.app, grant.id), version),
        (Key::PolicyInForce(principal.tenant), frame.policy.row_version()),
    ];
    seen.extend(frame.approved.cloned());
    let uses = frame.approved.map(|(key, _)| key.clone());
    Ok(Allowed { grant: grant.id, charges, resting, seen, uses })
}

fn first<'a>(
    principal: &AppPrincipal,
    grants: &'a Grants,
    credential: Option<&Credential>,
    wanted: &Wanted<'_>,
) -> Result<(&'a Grant, u64), Denied> {
    let (mut furthest, named) = ((0_u8, None), grants.names.name(wanted.trades));
    let own = |grant: &Grant| grant.app == principal.app && grant.tenant == principal.tenant;
    for (grant, ready) in grants.for_credential(credential.map(|row| row.id)).filter(|(grant, _)| own(grant)) {
        let judged = allows(grant, principal, wanted).and_then(|()| {
            let judged = named.iter().try_for_each(|named| ready.bounds.judge(&grants.names, named));
            judged.map_err(|rule| (5, if rule == "order.symbol" { "grant.symbol" } else { rule }))
        });
        match judged {
            Ok(()) => return Ok((grant, ready.version)),
            Err((step, rule)) if step > furthest.0 => furthest = (step, Some((rule, grant.id))),
            Err(_) => {}
        }
    }
    Err(furthest.1.map_or(Denied::by("grant.none"), |(rule, grant)| Denied::by(rule).of(grant.to_string())))
}

/// Whether it is for the request, whatever that trades; if not, how far the request came and the tag of what refuses it.
fn allows(grant: &Grant, principal: &AppPrincipal, wanted: &Wanted<'_>) -> Result<(), (u8, &'static str)> {
    let includes = |name: &str| grant.operations.iter().any(|allowed| allowed == name);
    if !includes(wanted.name) && !wanted.class.is_some_and(|class| includes(class.as_str())) {
        return Err((1, "grant.operation"));
    }
    if wanted.release && !includes(SIGNATURES) {
        return Err((2, "grant.signatures"));
    }
    if !grant.networks.is_empty() && !grant.networks.iter().any(|network| network.contains(principal.address)) {
        return Err((3, "grant.network"));
    }
    if wanted.effect != Effect::Reduces && !Hours::any_has(&grant.hours, wanted.moment) {
        return Err((4, "grant.hours"));
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
pub(super) fn is_class(text: &str) -> bool {
    [Class::Market, Class::Read, Class::Trade].iter().any(|class| class.as_str() == text)
}
