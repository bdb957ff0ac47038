//! The key that the audit log is verified with.

use std::str::FromStr as _;

use claviger_core::audit::VerifierKey;
use serde::de::Error as _;

use super::item::{Cell, Item, Tone};
use super::read::Page;
use super::{Shape, detail};

pub(super) const SHAPE: Shape = Shape {
    name: "log-key",
    aliases: &["verify"],
    one: "key of the audit log",
    what: "the key of the audit log, and how anyone verifies the log with it",
    empty: "the log has no key",
    facts: &[detail("log"), detail("key id"), detail("verifier key"), detail("verified here")],
    alone: true,
    path: |target| target.api("audit/key"),
    read,
    ..Shape::PLAIN
};

fn read(bytes: &[u8]) -> Result<Page, serde_json::Error> {
    let text = String::from_utf8_lossy(bytes);
    let item = VerifierKey::from_str(text.trim_end()).ok().and_then(|key| item(&key));
    let item = item.ok_or_else(|| serde_json::Error::custom("not a verifier key"))?;
    Ok(Page { items: vec![item], next: None })
}

const VERIFYING: &str = "\
A server that lies would show a key that fits its lie: compare this one with the one that you wrote down when the log began.
With that one, anyone verifies the log, or a part of it, on any machine:
  claviger audit export --out log.ndjson
  claviger audit verify log.ndjson --key KEY --checkpoint FILE
FILE has checkpoints that a witness or a sink kept: with them, a tail that was cut off shows, too.";

fn item(key: &VerifierKey) -> Option<Item> {
    let text = key.to_string();
    Some(Item::new("log-key", key.name(), "")?.told(VERIFYING).with([
        Cell::plain(key.name()),
        Cell::maybe(text.split('+').nth(1)),
        Cell::plain(&text),
        Cell::toned("nothing: the whole log is needed for that, see below", Tone::Caution),
    ]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::fact;
    use super::*;

    #[test]
    fn shows_the_key_and_nothing_that_is_none() {
        let key = VerifierKey::new("claviger/log", &[7; 32]).unwrap().to_string();
        let page = read(format!("{key}\n").as_bytes()).unwrap();
        assert!(fact(&SHAPE, &page.items[0], "verifier key").contains(&key));
        assert!(fact(&SHAPE, &page.items[0], "key id").contains(key.split('+').nth(1).unwrap()));
        for text in ["", "{}", "claviger/log+00000000+AQcH", &key.replace("+A", "+B")] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
