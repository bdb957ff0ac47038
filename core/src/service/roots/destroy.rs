//! The end of a root key: it is marked, its KEKs leave the store page by page, and then the key leaves the token.

use std::collections::BTreeMap;

use super::super::acts::Prepared;
use super::super::keks::{Steer, kek_of};
use super::super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::keeper::message::Refused;
use crate::keeper::{KeeperError, KekOrigin, KekRow};
use crate::rotation::RotationState;
use crate::store::{Change, Expect, Key, Range, Row, StoreError, Versioned};

/// KEKs that are looked at in one read, and those under the root key removed in one commit.
const AT_ONCE: usize = 256;

impl Service {
    /// Destroying a root key when others agreed to it: nothing is under it any more.
    pub(in crate::service) async fn prepare_destroy_root(&self, number: u32) -> Result<Prepared, ServiceError> {
        let numbers = self.keeper.roots().await?;
        if !numbers.contains(&number) {
            return Err(ServiceError::NotFound("root key"));
        }
        if numbers.last() == Some(&number) {
            let text = "new KEKs are wrapped by this root key: rotate it first; nothing was changed";
            return Err(ServiceError::conflict("root_newest", text));
        }
        let under = self.under_roots().await?.remove(&number).unwrap_or_default();
        if under.rows > 0 || under.tenants > 0 {
            let text = format!(
                "{} rows are sealed under it, and {} tenants' newest KEKs are: rotate, or resume the rotation; nothing \
                 was changed",
                under.rows, under.tenants
            );
            return Err(ServiceError::conflict("root_in_use", text));
        }
        // What cannot be undone rests on a count of the rows, not on the list alone.
        let row = self.root_row().await?;
        if row.is_none_or(|(_, row)| row.sum.state != RotationState::Done || row.sum.to <= number) {
            let text = "no rotation has ended that counted what is left under it: resume it; nothing was changed";
            return Err(ServiceError::conflict("root_uncounted", text));
        }
        let seen = under.keks.iter().map(|(version, kek)| format!("{}/{}@{version}", kek.tenant, kek.version));
        let entry = Draft::new("root.destroy", EntryOutcome::Allowed)
            .on("root", number.to_string())
            .detail("keks", under.keks.len().to_string());
        Ok(Prepared {
            name: format!("root/{number}"),
            lines: vec![
                "the root key is gone for good from the token, and with it every KEK that it wrapped".to_owned(),
                "backups and copies that hold rows under these open no more".to_owned(),
            ],
            blast_radius: BTreeMap::from([
                ("keks".to_owned(), u64::try_from(under.keks.len()).unwrap_or(u64::MAX)),
                ("rows".to_owned(), 0),
            ]),
            seen: vec![("keks", seen.collect::<Vec<_>>().join(" "))],
            changes: vec![Change::set(Key::RetiredRoot(number), Row::RetiringRoot(number))],
            entries: vec![entry],
            ..Prepared::default()
        })
    }

    /// Goes on with root keys that are to be destroyed: removes the KEKs under them, and has the token destroy those that
    /// nothing hangs on any more. The keeper agrees once it has used nothing under them for long.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn bury_roots(&self) -> Result<(), ServiceError> {
        let origin = Origin::system(self.clock());
        for Versioned { version, row } in self.store.all(Range::RetiredRoots, Some).await? {
            if let Row::RetiringRoot(number) = row {
                self.empty_root(number, version, &origin).await?;
            } else if let Row::RetiredRoot(number) = row {
                self.bury_root(number, &origin).await?;
            }
        }
        Ok(())
    }

    /// Removes the KEKs under a root key, a page in one commit, and notes it when none is left.
    async fn empty_root(&self, number: u32, mark: u64, origin: &Origin) -> Result<(), ServiceError> {
        let (mut after, mut is_empty) = (None, true);
        loop {
            let page = self.store.scan(Range::KeksAfter(None), after, AT_ONCE).await?;
            let is_under = |kek: &KekRow| kek.origin == KekOrigin::Generated && kek.blob.root == number;
            let keks = page.rows.into_iter().filter_map(kek_of).filter(|(_, kek)| is_under(kek));
            let keks: Vec<(u64, KekRow)> = keks.collect();
            if !self.remove_keks(&keks, origin).await? {
                // One of them may be in the way of the others.
                for kek in keks {
                    is_empty &= self.remove_unless_used(kek, origin).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.directory.forget_keks();
        self.forget_keks().await?;
        if !is_empty {
            return Ok(());
        }
        let change = Change::replace(Key::RetiredRoot(number), mark, Row::RetiredRoot(number));
        match self.store.put_cas(vec![change], Vec::new()).await {
            // Somebody else noted it.
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes KEKs in one commit, all or none; says whether.
    async fn remove_keks(&self, keks: &[(u64, KekRow)], origin: &Origin) -> Result<bool, ServiceError> {
        if keks.is_empty() {
            return Ok(true);
        }
        let gone = keks.iter().map(|(version, kek)| Change {
            key: Key::Kek(kek.tenant, kek.version),
            expect: Expect::Version(*version),
            row: None,
        });
        let entries = keks.iter().map(|(_, kek)| {
            let entry = origin.draft("kek.destroy", EntryOutcome::Allowed).tenant(kek.tenant.to_string());
            entry.on("kek", kek.version.to_string()).detail("root", kek.blob.root.to_string())
        });
        match self.store.put_cas(gone.collect(), entries.collect()).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a KEK, or has the row move that came under it late; says whether it is gone.
    async fn remove_unless_used(&self, kek: (u64, KekRow), origin: &Origin) -> Result<bool, ServiceError> {
        let tenant = kek.1.tenant;
        if self.remove_keks(&[kek], origin).await? {
            return Ok(true);
        }
        match self.rotation(tenant).await {
            Ok((_, rotation, left)) if left > 0 && rotation.state == RotationState::Done => {
                self.steer_rotation(tenant, Steer::Resume, origin).await?;
            }
            Ok(_) | Err(ServiceError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    async fn bury_root(&self, number: u32, origin: &Origin) -> Result<(), ServiceError> {
        match self.keeper.destroy_root(number).await {
            Ok(()) => {}
            Err(KeeperError::Refused(Refused::Root(why))) => {
                tracing::debug!(root = number, why, "a root key is not destroyed yet");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        let entry = origin.draft("root.destroy.end", EntryOutcome::Allowed).on("root", number.to_string());
        self.store.put_cas(vec![Change::remove(Key::RetiredRoot(number))], vec![entry]).await?;
        Ok(())
    }
}
