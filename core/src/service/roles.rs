//! Roles: listed, checked before they are set, removed. Setting one is an act, which `acts/people.rs` prepares.

use super::accounts::named;
use super::{Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::identity::role::{Action, BUILT_IN, Permission, Permissions, Resource, Role};
use crate::store::{Change, Expect, Key, Range, Row, StoreError, Versioned};

/// Roles and operators that one look at all of them reads.
pub(super) const ALL: usize = 10_000;

impl Service {
    /// All roles: those that are built in, then the others by name.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn roles(&self) -> Result<Vec<Role>, ServiceError> {
        let made = self.store.scan(Range::Roles, None, ALL).await?.rows.into_iter();
        let made = made.filter_map(|found| if let Row::Role(role) = found.row { Some(role) } else { None });
        Ok(BUILT_IN.iter().filter_map(|name| Role::built_in(name)).chain(made).collect())
    }

    /// Removes a role that no operator has.
    ///
    /// # Errors
    /// [`ServiceError`]; it stays then.
    pub async fn remove_role(&self, name: &str, origin: &Origin) -> Result<(), ServiceError> {
        changeable(name)?;
        let key = Key::Role(name.to_owned());
        let Some(Versioned { version, .. }) = self.store.get(key.clone()).await? else {
            return Err(ServiceError::NotFound("role"));
        };
        let operators = self.store.scan(Range::Operators, None, ALL).await?.rows;
        let has_it = |found: &Versioned| matches!(&found.row, Row::Operator(operator) if operator.role == name);
        if operators.iter().any(has_it) {
            let text = "an operator has this role: give them another one first; nothing was removed";
            return Err(ServiceError::conflict("role_in_use", text));
        }
        // An operator who is given it at this very moment has a role that is not there, which allows nothing.
        let change = Change { key, expect: Expect::Version(version), row: None };
        let entry = origin.draft("role.remove", EntryOutcome::Allowed).on("role", name);
        match self.store.put_cas(vec![change], vec![entry]).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict(_)) => Err(ServiceError::Changed),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a role may be set as it is.
pub(super) fn well_formed(role: &Role) -> Result<(), ServiceError> {
    named("a role", &role.name)?;
    changeable(&role.name)?;
    if role.flagged_only && !role.permissions.within(FILTERED.iter().copied().collect::<Permissions>()) {
        let text = "a role with flagged_only holds nothing but credential.read, execution.read and status.read: what \
            else it saw would not be filtered; nothing was done";
        return Err(ServiceError::invalid("role_invalid", text));
    }
    Ok(())
}

/// What a role may allow that shows only what needs a look.
const FILTERED: [Permission; 3] = [
    Permission(Resource::Credential, Action::Read),
    Permission(Resource::Execution, Action::Read),
    Permission(Resource::Status, Action::Read),
];

fn changeable(name: &str) -> Result<(), ServiceError> {
    if Role::built_in(name).is_some() {
        return Err(ServiceError::conflict("role_built_in", "this role is built in, and never changes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, words: &[&str], flagged_only: bool) -> Role {
        let permissions = words.iter().map(|word| word.parse::<Permission>().unwrap()).collect();
        Role { name: name.to_owned(), permissions, flagged_only }
    }

    #[test]
    fn a_role_that_filters_allows_only_what_is_filtered() {
        well_formed(&role("desk", &["credential.read", "execution.read", "status.read"], true)).unwrap();
        well_formed(&role("desk", &["credential.read", "audit.read"], false)).unwrap();
        for more in ["audit.read", "virtual-key.read", "credential.stop"] {
            let error = well_formed(&role("desk", &["credential.read", more], true)).unwrap_err();
            assert!(matches!(error, ServiceError::Invalid { code: "role_invalid", .. }), "{more}: {error}");
        }
    }

    #[test]
    fn built_in_roles_stay_as_they_are() {
        for name in BUILT_IN {
            let error = well_formed(&role(name, &[], false)).unwrap_err();
            assert!(matches!(error, ServiceError::Conflict { code: "role_built_in", .. }), "{name}: {error}");
        }
        assert!(well_formed(&role("a b", &[], false)).is_err());
    }
}
