//! Each act's own preparation, by the room that it belongs to.

use super::super::{Service, ServiceError};
use super::Prepared;
use crate::act::Act;

impl Service {
    /// What an act would change and write down, as things are. Nothing is done. `half` is the hash of the half of an
    /// invitation that who asked for it has.
    pub(super) async fn prepare(&self, act: &Act, half: Option<[u8; 32]>) -> Result<Prepared, ServiceError> {
        match act {
            Act::UnfreezeCredential { tenant, credential } => self.prepare_unfreeze(*tenant, *credential).await,
            Act::ResumeScope { tenant, scope } => self.prepare_resume(*tenant, scope).await,
            Act::DeleteCredential { tenant, credential } => self.prepare_delete(*tenant, *credential).await,
            Act::EraseOwner { tenant, owner } => self.prepare_erase(*tenant, owner).await,
            Act::WidenCeiling { tenant, credential, ceiling } => {
                self.prepare_ceiling(*tenant, *credential, *ceiling).await
            }
            Act::MakeGrant { tenant, app, terms } => self.prepare_new_grant(*tenant, *app, terms).await,
            Act::ChangeGrant { tenant, app, grant, to } => self.prepare_grant(*tenant, *app, *grant, to).await,
            Act::ActivatePolicy { tenant, version } => self.prepare_policy(*tenant, *version).await,
            Act::CreateOperator { name, role, tenant } => self.prepare_operator(name, role, *tenant, half).await,
            Act::DestroyKek { tenant, version } => self.prepare_destroy_kek(*tenant, *version).await,
            Act::ChangeRole { tenant, operator, role } => self.prepare_role(*tenant, *operator, role).await,
            Act::ResetFactors { tenant, operator } => self.prepare_reset(*tenant, *operator, half).await,
            Act::DeleteTenant { tenant } => self.prepare_delete_tenant(*tenant).await,
            Act::SetRole { role } => self.prepare_set_role(role).await,
            Act::DestroyRoot { root } => self.prepare_destroy_root(*root).await,
        }
    }
}
