//! The thread that reads the terminal. A key is stamped when it arrives here, not when somebody gets round to it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossterm::event;
use tokio::sync::mpsc;

use super::hub::{Message, Stamped};
use super::now;

/// Reads the terminal until it is dropped.
#[derive(Debug)]
pub(super) struct Keyboard {
    ended: Arc<AtomicBool>,
}

impl Keyboard {
    /// Begins to read.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub(super) fn listen(sender: mpsc::Sender<Stamped>) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&ended);
        thread::Builder::new().name("console-input".to_owned()).spawn(move || {
            // A terminal that cannot be read any more ends the console.
            if listen(&sender, &watched).is_err() {
                drop(sender.blocking_send((now(), Message::End)));
            }
        })?;
        Ok(Self { ended })
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn listen(sender: &mpsc::Sender<Stamped>, ended: &AtomicBool) -> io::Result<()> {
    while !ended.load(Ordering::Relaxed) {
        if event::poll(LOOK_UP)? {
            let raw = event::read()?;
            if sender.blocking_send((now(), Message::Raw(raw))).is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// How often the thread looks whether it is still needed.
const LOOK_UP: Duration = Duration::from_millis(200);
