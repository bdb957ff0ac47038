//! The screens as they look, in `pictures/`. What differs is written beside the build, to be compared and moved.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use claviger_admin_tui::event::{Answer, Failure, Input, Size};
use claviger_admin_tui::kind::{Cell, Item, KINDS, Kind, Tone};
use claviger_admin_tui::state::{InFlight, Look, Outcome, Planned};
use ratatui::style::{Color, Modifier};

use super::harness::{Console, LARGE, SMALL, USUAL, acts, page, refused};

/// Compares pictures and tells of all that differ at once.
#[derive(Default)]
struct Album {
    different: Vec<String>,
}

impl Album {
    fn check(&mut self, name: &str, console: &Console) {
        let size = console.state.size;
        self.check_text(&format!("{name}-{}x{}", size.columns, size.rows), &console.picture());
    }

    fn check_text(&mut self, name: &str, picture: &str) {
        let file = format!("{name}.txt");
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/pictures").join(&file);
        if fs::read_to_string(&expected).ok().as_deref() != Some(picture) {
            let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
            fs::create_dir_all(&actual).unwrap();
            fs::write(actual.join(&file), picture).unwrap();
            self.different.push(format!("{}:\n{picture}", actual.join(file).display()));
        }
    }

    /// The same on terminals of three sizes.
    fn check_all(&mut self, name: &str, make: impl Fn(Size) -> Console) {
        for size in [SMALL, USUAL, LARGE] {
            self.check(name, &make(size));
        }
    }

    fn close(self) {
        assert!(self.different.is_empty(), "drawn differently:\n{}", self.different.join("\n"));
    }
}

fn outcome() -> Outcome {
    Outcome {
        waiting: None,
        in_flight: Some(vec![
            InFlight {
                execution: Some("exec_01k6g0000000000000000000e1".into()),
                at: "2026-10-01T11:59:59.200Z".into(),
            },
            InFlight { execution: None, at: "2026-10-01T11:59:59.900Z".into() },
        ]),
        at_venue: Some("the key still exists at binance: its owner deletes it at https://binance.example/keys".into()),
        request_id: Some("req_01k6g0000000000000000000r1".into()),
        ..Outcome::default()
    }
}

fn revoking(size: Size) -> Console {
    let mut console = Console::watching(size);
    console.press("^x");
    let lines = vec!["The 2 virtual keys of credential anna-main are revoked.".into(), "On it hang 1 apps.".into()];
    console.plan(Ok(Planned { name: "anna-main".to_owned(), lines, ..Planned::default() }));
    console.wait(300);
    console.write("laptop was stolen, ticket 8841");
    console
}

fn revoked(size: Size) -> Console {
    let mut console = revoking(size);
    let actions = console.press("enter y");
    let ticket = acts(&actions)[0].0;
    console.hear(Answer::Act { ticket, result: Ok(outcome()) });
    console
}

fn pressed(size: Size, keys: &str) -> Console {
    let mut console = Console::watching(size);
    console.press(keys);
    console
}

#[test]
fn login() {
    let mut album = Album::default();
    album.check_all("login", |size| {
        let mut console = Console::new(size);
        console.write("ada");
        console.press("tab");
        console.write("secret");
        console
    });
    album.check_all("login-refused", |size| {
        let mut console = Console::new(size);
        console.write("ada");
        console.press("enter");
        console.write("secret");
        console.press("enter");
        console.hear(Answer::Login(Err(refused(401, "name or password is wrong"))));
        console
    });
    album.close();
}

#[test]
fn list() {
    let mut album = Album::default();
    album.check_all("list", |size| pressed(size, "j"));
    album.check_all("list-empty", |size| {
        let mut console = Console::watching(size);
        console.press("r");
        console.hear(page(&console.state, Vec::new()));
        console
    });
    album.check_all("list-marked", |size| pressed(size, "space space s"));
    album.check_all("palette", |size| {
        let mut console = pressed(size, ":");
        console.write("in");
        console
    });
    album.check("list-offline", &{
        let mut console = Console::watching(USUAL);
        console.wait(14_000);
        console.hear(Answer::Status(Err(Failure::NotSent("connection refused".into()))));
        console.press("^x");
        console
    });
    album.check("list-filter", &{
        let mut console = pressed(USUAL, "/");
        console.write("anna");
        console
    });
    album.close();
}

#[test]
fn dialogs() {
    let mut album = Album::default();
    album.check_all("freeze", |size| pressed(size, "F"));
    album.check_all("revoke-reason", revoking);
    album.check_all("revoke-confirm", |size| {
        let mut console = revoking(size);
        console.press("enter");
        console
    });
    album.check_all("revoked", revoked);
    album.check("unfreeze-reading", &pressed(USUAL, "j U"));
    album.check_all("rotate-form", |size| {
        let mut console = pressed(size, "^r");
        console.plan(Ok(Planned::default()));
        console.wait(300);
        console.write("new-key-id");
        console.press("enter");
        console.paste("secret");
        console
    });
    album.check_all("freeze-several", |size| pressed(size, "space space F"));
    album.check_all("proof", |size| {
        let mut console = Console::watching(size);
        let actions = console.press("F y");
        let ticket = acts(&actions)[0].0;
        console.hear(Answer::Proof { ticket, text: Some("the code is wrong; nothing was done".into()) });
        console
    });
    album.close();
}

#[test]
fn other_screens() {
    let mut album = Album::default();
    album.check_all("help", |size| pressed(size, "?"));
    album.check_all("detail", |size| pressed(size, "enter"));
    album.check_all("log", |size| {
        let mut console = revoked(size);
        let actions = console.press("esc j F y");
        let ticket = acts(&actions)[0].0;
        console.hear(Answer::Act { ticket, result: Err(refused(403, "your role may not do this")) });
        console.press("esc L");
        console
    });
    album.close();
}

#[test]
fn ascii_without_colours() {
    let mut album = Album::default();
    let look = Look { no_color: true, ascii: true };
    let mut console = Console::with(USUAL, look, false);
    console.write("ada");
    console.press("tab");
    console.write("secret");
    album.check("ascii-login", &console);
    let mut console = Console::with(USUAL, look, false).watch();
    album.check("ascii-list", &console);
    console.press("F");
    album.check("ascii-freeze", &console);
    album.check("ascii-read-only", &Console::with(USUAL, look, true).watch());
    album.close();
}

#[test]
fn what_was_seen_is_what_is_drawn_again() {
    let mut console = pressed(USUAL, "F");
    let before = console.picture();
    console.tell(Input::Resize(LARGE));
    console.tell(Input::Resize(USUAL));
    assert_eq!(console.picture(), before);
}

/// Things of a kind as a server would tell of them.
fn typical(kind: Kind) -> Vec<Item> {
    let name = kind.shape().name;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/console/things/{name}.json"));
    let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}: every screen has its example", file.display()));
    (kind.shape().read)(&bytes).unwrap_or_else(|e| panic!("{}: {e}", file.display())).items
}

/// More of them than fit, with names longer than any column.
fn overloaded(kind: Kind) -> Vec<Item> {
    let long = |text: &str| text.repeat(10_000 / text.len().max(1));
    let cell = |cell: &Cell| match cell {
        Cell::Text(text, tone) if !text.is_empty() => Cell::toned(long(text.as_str()), *tone),
        Cell::Word(glyph, word, tone) => Cell::word(*glyph, long(word.as_str()), *tone),
        Cell::Number(_) => Cell::Number(u64::MAX),
        Cell::Text(..) | Cell::Ago(_) | Cell::Left(_) | Cell::Done(..) | Cell::Nothing => cell.clone(),
    };
    let things = typical(kind);
    let many = (0..40).flat_map(|round| things.iter().map(move |item| (round, item)));
    many.map(|(round, item)| {
        let mut more =
            Item::new(&format!("{}-{round}", item.id.as_str()), &long(item.name.as_str()), &item.state).unwrap();
        more.cells = item.cells.iter().map(cell).collect();
        more.more = item.more.iter().map(|(name, known)| (long(name.as_str()).into(), cell(known))).collect();
        more.text = item.text.iter().map(|text| long(text.as_str()).into()).collect();
        more
    })
    .collect()
}

fn showing(kind: Kind, size: Size, look: Look, things: Vec<Item>) -> Console {
    let mut console = Console::with(size, look, false).watch();
    console.press(":");
    console.state.over = None;
    console.state.views[0].kind = kind;
    console.press("r");
    console.hear(page(&console.state, things));
    console
}

/// Where which colour and emphasis is: a letter for each cell that has one.
fn tones(console: &Console) -> String {
    let tone = |cell: &ratatui::buffer::Cell| match (cell.fg, cell.modifier) {
        (Color::Red, _) => 'r',
        (Color::Yellow, _) => 'y',
        (Color::Green, _) => 'g',
        (_, modifier) if modifier.contains(Modifier::REVERSED) => '#',
        (_, modifier) if modifier.contains(Modifier::BOLD) => 'b',
        (_, modifier) if modifier.contains(Modifier::DIM) => '.',
        _ => ' ',
    };
    let buffer = console.buffer();
    let row = |cells: &[ratatui::buffer::Cell]| cells.iter().map(tone).collect::<String>().trim_end().to_owned() + "\n";
    buffer.content.chunks(usize::from(buffer.area.width)).map(row).collect()
}

#[test]
fn every_screen_empty_typical_and_overloaded() {
    let mut album = Album::default();
    for kind in KINDS {
        let shape = kind.shape();
        for size in [USUAL, LARGE] {
            let mut pages = String::new();
            for (title, things) in
                [("empty", Vec::new()), ("typical", typical(*kind)), ("overloaded", overloaded(*kind))]
            {
                let colored = showing(*kind, size, Look::default(), things.clone());
                let plain = showing(*kind, size, Look { no_color: true, ascii: false }, things.clone());
                assert_eq!(colored.picture(), plain.picture(), "no word depends on a colour");
                assert!(plain.buffer().content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
                writeln!(pages, "== {} {title}\n{}", shape.name, colored.picture()).unwrap();
                if title == "typical" {
                    writeln!(pages, "== {} in colour\n{}", shape.name, tones(&colored)).unwrap();
                }
                if !shape.alone && title != "empty" {
                    let mut console = colored;
                    console.press("enter");
                    writeln!(pages, "== {} {title}, closely\n{}", shape.name, console.picture()).unwrap();
                }
            }
            album.check_text(&format!("kind-{}-{}x{}", shape.name, size.columns, size.rows), &pages);
        }
    }
    album.close();
}

#[test]
fn a_tone_is_never_the_only_sign() {
    for item in KINDS.iter().flat_map(|kind| typical(*kind)) {
        for cell in item.cells.iter().chain(item.more.iter().map(|(_, cell)| cell)) {
            if let Cell::Text(text, Tone::Good | Tone::Caution | Tone::Bad) = cell {
                assert!(!text.is_empty());
            }
        }
    }
}
