//! The proof that an entry is in the audit log.
//!
//! What can be checked with what one answer holds is checked here: that the entry has the stated hash, and that the
//! proof leads from it to the root of the checkpoint. Whether that checkpoint is signed shows only with the log's key
//! from elsewhere: a server that lies would hand out a key that fits.

use claviger_core::audit::{Checkpoint, Entry};
use claviger_core::view::ProofView;

use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "proof",
    one: "proof of an audit entry",
    what: "the proof that an entry is in the log, checked here",
    empty: "the service has no such entry any more: claviger audit verify reads segments, too",
    facts: &[
        detail("inclusion"),
        detail("entry"),
        detail("of"),
        detail("log"),
        detail("checkpoint of"),
        detail("signature"),
        detail("signed by"),
        detail("action"),
        detail("at"),
        detail("leaf hash"),
        detail("root"),
        detail("hashes on the way"),
    ],
    hangs_on_another: true,
    alone: true,
    path: |target| target.api(&format!("audit/proof?seq={}", target.on_the_way(0))),
    read: |bytes| read::alone(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &ProofView) -> Option<Item> {
    let entry = view.entry.as_ref()?;
    let checkpoint = view.checkpoint.as_deref().unwrap_or_default();
    let stated = stated(checkpoint);
    let verdict = verdict(view, stated.as_ref());
    let item = Item::new(&entry.seq.to_string(), &format!("the proof of entry {}", entry.seq), "")?.told(ELSEWHERE);
    let known = |fact: fn(&Checkpoint) -> Cell| stated.as_ref().map_or(Cell::Nothing, fact);
    let of_entry = |fact: fn(&Entry) -> &str| verdict.as_ref().map_or(Cell::Nothing, |entry| Cell::plain(fact(entry)));
    Some(item.with([
        match &verdict {
            Ok(_) => Cell::word(Glyph::On, "verified here", Tone::Good),
            Err(why) => Cell::word(Glyph::Alert, format!("DOES NOT VERIFY: {why}"), Tone::Bad),
        },
        Cell::Number(entry.seq),
        known(|checkpoint| Cell::plain(format!("{} entries", checkpoint.size))),
        Cell::plain(&view.origin),
        known(|checkpoint| Cell::maybe(checkpoint.time())),
        Cell::toned("not checked here", Tone::Caution),
        Cell::plain(signers(checkpoint)),
        of_entry(|entry| &entry.action),
        of_entry(|entry| &entry.at),
        Cell::plain(entry.leaf_hash.to_string()),
        known(|checkpoint| Cell::plain(checkpoint.root.to_string())),
        Cell::Number(u64::try_from(entry.proof.len()).unwrap_or(u64::MAX)),
    ]))
}

const ELSEWHERE: &str = "\
The signature of the checkpoint is not checked here: the key would come from the server that is to be checked.
With a key that you got from elsewhere, anyone can check the whole log, this entry included:
  claviger audit export --out log.ndjson
  claviger audit verify log.ndjson --key KEY";

/// What the checkpoint says, whoever signed it.
fn stated(note: &str) -> Option<Checkpoint> {
    let (body, _) = note.rsplit_once("\n\n")?;
    Checkpoint::parse(&format!("{body}\n")).ok()
}

/// The entry, if it is in the tree that the checkpoint states.
fn verdict(view: &ProofView, stated: Option<&Checkpoint>) -> Result<Entry, String> {
    let checkpoint = stated.ok_or("the checkpoint is none")?;
    if checkpoint.origin != view.origin {
        return Err(format!("the checkpoint is of the log {}", checkpoint.origin));
    }
    let entry = view.entry.as_ref().ok_or("there is no entry")?;
    entry.entry(checkpoint).map_err(|unproven| unproven.to_string())
}

/// The names of the keys that a note says it is signed with.
fn signers(note: &str) -> String {
    let names = note.lines().filter_map(|line| line.strip_prefix("— ")?.split(' ').next());
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use claviger_core::audit::{Frontier, leaf_hash};
    use serde_json::{Value, json};

    use super::super::testing::{fact, path, read};
    use super::*;

    /// The proof of the second of two entries.
    fn proof(mend: fn(&mut Value)) -> Item {
        let leaf = |seq: u64| {
            let entry = json!({"v": 1, "writer": "w1", "seq": seq, "at": "2026-11-22T08:00:00.000Z", "tenant": "",
                "tenant_seq": 0, "user_kind": "system", "user_id": "", "action": "audit.read", "resource_type": "",
                "resource_id": "", "ip_address": "", "outcome": "allowed", "rule": "", "request_id": "", "intent": null,
                "detail": {}, "personal": null, "salt": "00112233445566778899aabbccddeeff"});
            let entry: Entry = serde_json::from_value(entry).unwrap();
            String::from_utf8(entry.to_leaf()).unwrap()
        };
        let (mut tree, hashes) = (Frontier::new(), [0, 1].map(|seq| leaf_hash(leaf(seq).as_bytes())));
        for hash in hashes {
            tree.push(hash);
        }
        let checkpoint = Checkpoint::new("claviger/log", 2, tree.root()).with_time(1_795_000_000_000);
        let note = format!("{}\n— claviger/log AAAA\n", checkpoint.body());
        let mut view = json!({"origin": "claviger/log", "checkpoint": note, "entry":
            {"seq": 1, "leaf": leaf(1), "leaf_hash": hashes[1].to_string(), "proof": [hashes[0].to_string()]}});
        mend(&mut view);
        read(&SHAPE, &view).items.remove(0)
    }

    #[test]
    fn verifies_what_it_can_and_says_what_it_cannot() {
        assert_eq!(path(&SHAPE, &["1"]), "/api/v1/audit/proof?seq=1");
        let item = proof(|_| ());
        assert!(fact(&SHAPE, &item, "inclusion").contains("verified here"), "{item:?}");
        assert!(fact(&SHAPE, &item, "of").contains("2 entries"));
        assert!(fact(&SHAPE, &item, "action").contains("audit.read"));
        assert!(fact(&SHAPE, &item, "signature").contains("not checked here"));
        assert!(fact(&SHAPE, &item, "signed by").contains("claviger/log"));
    }

    #[test]
    fn what_does_not_fit_does_not_verify() {
        let refused: [fn(&mut Value); 5] = [
            |view| view["entry"]["leaf"] = "{}".into(),
            |view| view["entry"]["proof"] = json!([]),
            |view| view["entry"]["seq"] = 0.into(),
            |view| view["origin"] = "claviger/other".into(),
            |view| view["checkpoint"] = "no checkpoint".into(),
        ];
        for mend in refused {
            let item = proof(mend);
            let inclusion = fact(&SHAPE, &item, "inclusion");
            assert!(inclusion.contains("DOES NOT VERIFY") && inclusion.contains("Bad"), "{inclusion}");
        }
    }
}
