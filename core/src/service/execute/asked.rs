//! What an app asks for, and what it names.

use std::sync::Arc;

use claviger_venues::{Params, VenueId};

use crate::hash::hash_of;
use crate::id::CredentialId;
use crate::identity::AppPrincipal;
use crate::policy::{ResolveError, Resolved};
use crate::service::directory::KnownCredential;
use crate::service::{Service, ServiceError};
use crate::store::Idempotency;

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

impl Service {
    /// Finds out what an app's request names.
    pub(in super::super) async fn asked(
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

    async fn credential_of(
        &self,
        principal: &AppPrincipal,
        request: &ExecutionRequest,
    ) -> Result<Option<Arc<KnownCredential>>, ServiceError> {
        let Some(id) = request.credential else { return Ok(None) };
        let known = self.directory.credential(self.store(), principal.tenant, id).await?;
        known.map(Some).ok_or(ServiceError::NotFound("credential"))
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

/// What makes two requests the same: everything but the key.
fn request_hash(request: &ExecutionRequest, venue: VenueId, release: bool) -> [u8; 32] {
    let credential = request.credential.map(|id| *id.as_bytes()).unwrap_or_default();
    let named = [venue.as_str().as_bytes(), &credential, request.operation.as_bytes()];
    let params = request.params.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    let way: Option<&[u8]> = release.then_some(b"release");
    hash_of(named.into_iter().chain(params).chain(way))
}
