//! `claviger kek import-key | import | withdraw`: a KEK that the tenant brings, and takes away.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use serde_json::json;

use super::Failure;
use super::client::{Call, Here, field};
use super::rotation::{How, Rotation};

/// Prints what the KEK is wrapped to, and says how.
pub(super) fn import_key(here: &Here, path: &str) -> Result<(), Failure> {
    let door = here.call(Call::get(path))?.json();
    if !here.json {
        eprintln!(
            "wrap the 32 bytes of an AES key where it was made, then `claviger kek import kek.wrapped --reason WHY`:\n"
        );
        eprintln!("{}\n", field(&door, "command"));
    }
    here.print(&door, |door| field(door, "public_key").trim_end().to_owned());
    Ok(())
}

/// Brings a wrapped KEK.
pub(super) fn import(here: &Here, path: &str, file: &Path, how: &How, rotation: &Rotation) -> Result<(), Failure> {
    let wrapped = fs::read(file).map_err(|e| Failure::new(2, format!("{}: {e}", file.display())))?;
    let body = json!({ "wrapped": BASE64.encode(&wrapped), "rotation": how.body() });
    let answer = here.call(Call::post(path, &body))?.json();
    if answer.get("state").is_some() {
        return rotation.begun(here, &answer, how);
    }
    here.print(&answer, |answer| {
        let missing = answer.get("missing").map(ToString::to_string).filter(|missing| missing != "[]");
        let waits = missing.map(|missing| format!("; nothing is signed before versions {missing} are back, too"));
        let version = answer.get("version").map(ToString::to_string).unwrap_or_default();
        format!("version {version} is back{}", waits.unwrap_or_else(|| ": its credentials are used again".to_owned()))
    });
    Ok(())
}

/// Takes the KEK away.
pub(super) fn withdraw(here: &Here, path: &str, reason: &str) -> Result<(), Failure> {
    let answer = here.call(Call::post(path, &json!({ "reason": reason })))?.json();
    here.print(&answer, |answer| {
        let open = answer.get("in_flight").and_then(|list| list.as_array()).map_or(0, Vec::len);
        format!("nothing of the tenant is signed any more; {open} requests from before have no outcome yet")
    });
    Ok(())
}
