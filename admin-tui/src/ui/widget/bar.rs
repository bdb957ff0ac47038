//! The lines around every view: header, what is wrong, what just happened, and the keys that count.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::text::{line, span};
use crate::clean::Clean;
use crate::keymap;
use crate::kind::Tone;
use crate::state::service::OK;
use crate::state::{Link, Over, State, View};
use crate::strings as s;
use crate::ui::theme::{Theme, link_tone};

/// Where one is, on the left; how the service is, on the right.
pub(in crate::ui) fn header(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let crumb = theme.crumb();
    let mut crumbs: Vec<Clean> = vec![s::PRODUCT.into(), state.tenant.clone()];
    match (&state.login, &state.over) {
        (Some(_), _) => crumbs.push(s::AT_LOGIN.into()),
        (None, over) => {
            crumbs.extend(state.views.iter().flat_map(View::crumbs));
            crumbs.extend(match over {
                Some(Over::Log) => Some(s::AT_LOG.into()),
                Some(Over::Help) => Some(s::AT_HELP.into()),
                Some(Over::Palette(_)) | None => None,
            });
        }
    }
    let crumbs: Vec<String> = crumbs.iter().map(|crumb| crumb.within(CRUMB_COLUMNS).to_string()).collect();
    let left = Clean::from(format!(" {}", crumbs.join(&format!(" {crumb} "))));
    let right = service(state, theme, usize::from(area.width).saturating_sub(left.width()));
    let width = usize::from(area.width).saturating_sub(right.iter().map(Span::width).sum());
    // Where one is stands at the end, and is what has to be seen.
    let left = if left.width() > width { left.end(width) } else { left.fit(width, theme.cut()) };
    let left = span(left, theme.style(Tone::Strong));
    frame.render_widget(line(std::iter::once(left).chain(right)), area);
}

/// How the service is, in as many words as there is room for; how far that can be believed, always.
fn service(state: &State, theme: Theme, room: usize) -> Vec<Span<'static>> {
    let say = |text: String, tone| span(format!("  {text}"), theme.style(tone));
    let mut link = Vec::new();
    if state.read_only {
        link.push(say(s::READ_ONLY_MARK.to_owned(), Tone::Caution));
    }
    if state.login.is_none() {
        let how = state.link();
        link.push(say(s::link(how, state.server_ms()), link_tone(how)));
    }
    let doubt = if state.link() == Link::Live { "" } else { s::PART_OLD };
    let readiness = &state.service.readiness;
    let red: Vec<_> =
        readiness.red().map(|(name, _)| say(format!("{name} {}{doubt}", s::PART_RED), Tone::Bad)).collect();
    let well = readiness.parts.iter().filter(|(_, text)| text.as_str() == OK);
    let well: Vec<_> = well.map(|(name, _)| say(format!("{name} {OK}{doubt}"), Tone::Plain)).collect();
    let (red_count, all_count) = (red.len(), readiness.parts.len());
    let summary = match (all_count, red_count) {
        (0, _) => Vec::new(),
        (_, 0) => vec![say(format!("{}{doubt}", s::ALL_PARTS_OK), Tone::Plain)],
        _ => vec![say(format!("{}{doubt}", s::red_count(red_count, all_count)), Tone::Bad)],
    };
    let only_red = if red.is_empty() { summary.clone() } else { red.clone() };
    let fits = |spans: &Vec<Span<'_>>| spans.iter().chain(&link).map(Span::width).sum::<usize>() <= room;
    let forms = [red.into_iter().chain(well).collect(), only_red, summary];
    let parts = forms.into_iter().find(fits).unwrap_or_default();
    parts.into_iter().chain(link).collect()
}

/// What is wrong, or the filter, on the left; how much is loaded, on the right.
pub(in crate::ui) fn subheader(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    if state.login.is_some() {
        return;
    }
    let Some(view) = state.view() else { return };
    let (list, on_list) = (&view.list, state.over.is_none() && !view.is_detail());
    let right =
        if on_list && !list.is_opening() { Clean::from(format!("  {} ", counts(view))) } else { Clean::default() };
    let room = usize::from(area.width).saturating_sub(right.width());
    let filter = Clean::from(format!(" /{}", list.filter.shown()));
    let left = if on_list && list.filtering {
        let shown = filter.end(room.saturating_sub(1));
        let column = area.x.saturating_add(u16::try_from(shown.width()).unwrap_or(u16::MAX));
        frame.set_cursor_position((column, area.y));
        (shown, Tone::Strong)
    } else if let Some(wrong) = wrong(state, view) {
        (format!(" {wrong}").into(), Tone::Bad)
    } else if on_list && list.filter.chars() > 0 {
        (filter, Tone::Strong)
    } else {
        let warnings = warnings(state);
        let warning = warnings.first().map(|text| s::warning(text, warnings.len()));
        (warning.map_or_else(Clean::default, |text| format!(" {text}").into()), Tone::Caution)
    };
    let left = span(left.0.fit(room, theme.cut()), theme.style(left.1));
    frame.render_widget(line([left, span(right, theme.style(Tone::Quiet))]), area);
}

/// What weakens a guarantee, and a clock that cannot be believed.
pub(crate) fn warnings(state: &State) -> Vec<Clean> {
    let skew = Some(state.service.skew_ms).filter(|skew| *skew != 0).map(s::skewed);
    skew.into_iter().chain(state.service.readiness.warnings.iter().cloned()).collect()
}

fn wrong(state: &State, view: &View) -> Option<Clean> {
    let red = state.service.readiness.red().next().map(|(name, text)| s::red(name, text));
    red.or_else(|| view.list.trouble.clone())
}

/// Where the cursor stands, how much there is, how it is sorted, and what is marked.
fn counts(view: &View) -> String {
    let list = &view.list;
    let (held, shown) = list.counts();
    let marked = if list.marked.is_empty() { String::new() } else { s::marked(list.marked.len()) };
    let fact = list.sort.and_then(|sort| Some((view.shape().facts.get(sort.fact)?.name, sort.reverse)));
    let sorted = fact.map_or_else(String::new, |(name, reverse)| s::sorted(name, reverse, list.has_more()));
    let number = if shown == 0 { 0 } else { list.number() };
    let loaded = s::loaded(number, shown, held, list.passed(), list.has_more(), list.fresh());
    format!("{marked}{sorted}{loaded}")
}

/// What just happened.
pub(in crate::ui) fn notice(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let Some(notice) = &state.notice else { return };
    let tone = if notice.bad { Tone::Bad } else { Tone::Strong };
    let text = Clean::from(format!(" {}", notice.text)).fit(usize::from(area.width), theme.cut());
    frame.render_widget(span(text, theme.style(tone)), area);
}

/// The keys that count where the keys go.
pub(in crate::ui) fn commands(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let mut room = usize::from(area.width);
    let mut spans = Vec::new();
    let named =
        keymap::lines(state.place(), state.kind(), state.read_only).into_iter().filter(|line| !line.short.is_empty());
    for binding in named {
        let Some(key) = binding.keys.first() else { continue };
        let pair = [
            span(format!(" {} ", keymap::name(*key)), theme.style(Tone::Strong)),
            span(format!("{} ", binding.short), theme.style(Tone::Quiet)),
        ];
        let width = pair.iter().map(Span::width).sum();
        if room < width {
            break;
        }
        room = room.saturating_sub(width);
        spans.extend(pair);
    }
    frame.render_widget(line(spans), area);
}

/// A name takes no more than this of the way.
const CRUMB_COLUMNS: usize = 24;
