//! What is told of the state, as lines.

use crate::clean::{Clean, clean};
use crate::event::Browser;
use crate::keymap::{Danger, Place};
use crate::kind::{Act, Cell, Fact, Item, KINDS};
use crate::state::{Dialog, Stage, State, View};
use crate::strings as s;
use crate::ui::pane::{log, login};
use crate::ui::popup::act as popup;
use crate::ui::widget::bar::warnings;

/// How the service is, and how far that can be believed.
pub(super) fn status(state: &State) -> Vec<Clean> {
    let readiness = &state.service.readiness;
    let link = s::plain_link(&s::link(state.link(), state.server_ms()));
    let red: Vec<Clean> = readiness.red().map(|(name, text)| s::red(name, text)).collect();
    let well = (red.is_empty() && !readiness.parts.is_empty()).then(|| s::ALL_PARTS_OK.into());
    let warnings = warnings(state).into_iter().map(|text| s::warning(&text, 1));
    std::iter::once(link).chain(red).chain(well).chain(warnings).collect()
}

/// What is looked at, and the rows with the numbers that they are told under.
pub(super) fn view(state: &mut State) -> (Vec<Clean>, Vec<(usize, Item)>) {
    let (now, height, tenant) = (state.server_ms(), state.list_rows(), state.tenant.clone());
    let crumbs: Vec<String> = state.views.iter().flat_map(View::crumbs).map(|crumb| crumb.to_string()).collect();
    let Some(view) = state.view_mut() else { return Default::default() };
    let shape = view.shape();
    let mut lines = vec![Clean::from(format!("{tenant}: {}", crumbs.join(", ")))];
    lines.extend(view.list.trouble.clone());
    if view.is_detail() {
        let Some(item) = view.filling().cloned() else {
            lines.push(shape.empty.into());
            return (lines, Vec::new());
        };
        lines.extend(detail(shape.facts, &item, now));
        lines.extend((!shape.parts.is_empty()).then(|| s::plain_parts(shape.parts)));
        return (lines, vec![(0, item)]);
    }
    let list = &mut view.list;
    let told: Vec<(bool, Item)> = list.view(height).map(|(selected, item)| (selected, item.clone())).collect();
    let under_cursor = told.iter().position(|(selected, _)| *selected).unwrap_or(0);
    let first = list.number().saturating_sub(under_cursor);
    let rows: Vec<(usize, Item)> =
        told.into_iter().enumerate().map(|(at, (_, item))| (first.saturating_add(at), item)).collect();
    // The next page is what stands below the last row of this one.
    let below = rows.len().saturating_sub(1).saturating_sub(under_cursor);
    list.step(below.cast_signed(), height);
    let (held, shown) = list.counts();
    lines.push(s::plain_count(rows.len(), shown, list.has_more()));
    if list.filter.chars() > 0 {
        lines.push(s::typed(s::FILTER_SHORT, &list.filter));
    }
    if rows.is_empty() {
        let text = match list.has_more() {
            true => s::LIST_FILTERED_SO_FAR,
            false if held == 0 && list.filter.chars() == 0 => shape.empty,
            false => s::LIST_FILTERED,
        };
        lines.push(text.into());
    }
    lines.extend(rows.iter().map(|(number, item)| row(shape.facts, *number, item, now)));
    (lines, rows)
}

/// How many of the rows that were told stand otherwise by now, new ones included.
pub(super) fn changed(state: &State, rows: &[(usize, Item)]) -> usize {
    let Some(view) = state.view() else { return 0 };
    if view.is_detail() {
        return rows.iter().filter(|(_, item)| view.filling().is_some_and(|filling| filling != item)).count();
    }
    let other = |item: &Item| view.list.held(&item.id).is_some_and(|held| held != item);
    rows.iter().filter(|(_, item)| other(item)).count().saturating_add(view.list.fresh())
}

fn row(facts: &[Fact], number: usize, item: &Item, now: u64) -> Clean {
    let cells = facts.iter().zip(&item.cells).filter(|(fact, _)| fact.width > 0);
    let cells = cells.filter_map(|(fact, cell)| Some(format!("{}: {}", fact.name, said(cell, now)?)));
    let gone = item.gone.then(|| s::IS_GONE.to_owned());
    let cells: Vec<String> = gone.into_iter().chain(cells).collect();
    format!("{number}. {}", cells.join("; ")).into()
}

fn detail(facts: &[Fact], item: &Item, now: u64) -> Vec<Clean> {
    let gone = item.gone.then(|| s::IS_GONE.into());
    let known = facts.iter().map(|fact| clean(fact.name)).zip(&item.cells);
    let known = known.chain(item.more.iter().map(|(name, cell)| (name.clone(), cell)));
    let known = known.filter_map(|(name, cell)| {
        let text = match cell {
            Cell::Ago(at) => s::ago(*at, now),
            Cell::Left(at) => s::until(&said(cell, now)?.into(), *at),
            Cell::Text(..) | Cell::Word(..) | Cell::Number(_) | Cell::Done(..) | Cell::Nothing => {
                said(cell, now)?.into()
            }
        };
        Some(Clean::from(format!("{name}: {text}")))
    });
    gone.into_iter().chain(known).chain(item.text.iter().cloned()).collect()
}

/// A cell in words.
fn said(cell: &Cell, now: u64) -> Option<String> {
    let text = match cell {
        Cell::Text(text, _) | Cell::Word(_, text, _) => text.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Ago(at) => format!("{} ago", s::age(now.saturating_sub(*at))),
        Cell::Left(at) => s::left(*at, now).0,
        Cell::Done(done, all) => s::done_of(*done, *all),
        Cell::Nothing => String::new(),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// What a dialog is about.
pub(super) fn about(dialog: &Dialog) -> Vec<Clean> {
    let cause = dialog.cause();
    let title = cause.act().map(|act| s::dialog_title(cause, act).into());
    title.into_iter().chain(cause.victims.iter().map(s::plain_victim)).collect()
}

/// What a dialog says as it is. What will happen is told once, before the first question.
pub(super) fn dialog(state: &State, dialog: &Dialog) -> Vec<Clean> {
    let Some(act) = dialog.cause().act() else { return Vec::new() };
    if *dialog.stage() == Stage::Confirm && !dialog.form.is_empty() {
        return Vec::new();
    }
    popup::text(state, dialog, act).into_iter().map(|(text, _)| text).collect()
}

/// Where to go on in a browser.
pub(super) fn browser(browser: &Browser) -> Vec<Clean> {
    login::waits(browser).into_iter().map(|(text, _)| text).collect()
}

/// What was done in this run.
pub(super) fn log(state: &State) -> Vec<Clean> {
    if state.log.records.is_empty() {
        return vec![s::LOG_EMPTY.into()];
    }
    let told = state.log.records.iter().flat_map(|record| {
        let head = format!("{}: {}", s::log_head(record).as_str().trim(), log::result(record).0);
        [Clean::from(head), s::log_tail(record).as_str().trim().into()]
    });
    told.collect()
}

/// The acts that can be asked for here.
pub(super) fn acts(state: &State) -> Vec<&'static Act> {
    let Some(view) = state.view() else { return Vec::new() };
    let on_one = state.place() == Place::Detail && !view.shape().alone;
    view.shape().acts.iter().filter(|act| !(on_one && act.on_list)).collect()
}

/// What can be typed.
pub(super) fn help(state: &State) -> Vec<Clean> {
    let own = s::PLAIN_HELP.lines().map(Clean::from);
    let acts = acts(state).into_iter().filter(|act| !state.read_only || act.danger == Danger::D0);
    let acts = acts.map(s::plain_act);
    let names: Vec<&str> =
        KINDS.iter().map(|kind| kind.shape()).filter(|shape| !shape.hangs_on_another).map(|shape| shape.name).collect();
    own.chain(acts).chain([s::plain_names(&names)]).collect()
}
