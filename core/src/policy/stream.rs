//! Logins to a venue's streams: reads of the account, whose signature is always released.

use claviger_venues::{Class, Stream, VenueId};

use super::granted::{Allowed, Grants, Wanted, granted};
use super::hours::Moment;
use super::{Denied, Frame, unexpired};
use crate::credential::Credential;
use crate::identity::AppPrincipal;
use crate::store::{Charge, Effect, Key, Scopes};

/// What a grant calls a stream: this and its name. The class `read` includes it.
const PREFIX: &str = "stream.";

/// A login that policy allowed, not recorded yet. Made by [`check_stream`] alone.
#[derive(Debug)]
#[must_use]
pub struct CheckedStream {
    stream: &'static Stream,
    challenge: Option<String>,
    scopes: Scopes,
    epoch: u64,
    allowed: Allowed,
}

impl CheckedStream {
    /// The stream.
    pub fn stream(&self) -> &'static Stream {
        self.stream
    }

    /// What the venue sent to be signed.
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// What it is called among operations.
    pub fn operation(&self) -> String {
        operation(self.stream)
    }

    /// Where it lies.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The credential's epoch that the decision saw.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What it spends of budgets.
    pub fn charges(&self) -> &[Charge] {
        &self.allowed.charges
    }

    /// The rows that the decision rests on, with their versions; 0 for one that was not there.
    pub fn seen(&self) -> &[(Key, u64)] {
        &self.allowed.seen
    }
}

/// Decides whether the login to a stream of the credential's venue is signed.
///
/// # Errors
/// [`Denied`] names the first rule that refuses.
pub fn check_stream(
    (principal, grants): (&AppPrincipal, &Grants),
    frame: &Frame<'_>,
    credential: &Credential,
    stream: &'static Stream,
    challenge: Option<String>,
) -> Result<CheckedStream, Denied> {
    if !frame.venue_enabled {
        return Err(Denied::venue_disabled());
    }
    unexpired(credential, frame.now_ms)?;
    let name = operation(stream);
    let wanted = Wanted {
        venue: credential.venue,
        name: &name,
        class: Some(Class::Read),
        trades: &[],
        release: true,
        effect: Effect::Reads,
        moment: Moment::of(frame.now_ms),
        early: false,
    };
    let allowed = granted(principal, grants, Some(credential), frame, &wanted)?;
    if !stream.kinds.contains(&credential.kind) {
        return Err(Denied { rule: "signatures.stream", text: stream.reason, by: None });
    }
    let scopes = Scopes {
        tenant: credential.tenant,
        owner: Some(credential.owner.clone()),
        venue: credential.venue,
        app: Some(principal.app),
        grant: Some(allowed.grant),
        credential: Some(credential.id),
        virtual_key: principal.virtual_key,
    };
    Ok(CheckedStream { stream, challenge, scopes, epoch: credential.epoch, allowed })
}

fn operation(stream: &Stream) -> String {
    [PREFIX, stream.name].concat()
}

/// Whether some venue has the stream that a grant names.
pub(super) fn is_stream(text: &str) -> bool {
    let named = |name| VenueId::ALL.iter().flat_map(|venue| claviger_venues::streams(*venue)).any(|s| s.name == name);
    text.strip_prefix(PREFIX).is_some_and(named)
}
