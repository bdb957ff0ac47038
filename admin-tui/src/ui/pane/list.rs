//! The credentials of a tenant.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::clean::Clean;
use crate::state::{Row, State};
use crate::strings as s;
use crate::ui::theme::{Theme, Tone, health_tone, state_tone};
use crate::ui::widget::text::{line, row_of, span};

/// A column of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Label,
    Owner,
    Venue,
    Ceiling,
    /// The ceiling without its products.
    Class,
    State,
    Health,
    Version,
    Age,
    Id,
}

/// The columns for a terminal at least as wide as the first number, with their widths.
const LAYOUTS: &[(u16, &[(Column, usize)])] = &[
    (
        110,
        &[
            (Column::Label, 22),
            (Column::Owner, 14),
            (Column::Venue, 14),
            (Column::Ceiling, 20),
            (Column::State, 13),
            (Column::Health, 8),
            (Column::Version, 3),
            (Column::Age, 4),
            (Column::Id, 5),
        ],
    ),
    (
        80,
        &[
            (Column::Label, 11),
            (Column::Owner, 7),
            (Column::Venue, 12),
            (Column::Class, 7),
            (Column::State, 13),
            (Column::Health, 8),
            (Column::Version, 3),
            (Column::Age, 4),
            (Column::Id, 5),
        ],
    ),
    (0, &[(Column::Label, 13), (Column::Venue, 14), (Column::State, 13), (Column::Health, 8), (Column::Id, 5)]),
];

pub(in crate::ui) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let fitting = LAYOUTS.iter().find(|(width, _)| area.width >= *width);
    let columns: &[(Column, usize)] = fitting.map_or(&[], |(_, columns)| columns);
    let names =
        columns.iter().map(|(column, width)| format!("{} ", Clean::from(name(*column)).fit(*width, theme.cut())));
    let names: String = std::iter::once("  ".to_owned()).chain(names).collect();
    if let Some(area) = row_of(area, 0) {
        frame.render_widget(span(names.trim_end(), theme.style(Tone::Quiet)), area);
    }
    if let Some(area) = row_of(area, 2).filter(|_| state.list.passing() == 0) {
        let text = match (state.list.is_opening(), state.list.loaded()) {
            (true, _) => s::LIST_OPENING,
            (false, 0) => s::LIST_EMPTY,
            (false, _) => s::LIST_FILTERED,
        };
        frame.render_widget(span(format!("  {text}"), theme.style(Tone::Quiet)), area);
    }
    let height = usize::from(area.height.saturating_sub(1));
    for (number, (selected, row)) in state.list.view(height).enumerate() {
        let Some(area) = row_of(area, number.saturating_add(1)) else { break };
        let mut spans =
            vec![span(format!("{} ", if selected { theme.cursor() } else { ' ' }), theme.style(Tone::Strong))];
        for (column, width) in columns {
            let (text, tone) = cell(*column, row, state.now.unix_ms, theme);
            spans.push(span(text.fit(*width, theme.cut()), theme.style(tone)));
            spans.push(span(" ", theme.style(Tone::Plain)));
        }
        let emphasis = if selected { Modifier::REVERSED } else { Modifier::empty() };
        frame.render_widget(line(spans).patch_style(emphasis), area);
    }
}

fn name(column: Column) -> &'static str {
    match column {
        Column::Label => s::LABEL,
        Column::Owner => s::OWNER,
        Column::Venue => s::VENUE,
        Column::Ceiling | Column::Class => s::CEILING,
        Column::State => s::STATE,
        Column::Health => s::HEALTH,
        Column::Version => s::VERSION,
        Column::Age => s::AGE,
        Column::Id => s::ID,
    }
}

fn cell(column: Column, row: &Row, unix_ms: u64, theme: Theme) -> (Clean, Tone) {
    let age = || row.created_ms.map_or_else(String::new, |created| s::age(unix_ms.saturating_sub(created)));
    let plain = if row.gone { Tone::Quiet } else { Tone::Plain };
    match column {
        Column::Label => (row.label.clone(), plain),
        Column::Owner => (row.owner.clone(), plain),
        Column::Venue => (row.venue.clone(), plain),
        Column::Ceiling => (row.ceiling.clone(), plain),
        Column::Class => (row.class.clone(), plain),
        Column::State if row.gone => (format!("- {}", s::GONE).into(), Tone::Bad),
        Column::State => {
            (format!("{} {}", theme.state_glyph(row.state), row.state.word()).into(), state_tone(row.state))
        }
        Column::Health => (row.health.word().into(), health_tone(row.health)),
        Column::Version => (row.version.to_string().into(), plain),
        Column::Age => (age().into(), plain),
        Column::Id => (format!("{}{}", theme.cut(), row.id.tail()).into(), plain),
    }
}
