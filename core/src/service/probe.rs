//! Asking the venue what a key may do: a signed call under an intent of Claviger's own.

use claviger_venues::{KeyFacts, Meaning, Params};

use super::tokens::NoToken;
use super::{Part, Service, ServiceError};
use crate::credential::{Credential, Health};
use crate::execution::budget::Share;
use crate::execution::{Material, Origin, Recording, Settled, record};
use crate::policy::{Checked, Own, Resolved, Stored, check_own};
use crate::store::{Admit, Refusal, Scope, Stop};

/// The probe's name in every venue's catalogue.
pub(super) const PROBE: &str = "key.permissions";

/// What a probe found.
#[derive(Debug)]
pub(super) enum Probed {
    /// The venue says what the key may do.
    Facts(KeyFacts),
    /// The venue refuses the key, or says nothing that can be read.
    Refused(Meaning),
}

impl Service {
    /// Probes a credential with the sealed bytes given, stored or not.
    pub(super) async fn probe(
        &self,
        credential: &Credential,
        stored: Stored,
        material: &Material,
        origin: &Origin,
    ) -> Result<Probed, ServiceError> {
        let resolved = Resolved::new(credential.venue, PROBE, Params::new())
            .map_err(|e| ServiceError::invalid("probe_missing", e.to_string()))?;
        let enabled = self.venues.enabled.contains(&credential.venue);
        let _turn = if resolved.operation().uses_nonce() {
            let turn = self.lanes.turn(credential.id, false, 256).await;
            Some(turn.ok_or_else(|| {
                ServiceError::unavailable(Part::Load, "too many requests wait for this credential; try again")
            })?)
        } else {
            None
        };
        let mut again = false;
        loop {
            let using = match self.using(credential, stored, material).await {
                Ok(using) => using,
                Err(NoToken { meaning: Some(meaning), .. }) => return Ok(Probed::Refused(meaning)),
                Err(no) => return Err(no.into()),
            };
            let checked = check_own(Own::Probe, enabled, (credential, stored), resolved.clone())?;
            let settled = self.asked_venue(checked, using.material(), &credential.hint, origin).await?;
            let Some(answer) = settled.answer else {
                return Err(ServiceError::unavailable(
                    Part::Venue,
                    format!("{} did not answer the question what the key may do; try again", credential.venue),
                ));
            };
            match (using.dead(settled.meaning.as_ref()), again) {
                (Some(dead), false) => {
                    again = true;
                    if let Err(NoToken { meaning: Some(meaning), .. }) =
                        self.token_anew(credential, stored, material, dead).await
                    {
                        return Ok(Probed::Refused(meaning));
                    }
                }
                _ => {
                    return Ok(match claviger_venues::permissions(credential.venue, answer.status, &answer.body) {
                        Ok(facts) => Probed::Facts(facts),
                        Err(error) => Probed::Refused(error.meaning()),
                    });
                }
            }
        }
    }

    /// Makes a read of Claviger's own: recorded, signed, sent, settled.
    pub(super) async fn asked_venue(
        &self,
        checked: Checked,
        material: &Material,
        shown_as: &str,
        origin: &Origin,
    ) -> Result<Settled, ServiceError> {
        self.asked_and_kept(checked, material, shown_as, origin).await.map(|(settled, _)| settled)
    }

    /// Does the same for a login, and keeps what the keeper wants back with the answer.
    pub(super) async fn asked_and_kept(
        &self,
        checked: Checked,
        material: &Material,
        shown_as: &str,
        origin: &Origin,
    ) -> Result<(Settled, Vec<u8>), ServiceError> {
        let share = Share::of(checked.resolved(), checked.scopes().credential);
        let recorded = match record(self.store(), self.clock(), checked, None, origin).await? {
            Recording::Recorded(recorded) => *recorded,
            Recording::Not(Admit::Refused(Refusal::Stopped(Scope::Owner(..), Stop::Revoked))) => {
                return Err(ServiceError::owner_revoked());
            }
            Recording::Not(Admit::Refused(Refusal::Withdrawn)) => return Err(ServiceError::kek_withdrawn()),
            Recording::Not(Admit::Refused(_)) => return Err(ServiceError::Changed),
            Recording::Not(_) => return Err(ServiceError::unavailable(Part::Store, "the intent was not recorded")),
        };
        let mut signed = match recorded.sign(&self.keeper, material).await {
            Ok(signed) => signed,
            Err(unsigned) => {
                let why = unsigned.error.to_string();
                self.record_outcome(unsigned.pending.failed(&why)).await?;
                return Err(unsigned.error.into());
            }
        };
        let exchange = signed.take_exchange();
        let answered = signed.send(self.egress.as_ref(), self.clock(), shown_as).await;
        self.heed(answered.meaning.as_ref(), answered.answer.as_ref(), share);
        Ok((self.settle(answered).await?, exchange))
    }
}

/// What a refused probe means for the key's health; `None` when it says nothing about the key.
pub(super) fn health_of(meaning: &Meaning) -> Option<Health> {
    match meaning {
        Meaning::DeadKey => Some(Health::Dead),
        Meaning::SuspectKey | Meaning::BadSignature | Meaning::MissingPermission | Meaning::AddressNotAllowed => {
            Some(Health::Suspect)
        }
        Meaning::Accepted
        | Meaning::Rejected { .. }
        | Meaning::ClockSkew
        | Meaning::BadNonce
        | Meaning::RateLimited { .. }
        | Meaning::Unavailable
        | Meaning::Unknown => None,
    }
}

/// Why a refused probe stands in the way of enrollment, in words for the owner.
pub(super) fn refusal(credential: &Credential, meaning: &Meaning) -> ServiceError {
    let venue = credential.venue;
    let bad = |code, text: String| ServiceError::Invalid { code, text };
    match meaning {
        Meaning::DeadKey => {
            bad("key_dead", format!("{venue} does not know this key: check the key id, or make a new key"))
        }
        Meaning::BadSignature => {
            bad("secret_wrong", format!("{venue} refuses the signature: the secret is not the one of this key id"))
        }
        Meaning::SuspectKey => bad(
            "key_refused",
            format!("{venue} refuses the key, its permissions or the address it is used from: check all three there"),
        ),
        Meaning::MissingPermission => {
            bad("permission_missing", format!("{venue} says that the key lacks a permission: allow reading there"))
        }
        Meaning::AddressNotAllowed => bad(
            "address_not_allowed",
            format!("{venue} binds the key to other addresses: add the addresses that Claviger calls from"),
        ),
        Meaning::ClockSkew | Meaning::BadNonce => ServiceError::unavailable(
            Part::Venue,
            format!("{venue} does not accept the time or the nonce: check this machine's clock, then try again"),
        ),
        Meaning::RateLimited { .. } | Meaning::Unavailable | Meaning::Unknown | Meaning::Accepted => {
            ServiceError::unavailable(Part::Venue, format!("{venue} could not say what the key may do; try again"))
        }
        Meaning::Rejected { code } => ServiceError::unavailable(
            Part::Venue,
            format!("{venue} refused to say what the key may do (its code: {code}); try again"),
        ),
    }
}
