//! Logins to a venue's streams: signed only where the venue accepts no orders over the same login.

use crate::{
    encoding::Encoding,
    secret::SecretKind,
    signing::{Identity, Scheme, SigningTime},
    venue::VenueId,
};

/// A stream of a venue's, and whether Claviger signs the login to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// Its name in the API.
    pub name: &'static str,
    /// The kinds of secret for which a login is signed; empty if for none.
    pub kinds: &'static [SecretKind],
    /// Why a login for other kinds is refused.
    pub reason: &'static str,
    /// Whether the venue sends a challenge first.
    pub challenge: bool,
}

/// The bytes to sign for a stream's login, and the fields that go beside the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamLogin {
    /// The algorithm.
    pub scheme: Scheme,
    /// The bytes.
    pub to_sign: Vec<u8>,
    /// How the signature is written.
    pub encoding: Encoding,
    /// The fields, in the venue's own names.
    pub fields: Vec<(&'static str, String)>,
    /// The name of the field for the signature.
    pub signature: &'static str,
}

/// Returns the venue's streams that need a login.
pub fn streams(venue: VenueId) -> &'static [Stream] {
    venue.rules().streams()
}

/// Builds the login to a stream; `None` where [`streams`] has none for that kind of secret, or the challenge is missing,
/// too long, or not wanted.
pub fn stream_login(
    venue: VenueId,
    stream: &str,
    key: Identity<'_>,
    at: SigningTime,
    challenge: Option<&str>,
) -> Option<StreamLogin> {
    const CHALLENGE_CHARS_MAX: usize = 128;
    let stream = streams(venue).iter().find(|known| known.name == stream)?;
    let fitting =
        challenge.is_none_or(|text| text.len() <= CHALLENGE_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic()));
    if !stream.kinds.contains(&key.kind) || stream.challenge != challenge.is_some() || !fitting {
        return None;
    }
    venue.rules().stream_login(stream, key, at, challenge)
}
