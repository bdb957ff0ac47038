//! Tenants, apps, grants, operators and their logins.

use std::sync::Arc;

use super::directory::KnownApp;
use super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::id::{AppId, TenantId};
use crate::identity::{App, CallerSecret, Tenant, hash_secret, same_hash};
use crate::keeper::message::Claims;
use crate::store::{Change, Key, Page, Range, Row, Stop, StoreError, Versioned};

/// A new app and its secret, which is shown once.
#[derive(Debug)]
pub struct AppSecret {
    /// The app.
    pub app: App,
    /// Its secret.
    pub secret: CallerSecret,
}

pub(super) fn no_random(_: crate::identity::NoRandom) -> ServiceError {
    ServiceError::unavailable(Part::Load, "the operating system gives no random numbers")
}

pub(super) fn named(what: &'static str, name: &str) -> Result<(), ServiceError> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if fits {
        Ok(())
    } else {
        Err(ServiceError::invalid("name_invalid", format!("the name of {what} is 1 to 64 of a-z A-Z 0-9 . _ -")))
    }
}

impl Service {
    /// Makes a tenant, with the first version of its KEK.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_tenant(&self, name: &str, origin: &Origin) -> Result<Tenant, ServiceError> {
        named("a tenant", name)?;
        let id = TenantId::new(self.clock());
        let kek = self.keeper.new_kek(id, 1).await?;
        let tenant = Tenant { id, name: name.to_owned(), kek_version: 1, created_ms: self.clock.unix_ms() };
        let entry = origin
            .draft("tenant.create", EntryOutcome::Allowed)
            .tenant(id.to_string())
            .on("tenant", id.to_string())
            .detail("name", name);
        let changes = vec![
            Change::create(Key::TenantName(name.to_owned()), Row::TenantRef(id)),
            Change::create(Key::Tenant(id), Row::Tenant(tenant.clone())),
            Change::create(Key::Kek(id, 1), Row::Kek(kek)),
        ];
        match self.store.put_cas(changes, vec![entry]).await {
            Ok(_) => Ok(tenant),
            Err(StoreError::Conflict(_)) => Err(ServiceError::conflict("name_taken", "there is a tenant of this name")),
            Err(error) => Err(error.into()),
        }
    }

    /// The tenant of this id or name.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn tenant(&self, id_or_name: &str) -> Result<Tenant, ServiceError> {
        let id = match id_or_name.parse::<TenantId>() {
            Ok(id) => id,
            Err(_) => match self.store.get(Key::TenantName(id_or_name.to_owned())).await? {
                Some(Versioned { row: Row::TenantRef(id), .. }) => id,
                _ => return Err(ServiceError::NotFound("tenant")),
            },
        };
        match self.store.get(Key::Tenant(id)).await? {
            Some(Versioned { row: Row::Tenant(tenant), .. }) => Ok(tenant),
            _ => Err(ServiceError::NotFound("tenant")),
        }
    }

    /// A page of all tenants.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn tenants(&self, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Tenant>, ServiceError> {
        let page = self.store.scan(Range::Tenants, after, limit).await?;
        Ok(picked(page, |row| if let Row::Tenant(tenant) = row { Some(tenant) } else { None }))
    }

    /// Makes an app.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_app(&self, tenant: TenantId, name: &str, origin: &Origin) -> Result<AppSecret, ServiceError> {
        named("an app", name)?;
        let tenant = self.tenant(&tenant.to_string()).await?.id;
        let secret = CallerSecret::generate("app").map_err(no_random)?;
        let id = AppId::new(self.clock());
        let app =
            App { id, tenant, name: name.to_owned(), secret_hash: secret.hash(), created_ms: self.clock.unix_ms() };
        let entry = origin
            .draft("app.create", EntryOutcome::Allowed)
            .tenant(tenant.to_string())
            .on("app", id.to_string())
            .detail("name", name);
        let changes = vec![
            Change::create(Key::App(id), Row::App(app.clone())),
            Change::create(Key::TenantApp(tenant, id), Row::Mark),
        ];
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(AppSecret { app, secret })
    }

    /// A page of a tenant's apps.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn apps(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<App>, ServiceError> {
        let page = self.store.scan(Range::Apps(tenant), after, limit).await?;
        Ok(picked(page, |row| if let Row::App(app) = row { Some(app) } else { None }))
    }

    /// An app, from memory where it is known.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn app(&self, id: AppId) -> Result<Arc<KnownApp>, ServiceError> {
        self.directory.app(self.store(), id).await?.ok_or(ServiceError::NotFound("app"))
    }

    /// An app that may call: it exists and is not stopped for good or frozen.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`].
    pub async fn live_app(&self, id: AppId) -> Result<Arc<KnownApp>, ServiceError> {
        let refused = ServiceError::Unauthenticated("the app is not known, or it is stopped");
        let Some(known) = self.directory.app(self.store(), id).await? else { return Err(refused) };
        match known.stopped {
            Some(Stop::Frozen | Stop::Revoked) => Err(refused),
            Some(Stop::ReduceOnly) | None => Ok(known),
        }
    }

    /// An access token for an app that shows its secret.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for an unknown app and a wrong secret alike.
    pub async fn access_token(
        &self,
        id: AppId,
        secret: &str,
        seconds: u64,
        origin: &Origin,
    ) -> Result<(String, u64), ServiceError> {
        let shown = hash_secret(secret);
        let known = self.live_app(id).await;
        // An unknown app is compared with something, too.
        let stored = known.as_ref().map_or([0; 32], |known| known.app.secret_hash);
        let right = same_hash(&shown, &stored);
        let known = known?;
        if !right {
            return Err(ServiceError::Unauthenticated("the app's secret is not right"));
        }
        let issued = self.clock.unix_ms() / 1_000;
        let claims = Claims {
            app: id,
            tenant: known.app.tenant,
            issuer: self.origin.clone(),
            issued,
            expires: issued.saturating_add(seconds),
        };
        let token = self.keeper.sign_jwt(claims).await?;
        let entry = origin.draft("token.create", EntryOutcome::Allowed).tenant(known.app.tenant.to_string());
        self.store.append(vec![entry.on("app", id.to_string())]).await?;
        Ok((token, seconds))
    }
}

pub(super) fn picked<T>(page: Page<Versioned>, pick: impl Fn(Row) -> Option<T>) -> Page<T> {
    Page { rows: page.rows.into_iter().filter_map(|row| pick(row.row)).collect(), next: page.next }
}
