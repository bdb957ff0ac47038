//! Tenants.

use super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::id::TenantId;
use crate::identity::Tenant;
use crate::store::{Change, Key, Order, Page, Range, Row, StoreError, Versioned};

pub(super) fn no_random(_: crate::identity::NoRandom) -> ServiceError {
    ServiceError::unavailable(Part::Load, "the operating system gives no random numbers")
}

pub(super) fn named(what: &'static str, name: &str) -> Result<(), ServiceError> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if fits {
        Ok(())
    } else {
        Err(ServiceError::invalid("name_invalid", format!("the name of {what} is 1 to 64 of a-z A-Z 0-9 . _ -")))
    }
}

impl Service {
    /// Makes a tenant, with the first version of its KEK.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_tenant(&self, name: &str, origin: &Origin) -> Result<Tenant, ServiceError> {
        named("a tenant", name)?;
        let id = TenantId::new(self.clock());
        let kek = self.keeper.new_kek(id, 1).await?;
        let tenant = Tenant { id, name: name.to_owned(), kek_version: 1, created_ms: self.clock.unix_ms() };
        let entry = origin
            .draft("tenant.create", EntryOutcome::Allowed)
            .tenant(id.to_string())
            .on("tenant", id.to_string())
            .detail("name", name);
        let changes = vec![
            Change::create(Key::TenantName(name.to_owned()), Row::TenantRef(id)),
            Change::create(Key::Tenant(id), Row::Tenant(tenant.clone())),
            Change::create(Key::Kek(id, 1), Row::Kek(kek)),
        ];
        match self.store.put_cas(changes, vec![entry]).await {
            Ok(_) => Ok(tenant),
            Err(StoreError::Conflict(_)) => Err(ServiceError::conflict("name_taken", "there is a tenant of this name")),
            Err(error) => Err(error.into()),
        }
    }

    /// The tenant of this id or name.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn tenant(&self, id_or_name: &str) -> Result<Tenant, ServiceError> {
        let id = match id_or_name.parse::<TenantId>() {
            Ok(id) => id,
            Err(_) => match self.store.get(Key::TenantName(id_or_name.to_owned())).await? {
                Some(Versioned { row: Row::TenantRef(id), .. }) => id,
                _ => return Err(ServiceError::NotFound("tenant")),
            },
        };
        match self.store.get(Key::Tenant(id)).await? {
            Some(Versioned { row: Row::Tenant(tenant), .. }) => Ok(tenant),
            _ => Err(ServiceError::NotFound("tenant")),
        }
    }

    /// A page of all tenants.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn tenants(&self, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Tenant>, ServiceError> {
        let page = self.store.scan(Range::Tenants, after, limit).await?;
        Ok(picked(page, |row| if let Row::Tenant(tenant) = row { Some(tenant) } else { None }))
    }
}

impl Service {
    /// A page of a range from either end.
    pub(super) async fn page_of(
        &self,
        range: Range,
        order: Order,
        cursor: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Versioned>, StoreError> {
        match order {
            Order::Oldest => self.store.scan(range, cursor, limit).await,
            Order::Newest => self.store.scan_back(range, cursor, limit).await,
        }
    }
}

pub(super) fn picked<T>(page: Page<Versioned>, pick: impl Fn(Row) -> Option<T>) -> Page<T> {
    Page { rows: page.rows.into_iter().filter_map(|row| pick(row.row)).collect(), next: page.next }
}
