//! What the front and the keeper give up before they do anything else.
//!
//! A process that has been taken over can do what it could do before. So each gives up, in `main`, before any thread
//! starts and for ever: files but its own (landlock), running programs, tracing others, new namespaces, kernel doors
//! it has no use for, and, in the keeper, the network (seccomp). What is refused answers `EPERM` or `EACCES` instead
//! of killing, so that the process can try it at its start and refuse to work in a sandbox that is none
//! ([`self_test_front`], [`self_test_keeper`]).
//!
//! Landlock and seccomp bind the calling thread and its descendants: a thread that runs already stays free.
//!
//! Rules name files by inode. A file that is replaced by renaming another over it is out of reach until the process
//! starts again; a directory in the rules covers whatever lies in it.

mod files;
mod paths;
mod probe;
mod syscalls;

use std::{
    fmt, io,
    net::TcpListener,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
};

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit},
};

pub use self::paths::{module_paths, resolver_paths};

/// What a process may still reach. Every path must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Files and trees to read. Libraries in them can be loaded, programs cannot be run.
    pub read: Vec<PathBuf>,
    /// Files and trees to read, write and truncate, without making or removing any.
    pub write: Vec<PathBuf>,
    /// Directories in which files and directories may also be made, renamed and removed.
    pub create: Vec<PathBuf>,
    /// The network.
    pub network: Network,
}

/// What a process may do on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// Listen and connect: the front.
    Open,
    /// Connect by TCP to these ports and never listen: a keeper whose HSM is in the network.
    Connect(Vec<u16>),
    /// No new socket of any kind; inherited ones work: a keeper.
    Closed,
}

/// A protection that this kernel does not offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Missing {
    /// Landlock altogether: every file that the user may open stays in reach.
    Landlock,
    /// Truncating a file cannot be told from reading it (before Linux 6.2).
    Truncate,
    /// TCP ports cannot be limited (before Linux 6.7).
    TcpPorts,
    /// Signals and abstract sockets reach other processes of the user (before Linux 6.12).
    Scopes,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Landlock => "landlock is off in this kernel: files outside of the rules stay in reach",
            Self::Truncate => "this kernel's landlock cannot forbid truncating (Linux 6.2 can)",
            Self::TcpPorts => "this kernel's landlock cannot limit TCP ports (Linux 6.7 can)",
            Self::Scopes => "this kernel's landlock cannot hold back signals and abstract sockets (Linux 6.12 can)",
        })
    }
}

/// The sandbox cannot be set up. The process must not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The kernel refused a basic setting.
    #[error("the kernel refused {0}")]
    Harden(&'static str, #[source] io::Error),
    /// A path of the rules cannot be opened.
    #[error("{} is in the rules of the sandbox and cannot be opened", .0.display())]
    Path(PathBuf, #[source] io::Error),
    /// The rules on files were not accepted.
    #[error("the rules on files were not accepted")]
    Landlock(#[source] landlock::RulesetError),
    /// The rules on system calls were not accepted.
    #[error("the rules on system calls were not accepted")]
    Seccomp(#[source] seccompiler::Error),
}

/// Something that the sandbox should prevent is possible. The process must not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A file or directory could be opened.
    #[error("{} can be opened from inside the sandbox", .0.display())]
    File(PathBuf),
    /// A program could be run.
    #[error("a program can be run from inside the sandbox")]
    Exec,
    /// Processes could be traced.
    #[error("processes can be traced from inside the sandbox")]
    Trace,
    /// A socket could be made, or listened on.
    #[error("the network can be used from inside the sandbox")]
    Socket,
}

/// What every process of the house does first: no core dump, no tracing by processes of the same user, no privileges
/// by running programs, and new files for the owner alone.
///
/// # Errors
/// [`SandboxError::Harden`] names the setting that was refused.
pub fn harden_common() -> Result<(), SandboxError> {
    let refused = |what| move |errno: rustix::io::Errno| SandboxError::Harden(what, errno.into());
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(refused("to make the process undumpable"))?;
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(refused("a core limit of zero"))?;
    rustix::thread::set_no_new_privs(true).map_err(refused("to rule out new privileges"))
}

/// Gives up all that `rules` do not name, for ever. Called before any thread is started.
///
/// What this kernel cannot do is returned, for a loud warning and for health.
///
/// # Errors
/// [`SandboxError`]; the process may be half locked down and must not go on.
pub fn lock_down(rules: &Rules) -> Result<Vec<Missing>, SandboxError> {
    let missing = files::restrict(rules)?;
    syscalls::restrict(&rules.network)?;
    Ok(missing)
}

/// Tries from inside the front what it must not be able to do.
///
/// Where [`Missing::Landlock`] was returned and the front has the keeper's uid, the token is in reach; whether to go
/// on then is for the caller to decide.
///
/// # Errors
/// [`Breach`] names what succeeded.
pub fn self_test_front(token_dir: &Path, pin_file: &Path) -> Result<(), Breach> {
    refuses_programs()?;
    refuses_file(token_dir)?;
    refuses_file(pin_file)
}

/// Tries from inside the keeper what it must not be able to do under `rules`; `foreign_file` is one that they do not
/// name.
///
/// # Errors
/// [`Breach`] names what succeeded.
pub fn self_test_keeper(rules: &Rules, foreign_file: &Path) -> Result<(), Breach> {
    refuses_programs()?;
    refuses_file(foreign_file)?;
    let listens = TcpListener::bind("127.0.0.1:0").is_ok();
    let has_sockets = UnixDatagram::unbound().is_ok();
    match rules.network {
        Network::Open => Ok(()),
        Network::Connect(_) if !listens => Ok(()),
        Network::Closed if !listens && !has_sockets => Ok(()),
        Network::Connect(_) | Network::Closed => Err(Breach::Socket),
    }
}

fn refuses_programs() -> Result<(), Breach> {
    if probe::can_exec() {
        return Err(Breach::Exec);
    }
    if probe::can_be_traced() {
        return Err(Breach::Trace);
    }
    Ok(())
}

/// Opening works for directories too; an absent file is in nobody's reach.
fn refuses_file(path: &Path) -> Result<(), Breach> {
    match std::fs::File::open(path) {
        Ok(_) => Err(Breach::File(path.to_owned())),
        Err(_) => Ok(()),
    }
}
