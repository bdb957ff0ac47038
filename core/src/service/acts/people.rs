//! Acts on operators and roles.

use super::super::accounts::named;
use super::super::operators::invitation_row;
use super::super::roles::{ALL, well_formed};
use super::super::{Service, ServiceError};
use super::Prepared;
use crate::audit::{Draft, EntryOutcome};
use crate::id::{OperatorId, TenantId};
use crate::identity::role::{ADMIN, Role};
use crate::identity::{CallerSecret, Factors, Invitation, Operator, hash_halves};
use crate::store::{Change, Key, Range, Row, Versioned};

/// What a plan says of an invitation.
const INVITED: &str = "who asks and who approves are shown half of an invitation each, once, and hand it to that person, \
                       who sets their own factors with both within two days";

impl Service {
    pub(super) async fn prepare_operator(
        &self,
        name: &str,
        role: &str,
        tenant: Option<TenantId>,
        half: Option<[u8; 32]>,
    ) -> Result<Prepared, ServiceError> {
        named("an operator", name)?;
        if self.operator(name).await?.is_some() {
            return Err(ServiceError::conflict("name_taken", "there is an operator of this name"));
        }
        let allowed = self.role(role).await?.ok_or(ServiceError::NotFound("role"))?;
        if let Some(tenant) = tenant {
            self.tenant(&tenant.to_string()).await?;
        }
        let (secret, invitation) = self.half_invitation(half)?;
        let (id, now) = (OperatorId::new(self.clock()), self.clock.unix_ms());
        let invited = invitation_row(&invitation, id);
        let row = Operator {
            id,
            name: name.to_owned(),
            tenant,
            role: role.to_owned(),
            factors: Factors { invitation: Some(invitation), ..Factors::default() },
            factors_ms: now,
            created_ms: now,
        };
        Ok(Prepared {
            name: name.to_owned(),
            lines: vec![
                format!("{name} becomes an operator with the role {role}, {}", reach_words(tenant)),
                INVITED.to_owned(),
            ],
            seen: vec![("role", role_words(&allowed))],
            changes: vec![
                Change::create(Key::OperatorName(name.to_owned()), Row::OperatorRef(id)),
                Change::create(Key::Operator(id), Row::Operator(row)),
                invited,
            ],
            entries: vec![about("operator.create", id, tenant).detail("name", name).detail("role", role)],
            secret: Some(secret),
            ..Prepared::default()
        })
    }

    pub(super) async fn prepare_role(
        &self,
        tenant: Option<TenantId>,
        id: OperatorId,
        role: &str,
    ) -> Result<Prepared, ServiceError> {
        let (version, row) = self.bound(tenant, id).await?;
        let mut changes = self.all_logins_end(id).await?;
        if role != ADMIN {
            changes.extend(self.another_admin(&row).await?);
        }
        let (new, as_it_is) = self.given(role).await?;
        changes.extend(as_it_is);
        let old = self.role(&row.role).await?;
        let wider = old.as_ref().is_none_or(|old| !new.lies_in(old));
        let was = row.role.clone();
        // Whoever is raised counts as new: they approve nothing that was asked for before, or within a day.
        let factors_ms = if wider { self.clock.unix_ms() } else { row.factors_ms };
        let operator = Operator { role: role.to_owned(), factors_ms, ..row };
        changes.push(Change::replace(Key::Operator(id), version, Row::Operator(operator.clone())));
        Ok(Prepared {
            name: operator.name.clone(),
            lines: vec![format!("{} has the role {role} instead of {was}; all their logins end", operator.name)],
            seen: vec![
                ("name", operator.name.clone()),
                ("was", old.as_ref().map_or_else(|| was.clone(), role_words)),
                ("role", role_words(&new)),
            ],
            etag: Some(version),
            wider,
            entries: vec![about("operator.role", id, tenant).detail("from", was).detail("role", role)],
            changes,
            ..Prepared::default()
        })
    }

    pub(super) async fn prepare_reset(
        &self,
        tenant: Option<TenantId>,
        id: OperatorId,
        half: Option<[u8; 32]>,
    ) -> Result<Prepared, ServiceError> {
        let (version, row) = self.bound(tenant, id).await?;
        let mut changes = self.all_logins_end(id).await?;
        changes.extend(row.factors.invitation.iter().map(|old| Change::remove(Key::Invitation(old.hash))));
        let (secret, invitation) = self.half_invitation(half)?;
        changes.push(invitation_row(&invitation, id));
        let seen = vec![
            ("name", row.name.clone()),
            ("role", row.role.clone()),
            // Whoever set new factors meanwhile keeps them.
            ("factors", row.factors_ms.to_string()),
        ];
        // With other factors they count as new: they approve nothing that was asked for before, or within a day.
        let factors = Factors { invitation: Some(invitation), ..Factors::default() };
        let reset = Operator { factors, factors_ms: self.clock.unix_ms(), ..row };
        changes.push(Change::replace(Key::Operator(id), version, Row::Operator(reset.clone())));
        Ok(Prepared {
            name: reset.name.clone(),
            lines: vec![
                format!("all logins of {} end, and their password, codes and passkeys are good no more", reset.name),
                INVITED.to_owned(),
            ],
            seen,
            etag: Some(version),
            entries: vec![about("operator.reset", id, tenant).detail("name", &reset.name)],
            changes,
            secret: Some(secret),
            ..Prepared::default()
        })
    }

    pub(super) async fn prepare_set_role(&self, role: &Role) -> Result<Prepared, ServiceError> {
        well_formed(role)?;
        let key = Key::Role(role.name.clone());
        let old = match self.store.get(key.clone()).await? {
            Some(Versioned { version, row: Row::Role(old) }) => Some((version, old)),
            _ => None,
        };
        let row = Row::Role(role.clone());
        let (etag, change, was) = match &old {
            Some((version, old)) => (Some(*version), Change::replace(key, *version, row), role_words(old)),
            None => (None, Change::create(key, row), "nothing".to_owned()),
        };
        // A role that nobody can have had yet is as wide as what it allows.
        let wider = old.as_ref().is_none_or(|(_, old)| !role.lies_in(old));
        let mut changes = vec![change];
        if wider {
            changes.extend(self.holders_raised(&role.name).await?);
        }
        Ok(Prepared {
            name: role.name.clone(),
            lines: vec![format!(
                "the role {} allows {}; it allowed {was}; whoever has it notices at once",
                role.name,
                role_words(role)
            )],
            seen: vec![("was", was)],
            etag,
            wider,
            changes,
            entries: vec![Draft::new("role.set", EntryOutcome::Allowed).on("role", &role.name)],
            ..Prepared::default()
        })
    }

    /// A role that somebody is given. One that is not built in is written as it is: whoever widens it at the same moment
    /// either raises them with all who have it, or is seen here.
    async fn given(&self, name: &str) -> Result<(Role, Option<Change>), ServiceError> {
        if let Some(role) = Role::built_in(name) {
            return Ok((role, None));
        }
        let key = Key::Role(name.to_owned());
        match self.store.get(key.clone()).await? {
            Some(Versioned { version, row: Row::Role(role) }) => {
                let as_it_is = Change::replace(key, version, Row::Role(role.clone()));
                Ok((role, Some(as_it_is)))
            }
            _ => Err(ServiceError::NotFound("role")),
        }
    }

    /// Makes whoever has a role that is widened as new as if they were given a wider one.
    async fn holders_raised(&self, role: &str) -> Result<Vec<Change>, ServiceError> {
        let now = self.clock.unix_ms();
        let operators = self.store.scan(Range::Operators, None, ALL).await?.rows.into_iter();
        let raised = operators.filter_map(|Versioned { version, row }| {
            let Row::Operator(row) = row else { return None };
            let raised = Operator { factors_ms: now, ..row };
            (raised.role == role).then(|| Change::replace(Key::Operator(raised.id), version, Row::Operator(raised)))
        });
        Ok(raised.collect())
    }

    /// Half of an invitation, and what is stored of the whole; `half` is the other one's hash, once there is another.
    fn half_invitation(&self, half: Option<[u8; 32]>) -> Result<(CallerSecret, Invitation), ServiceError> {
        let (secret, own) = self.invitation()?;
        let hash = hash_halves(&half.unwrap_or_default(), &own.hash);
        Ok((secret, Invitation { hash, ..own }))
    }

    /// An operator, if it is bound as the act says.
    async fn bound(&self, tenant: Option<TenantId>, id: OperatorId) -> Result<(u64, Operator), ServiceError> {
        let found = self.person(id).await?.filter(|(_, row)| row.tenant == tenant);
        found.ok_or(ServiceError::NotFound("operator"))
    }
}

fn about(action: &str, id: OperatorId, tenant: Option<TenantId>) -> Draft {
    let entry = Draft::new(action, EntryOutcome::Allowed).on("operator", id.to_string());
    match tenant {
        Some(tenant) => entry.tenant(tenant.to_string()),
        None => entry,
    }
}

fn reach_words(tenant: Option<TenantId>) -> String {
    tenant.map_or_else(|| "for all tenants".to_owned(), |tenant| format!("for {tenant}"))
}

fn role_words(role: &Role) -> String {
    let words: Vec<String> = role.permissions.iter().map(|permission| permission.to_string()).collect();
    let only = if role.flagged_only { ", flagged only" } else { "" };
    format!("{}{only}", words.join(" "))
}
