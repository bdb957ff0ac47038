//! The gateway: a client that speaks a venue's own protocol, signed with a virtual key.
//!
//! ```text
//! claim -> in time -> known key -> verified over the raw bytes -> resolve -> the path of every execution
//! ```
//!
//! Nothing that a client sends goes on: what is resolved is one operation of the catalogue, and the request to the venue
//! is built from that alone.

mod client;

use std::net::IpAddr;

use claviger_venues::{
    Claim, Class, Inbound, InboundError, Refuse, VenueId, claim, login_answer, meaning, name_order, refusal, resolve,
};
use tokio::sync::TryAcquireError;

use super::execute::{Asked, BUDGET_PATIENCE, Executed};
use super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::budget::Share;
use crate::execution::{Origin, VENUE_TIMEOUT, market};
use crate::hash::hash_of;
use crate::policy::{Denied, Resolved};
use crate::store::{ExecutionState, Idempotency};
use client::Client;

/// How long a token lives that a client gets for its virtual key, milliseconds. It is the virtual key itself, so this only
/// tells the client when to ask again.
const CLIENT_LOGIN_MS: u64 = 24 * 60 * 60 * 1_000;

/// What goes back to the client.
#[derive(Debug)]
pub struct GatewayAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The venue's headers that may pass on.
    pub headers: Vec<(String, String)>,
    /// The body: the venue's own, or a refusal in its shape.
    pub body: Vec<u8>,
    /// What refused, for people: a rule's tag or an error's code.
    pub tag: Option<String>,
}

/// Why a client is refused.
struct No {
    why: Refuse,
    tag: String,
    text: String,
    /// How long to wait before it may be tried again, milliseconds, where that is known.
    wait_ms: Option<u64>,
}

impl No {
    fn new(why: Refuse, tag: &str, text: impl Into<String>) -> Self {
        Self { why, tag: tag.to_owned(), text: text.into(), wait_ms: None }
    }
}

impl From<ServiceError> for No {
    fn from(error: ServiceError) -> Self {
        let why = match &error {
            ServiceError::Unavailable { .. } | ServiceError::Changed => Refuse::Unavailable,
            ServiceError::Limited { .. } => Refuse::Limited,
            ServiceError::Conflict { .. } => Refuse::Replayed,
            ServiceError::Invalid { .. } => Refuse::Malformed,
            ServiceError::Unauthenticated(_)
            | ServiceError::CodeMissing
            | ServiceError::Denied(_)
            | ServiceError::Objections(_)
            | ServiceError::NotFound(_)
            | ServiceError::Forbidden { .. }
            | ServiceError::PlanChanged
            | ServiceError::Tampered => Refuse::Denied,
        };
        let wait_ms = if let ServiceError::Limited { wait_ms } = &error { Some(*wait_ms) } else { None };
        Self { wait_ms, ..Self::new(why, &error.tag(), error.to_string()) }
    }
}

impl From<InboundError> for No {
    fn from(error: InboundError) -> Self {
        if error == InboundError::NoSuchRoute {
            return Self::new(Refuse::Denied, "operation_unknown", error.to_string());
        }
        Self::new(Refuse::Malformed, "request_unreadable", error.to_string())
    }
}

impl From<crate::store::StoreError> for No {
    fn from(error: crate::store::StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl Service {
    /// Answers a client's request in the venue's own shape, whatever becomes of it.
    pub async fn at_gateway(
        &self,
        venue: VenueId,
        inbound: &Inbound<'_>,
        address: IpAddr,
        origin: &Origin,
    ) -> GatewayAnswer {
        match self.try_at_gateway(venue, inbound, address, origin).await {
            Ok(answer) => answer,
            Err(No { why, tag, text, wait_ms }) => {
                self.heed_decoys(venue, inbound, origin).await;
                let text = format!("claviger: {tag}: {text}");
                let refusal = refusal(venue, why, &text, self.clock.unix_ms());
                let wait = wait_ms.map(|wait_ms| ("retry-after".to_owned(), wait_ms.div_ceil(1_000).to_string()));
                let json = ("content-type".to_owned(), "application/json".to_owned());
                GatewayAnswer {
                    status: refusal.status,
                    headers: [json].into_iter().chain(wait).collect(),
                    body: refusal.body.into_bytes(),
                    tag: Some(tag),
                }
            }
        }
    }

    async fn try_at_gateway(
        &self,
        venue: VenueId,
        inbound: &Inbound<'_>,
        address: IpAddr,
        origin: &Origin,
    ) -> Result<GatewayAnswer, No> {
        if !self.venues.enabled.contains(&venue) {
            return Err(ServiceError::from(Denied::venue_disabled()).into());
        }
        let client = match claim(venue, inbound)? {
            Claim::Nobody => {
                let answer = self.public(venue, inbound).await?;
                self.heed_decoys(venue, inbound, origin).await;
                return Ok(answer);
            }
            Claim::Signed(signed) => self.signed_client(venue, signed, inbound, address, origin).await?,
            Claim::Bearer(token) => self.client_with_token(venue, token, address, origin).await?,
            Claim::Login(token) => {
                self.client_with_token(venue, token, address, origin).await?;
                let expires = self.clock.unix_ms().saturating_add(CLIENT_LOGIN_MS);
                let body = login_answer(venue, token, expires).ok_or(InboundError::NoSuchRoute)?;
                let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                return Ok(GatewayAnswer { status: 200, headers, body: body.into_bytes(), tag: None });
            }
        };
        let asked = match self.asked_of(&client, inbound).await {
            Ok(asked) => asked,
            Err(no) => return Err(self.noted(&client, no).await?),
        };
        let executed = self.execute_asked(&client.principal, &client.app, asked, &client.origin).await?;
        if executed.replayed {
            let no = No::new(Refuse::Replayed, "request_replayed", "the same signed request came before");
            return Err(self.noted(&client, no).await?);
        }
        answered(executed)
    }

    /// What a client's request asks for, as the path of every execution takes it.
    async fn asked_of(&self, client: &Client, inbound: &Inbound<'_>) -> Result<Asked, No> {
        let row = &client.key.row;
        let (operation, mut params) = resolve(row.venue, inbound)?;
        let (once, apart) = match client.replay.filter(|replay| !replay.may_repeat(operation)) {
            Some(replay) => replay.claims(operation),
            None => (fresh(&client.origin), None),
        };
        let mut digest = [0; 16];
        digest.iter_mut().zip(once.request).for_each(|(to, from)| *to = from);
        name_order(operation, &mut params, &digest);
        let resolved = Resolved::new(row.venue, operation.name, params)
            .map_err(|error| ServiceError::invalid("params_invalid", error.to_string()))?;
        let known = self.directory.credential(self.store(), row.tenant, row.credential).await?;
        let credential = Some(known.ok_or(ServiceError::NotFound("credential"))?);
        Ok(Asked { credential, resolved, once, apart, shown_as: row.key_id.clone(), release: false })
    }

    /// Public market data, for which nobody needs to be anybody. No key is involved, so nothing is recorded.
    async fn public(&self, venue: VenueId, inbound: &Inbound<'_>) -> Result<GatewayAnswer, No> {
        let (operation, params) = resolve(venue, inbound)?;
        if operation.class != Class::Market {
            return Err(No::new(Refuse::UnknownKey, "unauthenticated", "this call is signed with a virtual key"));
        }
        let resolved = Resolved::new(venue, operation.name, params)
            .map_err(|error| ServiceError::invalid("params_invalid", error.to_string()))?;
        let parts =
            market(&resolved, &self.venues.hosts).map_err(|error| ServiceError::unavailable(Part::Venue, error))?;
        let _room = self.strangers.try_acquire().map_err(|error: TryAcquireError| {
            ServiceError::unavailable(Part::Load, format!("too many ask for market data ({error}); try again"))
        })?;
        let share = Share::of(&resolved, None);
        self.budgets.take(share, self.clock(), BUDGET_PATIENCE).await.map_err(ServiceError::from)?;
        match self.egress.send(venue, parts, VENUE_TIMEOUT, VENUE_TIMEOUT).await {
            Ok(answer) => {
                self.heed(Some(&meaning(venue, answer.status, &answer.body)), Some(&answer), share);
                Ok(GatewayAnswer { status: answer.status, headers: answer.headers, body: answer.body, tag: None })
            }
            Err(error) => Err(ServiceError::unavailable(Part::Venue, error.to_string()).into()),
        }
    }

    /// A refusal before the path of every execution: an entry of its own, as every refusal of an authenticated request.
    async fn noted(&self, client: &Client, no: No) -> Result<No, No> {
        let row = &client.key.row;
        let entry = client
            .origin
            .draft("execution.deny", EntryOutcome::Denied)
            .tenant(row.tenant.to_string())
            .rule(no.tag.clone())
            .on("credential", row.credential.to_string())
            .detail("virtual_key", row.id.to_string());
        self.store.append(vec![entry]).await?;
        Ok(no)
    }
}

/// An identity of its own for a request that nothing tells from another.
fn fresh(origin: &Origin) -> Idempotency {
    let request = origin.request.to_string();
    Idempotency { key: format!("gateway:{request}"), request: hash_of([request.as_bytes()]) }
}

fn answered(executed: Executed) -> Result<GatewayAnswer, No> {
    match (executed.answer, executed.execution.state) {
        (Some(answer), _) => {
            Ok(GatewayAnswer { status: answer.status, headers: answer.headers, body: answer.body, tag: None })
        }
        (None, ExecutionState::Unknown | ExecutionState::Open) => {
            let text = "the venue did not answer; ask for the order before you place it again";
            Err(No::new(Refuse::Unknown, "outcome_unknown", text))
        }
        (
            None,
            ExecutionState::Acked | ExecutionState::Rejected | ExecutionState::Failed | ExecutionState::Released,
        ) => Err(No::new(Refuse::Unavailable, "venue_unavailable", "the venue could not be reached; nothing was sent")),
    }
}
