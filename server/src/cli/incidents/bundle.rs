//! The evidence of an incident as a folder: every file is named with its SHA-256 in a manifest, and the part of the audit
//! log in it verifies by itself.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use claviger_venues::encoding::form;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::super::client::{Call, Here, api_path, field};
use super::super::{Failure, init};
use super::{apps_of, every};

/// What names the other files, in the form of `sha256sum`.
const MANIFEST: &str = "SHA256SUMS";

/// Writes the evidence to a folder that is not there yet, for this user alone: it names owners.
pub(super) fn export(here: &Here, id: &str, out: Option<&Path>) -> Result<(), Failure> {
    let incident = here.call(Call::get(&api_path(&["incidents", id])))?.json();
    let folder = out.map_or_else(|| PathBuf::from(field(&incident, "id")), Path::to_path_buf);
    let tenant = incident.get("tenant").and_then(Value::as_str);
    let query = form(tenant.map(|tenant| ("tenant", tenant)));
    let list = |rows: Vec<Value>| json!({ "data": rows });
    let mut files = vec![
        ("incident.json", pretty(&incident)),
        ("timeline.json", pretty(&list(every(here, &["incidents", id, "timeline"])?))),
        ("credentials.json", pretty(&list(every(here, &["incidents", id, "affected"])?))),
        ("apps.json", pretty(&list(apps_of(here, id)?))),
    ];
    // Last, so that it has the entries of all that was read for this, too.
    let log = here.call(Call::get(&format!("/api/v1/audit/export?{query}")))?.body.to_vec();
    let (key, checkpoint) = signed(&log);
    files.extend([("audit.ndjson", log), ("audit.key", key), ("checkpoint.txt", checkpoint)]);
    let manifest: Vec<String> = files
        .iter()
        .map(|(name, body)| format!("{}  {name}\n", HEXLOWER.encode(digest(&SHA256, body).as_ref())))
        .collect();
    files.push((MANIFEST, manifest.concat().into_bytes()));
    let failed = |e: std::io::Error| Failure::new(1, format!("{}: {e}", folder.display()));
    DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
    for (name, body) in &files {
        init::write(&folder.join(name), body).map_err(failed)?;
    }
    let shown = folder.display();
    here.print(&json!({ "folder": shown.to_string() }), |_| {
        format!(
            "{shown}: {} files\n  (cd {shown} && sha256sum --check {MANIFEST})\n  \
             claviger audit verify {shown}/audit.ndjson --key {shown}/audit.key",
            files.len()
        )
    });
    Ok(())
}

/// The verifier key that an export names, and its newest checkpoint.
fn signed(log: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let text = String::from_utf8_lossy(log);
    let lines = || text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let key = lines().next().map(|header| field(&header, "verifier_key").to_owned()).unwrap_or_default();
    let checkpoint = lines().find_map(|line| Some(line.get("checkpoint")?.as_str()?.to_owned())).unwrap_or_default();
    (format!("{key}\n").into_bytes(), checkpoint.into_bytes())
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
