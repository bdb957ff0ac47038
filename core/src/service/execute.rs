//! Executions: the chain of [`crate::execution`], walked once per request.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use claviger_venues::{Params, VenueId};
use tokio::sync::TryAcquireError;

use super::directory::{KnownApp, KnownCredential};
use super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::egress::VenueAnswer;
use crate::execution::{Origin, Recorded, Recording, SignError, Turn, record};
use crate::id::{CredentialId, ExecutionId};
use crate::identity::AppPrincipal;
use crate::keeper::KeeperError;
use crate::keeper::message::Refused;
use crate::policy::{Checked, Denied, ResolveError, Resolved, Stored, Subject, check};
use crate::store::{Admit, Effect, Execution, ExecutionState, Idempotency, Refusal, StoreError};

/// Requests that wait for one credential's lane at most.
const LANE_WAITING: usize = 256;

/// How long a request may have waited when its turn comes.
const LANE_PATIENCE: Duration = Duration::from_secs(5);

/// What an app asks to have done.
#[derive(Clone, Debug)]
pub struct ExecutionRequest {
    /// The venue; for class market instead of a credential, or to say it twice.
    pub venue: Option<VenueId>,
    /// The credential; not for class market.
    pub credential: Option<CredentialId>,
    /// The operation's name.
    pub operation: String,
    /// Its parameters, in order.
    pub params: Params,
    /// The caller's key: the same request under the same key is carried out once.
    pub idempotency_key: String,
}

/// What became of it.
#[derive(Debug)]
pub struct Executed {
    /// The execution as it is stored.
    pub execution: Execution,
    /// The venue's answer with its headers; none for a replay, which has the stored one.
    pub answer: Option<VenueAnswer>,
    /// Whether this is the answer of an earlier request.
    pub replayed: bool,
}

impl Service {
    /// Carries out one operation.
    ///
    /// # Errors
    /// [`ServiceError`]: nothing was sent. A lost answer is no error but [`ExecutionState::Unknown`].
    pub async fn execute(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        request: ExecutionRequest,
        origin: &Origin,
    ) -> Result<Executed, ServiceError> {
        let (operation, credential) = (request.operation.clone(), request.credential);
        match self.try_execute(principal, app, request, origin).await {
            Ok(executed) => Ok(executed),
            Err(Halt::Recorded(error)) => Err(error),
            Err(Halt::Unrecorded(error)) => {
                let mut entry = origin
                    .draft("execution.deny", error.outcome())
                    .tenant(principal.tenant.to_string())
                    .rule(error.tag())
                    .detail("operation", operation);
                if let Some(credential) = credential {
                    entry = entry.on("credential", credential.to_string());
                }
                self.store.append(vec![entry]).await?;
                Err(error)
            }
        }
    }

    async fn try_execute(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        request: ExecutionRequest,
        origin: &Origin,
    ) -> Result<Executed, Halt> {
        let known = self.credential_of(principal, &request).await?;
        let venue = match (known.as_ref().map(|known| known.row.venue), request.venue) {
            (Some(own), Some(said)) if own != said => {
                return Err(ServiceError::invalid("venue_mismatch", format!("the credential is one of {own}")).into());
            }
            (Some(own), _) => own,
            (None, Some(said)) => said,
            (None, None) => {
                let text = "name a credential, or a venue for market data";
                return Err(ServiceError::invalid("credential_missing", text).into());
            }
        };
        let resolved = resolve(venue, &request)?;
        if known.is_none() && resolved.operation().class != claviger_venues::Class::Market {
            return Err(ServiceError::invalid("credential_missing", "this operation needs a credential").into());
        }
        let idempotency = Idempotency { request: request_hash(&request, venue), key: request.idempotency_key };
        let effect = resolved.effect();
        let _room = self.room(effect)?;
        let _turn = self.turn(&resolved, known.as_deref(), effect).await?;
        let mut known = known;
        let mut again = false;
        loop {
            let checked =
                self.decide(principal, app, known.as_deref(), resolved.clone()).map_err(ServiceError::from)?;
            let id = ExecutionId::new(self.clock.as_ref());
            let recording =
                record(self.store.as_ref(), self.clock.as_ref(), checked, Some((id, idempotency.clone())), origin);
            match recording.await.map_err(ServiceError::from)? {
                Recording::Recorded(recorded) => {
                    return self.carry_out(id, *recorded, known.as_deref()).await.map_err(Halt::Recorded);
                }
                Recording::Not(Admit::Replay(execution)) => {
                    return Ok(Executed { execution: *execution, answer: None, replayed: true });
                }
                Recording::Not(Admit::InFlight(id)) => {
                    let text = format!("{id} is being carried out under this idempotency key: ask for it in a moment");
                    return Err(ServiceError::conflict("idempotency_in_progress", text).into());
                }
                Recording::Not(Admit::Refused(Refusal::Stale | Refusal::Gone)) if !again => {
                    again = true;
                    if let Some(known) = &known {
                        self.directory.forget_credential(known.row.tenant, known.row.id);
                    }
                    known = match known {
                        Some(known) => {
                            let found = self.directory.credential(self.store(), known.row.tenant, known.row.id).await;
                            found.map_err(ServiceError::from)?
                        }
                        None => None,
                    };
                    if known.is_none() {
                        return Err(ServiceError::NotFound("credential").into());
                    }
                }
                Recording::Not(Admit::Refused(refusal)) => {
                    return Err(refused(&refusal).into());
                }
                Recording::Not(Admit::Granted(_)) => {
                    return Err(ServiceError::unavailable(Part::Store, "the store's answer makes no sense").into());
                }
            }
        }
    }

    async fn credential_of(
        &self,
        principal: &AppPrincipal,
        request: &ExecutionRequest,
    ) -> Result<Option<Arc<KnownCredential>>, ServiceError> {
        let Some(id) = request.credential else { return Ok(None) };
        let known = self.directory.credential(self.store(), principal.tenant, id).await?;
        known.map(Some).ok_or(ServiceError::NotFound("credential"))
    }

    /// Room for one more: orders are turned away first, cancels and closing orders last.
    fn room(&self, effect: Effect) -> Result<tokio::sync::SemaphorePermit<'_>, ServiceError> {
        let semaphore = if effect == Effect::Reduces { &self.cancels } else { &self.orders };
        semaphore.try_acquire().map_err(|e: TryAcquireError| {
            ServiceError::unavailable(Part::Load, format!("too many executions are under way ({e}); try again"))
        })
    }

    async fn turn(
        &self,
        resolved: &Resolved,
        known: Option<&KnownCredential>,
        effect: Effect,
    ) -> Result<Option<Turn>, ServiceError> {
        match known {
            Some(known) if resolved.operation().uses_nonce() => {
                let begun = self.clock.boot();
                let turn = self.lanes.turn(known.row.id, effect == Effect::Reduces, LANE_WAITING).await;
                // An order that waited for long is not what the caller wants any more.
                let turn = turn.filter(|_| begun.until(self.clock.boot()) <= LANE_PATIENCE);
                turn.map(Some).ok_or_else(|| {
                    ServiceError::unavailable(Part::Load, "too many requests wait for this credential; try again")
                })
            }
            _ => Ok(None),
        }
    }

    fn decide(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        known: Option<&KnownCredential>,
        resolved: Resolved,
    ) -> Result<Checked, Denied> {
        let enabled = self.venues.enabled.contains(&resolved.operation().venue);
        let credential = known.map(|known| (&known.row, Stored::Yes));
        check(Subject::App(principal, &app.grants), principal.tenant, enabled, credential, resolved)
    }

    /// From the durable intent to the durable outcome.
    async fn carry_out(
        &self,
        id: ExecutionId,
        recorded: Recorded,
        known: Option<&KnownCredential>,
    ) -> Result<Executed, ServiceError> {
        let signed = match known {
            // Class market carries no key, whether or not a credential was named.
            Some(known) if !is_market(&recorded) => recorded.sign(&self.keeper, &known.material).await,
            _ => recorded.without_key(&self.venues.hosts),
        };
        let signed = match signed {
            Ok(signed) => signed,
            Err(unsigned) => {
                let why = unsigned.error.to_string();
                self.record_outcome(unsigned.pending.failed(&why)).await?;
                return Err(self.not_signed(unsigned.error, known).await);
            }
        };
        let answered = signed.send(self.egress.as_ref(), self.clock.as_ref()).await;
        let sent = answered.state() != ExecutionState::Failed;
        let settled = match self.settle(answered).await {
            Ok(settled) => settled,
            Err(error) if sent => return self.not_recorded(id, &error).await,
            Err(error) => return Err(error.into()),
        };
        if settled.state == ExecutionState::Failed {
            return Err(ServiceError::unavailable(Part::Venue, "the venue could not be reached; nothing was sent"));
        }
        match self.store.execution(id).await {
            Ok(Some(execution)) => Ok(Executed { execution, answer: settled.answer, replayed: false }),
            Ok(None) | Err(_) => Err(sent_unseen(id)),
        }
    }

    /// It was sent, and the store did not take what became of it: unknown until it does, and nothing to be repeated.
    async fn not_recorded(&self, id: ExecutionId, error: &StoreError) -> Result<Executed, ServiceError> {
        tracing::error!(%error, execution.id = %id, "an outcome is not recorded yet");
        match self.store.execution(id).await {
            Ok(Some(row)) => {
                let execution = Execution { state: ExecutionState::Unknown, ..row };
                Ok(Executed { execution, answer: None, replayed: false })
            }
            Ok(None) | Err(_) => Err(sent_unseen(id)),
        }
    }

    async fn not_signed(&self, error: SignError, known: Option<&KnownCredential>) -> ServiceError {
        if let (SignError::Keeper(KeeperError::Refused(Refused::Tampered | Refused::Relabelled)), Some(known)) =
            (&error, known)
        {
            self.alarm("tamper", known).await;
            return ServiceError::Tampered;
        }
        if matches!(error, SignError::Keeper(KeeperError::Refused(Refused::Barred))) {
            let text =
                "it was stopped, or the keeper was replaced, while the request was on its way; nothing was signed";
            return ServiceError::unavailable(Part::Keeper, text);
        }
        error.into()
    }

    /// Stored bytes that do not open are an alarm: an audit entry, an error line, a counter.
    pub(super) async fn alarm(&self, kind: &'static str, known: &KnownCredential) {
        tracing::error!(alarm = kind, credential.id = %known.row.id, "stored bytes do not open");
        let entry = Origin::system(self.clock())
            .draft(&format!("alarm.{kind}"), EntryOutcome::Failed)
            .tenant(known.row.tenant.to_string())
            .on("credential", known.row.id.to_string());
        if let Err(error) = self.store.append(vec![entry]).await {
            tracing::error!(%error, "the alarm could not be recorded");
        }
    }
}

/// Where an execution ended that was not carried out.
enum Halt {
    /// Before its intent was recorded: the refusal is an entry of its own.
    Unrecorded(ServiceError),
    /// After: its outcome is recorded.
    Recorded(ServiceError),
}

impl From<ServiceError> for Halt {
    fn from(error: ServiceError) -> Self {
        Self::Unrecorded(error)
    }
}

fn resolve(venue: VenueId, request: &ExecutionRequest) -> Result<Resolved, ServiceError> {
    Resolved::new(venue, &request.operation, request.params.clone()).map_err(|e| match e {
        ResolveError::Uncatalogued { .. } => {
            ServiceError::invalid("operation_unknown", format!("{e}: see docs/catalogue.md"))
        }
        ResolveError::Parameters(why) => ServiceError::invalid("params_invalid", why),
    })
}

/// What the deciding commit refused, as the caller sees it.
fn refused(refusal: &Refusal) -> ServiceError {
    match (Denied::of_refusal(refusal), refusal) {
        (Some(denied), _) => denied.into(),
        (None, Refusal::KeyReused) => {
            ServiceError::conflict("idempotency_key_reused", "this idempotency key was used for another request")
        }
        (None, Refusal::Gone) => ServiceError::NotFound("credential"),
        (None, Refusal::Stale | Refusal::Stopped(..) | Refusal::State(_)) => ServiceError::Changed,
    }
}

/// What is left to say of an execution that the store does not show at the moment.
fn sent_unseen(id: ExecutionId) -> ServiceError {
    let text = format!("{id} was sent, and what became of it cannot be read: ask for it in a moment");
    ServiceError::conflict("idempotency_in_progress", text)
}

fn is_market(recorded: &Recorded) -> bool {
    recorded.class() == claviger_venues::Class::Market
}

/// What makes two requests the same: everything but the key.
fn request_hash(request: &ExecutionRequest, venue: VenueId) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        hash.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(venue.as_str().as_bytes());
    part(request.credential.map(|id| *id.as_bytes()).unwrap_or_default().as_slice());
    part(request.operation.as_bytes());
    for (name, value) in request.params.iter() {
        part(name.as_bytes());
        part(value.as_bytes());
    }
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}
