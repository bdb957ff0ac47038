//! One credential: all that the API says of it.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::state::State;
use crate::strings as s;
use crate::ui::theme::{Theme, Tone, health_tone, state_tone};
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let Some(detail) = &state.detail else { return };
    let row = &detail.row;
    let age = row.created_ms.map(|ms| s::ago(&row.created_at, state.now.unix_ms.saturating_sub(ms)));
    let (word, tone) = if row.gone { (s::GONE, Tone::Bad) } else { (row.state.word(), state_tone(row.state)) };
    let fields: [(&str, Clean, Tone); 15] = [
        (s::DETAIL_LABEL, row.label.clone(), Tone::Strong),
        (s::DETAIL_ID, row.id.shown(), Tone::Plain),
        (s::DETAIL_STATE, format!("{} {word}", theme.state_glyph(row.state)).into(), tone),
        (s::DETAIL_HEALTH, row.health.word().into(), health_tone(row.health)),
        (s::DETAIL_OWNER, row.owner.clone(), Tone::Plain),
        (s::DETAIL_TENANT, row.tenant.clone(), Tone::Plain),
        (s::DETAIL_VENUE, row.venue.clone(), Tone::Plain),
        (s::DETAIL_KIND, row.kind.clone(), Tone::Plain),
        (s::DETAIL_HINT, row.hint.clone(), Tone::Plain),
        (s::DETAIL_CEILING, row.ceiling.clone(), Tone::Plain),
        (s::DETAIL_ADDRESSES, s::addresses(row.ip_restricted).into(), Tone::Plain),
        (s::DETAIL_VERSION, row.version.to_string().into(), Tone::Plain),
        (s::DETAIL_CREATED, age.unwrap_or_else(|| row.created_at.clone()), Tone::Plain),
        (s::DETAIL_CHANGED, row.changed_at.clone(), Tone::Plain),
        (s::DETAIL_PROBED, row.probed_at.clone(), Tone::Plain),
    ];
    let room = usize::from(area.width).saturating_sub(NAME_WIDTH);
    for (number, (name, value, tone)) in fields.into_iter().enumerate() {
        let Some(area) = row_of(area, number) else { break };
        let name = span(Clean::from(format!("   {name}")).fit(NAME_WIDTH, theme.cut()), theme.style(Tone::Quiet));
        frame.render_widget(line([name, span(value.fit(room, theme.cut()), theme.style(tone))]), area);
    }
}

const NAME_WIDTH: usize = 16;
