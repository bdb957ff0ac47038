//! What lists show.

use claviger_core::id::TenantId;
use claviger_core::store::{Execution, Key, Range, Row};

use super::Model;
use crate::store::verbs::Failure;

impl Model {
    pub(super) fn list(&self, range: &Range) -> Result<Vec<(u64, Row)>, Failure> {
        let mut rows = Vec::new();
        for (key, row) in &self.rows {
            let within = match (range, key) {
                (Range::Tenants, Key::Tenant(_))
                | (Range::Operators, Key::Operator(_))
                | (Range::Logins, Key::Login(_))
                | (Range::Jtis, Key::Jti(_))
                | (Range::Stopped, Key::Stopped(_)) => true,
                (Range::Keks(of), Key::Kek(tenant, _))
                | (Range::Apps(of), Key::TenantApp(tenant, _))
                | (Range::Credentials(of), Key::Credential(tenant, _)) => of == tenant,
                (Range::Grants(of), Key::Grant(app, _)) => of == app,
                _ => false,
            };
            match key {
                _ if !within => {}
                Key::TenantApp(_, app) => rows.push(self.rows.get(&Key::App(*app)).cloned().ok_or(Failure::Corrupt)?),
                _ => rows.push(row.clone()),
            }
        }
        Ok(rows)
    }

    pub(super) fn executions_of(&self, tenant: TenantId) -> Vec<Execution> {
        self.executions.values().rev().filter(|row| row.scopes.tenant == tenant).cloned().collect()
    }
}

/// A list in pages; an empty one has one page.
pub(super) fn paged<T: Clone>(rows: &[T], limit: usize) -> Vec<Vec<T>> {
    let pages: Vec<Vec<T>> = rows.chunks(limit).map(<[T]>::to_vec).collect();
    if pages.is_empty() { vec![vec![]] } else { pages }
}
