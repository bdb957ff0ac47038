//! Signatures that are not sent: for apps that speak to the venue themselves.

use std::sync::Arc;

use claviger_venues::{Class, Params, RequestParts, Stream};

use super::directory::{KnownApp, KnownCredential};
use super::execute::{BUDGET_PATIENCE, Executed, ExecutionRequest, Halt, refused};
use super::{Part, Service, ServiceError};
use crate::execution::budget::Share;
use crate::execution::{Origin, Recording, Released, SignedRequest, record_stream};
use crate::hash::hash_of;
use crate::id::{CredentialId, ExecutionId};
use crate::identity::AppPrincipal;
use crate::policy::{Prices, check_stream};
use crate::store::{Admit, Effect, Execution, Idempotency};

/// What an app wants to have signed.
#[derive(Clone, Debug)]
pub struct SignatureRequest {
    /// The credential.
    pub credential: CredentialId,
    /// What is signed with it.
    pub wanted: Wanted,
    /// The caller's key: a signature is given out once under it.
    pub idempotency_key: String,
}

/// See [`SignatureRequest`].
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One complete request.
    Operation {
        /// The operation's name.
        name: String,
        /// Its parameters, in order.
        params: Params,
    },
    /// The login to a stream.
    Stream {
        /// The stream's name.
        name: String,
        /// What the venue sent to be signed.
        challenge: Option<String>,
    },
}

/// A signature that is given out.
#[derive(Debug)]
pub enum ReleasedSignature {
    /// One complete request, with the real key id in it.
    Request(Execution, Released<RequestParts>),
    /// The fields of a login, with the real key id among them.
    Login(Execution, Released<Vec<(String, String)>>),
}

impl Service {
    /// Signs one operation or one login, and sends nothing.
    ///
    /// # Errors
    /// [`ServiceError`]: nothing was given out.
    pub async fn sign(
        &self,
        principal: &AppPrincipal,
        app: &Arc<KnownApp>,
        request: SignatureRequest,
        origin: &Origin,
    ) -> Result<ReleasedSignature, ServiceError> {
        let SignatureRequest { credential, wanted, idempotency_key } = request;
        let (operation, signed) = match wanted {
            Wanted::Operation { name, params } => {
                let request = ExecutionRequest {
                    venue: None,
                    credential: Some(credential),
                    operation: name.clone(),
                    params,
                    idempotency_key,
                };
                (name, self.sign_operation(principal, app, request, origin).await)
            }
            Wanted::Stream { name, challenge } => {
                let stream = StreamRequest { credential, name: &name, challenge, idempotency_key };
                let signed = self.sign_stream(principal, app, stream, origin).await;
                (format!("stream.{name}"), signed)
            }
        };
        self.concluded(signed, principal, &operation, Some(credential), origin).await
    }

    async fn sign_operation(
        &self,
        principal: &AppPrincipal,
        app: &Arc<KnownApp>,
        request: ExecutionRequest,
        origin: &Origin,
    ) -> Result<ReleasedSignature, Halt> {
        let asked = self.asked(principal, request, true).await?;
        if asked.resolved.operation().class == Class::Market {
            let text = "market data goes without a signature: ask the venue for it";
            return Err(ServiceError::invalid("not_signed", text).into());
        }
        let Executed { execution, released, .. } = self.carry(principal, app, asked, origin).await?;
        let released = released.ok_or_else(given_out)?;
        Ok(ReleasedSignature::Request(execution, released))
    }

    /// Gives out a request that was signed for that.
    pub(super) async fn release(&self, id: ExecutionId, signed: SignedRequest) -> Result<Executed, ServiceError> {
        let released = match signed.release(self.store()).await {
            Ok(released) => released,
            Err(unsettled) => {
                self.record_outcome(unsettled.outcome).await?;
                return Err(unsettled.error.into());
            }
        };
        let execution = self.execution_of(id).await?;
        Ok(Executed { execution, answer: None, released: Some(released), replayed: false })
    }

    async fn sign_stream(
        &self,
        principal: &AppPrincipal,
        app: &Arc<KnownApp>,
        request: StreamRequest<'_>,
        origin: &Origin,
    ) -> Result<ReleasedSignature, Halt> {
        let StreamRequest { credential, name, challenge, idempotency_key } = request;
        let known = self.fresh_credential(principal.tenant, credential).await?;
        let row = &known.row;
        let stream = stream_of(&known, name, challenge.as_deref())?;
        let _room = self.room_for_app(Effect::Reads)?;
        let (venue, weight) = (row.venue, 1);
        let share = Share { venue, credential: Some(row.id), weight, orders: 0, reduces: false, background: false };
        self.budgets.take(share, self.clock(), BUDGET_PATIENCE).await.map_err(ServiceError::from)?;
        let said = challenge.clone().unwrap_or_default();
        let hashed = [b"stream".as_slice(), row.id.as_bytes(), name.as_bytes(), said.as_bytes()];
        let once = Idempotency { request: hash_of(hashed), key: idempotency_key };
        let (policy, prices) = (self.directory.policy(self.store(), principal.tenant).await, Prices::new());
        let policy = policy.map_err(ServiceError::from)?;
        let frame = self.frame(venue, &policy, &prices);
        let checked = check_stream((principal, &app.grants), &frame, row, stream, challenge);
        let checked = checked.map_err(ServiceError::from)?;
        let id = ExecutionId::new(self.clock());
        let recording = record_stream(self.store(), self.clock(), checked, (id, once), origin);
        let recorded = match recording.await.map_err(ServiceError::from)? {
            Recording::Recorded(recorded) => *recorded,
            Recording::Not(Admit::Refused(refusal)) => return Err(refused(&refusal).into()),
            Recording::Not(_) => return Err(given_out().into()),
        };
        self.note_execution(principal.tenant, Some(row.id));
        let signed = match recorded.sign(&self.keeper, &known.material).await {
            Ok(signed) => signed,
            Err(unsigned) => {
                let why = unsigned.error.to_string();
                self.record_outcome(unsigned.pending.failed(&why)).await.map_err(ServiceError::from)?;
                return Err(Halt::Recorded(self.not_signed(unsigned.error, Some(&known)).await));
            }
        };
        match signed.release(self.store()).await {
            Ok(released) => {
                let execution = self.execution_of(id).await.map_err(Halt::Recorded)?;
                Ok(ReleasedSignature::Login(execution, released))
            }
            Err(unsettled) => {
                self.record_outcome(unsettled.outcome).await.map_err(ServiceError::from)?;
                Err(Halt::Recorded(unsettled.error.into()))
            }
        }
    }

    async fn execution_of(&self, id: ExecutionId) -> Result<Execution, ServiceError> {
        let found = self.store.execution(id).await?;
        found.ok_or_else(|| {
            ServiceError::unavailable(Part::Store, "the signature cannot be read back; none is given out")
        })
    }
}

struct StreamRequest<'a> {
    credential: CredentialId,
    name: &'a str,
    challenge: Option<String>,
    idempotency_key: String,
}

/// The stream of that name, if what was given for it is what it takes.
fn stream_of(known: &KnownCredential, name: &str, challenge: Option<&str>) -> Result<&'static Stream, ServiceError> {
    let venue = known.row.venue;
    let streams = claviger_venues::streams(venue);
    let Some(stream) = streams.iter().find(|stream| stream.name == name) else {
        let text = format!("{venue} has no stream of this name that needs a login: see docs/catalogue.md");
        return Err(ServiceError::invalid("stream_unknown", text));
    };
    let text = match (stream.challenge, challenge.is_some()) {
        (true, false) => "ask the venue for a challenge first, and send it as `challenge`",
        (false, true) => "the venue has no challenge for this stream",
        _ => return Ok(stream),
    };
    Err(ServiceError::invalid("challenge_invalid", text))
}

/// Under its idempotency key a signature is given out once: it is not kept.
fn given_out() -> ServiceError {
    let text = "a signature was asked for under this idempotency key before, and is given out once: take a new key";
    ServiceError::conflict("signature_given_out", text)
}
