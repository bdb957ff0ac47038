//! The dialog of an act: what it is about, what will happen, what came of it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::clean::Clean;
use crate::keymap::Place;
use crate::kind::{Act, Tone};
use crate::state::dialog::{Slot, words};
use crate::state::{Cause, Dialog, Outcome, Stage, State};
use crate::strings as s;
use crate::ui::pane::login::{field, waits};
use crate::ui::theme::Theme;
use crate::ui::widget::frame as framed;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, dialog: &Dialog, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let Some(act) = dialog.cause().act() else { return };
    let width = WIDTH.min(area.width);
    let columns = usize::from(width.saturating_sub(4));
    let text = text(state, dialog, act).into_iter();
    let text = text.flat_map(|(text, tone)| text.wrap(columns).into_iter().map(move |text| (text, tone)));
    let lines: Vec<(Clean, Tone)> = victims(dialog.cause(), columns, theme).into_iter().chain(text).collect();
    let fields = fields(dialog, act, theme);
    let below = fields.len().saturating_add(2);
    let height = lines.len().saturating_add(below).saturating_add(2);
    let size = (width, u16::try_from(height).unwrap_or(u16::MAX));
    let title = (s::dialog_title(dialog.cause(), act), s::danger_mark(act.danger));
    let inside = framed::draw(frame, theme, area, size, title);

    // Fields and buttons stand at the bottom whatever the text does, so that they are there on a short terminal too.
    let rows = usize::from(inside.height);
    let room = rows.saturating_sub(below);
    let count = lines.len();
    let scroll = dialog.scroll.min(count.saturating_sub(room));
    for (number, (text, tone)) in lines.into_iter().skip(scroll).take(room).enumerate() {
        if let Some(area) = row_of(inside, number) {
            frame.render_widget(span(text, theme.style(tone)), area);
        }
    }
    let first = rows.saturating_sub(below).saturating_add(1);
    for (number, (name, text, focused)) in fields.iter().enumerate() {
        if let Some(area) = row_of(inside, first.saturating_add(number)) {
            field(frame, theme, area, (name, text), *focused);
        }
    }
    if let Some(area) = row_of(inside, rows.saturating_sub(1)) {
        if count > scroll.saturating_add(room) {
            frame.render_widget(span(s::DIALOG_MORE, theme.style(Tone::Quiet)), area);
        }
        let buttons = line(buttons(dialog, act, theme));
        let width = u16::try_from(buttons.width()).unwrap_or(u16::MAX).min(area.width);
        let x = area.right().saturating_sub(width);
        frame.render_widget(buttons, Rect { x, width, ..area });
    }
}

/// What it is about: of one thing what its list says of it, each cut, so that a long one cannot push the others out of
/// sight; of several their names.
fn victims(cause: &Cause, columns: usize, theme: Theme) -> Vec<(Clean, Tone)> {
    let mut lines = Vec::new();
    if let [item] = cause.victims.as_slice() {
        let id = item.id.shown();
        let name = item.name.within(columns.saturating_sub(id.width().saturating_add(2)));
        lines.push((format!("{name}  {id}").into(), Tone::Strong));
        let facts = cause.kind.shape().facts.iter().zip(&item.cells).skip(1);
        let facts = facts.filter(|(fact, _)| fact.width > 0 && fact.from <= VICTIM_COLUMNS);
        let told = facts.filter_map(|(fact, cell)| {
            let text = cell.text().filter(|text| !text.is_empty())?;
            Some(format!("{} {}", fact.name, Clean::from(text).within(VICTIM_FACT)))
        });
        let told = Clean::from(told.collect::<Vec<_>>().join(", "));
        lines.extend(told.wrap(columns).into_iter().map(|text| (text, Tone::Plain)));
    } else {
        let named = cause.victims.iter().take(NAMED_MAX);
        let named = named.map(|item| (s::one_of(item).fit(columns, theme.cut()), Tone::Plain));
        lines.extend(named);
        let more = cause.victims.len().saturating_sub(NAMED_MAX);
        lines.extend((more > 0).then(|| (s::and_more(more), Tone::Plain)));
    }
    if !lines.is_empty() {
        lines.push((Clean::default(), Tone::Plain));
    }
    lines
}

/// What a dialog says as it is.
pub(crate) fn text(state: &State, dialog: &Dialog, act: &Act) -> Vec<(Clean, Tone)> {
    let mut lines = Vec::new();
    let plan = s::plan(dialog.cause(), act, dialog.planned()).into_iter().map(|text| (text, Tone::Plain));
    match dialog.stage() {
        Stage::Reading => lines.push((s::DIALOG_READING.into(), Tone::Quiet)),
        Stage::Unread(failure) => lines.push((s::unread(failure), Tone::Bad)),
        Stage::Form => lines.extend(plan),
        Stage::Confirm => {
            lines.extend(plan);
            lines.extend(dialog.form.slots().iter().flat_map(|slot| said(slot, act)).map(|text| (text, Tone::Plain)));
        }
        Stage::Waiting { .. } | Stage::Proof { waiting: true, .. } => {
            lines.push((s::DIALOG_WAITING.into(), Tone::Quiet));
        }
        Stage::Proof { text, .. } => {
            lines.push((s::PROOF_ASKED.into(), Tone::Caution));
            lines.extend(text.iter().map(|text| (text.clone(), Tone::Bad)));
            lines.extend(state.browser.iter().flat_map(waits));
        }
        Stage::Ended(Ok(outcome)) => lines.extend(came_of_it(state, dialog, act, outcome)),
        Stage::Ended(Err(failure)) => {
            lines.push((s::act_failure(act.verb, failure), Tone::Bad));
            lines.extend(failure.request_id().map(|id| (s::request(id), Tone::Quiet)));
        }
    }
    lines
}

/// What was typed, to be read once more before it counts.
fn said(slot: &Slot, act: &Act) -> Vec<Clean> {
    match slot {
        Slot::Question(number, _, field) | Slot::Number(number, field) => {
            act.questions.get(*number).map_or_else(Vec::new, |question| s::typed_whole(question.label, field))
        }
        Slot::Choice(number, chosen) => {
            let question = act.questions.get(*number);
            let chosen = question.and_then(|question| Some((question, words(question).get(*chosen)?)));
            chosen.map(|(question, word)| format!("{}: {word}", question.label).into()).into_iter().collect()
        }
        Slot::Reason(field) => s::typed_whole(s::REASON_ASKED, field),
        Slot::Secret(..) | Slot::Name(..) => Vec::new(),
    }
}

fn came_of_it(state: &State, dialog: &Dialog, act: &Act, outcome: &Outcome) -> Vec<(Clean, Tone)> {
    let record = state.log.records.iter().rev().find(|record| record.ticket == dialog.ticket());
    let told = record.map(|record| (s::told(record, Ok(outcome)), Tone::Good));
    let mut lines: Vec<_> = told.into_iter().collect();
    if !outcome.failed.is_empty() {
        lines = vec![(s::done_to(outcome.done), Tone::Caution)];
        lines.extend(outcome.failed.iter().map(|(name, why)| (s::not_done(name, act.verb, why), Tone::Bad)));
    }
    lines.extend(outcome.at_venue.iter().map(|text| (text.clone(), Tone::Caution)));
    match outcome.in_flight.as_deref() {
        None => {}
        Some([]) => lines.push((s::IN_FLIGHT_NONE.into(), Tone::Plain)),
        Some(open) => {
            lines.push((s::in_flight(open.len()).into(), Tone::Caution));
            lines.extend(open.iter().map(|open| (s::in_flight_line(open), Tone::Plain)));
        }
    }
    lines.extend(outcome.request_id.iter().map(|id| (s::request(id), Tone::Quiet)));
    lines
}

/// The fields that are typed into: their names, what is in them, and whether they have the focus.
fn fields(dialog: &Dialog, act: &Act, theme: Theme) -> Vec<(String, Clean, bool)> {
    let masked = |typed: bool| if typed { Clean::from(theme.mask()) } else { Clean::default() };
    match dialog.stage() {
        Stage::Form => {
            let field = |(number, slot): (usize, &Slot)| {
                let (name, text) = match slot {
                    Slot::Question(question, _, field) | Slot::Number(question, field) => {
                        (label(act, *question), field.shown())
                    }
                    Slot::Choice(question, chosen) => (label(act, *question), choice(act, *question, *chosen, theme)),
                    Slot::Secret(question, typed) => (label(act, *question), masked(*typed)),
                    Slot::Reason(field) => (s::REASON_ASKED.to_owned(), field.shown()),
                    Slot::Name(name, field) => {
                        (format!("{} {}", s::NAME_ASKED, Clean::from(name.as_str()).within(40)), field.shown())
                    }
                };
                (name, text, number == dialog.form.focus())
            };
            dialog.form.slots().iter().enumerate().map(field).collect()
        }
        Stage::Proof { waiting: false, on_code, typed, .. } => vec![
            (s::LOGIN_PASSWORD.to_owned(), masked(typed.0), !on_code),
            (s::LOGIN_CODE.to_owned(), masked(typed.1), *on_code),
        ],
        Stage::Reading
        | Stage::Unread(_)
        | Stage::Confirm
        | Stage::Waiting { .. }
        | Stage::Proof { .. }
        | Stage::Ended(_) => Vec::new(),
    }
}

fn label(act: &Act, question: usize) -> String {
    act.questions.get(question).map_or_else(String::new, |question| question.label.to_owned())
}

fn choice(act: &Act, question: usize, chosen: usize, theme: Theme) -> Clean {
    let words = act.questions.get(question).map_or(&[][..], words);
    let word = words.get(chosen).copied().unwrap_or_default();
    let (before, after) = theme.arrows();
    format!("{before} {word} {after}").into()
}

/// The buttons: the harmless one first, and the one that Enter would press marked. No mark ever is on an act.
#[expect(clippy::wildcard_enum_match_arm, reason = "a dialog has four places of its own, and elsewhere it waits")]
fn buttons(dialog: &Dialog, act: &Act, theme: Theme) -> Vec<Span<'static>> {
    let (focus, plain, strong) = (theme.style(Tone::Focus), theme.style(Tone::Plain), theme.style(Tone::Strong));
    let cancel = |word| span(format!("[esc] {word}"), plain);
    match dialog.place() {
        Place::Form | Place::Proof => {
            vec![cancel(s::CANCEL_SHORT), span("   ", plain), span(format!("[enter] {}", s::NEXT_SHORT), plain)]
        }
        Place::Confirm => vec![
            span(format!("[esc] {}", s::CANCEL_SHORT), focus),
            span("   ", plain),
            span(format!("[y] {}", act.verb), strong),
        ],
        Place::Result => vec![span(format!("[esc] {}", s::CLOSE_SHORT), focus)],
        _ => vec![cancel(s::CLOSE_SHORT)],
    }
}

const WIDTH: u16 = 76;
/// Of one thing a dialog tells what a list has on a terminal so wide.
const VICTIM_COLUMNS: u16 = 80;
/// So much of each.
const VICTIM_FACT: usize = 16;
/// Of several things so many are named.
const NAMED_MAX: usize = 8;
