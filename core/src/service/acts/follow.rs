//! What follows from an act outside the store. All of it may be repeated.

use super::super::{Service, ServiceError};
use crate::act::Act;
use crate::store::Scope;

impl Service {
    /// Looks up anew what an act changes.
    pub(super) fn forget_act(&self, act: &Act) {
        match act {
            Act::UnfreezeCredential { tenant, credential }
            | Act::DeleteCredential { tenant, credential }
            | Act::WidenCeiling { tenant, credential, .. } => {
                self.forget(Some(*tenant), &Scope::Credential(*credential));
            }
            Act::ResumeScope { tenant, scope } => self.forget(*tenant, scope),
            Act::MakeGrant { app, .. } | Act::ChangeGrant { app, .. } => self.directory.forget_app(*app),
            Act::ActivatePolicy { tenant, .. } => self.directory.forget_policy(*tenant),
            Act::DeleteTenant { tenant } => self.forget_tenant(*tenant),
            Act::DestroyKek { tenant, version } => self.directory.forget_kek(*tenant, *version),
            Act::DestroyRoot { .. } => self.directory.forget_keks(),
            // Operators, roles and owners' stops are read at each request.
            Act::EraseOwner { .. }
            | Act::CreateOperator { .. }
            | Act::ChangeRole { .. }
            | Act::ResetFactors { .. }
            | Act::SetRole { .. } => {}
        }
    }

    /// What follows from an act that is done. `up_to` is the highest intent number that may not know of it.
    pub(super) async fn follow(&self, act: &Act, up_to: u64) -> Result<(), ServiceError> {
        self.forget_act(act);
        if let Act::DeleteCredential { credential, .. } = act {
            self.bar(Scope::Credential(*credential), up_to).await?;
            if let Err(error) = self.bury().await {
                tracing::warn!(%error, "a deleted credential's key is still in the token, and is destroyed later");
            }
        }
        if let Act::DeleteTenant { tenant } = act {
            self.bar(Scope::Tenant(*tenant), up_to).await?;
        }
        if let Act::DestroyKek { .. } | Act::DestroyRoot { .. } = act {
            self.forget_keks().await?;
        }
        if let Act::DestroyRoot { .. } = act
            && let Err(error) = self.bury_roots().await
        {
            tracing::warn!(%error, "a root key, or KEKs under it, are still there, and are destroyed later");
        }
        if let Act::DestroyKek { .. }
        | Act::DestroyRoot { .. }
        | Act::DeleteCredential { .. }
        | Act::DeleteTenant { .. } = act
        {
            self.engrave().await?;
        }
        Ok(())
    }

    /// What follows from an act's having been asked for.
    pub(super) async fn follow_asked(&self, act: &Act, up_to: u64) -> Result<(), ServiceError> {
        let scope = if let Act::DeleteCredential { credential, .. } = act {
            Scope::Credential(*credential)
        } else if let Act::EraseOwner { tenant, owner } = act {
            Scope::Owner(*tenant, owner.clone())
        } else if let Act::DeleteTenant { tenant } = act {
            Scope::Tenant(*tenant)
        } else {
            return Ok(());
        };
        self.forget_act(act);
        self.bar(scope, up_to).await
    }
}
