//! The dialog of an act: what it is about, what will happen, what came of it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::clean::Clean;
use crate::keymap::{Danger, Place};
use crate::state::{Deed, Dialog, Outcome, Stage};
use crate::strings as s;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::frame as framed;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(dialog: &Dialog, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let width = WIDTH.min(area.width);
    let columns = usize::from(width.saturating_sub(4));
    let text = text(dialog).into_iter().flat_map(|(text, tone)| text.wrap(columns).into_iter().map(move |t| (t, tone)));
    let lines: Vec<(Clean, Tone)> = victim(dialog, columns, theme).into_iter().chain(text).collect();
    let typing = *dialog.stage() == Stage::Reason;
    let below = if typing { 3 } else { 2 };
    let height = lines.len().saturating_add(below).saturating_add(2);
    let size = (width, u16::try_from(height).unwrap_or(u16::MAX));
    let title = (s::dialog_title(dialog.deed()), s::danger_mark(dialog.deed().danger()));
    let inside = framed::draw(frame, theme, area, size, title);

    // The buttons stand at the bottom whatever the text does, so that they are there on a short terminal too.
    let rows = usize::from(inside.height);
    let room = rows.saturating_sub(below);
    let count = lines.len();
    let scroll = dialog.scroll.min(count.saturating_sub(room));
    for (number, (text, tone)) in lines.into_iter().skip(scroll).take(room).enumerate() {
        if let Some(area) = row_of(inside, number) {
            frame.render_widget(span(text, theme.style(tone)), area);
        }
    }
    if let Some(area) = row_of(inside, rows.saturating_sub(3)).filter(|_| typing) {
        reason(dialog, theme, frame, area);
    }
    if let Some(area) = row_of(inside, rows.saturating_sub(1)) {
        if count > scroll.saturating_add(room) && dialog.place() == Place::Result {
            frame.render_widget(span(s::DIALOG_MORE, theme.style(Tone::Quiet)), area);
        }
        let buttons = line(buttons(dialog, theme));
        let width = u16::try_from(buttons.width()).unwrap_or(u16::MAX).min(area.width);
        let x = area.right().saturating_sub(width);
        frame.render_widget(buttons, Rect { x, width, ..area });
    }
}

/// What it is about, a line for each part: a long name cannot push the others out of sight.
fn victim(dialog: &Dialog, columns: usize, theme: Theme) -> Vec<(Clean, Tone)> {
    let victim = dialog.victim();
    let lines = [
        (victim.label.clone(), Tone::Strong),
        (victim.id.shown(), Tone::Plain),
        (s::victim_owner(victim), Tone::Plain),
        (s::victim_venue(victim, matches!(dialog.stage(), Stage::Ended(Ok(_)))), Tone::Plain),
        (Clean::default(), Tone::Plain),
    ];
    lines.map(|(text, tone)| (text.fit(columns, theme.cut()), tone)).to_vec()
}

fn text(dialog: &Dialog) -> Vec<(Clean, Tone)> {
    let (victim, mut lines) = (dialog.victim(), Vec::new());
    let plan = s::plan(dialog.deed(), victim).into_iter().map(|text| (text, Tone::Plain));
    match dialog.stage() {
        Stage::Reading => lines.push((s::DIALOG_READING.into(), Tone::Quiet)),
        Stage::Unread(failure) => lines.push((s::unread(failure), Tone::Bad)),
        Stage::Reason => lines.extend(plan),
        Stage::Confirm => {
            lines.extend(plan);
            if dialog.deed().danger() >= Danger::D2 {
                lines.push((s::reason(&dialog.reason.shown().within(REASON_COLUMNS)), Tone::Plain));
            }
        }
        Stage::Waiting { .. } => lines.push((s::DIALOG_WAITING.into(), Tone::Quiet)),
        Stage::Ended(Ok(outcome)) => lines.extend(came_of_it(dialog, outcome)),
        Stage::Ended(Err(failure)) => {
            lines.push((s::act_failure(dialog.deed(), failure), Tone::Bad));
            lines.extend(failure.request_id().map(|id| (s::request(id), Tone::Quiet)));
        }
    }
    lines
}

fn came_of_it(dialog: &Dialog, outcome: &Outcome) -> Vec<(Clean, Tone)> {
    let mut lines = vec![(s::told(dialog.deed(), dialog.victim(), Ok(outcome)), Tone::Good)];
    lines.extend(outcome.at_venue.iter().map(|text| (text.clone(), Tone::Caution)));
    match &outcome.in_flight {
        // What is let go on stops nothing that is in flight.
        None if dialog.deed() == Deed::Unfreeze => {}
        None => lines.push((s::IN_FLIGHT_UNKNOWN.into(), Tone::Quiet)),
        Some(open) if open.is_empty() => lines.push((s::IN_FLIGHT_NONE.into(), Tone::Plain)),
        Some(open) => {
            lines.push((s::in_flight(open.len()).into(), Tone::Caution));
            lines.extend(open.iter().map(|open| (s::in_flight_line(open), Tone::Plain)));
        }
    }
    lines.extend(outcome.request_id.iter().map(|id| (s::request(id), Tone::Quiet)));
    lines
}

fn reason(dialog: &Dialog, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let name = Clean::from(format!("{} ", s::REASON_ASKED));
    let room = usize::from(area.width).saturating_sub(name.width().saturating_add(1));
    let shown = dialog.reason.shown().end(room);
    let column = u16::try_from(name.width().saturating_add(shown.width())).unwrap_or(u16::MAX);
    frame.set_cursor_position((area.x.saturating_add(column), area.y));
    frame.render_widget(line([span(name, theme.style(Tone::Strong)), span(shown, theme.style(Tone::Plain))]), area);
}

/// The buttons: the harmless one first, and the one that Enter would press marked. No mark ever is on an act.
fn buttons(dialog: &Dialog, theme: Theme) -> Vec<Span<'static>> {
    let (focus, plain, strong) = (theme.style(Tone::Focus), theme.style(Tone::Plain), theme.style(Tone::Strong));
    let cancel = |word| span(format!("[esc] {word}"), plain);
    match dialog.stage() {
        Stage::Reading | Stage::Waiting { .. } => vec![cancel(s::CLOSE_SHORT)],
        Stage::Reason => {
            vec![cancel(s::CANCEL_SHORT), span("   ", plain), span(format!("[enter] {}", s::NEXT_SHORT), plain)]
        }
        Stage::Confirm => vec![
            span(format!("[esc] {}", s::CANCEL_SHORT), focus),
            span("   ", plain),
            span(format!("[y] {}", s::deed(dialog.deed())), strong),
        ],
        Stage::Ended(_) | Stage::Unread(_) => vec![span(format!("[esc] {}", s::CLOSE_SHORT), focus)],
    }
}

const WIDTH: u16 = 72;
/// Of a reason that was typed, so much is shown again.
const REASON_COLUMNS: usize = 80;
