//! Operators and their logins.

use std::net::IpAddr;

use super::accounts::{named, no_random, picked};
use super::{Service, ServiceError};
use crate::audit::{EntryOutcome, Guard};
use crate::execution::Origin;
use crate::id::{LoginId, OperatorId, TenantId};
use crate::identity::role::Role;
use crate::identity::{CallerSecret, Factors, Login, LoginKind, Operator, OperatorPrincipal, hash_secret};
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};

/// How long a login lasts, milliseconds.
const LOGIN_MS: u64 = 8 * 60 * 60 * 1_000;

/// A new login and its bearer, which is shown once.
#[derive(Debug)]
pub struct NewLogin {
    /// The login.
    pub login: Login,
    /// Its bearer.
    pub bearer: CallerSecret,
}

/// An operator to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewOperator<'a> {
    /// Their login name, unique.
    pub name: &'a str,
    /// The name of their role.
    pub role: &'a str,
    /// The tenant that they are bound to; none for all.
    pub tenant: Option<TenantId>,
    /// Whether `init` makes them, before anybody is served.
    pub founder: bool,
}

impl Service {
    /// Makes an operator.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_operator(
        &self,
        new: NewOperator<'_>,
        factors: Factors,
        origin: &Origin,
    ) -> Result<Operator, ServiceError> {
        let NewOperator { name, role, tenant, founder } = new;
        named("an operator", name)?;
        let id = OperatorId::new(self.clock());
        let made_ms = if founder { 0 } else { self.clock.unix_ms() };
        let (name, role) = (name.to_owned(), role.to_owned());
        let operator = Operator { id, name, tenant, role, factors, factors_ms: made_ms, created_ms: made_ms };
        let entry = origin
            .draft("operator.create", EntryOutcome::Allowed)
            .on("operator", id.to_string())
            .detail("name", &operator.name)
            .detail("role", &operator.role);
        let changes = vec![
            Change::create(Key::OperatorName(operator.name.clone()), Row::OperatorRef(id)),
            Change::create(Key::Operator(id), Row::Operator(operator.clone())),
        ];
        match self.store.put_cas(changes, vec![entry]).await {
            Ok(_) => Ok(operator),
            Err(StoreError::Conflict(_)) => {
                Err(ServiceError::conflict("name_taken", "there is an operator of this name"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The operator of this name, if there is one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn operator(&self, name: &str) -> Result<Option<Operator>, ServiceError> {
        let Some(Versioned { row: Row::OperatorRef(id), .. }) =
            self.store.get(Key::OperatorName(name.to_owned())).await?
        else {
            return Ok(None);
        };
        Ok(match self.store.get(Key::Operator(id)).await? {
            Some(Versioned { row: Row::Operator(operator), .. }) => Some(operator),
            _ => None,
        })
    }

    /// Logs an operator in who has proven who they are.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn log_in(
        &self,
        operator: &Operator,
        kind: LoginKind,
        device: &str,
        origin: &Origin,
    ) -> Result<NewLogin, ServiceError> {
        let bearer = CallerSecret::generate("login").map_err(no_random)?;
        let now = self.clock.unix_ms();
        let login = Login {
            id: LoginId::new(self.clock()),
            operator: operator.id,
            name: operator.name.clone(),
            kind,
            address: origin.address.clone(),
            device: device.to_owned(),
            proven_ms: now,
            created_ms: now,
            expires_ms: now.saturating_add(LOGIN_MS),
        };
        let entry = origin.draft("login.create", EntryOutcome::Allowed).on("login", login.id.to_string());
        let change = Change::create(Key::Login(bearer.hash()), Row::Login(login.clone()));
        self.store.put_cas(vec![change], vec![entry]).await?;
        Ok(NewLogin { login, bearer })
    }

    /// The operator that a bearer stands for, with what their role allows at this moment.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`].
    pub async fn authenticated(&self, bearer: &str, address: IpAddr) -> Result<OperatorPrincipal, ServiceError> {
        let login = self.login(bearer).await?;
        let gone = ServiceError::Unauthenticated("the operator is not known any more");
        let Some(Versioned { row: Row::Operator(operator), .. }) =
            self.store.get(Key::Operator(login.operator)).await?
        else {
            return Err(gone);
        };
        let role = self.role(&operator.role).await?.ok_or(gone)?;
        Ok(OperatorPrincipal {
            operator: operator.id,
            name: operator.name,
            tenant: operator.tenant,
            permissions: role.permissions,
            flagged_only: role.flagged_only,
            login: login.id,
            kind: login.kind,
            guard: Guard(hash_secret(bearer)),
            proven_ms: login.proven_ms,
            address,
        })
    }

    /// The role of this name, if there is one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn role(&self, name: &str) -> Result<Option<Role>, ServiceError> {
        if let Some(role) = Role::built_in(name) {
            return Ok(Some(role));
        }
        Ok(match self.store.get(Key::Role(name.to_owned())).await? {
            Some(Versioned { row: Row::Role(role), .. }) => Some(role),
            _ => None,
        })
    }

    /// The login that a bearer belongs to.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`].
    pub async fn login(&self, bearer: &str) -> Result<Login, ServiceError> {
        match self.store.get(Key::Login(hash_secret(bearer))).await? {
            Some(Versioned { row: Row::Login(login), .. }) if login.expires_ms > self.clock.unix_ms() => Ok(login),
            _ => Err(ServiceError::Unauthenticated("log in: `claviger login`")),
        }
    }

    /// All logins that have not expired. There are few.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn logins(&self) -> Result<Vec<Login>, ServiceError> {
        let page = self.store.scan(Range::Logins, None, 10_000).await?;
        let now = self.clock.unix_ms();
        let page = picked(page, |row| if let Row::Login(login) = row { Some(login) } else { None });
        Ok(page.rows.into_iter().filter(|login| login.expires_ms > now).collect())
    }

    /// Ends a login by its bearer's hash.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn log_out(&self, bearer: &str, origin: &Origin) -> Result<(), ServiceError> {
        let login = self.login(bearer).await?;
        let entry = origin.draft("login.end", EntryOutcome::Allowed).on("login", login.id.to_string());
        self.store.put_cas(vec![Change::remove(Key::Login(hash_secret(bearer)))], vec![entry]).await?;
        Ok(())
    }
}
