//! A real terminal: tmux, with a server of its own for each, in which a shell runs.
//!
//! What a person would see is read from the screen, and what they would press is typed; nothing else is known of the
//! program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use tokio::time::{Duration, Instant};

use crate::command::Command;
use crate::process::{children, kill, signal};
use crate::scratch::Scratch;
use crate::wait::until;

/// A terminal. Dropped, it ends with everything in it.
#[derive(Debug)]
pub struct Terminal {
    server: Child,
    scratch: Scratch,
}

impl Terminal {
    /// Opens one of so many columns and rows, with a shell that has prompted.
    ///
    /// # Errors
    /// When tmux is not installed, or does not start.
    pub async fn open(columns: u16, rows: u16) -> Result<Self> {
        let scratch = Scratch::new()?;
        let config = scratch.path().join("tmux.conf");
        fs::write(&config, CONFIG)?;
        let server = tmux(scratch.path()).args(["-f".as_ref(), config.as_os_str()]).args(["-D"]).into_inner();
        let terminal = Self { server: spawn(server)?, scratch };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        until("tmux to take commands", async || terminal.tmux(["start-server"]).await).await?;
        let shell = ["new-session", "-d", "-x", &columns, "-y", &rows, "-c", &terminal.folder(), "/bin/sh"];
        terminal.tmux(shell).await?;
        until("a prompt", async || {
            ensure!(!terminal.screen().await?.trim().is_empty(), "no prompt");
            Ok(())
        })
        .await?;
        Ok(terminal)
    }

    /// Runs a program in the shell, by a script of this name in its folder. The name is all that is typed.
    ///
    /// # Errors
    /// When it cannot be typed.
    pub async fn run(&self, name: &str, command: Command) -> Result<()> {
        let command = command.into_inner();
        let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let set = set.map(|(name, value)| format!("{}={}", name.display(), quoted(&value.to_string_lossy())));
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words = words.map(|word| quoted(&word.to_string_lossy()));
        let line: Vec<String> = ["exec".to_owned(), "env".to_owned()].into_iter().chain(set).chain(words).collect();
        fs::write(self.scratch.path().join(name), format!("{}\n", line.join(" ")))?;
        self.types(&format!("sh {name}")).await?;
        self.press("Enter").await
    }

    /// Types a text, character by character.
    ///
    /// # Errors
    /// When tmux does not take it.
    pub async fn types(&self, text: &str) -> Result<()> {
        self.tmux(["send-keys", "-l", "--", text]).await.map(drop)
    }

    /// Presses a key, by tmux's name for it: `Enter`, `Escape`, `C-r`, `y`.
    ///
    /// # Errors
    /// When tmux does not know it.
    pub async fn press(&self, key: &str) -> Result<()> {
        self.tmux(["send-keys", "--", key]).await.map(drop)
    }

    /// Pastes a text, as a terminal does: between brackets, if the program asked for that.
    ///
    /// # Errors
    /// When tmux does not take it.
    pub async fn paste(&self, text: &str) -> Result<()> {
        self.tmux(["set-buffer", "-b", "pasted", "--", text]).await?;
        self.tmux(["paste-buffer", "-p", "-d", "-b", "pasted"]).await.map(drop)
    }

    /// Presses a key until a text is on the screen. Programs that take no key for what nobody can have read yet do not
    /// take the first.
    ///
    /// # Errors
    /// When it never is, with the screen.
    pub async fn press_until(&self, key: &str, text: &str) -> Result<String> {
        self.does_until(text, async || self.press(key).await).await
    }

    /// Presses the escape key until no dialog is open: each says which key closes it.
    ///
    /// # Errors
    /// When one stays, with the screen.
    pub async fn escape(&self) -> Result<String> {
        let mut pressed: Option<Instant> = None;
        until("no dialog on the screen", async || {
            let screen = self.screen().await?;
            if screen.contains("[esc]") && pressed.is_none_or(|pressed| pressed.elapsed() > AGAIN) {
                pressed = Some(Instant::now());
                self.press("Escape").await?;
            }
            ensure!(!screen.contains("[esc]"), "the screen:\n{screen}");
            Ok(screen)
        })
        .await
    }

    /// Empties the field that has the focus and types into it, until `shown` is on the screen.
    ///
    /// # Errors
    /// When it never is, with the screen.
    pub async fn fill(&self, text: &str, shown: &str) -> Result<String> {
        let again = async || {
            self.press("C-u").await?;
            self.types(text).await
        };
        self.does_until(shown, again).await
    }

    async fn does_until(&self, text: &str, act: impl AsyncFn() -> Result<()>) -> Result<String> {
        let mut acted: Option<Instant> = None;
        until(&format!("{text:?} on the screen"), async || {
            let seen = self.shown(text).await;
            if seen.is_err() && acted.is_none_or(|acted| acted.elapsed() > AGAIN) {
                acted = Some(Instant::now());
                act().await?;
            }
            seen
        })
        .await
    }

    /// The screen, as soon as a text is on it.
    ///
    /// # Errors
    /// When it never is, with the screen.
    pub async fn shows(&self, text: &str) -> Result<String> {
        until(&format!("{text:?} on the screen"), async || self.shown(text).await).await
    }

    /// The screen, as soon as a text is not on it any more.
    ///
    /// # Errors
    /// When it stays, with the screen.
    pub async fn shows_no(&self, text: &str) -> Result<String> {
        until(&format!("no {text:?} on the screen"), async || {
            let screen = self.screen().await?;
            ensure!(!screen.contains(text), "the screen:\n{screen}");
            Ok(screen)
        })
        .await
    }

    async fn shown(&self, text: &str) -> Result<String> {
        let screen = self.screen().await?;
        ensure!(screen.contains(text), "the screen:\n{screen}");
        Ok(screen)
    }

    /// What is on the screen, line by line, without colours.
    ///
    /// # Errors
    /// When tmux has ended.
    pub async fn screen(&self) -> Result<String> {
        self.tmux(["capture-pane", "-p"]).await
    }

    /// The same with everything that has scrolled away.
    ///
    /// # Errors
    /// When tmux has ended.
    pub async fn everything(&self) -> Result<String> {
        self.tmux(["capture-pane", "-p", "-S", "-"]).await
    }

    /// The screen with its colours, as escape sequences (SGR).
    ///
    /// # Errors
    /// When tmux has ended.
    pub async fn coloured(&self) -> Result<String> {
        self.tmux(["capture-pane", "-p", "-e"]).await
    }

    /// What tmux knows of the terminal, by the name of one of its formats, such as `alternate_on` or `pane_title`.
    ///
    /// # Errors
    /// When tmux has ended.
    pub async fn knows(&self, format: &str) -> Result<String> {
        let known = self.tmux(["display-message", "-p", &format!("#{{{format}}}")]).await?;
        Ok(known.trim_end().to_owned())
    }

    /// What was put on the clipboard last (OSC 52), as far as tmux has heard.
    ///
    /// # Errors
    /// When nothing was.
    pub async fn clipboard(&self) -> Result<String> {
        self.tmux(["show-buffer"]).await
    }

    /// Gives it another size.
    ///
    /// # Errors
    /// When tmux has ended.
    pub async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        self.tmux(["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]).await.map(drop)
    }

    /// The process id of the program that runs in the shell.
    ///
    /// # Errors
    /// When there is none.
    pub async fn pid(&self) -> Result<u32> {
        let shell = self.knows("pane_pid").await?.parse()?;
        until("a program in the shell", async || children(shell).first().copied().context("there is none")).await
    }

    /// Waits until that program has ended, and the shell reads again.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn ended(&self) -> Result<()> {
        let shell = self.knows("pane_pid").await?.parse()?;
        until("the program to end", async || {
            let running = children(shell);
            ensure!(running.is_empty(), "{running:?} run");
            Ok(())
        })
        .await
    }

    /// Sends that program a signal.
    ///
    /// # Errors
    /// When there is none.
    pub async fn signal(&self, sent: Signal) -> Result<()> {
        signal(self.pid().await?, sent);
        Ok(())
    }

    async fn tmux<const N: usize>(&self, args: [&str; N]) -> Result<String> {
        // `-N`: the server is the one that ends with this, and no other is started.
        Ok(tmux(self.scratch.path()).args(["-N"]).args(args).output().await?.ok()?.stdout)
    }

    fn folder(&self) -> String {
        self.scratch.path().to_string_lossy().into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let inside = children(self.server.id());
        kill(self.server.id());
        inside.iter().flat_map(|shell| children(*shell)).chain(inside.iter().copied()).for_each(kill);
        let _ended = self.server.wait();
    }
}

/// tmux, as a client of the server whose socket lies in a folder, or as that server.
fn tmux(folder: &Path) -> Command {
    let command = Command::new(Path::new("tmux")).args(["-u".as_ref(), "-S".as_ref(), socket(folder).as_os_str()]);
    // Whoever runs the tests may do so in a tmux, and in any language.
    command.without_env("TMUX").env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color")
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("tmux")
}

fn spawn(mut server: std::process::Command) -> Result<Child> {
    let spawned = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    match spawned {
        Ok(child) => Ok(child),
        Err(error) => bail!("tmux does not start ({error}): apt install tmux"),
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The whole window is the terminal; a lone escape key is one at once; programs may use the clipboard.
const CONFIG: &str = "\
set -g status off
set -s escape-time 0
set -s set-clipboard on
set -s exit-empty off
set -g default-terminal tmux-256color
set -g history-limit 100
";

/// A key that was not taken is pressed again after so long. No test depends on its length.
const AGAIN: Duration = Duration::from_millis(300);
