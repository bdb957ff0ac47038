//! From the durable intent to the durable outcome.

use std::sync::Arc;
use std::time::Duration;

use claviger_venues::{Class, Meaning, RequestParts};

use crate::execution::budget::Share;
use crate::execution::egress::VenueAnswer;
use crate::execution::{Recorded, Released, SignError};
use crate::id::ExecutionId;
use crate::incident::Detector;
use crate::keeper::KeeperError;
use crate::keeper::message::Refused;
use crate::policy::{Resolved, Stored};
use crate::service::directory::KnownCredential;
use crate::service::incidents::Sighting;
use crate::service::tokens::{Held, Using};
use crate::service::{Part, Service, ServiceError};
use crate::store::{Execution, ExecutionState, Scope, StoreError};

/// How long a venue is left alone that said "too many" without saying for how long.
const QUIET: Duration = Duration::from_secs(1);

/// What became of it.
#[derive(Debug)]
pub struct Executed {
    /// The execution as it is stored.
    pub execution: Execution,
    /// The venue's answer with its headers; none for a replay, which has the stored one.
    pub answer: Option<VenueAnswer>,
    /// The signed request, where it was asked for instead; none for a replay.
    pub released: Option<Released<RequestParts>>,
    /// Whether this is the answer of an earlier request.
    pub replayed: bool,
}

/// A credential and what signs for it.
pub(super) struct Signer<'a> {
    pub(super) known: &'a KnownCredential,
    using: Using<'a>,
}

/// What became of a recorded intent.
pub(super) enum Carried {
    /// It was carried out, or nobody knows.
    Out(Box<Executed>),
    /// The venue does not take the token any more, and looked at nothing else.
    TurnedAway(Arc<Held>),
}

impl Carried {
    fn out(executed: Executed) -> Self {
        Self::Out(Box::new(executed))
    }
}

impl Service {
    /// What signs; nothing does for class market, whether or not a credential was named.
    pub(super) async fn signer<'a>(
        &self,
        known: Option<&'a KnownCredential>,
        resolved: &Resolved,
    ) -> Result<Option<Signer<'a>>, ServiceError> {
        let Some(known) = known.filter(|_| resolved.operation().class != Class::Market) else {
            return Ok(None);
        };
        let using = self.using(&known.row, Stored::Yes, &known.material).await?;
        Ok(Some(Signer { known, using }))
    }

    pub(super) async fn replaced(&self, known: Option<&KnownCredential>, dead: &Arc<Held>) -> Result<(), ServiceError> {
        let known = known.ok_or_else(no_token)?;
        Ok(self.token_anew(&known.row, Stored::Yes, &known.material, dead).await?)
    }

    /// From the durable intent to the durable outcome.
    pub(super) async fn carry_out(
        &self,
        id: ExecutionId,
        recorded: Recorded,
        by: Option<&Signer<'_>>,
        shown_as: &str,
        share: Share,
    ) -> Result<Carried, ServiceError> {
        let release = recorded.release();
        let signed = match by {
            Some(by) => recorded.sign(&self.keeper, by.using.material()).await,
            None => recorded.without_key(&self.venues.hosts),
        };
        let signed = match signed {
            Ok(signed) => signed,
            Err(unsigned) => {
                let why = unsigned.error.to_string();
                self.record_outcome(unsigned.pending.failed(&why)).await?;
                return Err(self.not_signed(unsigned.error, by.map(|by| by.known)).await);
            }
        };
        if release {
            return self.release(id, signed).await.map(Carried::out);
        }
        let answered = signed.send(self.egress.as_ref(), self.clock.as_ref(), shown_as).await;
        self.heed(answered.meaning.as_ref(), answered.answer.as_ref(), share);
        if let Some(dead) = by.and_then(|by| by.using.dead(answered.meaning.as_ref())) {
            self.settle(answered.turned_away()).await?;
            return Ok(Carried::TurnedAway(dead.clone()));
        }
        let sent = answered.state() != ExecutionState::Failed;
        let settled = match self.settle(answered).await {
            Ok(settled) => settled,
            Err(error) if sent => return self.not_recorded(id, &error).await.map(Carried::out),
            Err(error) => return Err(error.into()),
        };
        if settled.state == ExecutionState::Failed {
            return Err(ServiceError::unavailable(Part::Venue, "the venue could not be reached; nothing was sent"));
        }
        match self.store.execution(id).await {
            Ok(Some(execution)) => {
                let answer = settled.answer;
                Ok(Carried::out(Executed { execution, answer, released: None, replayed: false }))
            }
            Ok(None) | Err(_) => Err(sent_unseen(id)),
        }
    }

    /// A venue that says "too many" is left alone for as long as it asks.
    pub(in super::super) fn heed(&self, meaning: Option<&Meaning>, answer: Option<&VenueAnswer>, share: Share) {
        if let (Some(Meaning::RateLimited { retry_after_ms }), Some(answer)) = (meaning, answer) {
            let header = answer.headers.iter().find(|(name, _)| name == "retry-after");
            let seconds = header.and_then(|(_, value)| value.parse().ok()).map(Duration::from_secs);
            let pause = seconds.or(retry_after_ms.map(Duration::from_millis)).unwrap_or(QUIET);
            tracing::warn!(venue = %share.venue, pause_ms = pause.as_millis(), "the venue says: too many requests");
            self.budgets.quiet(&share, pause, self.clock.boot());
        }
    }

    /// It was sent, and the store did not take what became of it: unknown until it does, and nothing to be repeated.
    async fn not_recorded(&self, id: ExecutionId, error: &StoreError) -> Result<Executed, ServiceError> {
        tracing::error!(%error, execution.id = %id, "an outcome is not recorded yet");
        match self.store.execution(id).await {
            Ok(Some(row)) => {
                let execution = Execution { state: ExecutionState::Unknown, ..row };
                Ok(Executed { execution, answer: None, released: None, replayed: false })
            }
            Ok(None) | Err(_) => Err(sent_unseen(id)),
        }
    }

    pub(in super::super) async fn not_signed(&self, error: SignError, known: Option<&KnownCredential>) -> ServiceError {
        if let (SignError::Keeper(KeeperError::Refused(Refused::Tampered | Refused::Relabelled)), Some(known)) =
            (&error, known)
        {
            self.tampered(known).await;
            return ServiceError::Tampered;
        }
        if matches!(error, SignError::Keeper(KeeperError::Refused(Refused::Barred))) {
            let text =
                "it was stopped, or the keeper was replaced, while the request was on its way; nothing was signed";
            return ServiceError::unavailable(Part::Keeper, text);
        }
        error.into()
    }

    /// Stored bytes that do not open are an alarm and an incident.
    pub(in super::super) async fn tampered(&self, known: &KnownCredential) {
        tracing::error!(alarm = "tamper", credential.id = %known.row.id, "stored bytes do not open");
        let (tenant, id) = (known.row.tenant, known.row.id);
        let text = format!("the stored bytes of {id} do not open: nothing was signed");
        let (detector, tenant, scope) = (Detector::Tamper, Some(tenant), Scope::Credential(id));
        self.alarmed(Sighting { detector, tenant, scope, text }).await;
    }
}

pub(super) fn no_token() -> ServiceError {
    ServiceError::unavailable(Part::Venue, "the venue takes no token of this credential's; nothing was carried out")
}

/// What is left to say of an execution that the store does not show at the moment.
fn sent_unseen(id: ExecutionId) -> ServiceError {
    let text = format!("{id} was sent, and what became of it cannot be read: ask for it in a moment");
    ServiceError::conflict("idempotency_in_progress", text)
}
