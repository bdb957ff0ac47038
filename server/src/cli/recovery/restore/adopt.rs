//! The process that has a new token take over a store's log and its recovery key: it has the PIN, and no message to the
//! keeper does what it does.

use std::process::ExitCode;

use claviger_core::audit::{Checkpoint, SignedCheckpoint};
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::keeper::checkpoints::{replant, resigned};
use claviger_core::service::Service;
use claviger_core::store::{Change, Key, Row};
use claviger_core::token::Token;
use claviger_hsm::{Module, SlotSelector};
use futures_util::future::try_join_all;

use super::super::super::backup::service_over;
use super::super::super::init;
use super::super::setup::runtime;
use crate::keeper;
use crate::recovery::notes::DRAFT;

/// Checkpoints that are signed anew before the store is asked to keep them.
const PAGE: usize = 256;

pub(in crate::cli) fn adopt() -> ExitCode {
    init::provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module)?;
        let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
        let hsm = module.open(&selector, keeper::pin_of(pin))?;
        let mut token = hsm.session().map_err(|e| e.to_string())?;
        let runtime = runtime().map_err(|e| e.text)?;
        runtime.block_on(async {
            let service = service_over(&boot.home.join(DRAFT), &boot.config.audit.log).map_err(|e| e.text)?;
            Ok(take_over(&service, &mut token).await?)
        })
    })
}

async fn take_over(service: &Service, token: &mut impl Token) -> Result<(), String> {
    let before = service.log_key().await.map_err(|e| e.to_string())?;
    let keys = token.public_keys().map_err(|e| e.to_string())?;
    if keys.audit == before.public_key() {
        let text = "this is the token that the store was written with: nothing is lost, and it was not changed. \
                    `claviger backup restore` puts a backup in the store's place";
        return Err(text.to_owned());
    }
    let store = service.store();
    let key = service.recovery_key().await.map_err(|e| e.to_string())?.ok_or("the store has no recovery key")?;
    let key = key.certified(token).map_err(|e| e.to_string())?;
    let change = Change::set(Key::RecoveryKey, Row::RecoveryKey(Box::new(key)));
    store.put_cas(vec![change], Vec::new()).await.map_err(|e| e.to_string())?;
    let mut from = 0;
    loop {
        let notes = store.checkpoints(from, PAGE).await.map_err(|e| e.to_string())?;
        let mut signed = Vec::with_capacity(notes.len());
        for note in notes {
            let checkpoint = SignedCheckpoint::unverified(note).verify(&before).map_err(|e| e.to_string())?;
            from = checkpoint.size.saturating_add(1);
            signed.push((checkpoint.size, resigned(token, &checkpoint).map_err(|e| e.to_string())?));
        }
        if signed.is_empty() {
            break;
        }
        let kept = signed.into_iter().map(|(size, note)| store.put_checkpoint(size, note));
        try_join_all(kept).await.map_err(|e| e.to_string())?;
    }
    let tree = store.tree_head().await.map_err(|e| e.to_string())?;
    let head = Checkpoint::new(before.name(), tree.size, tree.root).with_time(SystemClock.unix_ms());
    let note = replant(token, &head).map_err(|e| e.to_string())?;
    store.put_checkpoint(tree.size, note).await.map_err(|e| e.to_string())
}
