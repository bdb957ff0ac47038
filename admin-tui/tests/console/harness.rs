//! A console without terminal and server: time, keys and answers are what the test says.

use claviger_admin_tui::action::{Action, Ask};
use claviger_admin_tui::event::{Answer, Event, Failure, Input, Moment, Size};
use claviger_admin_tui::kind::{Item, Kind, Page};
use claviger_admin_tui::secrets::Secrets;
use claviger_admin_tui::state::list::Wanted;
use claviger_admin_tui::state::{Confirmed, Look, Planned, Readiness, State};
use claviger_admin_tui::{app, ui};
use claviger_core::view::ReadyView;
use crossterm::event::{Event as Raw, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use serde_json::json;

pub(super) const SMALL: Size = Size { columns: 60, rows: 20 };
pub(super) const USUAL: Size = Size { columns: 80, rows: 24 };
pub(super) const LARGE: Size = Size { columns: 160, rows: 50 };

/// 2026-10-01T12:00:00Z.
const START_MS: u64 = 1_790_856_000_000;

pub(super) struct Console {
    pub(super) state: State,
    pub(super) secrets: Secrets,
    /// Everything that happened, as a replay would have it.
    pub(super) events: Vec<Event>,
    now_ms: u64,
}

impl Console {
    /// Nobody is logged in.
    pub(super) fn new(size: Size) -> Self {
        Self::with(size, Look::default(), false)
    }

    pub(super) fn with(size: Size, look: Look, read_only: bool) -> Self {
        let mut state = State::new("default", look, read_only, size);
        app::start(&mut state, None, false, Kind::Credentials);
        Self { state, secrets: Secrets::default(), events: Vec::new(), now_ms: 0 }
    }

    /// Somebody is logged in, and the service and its credentials are as usual.
    pub(super) fn watching(size: Size) -> Self {
        Self::with(size, Look::default(), false).watch()
    }

    pub(super) fn watch(mut self) -> Self {
        self.tell(Input::Tick);
        app::start(&mut self.state, None, true, Kind::Credentials);
        self.state.operator = "ada".into();
        self.hear(status(true));
        self.hear(page(&self.state, usual()));
        self
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// Keys by name, each long enough after the one before to be meant.
    pub(super) fn press(&mut self, keys: &str) -> Vec<Action> {
        let press = |key: &str| {
            self.wait(300);
            self.raw(Raw::Key(key_event(key)))
        };
        keys.split(' ').flat_map(press).collect()
    }

    /// Characters, in no time.
    pub(super) fn write(&mut self, text: &str) -> Vec<Action> {
        text.chars().flat_map(|c| self.raw(Raw::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)))).collect()
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Action> {
        self.raw(Raw::Paste(text.to_owned()))
    }

    pub(super) fn hear(&mut self, answer: Answer) -> Vec<Action> {
        self.secrets.hear(&answer);
        self.tell(Input::Answer(answer))
    }

    /// The answer to what the dialog asked the server before it asks.
    pub(super) fn plan(&mut self, result: Result<Planned, Failure>) -> Vec<Action> {
        let ticket = self.state.dialog.as_ref().unwrap().ticket();
        self.hear(Answer::Before { ticket, result })
    }

    /// The name of the thing under the cursor.
    pub(super) fn selected(&self) -> String {
        self.state.view().unwrap().list.selected().unwrap().name.to_string()
    }

    /// What the terminal reports, and the picture after it, as the runner has it.
    pub(super) fn raw(&mut self, raw: Raw) -> Vec<Action> {
        self.secrets.read(&self.state, raw).map(|input| self.tell(input)).unwrap_or_default()
    }

    pub(super) fn tell(&mut self, input: Input) -> Vec<Action> {
        let actions = self.tell_undrawn(input);
        assert_eq!(self.tell_undrawn(Input::Drawn), []);
        actions
    }

    pub(super) fn tell_undrawn(&mut self, input: Input) -> Vec<Action> {
        let event = Event { at: self.now(), input };
        self.events.push(event.clone());
        app::update(&mut self.state, event)
    }

    pub(super) fn now(&self) -> Moment {
        Moment { steady_ms: self.now_ms, unix_ms: START_MS + self.now_ms }
    }

    pub(super) fn buffer(&self) -> Buffer {
        let size = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(size.columns, size.rows)).unwrap();
        terminal.draw(|frame| ui::draw(&self.state, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The picture as text, without spaces at the ends of lines.
    pub(super) fn picture(&self) -> String {
        let buffer = self.buffer();
        let row = |cells: &[ratatui::buffer::Cell]| {
            cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned() + "\n"
        };
        buffer.content.chunks(usize::from(buffer.area.width)).map(row).collect()
    }

    pub(super) fn shows(&self, text: &str) -> bool {
        self.picture().contains(text)
    }
}

pub(super) fn key_event(name: &str) -> KeyEvent {
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backspace" => KeyCode::Backspace,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "shift-tab" => KeyCode::BackTab,
        "pgup" => KeyCode::PageUp,
        "home" => KeyCode::Home,
        "pgdn" => KeyCode::PageDown,
        "end" => KeyCode::End,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "space" => KeyCode::Char(' '),
        _ => {
            let chord = name.strip_prefix('^').filter(|rest| !rest.is_empty());
            let modifiers = if chord.is_some() { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
            let letter = chord.unwrap_or(name).chars().next().unwrap();
            return KeyEvent::new(KeyCode::Char(letter), modifiers);
        }
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// The acts among `actions`.
pub(super) fn acts(actions: &[Action]) -> Vec<(u64, &Confirmed)> {
    let act = |action| {
        if let &Action::Ask(Ask::Act { ticket, ref confirmed }) = action { Some((ticket, confirmed)) } else { None }
    };
    actions.iter().filter_map(act).collect()
}

/// The pages that are asked for: of which kind, from where on, and what for.
pub(super) fn pages(actions: &[Action]) -> Vec<(Kind, Option<&str>, &str)> {
    let page = |action| {
        let &Action::Ask(Ask::Page { kind, ref wanted, .. }) = action else { return None };
        Some((kind, wanted.cursor.as_deref(), wanted.query.as_str()))
    };
    actions.iter().filter_map(page).collect()
}

pub(super) fn row(number: u64, label: &str, venue: &str, state: &str, health: &str) -> Item {
    let created = jiff_text(START_MS - number * 41 * 3_600_000);
    let view = json!({
        "id": format!("cred_01k6g00000000000000000{number:04}"), "tenant": "ten_01k6g0", "owner": format!("eu_7f2{number}"),
        "label": label, "venue": venue, "kind": "hmac", "ceiling": {"class": "trade", "products": ["spot", "margin"]},
        "hint": "vmPU…Eh8A", "state": state, "health": health, "ip_restricted": true, "version": number,
        "created_at": created, "changed_at": created, "probed_at": created
    });
    let page = json!({"data": [view]}).to_string();
    (Kind::Credentials.shape().read)(page.as_bytes()).unwrap().items.remove(0)
}

/// One of each state.
pub(super) fn usual() -> Vec<Item> {
    vec![
        row(1, "anna-main", "binance", "active", "ok"),
        row(2, "anna-hedge", "binance-usdm", "frozen", "ok"),
        row(3, "desk-7", "kraken", "reduce-only", "suspect"),
        row(4, "old-laptop", "kraken-futures", "revoked", "dead"),
        row(5, "a label that is longer than its column", "binance", "pending", "unproven"),
    ]
}

pub(super) fn status(well: bool) -> Answer {
    Answer::Status(Ok(readiness(well)))
}

pub(super) fn readiness(well: bool) -> Readiness {
    let token = if well { "ok" } else { "the token does not answer: start it" };
    let view: ReadyView =
        serde_json::from_value(json!({"ready": well, "parts": {"token": token, "store": "ok"}, "warnings": []}))
            .unwrap();
    Readiness::from_view(&view)
}

/// The first page of the loading that `state` waits for.
pub(super) fn page(state: &State, items: Vec<Item>) -> Answer {
    page_at(state, None, Page { items, next: None })
}

/// A page of the loading that `state` waits for.
pub(super) fn page_at(state: &State, cursor: Option<&str>, page: Page) -> Answer {
    let (view, list) = state.view().map(|view| (view.number, serde_json::to_value(&view.list).unwrap())).unwrap();
    let load = list["load"].as_u64().unwrap().try_into().unwrap();
    let query = list["sought"].as_str().unwrap().to_owned();
    Answer::Page { view, wanted: Wanted { load, cursor: cursor.map(str::to_owned), query }, result: Ok(page) }
}

pub(super) fn refused(status: u16, text: &str) -> Failure {
    Failure::Refused { status, code: "some-code".into(), text: text.into(), request_id: Some("req_42".into()) }
}

fn jiff_text(unix_ms: u64) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(unix_ms).unwrap()).unwrap().to_string()
}
