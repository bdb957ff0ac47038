//! The login form.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::state::Login;
use crate::strings as s;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::frame as framed;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(login: &Login, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let inside = framed::draw(frame, theme, area, (54, 11), (s::LOGIN_TITLE.to_owned(), ""));
    let password = if login.typed { Clean::from(theme.mask()) } else { Clean::default() };
    let fields = [(s::LOGIN_OPERATOR, login.operator.shown(), 1), (s::LOGIN_PASSWORD, password, 3)];
    for (number, (name, text, row)) in fields.into_iter().enumerate() {
        let Some(area) = row_of(inside, row) else { continue };
        let focused = (number == 1) == login.on_password;
        let room = usize::from(area.width).saturating_sub(NAME_WIDTH.saturating_add(1));
        let shown = text.end(room);
        if focused && !login.waiting {
            let column = NAME_WIDTH.saturating_add(shown.width());
            frame.set_cursor_position((area.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX)), area.y));
        }
        let tone = if focused { Tone::Strong } else { Tone::Plain };
        let name = Clean::from(name).fit(NAME_WIDTH, theme.cut());
        frame.render_widget(line([span(name, theme.style(tone)), span(shown, theme.style(Tone::Plain))]), area);
    }
    let text = if login.waiting { Some(s::LOGIN_WAITING.into()) } else { login.text.clone() };
    let tone = if login.waiting { Tone::Quiet } else { Tone::Bad };
    for (number, text) in text.iter().flat_map(|text| text.wrap(usize::from(inside.width))).enumerate() {
        if let Some(area) = row_of(inside, number.saturating_add(5)) {
            frame.render_widget(span(text, theme.style(tone)), area);
        }
    }
}

const NAME_WIDTH: usize = 12;
