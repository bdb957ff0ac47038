//! How long a frame takes: what a key does to the state, and the drawing of it, without a terminal.

use anyhow::{Context as _, Result};
use claviger_admin_tui::action::{Action, Ask};
use claviger_admin_tui::event::{Answer, Event, Input, Key, Moment, Size};
use claviger_admin_tui::kind::{Kind, Page};
use claviger_admin_tui::state::{Look, Readiness, State};
use claviger_admin_tui::{app, ui};
use claviger_e2e::House;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::time::Instant;

use crate::bench::stats::{Round, milliseconds};
use crate::story::say;

/// More pages than the console holds.
const PAGES: usize = 60;

/// Keys of each kind.
const KEYS: usize = 2_000;

const SIZE: Size = Size { columns: 160, rows: 50 };

/// Measures frames over rows of the server's.
pub(super) async fn measured(house: &House) -> Result<()> {
    let mut desk = Desk::new(pages(house).await?)?;
    let scroll = [Key::Down, Key::PageDown, Key::PageDown, Key::Up];
    told("scrolling", &desk.press(scroll.iter().copied().cycle().take(KEYS))?);
    let word = [Key::Char('/')].into_iter().chain("desk-00001".chars().map(Key::Char)).chain([Key::Esc]);
    told("filtering", &desk.press(word.cycle().take(KEYS))?);
    told("sorting", &desk.press(std::iter::repeat_n(Key::Char('s'), KEYS / 10))?);
    Ok(())
}

fn told(what: &str, round: &Round) {
    let [p50, p99, worst] = [50, 99, 100].map(|percent| milliseconds(round.percentile(percent)));
    let (count, Size { columns, rows }) = (round.count(), SIZE);
    say(&format!(
        "frames    {what}: {count} of {columns}x{rows}: p50 {p50:.2} ms, p99 {p99:.2} ms, worst {worst:.2} ms"
    ));
}

/// Pages of the list, as the console reads them.
async fn pages(house: &House) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    while pages.len() < PAGES {
        let path = format!("/api/v1/tenants/{}/credentials?limit=100{cursor}", house.tenant);
        let reply = house.operator.get(&path).await?.ok()?;
        let page = (Kind::Credentials.shape().read)(reply.text().as_bytes())?;
        cursor = format!("&cursor={}", page.next.as_deref().context("too few credentials")?);
        pages.push(page);
    }
    Ok(pages)
}

/// A console whose server is a list of pages.
struct Desk {
    pages: Vec<Page>,
    state: State,
    terminal: Terminal<TestBackend>,
    at: Moment,
}

impl Desk {
    fn new(pages: Vec<Page>) -> Result<Self> {
        let mut state = State::new("default", Look::default(), false, SIZE);
        let actions = app::start(&mut state, Some("operator"), true, Kind::Credentials);
        let terminal = Terminal::new(TestBackend::new(SIZE.columns, SIZE.rows))?;
        let mut desk = Self { pages, state, terminal, at: Moment::default() };
        desk.answer(actions);
        Ok(desk)
    }

    /// The frames of these keys: each is timed from the key to the end of the drawing.
    fn press(&mut self, keys: impl Iterator<Item = Key>) -> Result<Round> {
        let mut round = Round::default();
        for key in keys {
            let began = Instant::now();
            let actions = self.tell(Input::Key(key));
            self.terminal.draw(|frame| ui::draw(&self.state, frame))?;
            round.took(began.elapsed());
            self.answer(actions);
        }
        Ok(round)
    }

    fn tell(&mut self, input: Input) -> Vec<Action> {
        self.at.steady_ms = self.at.steady_ms.saturating_add(16);
        app::update(&mut self.state, Event { at: self.at, input })
    }

    /// Answers what is asked, and what is asked because of the answers.
    fn answer(&mut self, mut actions: Vec<Action>) {
        while let Some(action) = actions.pop() {
            let answer = if let Action::Ask(Ask::Page { view, wanted, .. }) = action {
                let result = Ok(self.page(wanted.cursor.as_deref()));
                Answer::Page { view, wanted, result }
            } else if matches!(action, Action::Ask(Ask::Status)) {
                Answer::Status(Ok(Readiness::default()))
            } else {
                continue;
            };
            actions.extend(self.tell(Input::Answer(answer)));
        }
    }

    fn page(&self, cursor: Option<&str>) -> Page {
        let before = |cursor| self.pages.iter().position(|page| page.next.as_deref() == Some(cursor));
        let number = cursor.and_then(before).map_or(0, |before| before.saturating_add(1));
        self.pages.get(number).cloned().unwrap_or_default()
    }
}
