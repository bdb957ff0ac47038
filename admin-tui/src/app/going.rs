//! Going from view to view, and what has to be asked for where one comes.

use crate::action::{Action, Ask};
use crate::kind::{Kind, Scope};
use crate::state::list::Wanted;
use crate::state::view::Close;
use crate::state::{Field, State, View};

/// Shows things of `kind`, and nothing else any more, with `filter` in the filter.
pub(super) fn show(state: &mut State, kind: Kind, filter: &str) -> Vec<Action> {
    state.views.clear();
    let scope = Scope { tenant: state.tenant.as_str().to_owned(), way: Vec::new() };
    push(state, kind, scope);
    if let Some(view) = state.view_mut().filter(|view| !view.shape().alone) {
        view.list.filter = Field::with(filter);
    }
    arrive(state)
}

/// Shows the parts of what fills the view, or of the whole if it is about no one thing.
pub(super) fn part(state: &mut State, kind: Kind) -> Vec<Action> {
    let Some(scope) = state.view().map(View::scope_within) else { return Vec::new() };
    // What is reached from a screen that is about the whole service hangs on nothing.
    push(state, kind, scope);
    arrive(state)
}

/// Looks closely at the thing under the cursor.
pub(super) fn look_closely(state: &mut State) -> Vec<Action> {
    let Some(view) = state.view_mut().filter(|view| !view.is_detail()) else { return Vec::new() };
    let Some(item) = view.list.selected().cloned() else { return Vec::new() };
    view.close = Some(Close { item, asked_ms: None });
    view.scroll = 0;
    arrive(state)
}

/// Goes one step back; says whether there was anywhere to go.
pub(super) fn back(state: &mut State) -> bool {
    if let Some(view) = state.view_mut() {
        view.scroll = 0;
        if view.close.take().is_some() {
            return true;
        }
    }
    if state.views.len() > 1 {
        state.views.pop();
        return true;
    }
    false
}

/// What has to be asked so that what is looked at is there and as it is.
pub(super) fn arrive(state: &mut State) -> Vec<Action> {
    if state.login.is_some() {
        return Vec::new();
    }
    let (now, height) = (state.now, state.list_rows());
    let streamed = state.service.is_told(now);
    let Some(view) = state.view_mut() else { return Vec::new() };
    let shape = view.shape();
    // What no event tells of has to be asked for.
    let told = streamed && !shape.events.is_empty();
    let mut asks = Vec::new();
    let closer = shape.closer.is_some();
    if let Some(close) = view.close.as_mut().filter(|close| closer && close.is_due(now, told)) {
        close.asked_ms = Some(now.steady_ms);
        let (number, kind, scope, id) = (view.number, view.kind, view.scope.clone(), close.item.id.clone());
        asks.push(Ask::One { view: number, kind, scope, id });
    }
    if view.close.is_none() || !closer {
        let wanted = view.list.due(now, height, shape, told);
        asks.extend(wanted.into_iter().map(|wanted| page(view, wanted)));
    }
    asks.into_iter().map(Action::Ask).collect()
}

/// A page beside those that are loaded, if the cursor is near their end.
pub(super) fn more(state: &mut State) -> Vec<Action> {
    let height = state.list_rows();
    let Some(view) = state.view_mut().filter(|view| !view.is_detail()) else { return Vec::new() };
    let wanted = view.list.more(height);
    wanted.map(|wanted| Action::Ask(page(view, wanted))).into_iter().collect()
}

/// Asks for what is looked at, from the beginning.
pub(super) fn refresh(state: &mut State) -> Vec<Action> {
    let now = state.now;
    let Some(view) = state.view_mut() else { return Vec::new() };
    let shape = view.shape();
    if let Some(close) = &mut view.close {
        close.asked_ms = None;
        if shape.closer.is_some() {
            return arrive(state);
        }
    }
    let wanted = view.list.reload(now, shape);
    vec![Action::Ask(page(view, wanted))]
}

fn push(state: &mut State, kind: Kind, scope: Scope) {
    state.view_number = state.view_number.wrapping_add(1);
    state.views.push(View::new(state.view_number, kind, scope));
}

fn page(view: &View, wanted: Wanted) -> Ask {
    Ask::Page { view: view.number, kind: view.kind, scope: view.scope.clone(), wanted }
}
