//! Wider ceilings: what the next version of a credential may be used for, beyond the present one.

use claviger_venues::Ceiling;

use super::acts::Prepared;
use super::stops::{credential_draft, own_name};
use super::{Service, ServiceError, birth};
use crate::credential::{Credential, State};
use crate::envelope::Mode;
use crate::id::{CredentialId, TenantId};
use crate::store::{Change, Expect, Key, Row, Versioned};

impl Service {
    /// Allowing the next rotation of a credential to enroll a key with a wider ceiling.
    pub(super) async fn prepare_ceiling(
        &self,
        tenant: TenantId,
        id: CredentialId,
        ceiling: Ceiling,
    ) -> Result<Prepared, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let row = &known.row;
        if row.state == State::Revoked {
            return Err(ServiceError::conflict("revoked", "a revoked credential is not rotated: enroll a new one"));
        }
        if row.mode == Mode::HsmBorn {
            return Err(birth::not_rotated());
        }
        if ceiling.lies_in(row.ceiling) {
            let text = "the ceiling is no wider than the present one: rotate with it at once";
            return Err(ServiceError::conflict("ceiling_not_wider", text));
        }
        let expect = self.allowance(id).await?.map_or(Expect::Absent, |(version, _)| Expect::Version(version));
        let (name, old, new) = (own_name(row), words(row.ceiling), words(ceiling));
        Ok(Prepared {
            lines: vec![format!(
                "the next rotation of credential {name} at {} may enroll a key for {new} instead of {old}",
                row.venue
            )],
            name,
            blast_radius: self.hangs_on(row).await?,
            seen: vec![
                ("label", row.label.clone()),
                ("owner", row.owner.clone()),
                ("version", row.version.to_string()),
                ("ceiling", old),
            ],
            etag: Some(known.version),
            changes: vec![
                Change::still(Key::Credential(tenant, id), known.version),
                Change { key: Key::Allowance(id), expect, row: Some(Row::Allowance(ceiling)) },
            ],
            entries: vec![credential_draft("credential.widen", row).detail("ceiling", new)],
            ..Prepared::default()
        })
    }

    /// The ceiling of a credential's next version, and what the rotation does to the allowance: it is used up by
    /// whichever rotation comes next.
    pub(super) async fn next_ceiling(
        &self,
        row: &Credential,
        wanted: Option<Ceiling>,
    ) -> Result<(Ceiling, Change), ServiceError> {
        let key = Key::Allowance(row.id);
        let wanted = wanted.unwrap_or(row.ceiling);
        if wanted.lies_in(row.ceiling) {
            return Ok((wanted, Change::remove(key)));
        }
        match self.allowance(row.id).await? {
            Some((version, allowed)) if wanted.lies_in(allowed) => {
                Ok((wanted, Change { key, expect: Expect::Version(version), row: None }))
            }
            _ => {
                let text = "a wider ceiling takes a second operator: ask for it at .../ceiling first; the old key stays \
                            in use";
                Err(ServiceError::forbidden("ceiling_not_allowed", text))
            }
        }
    }

    async fn allowance(&self, id: CredentialId) -> Result<Option<(u64, Ceiling)>, ServiceError> {
        Ok(match self.store.get(Key::Allowance(id)).await? {
            Some(Versioned { version, row: Row::Allowance(ceiling) }) => Some((version, ceiling)),
            _ => None,
        })
    }
}

fn words(ceiling: Ceiling) -> String {
    let products: Vec<&str> = ceiling.products.iter().map(claviger_venues::Product::as_str).collect();
    match ceiling.class {
        claviger_venues::CeilingClass::Read => "reading".to_owned(),
        claviger_venues::CeilingClass::Trade => format!("trading {}", products.join(" ")),
    }
}
