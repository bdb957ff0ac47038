//! `make tour`: plays a tour of the operator console in a real terminal and writes it down, as a recording and as still
//! pictures.

mod cast;
mod sgr;
mod stage;
mod svg;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use claviger_e2e::{OPERATOR, PASSWORD, Terminal};

use crate::story::say;
use cast::Cast;

/// The terminal's size: what fits a page, and more than the console needs.
const COLUMNS: u16 = 100;
const ROWS: u16 = 28;

/// How the tour is written down.
#[derive(Debug, Args)]
pub(crate) struct Tour {
    /// The folder of the recording and the pictures.
    #[arg(long, default_value = "docs/tour")]
    out: PathBuf,
}

/// A tour that is being played.
struct Player {
    terminal: Terminal,
    cast: Cast,
    out: PathBuf,
}

impl Tour {
    /// Plays it.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        fs::create_dir_all(&self.out).with_context(|| format!("cannot make {}", self.out.display()))?;
        let (house, incident) = stage::set().await?;
        let terminal = Terminal::open(COLUMNS, ROWS).await?;
        terminal.run("console", house.home.client(["console", "--operator", OPERATOR])?).await?;
        let mut player = Player { terminal, cast: Cast::new(COLUMNS, ROWS), out: self.out };
        player.play(&incident).await?;
        let file = player.out.join("console.cast");
        fs::write(&file, player.cast.text())?;
        say(&format!("{} written: {:.0} s", file.display(), player.cast.seconds()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Player {
    async fn play(&mut self, incident: &str) -> Result<()> {
        self.seen("password", LOOK).await?;
        self.terminal.types(PASSWORD).await?;
        self.seen("••", BRIEF).await?;
        self.press("Enter", "open incidents", LOOK).await?;
        self.still("overview").await?;
        self.goes("credentials", "of 8").await?;
        self.still("credentials").await?;

        self.terminal.press("/").await?;
        self.types("perp").await?;
        self.seen("1 of 2", LOOK).await?;
        // The first leaves the filter, the second opens what the cursor is on.
        self.terminal.press("Enter").await?;
        self.press("Enter", "addresses", LOOK).await?;
        self.still("credential").await?;
        self.press("4", "credential.enroll", LOOK).await?;
        self.still("history").await?;
        self.terminal.press("Escape").await?;
        self.seen("addresses", BRIEF).await?;
        self.press("C-x", "reason", BRIEF).await?;
        self.fill("the desk was closed").await?;
        self.press("Enter", "[y] revoke", LOOK).await?;
        self.still("revoke").await?;
        self.press("y", "revoked credential", LOOK).await?;
        self.escape().await?;

        self.goes("incidents", "left").await?;
        self.press("Enter", incident, LOOK).await?;
        self.press("F", "[y] contain (frozen)", LOOK).await?;
        self.press("y", "contained (frozen) incident", LOOK).await?;
        self.escape().await?;
        self.still("incident").await?;

        self.goes("keys", "newest").await?;
        self.press("C-r", "rows a second", BRIEF).await?;
        self.fill("3").await?;
        self.terminal.press("Enter").await?;
        self.fill("the yearly rotation").await?;
        self.press("Enter", "[y] rotate the KEK", LOOK).await?;
        self.press("y", "rotation of the KEK begun", BRIEF).await?;
        self.escape().await?;
        self.goes("rotation", "running").await?;
        self.still("rotation").await?;
        self.seen("100%", LOOK).await?;

        self.goes("audit action:kek* reads:false", "kek.rotate").await?;
        self.still("audit").await?;
        self.press("?", "goes down", LOOK).await?;
        self.press("Escape", "kek.rotate", BRIEF).await
    }

    /// Goes to a screen by the palette.
    async fn goes(&mut self, name: &str, shown: &str) -> Result<()> {
        self.press(":", "tab complete", BRIEF).await?;
        self.types(name).await?;
        self.terminal.press("Enter").await?;
        self.seen(shown, LOOK).await
    }

    async fn types(&mut self, text: &str) -> Result<()> {
        for letter in text.chars() {
            self.terminal.types(&letter.to_string()).await?;
            self.seen("", LETTER).await?;
        }
        Ok(())
    }

    /// Types into a field that may not listen yet.
    async fn fill(&mut self, text: &str) -> Result<()> {
        self.terminal.fill(text, text).await?;
        self.seen(text, LOOK).await
    }

    async fn escape(&mut self) -> Result<()> {
        self.terminal.escape().await?;
        self.seen("", BRIEF).await
    }

    async fn press(&mut self, key: &str, shown: &str, pause: f64) -> Result<()> {
        self.terminal.press_until(key, shown).await?;
        self.seen(shown, pause).await
    }

    /// Waits for a text, and takes the screen down; whoever watches has `pause` seconds to read it.
    async fn seen(&mut self, text: &str, pause: f64) -> Result<()> {
        self.terminal.shows(text).await?;
        self.cast.frame(&self.terminal.coloured().await?, pause);
        Ok(())
    }

    /// Keeps the screen as a picture.
    async fn still(&self, name: &str) -> Result<()> {
        let picture = svg::picture(&self.terminal.coloured().await?, COLUMNS, ROWS);
        let file = self.out.join(format!("{name}.svg"));
        fs::write(&file, picture)?;
        say(&format!("{} written", file.display()));
        Ok(())
    }
}

/// Seconds: for a letter, for what is understood at once, and for what is read.
const LETTER: f64 = 0.12;
const BRIEF: f64 = 0.8;
const LOOK: f64 = 2.2;
