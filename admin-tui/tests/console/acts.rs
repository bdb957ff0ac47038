//! Acts: the way they go, and the ways they do not.

use claviger_admin_tui::action::{Action, Ask};
use claviger_admin_tui::event::{Answer, Failure, Input, Size};
use claviger_admin_tui::keymap::Danger;
use claviger_admin_tui::kind::{Before, Deed, Item, KINDS, Kind, Reason};
use claviger_admin_tui::state::{Confirmed, InFlight, Look, Outcome, Planned, Stage};

use super::harness::{Console, USUAL, acts, page, pages, refused, row, status, usual};

const REASON: &str = "laptop was stolen, ticket 8841";

/// What the server says before an act.
fn planned() -> Planned {
    Planned {
        name: "anna-hedge".to_owned(),
        lines: vec!["credential anna-hedge is active instead of frozen".into()],
        second: true,
        digest: Some("sha256:7".to_owned()),
        etag: Some("\"7\"".to_owned()),
    }
}

fn target(confirmed: &Confirmed) -> &str {
    confirmed.targets()[0].id.as_str()
}

/// Whether the thing that is looked at is asked for before an act on it.
fn asks_before(actions: &[Action]) -> bool {
    matches!(actions, [Action::Ask(Ask::Before { .. })])
}

fn outcome() -> Outcome {
    Outcome {
        waiting: None,
        in_flight: Some(vec![InFlight { execution: Some("exec_01".into()), at: "2026-10-01T11:59:59.000Z".into() }]),
        at_venue: Some("the key still exists at binance".into()),
        request_id: Some("req_42".into()),
        ..Outcome::default()
    }
}

#[test]
fn a_freeze_is_one_key_and_a_confirmation() {
    let mut console = Console::watching(USUAL);
    assert_eq!(console.press("F"), []);
    assert!(console.shows("FREEZE credential") && console.shows("cred_01k6g000000000000000000001"));
    let actions = console.press("y");
    let [(ticket, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!((confirmed.deed(), target(confirmed)), (Deed::Freeze, usual()[0].id.as_str()));
    let actions = console.hear(Answer::Act { ticket, result: Ok(outcome()) });
    assert_eq!(pages(&actions), [(Kind::Credentials, None, "")], "what is shown next is the server's");
    assert!(console.shows("1 in flight") && console.shows("exec_01") && console.shows("req_42"));
    console.press("esc");
    assert!(console.shows("frozen credential anna-main (…0001)"));
    console.press("L");
    assert!(console.shows("request req_42"));
}

#[test]
fn a_revocation_asks_for_a_reason_first() {
    let mut console = Console::watching(USUAL);
    assert!(asks_before(&console.press("^x")));
    assert!(console.shows("asking the server how it stands"));
    console.plan(Ok(Planned::default()));
    assert!(console.shows("the key still exists at binance"));
    assert_eq!(console.press("n o w enter"), []);
    assert!(console.shows("a reason has 10 to 200 characters; this one has 3"));
    assert_eq!(console.press("y"), [], "that was a letter of the reason");
    console.write(REASON);
    assert_eq!(console.press("enter"), []);
    assert!(console.shows("reason: nowylaptop was stolen"));
    let actions = console.press("y");
    let [(_, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!((confirmed.deed(), confirmed.reason()), (Deed::Revoke, Some(format!("nowy{REASON}").as_str())));
}

#[test]
fn an_unfreezing_reads_how_it_stands_and_says_so_to_the_server() {
    let mut console = Console::watching(USUAL);
    assert!(asks_before(&console.press("j U")));
    assert!(console.shows("asking the server how it stands"));
    console.plan(Ok(planned()));
    assert!(console.shows("is active instead of frozen") && console.shows("waits for a second operator"));
    console.wait(300);
    console.write(REASON);
    let actions = console.press("enter y");
    let [(ticket, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!((confirmed.deed(), confirmed.etag()), (Deed::Unfreeze, Some("\"7\"")));
    assert_eq!(confirmed.digest(), Some("sha256:7"));
    console.hear(Answer::Act { ticket, result: Err(refused(412, "read it again.")) });
    assert!(console.shows("it changed while you were reading. read it again."));
}

#[test]
fn what_waits_for_a_second_operator_is_not_called_done() {
    let mut console = Console::watching(USUAL);
    console.press("j U");
    console.plan(Ok(planned()));
    console.wait(300);
    console.write(REASON);
    let actions = console.press("enter y");
    let [(ticket, _)] = acts(&actions)[..] else { panic!("{actions:?}") };
    let waiting = Some("appr_1".into());
    console.hear(Answer::Act { ticket, result: Ok(Outcome { waiting, ..Outcome::default() }) });
    console.press("esc");
    assert!(console.shows("appr_1 waits for a second") && !console.shows("unfrozen"));
}

#[test]
fn what_cannot_be_read_is_not_unfrozen() {
    let mut console = Console::watching(USUAL);
    console.press("j U");
    console.plan(Err(Failure::NoAnswer("nothing".into())));
    assert!(console.shows("Not done: how it stands could not be read."));
    assert_eq!(console.press("y enter"), []);
}

#[test]
fn enter_and_escape_never_confirm() {
    for key in ["enter", "esc", "n", "q"] {
        let mut console = Console::watching(USUAL);
        assert_eq!(console.press(&format!("F {key}")), []);
        assert_eq!(console.state.dialog, None, "{key}");
    }
}

#[test]
fn keys_typed_ahead_do_not_count() {
    let mut console = Console::watching(USUAL);
    assert_eq!(console.write("Fyyyyyyy"), []);
    console.wait(249);
    assert_eq!(console.write("y"), []);
    console.wait(1);
    assert_eq!(acts(&console.write("y")).len(), 1);
}

#[test]
fn keys_do_not_count_for_what_was_never_drawn() {
    let mut console = Console::watching(USUAL);
    let key = |letter| Input::Key(claviger_admin_tui::event::Key::Char(letter));
    console.tell_undrawn(key('F'));
    console.wait(10_000);
    assert_eq!(console.tell_undrawn(key('y')), []);
}

#[test]
fn a_paste_is_never_keys() {
    let mut console = Console::watching(USUAL);
    assert_eq!(console.paste("F"), []);
    assert_eq!(console.state.dialog, None);
    console.press("F");
    console.wait(300);
    assert_eq!(console.paste("yyyy\ny"), []);
    console.press("esc ^x");
    console.plan(Ok(Planned::default()));
    console.wait(300);
    assert_eq!(console.paste("a pasted\nreason\u{1b}"), []);
    console.press("enter");
    assert!(console.shows("reason: a pasted reason"));
}

#[test]
fn while_what_is_shown_may_be_old_only_freeze_is_allowed() {
    let mut console = Console::watching(USUAL);
    console.wait(14_000);
    console.tell(Input::Tick);
    assert!(console.shows("STALE since") && console.shows("14s"), "{}", console.picture());
    for key in ["^x", "U"] {
        console.press("j");
        assert_eq!(console.press(key), []);
        assert!(console.state.dialog.is_none() && console.shows("only stopping is allowed"), "{key}");
    }
    assert_eq!(acts(&console.press("F y")).len(), 1);
}

#[test]
fn what_goes_stale_in_an_open_dialog_is_not_done() {
    let mut console = Console::watching(USUAL);
    console.press("^x");
    console.plan(Ok(Planned::default()));
    console.wait(300);
    console.write(REASON);
    console.press("enter");
    console.wait(20_000);
    assert_eq!(console.press("y"), []);
    assert!(console.shows("only stopping"));
    console.hear(status(true));
    console.hear(page(&console.state, usual()));
    assert_eq!(acts(&console.press("y")).len(), 1);
}

#[test]
fn a_read_only_console_does_nothing_and_offers_nothing() {
    let mut console = Console::with(USUAL, Look::default(), true).watch();
    assert!(console.shows("READ ONLY") && !console.shows("freeze "));
    for key in ["F", "^x", "U"] {
        assert_eq!(console.press(&format!("{key} y")), []);
        assert!(console.state.dialog.is_none() && console.shows("refused: this console was started read-only"));
    }
    console.press("?");
    assert!(!console.shows("D1") && !console.shows("D2"));
}

#[test]
fn what_would_change_nothing_is_not_asked_for() {
    let mut console = Console::watching(USUAL);
    console.press("U");
    assert!(console.shows("nothing to unfreeze"));
    console.press("j j j F");
    assert!(console.shows("revoked already"));
    assert_eq!(console.state.dialog, None);
}

#[test]
fn an_act_without_an_answer_is_not_called_a_failure() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    console.hear(Answer::Act { ticket, result: Err(Failure::NoAnswer("nothing within 15s".into())) });
    assert!(console.shows("NOT KNOWN whether it was done"));
    console.press("esc L");
    assert!(console.shows("NOT KNOWN"));
}

#[test]
fn a_dialog_can_be_left_while_the_act_goes_on() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    console.press("esc j F");
    console.hear(Answer::Act { ticket, result: Err(refused(403, "not your role")) });
    assert!(console.shows("FREEZE credential") && console.shows("anna-hedge"), "the second dialog is not the answer's");
    assert!(console.shows("freeze credential anna-main (…0001): Not done: not your role"));
}

#[test]
fn an_act_under_way_is_not_cut_off_by_leaving() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    assert_eq!(console.press("esc q"), []);
    assert!(console.shows("an act has no answer yet"));
    console.hear(Answer::Act { ticket, result: Ok(outcome()) });
    assert_eq!(console.press("q"), [Action::Quit]);
}

#[test]
fn a_dialog_keeps_its_victim_whatever_the_list_does() {
    let mut console = Console::watching(USUAL);
    console.press("F");
    console.hear(page(&console.state, vec![row(9, "somebody-else", "kraken", "active", "ok")]));
    let actions = console.press("y");
    assert_eq!(target(acts(&actions)[0].1), usual()[0].id.as_str());
}

#[test]
fn acts_from_the_detail_are_about_what_it_shows() {
    let mut console = Console::watching(USUAL);
    console.press("j enter");
    assert!(console.shows("vmPU…Eh8A") && console.shows("listed ones only"));
    let actions = console.press("F y");
    assert_eq!(target(acts(&actions)[0].1), usual()[1].id.as_str());
}

#[test]
fn several_are_marked_and_stopped_in_one_act() {
    let mut console = Console::watching(USUAL);
    console.press("space space");
    assert!(console.shows("2 marked"));
    console.press("F");
    assert!(console.shows("FREEZE 2 of kind credential") && console.shows("anna-main") && console.shows("anna-hedge"));
    let actions = console.press("y");
    let [(ticket, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!(confirmed.targets().iter().map(|item| &item.id).collect::<Vec<_>>(), [&usual()[0].id, &usual()[1].id]);
    let failed = vec![("anna-hedge".into(), refused(409, "it is being rotated"))];
    console.hear(Answer::Act { ticket, result: Ok(Outcome { done: 1, failed, ..Outcome::default() }) });
    assert!(console.shows("done to 1") && console.shows("anna-hedge: Not done: it is being rotated"));
    console.press("esc U");
    assert!(console.state.dialog.is_some(), "the marks went with the act");
}

#[test]
fn what_disrupts_several_is_confirmed_by_their_number() {
    let mut console = Console::watching(USUAL);
    console.press("space space ^x");
    assert_eq!(*console.state.dialog.as_ref().unwrap().stage(), Stage::Form);
    console.wait(300);
    console.write(REASON);
    console.press("enter 3 enter");
    assert!(console.shows("type 2 exactly"));
    assert_eq!(console.press("y"), []);
    console.press("backspace backspace 2 enter");
    assert_eq!(acts(&console.press("y")).len(), 1);
}

#[test]
fn one_at_a_time_is_one_at_a_time() {
    let mut console = Console::watching(USUAL);
    console.press("space space U");
    assert!(console.state.dialog.is_none() && console.shows("done to one at a time"));
}

#[test]
fn what_cannot_be_undone_wants_the_name_that_the_server_gives() {
    let mut console = Console::watching(USUAL);
    assert!(asks_before(&console.press("j D")));
    console.plan(Ok(planned()));
    console.wait(300);
    console.write(REASON);
    console.press("enter");
    console.write("anna-hedg");
    console.press("enter");
    assert!(console.shows("type anna-hedge exactly"));
    assert_eq!(console.press("y"), []);
    console.press("backspace e");
    console.press("enter");
    let actions = console.press("y");
    let [(_, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!((confirmed.name(), confirmed.digest()), (Some("anna-hedge"), Some("sha256:7")));
}

#[test]
fn a_proof_is_asked_for_where_the_server_wants_one() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    console.hear(Answer::Proof { ticket, text: None });
    assert!(console.shows("who you are before it does that"));
    console.wait(300);
    console.write("correct horse");
    console.press("enter");
    console.write("123456");
    assert_eq!(console.press("enter"), [Action::Ask(Ask::Prove { ticket })]);
    console.hear(Answer::Proof { ticket, text: Some("the code is wrong".into()) });
    assert!(console.shows("the code is wrong"));
    console.hear(Answer::Act { ticket, result: Ok(outcome()) });
    assert!(console.shows("frozen credential anna-main"));
    let written = serde_json::to_string(&(&console.state, &console.events)).unwrap();
    assert!(!written.contains("correct horse") && !written.contains("\"Char\":\"4\""));
}

#[test]
fn an_act_that_nobody_proves_is_forgotten() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    console.hear(Answer::Proof { ticket, text: None });
    let actions = console.press("esc");
    assert!(actions.contains(&Action::Ask(Ask::Forget { ticket })));
    assert!(console.state.log.is_waiting(), "it may have been proven in a browser");
    console.hear(not_proven(ticket));
    assert!(!console.state.log.is_waiting(), "it is known that it was not done");
    console.press("L");
    assert!(console.shows("not done"));
}

/// What the client says of an act that it held back, and that was called off.
fn not_proven(ticket: u64) -> Answer {
    Answer::Act { ticket, result: Err(Failure::NotSent("you did not prove who you are".into())) }
}

#[test]
fn an_act_that_nobody_was_there_to_prove_is_told_not_to_be_done() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    console.press("esc");
    assert_eq!(console.hear(Answer::Proof { ticket, text: None }), [Action::Ask(Ask::Forget { ticket })]);
    console.hear(not_proven(ticket));
    assert!(console.shows("anna-main (…0001): Not done"), "{}", console.picture());
}

#[test]
fn a_rotation_asks_for_the_new_key_and_keeps_the_secret_out_of_the_state() {
    let mut console = Console::watching(USUAL);
    assert!(asks_before(&console.press("^r")));
    console.plan(Ok(Planned { etag: Some("\"3\"".to_owned()), ..Planned::default() }));
    console.wait(300);
    console.write("new-key-id");
    console.press("enter");
    console.paste("s3cr3t-of-the-venue");
    console.press("enter");
    let actions = console.press("y");
    let [(_, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!((confirmed.etag(), confirmed.answers()[0].text.as_str()), (Some("\"3\""), "new-key-id"));
    let written = serde_json::to_string(&(&console.state, &console.events)).unwrap();
    assert!(!written.contains("s3cr3t") && !format!("{confirmed:?}").contains("s3cr3t"));
    assert_eq!(console.secrets.copy(claviger_admin_tui::secrets::Slot::Answer).as_str(), "s3cr3t-of-the-venue");
    console.secrets.tidy(&console.state);
    assert_eq!(console.secrets.copy(claviger_admin_tui::secrets::Slot::Answer).as_str(), "", "it went with the act");
}

#[test]
fn what_is_harmless_is_done_at_once() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("p");
    let [(_, confirmed)] = acts(&actions)[..] else { panic!("{actions:?}") };
    assert_eq!(confirmed.deed(), Deed::Probe);
    let gone = Item { gone: true, ..usual().remove(0) };
    console.press("r");
    console.hear(page(&console.state, vec![gone]));
    assert_eq!(console.press("p"), []);
    assert!(console.shows("not there any more"));
}

#[test]
fn a_plan_may_want_a_proof_too() {
    let mut console = Console::watching(USUAL);
    console.press("^x");
    let ticket = console.state.dialog.as_ref().unwrap().ticket();
    console.hear(Answer::Proof { ticket, text: None });
    console.wait(300);
    console.write("correct horse");
    console.press("enter");
    assert_eq!(console.press("enter"), [Action::Ask(Ask::Prove { ticket })]);
    console.plan(Ok(Planned::default()));
    assert!(console.shows("the key still exists at binance"));
    console.wait(300);
    console.write(REASON);
    assert_eq!(acts(&console.press("enter y")).len(), 1);
}

#[test]
fn what_was_typed_is_read_whole_before_it_counts() {
    let mut console = Console::watching(USUAL);
    console.press("^x");
    console.plan(Ok(Planned::default()));
    console.wait(300);
    let whole: Vec<String> = (0..20).map(|n| format!("word-{n:03}")).collect();
    console.paste(&whole.join(" "));
    console.press("enter");
    let seen: String = console.picture().split_whitespace().filter(|word| word.starts_with("word-")).collect();
    assert_eq!(seen, whole.concat(), "{}", console.picture());
}

#[test]
fn of_several_nothing_is_said_that_is_true_of_the_first_alone() {
    let mut console = Console::watching(USUAL);
    console.press("space j space");
    console.press("^x");
    assert!(console.shows("its venue") && !console.shows("at binance"), "{}", console.picture());
}

#[test]
fn half_a_password_is_no_empty_field_after_the_terminal_was_too_small() {
    let mut console = Console::watching(USUAL);
    let actions = console.press("F y");
    let ticket = acts(&actions)[0].0;
    console.hear(Answer::Proof { ticket, text: None });
    console.wait(300);
    console.tell(Input::Tick);
    console.write("half");
    let before = console.picture();
    for size in [Size { columns: 59, rows: 20 }, USUAL] {
        console.tell(Input::Resize(size));
    }
    assert_eq!(console.picture(), before);
    assert_eq!(console.secrets.copy(claviger_admin_tui::secrets::Slot::Password).as_str(), "half");
}

#[test]
fn what_disrupts_shows_the_servers_plan_and_takes_a_reason_but_for_these() {
    let acts = KINDS.iter().flat_map(|kind| kind.shape().acts.iter().map(move |act| (kind, act)));
    let mut without: Vec<String> = Vec::new();
    for (kind, act) in acts.filter(|(_, act)| act.danger == Danger::D2) {
        let plan = if act.before == Before::Plan { "" } else { " no plan" };
        let reason = if act.reason == Reason::Asked { "" } else { " no reason" };
        if !plan.is_empty() || !reason.is_empty() {
            without.push(format!("{kind:?} {:?}:{plan}{reason}", act.deed));
        }
    }
    assert_eq!(without, BARE);
}

/// Acts that disrupt, and of which the server makes no plan or takes no reason.
const BARE: &[&str] = &[
    "Credentials Rotate: no plan no reason",
    "Incidents Revoke: no plan",
    "Incidents Notify: no plan no reason",
    "Incidents Publish: no plan no reason",
    "Incidents Close: no plan no reason",
    "Approvals Approve: no plan",
    "Held Approve: no plan",
    "Authenticators EndSecret: no plan no reason",
    "Authenticators EndKey: no plan no reason",
    "Authenticators EndCertificate: no plan no reason",
    "Grants Revoke: no reason",
    "VirtualKeys Revoke: no reason",
    "Keks Withdraw: no plan",
    "Operators Remove: no plan no reason",
    "Webhooks Delete: no plan no reason",
    "Decoys Delete: no plan no reason",
];
