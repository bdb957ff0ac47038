//! The login form.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::Browser;
use crate::kind::Tone;
use crate::state::Login;
use crate::state::login::Focus;
use crate::strings as s;
use crate::ui::theme::Theme;
use crate::ui::widget::frame as framed;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(login: &Login, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let inside = framed::draw(frame, theme, area, (58, 15), (s::LOGIN_TITLE.to_owned(), ""));
    let masked = |typed: bool| if typed { Clean::from(theme.mask()) } else { Clean::default() };
    let fields = [
        (s::LOGIN_OPERATOR, login.operator.shown(), Focus::Operator),
        (s::LOGIN_PASSWORD, masked(login.password), Focus::Password),
        (s::LOGIN_CODE, masked(login.code), Focus::Code),
    ];
    for (number, (name, text, focus)) in fields.into_iter().enumerate() {
        let Some(area) = row_of(inside, number.saturating_mul(2).saturating_add(1)) else { continue };
        field(frame, theme, area, (name, &text), login.focus == focus && !login.is_busy());
    }
    let lines: Vec<(Clean, Tone)> = match (&login.browser, &login.text) {
        (Some(browser), _) => waits(browser),
        (None, _) if login.waiting => vec![(s::LOGIN_WAITING.into(), Tone::Quiet)],
        (None, text) => text.iter().map(|text| (text.clone(), Tone::Bad)).collect(),
    };
    let width = usize::from(inside.width);
    let lines = lines.into_iter().flat_map(|(text, tone)| text.wrap(width).into_iter().map(move |text| (text, tone)));
    for (number, (text, tone)) in lines.enumerate() {
        if let Some(area) = row_of(inside, number.saturating_add(7)) {
            frame.render_widget(span(text, theme.style(tone)), area);
        }
    }
}

/// Where a person goes on in a browser, and what has to be compared there.
pub(crate) fn waits(browser: &Browser) -> Vec<(Clean, Tone)> {
    vec![
        (s::BROWSER_OPEN.into(), Tone::Plain),
        (browser.url.clone(), Tone::Strong),
        (format!("{} {}", s::BROWSER_CODE, browser.code).into(), Tone::Strong),
        (s::BROWSER_WAITS.into(), Tone::Quiet),
    ]
}

/// A field: its name, what is typed, and the cursor if it has the focus.
pub(in crate::ui) fn field(
    frame: &mut Frame<'_>,
    theme: Theme,
    area: Rect,
    (name, text): (&str, &Clean),
    focused: bool,
) {
    let width = NAME_WIDTH.max(Clean::from(name).width().saturating_add(1));
    let room = usize::from(area.width).saturating_sub(width.saturating_add(1));
    let shown = text.end(room);
    if focused {
        let column = u16::try_from(width.saturating_add(shown.width())).unwrap_or(u16::MAX);
        frame.set_cursor_position((area.x.saturating_add(column), area.y));
    }
    let tone = if focused { Tone::Strong } else { Tone::Plain };
    let name = Clean::from(name).fit(width, theme.cut());
    frame.render_widget(line([span(name, theme.style(tone)), span(shown, theme.style(Tone::Plain))]), area);
}

const NAME_WIDTH: usize = 12;
