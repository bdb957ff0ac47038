//! Executions: the chain of [`crate::execution`], walked once per request.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use claviger_venues::{Meaning, Params, RequestParts, VenueId};
use tokio::sync::TryAcquireError;

use super::directory::{KnownApp, KnownCredential};
use super::tokens::{Held, Using};
use super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::budget::Share;
use crate::execution::egress::VenueAnswer;
use crate::execution::{Answered, Origin, Recorded, Recording, Released, SignError, Turn, record};
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

/// How long a request waits for the venue's rate budget.
pub(super) const BUDGET_PATIENCE: Duration = Duration::from_millis(1_500);

/// How long a venue is left alone that said "too many" without saying for how long.
const QUIET: Duration = Duration::from_secs(1);

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

/// A request whose venue, operation and identity are known: what an app's request and a client's at the gateway both
/// become.
#[derive(Debug)]
pub struct Asked {
    /// The credential; none for class market.
    pub credential: Option<Arc<KnownCredential>>,
    /// The operation with its parameters.
    pub resolved: Resolved,
    /// What makes it the same request as another.
    pub once: Idempotency,
    /// What does where that key is another request's; none where the request must not be carried out then.
    pub apart: Option<Idempotency>,
    /// What the venue's answer shows in place of the real key id.
    pub shown_as: String,
    /// Whether the signed request goes to the app instead of the venue.
    pub release: bool,
}

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
        let executed = match self.asked(principal, request, false).await {
            Ok(asked) => self.carry(principal, app, asked, origin).await,
            Err(error) => Err(Halt::Unrecorded(error)),
        };
        self.concluded(executed, principal, &operation, credential, origin).await
    }

    /// Carries out a request that is known to name an operation of the credential's venue.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn execute_asked(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        asked: Asked,
        origin: &Origin,
    ) -> Result<Executed, ServiceError> {
        let operation = asked.resolved.operation().name;
        let credential = asked.credential.as_ref().map(|known| known.row.id);
        let executed = self.carry(principal, app, asked, origin).await;
        self.concluded(executed, principal, operation, credential, origin).await
    }

    /// Records a refusal that no intent was recorded for.
    pub(super) async fn concluded<T>(
        &self,
        executed: Result<T, Halt>,
        principal: &AppPrincipal,
        operation: &str,
        credential: Option<CredentialId>,
        origin: &Origin,
    ) -> Result<T, ServiceError> {
        match executed {
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

    /// Finds out what an app's request names.
    pub(super) async fn asked(
        &self,
        principal: &AppPrincipal,
        request: ExecutionRequest,
        release: bool,
    ) -> Result<Asked, ServiceError> {
        let credential = self.credential_of(principal, &request).await?;
        let venue = match (credential.as_ref().map(|known| known.row.venue), request.venue) {
            (Some(own), Some(said)) if own != said => {
                return Err(ServiceError::invalid("venue_mismatch", format!("the credential is one of {own}")));
            }
            (Some(own), _) => own,
            (None, Some(said)) => said,
            (None, None) => {
                let text = "name a credential, or a venue for market data";
                return Err(ServiceError::invalid("credential_missing", text));
            }
        };
        let once = Idempotency { request: request_hash(&request, venue, release), key: request.idempotency_key };
        let resolved = resolve(venue, &request.operation, request.params, &order_name(principal, &once.key))?;
        let shown_as = credential.as_ref().map(|known| known.row.hint.clone()).unwrap_or_default();
        Ok(Asked { credential, resolved, once, apart: None, shown_as, release })
    }

    /// Carries out a request, or says what became of it before. Of one whose outcome nobody knows yet the venue is asked
    /// first: if it has no such order and cannot take it any more, the request is made again.
    pub(super) async fn carry(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        asked: Asked,
        origin: &Origin,
    ) -> Result<Executed, Halt> {
        let executed = self.attempt(principal, app, &asked, origin).await?;
        if !executed.replayed || executed.execution.state != ExecutionState::Unknown {
            return Ok(executed);
        }
        let execution = self.resolved(executed.execution).await?;
        if execution.state == ExecutionState::Failed {
            return self.attempt(principal, app, &asked, origin).await;
        }
        Ok(Executed { execution, ..executed })
    }

    async fn attempt(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        asked: &Asked,
        origin: &Origin,
    ) -> Result<Executed, Halt> {
        let resolved = &asked.resolved;
        let (mut once, mut apart) = (&asked.once, asked.apart.as_ref());
        let mut known = asked.credential.clone();
        if known.is_none() && resolved.operation().class != claviger_venues::Class::Market {
            return Err(ServiceError::invalid("credential_missing", "this operation needs a credential").into());
        }
        let effect = resolved.effect();
        let _room = self.room(effect)?;
        let share = Share::of(resolved, known.as_ref().map(|known| known.row.id));
        self.budgets.take(share, self.clock(), BUDGET_PATIENCE).await.map_err(ServiceError::from)?;
        let _turn = self.turn(resolved, known.as_deref(), effect).await?;
        let (mut again, mut anew) = (false, false);
        loop {
            let checked = self.decide(principal, app, known.as_deref(), asked).map_err(ServiceError::from)?;
            let owner = known.clone();
            let signer = self.signer(owner.as_deref(), resolved).await?;
            let id = ExecutionId::new(self.clock.as_ref());
            let recording = record(self.store.as_ref(), self.clock.as_ref(), checked, Some((id, once.clone())), origin);
            match recording.await.map_err(ServiceError::from)? {
                Recording::Recorded(recorded) => {
                    let carried = self.carry_out(id, *recorded, signer.as_ref(), &asked.shown_as, share);
                    match carried.await.map_err(Halt::Recorded)? {
                        Carried::Out(executed) => return Ok(*executed),
                        // It is recorded as failed: the same request is made once more, with a new token.
                        Carried::TurnedAway(dead) if !anew => {
                            anew = true;
                            let known = signer.as_ref().map(|signer| signer.known);
                            self.replaced(known, &dead).await.map_err(Halt::Recorded)?;
                        }
                        Carried::TurnedAway(_) => return Err(Halt::Recorded(no_token())),
                    }
                }
                Recording::Not(Admit::Replay(execution)) => {
                    return Ok(Executed { execution: *execution, answer: None, released: None, replayed: true });
                }
                Recording::Not(Admit::InFlight(id)) => {
                    let text = format!("{id} is being carried out under this idempotency key: ask for it in a moment");
                    return Err(ServiceError::conflict("idempotency_in_progress", text).into());
                }
                Recording::Not(Admit::Refused(Refusal::Stale | Refusal::Gone)) if !again => {
                    again = true;
                    known = self.looked_up_anew(known).await?;
                }
                Recording::Not(Admit::Refused(refusal)) => match apart.take() {
                    Some(apart) if refusal == Refusal::KeyReused => once = apart,
                    _ => return Err(refused(&refusal).into()),
                },
                Recording::Not(Admit::Granted(_)) => {
                    return Err(ServiceError::unavailable(Part::Store, "the store's answer makes no sense").into());
                }
            }
        }
    }

    /// The credential as it is by now.
    async fn looked_up_anew(
        &self,
        known: Option<Arc<KnownCredential>>,
    ) -> Result<Option<Arc<KnownCredential>>, ServiceError> {
        let row = &known.ok_or(ServiceError::NotFound("credential"))?.row;
        self.directory.forget_credential(row.tenant, row.id);
        let found = self.directory.credential(self.store(), row.tenant, row.id).await?;
        found.map(Some).ok_or(ServiceError::NotFound("credential"))
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
    pub(super) fn room(&self, effect: Effect) -> Result<tokio::sync::SemaphorePermit<'_>, ServiceError> {
        let semaphore = if effect == Effect::Reduces { &self.cancels } else { &self.orders };
        semaphore.try_acquire().map_err(|e: TryAcquireError| {
            ServiceError::unavailable(Part::Load, format!("too many executions are under way ({e}); try again"))
        })
    }

    pub(super) async fn turn(
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
        asked: &Asked,
    ) -> Result<Checked, Denied> {
        let enabled = self.venues.enabled.contains(&asked.resolved.operation().venue);
        let credential = known.map(|known| (&known.row, Stored::Yes));
        let grants = &app.grants;
        let subject =
            if asked.release { Subject::Releasing(principal, grants) } else { Subject::App(principal, grants) };
        check(subject, principal.tenant, enabled, credential, asked.resolved.clone())
    }

    /// What signs; nothing does for class market, whether or not a credential was named.
    async fn signer<'a>(
        &self,
        known: Option<&'a KnownCredential>,
        resolved: &Resolved,
    ) -> Result<Option<Signer<'a>>, ServiceError> {
        let Some(known) = known.filter(|_| resolved.operation().class != claviger_venues::Class::Market) else {
            return Ok(None);
        };
        let using = self.using(&known.row, Stored::Yes, &known.material).await?;
        Ok(Some(Signer { known, using }))
    }

    async fn replaced(&self, known: Option<&KnownCredential>, dead: &Arc<Held>) -> Result<(), ServiceError> {
        let known = known.ok_or_else(no_token)?;
        Ok(self.token_anew(&known.row, Stored::Yes, &known.material, dead).await?)
    }

    /// From the durable intent to the durable outcome.
    async fn carry_out(
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
        self.heed(&answered, share);
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
    pub(super) fn heed(&self, answered: &Answered, share: Share) {
        if let (Some(Meaning::RateLimited { retry_after_ms }), Some(answer)) = (&answered.meaning, &answered.answer) {
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

    pub(super) async fn not_signed(&self, error: SignError, known: Option<&KnownCredential>) -> ServiceError {
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

/// A credential and what signs for it.
struct Signer<'a> {
    known: &'a KnownCredential,
    using: Using<'a>,
}

/// What became of a recorded intent.
enum Carried {
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

fn no_token() -> ServiceError {
    ServiceError::unavailable(Part::Venue, "the venue takes no token of this credential's; nothing was carried out")
}

/// Where an execution ended that was not carried out.
pub(super) enum Halt {
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

fn resolve(venue: VenueId, name: &str, mut params: Params, order_name: &[u8; 16]) -> Result<Resolved, ServiceError> {
    if let Some(operation) = claviger_venues::operation(venue, name) {
        claviger_venues::name_order(operation, &mut params, order_name);
    }
    Resolved::new(venue, name, params).map_err(|e| match e {
        ResolveError::Uncatalogued { .. } => {
            ServiceError::invalid("operation_unknown", format!("{e}: see docs/catalogue.md"))
        }
        ResolveError::Parameters(why) => ServiceError::invalid("params_invalid", why),
    })
}

/// What an order is called that the app gave no name: the same for the same idempotency key, so that a retry finds the
/// order instead of placing a second one.
fn order_name(principal: &AppPrincipal, key: &str) -> [u8; 16] {
    let hash = hash_of([principal.tenant.as_bytes().as_slice(), principal.app.as_bytes(), key.as_bytes()]);
    let mut name = [0; 16];
    name.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    name
}

/// What the deciding commit refused, as the caller sees it.
pub(super) fn refused(refusal: &Refusal) -> ServiceError {
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
/// What makes two requests the same: everything but the key.
fn request_hash(request: &ExecutionRequest, venue: VenueId, release: bool) -> [u8; 32] {
    let credential = request.credential.map(|id| *id.as_bytes()).unwrap_or_default();
    let named = [venue.as_str().as_bytes(), &credential, request.operation.as_bytes()];
    let params = request.params.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    let way: Option<&[u8]> = release.then_some(b"release");
    hash_of(named.into_iter().chain(params).chain(way))
}

/// SHA-256 over parts, each with its length before it.
pub(super) fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}
