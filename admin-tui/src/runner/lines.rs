//! Lines from an input, one when one is asked for, be it a terminal or a pipe.
//!
//! A line is read byte by byte into a buffer of its own: nothing that was typed stays behind in another, and nothing is
//! read ahead that belongs to a later question.

use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tokio::sync::mpsc;
use zeroize::{Zeroize as _, Zeroizing};

use super::hub::{Message, Stamped};
use super::now;

/// What came of reading a line.
#[derive(Debug)]
pub(super) enum Line {
    /// A line, without its end.
    Text(Zeroizing<String>),
    /// One that is too long, or no text.
    Unusable,
    /// There are no more.
    End,
}

/// An input, line by line.
#[derive(Debug)]
pub(super) struct Lines {
    input: Arc<OwnedFd>,
    wanted: std_mpsc::Sender<bool>,
    /// How the terminal was, if it is one.
    before: Option<Termios>,
}

impl Lines {
    /// Reads nothing yet.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub(super) fn open(input: OwnedFd, sender: mpsc::Sender<Stamped>) -> io::Result<Self> {
        let (input, (wanted, asked)) = (Arc::new(input), std_mpsc::channel());
        let source = Arc::clone(&input);
        thread::Builder::new().name("console-lines".to_owned()).spawn(move || {
            while let Ok(secret) = asked.recv() {
                if sender.blocking_send((now(), Message::Line(read(secret, || next(&source))))).is_err() {
                    break;
                }
            }
        })?;
        let before = input.is_terminal().then(|| tcgetattr(&input).ok()).flatten();
        Ok(Self { input, wanted, before })
    }

    /// Asks for a line: for a `secret`, without echo; for a `dialog`, without what was typed before it was there.
    pub(super) fn want(&self, secret: bool, dialog: bool) {
        if let Some(before) = &self.before {
            if dialog {
                let _ = tcflush(&self.input, QueueSelector::IFlush);
            }
            let mut modes = before.clone();
            modes.local_modes.set(LocalModes::ECHO, !secret && before.local_modes.contains(LocalModes::ECHO));
            let _ = tcsetattr(&self.input, OptionalActions::Drain, &modes);
        }
        // A thread that has ended has said so through the channel.
        let _ = self.wanted.send(secret);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(&self.input, OptionalActions::Now, before);
        }
    }
}

/// Reads a line; of a secret that is a key in PEM, all of them.
fn read(secret: bool, mut next: impl FnMut() -> Option<u8>) -> Line {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LINE_BYTES_MAX));
    let mut fits = true;
    loop {
        match next() {
            None if bytes.is_empty() && fits => return Line::End,
            None => break,
            Some(b'\n') if !(secret && is_within_key(&bytes)) => break,
            Some(byte) if bytes.len() < LINE_BYTES_MAX => bytes.push(byte),
            Some(_) => fits = false,
        }
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) if fits => Line::Text(Zeroizing::new(text)),
        Ok(mut text) => {
            text.zeroize();
            Line::Unusable
        }
        Err(error) => {
            error.into_bytes().zeroize();
            Line::Unusable
        }
    }
}

fn is_within_key(bytes: &[u8]) -> bool {
    let ended = |bytes: &[u8]| bytes.windows(KEY_END.len()).any(|part| part == KEY_END);
    bytes.starts_with(KEY_BEGIN) && !ended(bytes)
}

/// The next byte; none at the end.
fn next(input: &OwnedFd) -> Option<u8> {
    let mut byte = [0_u8; 1];
    loop {
        match rustix::io::read(input, &mut byte) {
            Ok(0) => return None,
            Ok(_) => {
                let [read] = byte;
                byte.zeroize();
                return Some(read);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

const KEY_BEGIN: &[u8] = b"-----BEGIN ";
const KEY_END: &[u8] = b"-----END ";

/// As long as the longest secret.
const LINE_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests;
