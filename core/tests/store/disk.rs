//! A disk in memory whose power can be cut and whose operations can be made to fail.
//!
//! Like a page cache it shows every write at once, and keeps those that were synced. What was not synced may be lost,
//! kept or torn into sectors, in any order, when the power goes.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use redb::StorageBackend;

use super::seed::Seed;

/// What a file system allots as a whole.
const PAGE: u64 = 4_096;
/// What a drive writes as a whole.
const SECTOR: usize = 512;

/// The fate of what was not synced that tears it.
const TORN: u64 = 5;

/// After so long nobody will sync any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// A handle; all of them are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    turn: Condvar,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// What reads see.
    seen: Vec<u8>,
    /// What is there for certain.
    kept: Vec<u8>,
    /// What was done since, in order.
    unsynced: Vec<Write>,
    /// Pages that were ever written: the others are holes.
    pages: BTreeSet<u64>,
    /// Writes, syncs and changes of length so far.
    operations: u64,
    /// Reads so far.
    reads: u64,
    fault: Fault,
    /// Syncs are said to have worked and do nothing.
    lies: bool,
    gate: Gate,
}

#[derive(Clone, Debug)]
enum Write {
    Data(u64, Vec<u8>),
    Length(u64),
}

/// What goes wrong, and from which operation on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The power goes in the middle of this operation.
    PowerCut(u64),
    /// Nothing works any more, reads included.
    Broken(u64),
    /// This read fails, once.
    LostRead(u64),
    /// Nothing can be written any more.
    ReadOnly(u64),
    /// Only what was written before can be written again.
    Full(u64),
    /// The sync that comes next fails once, and what was to be synced is lost although it is still shown.
    LostSync(u64),
}

/// Holds a sync back, so that a test decides what shares the next commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gate {
    #[default]
    Open,
    Closed,
    Waiting,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self::of(Vec::new())
    }

    /// A disk that holds a file.
    pub(crate) fn of(file: Vec<u8>) -> Self {
        let pages = (0..(file.len() as u64).div_ceil(PAGE)).collect();
        Self::holding(State { seen: file.clone(), kept: file, pages, ..State::default() })
    }

    fn holding(state: State) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(state), turn: Condvar::new() }))
    }

    /// Another disk with the same content, on which nothing fails.
    pub(crate) fn copy(&self) -> Self {
        let State { seen, kept, pages, .. } = self.state().clone();
        Self::holding(State { seen, kept, pages, ..State::default() })
    }

    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.state().fault = fault;
    }

    /// From now on syncs are said to have worked and do nothing.
    pub(crate) fn lie(&self) {
        self.state().lies = true;
    }

    pub(crate) fn power_is_cut(&self) -> bool {
        self.state().power_is_cut()
    }

    /// Lets no sync through until [`Self::let_through`].
    pub(crate) fn hold_syncs(&self) {
        self.state().gate = Gate::Closed;
    }

    /// Waits until a sync is held back, or the power is cut.
    pub(crate) fn wait_for_sync(&self) {
        let none = |state: &mut State| state.gate != Gate::Waiting && !state.power_is_cut();
        let (held, waited) = self.0.turn.wait_timeout_while(self.state(), PATIENCE, none).unwrap();
        drop(held);
        if waited.timed_out() {
            self.let_through();
            panic!("the engine does not sync");
        }
    }

    pub(crate) fn let_through(&self) {
        self.state().gate = Gate::Open;
        self.0.turn.notify_all();
    }

    /// The disk as it is found after a power cut.
    pub(crate) fn after_power_cut(&self, seed: &mut Seed) -> Self {
        let state = self.state();
        let mut found = state.kept.clone();
        let mut unsynced = state.unsynced.clone();
        seed.shuffle(&mut unsynced);
        // Nothing arrived, all of it, the header alone, all but the header, some of it, or parts of some.
        let fate = seed.below(TORN + 1);
        for write in unsynced {
            let header = matches!(write, Write::Data(0, _));
            let arrived = match fate {
                0 => false,
                1 => true,
                2 => header,
                3 => !header,
                _ => seed.below(2) == 0,
            };
            if fate == TORN {
                write.torn(&mut found, seed);
            } else if arrived {
                write.whole(&mut found);
            }
        }
        Self::holding(State { seen: found.clone(), kept: found, ..State::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn write_back(&self, write: Write) -> io::Result<()> {
        let mut state = self.state();
        let was_on = !state.power_is_cut();
        state.operations += 1;
        let result = state.check_write(&write);
        // What was under way when the power went may have arrived.
        if result.is_ok() || (was_on && state.power_is_cut()) {
            write.clone().whole(&mut state.seen);
            state.pages.extend(write.pages());
            state.unsynced.push(write);
        }
        drop(state);
        self.0.turn.notify_all();
        result
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let state = self.state();
        state.check_works().map(|()| state.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.reads += 1;
        if matches!(state.fault, Fault::LostRead(at) if state.reads > at) {
            state.fault = Fault::None;
            return Err(failed());
        }
        state.check_works()?;
        let from = offset as usize;
        let bytes = state.seen.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.write_back(Write::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.gate == Gate::Closed {
            state.gate = Gate::Waiting;
            self.0.turn.notify_all();
            state = self.0.turn.wait_while(state, |state| state.gate == Gate::Waiting).unwrap();
        }
        state.operations += 1;
        let result = state.sync();
        drop(state);
        self.0.turn.notify_all();
        result
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.write_back(Write::Data(offset, data.to_vec()))
    }
}

impl State {
    fn power_is_cut(&self) -> bool {
        matches!(self.fault, Fault::PowerCut(at) if self.operations >= at)
    }

    fn check_works(&self) -> io::Result<()> {
        match self.fault {
            Fault::PowerCut(at) | Fault::Broken(at) if self.operations >= at => Err(failed()),
            _ => Ok(()),
        }
    }

    fn check_write(&self, write: &Write) -> io::Result<()> {
        match self.fault {
            Fault::ReadOnly(at) if self.operations >= at => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            Fault::Full(at) if self.operations >= at && write.pages().any(|page| !self.pages.contains(&page)) => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => self.check_works(),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.fault {
            Fault::LostSync(at) if self.operations >= at => {
                self.unsynced.clear();
                self.fault = Fault::None;
                return Err(failed());
            }
            Fault::ReadOnly(at) if self.operations >= at => return Err(failed()),
            _ => self.check_works()?,
        }
        if !self.lies {
            for write in std::mem::take(&mut self.unsynced) {
                write.whole(&mut self.kept);
            }
        }
        Ok(())
    }
}

impl Write {
    fn whole(self, to: &mut Vec<u8>) {
        match self {
            Self::Length(len) => to.resize(len as usize, 0),
            Self::Data(offset, data) => put(to, offset as usize, &data),
        }
    }

    fn pages(&self) -> std::ops::Range<u64> {
        match self {
            // A change of length allots nothing.
            Self::Length(_) => 0..0,
            Self::Data(offset, data) => offset / PAGE..(offset + data.len() as u64).div_ceil(PAGE),
        }
    }

    /// Some of its sectors.
    fn torn(self, to: &mut Vec<u8>, seed: &mut Seed) {
        let Self::Data(offset, data) = self else { return self.whole(to) };
        for (n, sector) in data.chunks(SECTOR).enumerate() {
            if seed.below(2) == 0 {
                put(to, offset as usize + n * SECTOR, sector);
            }
        }
    }
}

fn put(to: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[at..end].copy_from_slice(data);
}

fn failed() -> io::Error {
    io::Error::other("the disk does not answer")
}
