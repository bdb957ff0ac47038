//! The three route tables, so that nothing on the web can place an order: `api` for apps, `admin` for operators,
//! `public` for everybody.

mod accounts;
mod acts;
mod approvals;
mod audit;
mod authenticators;
mod backups;
mod body;
mod contacts;
mod credentials;
mod decoys;
mod enroll;
mod epochs;
mod erasure;
mod events;
mod executions;
mod gate;
mod gateway;
mod health;
mod held;
mod imports;
mod incidents;
mod jobs;
mod keks;
mod login;
mod me;
pub mod metrics;
mod middleware;
pub mod openapi;
mod operators;
mod overview;
mod passkeys;
mod policies;
pub mod problem;
mod recovery;
mod roles;
mod roots;
pub mod routes;
mod signatures;
mod stops;
mod templates;
mod tenants;
mod token;
mod upkeep;
mod venues;
mod virtual_keys;
mod webhooks;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use claviger_core::id::RequestId;
use claviger_core::identity::role::{Action, Resource};
use claviger_core::service::ServiceError;

use crate::front::Front;
pub(crate) use events::Seats;
use passkeys::page;
pub(crate) use policies::RecordHeader;
use problem::Problem;
use routes::{Needs, Row, Table, everywhere, myself, of_tenant, own_part};

/// For apps. The only table with a route that places orders, and one that no browser gets to.
fn app_table() -> Table {
    Table::new("api")
        .post("/api/v1/token", Needs::Nobody, token::issue)
        .post("/api/v1/credentials", Needs::App, enroll::enroll_as_app)
        .get("/api/v1/credentials", Needs::App, credentials::list_as_app)
        .get("/api/v1/credentials/{id}", Needs::App, credentials::show_as_app)
        .delete("/api/v1/credentials/{id}", Needs::App, erasure::credential)
        .post("/api/v1/credentials/{id}/activate", Needs::App, enroll::activate_as_app)
        .put("/api/v1/credentials/{id}/contact", Needs::App, contacts::set_as_app)
        .delete("/api/v1/credentials/{id}/contact", Needs::App, contacts::remove_as_app)
        .delete("/api/v1/owners/{owner}", Needs::App, erasure::owner)
        .post("/api/v1/executions", Needs::App, executions::execute)
        .get("/api/v1/executions", Needs::App, executions::list_as_app)
        .get("/api/v1/executions/{id}", Needs::App, executions::show)
        .get("/api/v1/executions/{id}/receipt", Needs::App, audit::proof::receipt)
        .post("/api/v1/signatures", Needs::App, signatures::sign)
        .post("/api/v1/virtual-keys", Needs::App, virtual_keys::make_as_app)
        .get("/api/v1/virtual-keys", Needs::App, virtual_keys::list_as_app)
        .delete("/api/v1/virtual-keys/{id}", Needs::App, virtual_keys::revoke_as_app)
        .any("/gateway/{venue}/{*path}", Needs::Client, gateway::serve)
        .get("/openapi.json", Needs::Nobody, openapi::serve)
}

/// For operators.
fn admin_table() -> Table {
    use Action::{Approve, Change, Create, Delete, Read, Resume, Stop};
    use Resource::{
        App, Approval, Audit, Credential, Execution, Grant, Login, Operator, Owner, Role, Status, Stop as Stops,
        Tenant, VirtualKey,
    };
    let table = about_policies(for_oneself(Table::new("admin")));
    about_audit(about_backups(about_webhooks(about_keks(about_incidents(table)))))
        .get("/api/v1/logins", everywhere(Login, Read), login::list)
        .delete("/api/v1/logins/{id}", everywhere(Login, Delete), login::end)
        .post("/api/v1/logins/{id}/review", everywhere(Login, Approve).proven(), login::review)
        .get("/api/v1/status", own_part(Status, Read), health::status)
        .get("/api/v1/overview", own_part(Status, Read), overview::show)
        .get("/api/v1/jobs", everywhere(Status, Read), jobs::list)
        .get("/api/v1/settings", everywhere(Role, Change), jobs::settings)
        .get("/api/v1/events", own_part(Status, Read), events::follow)
        .get("/api/v1/tenants", own_part(Tenant, Read), accounts::tenants)
        .post("/api/v1/tenants", everywhere(Tenant, Create), accounts::make_tenant)
        .delete("/api/v1/tenants/{t}", of_tenant(Tenant, Delete), tenants::delete)
        .get("/api/v1/tenants/{t}/templates", of_tenant(Tenant, Read), templates::list)
        .put("/api/v1/tenants/{t}/templates/{topic}", of_tenant(Tenant, Change), templates::set)
        .delete("/api/v1/tenants/{t}/templates/{topic}", of_tenant(Tenant, Change), templates::reset)
        .get("/api/v1/deletions", everywhere(Tenant, Read), epochs::show)
        .get("/api/v1/deletions/{id}", everywhere(Tenant, Read), tenants::deletion)
        .get("/api/v1/tenants/{t}/apps", of_tenant(App, Read), accounts::apps)
        .post("/api/v1/tenants/{t}/apps", of_tenant(App, Create), accounts::make_app)
        .post("/api/v1/tenants/{t}/apps/{id}/revoke", of_tenant(App, Stop), accounts::revoke_app)
        .get("/api/v1/tenants/{t}/apps/{id}", of_tenant(App, Read), authenticators::show)
        .post("/api/v1/tenants/{t}/apps/{id}/secrets", of_tenant(App, Change).proven(), authenticators::add_secret)
        .delete(
            "/api/v1/tenants/{t}/apps/{id}/secrets/{authenticator}",
            of_tenant(App, Stop),
            authenticators::remove_secret,
        )
        .post("/api/v1/tenants/{t}/apps/{id}/keys", of_tenant(App, Change).proven(), authenticators::add_key)
        .delete("/api/v1/tenants/{t}/apps/{id}/keys/{authenticator}", of_tenant(App, Stop), authenticators::remove_key)
        .post(
            "/api/v1/tenants/{t}/apps/{id}/certificates",
            of_tenant(App, Change).proven(),
            authenticators::add_certificate,
        )
        .delete(
            "/api/v1/tenants/{t}/apps/{id}/certificates/{authenticator}",
            of_tenant(App, Stop),
            authenticators::remove_certificate,
        )
        .get("/api/v1/tenants/{t}/grants", of_tenant(Grant, Read), accounts::tenant_grants)
        .get("/api/v1/tenants/{t}/apps/{id}/grants", of_tenant(Grant, Read), accounts::grants)
        .post("/api/v1/tenants/{t}/apps/{id}/grants", of_tenant(Grant, Create), accounts::make_grant)
        .delete("/api/v1/tenants/{t}/apps/{id}/grants/{grant}", of_tenant(Grant, Stop), accounts::revoke_grant)
        .patch("/api/v1/tenants/{t}/apps/{id}/grants/{grant}", of_tenant(Grant, Change), accounts::change_grant)
        .get("/api/v1/tenants/{t}/credentials", of_tenant(Credential, Read), credentials::list)
        .post("/api/v1/tenants/{t}/credentials", of_tenant(Credential, Create), enroll::enroll)
        .get("/api/v1/tenants/{t}/credentials/{id}", of_tenant(Credential, Read), credentials::show)
        .delete("/api/v1/tenants/{t}/credentials/{id}", of_tenant(Credential, Delete), credentials::delete)
        .patch("/api/v1/tenants/{t}/credentials/{id}", of_tenant(Credential, Change).proven(), upkeep::change)
        .post("/api/v1/tenants/{t}/credentials/{id}/activate", of_tenant(Credential, Change), enroll::activate)
        .post("/api/v1/tenants/{t}/credentials/{id}/freeze", of_tenant(Credential, Stop), credentials::freeze)
        .post("/api/v1/tenants/{t}/credentials/{id}/reduce-only", of_tenant(Credential, Stop), credentials::reduce_only)
        .post("/api/v1/tenants/{t}/credentials/{id}/reenroll", of_tenant(Credential, Stop), upkeep::reenroll)
        .post("/api/v1/tenants/{t}/credentials/{id}/revoke", of_tenant(Credential, Stop), credentials::revoke)
        .post("/api/v1/tenants/{t}/credentials/{id}/unfreeze", of_tenant(Credential, Resume), credentials::unfreeze)
        .post("/api/v1/tenants/{t}/credentials/{id}/ceiling", of_tenant(Credential, Change), credentials::widen)
        .post("/api/v1/tenants/{t}/credentials/{id}/rotate", of_tenant(Credential, Change), credentials::rotate)
        .post("/api/v1/tenants/{t}/credentials/{id}/probe", of_tenant(Credential, Change), credentials::probe)
        .get("/api/v1/tenants/{t}/credentials/{id}/contact", of_tenant(Credential, Read), contacts::show)
        .put("/api/v1/tenants/{t}/credentials/{id}/contact", of_tenant(Credential, Change), contacts::set)
        .delete("/api/v1/tenants/{t}/credentials/{id}/contact", of_tenant(Credential, Change), contacts::remove)
        .get("/api/v1/tenants/{t}/executions", of_tenant(Execution, Read), executions::list)
        .get("/api/v1/tenants/{t}/executions/{id}", of_tenant(Execution, Read), executions::show_to_operator)
        .get("/api/v1/tenants/{t}/virtual-keys", of_tenant(VirtualKey, Read), virtual_keys::list)
        .post("/api/v1/tenants/{t}/virtual-keys", of_tenant(VirtualKey, Create), virtual_keys::make)
        .delete("/api/v1/tenants/{t}/virtual-keys/{id}", of_tenant(VirtualKey, Stop), virtual_keys::revoke)
        .get("/api/v1/tenants/{t}/decoys", of_tenant(Audit, Read), decoys::list)
        .post("/api/v1/tenants/{t}/decoys", of_tenant(VirtualKey, Create), decoys::make)
        .delete("/api/v1/tenants/{t}/decoys/{id}", of_tenant(VirtualKey, Delete), decoys::remove)
        .get("/api/v1/tenants/{t}/held", of_tenant(Execution, Read), held::list)
        .post("/api/v1/tenants/{t}/held/{id}/approve", of_tenant(Approval, Approve).proven(), held::approve)
        .delete("/api/v1/tenants/{t}/owners/{owner}", of_tenant(Owner, Delete), erasure::as_operator)
        .get("/api/v1/stops", own_part(Stops, Read), stops::list)
        .post("/api/v1/stops", own_part(Stops, Stop), stops::stop)
        .post("/api/v1/stops/resume", own_part(Stops, Resume), stops::resume)
        .get("/api/v1/approvals", own_part(Approval, Read), approvals::list)
        .get("/api/v1/approvals/{id}", own_part(Approval, Read), approvals::show)
        .post("/api/v1/approvals/{id}/approve", own_part(Approval, Approve), approvals::approve)
        .post("/api/v1/approvals/{id}/deny", own_part(Approval, Approve), approvals::deny)
        .post("/api/v1/approvals/{id}/cancel", own_part(Approval, Read), approvals::cancel)
        .get("/api/v1/operators", own_part(Operator, Read), operators::list)
        .post("/api/v1/operators", own_part(Operator, Create), operators::create)
        .patch("/api/v1/operators/{id}", own_part(Operator, Change), operators::change)
        .delete("/api/v1/operators/{id}", own_part(Operator, Delete).proven(), operators::remove)
        .post("/api/v1/operators/{id}/reset", own_part(Operator, Change), operators::reset)
        .get("/api/v1/roles", own_part(Role, Read), roles::list)
        .get("/api/v1/roles/{name}", own_part(Role, Read), roles::show)
        .put("/api/v1/roles/{name}", everywhere(Role, Change), roles::set)
        .delete("/api/v1/roles/{name}", everywhere(Role, Delete), roles::remove)
}

/// What operators do about tenants' policies.
fn about_policies(table: Table) -> Table {
    use Action::{Change, Create, Read};
    use Resource::Policy;
    table
        .get("/api/v1/tenants/{t}/denials", of_tenant(Policy, Read), overview::denials)
        .get("/api/v1/tenants/{t}/policies", of_tenant(Policy, Read), policies::list)
        .post("/api/v1/tenants/{t}/policies", of_tenant(Policy, Create), policies::store)
        .post("/api/v1/tenants/{t}/policies/test", of_tenant(Policy, Read), policies::test)
        .get("/api/v1/tenants/{t}/policies/requests", of_tenant(Policy, Read), policies::requests)
        .get("/api/v1/tenants/{t}/policies/{version}", of_tenant(Policy, Read), policies::show)
        .post("/api/v1/tenants/{t}/policies/{version}/activate", of_tenant(Policy, Change), policies::activate)
}

/// What operators do about what comes back when store or token are lost.
fn about_backups(table: Table) -> Table {
    use Action::{Create, Read};
    use Resource::Backup;
    table
        .get("/api/v1/backups", everywhere(Backup, Read), backups::list)
        .post("/api/v1/backups", everywhere(Backup, Create), backups::make)
        .get("/api/v1/recovery", everywhere(Backup, Read), recovery::show)
}

/// What operators do about KEKs and the root keys that wrap them.
fn about_keks(table: Table) -> Table {
    use Action::{Change, Create, Delete, Read, Stop};
    use Resource::Kek;
    table
        .get("/api/v1/tenants/{t}/keks", of_tenant(Kek, Read), keks::list)
        .post("/api/v1/tenants/{t}/keks/rotate", of_tenant(Kek, Change).proven(), keks::rotate)
        .get("/api/v1/tenants/{t}/keks/rotation", of_tenant(Kek, Read), keks::rotation)
        .patch("/api/v1/tenants/{t}/keks/rotation", of_tenant(Kek, Change), keks::steer)
        .delete("/api/v1/tenants/{t}/keks/{version}", of_tenant(Kek, Delete), keks::destroy)
        .get("/api/v1/tenants/{t}/keks/import-key", of_tenant(Kek, Read), imports::import_key)
        .post("/api/v1/tenants/{t}/keks/import", of_tenant(Kek, Create).proven(), imports::import)
        .post("/api/v1/tenants/{t}/keks/withdraw", of_tenant(Kek, Stop).proven(), imports::withdraw)
        .get("/api/v1/roots", everywhere(Kek, Read), roots::list)
        .post("/api/v1/roots/rotate", everywhere(Kek, Change).proven(), roots::rotate)
        .get("/api/v1/roots/rotation", everywhere(Kek, Read), roots::rotation)
        .patch("/api/v1/roots/rotation", everywhere(Kek, Change), roots::steer)
        .delete("/api/v1/roots/{number}", everywhere(Kek, Delete), roots::destroy)
}

/// What operators see of the audit log.
fn about_audit(table: Table) -> Table {
    use Action::Read;
    use Resource::Audit;
    table
        .get("/api/v1/audit", own_part(Audit, Read), audit::list::list)
        .get("/api/v1/audit/export", own_part(Audit, Read), audit::export::export)
        .get("/api/v1/audit/proof", everywhere(Audit, Read), audit::proof::show)
        .get("/api/v1/audit/key", everywhere(Audit, Read), audit::key)
}

/// What operators do about tenants' webhooks. What was sent tells of incidents: whoever sees the audit log sees it.
fn about_webhooks(table: Table) -> Table {
    use Action::{Change, Read};
    use Resource::{Audit, Tenant};
    table
        .get("/api/v1/tenants/{t}/webhooks", of_tenant(Audit, Read), webhooks::list)
        .post("/api/v1/tenants/{t}/webhooks", of_tenant(Tenant, Change), webhooks::make)
        .delete("/api/v1/tenants/{t}/webhooks/{id}", of_tenant(Tenant, Change), webhooks::remove)
        .post("/api/v1/tenants/{t}/webhooks/{id}/rotate", of_tenant(Tenant, Change), webhooks::rotate)
        .post("/api/v1/tenants/{t}/webhooks/{id}/test", of_tenant(Tenant, Change), webhooks::test)
        .get("/api/v1/tenants/{t}/webhooks/{id}/deliveries", of_tenant(Audit, Read), webhooks::deliveries)
        .post(
            "/api/v1/tenants/{t}/webhooks/{id}/deliveries/{delivery}/redeliver",
            of_tenant(Tenant, Change),
            webhooks::redeliver,
        )
}

/// What operators do about incidents.
fn about_incidents(table: Table) -> Table {
    use Action::{Approve, Change, Create, Read, Stop};
    use Resource::Incident;
    table
        .get("/api/v1/incidents", own_part(Incident, Read), incidents::list)
        .post("/api/v1/incidents", own_part(Incident, Create), incidents::open)
        .get("/api/v1/incidents/{id}", own_part(Incident, Read), incidents::show)
        .get("/api/v1/incidents/{id}/timeline", own_part(Incident, Read), incidents::timeline)
        .post("/api/v1/incidents/{id}/timeline", own_part(Incident, Change), incidents::note)
        .get("/api/v1/incidents/{id}/affected", own_part(Incident, Read), incidents::affected)
        .get("/api/v1/incidents/{id}/affected/apps", own_part(Incident, Read), incidents::affected_apps)
        .post("/api/v1/incidents/{id}/contain", own_part(Incident, Stop), incidents::contain)
        .post("/api/v1/incidents/{id}/notify", own_part(Incident, Approve).proven(), incidents::notify)
        .get("/api/v1/incidents/{id}/unreached", own_part(Incident, Read), incidents::unreached)
        .post("/api/v1/incidents/{id}/publish", everywhere(Incident, Approve).proven(), incidents::publish)
        .post("/api/v1/incidents/{id}/clocks", own_part(Incident, Approve).proven(), incidents::meet)
        .post("/api/v1/incidents/{id}/close", own_part(Incident, Approve).proven(), incidents::close)
}

/// What operators do about themselves.
fn for_oneself(table: Table) -> Table {
    table
        .post("/api/v1/login", Needs::Nobody, login::log_in)
        .delete("/api/v1/login", myself(), login::log_out)
        .post("/api/v1/login/browser", Needs::Nobody, passkeys::start)
        .post("/api/v1/login/browser/poll", Needs::Nobody, passkeys::poll)
        .post("/api/v1/factors", Needs::Nobody, me::first_factors)
        .put("/api/v1/me/password", myself().proven(), me::change_password)
        .post("/api/v1/me/proof", myself(), me::prove_again)
        .post("/api/v1/me/proof/browser", myself(), passkeys::prove)
        .get("/api/v1/me/passkeys", myself(), passkeys::list)
        .post("/api/v1/me/passkeys", myself().proven(), passkeys::add)
        .delete("/api/v1/me/passkeys/{id}", myself().proven(), passkeys::remove)
        .post("/api/v1/me/totp", myself().proven(), me::begin_totp)
        .delete("/api/v1/me/totp", myself().proven(), me::remove_totp)
        .post("/api/v1/me/totp/confirm", myself().proven(), me::confirm_totp)
        .post("/api/v1/me/backup-codes", myself().proven(), me::backup_codes)
        .post("/api/v1/me/break-glass", myself().whole(), me::break_glass)
        .get("/api/v1/me/logins", myself(), me::logins)
        .delete("/api/v1/me/logins/{id}", myself(), me::end_login)
}

/// For everybody.
fn public_table() -> Table {
    Table::new("public")
        .get("/incidents", Needs::Nobody, incidents::public::history)
        .get("/login", Needs::Nobody, page::html)
        .get("/login/page.js", Needs::Nobody, page::script)
        .get("/login/page.css", Needs::Nobody, page::style)
        .post("/login/begin", Needs::Nobody, page::begin)
        .post("/login/finish", Needs::Nobody, page::finish)
}

/// What every listener has.
fn common_table(listener: &'static str) -> Table {
    Table::new(listener)
        .get("/api/v1/venues", Needs::Nobody, venues::list)
        .get("/livez", Needs::Nobody, health::live)
        .get("/readyz", Needs::Nobody, health::ready)
}

/// All routes, as the tables hold them.
pub fn rows() -> Vec<Row> {
    let own = [app_table(), admin_table(), public_table()];
    own.iter().flat_map(|table| [table.rows(), common_table(table.listener()).rows()].concat()).collect()
}

/// What the listener `api` serves.
pub fn app_routes(front: &Front) -> Router {
    finished(app_table(), front, |routes| routes.layer(from_fn(middleware::no_browsers)))
}

/// What the listener `admin` serves.
pub fn admin_routes(front: &Front) -> Router {
    finished(admin_table(), front, |routes| routes)
}

/// What the listener `public` serves.
pub fn public_routes(front: &Front) -> Router {
    finished(public_table(), front, |routes| routes)
}

fn finished(table: Table, front: &Front, guarded: impl FnOnce(Router<Front>) -> Router<Front>) -> Router {
    let listener = table.listener();
    guarded(table.router(front))
        .merge(common_table(listener).router(front))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state((front.clone(), listener), middleware::around))
        .with_state(front.clone())
}

async fn not_found(request: axum::extract::Extension<RequestId>) -> Problem {
    Problem::of(&ServiceError::NotFound("route"), request.0)
}

async fn wrong_method(request: axum::extract::Extension<RequestId>) -> Problem {
    let text = "this route does not take this method: see docs/api.md";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text, request.0)
}
