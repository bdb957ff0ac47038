//! What the supervisor hands its children, and how: each gets only what it needs.
//!
//! A child's standard input is its way to the supervisor: for the keeper a pipe with its [`KeeperBoot`] and then the
//! PIN, for the front a socket with its [`FrontBoot`], then a [`ToFront::Keeper`] with a descriptor for each keeper. The
//! keeper's standard output is its end of the socket pair. So no descriptor needs a number of its own.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use claviger_core::secret::Plaintext;
use claviger_core::view::SettingView;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// No message is longer.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// What the keeper is told: everything of its configuration, and nothing of the front's.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeeperBoot {
    /// The home.
    pub home: PathBuf,
    /// The configuration; the keeper uses its sections `hsm`, `audit`, `tokens` and `venues`.
    pub config: Config,
    /// A file that the keeper must not be able to open.
    pub foreign_file: PathBuf,
}

/// What the front is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct FrontBoot {
    /// The home.
    pub home: PathBuf,
    /// The configuration; of its section `hsm` the front only learns what it must not be able to open.
    pub config: Config,
    /// Its values as operators are shown them.
    pub settings: Vec<SettingView>,
    /// The token's directory, which the front must not be able to open.
    pub token_dir: PathBuf,
    /// The PIN's file, which the front must not be able to open.
    pub pin_file: PathBuf,
}

/// From the supervisor to the front.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToFront {
    /// The first message.
    Boot(Box<FrontBoot>),
    /// A keeper was started; its socket comes along.
    Keeper,
    /// No keeper can be started; why, in words.
    NoKeeper(String),
    /// Somebody says that the files of the certificate are new.
    Look,
}

/// From the front to the supervisor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FromFront {
    /// The listeners are open.
    Serving(Addresses),
    /// The keeper was taken into use.
    KeeperTaken,
    /// The keeper that is in use asks to be relieved by another.
    KeeperWorn,
    /// The keeper does not answer, and was let go.
    KeeperSilent,
    /// The front ends on purpose, and should not be started again: why, in words.
    Refused(String),
}

/// Where the listeners are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// For apps.
    pub api: SocketAddr,
    /// For operators.
    pub admin: SocketAddr,
    /// For everybody.
    pub public: SocketAddr,
    /// Metrics.
    pub metrics: SocketAddr,
}

/// The supervisor's way to the front, or the front's to the supervisor: messages with boundaries, and descriptors.
#[derive(Debug)]
pub struct Channel(OwnedFd);

impl Channel {
    /// Two ends.
    ///
    /// # Errors
    /// When the kernel gives no sockets.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), other))
    }

    /// The end that a child was started with.
    #[must_use]
    pub fn of(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Another handle to the same end.
    ///
    /// # Errors
    /// When there are too many open files.
    pub fn another(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Sends one message, with a descriptor if there is one.
    ///
    /// # Errors
    /// When the other end is gone.
    pub fn send<M: Serialize>(&self, message: &M, fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fds: Vec<BorrowedFd<'_>> = fd.into_iter().collect();
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("no room for a descriptor"));
        }
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for one message; `None` when the other end is gone.
    ///
    /// # Errors
    /// When what came is no message.
    pub fn receive<M: DeserializeOwned>(&self) -> io::Result<Option<(M, Option<OwnedFd>)>> {
        let mut bytes = vec![0; MESSAGE_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?,
            }
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        let fd = ancillary
            .drain()
            .find_map(|message| if let RecvAncillaryMessage::ScmRights(mut fds) = message { fds.next() } else { None });
        let message = serde_json::from_slice(bytes.get(..received.bytes).unwrap_or_default())?;
        Ok(Some((message, fd)))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Writes the keeper's boot message and the PIN to its pipe.
///
/// # Errors
/// When the keeper is gone.
pub fn hand_over(pipe: &mut impl Write, boot: &KeeperBoot, pin: &Plaintext) -> io::Result<()> {
    let bytes = serde_json::to_vec(boot)?;
    pipe.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_be_bytes())?;
    pipe.write_all(&bytes)?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the PIN goes from locked memory to the keeper's pipe")]
    pin.expose(|pin| {
        pipe.write_all(&u32::try_from(pin.len()).map_err(io::Error::other)?.to_be_bytes())?;
        pipe.write_all(pin)
    })
}

/// Reads what [`hand_over`] wrote.
///
/// # Errors
/// When the supervisor is gone or wrote something else.
pub fn take_over(pipe: &mut impl Read) -> io::Result<(KeeperBoot, Plaintext)> {
    let mut length = || -> io::Result<usize> {
        let mut bytes = [0; 4];
        pipe.read_exact(&mut bytes)?;
        let length = usize::try_from(u32::from_be_bytes(bytes)).map_err(io::Error::other)?;
        if length > MESSAGE_BYTES_MAX { Err(io::Error::other("a message is too long")) } else { Ok(length) }
    };
    let boot_len = length()?;
    let mut boot = vec![0; boot_len];
    pipe.read_exact(&mut boot)?;
    let mut bytes = [0; 4];
    pipe.read_exact(&mut bytes)?;
    let pin_len = usize::try_from(u32::from_be_bytes(bytes)).map_err(io::Error::other)?;
    let pin = Plaintext::read_from(pipe, pin_len)?;
    Ok((serde_json::from_slice(&boot)?, pin))
}

/// This process's standard input, as a descriptor of its own.
///
/// # Errors
/// When it is closed.
pub fn stdin() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}

/// This process's standard output, as the socket that it is in a keeper.
///
/// # Errors
/// When it is closed.
pub fn stdout_socket() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?))
}
