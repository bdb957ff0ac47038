//! Running the program `claviger` to its end.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{self, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::wait::until;

/// A command line, with its environment.
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    input: Option<String>,
    words: String,
}

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    words: String,
}

impl Command {
    /// A program, without arguments.
    pub fn new(program: &Path) -> Self {
        let mut inner = process::Command::new(program);
        inner.stdin(Stdio::null());
        let words = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { inner, input: None, words }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        for arg in args {
            self.words.push(' ');
            self.words.push_str(&arg.as_ref().to_string_lossy());
            self.inner.arg(arg);
        }
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Takes a variable out of the environment.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.inner.env_remove(name);
        self
    }

    /// Sets variables of the environment.
    #[must_use]
    pub fn envs<'a>(mut self, variables: impl IntoIterator<Item = &'a (String, OsString)>) -> Self {
        for (name, value) in variables {
            self.inner.env(name, value);
        }
        self
    }

    /// Sets the folder it runs in.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// Gives it `text` to read, all of it at once, and then the end of input.
    #[must_use]
    pub fn input(mut self, text: String) -> Self {
        self.inner.stdin(Stdio::piped());
        self.input = Some(text);
        self
    }

    /// Runs it to its end, however it ends.
    ///
    /// # Errors
    /// When it does not start, or does not end within the deadline; it is killed then.
    pub async fn output(mut self) -> Result<Output> {
        let child = self.inner.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot start: {}", self.words))?;
        let pid = child.id();
        let (words, input) = (self.words, self.input);
        let mut ending = tokio::task::spawn_blocking(move || {
            if let Some((text, mut stdin)) = input.zip(child.stdin.take()) {
                // Who has ended before reads nothing.
                drop(stdin.write_all(text.as_bytes()));
            }
            child.wait_with_output()
        });
        let waited = tokio::time::timeout(crate::DEADLINE, &mut ending).await;
        if waited.is_err() {
            crate::process::kill(pid);
            bail!("did not end: {words}");
        }
        let ended = waited??.with_context(|| format!("cannot wait for: {words}"))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Output { code: ended.status.code(), stdout: text(ended.stdout), stderr: text(ended.stderr), words })
    }

    /// Starts it, and leaves the rest to whoever has it: what it says is lost.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(mut self) -> Result<process::Child> {
        let child = self.inner.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        child.with_context(|| format!("cannot start: {}", self.words))
    }

    /// The same, as the first of a process group of its own, as a shell starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_alone(mut self) -> Result<process::Child> {
        self.inner.process_group(0);
        self.start()
    }

    pub(crate) fn into_inner(self) -> process::Command {
        self.inner
    }
}

impl Output {
    /// Itself, if the exit code is 0.
    ///
    /// # Errors
    /// When it is another.
    pub fn ok(self) -> Result<Self> {
        self.exits(0)
    }

    /// Itself, if the exit code is this one.
    ///
    /// # Errors
    /// When it is another, with what the command printed.
    pub fn exits(self, code: i32) -> Result<Self> {
        ensure!(
            self.code == Some(code),
            "{}: exit code {:?}, not {code}\n{}{}",
            self.words,
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// Standard output as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("{}: no JSON: {}", self.words, self.stdout))
    }
}

/// Waits for the end of a child that is still running.
pub(crate) async fn ended(child: &mut process::Child, what: &str) -> Result<process::ExitStatus> {
    until(what, async || child.try_wait()?.context("it runs")).await
}
