//! The end of a root key: its KEKs leave the store in one commit, and then the key leaves the token.

use std::collections::BTreeMap;

use super::super::acts::Prepared;
use super::super::{Service, ServiceError};
use super::PAGE;
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::keeper::KeeperError;
use crate::keeper::message::Refused;
use crate::rotation::RotationState;
use crate::store::{Change, Expect, Key, Range, Row};

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
        let gone = under.keks.iter().map(|(version, kek)| Change {
            key: Key::Kek(kek.tenant, kek.version),
            expect: Expect::Version(*version),
            row: None,
        });
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
            changes: gone.chain([Change::set(Key::RetiredRoot(number), Row::RetiredRoot(number))]).collect(),
            entries: vec![entry],
            ..Prepared::default()
        })
    }

    /// Has the token destroy the root keys that nothing hangs on any more. The keeper agrees once it has used nothing
    /// under them for long.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn bury_roots(&self) -> Result<(), ServiceError> {
        for row in self.store.scan(Range::RetiredRoots, None, PAGE).await?.rows {
            let Row::RetiredRoot(number) = row.row else { continue };
            match self.keeper.destroy_root(number).await {
                Ok(()) => {}
                Err(KeeperError::Refused(Refused::Root(why))) => {
                    tracing::debug!(root = number, why, "a root key is not destroyed yet");
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let entry = Origin::system(self.clock()).draft("root.destroy.end", EntryOutcome::Allowed);
            let entry = entry.on("root", number.to_string());
            self.store.put_cas(vec![Change::remove(Key::RetiredRoot(number))], vec![entry]).await?;
        }
        Ok(())
    }
}
