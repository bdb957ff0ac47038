//! Letters: written when they are sent, and counted when it is known what became of them.

use std::collections::BTreeMap;

use super::super::{Service, ServiceError};
use crate::credential::Credential;
use crate::id::{NoticeId, TenantId};
use crate::notice::{About, Address, Delivery, Notice, Queue, Recipient, Rendered, Stage, Template, Told};
use crate::store::{Change, Expect, Key, Range, Row, StoreError, Versioned};

/// How often counts are tried anew that somebody else has changed meanwhile.
const TRIES: usize = 20;

/// A letter to one owner.
#[derive(Debug)]
pub struct Letter {
    /// Who gets it.
    pub to: Address,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same however often it is sent (RFC 5322 section 3.6.4).
    pub message_id: String,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The relay has it.
    Sent,
    /// It is not known, or not for now: it is sent again.
    Later,
    /// It is refused for good; why.
    Failed(String),
    /// There is nobody to be told any more.
    Gone,
}

impl Service {
    /// Letters that are due, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn due_letters(&self, limit: usize) -> Result<Vec<Delivery>, ServiceError> {
        let now = self.clock.unix_ms();
        let rows = self.store.scan(Range::Deliveries(Queue::Mail), None, limit).await?.rows.into_iter();
        let letters = rows.filter_map(|found| if let Row::Delivery(letter) = found.row { Some(letter) } else { None });
        Ok(letters.take_while(|letter| letter.at_ms <= now).collect())
    }

    /// Writes a letter; `None` when there is nobody to be told any more. Its address is open from here on, so it is sent
    /// at once.
    ///
    /// # Errors
    /// [`ServiceError`]; the letter waits.
    pub async fn letter(&self, delivery: &Delivery) -> Result<Option<Letter>, ServiceError> {
        let Some((tenant, id)) = delivery.credential else { return Ok(None) };
        let Some((_, notice)) = self.notice(delivery.notice).await? else { return Ok(None) };
        let found = self.store.get(Key::Credential(tenant, id)).await?;
        let Some(Versioned { row: Row::Credential(row), .. }) = found else { return Ok(None) };
        let Some(sealed) = self.addressed(&notice, id).await? else { return Ok(None) };
        let to = self.opened_contact(tenant, id, sealed).await?;
        let (words, _) = self.template(tenant, notice.topic).await?;
        let Rendered { subject, text } = self.rendered(tenant, &notice, &row, &words).await?;
        Ok(Some(Letter { to, subject, text, message_id: self.message_id(delivery.notice, delivery.to) }))
    }

    async fn rendered(
        &self,
        tenant: TenantId,
        notice: &Notice,
        row: &Credential,
        words: &Template,
    ) -> Result<Rendered, ServiceError> {
        let name = match self.store.get(Key::Tenant(tenant)).await? {
            Some(Versioned { row: Row::Tenant(tenant), .. }) => tenant.name,
            _ => return Err(ServiceError::NotFound("tenant")),
        };
        let (id, venue) = (row.id.to_string(), row.venue.as_str());
        let value = |wanted: &str| match wanted {
            "tenant" => Some(name.as_str()),
            "owner" => Some(row.owner.as_str()),
            "credential" => Some(id.as_str()),
            "label" => Some(row.label.as_str()),
            "venue" => Some(venue),
            other => notice.details.iter().find(|(name, _)| name == other).map(|(_, value)| value.as_str()),
        };
        // Words were looked at when they came; those that pass no more are no reason to tell nobody.
        words.render(value).or_else(|_| notice.topic.template().render(value)).map_err(|error| {
            ServiceError::from(StoreError::Corrupt(format!("the words of {}: {error}", notice.topic.as_str())))
        })
    }

    /// The identity of a letter: made of what never changes.
    fn message_id(&self, notice: NoticeId, to: Recipient) -> String {
        let log = self.origin.strip_prefix("claviger/").unwrap_or(&self.origin);
        format!("<{notice}.{to}@{log}.claviger>")
    }

    /// Writes down what became of letters, all or none. It is durable when this answers; repeating it is harmless.
    ///
    /// # Errors
    /// [`ServiceError`]; they are sent again.
    pub async fn settle_letters(&self, done: &[(Delivery, Fate)]) -> Result<(), ServiceError> {
        for _ in 0..TRIES {
            let changes = self.settled(done).await?;
            match self.store.put_cas(changes, Vec::new()).await {
                Err(StoreError::Conflict(_)) => {}
                stored => return stored.map(drop).map_err(Into::into),
            }
        }
        Err(ServiceError::Changed)
    }

    async fn settled(&self, done: &[(Delivery, Fate)]) -> Result<Vec<Change>, ServiceError> {
        let mut of_notice: BTreeMap<NoticeId, Vec<&(Delivery, Fate)>> = BTreeMap::new();
        for settled in done {
            of_notice.entry(settled.0.notice).or_default().push(settled);
        }
        let (mut changes, now) = (Vec::new(), self.clock.unix_ms());
        for (id, done) in of_notice {
            let mut notice = self.notice(id).await?;
            for (letter, fate) in done {
                // What is not there was written down already.
                let Some(Versioned { version, .. }) = self.store.get(letter.key()).await? else { continue };
                changes.push(Change { key: letter.key(), expect: Expect::Version(version), row: None });
                let again = letter.again(now).filter(|_| *fate == Fate::Later);
                if let Some(again) = again {
                    changes.push(Change::create(again.key(), Row::Delivery(again)));
                } else if let Some((_, notice)) = &mut notice {
                    changes.extend(counted(notice, letter, fate));
                }
            }
            let Some((version, mut notice)) = notice else { continue };
            if notice.stage == Stage::Out && notice.count.waiting == 0 {
                notice.stage = Stage::Clearing(None);
                let tend = Delivery::new(Queue::Tend, id, Recipient::NOBODY, now);
                changes.push(Change::set(tend.key(), Row::Delivery(tend)));
            }
            changes.push(Change::replace(Key::Notice(id), version, Row::Notice(Box::new(notice))));
        }
        Ok(changes)
    }
}

/// Counts a letter that is not sent again. Why one has failed is kept for those who tell its owner otherwise.
fn counted(notice: &mut Notice, letter: &Delivery, fate: &Fate) -> Option<Change> {
    let count = &mut notice.count;
    count.waiting = count.waiting.saturating_sub(1);
    let (counter, why) = match fate {
        Fate::Sent => {
            count.sent = count.sent.saturating_add(1);
            return None;
        }
        // What is said of one credential is nobody's business once that is gone; what an incident touched was somebody's.
        Fate::Gone if matches!(notice.about, About::Credential(..)) => return None,
        Fate::Gone => (&mut count.unreached, "the credential or its contact address is gone".to_owned()),
        Fate::Failed(why) => (&mut count.failed, why.clone()),
        Fate::Later => (&mut count.failed, "it was tried for three days".to_owned()),
    };
    *counter = counter.saturating_add(1);
    let (_, credential) = letter.credential?;
    let told = Told { to: letter.to, credential, failed: Some(why) };
    Some(Change::set(Key::Told(notice.id, letter.to), Row::Told(told)))
}
