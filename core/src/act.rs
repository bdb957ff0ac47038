//! Acts that cannot simply be taken back: how dangerous each is, who may ask for it, and whether it takes a second
//! operator.
//!
//! Stopping is cheap and is no act here. What resumes, widens or ends something is planned first, asked for with the
//! plan's digest, and where it says so approved by somebody else.
//!
//! A new act is a variant of [`Act`], a [`Rule`] in [`RULES`], and the function of its room that prepares the changes
//! and entries, called by [`crate::service::Service`] in `service/acts/prepare.rs`.

mod approval;
mod plan;

use claviger_venues::Ceiling;
use serde::{Deserialize, Serialize};

use crate::id::{AppId, CredentialId, GrantId, OperatorId, TenantId};
use crate::identity::Terms;
use crate::identity::role::{Action, Permission, Resource, Role};
use crate::store::Scope;

pub use approval::{Approval, ApprovalState, Decision, Person};
pub use plan::{PLAN_MS, Plan};

pub(crate) use plan::{Seen, digest, window};

/// An act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Lets a frozen or reduce-only credential be used again.
    UnfreezeCredential {
        /// The tenant.
        tenant: TenantId,
        /// The credential.
        credential: CredentialId,
    },
    /// Lets a scope go on that is stopped as a whole.
    ResumeScope {
        /// The tenant that the scope lies in; none for one that spans tenants.
        tenant: Option<TenantId>,
        /// The scope.
        scope: Scope,
    },
    /// Deletes a credential, for good.
    DeleteCredential {
        /// The tenant.
        tenant: TenantId,
        /// The credential.
        credential: CredentialId,
    },
    /// Erases an owner, for good.
    EraseOwner {
        /// The tenant.
        tenant: TenantId,
        /// The tenant's own id for the person; empty once the act is closed.
        owner: String,
    },
    /// Lets the next rotation of a credential enroll a key with a wider ceiling.
    WidenCeiling {
        /// The tenant.
        tenant: TenantId,
        /// The credential.
        credential: CredentialId,
        /// The most that the next version may be used for.
        ceiling: Ceiling,
    },
    /// Gives an app a grant. It takes a second operator where the tenant's policy says so.
    MakeGrant {
        /// The tenant.
        tenant: TenantId,
        /// The app.
        app: AppId,
        /// What it allows.
        terms: Box<Terms>,
    },
    /// Changes what an app may do. Only what widens the grant takes a second operator.
    ChangeGrant {
        /// The tenant.
        tenant: TenantId,
        /// The app.
        app: AppId,
        /// The grant.
        grant: GrantId,
        /// What it allows from then on.
        to: Box<Terms>,
    },
    /// Has a version of a tenant's policy decide. Only one that may let more through takes a second operator.
    ActivatePolicy {
        /// The tenant.
        tenant: TenantId,
        /// The version.
        version: u32,
    },
    /// Destroys a version of a tenant's KEK, under which nothing is sealed any more.
    DestroyKek {
        /// The tenant.
        tenant: TenantId,
        /// The version.
        version: u32,
    },
    /// Makes an operator, who then sets factors by an invitation.
    CreateOperator {
        /// The login name.
        name: String,
        /// The name of the role.
        role: String,
        /// The tenant that they are bound to; none for all.
        tenant: Option<TenantId>,
    },
    /// Gives an operator another role. Only one that allows more takes a second operator.
    ChangeRole {
        /// The tenant that the operator is bound to; none for all.
        tenant: Option<TenantId>,
        /// The operator.
        operator: OperatorId,
        /// The name of the role.
        role: String,
    },
    /// Has an operator set all factors anew, by an invitation.
    ResetFactors {
        /// The tenant that the operator is bound to; none for all.
        tenant: Option<TenantId>,
        /// The operator.
        operator: OperatorId,
    },
    /// Makes or changes a role. Only what allows more takes a second operator.
    SetRole {
        /// The role as it is from then on.
        role: Role,
    },
    /// Destroys a root key of the token, under which nothing is sealed any more.
    DestroyRoot {
        /// Its number.
        root: u32,
    },
    /// Deletes a tenant with everything that is its, for good.
    DeleteTenant {
        /// The tenant.
        tenant: TenantId,
    },
}

/// How bad it is if it was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// D2: work stops or opens that should not.
    Disruptive,
    /// D3: it cannot be undone.
    Irreversible,
}

impl Danger {
    /// The word used in API and documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disruptive => "D2",
            Self::Irreversible => "D3",
        }
    }
}

/// When an act takes a second operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// Always.
    Always,
    /// When it allows more than before.
    WhenWider,
}

/// What a kind of act takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What API and audit log call it.
    pub tag: &'static str,
    /// How bad it is if it was wrong.
    pub danger: Danger,
    /// What the role of whoever asks must allow.
    pub permission: Permission,
    /// When it takes a second operator.
    pub second: Second,
    /// Whether it is done only some time after it was approved.
    pub scheduled: bool,
    /// Whether a break-glass login does it without the second operator, who then reviews it.
    pub break_glass: bool,
}

impl Rule {
    const fn new(tag: &'static str, resource: Resource, action: Action, second: Second) -> Self {
        let permission = Permission(resource, action);
        Self { tag, danger: Danger::Disruptive, permission, second, scheduled: false, break_glass: false }
    }

    const fn destroys(self) -> Self {
        Self { danger: Danger::Irreversible, scheduled: true, ..self }
    }

    const fn in_emergencies(self) -> Self {
        Self { break_glass: true, ..self }
    }
}

const UNFREEZE: Rule =
    Rule::new("credential.unfreeze", Resource::Credential, Action::Resume, Second::Always).in_emergencies();
const RESUME: Rule = Rule::new("scope.resume", Resource::Stop, Action::Resume, Second::Always).in_emergencies();
const DELETE: Rule = Rule::new("credential.delete", Resource::Credential, Action::Delete, Second::Always).destroys();
const ERASE: Rule = Rule::new("owner.erase", Resource::Owner, Action::Delete, Second::Always).destroys();
const WIDEN: Rule = Rule::new("credential.widen", Resource::Credential, Action::Change, Second::Always);
const MAKE_GRANT: Rule = Rule::new("grant.create", Resource::Grant, Action::Create, Second::WhenWider);
const GRANT: Rule = Rule::new("grant.change", Resource::Grant, Action::Change, Second::WhenWider);
const POLICY: Rule = Rule::new("policy.activate", Resource::Policy, Action::Change, Second::WhenWider);
const DESTROY_KEK: Rule = Rule::new("kek.destroy", Resource::Kek, Action::Delete, Second::Always).destroys();
const OPERATOR: Rule = Rule::new("operator.create", Resource::Operator, Action::Create, Second::Always);
const CHANGE_ROLE: Rule = Rule::new("operator.role", Resource::Operator, Action::Change, Second::WhenWider);
const RESET: Rule = Rule::new("operator.reset", Resource::Operator, Action::Change, Second::Always);
const SET_ROLE: Rule = Rule::new("role.set", Resource::Role, Action::Change, Second::WhenWider);
const DESTROY_ROOT: Rule = Rule::new("root.destroy", Resource::Kek, Action::Delete, Second::Always).destroys();

const DELETE_TENANT: Rule = Rule::new("tenant.delete", Resource::Tenant, Action::Delete, Second::Always).destroys();

/// Every kind of act. The table in `docs/approvals.md` is held against this one by a test.
pub const RULES: &[Rule] = &[
    UNFREEZE,
    RESUME,
    DELETE,
    ERASE,
    WIDEN,
    MAKE_GRANT,
    GRANT,
    POLICY,
    DESTROY_KEK,
    OPERATOR,
    CHANGE_ROLE,
    RESET,
    SET_ROLE,
    DESTROY_ROOT,
    DELETE_TENANT,
];

impl Act {
    /// What it takes.
    pub const fn rule(&self) -> Rule {
        match self {
            Self::UnfreezeCredential { .. } => UNFREEZE,
            Self::ResumeScope { .. } => RESUME,
            Self::DeleteCredential { .. } => DELETE,
            Self::EraseOwner { .. } => ERASE,
            Self::WidenCeiling { .. } => WIDEN,
            Self::MakeGrant { .. } => MAKE_GRANT,
            Self::ChangeGrant { .. } => GRANT,
            Self::ActivatePolicy { .. } => POLICY,
            Self::DestroyKek { .. } => DESTROY_KEK,
            Self::CreateOperator { .. } => OPERATOR,
            Self::ChangeRole { .. } => CHANGE_ROLE,
            Self::ResetFactors { .. } => RESET,
            Self::SetRole { .. } => SET_ROLE,
            Self::DestroyRoot { .. } => DESTROY_ROOT,
            Self::DeleteTenant { .. } => DELETE_TENANT,
        }
    }

    /// How bad it is if it was wrong.
    pub const fn danger(&self) -> Danger {
        self.rule().danger
    }

    /// The tenant that it stays within; none for one that only operators of all tenants ask for and approve.
    pub const fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::UnfreezeCredential { tenant, .. }
            | Self::DeleteCredential { tenant, .. }
            | Self::EraseOwner { tenant, .. }
            | Self::WidenCeiling { tenant, .. }
            | Self::MakeGrant { tenant, .. }
            | Self::ChangeGrant { tenant, .. }
            | Self::DestroyKek { tenant, .. }
            | Self::ActivatePolicy { tenant, .. } => Some(*tenant),
            Self::ResumeScope { tenant, .. }
            | Self::CreateOperator { tenant, .. }
            | Self::ChangeRole { tenant, .. }
            | Self::ResetFactors { tenant, .. } => *tenant,
            // Who is bound to a tenant goes with it, and does not decide.
            Self::SetRole { .. } | Self::DestroyRoot { .. } | Self::DeleteTenant { .. } => None,
        }
    }

    /// The owner whom it is about, as the tenant calls the person.
    pub fn owner(&self) -> Option<(TenantId, &str)> {
        if let Self::EraseOwner { tenant, owner } | Self::ResumeScope { scope: Scope::Owner(tenant, owner), .. } = self
        {
            Some((*tenant, owner))
        } else {
            None
        }
    }

    /// The same without the owner's name.
    pub(crate) fn unnamed(mut self) -> Self {
        if let Self::EraseOwner { owner, .. } | Self::ResumeScope { scope: Scope::Owner(_, owner), .. } = &mut self {
            owner.clear();
        }
        self
    }
}
