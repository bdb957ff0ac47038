//! The code's catalogue against the reviewed one.

use claviger_venues::{HostRole, Operation, VenueId, catalogue};

use crate::testdata::{DENIED_PATHS, lists};

/// Whether an entry of the reviewed list names this operation: `METHOD path`, then perhaps a remark in brackets; `*`
/// at the end of a path stands for one of the names in that remark.
fn names(entry: &str, operation: &Operation) -> bool {
    let (route, remark) = entry.split_once(" (").unwrap_or((entry, ""));
    let Some((method, path)) = route.split_once(' ') else { return false };
    let same_path = match (path.strip_suffix('*'), operation.path.rsplit_once('/')) {
        (Some(parent), Some((_, name))) => {
            operation.path.strip_suffix(name) == Some(parent)
                && remark.trim_end_matches(')').split(", ").any(|listed| listed == name)
        }
        _ => path == operation.path,
    };
    method == operation.method.as_str() && same_path
}

#[test]
fn every_operation_is_allowed_with_its_class() {
    let lists = lists();
    for operation in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
        // The futures probe is served, and listed, by the spot venue.
        let venue = match operation.host {
            HostRole::Main => operation.venue.as_str(),
            HostRole::Probe => "binance",
        };
        let allowed = &lists[venue].allow[operation.class.as_str()];
        assert!(allowed.iter().any(|entry| names(entry, operation)), "{operation:?}");
    }
}

#[test]
fn no_operation_is_denied_anywhere() {
    let denied = &*DENIED_PATHS;
    for operation in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
        assert!(!denied.iter().any(|path| path == operation.path), "{operation:?}");
    }
}

#[test]
fn no_operation_is_named_after_money_or_keys() {
    let words = ["withdraw", "transfer", "deposit", "borrow", "loan", "convert", "earn", "subaccount", "listenkey"];
    for operation in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
        let text = format!("{} {}", operation.name, operation.path).to_lowercase();
        assert!(!words.iter().any(|word| text.contains(word)), "{text}");
    }
}
