//! What operators may do: a permission is a resource and an action, a role is a set of permissions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in API, roles and audit entries.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            const fn index(self) -> u32 {
                let mut index = 0;
                $(if matches!(self, Self::$variant) { return index; } index = index.saturating_add(1);)*
                index
            }
        }
    };
}

words! {
    /// What an operator acts on.
    Resource {
        /// Tenants.
        Tenant = "tenant",
        /// Apps and what they authenticate with.
        App = "app",
        /// What apps may do.
        Grant = "grant",
        /// Credentials.
        Credential = "credential",
        /// Executions.
        Execution = "execution",
        /// Virtual keys.
        VirtualKey = "virtual-key",
        /// Owners as persons: their erasure.
        Owner = "owner",
        /// Stops wider than one credential, kill switches among them.
        Stop = "stop",
        /// Policies.
        Policy = "policy",
        /// The audit log.
        Audit = "audit",
        /// Operators and their factors.
        Operator = "operator",
        /// Roles.
        Role = "role",
        /// Other operators' logins.
        Login = "login",
        /// Acts that wait for a second operator or for their time.
        Approval = "approval",
        /// How the service is.
        Status = "status",
        /// Tenants' KEKs and their rotation.
        Kek = "kek",
        /// Backups.
        Backup = "backup",
        /// Incidents.
        Incident = "incident",
    }
}

words! {
    /// What an operator does to a resource.
    Action {
        /// Looks at it.
        Read = "read",
        /// Makes one.
        Create = "create",
        /// Changes one.
        Change = "change",
        /// Stops it: freezes, revokes.
        Stop = "stop",
        /// Lets it go on.
        Resume = "resume",
        /// Ends it for good.
        Delete = "delete",
        /// Approves what another asked for.
        Approve = "approve",
    }
}

/// One thing that an operator may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(pub Resource, pub Action);

impl Permission {
    /// Every permission.
    pub fn all() -> impl Iterator<Item = Self> {
        Resource::ALL.iter().flat_map(|resource| Action::ALL.iter().map(|action| Self(*resource, *action)))
    }

    const fn bit(self) -> u128 {
        // Each resource has a place for each of the seven actions; 18 resources fit, and a test counts.
        match 1_u128.checked_shl(self.0.index().saturating_mul(7).saturating_add(self.1.index())) {
            Some(bit) => bit,
            None => 0,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.as_str(), self.1.as_str())
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a permission is `<resource>.<action>`, such as `credential.stop`: see docs/roles.md")]
pub struct BadPermission;

impl FromStr for Permission {
    type Err = BadPermission;

    fn from_str(text: &str) -> Result<Self, BadPermission> {
        let (resource, action) = text.split_once('.').ok_or(BadPermission)?;
        let resource = Resource::ALL.iter().find(|known| known.as_str() == resource).ok_or(BadPermission)?;
        let action = Action::ALL.iter().find(|known| known.as_str() == action).ok_or(BadPermission)?;
        Ok(Self(*resource, *action))
    }
}

/// A set of permissions; written as a list of words.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u128);

impl Permissions {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether it is one of them.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether all of them are among `others`.
    pub const fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Each, in order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // Its length is written first, where it is stored.
        let words: Vec<String> = self.iter().map(|permission| permission.to_string()).collect();
        words.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        words.iter().map(|word| word.parse()).collect::<Result<Self, _>>().map_err(D::Error::custom)
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name, unique.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// Whether it shows only credentials and executions that need a look: a credential that is not active or not
    /// healthy, an execution that did not end with the venue's yes.
    pub flagged_only: bool,
}

/// The role that may do everything.
pub const ADMIN: &str = "admin";
/// The role that sees everything, stops, and approves.
pub const COMPLIANCE: &str = "compliance";
/// The role that sees how things stand.
pub const VIEWER: &str = "viewer";
/// The names of the roles that are built in.
pub const BUILT_IN: [&str; 3] = [ADMIN, COMPLIANCE, VIEWER];

impl Role {
    /// Whether it allows nothing that `other` does not.
    pub fn lies_in(&self, other: &Self) -> bool {
        self.permissions.within(other.permissions) && (self.flagged_only || !other.flagged_only)
    }

    /// The roles that are always there, and never change.
    pub fn built_in(name: &str) -> Option<Self> {
        let allowed: fn(Permission) -> bool = match name {
            ADMIN => |_| true,
            // Incidents are what compliance is there for.
            COMPLIANCE => |Permission(resource, action)| {
                resource == Resource::Incident || matches!(action, Action::Read | Action::Stop | Action::Approve)
            },
            VIEWER => |Permission(resource, action)| {
                let private = matches!(
                    resource,
                    Resource::Audit
                        | Resource::Operator
                        | Resource::Role
                        | Resource::Login
                        | Resource::Approval
                        | Resource::Incident
                );
                action == Action::Read && !private
            },
            _ => return None,
        };
        let permissions = Permission::all().filter(|permission| allowed(*permission)).collect();
        Some(Self { name: name.to_owned(), permissions, flagged_only: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_bit_and_a_word_of_its_own() {
        let all: Permissions = Permission::all().collect();
        assert_eq!(all.0.count_ones(), u32::try_from(Permission::all().count()).unwrap());
        for permission in Permission::all() {
            assert_eq!(permission.to_string().parse(), Ok(permission));
        }
        assert_eq!("credential".parse::<Permission>(), Err(BadPermission));
        assert_eq!("credential.steal".parse::<Permission>(), Err(BadPermission));
    }

    #[test]
    fn permissions_are_stored_and_read_again() {
        for name in BUILT_IN {
            let role = Role::built_in(name).unwrap();
            let stored = postcard::to_allocvec(&role).unwrap();
            assert_eq!(postcard::from_bytes(&stored), Ok(role));
        }
    }

    #[test]
    fn a_viewer_changes_nothing() {
        let viewer = Role::built_in(VIEWER).unwrap().permissions;
        assert!(viewer.iter().all(|Permission(_, action)| action == Action::Read));
        assert!(viewer.within(Role::built_in(COMPLIANCE).unwrap().permissions));
        assert_eq!(Role::built_in("owner"), None);
    }
}
