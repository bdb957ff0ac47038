use std::fs::File;
use std::io::Write as _;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;

/// All lines of an input; `None` is one that is of no use.
fn lines(secret: bool, input: &[u8]) -> Vec<Option<String>> {
    let mut bytes = input.iter().copied();
    let mut lines = Vec::new();
    loop {
        match read(secret, || bytes.next()) {
            Line::Text(text) => lines.push(Some(text.to_string())),
            Line::Unusable => lines.push(None),
            Line::End => return lines,
        }
    }
}

fn texts(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_line_ends_where_it_ends() {
    assert_eq!(lines(false, b""), []);
    assert_eq!(lines(false, b"one\n\ntwo\r\n"), texts(&["one", "", "two"]));
    assert_eq!(lines(false, b"one\ncut off"), texts(&["one", "cut off"]));
}

#[test]
fn what_is_no_text_or_too_long_is_of_no_use_and_the_next_line_is() {
    let longest = "x".repeat(LINE_BYTES_MAX);
    assert_eq!(lines(true, longest.as_bytes()), texts(&[&longest]));
    assert_eq!(lines(true, format!("{longest}x\nnext\n").as_bytes()), [None, Some("next".to_owned())]);
    assert_eq!(lines(false, b"\xff\xfe\nnext\n"), [None, Some("next".to_owned())]);
}

#[test]
fn a_secret_that_is_a_key_is_read_to_its_end() {
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    assert_eq!(lines(true, format!("{key}\nnext\n").as_bytes()), texts(&[key, "next"]));
    assert_eq!(lines(false, format!("{key}\n").as_bytes()).len(), 3, "a line that is no secret is one line");
}

/// Both ends of a terminal: where a person types, and where a program reads.
fn terminal() -> (File, OwnedFd) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let program = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (File::from(person), program)
}

fn echoes(terminal: &OwnedFd) -> bool {
    tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ECHO)
}

#[test]
fn a_secret_is_not_echoed_and_everything_else_is() {
    let (mut person, program) = terminal();
    let (sender, mut receiver) = mpsc::channel(1);
    let mut line = || match receiver.blocking_recv() {
        Some((_, Message::Line(Line::Text(text)))) => text.to_string(),
        other => panic!("no line: {other:?}"),
    };
    let lines = Lines::open(program.try_clone().unwrap(), sender).unwrap();
    assert!(echoes(&program));

    lines.want(true, true);
    assert!(!echoes(&program), "while a secret is typed");
    person.write_all(b"secret\n").unwrap();
    assert_eq!(line(), "secret");

    lines.want(false, false);
    assert!(echoes(&program), "while a command is typed");
    person.write_all(b"command\n").unwrap();
    assert_eq!(line(), "command");

    // What was typed before a question was there answers another.
    person.write_all(b"ahead\n").unwrap();
    poll(&mut [PollFd::new(&program, PollFlags::IN)], None).unwrap();
    lines.want(true, true);
    person.write_all(b"after\n").unwrap();
    assert_eq!(line(), "after");

    lines.want(true, true);
    drop(lines);
    assert!(echoes(&program), "the terminal is given back as it was");
}
