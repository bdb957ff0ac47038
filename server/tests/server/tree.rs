//! What the tree itself promises: where unsafe code may be, which crates are banned, and that the API's document is the
//! API.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use claviger_server::api::routes::{ANY, Needs, Reach, Row};
use claviger_server::api::{self, openapi};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub(crate) fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        let skipped = name == "target" || name.to_string_lossy().starts_with('.');
        if path.is_dir() && !skipped {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The files that may hold unsafe code; each says why at its top.
const UNSAFE: &[&str] = &["core/src/secret/arena.rs", "hsm/src/raw.rs", "server/src/sandbox/probe.rs"];

#[test]
fn unsafe_code_is_in_named_files_only() {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let allowed = ["unsafe", "_code"].concat();
    let found: BTreeSet<String> = files
        .iter()
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines().any(|line| line.contains(&allowed) && !line.trim_start().starts_with("//"))
        })
        .map(|file| file.strip_prefix(root()).unwrap().display().to_string())
        // The fault module is a PKCS#11 library: all of it is the other side of a C interface.
        .filter(|file| !file.starts_with("tests/fault-module/") && !file.ends_with("server/tests/server/tree.rs"))
        .collect();
    assert_eq!(found, UNSAFE.iter().map(ToString::to_string).collect());
}

#[test]
fn the_environment_is_read_in_one_place() {
    let mut files = Vec::new();
    for name in ["core", "hsm", "server", "admin-tui", "venues"] {
        sources(&root().join(name).join("src"), &mut files);
    }
    let read = files.iter().filter(|file| fs::read_to_string(file).unwrap().contains("env::var"));
    let read: Vec<_> = read.map(|file| file.strip_prefix(root()).unwrap()).collect();
    assert_eq!(read, [Path::new("server/src/config/sources.rs")]);
}

#[test]
fn banned_crates_are_not_built() {
    // The lock file also holds crates that some dependency could turn on and nobody does; the tree holds what is built.
    let tree = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--locked",
            "--target",
            "all",
            "-e",
            "all",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.lines().any(|line| line.starts_with("aws-lc-sys ")), "the tree is not one");
    for banned in ["openssl-sys", "native-tls", "ring", "sharks"] {
        let found = tree.lines().any(|line| line.split(' ').next() == Some(banned));
        assert!(!found, "{banned} came in: see `cargo tree -i {banned}`");
    }
}

/// Method and path of every route, as the document spells them: one that takes any method is in it under POST.
fn routes() -> BTreeSet<(String, String)> {
    let rows = api::rows().into_iter().filter(|row| row.path != "/openapi.json");
    let method = |row: &Row| if row.method == ANY { "post".to_owned() } else { row.method.to_lowercase() };
    rows.map(|row| (method(&row), row.path.replace("{*", "{"))).collect()
}

#[test]
fn the_document_names_every_route_and_no_other() {
    let document: serde_json::Value = serde_json::from_str(&openapi::text()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let documented = paths.flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())).collect::<Vec<_>>()
    });
    assert_eq!(documented.collect::<BTreeSet<_>>(), routes());
}

#[test]
fn every_route_stands_in_a_table() {
    let mut files = Vec::new();
    sources(&root().join("server/src"), &mut files);
    let beside: Vec<String> = files
        .iter()
        .map(|file| file.strip_prefix(root()).unwrap().display().to_string())
        .filter(|name| !["server/src/api/routes.rs", "server/src/api/metrics.rs"].contains(&name.as_str()))
        .filter(|name| {
            let text = fs::read_to_string(root().join(name)).unwrap();
            [".route(", ".nest(", ".route_service(", "axum::routing"].iter().any(|way| text.contains(way))
        })
        .collect();
    assert_eq!(beside, Vec::<String>::new(), "routes are made by a table, which asks who may use them");
}

#[test]
fn what_a_bound_operator_reaches_fits_the_path() {
    for row in api::rows() {
        if let Needs::Operator { reach, .. } = row.needs {
            assert_eq!(reach == Reach::Path, row.path.contains("{t}"), "{} {}", row.method, row.path);
        } else {
            assert!(!row.path.contains("{t}"), "{} {} is for operators", row.method, row.path);
        }
    }
}

#[test]
fn handlers_do_not_look_tenants_up_around_the_gate() {
    let mut files = Vec::new();
    sources(&root().join("server/src/api"), &mut files);
    for file in files.iter().filter(|file| !file.ends_with("gate.rs")) {
        assert!(!fs::read_to_string(file).unwrap().contains("service.tenant("), "{}", file.display());
    }
}

/// An argument that had a `/` or a `?` in it would name something else.
#[test]
fn commands_put_no_argument_into_a_path_as_it_is() {
    let mut files = Vec::new();
    sources(&root().join("server/src/cli"), &mut files);
    let is_raw = |line: &&str| line.split_once("\"/api/v1/").is_some_and(|(_, path)| path.contains("/{"));
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().find(is_raw), None, "{}: `api_path` makes paths", file.display());
    }
}
