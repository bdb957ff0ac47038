//! Executions: the chain of [`crate::execution`], walked once per request.

mod asked;
mod carried;

use std::sync::Arc;
use std::time::Duration;

use claviger_venues::VenueId;
use tokio::sync::TryAcquireError;

use super::directory::{KnownApp, KnownCredential};
use super::{Part, Service, ServiceError};
use crate::execution::budget::Share;
use crate::execution::{Origin, Recording, Turn, record};
use crate::id::{CredentialId, ExecutionId};
use crate::identity::AppPrincipal;
use crate::policy::{
    Caller, Checked, Denied, Frame, Policy, Prices, Request, Resolved, check, check_early, wanted_prices,
};
use crate::store::{Admit, Effect, ExecutionState, Refusal};

use carried::{Carried, no_token};

pub use asked::{Asked, ExecutionRequest};
pub use carried::Executed;

/// Requests that wait for one credential's lane at most.
const LANE_WAITING: usize = 256;

/// How long a request may have waited when its turn comes.
const LANE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a request waits for the venue's rate budget.
pub(super) const BUDGET_PATIENCE: Duration = Duration::from_millis(1_500);

impl Service {
    /// Carries out one operation.
    ///
    /// # Errors
    /// [`ServiceError`]: nothing was sent. A lost answer is no error but [`ExecutionState::Unknown`].
    pub async fn execute(
        &self,
        principal: &AppPrincipal,
        app: &Arc<KnownApp>,
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
        app: &Arc<KnownApp>,
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
            Err(Halt::Unrecorded(error)) if error.is_disk_full() => Err(error),
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
                if let ServiceError::Denied(denied) = &error {
                    self.tally_denial(principal.tenant, denied.rule);
                    self.count_denied(principal.tenant, principal.app, denied.rule).await;
                }
                Err(error)
            }
        }
    }

    /// Carries out a request, or says what became of it before. Of one whose outcome nobody knows yet the venue is asked
    /// first: if it has no such order and cannot take it any more, the request is made again.
    pub(super) async fn carry(
        &self,
        principal: &AppPrincipal,
        app: &Arc<KnownApp>,
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
        app: &Arc<KnownApp>,
        asked: &Asked,
        origin: &Origin,
    ) -> Result<Executed, Halt> {
        let mut app = app.clone();
        let resolved = &asked.resolved;
        let (mut once, mut apart) = (&asked.once, asked.apart.as_ref());
        let mut known = asked.credential.clone();
        if known.is_none() && resolved.operation().class != claviger_venues::Class::Market {
            return Err(ServiceError::invalid("credential_missing", "this operation needs a credential").into());
        }
        let effect = resolved.effect();
        self.refused_at_once(principal, &app, known.as_deref(), asked).await?;
        let _room = self.room_for_app(effect)?;
        let share = Share::of(resolved, known.as_ref().map(|known| known.row.id));
        self.budgets.take(share, self.clock(), BUDGET_PATIENCE).await.map_err(ServiceError::from)?;
        let _turn = self.turn(resolved, known.as_deref(), effect).await?;
        let (mut again, mut anew) = (false, false);
        loop {
            let owner = known.clone();
            // A token may have to be fetched: prices would grow old meanwhile.
            let signer = self.signer(owner.as_deref(), resolved).await?;
            let (request, decision) = self.decide(principal, &app, known.as_deref(), asked).await?;
            let judged = |refused_by: Option<&str>| self.recorder.keep(principal.tenant, request.clone(), refused_by);
            let checked = decision.inspect_err(|denied| judged(Some(denied.rule))).map_err(ServiceError::from)?;
            let id = ExecutionId::new(self.clock.as_ref());
            let recording = record(self.store.as_ref(), self.clock.as_ref(), checked, Some((id, once.clone())), origin);
            match recording.await.map_err(ServiceError::from)? {
                Recording::Recorded(recorded) => {
                    judged(None);
                    self.note_execution(principal.tenant, signer.as_ref().map(|signer| signer.known.row.id));
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
                    app = self.app_anew(principal).await?;
                }
                Recording::Not(Admit::Refused(refusal)) => match apart.take() {
                    Some(apart) if refusal == Refusal::KeyReused => once = apart,
                    _ => {
                        let denied = Denied::of_refusal(&refusal);
                        judged(denied.as_ref().map(|denied| denied.rule));
                        return Err(refused(&refusal).into());
                    }
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
        let Some(known) = known else { return Ok(None) };
        let row = &known.row;
        self.directory.forget_credential(row.tenant, row.id);
        let found = self.directory.credential(self.store(), row.tenant, row.id).await?;
        found.map(Some).ok_or(ServiceError::NotFound("credential"))
    }

    /// The app and its tenant's policy as they are by now.
    pub(super) async fn app_anew(&self, principal: &AppPrincipal) -> Result<Arc<KnownApp>, ServiceError> {
        self.directory.forget_app(principal.app);
        self.directory.forget_policy(principal.tenant);
        self.live_app(principal.app).await
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

    /// Refuses what no price and no approval could let through, before anything is spent on it.
    async fn refused_at_once(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        known: Option<&KnownCredential>,
        asked: &Asked,
    ) -> Result<(), ServiceError> {
        let (resolved, row) = (&asked.resolved, known.map(|known| &known.row));
        let venue = resolved.operation().venue;
        let policy = self.directory.policy(self.store(), principal.tenant).await?;
        let prices = Prices::default();
        let frame = self.frame(venue, &policy, &prices);
        let caller = Caller { principal, grants: &app.grants, release: asked.release };
        check_early(caller, &frame, row, resolved).map_err(|denied| {
            let request = Request::of((principal, row), resolved, (frame.now_ms, &prices), asked.release);
            self.recorder.keep(principal.tenant, request, Some(denied.rule));
            denied.into()
        })
    }

    async fn decide(
        &self,
        principal: &AppPrincipal,
        app: &KnownApp,
        known: Option<&KnownCredential>,
        asked: &Asked,
    ) -> Result<(Request, Result<Checked, Denied>), ServiceError> {
        let (resolved, row) = (&asked.resolved, known.map(|known| &known.row));
        let venue = resolved.operation().venue;
        let policy = self.directory.policy(self.store(), principal.tenant).await?;
        let wanted = wanted_prices(principal, &app.grants, &policy, row, resolved);
        let prices = self.reference_prices(venue, wanted).await;
        let mut frame = self.frame(venue, &policy, &prices);
        let caller = Caller { principal, grants: &app.grants, release: asked.release };
        let mut decision = check(caller, &frame, row, resolved.clone());
        let mut request = Request::of((principal, row), resolved, (frame.now_ms, &prices), asked.release);
        if decision.as_ref().is_err_and(Denied::needs_approval) {
            let approved = self.approved(principal.tenant, &request).await?;
            request.approved = approved.is_some();
            frame.approved = approved.as_ref();
            decision = check(caller, &frame, row, resolved.clone());
        }
        Ok((request, decision))
    }

    /// What a decision looks at beside the request.
    pub(super) fn frame<'a>(&self, venue: VenueId, policy: &'a Policy, prices: &'a Prices) -> Frame<'a> {
        let venue_enabled = self.venues.enabled.contains(&venue);
        Frame { venue_enabled, policy, prices, now_ms: self.clock.unix_ms(), approved: None }
    }
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

/// What the deciding commit refused, as the caller sees it.
pub(super) fn refused(refusal: &Refusal) -> ServiceError {
    match (Denied::of_refusal(refusal), refusal) {
        (Some(denied), _) => denied.into(),
        (None, Refusal::KeyReused) => {
            ServiceError::conflict("idempotency_key_reused", "this idempotency key was used for another request")
        }
        (None, Refusal::Gone) => ServiceError::NotFound("credential"),
        (
            None,
            Refusal::Stale
            | Refusal::Stopped(..)
            | Refusal::State(_)
            | Refusal::Spent(_)
            | Refusal::SelfTrade
            | Refusal::Withdrawn,
        ) => ServiceError::Changed,
    }
}
