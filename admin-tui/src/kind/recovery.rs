//! Whether everything could be recovered without the token.

use claviger_core::view::RecoveryView;

use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "recovery",
    one: "recovery key",
    what: "whether everything could be recovered without the token",
    empty: "there is no recovery key: without the token, nothing comes back (claviger recovery setup)",
    facts: &[
        detail("state"),
        detail("sealed rows"),
        detail("would not come back"),
        detail("looked at"),
        detail("recovery file"),
        detail("written"),
        detail("shares"),
        detail("made"),
        detail("key"),
    ],
    alone: true,
    events: &["backup"],
    path: |target| target.api("recovery"),
    read: |bytes| read::alone(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &RecoveryView) -> Option<Item> {
    let (word, glyph, tone) = match (view.looked_at.is_some(), view.lacking) {
        (false, _) => ("not looked at yet", Glyph::Waiting, Tone::Caution),
        (true, 0) => ("complete", Glyph::On, Tone::Good),
        (true, _) => ("incomplete", Glyph::Alert, Tone::Bad),
    };
    let file = match view.file_generation {
        None => Cell::toned("none was written since the start", Tone::Caution),
        Some(generation) if generation == view.generation => Cell::toned("holds everything", Tone::Good),
        Some(generation) => {
            let behind = view.generation.saturating_sub(generation);
            Cell::toned(format!("{behind} changes behind"), Tone::Caution)
        }
    };
    let named: Vec<String> = view.named.iter().map(|lacking| format!("{}: {}", lacking.what, lacking.why)).collect();
    Some(Item::new("recovery", "the recovery key", word)?.told(&named.join("\n")).with([
        Cell::word(glyph, word, tone),
        Cell::Number(view.rows),
        Cell::Number(view.lacking),
        view.looked_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        file,
        view.written_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::plain(format!("{} of {} are needed", view.threshold, view.shares)),
        Cell::ago(&view.made_at),
        Cell::plain(&view.set),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;

    fn recovery(lacking: u64, file: Option<u64>) -> Item {
        let at = "2026-11-22T08:00:00.000Z";
        let mut view = json!({"set": "ab12", "shares": 5, "threshold": 3, "made_at": at, "rows": 90, "lacking": lacking,
            "named": [], "looked_at": at, "generation": 9, "file_generation": file});
        if lacking > 0 {
            view["named"] = json!([{"what": "credential cred_1", "why": "its KEK was taken away"}]);
        }
        read(&SHAPE, &view).items.remove(0)
    }

    #[test]
    fn what_would_not_come_back_is_named() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/recovery");
        let whole = recovery(0, Some(9));
        assert_eq!((whole.state.as_str(), whole.text.len()), ("complete", 0));
        assert!(fact(&SHAPE, &whole, "recovery file").contains("holds everything"));
        let lacking = recovery(1, Some(7));
        assert_eq!((lacking.state.as_str(), lacking.text.len()), ("incomplete", 1));
        assert!(fact(&SHAPE, &lacking, "recovery file").contains("2 changes behind"));
        assert!(fact(&SHAPE, &recovery(0, None), "recovery file").contains("none was written"));
    }
}
