//! Apps: what they authenticate with, and the access tokens that they get for it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::accounts::{named, no_random, picked};
use super::directory::KnownApp;
use super::{Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::id::{AppId, AuthenticatorId, TenantId};
use crate::identity::{App, Authenticator, CallerSecret, Evidence, LIVE_MAX, hash_secret};
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

/// What an app shows to get an access token.
#[derive(Debug)]
pub enum Shown {
    /// Its secret.
    Secret(Zeroizing<String>),
    /// An assertion of which everything was verified, but that it is used for the first time.
    Assertion(Asserted),
    /// The certificate of its connection, and nothing else.
    Certificate,
}

/// A verified assertion (RFC 7523 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// The key that it is signed by.
    pub authenticator: AuthenticatorId,
    /// SHA-256 over the app and the assertion's `jti`.
    pub jti: [u8; 32],
    /// When it expires, milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// How long the use of an assertion is remembered after its end, milliseconds: clocks are set back.
const REMEMBERED_MS: u64 = 5 * 60 * 1_000;

impl Service {
    /// Makes an app.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_app(&self, tenant: TenantId, name: &str, origin: &Origin) -> Result<AppSecret, ServiceError> {
        named("an app", name)?;
        let tenant = self.tenant(&tenant.to_string()).await?.id;
        let secret = CallerSecret::generate("app").map_err(no_random)?;
        let id = AppId::new(self.clock());
        let authenticators = vec![self.authenticator(Evidence::Secret(secret.hash()))];
        let app = App { id, tenant, name: name.to_owned(), authenticators, created_ms: self.clock.unix_ms() };
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

    /// Makes another secret of an app, which is shown once.
    ///
    /// # Errors
    /// As [`Self::add_authenticator`].
    pub async fn add_secret(
        &self,
        tenant: TenantId,
        app: AppId,
        origin: &Origin,
    ) -> Result<(Authenticator, CallerSecret), ServiceError> {
        let secret = CallerSecret::generate("app").map_err(no_random)?;
        Ok((self.add_authenticator(tenant, app, Evidence::Secret(secret.hash()), origin).await?, secret))
    }

    /// Lets an app authenticate with something more.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when it has two of the kind, or this very one. Nothing was changed.
    pub async fn add_authenticator(
        &self,
        tenant: TenantId,
        app: AppId,
        evidence: Evidence,
        origin: &Origin,
    ) -> Result<Authenticator, ServiceError> {
        let (version, mut row) = self.app_row(tenant, app).await?;
        if row.authenticators.iter().any(|one| one.evidence == evidence) {
            return Err(ServiceError::conflict("authenticator_known", "the app has this one already"));
        }
        if row.live(&evidence) >= LIVE_MAX {
            let text = format!("the app has {LIVE_MAX} of the kind `{}`: remove one first", evidence.kind());
            return Err(ServiceError::conflict("authenticators_full", text));
        }
        let new = self.authenticator(evidence);
        row.authenticators.push(new.clone());
        self.put_app(version, row, "add", &new, origin).await?;
        Ok(new)
    }

    /// Takes one of the given kind away from an app. When this answers, the access tokens that were given for it are
    /// refused. It may be the last one: the app then gets no token until it has another.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when the app has no such authenticator of this kind.
    pub async fn remove_authenticator(
        &self,
        tenant: TenantId,
        app: AppId,
        kind: &str,
        id: AuthenticatorId,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let (version, mut row) = self.app_row(tenant, app).await?;
        let place = row.authenticators.iter().position(|one| one.id == id && one.evidence.kind() == kind);
        let gone = row.authenticators.remove(place.ok_or(ServiceError::NotFound("authenticator of this kind"))?);
        self.put_app(version, row, "remove", &gone, origin).await
    }

    /// An access token for an app that shows what it has; bound to the connection's `certificate` if that is the app's.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for an unknown app, for what is not right and for what was used before alike.
    pub async fn access_token(
        &self,
        id: AppId,
        shown: Shown,
        certificate: Option<[u8; 32]>,
        seconds: u64,
        origin: &Origin,
    ) -> Result<(String, u64), ServiceError> {
        let wrong = || {
            ServiceError::Unauthenticated(match shown {
                Shown::Secret(_) => "the app's id or secret is not right",
                Shown::Assertion(_) => "the app's key was taken away",
                Shown::Certificate => {
                    "the connection shows no client certificate of this app: register it, and connect with it"
                }
            })
        };
        let known = self.live_app(id).await;
        let known =
            known.map_err(|error| if matches!(error, ServiceError::Unauthenticated(_)) { wrong() } else { error })?;
        let app = &known.app;
        let its_own = certificate.and_then(|thumbprint| app.by_certificate(&thumbprint));
        let authenticator = match &shown {
            Shown::Secret(secret) => app.by_secret(&hash_secret(secret)),
            Shown::Assertion(asserted) => app.authenticator(asserted.authenticator),
            Shown::Certificate => its_own,
        };
        let authenticator = authenticator.ok_or_else(wrong)?.id;
        let issued = self.clock.unix_ms() / 1_000;
        let claims = Claims {
            app: id,
            tenant: app.tenant,
            issuer: self.origin.clone(),
            issued,
            expires: issued.saturating_add(seconds),
            authenticator,
            certificate: certificate.filter(|_| its_own.is_some()),
        };
        let token = self.keeper.sign_jwt(claims).await?;
        let entry = origin
            .draft("token.create", EntryOutcome::Allowed)
            .tenant(app.tenant.to_string())
            .on("app", id.to_string())
            .detail("authenticator", authenticator.to_string());
        let claim = if let Shown::Assertion(Asserted { jti, expires_ms, .. }) = shown {
            let until_ms = expires_ms.saturating_add(REMEMBERED_MS);
            vec![Change::create(Key::Jti(jti), Row::Jti { hash: jti, until_ms })]
        } else {
            Vec::new()
        };
        match self.store.put_cas(claim, vec![entry]).await {
            Ok(_) => {}
            Err(StoreError::Conflict(_)) => {
                let text = "the assertion was used before: make a new one, with another `jti`, for each request";
                return Err(ServiceError::Unauthenticated(text));
            }
            Err(error) => return Err(error.into()),
        }
        self.uses.note(id, Some(authenticator), self.clock.unix_ms());
        Ok((token, seconds))
    }

    /// Forgets which assertions were used, once they are refused for their age. Says how many.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it is harmless.
    pub async fn forget_assertions(&self) -> Result<usize, ServiceError> {
        let now = self.clock.unix_ms();
        let (mut forgotten, mut after) = (0_usize, None);
        loop {
            let page = self.store.scan(Range::Jtis, after, FORGOTTEN_AT_ONCE).await?;
            let mut old = Vec::new();
            for row in &page.rows {
                if let Row::Jti { hash, until_ms } = &row.row
                    && *until_ms <= now
                {
                    old.push(Change::remove(Key::Jti(*hash)));
                }
            }
            if !old.is_empty() {
                forgotten = forgotten.saturating_add(old.len());
                self.store.put_cas(old, Vec::new()).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(forgotten);
            }
        }
    }

    fn authenticator(&self, evidence: Evidence) -> Authenticator {
        Authenticator { id: AuthenticatorId::new(self.clock()), evidence, created_ms: self.clock.unix_ms() }
    }

    /// A tenant's app as it is stored.
    async fn app_row(&self, tenant: TenantId, id: AppId) -> Result<(u64, App), ServiceError> {
        match self.store.get(Key::App(id)).await? {
            Some(Versioned { version, row: Row::App(app) }) if app.tenant == tenant => Ok((version, app)),
            _ => Err(ServiceError::NotFound("app")),
        }
    }

    async fn put_app(
        &self,
        version: u64,
        row: App,
        act: &str,
        what: &Authenticator,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let id = row.id;
        let entry = origin
            .draft(&format!("app.{}.{act}", what.evidence.kind()), EntryOutcome::Allowed)
            .tenant(row.tenant.to_string())
            .on("app", id.to_string())
            .detail("authenticator", what.id.to_string());
        let done = self.store.put_cas(vec![Change::replace(Key::App(id), version, Row::App(row))], vec![entry]).await;
        // Also after an error: it may be stored all the same.
        self.directory.forget_app(id);
        done?;
        Ok(())
    }
}

/// Rows looked at and removed in one commit, so that no other commit waits long for it.
const FORGOTTEN_AT_ONCE: usize = 1_000;
