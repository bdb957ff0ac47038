//! A keeper without a supervisor, for commands.

use std::path::Path;

use claviger_core::secret::Plaintext;
use tokio::sync::mpsc;

use super::children::{Child, Event};
use crate::boot::KeeperBoot;
use crate::config::Config;

/// A keeper for a command that works on a home that nothing serves.
#[derive(Debug)]
pub struct LoneKeeper {
    /// The way to it.
    pub link: std::os::unix::net::UnixStream,
    /// Its end.
    pub ended: tokio::sync::oneshot::Receiver<Option<i32>>,
}

/// Starts a keeper. Needs a tokio runtime.
///
/// # Errors
/// When the process cannot be started.
pub fn start_keeper_for(home: &Path, config: &Config, pin: &Plaintext) -> std::io::Result<LoneKeeper> {
    let boot = KeeperBoot { home: home.to_owned(), config: config.clone(), foreign_file: home.join("claviger.redb") };
    let conf = config.hsm.softhsm_conf.as_ref().map(|file| home.join(file));
    let (sender, mut events) = mpsc::unbounded_channel();
    let (_, link) = Child::start_keeper(1, &boot, pin, conf.as_deref(), &config.hsm.environment, &sender)?;
    let (tell, ended) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let Event::Ended(_, code) = event {
                let _ = tell.send(code);
                return;
            }
        }
    });
    Ok(LoneKeeper { link, ended })
}
