//! The two children as processes: started with an empty environment, watched by a thread each, killed by their own id.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use claviger_core::secret::Plaintext;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::boot::{self, Channel, FromFront, FrontBoot, KeeperBoot, ToFront};

/// What happens to a child. The number is its generation.
pub(super) enum Event {
    /// It ended, with this code if it ended by itself.
    Ended(u64, Option<i32>),
    /// The front said something.
    FrontSays(u64, FromFront),
}

/// A running child.
pub(super) struct Child {
    pub(super) generation: u64,
    pub(super) pid: u32,
    pub(super) started: Instant,
}

impl Child {
    /// Starts a keeper; what comes back is the front's end of the socket between the two.
    pub(super) fn start_keeper(
        generation: u64,
        boot: &KeeperBoot,
        pin: &Plaintext,
        softhsm_conf: Option<&Path>,
        environment: &BTreeMap<String, String>,
        events: &mpsc::UnboundedSender<Event>,
    ) -> io::Result<(Self, UnixStream)> {
        let (fronts, keepers) = UnixStream::pair()?;
        let (read, write) = io::pipe()?;
        let mut command = child("keeper")?;
        command.stdin(Stdio::from(OwnedFd::from(read))).stdout(Stdio::from(OwnedFd::from(keepers)));
        command.envs(environment);
        if let Some(conf) = softhsm_conf {
            command.env("SOFTHSM2_CONF", conf);
        }
        let started = Self::watch(generation, command, events)?;
        let mut write = write;
        boot::hand_over(&mut write, boot, pin)?;
        Ok((started, fronts))
    }

    fn watch(generation: u64, mut command: Command, events: &mpsc::UnboundedSender<Event>) -> io::Result<Self> {
        let mut running = command.spawn()?;
        // The command holds the child's ends of pipes and sockets; they must be the child's alone.
        drop(command);
        let pid = running.id();
        let events = events.clone();
        std::thread::Builder::new().name("waits-for-child".to_owned()).spawn(move || {
            let code = running.wait().ok().and_then(|status| status.code());
            let _ = events.send(Event::Ended(generation, code));
        })?;
        Ok(Self { generation, pid, started: Instant::now() })
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The front, and the channel to it.
pub(super) struct FrontChild {
    pub(super) child: Child,
    channel: Channel,
}

impl FrontChild {
    pub(super) fn start(generation: u64, boot: FrontBoot, events: &mpsc::UnboundedSender<Event>) -> io::Result<Self> {
        let (channel, theirs) = Channel::pair()?;
        let mut command = child("front")?;
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null());
        let child = Child::watch(generation, command, events)?;
        channel.send(&ToFront::Boot(Box::new(boot)), None)?;
        let (reader, events) = (channel.another()?, events.clone());
        std::thread::Builder::new().name("hears-front".to_owned()).spawn(move || {
            while let Ok(Some((said, _))) = reader.receive::<FromFront>() {
                let _ = events.send(Event::FrontSays(generation, said));
            }
        })?;
        Ok(Self { child, channel })
    }

    pub(super) fn tell(&self, message: &ToFront, link: Option<&UnixStream>) -> io::Result<()> {
        self.channel.send(message, link.map(AsFd::as_fd))
    }

    /// Tells the front to finish.
    pub(super) fn close(&self) {
        let _ = rustix::net::shutdown(&self.channel, rustix::net::Shutdown::Write);
    }
}

/// This binary again, as a child, with nothing of this process's environment.
fn child(role: &str) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", role]).env_clear();
    Ok(command)
}
