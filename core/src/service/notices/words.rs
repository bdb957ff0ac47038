//! The words of notices: a tenant's own, or those that are built in.

use super::super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::notice::{Template, Topic};
use crate::store::{Change, Key, Row, StoreError, Versioned};

impl Service {
    /// What a tenant's owners are told, and whether these are words of its own.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn template(&self, tenant: TenantId, topic: Topic) -> Result<(Template, bool), ServiceError> {
        Ok(match self.own_words(tenant, topic).await? {
            Some(own) => (own, true),
            None => (topic.template(), false),
        })
    }

    /// Gives a notice words of a tenant's own.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] says what is wrong with them; nothing was changed.
    pub async fn set_template(
        &self,
        tenant: TenantId,
        topic: Topic,
        template: Template,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        template
            .check(topic)
            .map_err(|error| ServiceError::invalid("template_invalid", format!("{error}; nothing was changed")))?;
        let change = Change::set(Key::Template(tenant, topic), Row::Template(template));
        self.store.put_cas(vec![change], vec![entry("template.set", tenant, topic, origin)]).await?;
        Ok(())
    }

    /// Lets a notice have the words again that are built in.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn reset_template(&self, tenant: TenantId, topic: Topic, origin: &Origin) -> Result<(), ServiceError> {
        let change = Change::remove(Key::Template(tenant, topic));
        self.store.put_cas(vec![change], vec![entry("template.reset", tenant, topic, origin)]).await?;
        Ok(())
    }

    async fn own_words(&self, tenant: TenantId, topic: Topic) -> Result<Option<Template>, StoreError> {
        Ok(match self.store.get(Key::Template(tenant, topic)).await? {
            Some(Versioned { row: Row::Template(own), .. }) => Some(own),
            _ => None,
        })
    }
}

fn entry(action: &str, tenant: TenantId, topic: Topic, origin: &Origin) -> Draft {
    origin.draft(action, EntryOutcome::Allowed).tenant(tenant.to_string()).on("template", topic.as_str())
}
