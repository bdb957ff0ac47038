//! Operators and their logins.

use std::net::IpAddr;

use super::accounts::{named, no_random, picked};
use super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome, Guard};
use crate::execution::Origin;
use crate::id::{OperatorId, TenantId};
use crate::identity::role::{ADMIN, Role};
use crate::identity::{CallerSecret, Factors, Invitation, Login, Operator, OperatorPrincipal, hash_secret};
use crate::store::{Change, Expect, Key, Page, Range, Row, StoreError, Versioned};

/// How long an invitation is good, milliseconds.
const INVITATION_MS: u64 = 48 * 60 * 60 * 1_000;

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

/// What is to be written for an act on an operator, in one commit.
#[derive(Debug)]
#[must_use]
pub struct PreparedOperator {
    /// The operator as they will be; as they were, if they are removed.
    pub operator: Operator,
    /// The changes. They are refused if the operator, or a login of theirs, was changed meanwhile.
    pub changes: Vec<Change>,
    /// The audit entries.
    pub entries: Vec<Draft>,
}

/// The same, with the secret by which the operator sets the first factors: shown once.
#[derive(Debug)]
#[must_use]
pub struct Invited {
    /// What is to be written.
    pub prepared: PreparedOperator,
    /// `clv_invite_…`
    pub invitation: CallerSecret,
    /// When it is good no more, milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

impl Service {
    /// Makes an operator whose factors are known already: one of `init`.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_operator(
        &self,
        new: NewOperator<'_>,
        factors: Factors,
        origin: &Origin,
    ) -> Result<Operator, ServiceError> {
        let prepared = self.new_operator(new, factors, origin)?;
        self.commit_operator(prepared).await
    }

    /// Writes what was prepared, by itself.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn commit_operator(&self, prepared: PreparedOperator) -> Result<Operator, ServiceError> {
        let PreparedOperator { operator, changes, entries } = prepared;
        match self.store.put_cas(changes, entries).await {
            Ok(_) => Ok(operator),
            Err(StoreError::Conflict(key)) if matches!(*key, Key::OperatorName(_)) => {
                Err(ServiceError::conflict("name_taken", "there is an operator of this name"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn new_operator(
        &self,
        new: NewOperator<'_>,
        factors: Factors,
        origin: &Origin,
    ) -> Result<PreparedOperator, ServiceError> {
        let NewOperator { name, role, tenant, founder } = new;
        named("an operator", name)?;
        let id = OperatorId::new(self.clock());
        let made_ms = if founder { 0 } else { self.clock.unix_ms() };
        let (name, role) = (name.to_owned(), role.to_owned());
        let operator = Operator { id, name, tenant, role, factors, factors_ms: made_ms, created_ms: made_ms };
        let entry = about("operator.create", &operator, origin).detail("role", &operator.role);
        let mut changes = vec![
            Change::create(Key::OperatorName(operator.name.clone()), Row::OperatorRef(id)),
            Change::create(Key::Operator(id), Row::Operator(operator.clone())),
        ];
        changes.extend(operator.factors.invitation.iter().map(|own| invitation_row(own, id)));
        Ok(PreparedOperator { operator, changes, entries: vec![entry] })
    }

    /// Prepares an operator, with an invitation to set the first factors.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn prepare_create_operator(&self, new: NewOperator<'_>, origin: &Origin) -> Result<Invited, ServiceError> {
        let (invitation, stored) = self.invitation()?;
        let expires_ms = stored.expires_ms;
        let factors = Factors { invitation: Some(stored), ..Factors::default() };
        let prepared = self.new_operator(new, factors, origin)?;
        Ok(Invited { prepared, invitation, expires_ms })
    }

    /// Prepares that an operator is gone, and all their logins with them.
    ///
    /// # Errors
    /// [`ServiceError`]; also when nobody else has the role `admin`.
    pub async fn prepare_remove_operator(
        &self,
        id: OperatorId,
        origin: &Origin,
    ) -> Result<PreparedOperator, ServiceError> {
        let (operator, version) = self.known_operator(id).await?;
        let mut changes = self.all_logins_end(id).await?;
        changes.extend(self.another_admin(&operator).await?);
        changes.extend(operator.factors.invitation.iter().map(|own| Change::remove(Key::Invitation(own.hash))));
        changes.push(Change::remove(Key::OperatorName(operator.name.clone())));
        changes.push(Change { key: Key::Operator(id), expect: Expect::Version(version), row: None });
        let entries = vec![about("operator.delete", &operator, origin)];
        Ok(PreparedOperator { operator, changes, entries })
    }

    async fn known_operator(&self, id: OperatorId) -> Result<(Operator, u64), ServiceError> {
        self.operator_by_id(id).await?.ok_or(ServiceError::NotFound("operator"))
    }

    /// What ends all of an operator's logins.
    pub(super) async fn all_logins_end(&self, id: OperatorId) -> Result<Vec<Change>, ServiceError> {
        let mut logins = self.logins_of(id).await?;
        logins.end(|_| true);
        Ok(logins.into_changes())
    }

    /// An invitation, and what is stored of it.
    pub(super) fn invitation(&self) -> Result<(CallerSecret, Invitation), ServiceError> {
        let secret = CallerSecret::generate("invite").map_err(no_random)?;
        let expires_ms = self.clock.unix_ms().saturating_add(INVITATION_MS);
        let stored = Invitation { hash: secret.hash(), expires_ms };
        Ok((secret, stored))
    }

    /// A page of operators.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn operators(&self, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Operator>, ServiceError> {
        let page = self.store.scan(Range::Operators, after, limit).await?;
        Ok(picked(page, |row| if let Row::Operator(operator) = row { Some(operator) } else { None }))
    }

    /// Somebody must be left who may do everything. The commit rests on whoever that is, so that two admins do not
    /// remove each other at one time.
    pub(super) async fn another_admin(&self, operator: &Operator) -> Result<Option<Change>, ServiceError> {
        if operator.role != ADMIN {
            return Ok(None);
        }
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Operators, after, 200).await?;
            let another = page.rows.iter().find_map(|found| {
                let Row::Operator(other) = &found.row else { return None };
                let admin = other.id != operator.id && other.role == ADMIN && other.tenant.is_none();
                admin.then(|| Change::still(Key::Operator(other.id), found.version))
            });
            if another.is_some() {
                return Ok(another);
            }
            after = page.next;
            if after.is_none() {
                let text = "nobody else may do everything: make another operator with the role admin first";
                return Err(ServiceError::conflict("last_admin", text));
            }
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
            has_second: operator.factors.has_second(),
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
}

/// What an invitation is found by.
pub(super) fn invitation_row(own: &Invitation, id: OperatorId) -> Change {
    Change::create(Key::Invitation(own.hash), Row::OperatorRef(id))
}

fn about(action: &str, operator: &Operator, origin: &Origin) -> Draft {
    let entry = origin.draft(action, EntryOutcome::Allowed).on("operator", operator.id.to_string());
    entry.detail("name", &operator.name)
}
