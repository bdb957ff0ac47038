//! A list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::cell::shown;
use crate::clean::Clean;
use crate::kind::{Fact, Tone};
use crate::state::{State, View};
use crate::strings as s;
use crate::ui::theme::Theme;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, view: &View, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let (shape, list) = (view.shape(), &view.list);
    let columns = columns(shape.facts, usize::from(area.width));
    let names = columns.iter().map(|column| {
        let sorted = list.sort.is_some_and(|sort| sort.fact == column.fact);
        let name = if sorted { format!("{}*", column.name) } else { column.name.to_owned() };
        format!("{} ", Clean::from(name.to_uppercase()).fit(column.width, theme.cut()))
    });
    let names: String = std::iter::once("  ".to_owned()).chain(names).collect();
    if let Some(area) = row_of(area, 0) {
        frame.render_widget(span(names.trim_end(), theme.style(Tone::Quiet)), area);
    }
    let (held, passing) = list.counts();
    if let Some(area) = row_of(area, 2).filter(|_| passing == 0) {
        let text = match (list.is_opening(), list.is_waiting(), held.saturating_add(list.filter.chars())) {
            (true, ..) => s::LIST_OPENING,
            (false, true, _) => s::LIST_SEARCHING,
            (false, false, 0) => shape.empty,
            (false, false, _) if list.has_more() => s::LIST_FILTERED_SO_FAR,
            (false, false, _) => s::LIST_FILTERED,
        };
        frame.render_widget(span(format!("  {text}"), theme.style(Tone::Quiet)), area);
    }
    let height = usize::from(area.height.saturating_sub(1));
    for (number, (selected, item)) in list.view(height).enumerate() {
        let Some(area) = row_of(area, number.saturating_add(1)) else { break };
        let mark = match (selected, list.marked.contains_key(&item.id)) {
            (true, true) => format!("{}{}", theme.cursor(), theme.mark()),
            (true, false) => format!("{} ", theme.cursor()),
            (false, true) => format!(" {}", theme.mark()),
            (false, false) => "  ".to_owned(),
        };
        let mut spans = vec![span(mark, theme.style(Tone::Strong))];
        for column in &columns {
            let (text, tone) = match item.cells.get(column.fact) {
                Some(_) if item.gone && column.fact == 0 => (format!("({}) {}", s::GONE, item.name).into(), Tone::Bad),
                Some(cell) => shown(cell, state.server_ms(), theme),
                None => (Clean::default(), Tone::Plain),
            };
            let tone = if item.gone { Tone::Quiet } else { tone };
            spans.push(span(text.fit(column.width, theme.cut()), theme.style(tone)));
            spans.push(span(" ", theme.style(Tone::Plain)));
        }
        let emphasis = if selected { Modifier::REVERSED } else { Modifier::empty() };
        frame.render_widget(line(spans).patch_style(emphasis), area);
    }
}

/// A column as it is drawn.
struct Column {
    fact: usize,
    name: &'static str,
    width: usize,
}

/// The columns for so much room: the more there is the more of them, and what is left goes to those that can grow.
fn columns(facts: &[Fact], room: usize) -> Vec<Column> {
    let fits = |fact: &Fact| fact.width > 0 && usize::from(fact.from) <= room;
    let mut columns: Vec<(Column, usize)> = facts
        .iter()
        .enumerate()
        .filter(|(_, fact)| fits(fact))
        .map(|(number, fact)| (Column { fact: number, name: fact.name, width: fact.width }, fact.grow))
        .collect();
    let taken: usize = columns.iter().map(|(column, _)| column.width.saturating_add(1)).sum();
    let mut left = room.saturating_sub(taken.saturating_add(2));
    while left > 0 && columns.iter().any(|(_, grow)| *grow > 0) {
        for (column, grow) in columns.iter_mut().filter(|(_, grow)| *grow > 0) {
            if left > 0 {
                (column.width, *grow, left) =
                    (column.width.saturating_add(1), grow.saturating_sub(1), left.saturating_sub(1));
            }
        }
    }
    columns.into_iter().map(|(column, _)| column).collect()
}
