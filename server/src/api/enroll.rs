//! Credentials come in: with a secret of the venue's, or as a key that is made in the token and activated later.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use claviger_core::envelope::Mode;
use claviger_core::execution::Origin;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::service::{Enrollment, ServiceError};
use claviger_core::view::{CeilingView, CredentialView};
use claviger_venues::{KeyType, SecretKind, VenueId};
use serde::Deserialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use super::body::{Id, JsonBody, RawJson};
use super::contacts::contact_of;
use super::credentials::{closing, named, secret_of};
use super::gate::InTenant;
use super::problem::Problem;
use super::upkeep::At;
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;

/// A credential to be enrolled. The secret is read by [`Secret`] alone, when everything else is known to be right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrollBody {
    /// Your own id of the person it belongs to.
    owner: String,
    /// A name for people.
    #[serde(default)]
    label: String,
    /// The venue.
    #[schema(value_type = String)]
    venue: VenueId,
    /// `hmac` (the default) or `private-key`.
    #[serde(default = "hmac")]
    #[schema(value_type = String)]
    kind: SecretKind,
    /// Where the secret is when it signs: `sealed` (the default) or `resident`.
    #[serde(default)]
    #[schema(value_type = String)]
    mode: Mode,
    /// What it may be used for at most; reads only, unless said otherwise.
    #[serde(default)]
    ceiling: CeilingView,
    /// When the key is not to be used any more, RFC 3339; not given, as long as the venue takes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    expires_at: Option<At>,
    /// The owner's e-mail address, to be told what happens to the key. It is sealed, and never shown again.
    #[serde(default, rename = "contact")]
    #[schema(value_type = Option<String>)]
    contact: Option<IgnoredAny>,
    /// The venue's key id.
    key_id: String,
    /// The venue's secret, or the private key as PEM; an object of texts where the secret has several parts, which
    /// `GET /api/v1/venues` names.
    #[serde(rename = "secret")]
    #[schema(value_type = String)]
    _secret: IgnoredAny,
}

fn hmac() -> SecretKind {
    SecretKind::Hmac
}

/// A key to be made in the token: `mode` says so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BirthBody {
    /// `hsm_born`.
    #[serde(rename = "mode")]
    #[schema(value_type = String)]
    _mode: Mode,
    /// Your own id of the person it belongs to.
    owner: String,
    /// A name for people.
    #[serde(default)]
    label: String,
    /// The venue.
    #[schema(value_type = String)]
    venue: VenueId,
    /// `ed25519` or `rsa`, as the venue takes them.
    #[schema(value_type = String)]
    key_type: KeyType,
    /// What it may be used for at most; reads only, unless said otherwise.
    #[serde(default)]
    ceiling: CeilingView,
    /// When the key is not to be used any more, RFC 3339; not given, as long as the venue takes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    expires_at: Option<At>,
    /// The owner's e-mail address, to be told what happens to the key. It is sealed, and never shown again.
    #[serde(default, rename = "contact")]
    #[schema(value_type = Option<String>)]
    contact: Option<IgnoredAny>,
}

/// A credential that comes in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum NewCredential {
    /// With a secret of the venue's.
    Known(EnrollBody),
    /// With a key that is yet to be made.
    Unborn(BirthBody),
}

/// The key id that the venue gave for a public key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivateBody {
    /// The venue's key id.
    key_id: String,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    mode: Mode,
}

impl NewCredential {
    /// Each is read by itself, so that what is wrong with it can be said.
    fn of(body: &RawJson) -> Result<Self, Problem> {
        match body.read::<Asked>()?.mode {
            Mode::Sealed | Mode::Resident => body.read().map(Self::Known),
            Mode::HsmBorn => body.read().map(Self::Unborn),
        }
    }
}

/// Enrolls a credential in the app's tenant.
#[utoipa::path(post, path = "/api/v1/credentials", tag = "api", request_body = NewCredential,
    responses((status = 201, body = CredentialView), (status = 409, body = Problem, description = "enrolled already"),
        (status = 422, body = Problem, description = "the key is refused; `objections` say what to do")))]
pub(super) async fn enroll_as_app(State(front): State<Front>, caller: CallingApp, body: RawJson) -> Response {
    let enrolled = async {
        may_enroll(&front, &caller, None).await?;
        enrolled(&front, caller.principal.tenant, &caller.origin, body).await
    };
    closing(enrolled.await)
}

/// Enrolls a credential in a tenant.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials", tag = "admin", params(("t" = String, Path)),
    request_body = NewCredential, responses((status = 201, body = CredentialView), (status = 422, body = Problem)))]
pub(super) async fn enroll(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    body: RawJson,
) -> Response {
    closing(enrolled(&front, tenant, &caller.origin, body).await)
}

async fn enrolled(
    front: &Front,
    tenant: TenantId,
    origin: &Origin,
    body: RawJson,
) -> Result<(StatusCode, Json<CredentialView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let ceiling_of = |ceiling: CeilingView| {
        ceiling.parse().map_err(|text| told(ServiceError::Invalid { code: "ceiling_invalid", text }))
    };
    let view = match NewCredential::of(&body)? {
        NewCredential::Known(asked) => {
            let EnrollBody { owner, label, venue, kind, mode, ceiling, expires_at, contact, key_id, _secret } = asked;
            let ceiling = ceiling_of(ceiling)?;
            let expires_ms = expires_at.map(|at| at.0);
            let enrollment = Enrollment { tenant, owner, label, venue, kind, mode, ceiling, key_id, expires_ms };
            let contact = contact.map(|_| || contact_of(&body));
            let enrolled = front.service.enroll(enrollment, || secret_of(&body), contact, origin).await;
            CredentialView::from(&enrolled.map_err(|error| told(error).noted())?)
        }
        NewCredential::Unborn(asked) => {
            let BirthBody { _mode: mode, owner, label, venue, key_type, ceiling, expires_at, contact } = asked;
            let (kind, key_id, ceiling) = (SecretKind::PrivateKey, String::new(), ceiling_of(ceiling)?);
            let expires_ms = expires_at.map(|at| at.0);
            let enrollment = Enrollment { tenant, owner, label, venue, kind, mode, ceiling, key_id, expires_ms };
            let contact = contact.map(|_| || contact_of(&body));
            let born = front.service.bear(enrollment, key_type, contact, origin).await;
            let (credential, born) = born.map_err(|error| told(error).noted())?;
            CredentialView::from(&credential).with_key(credential.venue, &born)
        }
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Gives a key that was made in the token the key id that the venue gave for it, proves it and takes it into use.
#[utoipa::path(post, path = "/api/v1/credentials/{id}/activate", tag = "api", params(("id" = String, Path)),
    request_body = ActivateBody,
    responses((status = 200, body = CredentialView), (status = 409, body = Problem, description = "active already"),
        (status = 422, body = Problem, description = "the key is refused and stays pending")))]
pub(super) async fn activate_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ActivateBody>,
) -> Result<Json<CredentialView>, Problem> {
    let id = named(&caller.origin, &id)?;
    may_enroll(&front, &caller, Some(id)).await?;
    activated(&front, caller.principal.tenant, id, body, &caller.origin).await
}

/// The same for an operator.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/activate", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = ActivateBody,
    responses((status = 200, body = CredentialView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn activate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<ActivateBody>,
) -> Result<Json<CredentialView>, Problem> {
    let id = named(&caller.origin, &id)?;
    activated(&front, tenant, id, body, &caller.origin).await
}

async fn activated(
    front: &Front,
    tenant: TenantId,
    id: CredentialId,
    body: ActivateBody,
    origin: &Origin,
) -> Result<Json<CredentialView>, Problem> {
    let activated = front.service.activate(tenant, id, body.key_id, origin).await;
    activated.map(|row| Json((&row).into())).map_err(|error| Problem::of(&error, origin.request).noted())
}

/// Whether a grant lets the app enroll, or delete on an owner's behalf, from where and when it asks.
pub(super) async fn may_enroll(
    front: &Front,
    caller: &CallingApp,
    credential: Option<CredentialId>,
) -> Result<(), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let app = front.service.live_app(caller.principal.app).await.map_err(told)?;
    if app.grants.enroll(credential, caller.principal.address, front.service.clock().unix_ms()) {
        return Ok(());
    }
    let text = "no grant of this app lets it enroll or delete this, from here and at this time: ask an operator for one with \
                `enroll`";
    Err(Problem::new(StatusCode::FORBIDDEN, "enroll_not_granted", text, caller.origin.request))
}
