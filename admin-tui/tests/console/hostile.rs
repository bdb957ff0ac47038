//! Text from an attacker, on every screen: nothing of it moves, hides or colours anything.

use claviger_admin_tui::event::{Answer, Failure, Input};
use claviger_admin_tui::kind::{Cell, Glyph, Item, KINDS, Kind, Tone};
use claviger_admin_tui::state::{InFlight, Outcome, Planned, Readiness};
use claviger_core::view::ReadyView;
use ratatui::style::Color;
use serde_json::json;

use super::harness::{Console, LARGE, SMALL, USUAL, acts, page};

const CORPUS: &[&str] = &[
    "\u{1b}[2J\u{1b}[H\u{1b}[31mowned",
    "\u{1b}]52;c;cm0gLXJmIC8=\u{7}\u{1b}]0;title\u{7}",
    "\u{9b}31m\u{90}q\u{9c}",
    "\r\n\t\u{8}\u{b}\u{c}\u{0}\u{7f}",
    "active\u{202e}nezorf\u{202c}\u{2066}x\u{2069}\u{61c}\u{200e}\u{200f}",
    "a\u{200b}b\u{200c}c\u{200d}d\u{2060}e\u{feff}f\u{ad}g\u{34f}h",
    "\u{2028}line\u{2029}para\u{85}next",
    "tag\u{e0001}\u{e0041}\u{e007f} \u{fe0f}\u{e0100}",
    "\u{115f}\u{1160}\u{3164}\u{ffa0}\u{180e}\u{fff9}\u{fffb}",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}algo",
    "日本語の非常に長いラベルが列からはみ出す日本語の非常に長いラベル",
    "👩\u{200d}👩\u{200d}👧 🏴\u{e0067}\u{e007f}",
    "y\n[y] revoke\n┌ FREEZE credential ┐",
];

/// Characters that are not seen, by Unicode's tables and not by the console's own.
fn is_unseen(c: char) -> bool {
    let ranges = [
        0x00..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x34f..=0x34f,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x3164..=0x3164,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff0..=0xfffb,
        0xe0000..=0xe0fff,
    ];
    ranges.iter().any(|range| range.contains(&u32::from(c)))
}

fn hostile_row(text: &str) -> Item {
    let view = json!({
        "id": "cred_01k6g000000000000000000001", "tenant": text, "owner": text, "label": text, "venue": text,
        "kind": text, "mode": text, "ceiling": {"class": text, "products": [text]}, "hint": text, "state": "frozen",
        "health": "ok", "ip_restricted": true, "version": 1, "created_at": text, "changed_at": text, "probed_at": text,
        "expires_at": text, "powers": [text]
    });
    let page = json!({"data": [view]}).to_string();
    (Kind::Credentials.shape().read)(page.as_bytes()).unwrap().items.remove(0)
}

/// A thing of any kind, all of whose texts are `text`.
fn hostile_item(kind: Kind, number: usize, text: &str) -> Item {
    let cells = kind.shape().facts.iter().enumerate().map(|(fact, _)| match fact % 3 {
        0 => Cell::plain(text),
        1 => Cell::word(Glyph::Alert, text, Tone::Bad),
        _ => Cell::ago(text),
    });
    let mut item = Item::new(&format!("thing_{number}"), text, "active").unwrap().with(cells);
    item.more = vec![(text.into(), Cell::plain(text)); 3];
    item.text = vec![text.into(); 40];
    item
}

/// Checks every cell of the picture as it is now, on terminals of three sizes.
fn look(console: &mut Console) {
    for size in [SMALL, USUAL, LARGE] {
        console.tell(Input::Resize(size));
        let buffer = console.buffer();
        for cell in &buffer.content {
            let symbol = cell.symbol();
            assert!(!symbol.chars().any(is_unseen), "{symbol:?} in\n{}", console.picture());
            assert!(symbol.chars().count() <= 3, "{symbol:?} covers the lines around");
        }
    }
}

fn walk(text: &str) {
    let victim = hostile_row(text);
    let view: ReadyView =
        serde_json::from_value(json!({"ready": false, "parts": {text: text}, "warnings": [text]})).unwrap();
    let refusal =
        |status| Failure::Refused { status, code: text.into(), text: text.into(), request_id: Some(text.into()) };
    let mut console = Console::new(USUAL);
    console.paste(text);
    look(&mut console);
    console.press("tab");
    console.write("password");
    console.press("enter");
    console.hear(Answer::Login(Err(refusal(403))));
    look(&mut console);

    let mut console = console.watch();
    console.hear(Answer::Status(Ok(Readiness::from_view(&view))));
    console.hear(page(&console.state, vec![victim.clone()]));
    console.press("r");
    console.hear(page(&console.state, vec![victim.clone()]));
    look(&mut console);
    console.press("/");
    console.paste(text);
    look(&mut console);
    console.press("esc enter");
    look(&mut console);
    console.press("?");
    look(&mut console);
    console.press("esc esc ^x");
    let planned = Planned { name: text.to_owned(), lines: vec![text.into(); 3], ..Planned::default() };
    console.plan(Ok(planned));
    console.wait(300);
    console.paste(text);
    look(&mut console);
    console.press("^u");
    console.write("a long enough reason");
    console.press("enter");
    look(&mut console);
    let actions = console.press("y");
    let ticket = acts(&actions)[0].0;
    let in_flight = Some(vec![InFlight { execution: Some(text.into()), at: text.into() }; 30]);
    let outcome = Outcome {
        waiting: None,
        in_flight,
        at_venue: Some(text.into()),
        request_id: Some(text.into()),
        ..Outcome::default()
    };
    console.hear(Answer::Act { ticket, result: Ok(outcome) });
    look(&mut console);
    let actions = console.press("esc F y");
    let ticket = acts(&actions)[0].0;
    console.hear(Answer::Act { ticket, result: Err(refusal(403)) });
    look(&mut console);
    console.press("esc L");
    look(&mut console);
}

#[test]
fn no_cell_ever_holds_what_cannot_be_seen() {
    for text in CORPUS {
        walk(text);
    }
    walk(&CORPUS.concat());
}

#[test]
fn nor_on_any_other_screen() {
    let every = CORPUS.concat();
    for kind in KINDS {
        let mut console = Console::watching(USUAL);
        console.state.views[0].kind = *kind;
        console.press("r");
        let items = (0..60).map(|number| hostile_item(*kind, number, &every)).collect();
        console.hear(page(&console.state, items));
        look(&mut console);
        console.press("space j * s S enter");
        look(&mut console);
        console.press("down down pgdn ?");
        look(&mut console);
        for act in kind.shape().acts {
            console.state.over = None;
            console.state.dialog = None;
            console.tell(Input::Key(act.key));
            if console.state.dialog.is_some() {
                console.plan(Ok(Planned {
                    name: every.clone(),
                    lines: vec![every.as_str().into()],
                    ..Planned::default()
                }));
                look(&mut console);
            }
        }
    }
}

#[test]
fn a_long_name_does_not_push_a_dialog_s_question_away() {
    let long = "x ".repeat(900);
    let mut console = Console::watching(SMALL);
    let victim = hostile_row(&long);
    console.press("r");
    console.hear(page(&console.state, vec![victim.clone()]));
    console.press("^x");
    console.plan(Ok(Planned::default()));
    console.wait(300);
    console.write(&"because ".repeat(25));
    console.press("enter");
    let mut seen = console.picture();
    for text in ["REVOKE", victim.id.as_str(), "owner x", "This cannot be", "more below", "[y] revoke"] {
        assert!(seen.contains(text), "{text} is missing in\n{seen}");
    }
    console.press("pgdn");
    seen = console.picture();
    for text in ["NOT done: the key still exists", "[y] revoke"] {
        assert!(seen.contains(text), "{text} is missing in\n{seen}");
    }
}

#[test]
fn without_colours_there_is_none() {
    let look = claviger_admin_tui::state::Look { no_color: true, ascii: false };
    let mut console = Console::with(USUAL, look, false).watch();
    let check = |console: &Console| {
        let plain = |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        assert!(console.buffer().content.iter().all(plain));
    };
    check(&console);
    for keys in ["F", "y", "esc L", "?", "esc esc enter"] {
        console.press(keys);
        check(&console);
    }
}

#[test]
fn in_ascii_there_is_nothing_else() {
    for text in CORPUS {
        let look = claviger_admin_tui::state::Look { no_color: false, ascii: true };
        let mut console = Console::with(USUAL, look, false);
        assert!(console.picture().is_ascii());
        console = console.watch();
        console.hear(page(&console.state, vec![hostile_row(text)]));
        for keys in ["j", "F", "esc enter", "L", "?"] {
            console.press(keys);
            assert!(console.picture().is_ascii(), "{}", console.picture());
        }
    }
}

#[test]
fn text_reaches_the_screen_through_one_door() {
    fn sources(folder: &std::path::Path) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let read = |path: std::path::PathBuf| {
            if path.is_dir() {
                return sources(&path);
            }
            vec![(path.display().to_string(), std::fs::read_to_string(&path).unwrap())]
        };
        entries.flat_map(read).collect()
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let doors =
        ["Span::raw", "Span::styled", "Line::raw", "Line::styled", "Text::", "Paragraph", "set_string", "set_stringn"];
    for (path, text) in sources(&folder) {
        let found = doors.iter().find(|door| text.contains(*door));
        assert!(found.is_none() || path.ends_with("widget/text.rs"), "{found:?} in {path}");
    }
}
