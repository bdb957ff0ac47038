//! The code's catalogue against the reviewed one.

use claviger_venues::{Class, HostRole, Method, Operation, VenueId, catalogue};

use crate::testdata::{choices, lists};

/// Whether an entry of the reviewed list names this operation: methods, a path, then perhaps a remark in brackets.
fn names(entry: &str, operation: &Operation) -> bool {
    let (route, remark) = entry.split_once(" (").unwrap_or((entry, ""));
    let Some((methods, path)) = route.split_once(' ') else { return false };
    let listed: Vec<_> = remark.trim_end_matches(')').split(", ").collect();
    methods.split('|').any(|method| method == operation.method.as_str())
        && choices(path).iter().any(|pattern| fits(pattern, operation.path, &listed))
}

/// Whether a denied entry reaches this operation; where it names no method, any will do.
fn denies(entry: &str, operation: &Operation) -> bool {
    let first = entry.split_whitespace().next().unwrap_or_default();
    let is_method = |text: &str| ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&text);
    let reached = !first.split('|').all(is_method) || first.split('|').any(|text| text == operation.method.as_str());
    let paths = entry.split_whitespace().filter(|word| word.starts_with('/'));
    let mut patterns = paths.flat_map(|path| choices(path.trim_end_matches(',')));
    reached && patterns.any(|pattern| fits(&pattern, operation.path, &[]))
}

/// Whether a path fits a pattern: `**` is any rest, `*` any part of a segment, or one of the names in the remark where
/// that has some, and what stands in braces any parameter.
fn fits(pattern: &str, path: &str, listed: &[&str]) -> bool {
    if let Some(start) = pattern.strip_suffix("**") {
        let parts = start.split('/').count();
        let beginning: Vec<_> = path.split('/').take(parts).collect();
        return match start.rsplit_once('/') {
            Some((folder, last)) if folder.contains('{') => beginning
                .split_last()
                .is_some_and(|(given, before)| given.starts_with(last) && fits(folder, &before.join("/"), &[])),
            _ => path.starts_with(start),
        };
    }
    let (wanted, given): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(given).all(|(wanted, given)| match wanted.split_once('*') {
            Some(("", "")) => listed.len() < 2 || listed.contains(&given),
            Some((before, after)) => given.starts_with(before) && given.ends_with(after),
            None => *wanted == given || (wanted.starts_with('{') && given.starts_with('{')),
        })
}

#[test]
fn patterns_fit_what_they_say() {
    for (pattern, path, expected) in [
        ("/a/b", "/a/b", true),
        ("/a/b", "/a/b/c", false),
        ("/a/**", "/a/b/c", true),
        ("/a/b**", "/a/b/c", true),
        ("/a/**", "/b/c", false),
        ("/a/{id}/b**", "/a/{accountID}/b/c", true),
        ("/a/{id}/b**", "/a/{accountID}/c", false),
        ("/a/*", "/a/b", true),
        ("/a/*", "/a/b/c", false),
        ("/a/x*", "/a/xy", true),
        ("/a/x*", "/a/yx", false),
        ("/a/{id}", "/a/{orderId}", true),
        ("/a/{id}", "/a/b", false),
    ] {
        assert_eq!(fits(pattern, path, &[]), expected, "{pattern} {path}");
    }
    assert!(fits("/a/*", "/a/b", &["b", "c"]) && !fits("/a/*", "/a/d", &["b", "c"]));
}

#[test]
fn every_operation_is_allowed_with_its_class() {
    let lists = lists();
    for operation in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
        // A probe on another host is served, and listed, by another venue.
        let mut of_class = lists.iter().filter(|(venue, _)| match operation.host {
            HostRole::Main => *venue == operation.venue.as_str(),
            HostRole::Probe => true,
        });
        let allowed = |entries: &Vec<String>| entries.iter().any(|entry| names(entry, operation));
        // Brokers answer nobody without a key, so their market data is read with one.
        let classes: &[Class] =
            if operation.class == Class::Read { &[Class::Read, Class::Market] } else { &[operation.class] };
        let found = operation.is_login()
            || of_class
                .any(|(_, lists)| classes.iter().any(|class| lists.allow.get(class.as_str()).is_some_and(allowed)));
        assert!(found, "{operation:?}");
    }
}

#[test]
fn no_operation_is_denied_anywhere() {
    let lists = lists();
    let denied: Vec<_> = lists.values().flat_map(|lists| lists.deny.values().flatten()).collect();
    for operation in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
        // What opens, renews or keeps a session is denied to callers, and made by Claviger alone.
        let kept = |entry: &str| operation.is_login() && entry.contains("(Claviger only");
        // Where a whole host is denied, it is another one than its venue's own.
        let elsewhere = |entry: &str| entry.starts_with("whole ");
        let reached = denied.iter().find(|entry| denies(entry, operation) && !kept(entry) && !elsewhere(entry));
        assert_eq!(reached, None, "{operation:?}");
    }
}

/// A path may hold such a word where a GET only looks at what others moved.
#[test]
fn no_operation_is_named_after_money_or_keys() {
    let words = ["withdraw", "transfer", "deposit", "borrow", "loan", "convert", "earn", "subaccount", "listenkey"];
    for operation in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
        let path = if operation.method == Method::Get { "" } else { operation.path };
        let text = format!("{} {path}", operation.name).to_lowercase();
        assert!(!words.iter().any(|word| text.contains(word)), "{text}");
    }
}
