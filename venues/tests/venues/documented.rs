//! `docs/catalogue.md` is what the tables say: the text is made anew and compared.

use std::fmt::{self, Write as _};

use claviger_venues::{
    Host, Lapse, Operation, Param, Stream, VenueId, catalogue, default_host, lapse, shows_secrets, streams,
};

/// Where the page is written to when it differs; `docs/catalogue.md` itself is changed by people only.
const MADE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/catalogue.md");

const INTRO: &str = "\
# The catalogue

Every call that exists for Claviger. What is not here cannot be expressed: not by an app, not by an operator, not by a
front that was taken over, because the keeper builds each request from these tables. There is no withdrawal, transfer,
sub-account or key-management call in them.

Parameters keep the venue's own names and are given as an ordered list. A name that is not listed is refused, as is one
given twice, and a value outside its grammar. What signing sets (timestamp, window, nonce, key, signature) cannot be
given. Class `market` needs no credential; `read` and `trade` need one with that ceiling.

This page is made from `venues/src`, and the test `documented` holds it against the code. Orders are read strictly on
top of it: a combination of parameters that cannot be understood beforehand is refused.
";

#[test]
fn the_page_is_what_the_tables_say() {
    let made = page();
    let kept = include_str!("../../../docs/catalogue.md");
    if made != kept {
        std::fs::write(MADE, &made).expect("the target directory can be written");
        let place = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
        panic!("docs/catalogue.md differs from line {:?} on; the right text is in {MADE}", place.map(|line| line + 1));
    }
}

fn page() -> String {
    let mut page = INTRO.to_owned();
    for venue in VenueId::ALL.iter().copied() {
        section(&mut page, venue).expect("a string can be written to");
    }
    page
}

fn section(page: &mut String, venue: VenueId) -> fmt::Result {
    writeln!(page, "\n## {venue}\n\n| operation | class | request |\n| --- | --- | --- |")?;
    for operation in catalogue(venue) {
        let host = Host::parse(default_host(venue, operation.host)).expect("default hosts parse");
        let Operation { name, class, method, path, .. } = operation;
        writeln!(page, "| `{name}` | {class} | `{method} {host}{path}` |", host = host.as_str())?;
    }
    signatures(page, venue)?;
    for operation in catalogue(venue).iter().filter(|operation| !operation.params.is_empty()) {
        writeln!(page, "\n### {venue} `{}`\n", operation.name)?;
        if !operation.one_of.is_empty() {
            writeln!(page, "Exactly one of {}.\n", quoted(operation.one_of))?;
        }
        for Param { name, grammar, required, .. } in operation.params {
            writeln!(page, "- `{name}`{}: {grammar}", if *required { ", required" } else { "" })?;
        }
    }
    Ok(())
}

/// Which signatures are given out to apps.
fn signatures(page: &mut String, venue: VenueId) -> fmt::Result {
    match lapse(venue) {
        _ if shows_secrets(venue) => writeln!(page, "\nRequests are not released: they hold the secret itself.")?,
        Lapse::Window => writeln!(page, "\nRequests are released; they end with their window.")?,
        Lapse::Fixed(ms) => writeln!(page, "\nRequests are not released: they are good for {ms} ms.")?,
        Lapse::Nonce => writeln!(page, "\nRequests are not released: only the next nonce ends them.")?,
        Lapse::Never => writeln!(page, "\nRequests are not released: nothing ends them.")?,
    }
    if streams(venue).is_empty() {
        return Ok(());
    }
    writeln!(page, "\n| stream | login | otherwise |\n| --- | --- | --- |")?;
    for Stream { name, kinds, reason, challenge, .. } in streams(venue) {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let login = match (kinds.is_empty(), challenge) {
            (true, _) => "not signed".to_owned(),
            (false, true) => format!("signed for {}, over a challenge", quoted(&kinds)),
            (false, false) => format!("signed for {}", quoted(&kinds)),
        };
        writeln!(page, "| `{name}` | {login} | {reason} |")?;
    }
    Ok(())
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
