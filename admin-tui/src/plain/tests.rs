use serde_json::json;
use zeroize::Zeroizing;

use super::*;
use crate::event::{Failure, Size};
use crate::secrets::{Secrets, Slot};
use crate::state::{Confirmed, Look, Outcome, Planned, Readiness};

/// A console without a server: what it asks is answered at once, but for acts, and everything that is printed is kept.
struct Session {
    plain: Plain,
    secrets: Secrets,
    now_ms: u64,
    frozen: bool,
    transcript: String,
    wanted: Option<Prompt>,
    acts: Vec<Confirmed>,
    ended: bool,
}

impl Session {
    fn start(logged_in: bool, read_only: bool) -> Self {
        let state = State::new("default", Look::default(), read_only, Size { columns: 80, rows: 25 });
        let (plain, secrets) = (Plain::new(state, Because::Flag), Secrets::default());
        let (transcript, acts) = (String::new(), Vec::new());
        let mut session =
            Self { plain, secrets, now_ms: 0, frozen: false, transcript, wanted: None, acts, ended: false };
        let actions = session.plain.start(Some("ada"), logged_in, Kind::Credentials);
        session.answer(actions);
        session
    }

    fn at(&self) -> Moment {
        Moment { steady_ms: self.now_ms, unix_ms: self.now_ms.saturating_add(1_790_856_000_000) }
    }

    fn answer(&mut self, actions: Vec<Action>) {
        for line in self.plain.said() {
            self.transcript.extend([line.as_str(), "\n"]);
        }
        self.wanted = self.plain.wants().or(self.wanted);
        self.secrets.tidy(&self.plain.state);
        for action in actions {
            let answer = match action {
                Action::Ask(Ask::Status) => Answer::Status(Ok(readiness())),
                Action::Ask(Ask::Page { view, kind, wanted, .. }) => {
                    let result =
                        (kind.shape().read)(&page(self.frozen)).map_err(|e| Failure::Unreadable(e.to_string().into()));
                    Answer::Page { view, wanted, result }
                }
                Action::Ask(Ask::One { view, id, .. }) => {
                    let page = (Kind::Credentials.shape().read)(&page(self.frozen)).unwrap();
                    let item = page.items.into_iter().find(|item| item.id == id).unwrap();
                    Answer::One { view, id, result: Ok(Box::new(item)) }
                }
                Action::Ask(Ask::Before { ticket, .. }) => {
                    let name = "anna-main".to_owned();
                    let lines = vec!["2 virtual keys stop.".into()];
                    Answer::Before { ticket, result: Ok(Planned { name, lines, ..Planned::default() }) }
                }
                Action::Ask(Ask::Login { .. }) => {
                    let right = self.secrets.copy(Slot::Password).as_str() == "correct horse";
                    let wrong = || Failure::Refused {
                        status: 401,
                        code: "unauthenticated".into(),
                        text: "name or password is wrong".into(),
                        request_id: None,
                    };
                    Answer::Login(if right { Ok("ada".into()) } else { Err(wrong()) })
                }
                Action::Ask(Ask::Act { ticket, confirmed }) => {
                    self.frozen |= confirmed.deed() == crate::kind::Deed::Freeze;
                    self.acts.push(confirmed);
                    let outcome = Outcome { request_id: Some("req_9".into()), ..Outcome::default() };
                    Answer::Act { ticket, result: Ok(outcome) }
                }
                Action::Quit => {
                    self.ended = true;
                    continue;
                }
                other @ (Action::Ask(_) | Action::Copy(_) | Action::Repaint | Action::Suspend) => panic!("{other:?}"),
            };
            self.secrets.hear(&answer);
            self.hear(Input::Answer(answer));
        }
    }

    fn hear(&mut self, input: Input) {
        let actions = self.plain.hear(self.at(), input);
        self.answer(actions);
    }

    /// Types a line for each prompt as it comes.
    fn type_lines(&mut self, lines: &[&str]) {
        for line in lines {
            while self.wanted.is_none() {
                self.now_ms = self.now_ms.saturating_add(500);
                assert!(self.now_ms < 600_000, "nothing is asked:\n{}", self.transcript);
                self.hear(Input::Tick);
            }
            let secret = self.wanted.take().unwrap().is_secret();
            self.transcript.extend(["> ", if secret { "(secret)" } else { line }, "\n"]);
            let actions = self.plain.read(self.at(), &Zeroizing::new((*line).to_owned()), &mut self.secrets);
            self.answer(actions);
        }
    }
}

fn readiness() -> Readiness {
    serde_json::from_value(json!({"ready": true, "parts": {"store": "ok"}, "warnings": [], "said_ms": null})).unwrap()
}

fn page(frozen: bool) -> Vec<u8> {
    let row = |id: &str, label: &str, state: &str| {
        json!({"id": id, "tenant": "ten_1", "owner": "eu_7", "label": label, "venue": "binance", "kind": "hmac",
            "ceiling": {"class": "read"}, "hint": "h", "state": state, "health": "ok", "ip_restricted": false,
            "version": 3, "created_at": "2026-10-01T11:00:00Z", "changed_at": "", "probed_at": ""})
    };
    let state = if frozen { "frozen" } else { "active" };
    let rows = [row("cred_1", "anna-main", state), row("cred_2", "\u{1b}[2Jevil\u{202e}", "active")];
    json!({"data": rows, "next_cursor": null}).to_string().into_bytes()
}

const LIST: &str = "\
default: credentials
2 of 2 rows
1. label: anna-main; owner: eu_7; venue: binance; state: active; health: ok; ceiling: read; ver: 3; age: 1h ago
2. label: ␛[2Jevil<U+202E>; owner: eu_7; venue: binance; state: active; health: ok; ceiling: read; ver: 3; age: 1h ago
";

#[test]
fn a_session_from_login_to_a_freeze() {
    let mut session = Session::start(false, false);
    session.type_lines(&["wrong", "correct horse", "freeze 1", "y", "refresh", "quit"]);
    let expected = format!(
        "claviger console, line by line, because --plain was given. `help` tells what can be typed.
{password}
> (secret)
name or password is wrong (401 unauthenticated)
{password}
> (secret)
logged in as ada
service: LIVE
all parts ok
{LIST}command:
> freeze 1
FREEZE credential
anna-main (cred_1)
Nothing more is signed with it until an operator unfreezes it.
What is in flight may still be answered by binance; open orders stay open.
{confirm}
> y
under way …
frozen credential anna-main (…ed_1)
request req_9
changed: 1 row (refresh)
command:
> refresh
{}command:
> quit
",
        LIST.replace(
            "anna-main; owner: eu_7; venue: binance; state: active",
            "anna-main; owner: eu_7; venue: binance; state: frozen"
        ),
        password = s::PLAIN_PASSWORD,
        confirm = s::PLAIN_CONFIRM,
    );
    assert_eq!(session.transcript, expected);
    assert!(session.ended);
    assert!(session.transcript.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn what_disrupts_asks_for_a_reason_and_what_cannot_be_undone_for_the_name() {
    let mut session = Session::start(true, false);
    session.type_lines(&["delete 1", "short", "a good enough reason", "anna", "anna-main", "yes"]);
    let from = session.transcript.find("DELETE").unwrap();
    let expected = format!(
        "DELETE credential
anna-main (cred_1)
asking the server how it stands …
2 virtual keys stop.
{cancel}
reason:
> short
a reason has 10 to 200 characters; this one has 5
reason:
> a good enough reason
type anna-main to go on:
> anna
type anna-main exactly, to do what cannot be undone
type anna-main to go on:
> anna-main
{confirm}
> yes
{cancelled}
command:
",
        cancel = s::PLAIN_CANCEL,
        confirm = s::PLAIN_CONFIRM,
        cancelled = s::PLAIN_CANCELLED,
    );
    assert_eq!(session.transcript[from..], expected);
    assert!(session.acts.is_empty(), "anything but y cancels");
    session.type_lines(&["delete 1", "a good enough reason", "anna-main", "y", "log"]);
    assert_eq!(session.acts.len(), 1);
    assert_eq!(session.acts[0].name(), Some("anna-main"));
    assert!(
        session
            .transcript
            .contains("delete credential anna-main (…ed_1): deleted\nrequest req_9, a good enough reason\n")
    );
}

#[test]
fn a_secret_goes_where_secrets_are_and_nowhere_else() {
    let mut session = Session::start(true, false);
    session.type_lines(&["rotate 1", "new-key-id"]);
    while session.wanted.is_none() {
        session.now_ms += 500;
        session.hear(Input::Tick);
    }
    assert!(session.wanted.unwrap().is_secret());
    session.type_lines(&["hunter2-hunter2"]);
    assert_eq!(session.secrets.copy(Slot::Answer).as_str(), "hunter2-hunter2");
    assert!(!format!("{:?}{}", session.plain, session.transcript).contains("hunter2"));
    session.type_lines(&["no"]);
    assert_eq!(session.secrets.copy(Slot::Answer).as_str(), "");
}

#[test]
fn a_line_is_read_only_once_a_dialog_could_be_read() {
    let mut session = Session::start(true, false);
    session.type_lines(&["freeze 1"]);
    assert_eq!(session.wanted, None, "what is typed ahead must not answer it");
    assert!(session.transcript.ends_with(&format!("{}\n", s::PLAIN_CONFIRM)));
    session.now_ms += 500;
    session.hear(Input::Tick);
    assert_eq!(session.wanted, Some(Prompt::Confirm));
}

#[test]
fn looks_closely_goes_elsewhere_and_says_what_it_does_not_understand() {
    let mut session = Session::start(true, true);
    session.type_lines(&["open 1"]);
    assert!(
        session.transcript.contains("default: credentials, anna-main\nlabel: anna-main\n"),
        "{}",
        session.transcript
    );
    assert!(session.transcript.contains("age: 2026-10-01T11:00:00Z   1h ago\n"));
    session.type_lines(&["back", "filter anna", "open 7", "freeze", "freeze 1", "sort nonsense", "part timeline"]);
    let told =
        |session: &Session, text: &str| assert!(session.transcript.contains(text), "{text}:\n{}", session.transcript);
    told(&session, "filter: anna\n");
    told(&session, s::PLAIN_NO_ROW);
    told(&session, "say to which row: freeze 1\n");
    told(&session, s::READ_ONLY);
    told(&session, "it is sorted by one of label, owner");
    session.type_lines(&["mark 1", "freeze 1", "unmark", "what", "help", "copy 2", "sort label reverse", ""]);
    told(&session, "1 marked\n");
    told(&session, s::PLAIN_MARKED);
    told(&session, s::PLAIN_UNKNOWN);
    told(&session, "open 3: tells all of row 3\n");
    told(&session, "\ncred_2\n");
    assert!(!session.transcript.contains("freeze 3: freezes"), "a read-only console offers no act");
    assert!(session.acts.is_empty());
}

#[test]
fn a_login_that_ends_is_made_anew_before_anything_else_is_typed() {
    let mut session = Session::start(true, false);
    while session.wanted.is_none() {
        session.hear(Input::Tick);
    }
    let ended =
        Failure::Refused { status: 401, code: "unauthenticated".into(), text: "ended".into(), request_id: None };
    session.hear(Input::Answer(Answer::Status(Err(ended))));
    assert!(session.transcript.ends_with(&format!("{}\n{}\n", s::LOGIN_ENDED, s::PLAIN_PRESS_ENTER)));
    session.type_lines(&["freeze 1"]);
    assert_eq!(session.wanted, Some(Prompt::Operator), "that line was for nothing");
    session.type_lines(&["ada", "correct horse", "quit"]);
    assert!(session.ended && session.acts.is_empty());
}

#[test]
fn a_command_is_obeyed_while_an_answer_is_awaited() {
    let mut session = Session::start(true, false);
    while session.wanted.is_none() {
        session.hear(Input::Tick);
    }
    session.now_ms += 2_000;
    let asked = session.plain.hear(session.at(), Input::Tick);
    assert_eq!(asked, [Action::Ask(Ask::Status)], "and no answer comes");
    session.type_lines(&["freeze 1"]);
    assert!(session.plain.state.dialog.is_some(), "{}", session.transcript);
}
