//! The terminal, taken over and given back.
//!
//! It is given back however the console ends: when [`Screen`] is dropped, which errors, signals (they are messages) and
//! panics come to; and before a panic of this thread is told, so that the telling can be read.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

use crate::clean::Clean;
use crate::error::ConsoleError;
use crate::event::Size;

/// What a frame may have at most to reach the terminal in one write, bytes: nobody sees half a frame.
const FRAME_BYTES: usize = 1 << 16;

/// The terminal while the console has it.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    _restored: Restored,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// [`ConsoleError::Terminal`]; it was given back then.
    pub(super) fn open() -> Result<Self, ConsoleError> {
        let restored = Restored::take().map_err(ConsoleError::Terminal)?;
        let terminal = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout())))
            .map_err(ConsoleError::Terminal)?;
        Ok(Self { terminal, _restored: restored })
    }

    /// Draws what differs from what is there.
    ///
    /// # Errors
    /// [`ConsoleError::Terminal`].
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), ConsoleError> {
        self.terminal.draw(draw).map(drop).map_err(ConsoleError::Terminal)
    }

    /// Puts `text` on the operator's clipboard (OSC 52), as far as the terminal lets it.
    ///
    /// # Errors
    /// [`ConsoleError::Terminal`].
    #[expect(clippy::unused_self, reason = "only who has the terminal writes to it")]
    pub(super) fn copy(&mut self, text: &Clean) -> Result<(), ConsoleError> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text.as_str())).map_err(ConsoleError::Terminal)
    }

    /// Gives the terminal back, stops this process until it is told to go on, and takes the terminal over again.
    ///
    /// # Errors
    /// [`ConsoleError::Terminal`].
    #[expect(clippy::unused_self, reason = "only who has the terminal gives it back")]
    pub(super) fn suspend(&mut self) -> Result<(), ConsoleError> {
        restore();
        // Stops all of the process, as the terminal itself would in its usual mode.
        let stopped = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        take().map_err(ConsoleError::Terminal)?;
        stopped.map_err(|error| ConsoleError::Terminal(error.into()))
    }

    /// Forgets what is there, so that all of it is drawn.
    ///
    /// # Errors
    /// [`ConsoleError::Terminal`].
    pub(super) fn repaint(&mut self) -> Result<(), ConsoleError> {
        self.terminal.clear().map_err(ConsoleError::Terminal)
    }
}

/// The terminal's size.
///
/// # Errors
/// [`ConsoleError::Terminal`].
pub(super) fn size() -> Result<Size, ConsoleError> {
    let (columns, rows) = crossterm::terminal::size().map_err(ConsoleError::Terminal)?;
    Ok(Size { columns, rows })
}

/// Gives the terminal back when dropped.
struct Restored {
    hook: Arc<Hook>,
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Sync + Send + 'static;

impl std::fmt::Debug for Restored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Restored")
    }
}

impl Restored {
    fn take() -> io::Result<Self> {
        let hook: Arc<Hook> = Arc::from(panic::take_hook());
        let (before, drawing) = (Arc::clone(&hook), thread::current().id());
        panic::set_hook(Box::new(move |info| {
            // Another thread's panic must not write over a screen that goes on; its end is noticed by who waits for it.
            if thread::current().id() == drawing {
                restore();
                before(info);
            }
        }));
        let restored = Self { hook };
        take()?;
        Ok(restored)
    }
}

/// Takes the terminal over.
fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

impl Drop for Restored {
    fn drop(&mut self) {
        restore();
        // The hook cannot be changed while panicking, and does no harm then.
        if !thread::panicking() {
            let before = Arc::clone(&self.hook);
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// Gives the terminal back. Whatever fails, the rest is tried: there is nobody left to tell.
fn restore() {
    drop(execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, crossterm::cursor::Show));
    drop(disable_raw_mode());
    drop(io::stdout().flush());
}
