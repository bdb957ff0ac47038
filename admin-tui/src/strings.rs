//! Everything the console says, in one place.

use crate::clean::{Clean, clean};
use crate::event::Failure;
use crate::keymap::Danger;
use crate::state::dialog::REASON_CHARS_MIN;
use crate::state::{Deed, InFlight, Link, Outcome, Record, Victim};

macro_rules! texts {
    ($($name:ident = $text:expr;)*) => { $(pub(crate) const $name: &str = $text;)* };
}

texts! {
    // What keys do: a word for the command bar, a sentence for the help.
    OPEN_SHORT = "open";
    OPEN = "looks at the credential closely";
    FREEZE_SHORT = "freeze";
    FREEZE = "freezes the credential: nothing is signed with it until somebody unfreezes it";
    REVOKE_SHORT = "revoke";
    REVOKE = "revokes the credential for good, after a reason";
    UNFREEZE_SHORT = "unfreeze";
    UNFREEZE = "lets the credential be used again, after a reason";
    CONFIRM_SHORT = "do it";
    CONFIRM = "does what the dialog says";
    CANCEL_SHORT = "cancel";
    CANCEL = "closes the dialog; nothing is done";
    CLOSE_SHORT = "close";
    CLOSE = "closes the dialog";
    STOP_WAITING = "closes the dialog; an act under way goes on, and the log tells what came of it";
    NEXT_SHORT = "next";
    REASON_DONE = "ends the reason; nothing is done yet";
    LOGIN_SHORT = "log in";
    LOGIN_SUBMIT = "logs in";
    FIELD_SHORT = "other field";
    FIELD = "goes to the other field";
    KEEP_SHORT = "keep";
    FILTER_DONE = "keeps the filter";
    CLEAR_SHORT = "clear";
    FILTER_CLEAR = "clears the filter";
    FILTER_SHORT = "filter";
    FILTER = "filters the rows that are loaded";
    REFRESH_SHORT = "refresh";
    REFRESH = "asks the server again, from the beginning";
    LOG_SHORT = "log";
    LOG = "lists what was done in this run, with request ids";
    HELP_SHORT = "help";
    HELP = "lists the keys that count here";
    BACK = "goes back; on the list, clears the filter";
    LEAVE_SHORT = "leave";
    LEAVE = "leaves the view; on the list, ends the console";
    DOWN = "goes down";
    UP = "goes up";
    PAGE_DOWN = "goes down by a page";
    PAGE_UP = "goes up by a page";
    FIRST = "goes to the first row";
    LAST = "goes to the last row that is loaded";
    ERASE = "erases the last character";
    ERASE_ALL = "erases the line";
    REPAINT = "draws the screen anew";
    INTERRUPT = "ends the console when pressed twice";

    // Places.
    PRODUCT = "claviger";
    AT_LOGIN = "login";
    AT_LIST = "credentials";
    AT_LOG = "log";
    AT_HELP = "help";
    READ_ONLY_MARK = "READ ONLY";

    // The login form.
    LOGIN_TITLE = "log in";
    LOGIN_OPERATOR = "operator";
    LOGIN_PASSWORD = "password";
    LOGIN_WAITING = "asking the server …";
    LOGIN_ENDED = "this login has ended: log in again";
    LOGIN_INCOMPLETE = "type a name and a password";

    // The list.
    LABEL = "LABEL";
    OWNER = "OWNER";
    VENUE = "VENUE";
    CEILING = "CEILING";
    STATE = "STATE";
    HEALTH = "HEALTH";
    VERSION = "VER";
    AGE = "AGE";
    ID = "ID";
    LIST_OPENING = "asking the server …";
    LIST_EMPTY = "no credential is enrolled in this tenant";
    LIST_FILTERED = "no loaded row passes the filter";
    GONE = "deleted";

    // A credential.
    DETAIL_LABEL = "label";
    DETAIL_ID = "id";
    DETAIL_STATE = "state";
    DETAIL_HEALTH = "health";
    DETAIL_OWNER = "owner";
    DETAIL_TENANT = "tenant";
    DETAIL_VENUE = "venue";
    DETAIL_KIND = "kind";
    DETAIL_HINT = "key id";
    DETAIL_CEILING = "ceiling";
    DETAIL_ADDRESSES = "addresses";
    DETAIL_VERSION = "version";
    DETAIL_CREATED = "created";
    DETAIL_CHANGED = "changed";
    DETAIL_PROBED = "probed";

    // Parts of the service.
    PART_RED = "RED";
    ALL_PARTS_OK = "all parts ok";
    PART_OLD = "?";

    // The log.
    LOG_EMPTY = "nothing was done in this run";
    LOG_PENDING = "no answer yet";
    LOG_NOT_DONE = "not done";
    LOG_NOT_KNOWN = "NOT KNOWN";
    NO_REQUEST_ID = "no request id";

    // Acts.
    READ_ONLY = "refused: this console was started read-only";
    ONLY_FREEZE = "refused: what you see may be old, and then only freeze (F) is allowed";
    REVOKED_ALREADY = "it is revoked already: nothing is signed with it, ever again";
    NOT_STOPPED = "it is not frozen, so there is nothing to unfreeze";
    REASON_UNSAID = "frozen from the console";
    REASON_ASKED = "reason:";
    DIALOG_READING = "asking the server how it stands …";
    DIALOG_WAITING = "under way …";
    DIALOG_MORE = "more below (down)";
    IN_FLIGHT_NONE = "nothing was in flight";
    IN_FLIGHT_UNKNOWN = "the answer does not say what is in flight";
    LEAVE_WAITING = "an act has no answer yet: wait for it, or press ^c twice to leave without";
    INTERRUPT_AGAIN = "press ^c once more to end the console";
}

/// What a deed is called.
pub(crate) fn deed(deed: Deed) -> &'static str {
    match deed {
        Deed::Freeze => "freeze",
        Deed::Revoke => "revoke",
        Deed::Unfreeze => "unfreeze",
    }
}

/// What a deed has done.
pub(crate) fn done(deed: Deed) -> &'static str {
    match deed {
        Deed::Freeze => "frozen",
        Deed::Revoke => "revoked",
        Deed::Unfreeze => "unfrozen",
    }
}

/// Said under a plan that one operator alone does not carry out.
const WAITS_FOR_SECOND: &str = "It waits for a second operator, who is not you.";

/// What will happen, before it does.
pub(crate) fn plan(deed: Deed, victim: &Victim) -> Vec<Clean> {
    let venue = victim.venue.within(NAME_COLUMNS);
    match deed {
        Deed::Freeze => vec![
            "Nothing more is signed with it until an operator unfreezes it.".into(),
            format!("What is in flight may still be answered by {venue}; open orders stay open.").into(),
        ],
        Deed::Revoke => vec![
            "Nothing is signed with it, ever again. This cannot be undone.".into(),
            format!("What is in flight may still be answered by {venue}; open orders stay open.").into(),
            format!("NOT done: the key still exists at {venue}. Its owner deletes it there.").into(),
        ],
        Deed::Unfreeze => {
            let planned = victim.planned.as_ref();
            let waits = planned.is_some_and(|plan| plan.second).then(|| WAITS_FOR_SECOND.into());
            planned.into_iter().flat_map(|plan| plan.lines.iter().cloned()).chain(waits).collect()
        }
    }
}

/// What a failure means for whoever asked for an act.
pub(crate) fn act_failure(kind: Deed, failure: &Failure) -> Clean {
    match failure {
        Failure::NotSent(why) => {
            format!("Not done: the server was not reached ({why}). The credential is as it was.").into()
        }
        Failure::NoAnswer(why) => format!(
            "NOT KNOWN whether it was done: the server was reached and did not answer ({why}). Look at the credential's \
             state before you {} again.",
            deed(kind)
        )
        .into(),
        Failure::Unreadable(why) => {
            format!("NOT KNOWN whether it was done: the answer is not understood ({why}). Look at the state.").into()
        }
        Failure::Refused { status: 412, text, .. } => {
            format!("Not done: it changed while you were reading. {text}").into()
        }
        Failure::Refused { status, code, text, .. } if *status >= 500 => {
            format!("NOT KNOWN whether it was done: {text} ({status} {code}). Look at the credential's state.").into()
        }
        Failure::Refused { status, code, text, .. } => format!("Not done: {text} ({status} {code})").into(),
    }
}

/// What a failure means where nothing was at stake.
pub(crate) fn failure(failure: &Failure) -> Clean {
    match failure {
        Failure::NotSent(why) => format!("the server is not reached: {why}").into(),
        Failure::NoAnswer(why) => format!("the server does not answer: {why}").into(),
        Failure::Unreadable(why) => format!("the answer is not understood: {why}").into(),
        Failure::Refused { status, code, text, .. } => format!("{text} ({status} {code})").into(),
    }
}

/// How far what is shown can be believed, in a word.
pub(crate) fn link(link: Link) -> String {
    match link {
        Link::Opening => "…".to_owned(),
        Link::Live => "LIVE".to_owned(),
        Link::Stale(seconds) => format!("STALE {seconds}s"),
        Link::Offline => "OFFLINE".to_owned(),
    }
}

/// How long ago something was, in at most four characters.
pub(crate) fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        86_400..86_400_000 => format!("{}d", seconds / 86_400),
        _ => format!("{}y", seconds / 31_536_000),
    }
}

/// How much of the list is loaded.
pub(crate) fn loaded(passing: usize, loaded: usize, has_more: bool, fresh: usize) -> String {
    let rows = if passing == loaded { loaded.to_string() } else { format!("{passing} of {loaded}") };
    let more = if has_more { ", more below" } else { "" };
    let fresh = if fresh == 0 { String::new() } else { format!("  +{fresh} new (r)") };
    format!("{rows} loaded{more}{fresh}")
}

/// Which part of the service is not well, and how.
pub(crate) fn red(name: &Clean, text: &Clean) -> Clean {
    format!("{name}: {text}").into()
}

/// How many parts are not well.
pub(crate) fn red_count(red: usize, all: usize) -> String {
    format!("{red} of {all} parts RED")
}

/// A warning of the service, and how many there are.
pub(crate) fn warning(text: &Clean, count: usize) -> Clean {
    if count > 1 { format!("warning (1 of {count}): {text}").into() } else { format!("warning: {text}").into() }
}

/// What came of an act, in one line.
pub(crate) fn told(kind: Deed, victim: &Victim, result: Result<&Outcome, &Failure>) -> Clean {
    let (label, tail) = (victim.label.within(NAME_COLUMNS), victim.id.tail());
    match result.map(|outcome| outcome.waiting.as_ref()) {
        Ok(Some(approval)) => {
            format!("asked to {} {label} (…{tail}): {approval} waits for a second operator", deed(kind)).into()
        }
        Ok(None) => format!("{} {label} (…{tail})", done(kind)).into(),
        Err(why) => format!("{} {label} (…{tail}): {}", deed(kind), act_failure(kind, why)).into(),
    }
}

/// How many requests are in flight.
pub(crate) fn in_flight(count: usize) -> String {
    format!("{count} in flight, granted before and without an outcome yet:")
}

/// The title of a dialog.
pub(crate) fn dialog_title(kind: Deed) -> String {
    format!("{} credential", deed(kind).to_uppercase())
}

/// How much of a reason is missing.
pub(crate) fn reason_too_short(chars: usize) -> String {
    format!("a reason has {REASON_CHARS_MIN} characters or more; this one has {chars}")
}

/// Why an act could not even be asked for.
pub(crate) fn unread(why: &Failure) -> Clean {
    format!("Not done: how it stands could not be read. {}", failure(why)).into()
}

/// Whose a victim is.
pub(crate) fn victim_owner(victim: &Victim) -> Clean {
    format!("owner {}", victim.owner).into()
}

/// Where a victim is used, and how it stands, or stood before the act.
pub(crate) fn victim_venue(victim: &Victim, acted: bool) -> Clean {
    let Victim { venue, tenant, state, version, .. } = victim;
    let venue = venue.within(NAME_COLUMNS);
    let was = if acted { "was " } else { "" };
    format!("{was}{state} at {venue}, version {version}, tenant {tenant}").into()
}

/// The reason that was typed.
pub(crate) fn reason(text: &Clean) -> Clean {
    format!("{REASON_ASKED} {text}").into()
}

/// A request that is in flight.
pub(crate) fn in_flight_line(open: &InFlight) -> Clean {
    let what = open.execution.as_ref().map_or("of the service itself", Clean::as_str);
    format!("  {what}   since {}", open.at).into()
}

/// How dear a mistake is, after a sentence of the help.
pub(crate) fn danger(danger: Danger) -> &'static str {
    match danger {
        Danger::D0 => "",
        Danger::D1 => " (D1)",
        Danger::D2 => " (D2)",
        Danger::D3 => " (D3)",
    }
}

/// How dear a mistake is, in the corner of a dialog.
pub(crate) fn danger_mark(danger: Danger) -> &'static str {
    self::danger(danger).trim_start_matches(" (").trim_end_matches(')')
}

/// A time and how long ago it was.
pub(crate) fn ago(at: &Clean, ms: u64) -> Clean {
    format!("{at}   {} ago", age(ms)).into()
}

/// From where the key works.
pub(crate) fn addresses(restricted: bool) -> &'static str {
    if restricted { "listed ones only" } else { "not restricted, as far as the venue says" }
}

/// What was done, and when, in the log.
pub(crate) fn log_head(record: &Record, cut: char) -> Clean {
    let (victim, seconds) = (&record.victim, record.unix_ms / 1000 % 86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (deed, label, tail) = (deed(record.deed), victim.label.within(NAME_COLUMNS), victim.id.tail());
    format!("   {hour:02}:{minute:02}:{second:02}Z  {deed} {label} ({cut}{tail}) ").into()
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

/// The one line on a terminal that is too small.
pub(crate) fn too_small(columns: u16, rows: u16) -> Clean {
    use crate::state::{COLUMNS_MIN, ROWS_MIN};
    clean(&format!("need {COLUMNS_MIN}x{ROWS_MIN}, have {columns}x{rows}"))
}

/// A name from outside takes no more than this within a sentence, so that it cannot push the rest away.
const NAME_COLUMNS: usize = 24;
