//! Signatures that are not sent: one complete operation, or the login to a stream, for apps that speak to a venue
//! themselves.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use claviger_core::id::CredentialId;
use claviger_core::service::{ReleasedSignature, ServiceError, SignatureRequest, Wanted};
use claviger_core::view::SignatureView;
use claviger_venues::Params;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::executions::idempotency_key;
use super::problem::Problem;
use crate::auth::CallingApp;
use crate::front::Front;

/// What an app wants to have signed: an operation with its parameters, or a stream with its challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignBody {
    /// The credential.
    #[schema(value_type = String)]
    credential: CredentialId,
    /// The operation's name in the catalogue, such as `order.place`.
    operation: Option<String>,
    /// The venue's own parameters, in order: `[["symbol", "BTCUSDT"], …]`.
    params: Option<Vec<(String, String)>>,
    /// The stream's name in the catalogue, instead of an operation.
    stream: Option<String>,
    /// What the venue sent to be signed, for streams that have it so.
    challenge: Option<String>,
}

impl SignBody {
    fn wanted(self) -> Result<(CredentialId, Wanted), ServiceError> {
        let Self { credential, operation, params, stream, challenge } = self;
        let wanted = match (operation, params, stream, challenge) {
            (Some(name), params, None, None) => {
                Wanted::Operation { name, params: Params::from(params.unwrap_or_default()) }
            }
            (None, None, Some(name), challenge) => Wanted::Stream { name, challenge },
            _ => {
                let text =
                    "name an `operation` with its `params`, or a `stream` with its `challenge`; nothing was done";
                return Err(ServiceError::Invalid { code: "signature_invalid", text: text.to_owned() });
            }
        };
        Ok((credential, wanted))
    }
}

/// Signs one operation or one login, and sends nothing.
#[utoipa::path(post, path = "/api/v1/signatures", tag = "api", request_body = SignBody,
    params(("Idempotency-Key" = String, Header, description = "A signature is given out once under the same key.")),
    responses((status = 200, body = SignatureView, description = "released; the real key id is in it"),
        (status = 403, body = Problem, description = "denied; `rule` says by what"),
        (status = 409, body = Problem, description = "given out before under this key"),
        (status = 503, body = Problem, description = "something is down; nothing was given out")))]
pub(super) async fn sign(
    State(front): State<Front>,
    caller: CallingApp,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignBody>,
) -> Result<Json<SignatureView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let idempotency_key = idempotency_key(&headers).map_err(told)?;
    let (credential, wanted) = body.wanted().map_err(told)?;
    let app = front.service.live_app(caller.principal.app).await.map_err(told)?;
    let request = SignatureRequest { credential, wanted, idempotency_key };
    let signed = front.service.sign(&caller.principal, &app, request, &caller.origin).await;
    signed.map(|signed: ReleasedSignature| Json(signed.into())).map_err(|error| told(error).noted())
}
