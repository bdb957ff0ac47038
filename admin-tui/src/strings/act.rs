//! What is said of acts: before them, in their dialogs, and of what came of them.

use super::{NO_REQUEST_ID, SECOND, clock, failure};
use crate::clean::{CHARS_MAX, Clean};
use crate::event::Failure;
use crate::kind::{Act, Item};
use crate::state::dialog::{REASON_CHARS_MAX, REASON_CHARS_MIN};
use crate::state::{Cause, Field, InFlight, Outcome, Planned, Record};

/// Why an act that wanted a proof was not done.
pub(crate) fn proof_missing() -> Failure {
    Failure::NotSent("you did not prove who you are".into())
}

/// What a failure means for whoever asked for an act.
pub(crate) fn act_failure(verb: &str, failure: &Failure) -> Clean {
    match failure {
        Failure::NotSent(why) => format!("Not done: it did not reach the server ({why}). Everything is as it was.").into(),
        Failure::NoAnswer(why) => format!(
            "NOT KNOWN whether it was done: the server was reached and did not answer ({why}). Look how it stands before \
             you {verb} again."
        )
        .into(),
        Failure::Unreadable(why) => {
            format!("NOT KNOWN whether it was done: the answer is not understood ({why}). Look how it stands.").into()
        }
        Failure::Refused { status: 412, text, .. } => {
            format!("Not done: it changed while you were reading. {text}").into()
        }
        Failure::Refused { status, code, text, .. } if *status >= 500 => {
            format!("NOT KNOWN whether it was done: {text} ({status} {code}). Look how it stands.").into()
        }
        Failure::Refused { status, code, text, .. } => format!("Not done: {text} ({status} {code})").into(),
    }
}

/// What came of an act, in one line.
pub(crate) fn told(record: &Record, result: Result<&Outcome, &Failure>) -> Clean {
    let (verb, done) = words(record);
    let what = what(record);
    match result {
        Ok(Outcome { waiting: Some(approval), .. }) => {
            format!("asked to {verb} {what}: {approval} waits for a second operator").into()
        }
        Ok(outcome) if !outcome.failed.is_empty() => {
            format!("{done} {}, and {} NOT: the dialog and the log say which", outcome.done, outcome.failed.len())
                .into()
        }
        Ok(_) => format!("{done} {what}").into(),
        Err(why) => format!("{verb} {what}: {}", act_failure(verb, why)).into(),
    }
}

/// What an act is called, and what it has done.
pub(crate) fn words(record: &Record) -> (&'static str, &'static str) {
    let act = record.kind.shape().acts.iter().find(|act| act.deed == record.deed);
    act.map_or(("do it to", "done"), |act| (act.verb, act.done))
}

/// What an act was about.
fn what(record: &Record) -> String {
    let one = record.kind.shape().one;
    match (&record.first, record.count) {
        (None, _) => String::new(),
        (Some((id, name)), 0 | 1) => format!("{one} {} (…{})", name.within(NAME_COLUMNS), id.tail()),
        (Some(_), count) => format!("{count} of kind {one}"),
    }
}

/// How many requests are in flight.
pub(crate) fn in_flight(count: usize) -> String {
    format!("{count} in flight, granted before and without an outcome yet:")
}

/// The title of a dialog.
pub(crate) fn dialog_title(cause: &Cause, act: &Act) -> String {
    match cause.victims.len() {
        0 => act.verb.to_uppercase(),
        1 => format!("{} {}", act.verb.to_uppercase(), cause.kind.shape().one),
        count => format!("{} {count} of kind {}", act.verb.to_uppercase(), cause.kind.shape().one),
    }
}

/// What is wrong with a reason's length.
pub(crate) fn reason_length(chars: usize) -> String {
    format!("a reason has {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters; this one has {chars}")
}

/// That the name that was typed is not the one.
pub(crate) fn name_differs(name: &Clean) -> Clean {
    format!("type {} exactly, to do what cannot be undone", name.within(NAME_COLUMNS)).into()
}

/// Why an act could not even be asked for.
pub(crate) fn unread(why: &Failure) -> Clean {
    format!("Not done: how it stands could not be read. {}", failure(why)).into()
}

/// What will happen, before it does.
pub(crate) fn plan(cause: &Cause, act: &Act, planned: Option<&Planned>) -> Vec<Clean> {
    // Of several, what is said is true of each.
    let said = (act.said)(cause.first().filter(|_| cause.victims.len() == 1)).into_iter().map(Clean::from);
    let waits = planned.is_some_and(|planned| planned.second).then(|| Clean::from(SECOND));
    planned.iter().flat_map(|planned| planned.lines.iter().cloned()).chain(said).chain(waits).collect()
}

/// One of several things that an act is about.
pub(crate) fn one_of(item: &Item) -> Clean {
    format!("{} (…{})", item.name.within(NAME_COLUMNS), item.id.tail()).into()
}

/// That there are more.
pub(crate) fn and_more(count: usize) -> Clean {
    format!("and {count} more").into()
}

/// To which of several things an act was not done, and why.
pub(crate) fn not_done(name: &Clean, verb: &str, why: &Failure) -> Clean {
    format!("{}: {}", name.within(NAME_COLUMNS), act_failure(verb, why)).into()
}

/// To how many of several things an act was done.
pub(crate) fn done_to(count: usize) -> Clean {
    format!("done to {count}").into()
}

/// What was typed, and what for.
pub(crate) fn typed(label: &str, field: &Field) -> Clean {
    format!("{label}: {}", field.shown().within(80)).into()
}

/// The same, whole: in pieces of which nothing is cut.
pub(crate) fn typed_whole(label: &str, field: &Field) -> Vec<Clean> {
    let whole: Vec<char> = format!("{label}: {}", field.text()).chars().collect();
    whole.chunks(CHARS_MAX).map(|piece| piece.iter().collect::<String>().into()).collect()
}

/// A request that is in flight.
pub(crate) fn in_flight_line(open: &InFlight) -> Clean {
    let what = open.execution.as_ref().map_or("of the service itself", Clean::as_str);
    format!("  {what}   since {}", open.at).into()
}

/// What was done, and when, in the log.
pub(crate) fn log_head(record: &Record) -> Clean {
    format!("   {}  {} {} ", clock(record.unix_ms), words(record).0, what(record)).into()
}

/// Under which number, and why, in the log.
pub(crate) fn log_tail(record: &Record) -> Clean {
    let request = record.request_id().map_or_else(|| NO_REQUEST_ID.into(), request);
    format!("              {request}, {}", record.reason).into()
}

/// How the number of an act's request is shown.
pub(crate) fn request(id: &Clean) -> Clean {
    format!("request {id}").into()
}

/// A name from outside takes no more than this within a sentence, so that it cannot push the rest away.
const NAME_COLUMNS: usize = 24;
