//! The API as an `OpenAPI` document, made from the handlers.

use axum::Json;
use utoipa::OpenApi;

use super::{
    accounts, approvals, audit, authenticators, credentials, enroll, erasure, executions, gateway, health, held, login,
    me, operators, passkeys, policies, roles, signatures, stops, token, venues, virtual_keys,
};

/// The whole API; tags tell the listeners apart.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Claviger", description = "The key service: apps ask it to act, and never hold a secret."),
    paths(
        token::issue,
        enroll::enroll_as_app,
        enroll::activate_as_app,
        credentials::list_as_app,
        credentials::show_as_app,
        erasure::credential,
        erasure::owner,
        executions::execute,
        executions::list_as_app,
        executions::show,
        audit::proof::receipt,
        signatures::sign,
        virtual_keys::make_as_app,
        virtual_keys::list_as_app,
        virtual_keys::revoke_as_app,
        gateway::serve,
        login::log_in,
        login::log_out,
        login::list,
        login::end,
        login::review,
        me::first_factors,
        me::change_password,
        me::prove_again,
        passkeys::start,
        passkeys::poll,
        passkeys::prove,
        passkeys::list,
        passkeys::add,
        passkeys::remove,
        passkeys::page::begin,
        passkeys::page::finish,
        me::begin_totp,
        me::confirm_totp,
        me::remove_totp,
        me::backup_codes,
        me::break_glass,
        me::logins,
        me::end_login,
        health::status,
        accounts::tenants,
        accounts::make_tenant,
        accounts::apps,
        accounts::make_app,
        accounts::revoke_app,
        authenticators::show,
        authenticators::add_secret,
        authenticators::remove_secret,
        authenticators::add_key,
        authenticators::remove_key,
        authenticators::add_certificate,
        authenticators::remove_certificate,
        accounts::grants,
        accounts::make_grant,
        accounts::revoke_grant,
        accounts::change_grant,
        approvals::list,
        approvals::show,
        approvals::approve,
        approvals::deny,
        approvals::cancel,
        credentials::list,
        enroll::enroll,
        enroll::activate,
        credentials::show,
        credentials::delete,
        credentials::freeze,
        credentials::reduce_only,
        credentials::revoke,
        credentials::unfreeze,
        credentials::widen,
        credentials::rotate,
        credentials::probe,
        executions::list,
        virtual_keys::make,
        virtual_keys::list,
        virtual_keys::revoke,
        held::list,
        held::approve,
        policies::list,
        policies::store,
        policies::show,
        policies::activate,
        policies::test,
        policies::requests,
        operators::list,
        operators::create,
        operators::change,
        operators::remove,
        roles::list,
        roles::show,
        roles::set,
        roles::remove,
        stops::list,
        stops::stop,
        stops::resume,
        audit::list::list,
        audit::export::export,
        audit::proof::show,
        audit::key,
        venues::list,
        health::live,
        health::ready,
    )
)]
pub struct Api;

/// The document.
pub(super) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}

/// The document as text, for `claviger openapi`.
#[must_use]
pub fn text() -> String {
    Api::openapi().to_pretty_json().unwrap_or_default()
}
