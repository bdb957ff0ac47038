//! Tokens that a venue hands out for a login: credentials like any other, except that Claviger fetches them.

use crate::{operation::Operation, secret::SecretKind, venue::VenueId};

/// How a venue's tokens are fetched and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRule {
    /// The operation that hands one out.
    pub login: &'static str,
    /// The operation that renews one, signed with the token itself; `None` where a new login is what renews.
    pub renewal: Option<&'static str>,
    /// What follows a login before anything else may be asked, in order.
    pub opening: &'static [&'static str],
    /// What keeps the token alive, and how often, in seconds.
    pub keep_alive: Option<(&'static str, u32)>,
    /// How the token comes out of the answer.
    pub exchange: Exchange,
    /// How long a token lives when the answer does not say, in seconds.
    pub life_s: u32,
}

/// How a token comes out of a login's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// The answer holds it.
    Plain,
    /// It is computed from a Diffie-Hellman answer (OAuth 1.0a with a live session token, as Interactive Brokers has
    /// it); the token is an HMAC key.
    DiffieHellman(DiffieHellman),
}

/// What a Diffie-Hellman exchange takes: the login's parameter for our half, and which parts of the login's secret have
/// the rest. The generator is 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffieHellman {
    /// The parameter that takes our half, in hexadecimal.
    pub challenge: &'static str,
    /// The part that is signed along with each request, of the login's secret and of the token alike.
    pub access_token: usize,
    /// The part that is encrypted: what it holds stands before what the login signs, and is what the token is a MAC of.
    pub token_secret: usize,
    /// The RSA key that decrypts it.
    pub decrypting_key: usize,
    /// The prime.
    pub prime: usize,
}

/// What a login's answer says. It borrows from the answer, which is a secret.
pub struct TokenAnswer<'b> {
    /// The token, or the venue's half of the Diffie-Hellman exchange.
    pub token: &'b str,
    /// The proof that the venue computed the same token, where it gives one.
    pub check: Option<&'b str>,
    /// When it expires, milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
}

/// An answer is never shown.
impl std::fmt::Debug for TokenAnswer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenAnswer(..)")
    }
}

/// Whether that kind of secret signs the operation: a login's secret signs the login alone, a token all but that.
pub(crate) fn signs(kind: SecretKind, operation: &Operation) -> bool {
    tokens(operation.venue).is_none_or(|rule| (kind == SecretKind::Login) == (operation.name == rule.login))
}

/// Returns how the venue's tokens are fetched; `None` where keys sign by themselves.
pub fn tokens(venue: VenueId) -> Option<&'static TokenRule> {
    venue.rules().tokens()
}

/// Reads the answer of an accepted login or renewal; `None` if it is not what the venue documents.
pub fn token(venue: VenueId, body: &[u8]) -> Option<TokenAnswer<'_>> {
    venue.rules().token(body)
}
