//! What a recovery says that it did, or would do.

use claviger_core::audit::timestamp;
use claviger_core::service::Recovery;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::super::super::backup::REPLACED;
use super::super::super::client::Here;
use super::super::super::init::Shown;
use super::Basis;
use crate::recovery::notes::Notes;

const NEXT: &str = "next: `claviger serve`; each operator sets a new password with `claviger operator accept`; the log's \
                    verifier key is another one, `claviger audit key` prints it";

pub(super) fn dry_run(here: &Here, basis: &Basis, found: &Recovery) {
    here.print(&json(basis, found), |_| {
        let mut lines = vec![format!("{} rows would come back; nothing was changed", found.opened)];
        lines.extend(not_back(found));
        lines.join("\n")
    });
}

/// Shows invitations, before the store is in place: afterwards nobody could make others but with the shares.
pub(super) fn invitations(here: &Here, invitations: &[Shown]) {
    if here.json {
        return;
    }
    for Shown { name, invitation, expires_ms } in invitations {
        println!("invitation {name}: {}   (shown once, good until {})", invitation.reveal(), timestamp(*expires_ms));
    }
}

/// The end of a restore that was cut off when its store was in place.
pub(super) fn finished(here: &Here, notes: &Notes, invitations: &[Shown]) {
    let value = json!({ "begun": timestamp(notes.begun.at_ms), "operators": names(invitations) });
    here.print(&value, |_| {
        let mut lines = vec!["the restore is finished; invitations from before are good no more".to_owned()];
        lines.extend(not_back(&notes.found));
        lines.push(NEXT.to_owned());
        lines.join("\n")
    });
}

fn names(invitations: &[Shown]) -> Value {
    invitations.iter().map(|shown| shown.name.as_str()).collect()
}

pub(super) fn done(here: &Here, basis: &Basis, found: &Recovery, invitations: &[Shown]) {
    let mut value = json(basis, found);
    if let Some(members) = value.as_object_mut() {
        members.insert("operators".to_owned(), names(invitations));
    }
    here.print(&value, |_| {
        let written = basis.file.as_ref().map_or_else(|| "the store's own wraps".to_owned(), of_file);
        let mut lines = vec![format!("{} rows are sealed anew on the new token, by {written}", found.opened)];
        lines.extend(not_back(found));
        if basis.is_stopped {
            let text = "what was stopped or revoked since the backup is not known here: nothing is signed until you have \
                        repeated it and two operators resume everything: claviger resume --all";
            lines.push(text.to_owned());
        }
        lines.push(format!("the store that was there, if any, is {REPLACED}: remove it once you are sure of the new one"));
        lines.push(NEXT.to_owned());
        lines.join("\n")
    });
}

fn of_file(file: &claviger_core::recovery::file::Contents) -> String {
    format!("the recovery file of {}", timestamp(file.at_ms))
}

fn not_back(found: &Recovery) -> impl Iterator<Item = String> {
    let reenroll =
        found.reenroll.iter().map(|what| format!("to be enrolled anew, its key was in the lost token: {what}"));
    let waiting = found.waiting.iter().map(|tenant| format!("{tenant} took its KEK away: it brings it again"));
    reenroll.chain(found.lost.iter().map(|what| format!("lost: {what}"))).chain(waiting)
}

fn json(basis: &Basis, found: &Recovery) -> Value {
    json!({
        "set": HEXLOWER.encode(&basis.key.set), "entries": basis.entries, "recovered": found.opened,
        "reenroll": found.reenroll, "lost": found.lost,
        "waiting": found.waiting.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "file_written": basis.file.as_ref().map(|file| timestamp(file.at_ms)),
    })
}
