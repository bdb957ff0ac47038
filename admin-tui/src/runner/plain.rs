//! The loop of the console that goes line by line.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use super::hub::{Hub, Message};
use super::lines::{Line, Lines};
use super::now;
use crate::Options;
use crate::action::Action;
use crate::clean::Clean;
use crate::client::Client;
use crate::error::ConsoleError;
use crate::event::{Input, Size};
use crate::plain::{Because, Plain, Prompt};
use crate::state::{Look, State};
use crate::strings;

/// Runs until the operator leaves, or input ends.
pub(super) async fn run(options: &Options, because: Because, client: Arc<Client>) -> Result<(), ConsoleError> {
    let mut hub = Hub::new(client);
    let input = io::stdin().as_fd().try_clone_to_owned();
    let lines = input.and_then(|input| Lines::open(input, hub.sender.clone())).map_err(ConsoleError::Terminal)?;
    hub.start()?;
    let look = Look { no_color: true, ascii: options.ascii };
    let mut state = State::new(&options.tenant, look, options.read_only, PAGE);
    state.now = now();
    let mut plain = Plain::new(state, because);
    let mut actions = plain.start(options.operator.as_deref(), hub.client.has_login(), options.first()?);
    loop {
        for action in actions {
            match action {
                Action::Ask(ask) => hub.ask(ask),
                Action::Quit => return print(&plain.said(), look),
                // There is no screen, and nothing is written that is not text.
                Action::Copy(_) | Action::Repaint | Action::Suspend => {}
            }
        }
        hub.secrets.tidy(&plain.state);
        print(&plain.said(), look)?;
        if let Some(prompt) = plain.wants() {
            lines.want(prompt.is_secret(), prompt != Prompt::Command);
        }
        let Some((at, message)) = hub.next().await? else { return Ok(()) };
        actions = match message {
            Message::Line(Line::Text(line)) => plain.read(at, &line, &mut hub.secrets),
            Message::Line(Line::Unusable) => plain.unusable(),
            Message::Line(Line::End) | Message::End => return Ok(()),
            Message::Answer(answer) => {
                hub.secrets.hear(&answer);
                if let Some(once) = hub.client.take_once() {
                    print(&[strings::ONCE.into(), crate::clean::clean(&once)], look)?;
                }
                plain.hear(at, Input::Answer(answer))
            }
            Message::Tick => plain.hear(at, Input::Tick),
            Message::Raw(_) => Vec::new(),
        };
    }
}

fn print(lines: &[Clean], look: Look) -> Result<(), ConsoleError> {
    let mut out = io::stdout().lock();
    let printed = lines.iter().try_for_each(|line| {
        let text = line.as_str();
        if look.ascii { writeln!(out, "{}", to_ascii(text)) } else { writeln!(out, "{text}") }
    });
    printed.and_then(|()| out.flush()).map_err(ConsoleError::Terminal)
}

fn to_ascii(text: &str) -> String {
    let ascii = |c: char| {
        if c.is_ascii() {
            c
        } else if c == '…' {
            '~'
        } else {
            '?'
        }
    };
    text.chars().map(ascii).collect()
}

/// So many rows are told at once: 20.
const PAGE: Size = Size { columns: 80, rows: 20 + crate::state::LIST_FRAME_ROWS };
