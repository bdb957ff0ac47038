//! A backup that is opened into a file of its own, and the service over it.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

use claviger_core::backup::Snapshot;
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::keeper::message::{Greeting, Hello};
use claviger_core::keeper::{KeeperClient, KeeperError, KekRow};
use claviger_core::service::{Service, Tried, Venues};
use claviger_core::store::redb::{self, RedbStore};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::super::{Failure, doctor};
use crate::backup::looked_through;
use crate::config::Config;
use crate::{egress, supervisor};

/// The identities of a file, one a line, as `age-keygen` writes it.
fn identities(file: &Path) -> Result<Vec<age::x25519::Identity>, Failure> {
    let text = fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|e| Failure::new(2, format!("--identity: {}: {e}", file.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed: Result<Vec<_>, _> = lines.map(str::parse).collect();
    match parsed {
        Ok(identities) if !identities.is_empty() => Ok(identities),
        _ => Err(Failure::new(2, format!("--identity: {} holds no age identity", file.display()))),
    }
}

/// Makes a store at `path` of a backup; says what it is a picture of, and SHA-256 of the backup.
pub(in crate::cli) fn open_into(path: &Path, backup: &Path, identity: &Path) -> Result<(Snapshot, [u8; 32]), Failure> {
    let identities = identities(identity)?;
    let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{}: {e}", backup.display()));
    let file =
        || File::open(backup).map(BufReader::new).map_err(|e| Failure::new(2, format!("{}: {e}", backup.display())));
    let (_, sha256) = looked_through(file()?).map_err(|e| failed(&e))?;
    let decryptor = age::Decryptor::new(file()?).map_err(|e| failed(&e))?;
    let any = identities.iter().map(|identity| -> &dyn age::Identity { identity });
    let opened = decryptor.decrypt(any).map_err(|e| failed(&e))?;
    // A draft of an earlier run, which is no store.
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&e)),
        _ => {}
    }
    let snapshot = redb::restore(path, &mut BufReader::new(opened)).map_err(|e| {
        let _ = fs::remove_file(path);
        failed(&format!("the backup is damaged: {e}"))
    })?;
    Ok((snapshot, sha256))
}

/// The same, of a backup of this log. Another leaves nothing at `path`.
pub(in crate::cli) fn open_of(
    log: &str,
    path: &Path,
    backup: &Path,
    identity: &Path,
) -> Result<(Snapshot, [u8; 32]), Failure> {
    let opened = open_into(path, backup, identity)?;
    let origin = &opened.0.origin;
    if origin != log {
        let _ = fs::remove_file(path);
        let text = format!("it is a backup of {origin}, the home's log is {log}; nothing was changed");
        return Err(Failure::new(5, text));
    }
    Ok(opened)
}

/// The service over a store that nothing else has open.
pub(in crate::cli) fn service_over(path: &Path, origin: &str) -> Result<Service, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(1, e.to_string());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = RedbStore::open(path, origin, clock.clone()).map_err(|e| failed(&e))?;
    let egress = egress::HttpEgress::new(egress::EgressConfig::default()).map_err(|e| failed(&e))?;
    let keeper = KeeperClient::default();
    Ok(Service::new(Arc::new(store), keeper, Arc::new(egress), clock, Venues::default(), origin.to_owned()))
}

/// The home's token, through a keeper that is started when it is needed.
pub(in crate::cli) struct Home<'a> {
    pub(in crate::cli) path: &'a Path,
    pub(in crate::cli) config: &'a Config,
}

/// A keeper in use by a service.
pub(in crate::cli) struct Attached {
    pub(in crate::cli) greeting: Greeting,
    ended: oneshot::Receiver<Option<i32>>,
}

impl Home<'_> {
    /// Starts a keeper for the service. It signs nothing that is recorded already.
    pub(in crate::cli) async fn attach(&self, service: &Service) -> Result<Attached, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(69, format!("the token does not work: {e}"));
        // Read for each keeper anew, and gone before anything is waited for.
        let keeper = {
            let pin = doctor::pin(self.path, self.config).map_err(|text| Failure::new(64, text))?;
            supervisor::start_keeper_for(self.path, self.config, &pin).map_err(|e| failed(&e))?
        };
        let recovery = service.recovery_key().await.map_err(|e| failed(&e))?;
        let hello = Hello { highest_intent: u64::MAX, checkpoint: None, recovery };
        let greeting = match service.keeper().attach(keeper.link, hello).await {
            Ok(greeting) => greeting,
            Err(error) => {
                if matches!(error, KeeperError::Gone) {
                    doctor::mark_refused(self.path, self.config, keeper.ended.await.ok().flatten());
                }
                return Err(failed(&error));
            }
        };
        service.keeper().use_it().map_err(|e| failed(&e))?.done().await;
        Ok(Attached { greeting, ended: keeper.ended })
    }

    /// Tries a KEK, and says whether what is under it is lost. Whatever speaks against it is looked at once more by a fresh
    /// keeper, unless its root key is gone: on this word all that is under it is deleted.
    pub(in crate::cli) async fn tried(
        &self,
        kek: &KekRow,
        service: &Service,
        attached: &mut Attached,
    ) -> Result<Tried, Failure> {
        match service.try_kek(kek).await {
            Ok(Tried::Fails) | Err(_) => {}
            Ok(tried) => return Ok(tried),
        }
        service.keeper().detach();
        let _ = (&mut attached.ended).await;
        *attached = self.attach(service).await?;
        service.try_kek(kek).await.map_err(|e| {
            let text = format!(
                "KEK {}/{} could not be tried: {e}. The token failed twice; nothing was changed. Repeat the command when \
                 it is well",
                kek.tenant, kek.version
            );
            Failure::new(69, text)
        })
    }
}

impl Attached {
    /// Lets the keeper go, and waits for its end.
    pub(in crate::cli) async fn detach(self, service: &Service) {
        service.keeper().detach();
        let _ = self.ended.await;
    }
}
