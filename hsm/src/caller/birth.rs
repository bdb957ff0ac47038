//! Pairs born in the token.

use aws_lc_rs::signature::ParsedPublicKey;
use claviger_core::token::{KeyKind, NewPair};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::Session;

use crate::error::Fault;
use crate::object::{self, Temporary};
use crate::public;
use crate::template::caller as template;

/// A pair between its birth and its wrapping.
#[derive(Debug)]
pub(crate) struct Newborn<'s> {
    pub(crate) private: Temporary<'s>,
    pub(crate) public: ParsedPublicKey,
}

impl<'s> Newborn<'s> {
    /// Makes a pair of session objects, the private half good for nothing but being wrapped.
    pub(crate) fn generate(session: &'s Session, pair: NewPair) -> Result<Self, Fault> {
        let kind = match pair {
            NewPair::Ed25519 => KeyKind::Ed25519,
            NewPair::Rsa { .. } => KeyKind::RsaSha256,
        };
        Self::generate_as(session, pair, &template::newborn(kind))
    }

    /// Makes a pair whose private half is as `private` says.
    pub(crate) fn generate_as(session: &'s Session, pair: NewPair, private: &[Attribute]) -> Result<Self, Fault> {
        let (by, bits) = match pair {
            NewPair::Ed25519 => (Mechanism::EccEdwardsKeyPairGen, None),
            NewPair::Rsa { bits } => (Mechanism::RsaPkcsKeyPairGen, Some(bits)),
        };
        let halves = object::generate_pair(session, &by, &template::newborn_public(bits), private)?;
        let (public, private) = (Temporary::new(session, halves.0), Temporary::new(session, halves.1));
        let public = match pair {
            NewPair::Ed25519 => {
                public::parsed_ed25519(&public::point(session, public.handle, public::ED25519_POINT_BYTES)?)
            }
            NewPair::Rsa { .. } => public::parsed_rsa(&public::rsa(session, public.handle)?),
        }?;
        Ok(Self { private, public })
    }
}
