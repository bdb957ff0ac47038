//! The screens as they look, in `pictures/`. What differs is written beside the build, to be compared and moved.

use std::fs;
use std::path::Path;

use claviger_admin_tui::event::{Answer, Failure, Input, Size};
use claviger_admin_tui::state::{InFlight, Look, Outcome};

use super::harness::{Console, LARGE, SMALL, USUAL, acts, page, refused};

/// Compares pictures and tells of all that differ at once.
#[derive(Default)]
struct Album {
    different: Vec<String>,
}

impl Album {
    fn check(&mut self, name: &str, console: &Console) {
        let file = format!("{name}-{}x{}.txt", console.state.size.columns, console.state.size.rows);
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/pictures").join(&file);
        let picture = console.picture();
        if fs::read_to_string(&expected).ok().as_deref() != Some(picture.as_str()) {
            let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
            fs::create_dir_all(&actual).unwrap();
            fs::write(actual.join(&file), &picture).unwrap();
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
    }
}

fn revoking(size: Size) -> Console {
    let mut console = Console::watching(size);
    console.press("^x");
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
