//! Logins to a venue's streams: reads of the account, whose signature is always released.

use claviger_venues::{Class, Stream, VenueId};

use super::{Denied, Wanted, granted};
use crate::credential::Credential;
use crate::identity::{AppPrincipal, Grant};
use crate::store::Scopes;

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
}

/// Decides whether the login to a stream of the credential's venue is signed.
///
/// # Errors
/// [`Denied`] names the first rule that refuses.
pub fn check_stream(
    (principal, grants): (&AppPrincipal, &[Grant]),
    venue_enabled: bool,
    credential: &Credential,
    stream: &'static Stream,
    challenge: Option<String>,
) -> Result<CheckedStream, Denied> {
    if !venue_enabled {
        return Err(Denied::venue_disabled());
    }
    let name = operation(stream);
    let wanted = Wanted { name: &name, class: Some(Class::Read), symbols: Vec::new(), release: true };
    let grant = granted(principal, grants, Some(credential), &wanted)?;
    if !stream.kinds.contains(&credential.kind) {
        return Err(Denied { rule: "signatures.stream", text: stream.reason });
    }
    let scopes = Scopes {
        tenant: credential.tenant,
        owner: Some(credential.owner.clone()),
        venue: credential.venue,
        app: Some(grant.app),
        grant: Some(grant.id),
        credential: Some(credential.id),
        virtual_key: principal.virtual_key,
    };
    Ok(CheckedStream { stream, challenge, scopes, epoch: credential.epoch })
}

fn operation(stream: &Stream) -> String {
    [PREFIX, stream.name].concat()
}

/// Whether some venue has the stream that a grant names.
pub(super) fn is_stream(text: &str) -> bool {
    let named = |name| VenueId::ALL.iter().flat_map(|venue| claviger_venues::streams(*venue)).any(|s| s.name == name);
    text.strip_prefix(PREFIX).is_some_and(named)
}
