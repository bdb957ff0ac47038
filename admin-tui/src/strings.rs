//! Everything the console says, in one place.

mod act;
mod plain;

pub(crate) use self::act::*;
pub(crate) use self::plain::*;
use crate::clean::{Clean, clean};
use crate::event::Failure;
use crate::keymap::Danger;
use crate::state::Link;

macro_rules! texts {
    ($($name:ident = $text:expr;)*) => { $(pub(crate) const $name: &str = $text;)* };
}

texts! {
    // What keys do: a word for the command bar, a sentence for the help.
    OPEN_SHORT = "open";
    OPEN = "looks at it closely";
    CONFIRM_SHORT = "do it";
    CONFIRM = "does what the dialog says";
    CANCEL_SHORT = "cancel";
    CANCEL = "closes the dialog; nothing is done";
    CLOSE_SHORT = "close";
    CLOSE = "closes the dialog";
    STOP_WAITING = "closes the dialog; an act under way goes on, and the log tells what came of it";
    NEXT_SHORT = "next";
    FORM_DONE = "goes to the next field, and from the last to the question; nothing is done yet";
    PROOF_DONE = "goes to the code, and from there proves who you are and does the act";
    LOGIN_SHORT = "log in";
    LOGIN_SUBMIT = "logs in";
    LOGIN_CANCEL = "stops waiting for a browser";
    FIELD_SHORT = "other field";
    FIELD = "goes to the next field";
    FIELD_BEFORE = "goes to the field before";
    CHOICE_BEFORE = "chooses the word before";
    CHOICE_NEXT = "chooses the next word";
    PASSKEY_SHORT = "passkey";
    PASSKEY = "proves who you are by passkey, in a browser";
    KEEP_SHORT = "keep";
    FILTER_DONE = "keeps the filter";
    CLEAR_SHORT = "clear";
    FILTER_CLEAR = "clears the filter";
    FILTER_SHORT = "filter";
    FILTER = "shows only rows in which each of some words stands";
    PALETTE_SHORT = "go to";
    PALETTE = "goes to another screen, by its name";
    PALETTE_DONE = "goes there";
    PALETTE_CLOSE = "closes the palette";
    GO_SHORT = "go";
    COMPLETE_SHORT = "complete";
    COMPLETE = "completes the name";
    MARK_SHORT = "mark";
    MARK = "marks the row, to do something to several at once; esc takes all marks away";
    MARK_ALL = "marks all rows that are shown, up to 500";
    SORT_SHORT = "sort";
    SORT = "sorts what is loaded by the next column";
    SORT_REVERSE = "turns the order round";
    COPY_SHORT = "copy id";
    COPY = "copies the id, by way of the terminal (OSC 52)";
    REFRESH_SHORT = "refresh";
    REFRESH = "asks the server again, from the beginning";
    LOG_SHORT = "log";
    LOG = "lists what was done in this run, with request ids";
    HELP_SHORT = "help";
    HELP = "lists the keys that count here";
    KEEP_LOGIN = "keeps this login in the home, for the next console and for commands";
    QUIT = "ends the console";
    BACK = "goes back; on the first list, clears the filter";
    LEAVE_SHORT = "leave";
    LEAVE = "leaves the view; the first one, and the console ends";
    DOWN = "goes down";
    UP = "goes up";
    PAGE_DOWN = "goes down by a page";
    PAGE_UP = "goes up by a page";
    FIRST = "goes to the first row that is loaded";
    LAST = "goes to the last row that is loaded";
    ERASE = "erases the last character";
    ERASE_ALL = "erases the line";
    REPAINT = "draws the screen anew";
    SUSPEND = "gives the terminal back to the shell until `fg`";
    INTERRUPT = "ends the console when pressed twice";

    // Places.
    PRODUCT = "claviger";
    AT_LOGIN = "login";
    AT_LOG = "log";
    AT_HELP = "help";
    READ_ONLY_MARK = "READ ONLY";

    // The login form.
    LOGIN_TITLE = "log in";
    LOGIN_OPERATOR = "operator";
    LOGIN_PASSWORD = "password";
    LOGIN_CODE = "code";
    LOGIN_WAITING = "asking the server …";
    LOGIN_ENDED = "this login has ended: log in again";
    LOGIN_INCOMPLETE = "type a name and a password, and the code of your second factor if you have one";
    LOGIN_NAME_MISSING = "type your name first";
    BROWSER_OPEN = "open this page in a browser:";
    BROWSER_CODE = "it has to show this code:";
    BROWSER_WAITS = "waiting for it (esc stops) …";

    // What is shown once.
    ONCE_TITLE = "shown once";
    ONCE = "This is your half of an invitation. It is shown this once and kept nowhere: hand it over on a way of its own.";
    ONCE_CLOSE = "enter goes on; after that it is gone";

    // Lists.
    LIST_OPENING = "asking the server …";
    LIST_SEARCHING = "searching …";
    LIST_FILTERED = "no row passes the filter";
    LIST_FILTERED_SO_FAR = "no row passes the filter so far, and there are more: going down looks further";
    GONE = "gone";
    PALETTE_EMPTY = "nothing is called so";
    COMMAND_UNKNOWN = "nothing is called so: Tab completes, esc closes";

    // Parts of the service.
    PART_RED = "RED";
    ALL_PARTS_OK = "all parts ok";
    PART_OLD = "?";

    // The stream of events.
    EVENTS_ENDED = "the server ended the stream of events";
    EVENTS_TOO_LONG = "the stream of events holds something longer than the service sends";

    // The console line by line.
    PLAIN_COMMAND = "command:";
    PLAIN_PASSWORD = "password (it is not shown; `passkey`: in a browser instead; `cancel`: another name):";
    PLAIN_PROOF = "password (it is not shown; `passkey`: in a browser instead; `cancel`: it is not done):";
    PLAIN_CODE = "code of your second factor, or nothing if you have none (it is not shown):";
    PLAIN_CONFIRM = "type y to do it, anything else cancels:";
    PLAIN_CANCEL = "`cancel` as an answer calls it off.";
    PLAIN_CANCELLED = "cancelled: nothing was done";
    PLAIN_NOT_SHOWN = "it is not shown";
    PLAIN_OR_NOTHING = "or nothing";
    PLAIN_WORD_CANCEL = "cancel";
    PLAIN_WORD_PASSKEY = "passkey";
    PLAIN_PRESS_ENTER = "press enter to go on there";
    PLAIN_TOO_LONG = "that line is too long: nothing was made of it";
    PLAIN_NO_LIST = "that is for lists: `back` leads to one";
    PLAIN_NO_ROW = "no row with that number was told";
    PLAIN_NO_NUMBER = "that is about no row: say it without a number";
    PLAIN_MARKED = "rows are marked: say it without a number to do it to them, or `unmark`";
    PLAIN_UNKNOWN = "nothing is called so: `help` tells what is";
    PLAIN_HELP = "\
open 3: tells all of row 3
back: goes back; on the first list, clears the filter
next, first: more rows, and the first ones again
refresh: asks the server again, from the beginning
filter WORDS: only rows in which each of the words stands; filter alone: all
sort COLUMN, sort COLUMN reverse: sorts what is loaded; sort alone: as the server has it
mark 3, unmark: marks row 3, to do something to several at once; takes all marks away
copy 3: tells the id of row 3
part NAME: what belongs to the thing that is open
go NAME: another screen
status: how the service is
log: what was done in this run, with request ids
quit: ends the console";

    // The log.
    LOG_EMPTY = "nothing was done in this run";
    LOG_PENDING = "no answer yet";
    LOG_IN_PART = "in part";
    LOG_WAITS = "waits for a second operator";
    LOG_NOT_DONE = "not done";
    LOG_NOT_KNOWN = "NOT KNOWN";
    NO_REQUEST_ID = "no request id";

    // Acts.
    READ_ONLY = "refused: this console was started read-only";
    ONLY_FREEZE = "refused: what you see may be old, and then only stopping is allowed";
    ONE_AT_A_TIME = "refused: that is done to one at a time; esc takes the marks away";
    IS_GONE = "it is not there any more";
    REASON_ASKED = "reason";
    NAME_ASKED = "type";
    SECRET_MISSING = "the secret is missing";
    NUMBER_WRONG = "a whole number above 0, or nothing";
    ANSWER_MISSING = "something is missing here";
    PROOF_ASKED = "The server wants to know who you are before it does that. Nothing was done yet.";
    LOGIN_CHANGED = "the login under which it was asked for has ended";
    NOT_ASKED = "it was not asked for after that";
    PROOF_TOO_OLD = "the proof was taken, and the server wants another";
    SECOND = "It waits for a second operator, who is not you.";
    DIALOG_READING = "asking the server how it stands …";
    DIALOG_WAITING = "under way …";
    DIALOG_MORE = "more below (down)";
    IN_FLIGHT_NONE = "nothing was in flight";
    LEAVE_WAITING = "an act has no answer yet: wait for it, or press ^c twice to leave without";
    INTERRUPT_AGAIN = "press ^c once more to end the console";
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

/// How far what is shown can be believed at `unix_ms`, in a word; and since when it cannot.
pub(crate) fn link(link: Link, unix_ms: u64) -> String {
    let since = |seconds: u64| {
        let at = clock(unix_ms.saturating_sub(seconds.saturating_mul(1000)));
        format!("since {at} ({seconds}s)")
    };
    match link {
        Link::Opening => "…".to_owned(),
        Link::Live => "LIVE".to_owned(),
        Link::Stale(seconds) => format!("STALE {}", since(seconds)),
        Link::Offline(None) => "OFFLINE".to_owned(),
        Link::Offline(Some(seconds)) => format!("OFFLINE {}", since(seconds)),
    }
}

/// That this machine's clock and the server's differ.
pub(crate) fn skewed(ahead_ms: i64) -> Clean {
    let by = age(ahead_ms.unsigned_abs());
    let way = if ahead_ms > 0 { "behind" } else { "ahead of" };
    format!("this machine's clock is {by} {way} the server's; ages are by the server's").into()
}

/// The time of day, in UTC.
fn clock(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000 % 86_400;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}Z")
}

/// That there is no stream of events.
pub(crate) fn events_refused(status: u16) -> String {
    format!("the server gives no stream of events ({status})")
}

/// That a stream of events was not heard any more.
pub(crate) fn events_silent(seconds: u64) -> String {
    format!("nothing was heard from the stream of events for {seconds} s")
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

/// How long it is until something, or since it should have been.
pub(crate) fn left(at_ms: u64, now_ms: u64) -> (String, bool) {
    let (ahead, behind) = (at_ms.saturating_sub(now_ms), now_ms.saturating_sub(at_ms));
    if behind > 0 { (format!("OVERDUE {}", age(behind)), true) } else { (format!("{} left", age(ahead)), false) }
}

/// Where the cursor stands, and how much there is.
pub(crate) fn loaded(number: usize, shown: usize, held: usize, passed: usize, has_more: bool, fresh: usize) -> String {
    let rows = if shown == held { format!("{number} of {passed}") } else { format!("{shown} of {passed}") };
    let more = if has_more { "+" } else { "" };
    let fresh = if fresh == 0 { String::new() } else { format!("  +{fresh} new (r)") };
    format!("{rows}{more}{fresh}")
}

/// How many rows are marked.
pub(crate) fn marked(count: usize) -> String {
    format!("{count} marked  ")
}

/// By what rows are sorted.
pub(crate) fn sorted(name: &str, reverse: bool, in_part: bool) -> String {
    let (turned, part) = (if reverse { ", reversed" } else { "" }, if in_part { ", what is loaded" } else { "" });
    format!("by {name}{turned}{part}  ")
}

/// That an id was copied.
pub(crate) fn copied(id: &Clean) -> Clean {
    format!("copied {id}").into()
}

/// Where a login was kept.
pub(crate) fn kept(path: &Clean) -> Clean {
    format!("the login is kept in {path}").into()
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
pub(crate) fn ago(at_ms: u64, now_ms: u64) -> Clean {
    format!("{}   {} ago", time(at_ms), age(now_ms.saturating_sub(at_ms))).into()
}

/// What is left, and until when.
pub(crate) fn until(left: &Clean, at_ms: u64) -> Clean {
    format!("{left}   {}", time(at_ms)).into()
}

/// A time, RFC 3339.
fn time(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| at_ms.to_string(), |at| at.to_string())
}

/// How much of a whole is done.
pub(crate) fn done_of(done: u64, all: u64) -> String {
    format!("{}%  {done} of {all}", done.saturating_mul(100).checked_div(all).unwrap_or(100))
}

/// The one line on a terminal that is too small.
pub(crate) fn too_small(columns: u16, rows: u16) -> Clean {
    use crate::state::{COLUMNS_MIN, ROWS_MIN};
    clean(&format!("need {COLUMNS_MIN}x{ROWS_MIN}, have {columns}x{rows}"))
}
