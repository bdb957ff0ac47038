//! Operators: persons with roles, what they prove themselves with, and their logins.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::role::{Permission, Permissions};
use crate::audit::Guard;
use crate::id::{LoginId, OperatorId, PasskeyId, TenantId};

/// An operator: a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Their id.
    pub id: OperatorId,
    /// Their login name.
    pub name: String,
    /// The tenant that they are bound to; none for all.
    pub tenant: Option<TenantId>,
    /// The name of their role.
    pub role: String,
    /// What they prove themselves with.
    pub factors: Factors,
    /// When these were changed, other than by using one up, or the operator was given a role that allows more,
    /// milliseconds since the Unix epoch; 0 for those that an operator of `init` set first.
    pub factors_ms: u64,
    /// Milliseconds since the Unix epoch; 0 for one that `init` made.
    pub created_ms: u64,
}

/// What an operator proves themselves with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// The password.
    pub password: Option<PasswordHash>,
    /// One-time codes.
    pub totp: Option<Totp>,
    /// The sealed seed of one-time codes that are not confirmed yet.
    pub totp_pending: Option<Vec<u8>>,
    /// Hashes of backup codes that were not used: each stands for one one-time code.
    pub backup_codes: Vec<[u8; 32]>,
    /// Hashes of break-glass codes that were not used: each stands for a whole login. They need no token.
    pub break_glass: Vec<[u8; 32]>,
    /// Passkeys.
    pub passkeys: Vec<Passkey>,
    /// Devices that a login was made from.
    pub devices: Vec<Device>,
    /// What lets the operator set the first factors, or set them anew.
    pub invitation: Option<Invitation>,
}

impl Factors {
    /// Whether there is more than a password: one-time codes or a passkey.
    pub fn has_second(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

/// A password as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash {
    /// Salt of the hash.
    pub salt: [u8; 16],
    /// HMAC by the token's pepper over the argon2id output.
    pub hash: [u8; 32],
}

/// One-time codes (RFC 6238): the seed is opened in the keeper alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// The time step that was used last: no code is good twice.
    pub last_step: u64,
}

/// A passkey (WebAuthn Level 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its id here.
    pub id: PasskeyId,
    /// A name for people.
    pub label: String,
    /// The credential's public half, id and counter, as the WebAuthn library writes them.
    pub credential: String,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last used, milliseconds since the Unix epoch; 0 for never.
    pub used_ms: u64,
}

/// A device that a login was made from, recognised by a secret that it keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The secret's hash.
    pub hash: [u8; 32],
    /// What it called itself.
    pub label: String,
    /// When a login was last made from it, milliseconds since the Unix epoch.
    pub seen_ms: u64,
}

/// What lets an operator set factors: a secret that is shown once and used once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its hash.
    pub hash: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// What was shown for a login. What its operator sets up later is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginKind {
    /// A password alone.
    Password,
    /// A passkey, which stands for two factors.
    Passkey,
    /// A break-glass code, which stands for a whole login.
    BreakGlass,
    /// A password, and a one-time or backup code.
    PasswordAndCode,
}

impl LoginKind {
    /// The word used in API and audit entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::BreakGlass => "break-glass",
            Self::PasswordAndCode => "password+code",
        }
    }

    /// Whether more than a password was shown.
    pub fn is_full(self) -> bool {
        self != Self::Password
    }

    /// Whether a proof of the kind `by` renews one of this kind: it shows no less. `has_second` says whether the operator
    /// has a second factor to show.
    pub fn renewed_by(self, by: Self, has_second: bool) -> bool {
        match self {
            Self::Passkey => by == Self::Passkey,
            Self::Password | Self::BreakGlass | Self::PasswordAndCode => by.is_full() || !has_second,
        }
    }

    /// What a login of this kind has shown after a proof of the kind `by`.
    #[must_use]
    pub fn after(self, by: Self) -> Self {
        if self == Self::Password { by } else { self }
    }
}

/// One login of an operator. Its bearer is stored as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Its id.
    pub id: LoginId,
    /// Whose it is.
    pub operator: OperatorId,
    /// The operator's name, for audit entries.
    pub name: String,
    /// What was shown for it.
    pub kind: LoginKind,
    /// Where it was made from.
    pub address: String,
    /// What the device called itself.
    pub device: String,
    /// When the operator last proved who they are, milliseconds since the Unix epoch.
    pub proven_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// A login in the list of its operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginMark {
    /// The login.
    pub id: LoginId,
    /// The hash of its bearer, by which it is found.
    pub hash: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// How long a proof counts, milliseconds: acts that ask for one want it to be fresh.
const PROOF_MS: u64 = 5 * 60 * 1_000;

/// An authenticated operator.
#[derive(Clone, Debug)]
pub struct OperatorPrincipal {
    /// The operator.
    pub operator: OperatorId,
    /// Their name.
    pub name: String,
    /// The tenant that they are bound to; none for all.
    pub tenant: Option<TenantId>,
    /// What their role allows.
    pub permissions: Permissions,
    /// Whether the role shows only what needs a look.
    pub flagged_only: bool,
    /// The login used.
    pub login: LoginId,
    /// What was shown for it.
    pub kind: LoginKind,
    /// Whether the operator has a second factor, shown for this login or not.
    pub has_second: bool,
    /// What the login's acts depend on.
    pub guard: Guard,
    /// When they last proved who they are, milliseconds since the Unix epoch.
    pub proven_ms: u64,
    /// Where the request came from.
    pub address: IpAddr,
}

impl OperatorPrincipal {
    /// Whether the role allows it.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Whether they proved who they are within the last five minutes.
    pub fn proven(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.proven_ms) <= PROOF_MS
    }

    /// Whether the operator may know of a tenant.
    pub fn reaches(&self, tenant: TenantId) -> bool {
        self.tenant.is_none_or(|own| own == tenant)
    }
}
