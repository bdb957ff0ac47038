//! The server: `claviger serve` and its two children.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process;

use crate::command::{Command, ended};
use crate::home::Home;
use crate::http::{Client, Reply};
use crate::process::{children, kill, signal};
use crate::ready::{Door, Ready};
use crate::wait::until;

/// A server that runs. Dropped, it and its children are killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    ready_file: PathBuf,
    log_file: PathBuf,
    stays: bool,
}

/// One of a server's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that was started, and that starts the others.
    Supervisor,
    /// The one that listens.
    Front,
    /// The one that has the token.
    Keeper,
}

/// What can be sent to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ends it at once.
    Kill,
    /// Asks it to end.
    Terminate,
    /// Asks it to look for a new certificate.
    HangUp,
    /// Halts it.
    Stop,
    /// Lets it go on.
    Continue,
}

impl Server {
    /// Starts a server and waits until it serves.
    ///
    /// # Errors
    /// When it ends instead, or is not ready within the deadline; the log is named then.
    pub async fn start(home: &Home) -> Result<Self> {
        let mut server = Self::start_unready(home)?;
        server.serves().await?;
        Ok(server)
    }

    /// Starts a server and waits for nothing.
    ///
    /// # Errors
    /// When it does not start at all.
    pub fn start_unready(home: &Home) -> Result<Self> {
        Self::spawn(serve(home)?, home)
    }

    /// Starts a server under another program, such as `strace`, and waits until it serves. Signals go to the other
    /// program.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_under(home: &Home, program: &Path, args: &[&str]) -> Result<Self> {
        let serve = serve(home)?.into_inner();
        let mut command = Command::new(program).args(args).args([serve.get_program()]).args(serve.get_args());
        for (name, value) in serve.get_envs() {
            command = command.env(name, value.unwrap_or_default());
        }
        let mut server = Self::spawn(command, home)?;
        server.serves().await?;
        Ok(server)
    }

    /// Runs a server that is expected to refuse its start.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn refused(home: &Home) -> Result<crate::Output> {
        serve(home)?.output().await
    }

    fn spawn(command: Command, home: &Home) -> Result<Self> {
        let (ready_file, log_file) = (home.ready_file(), home.log_file().to_owned());
        // One that an earlier server left behind would be believed.
        let _none = fs::remove_file(&ready_file);
        let log = fs::File::options().append(true).create(true).open(&log_file)?;
        let mut command = command.into_inner();
        // A group of its own, so that what a terminal sends to the test is for the test alone.
        command.stdout(Stdio::null()).stderr(log).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, ready_file, log_file, stays: false })
    }

    /// Waits until it is ready to execute.
    ///
    /// # Errors
    /// When it ends instead, or is not ready within the deadline.
    pub async fn serves(&mut self) -> Result<()> {
        let waiting = until("the server to be ready", async || {
            if self.child.try_wait()?.is_some() {
                // It will never be ready: there is nothing left to wait for.
                return Ok(false);
            }
            let reply = readyz(&self.ready_file).await?;
            ensure!(reply.status == 200, "not ready: {}", reply.text());
            Ok(true)
        });
        let ready = waiting.await.with_context(|| self.log_words())?;
        ensure!(ready, "the server ended; {}", self.log_words());
        Ok(())
    }

    /// The addresses and processes, as they are now.
    ///
    /// # Errors
    /// When there is no ready file yet.
    pub fn ready(&self) -> Result<Ready> {
        Ready::read(&self.ready_file)
    }

    /// The answer of `/readyz`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn readyz(&self) -> Result<Reply> {
        readyz(&self.ready_file).await
    }

    /// The metrics, as Prometheus reads them: without TLS, on the loopback interface.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn metrics(&self) -> Result<String> {
        let client = Client::of_server(&self.ready_file, Door::Metrics)?;
        let request = format!("GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", client.address()?);
        client.write_plain(request.as_bytes()).await
    }

    /// The process id of one of its processes.
    ///
    /// # Errors
    /// When there is no ready file.
    pub fn pid(&self, role: Role) -> Result<u32> {
        let ready = self.ready()?;
        Ok(match role {
            Role::Supervisor => ready.pid,
            Role::Front => ready.front_pid,
            Role::Keeper => ready.keeper_pid,
        })
    }

    /// Sends a signal to one of its processes.
    ///
    /// # Errors
    /// When there is no ready file.
    pub fn signal(&self, role: Role, what: Signal) -> Result<()> {
        signal(self.pid(role)?, what.raw());
        Ok(())
    }

    /// Kills one of its children and waits until it is replaced and the server serves again.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn replace(&mut self, role: Role) -> Result<()> {
        let before = self.pid(role)?;
        self.signal(role, Signal::Kill)?;
        until("the process to be replaced", async || {
            ensure!(self.pid(role)? != before, "it is {before} as before");
            Ok(())
        })
        .await
        .with_context(|| self.log_words())?;
        self.serves().await
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// When it does not.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        signal(self.child.id(), process::Signal::TERM);
        ended(&mut self.child, "the server to end").await.with_context(|| self.log_words())
    }

    /// Kills all its processes at once, as a power cut would.
    ///
    /// # Errors
    /// When they are still there after the deadline.
    pub async fn kill(mut self) -> Result<()> {
        let children = children(self.child.id());
        kill(self.child.id());
        children.iter().copied().for_each(kill);
        ended(&mut self.child, "the server to be dead").await?;
        until("its children to be dead", async || {
            ensure!(!children.iter().copied().any(crate::is_running), "one is alive");
            Ok(())
        })
        .await
    }

    /// Leaves it running.
    pub fn stay(mut self) {
        self.stays = true;
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ends(&mut self) -> Result<ExitStatus> {
        ended(&mut self.child, "the server to end by itself").await.with_context(|| self.log_words())
    }

    /// Everything that it has logged so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log_file)?)
    }

    /// The file that it logs to.
    pub fn log_file(&self) -> &Path {
        &self.log_file
    }

    fn log_words(&self) -> String {
        format!("its log is {}", self.log_file.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        let children = children(self.child.id());
        kill(self.child.id());
        children.into_iter().for_each(kill);
        // Only a process that is waited for is gone from the table.
        let _ended = self.child.wait();
    }
}

impl Signal {
    const fn raw(self) -> process::Signal {
        match self {
            Self::Kill => process::Signal::KILL,
            Self::Terminate => process::Signal::TERM,
            Self::HangUp => process::Signal::HUP,
            Self::Stop => process::Signal::STOP,
            Self::Continue => process::Signal::CONT,
        }
    }
}

fn serve(home: &Home) -> Result<Command> {
    let serve = home.claviger(["serve", "--home"])?.args([home.path()]);
    Ok(serve.args(["--ready-file".as_ref(), home.ready_file().as_os_str()]))
}

async fn readyz(ready_file: &Path) -> Result<Reply> {
    Client::of_server(ready_file, Door::Public)?.get("/readyz").await
}
