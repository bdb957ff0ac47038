//! The story on standard output: one line for each thing that is so.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

/// A line that turned out not to be so; it has been printed.
#[derive(Debug)]
pub(crate) struct Failed {
    title: &'static str,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

impl std::error::Error for Failed {}

/// Does one thing and prints its line: what it says of itself, or why it failed.
pub(crate) async fn line<T>(title: &'static str, doing: impl Future<Output = Result<(T, String)>>) -> Result<T> {
    match doing.await {
        Ok((value, words)) => {
            say(&format!("  ok  {title:<11} {words}"));
            Ok(value)
        }
        Err(error) => {
            say(&format!("  NO  {title:<11} {error:#}"));
            Err(Failed { title }.into())
        }
    }
}

/// The last line, and the exit code that goes with it.
pub(crate) fn end(story: Result<()>) -> ExitCode {
    match story {
        Ok(()) => {
            say("DEMO PASSED");
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("DEMO FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints one line.
#[expect(clippy::print_stdout, reason = "the story is this program's output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
