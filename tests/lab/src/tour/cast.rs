//! A recording in the format asciicast v2, which asciinema plays: a header, and a line for each frame.
//!
//! A frame has the lines that differ from the frame before. Its time is what whoever watches needs to read it, not what
//! this machine took.

use std::fmt::Write as _;

use serde_json::json;

/// A recording.
#[derive(Debug)]
pub(super) struct Cast {
    text: String,
    shown: Vec<String>,
    at: f64,
}

impl Cast {
    /// An empty one.
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        let header = json!({ "version": 2, "width": columns, "height": rows, "title": "claviger console" });
        Self { text: format!("{header}\n"), shown: Vec::new(), at: 0.0 }
    }

    /// Adds a screen, which stays for `pause` seconds.
    pub(super) fn frame(&mut self, screen: &str, pause: f64) {
        let lines: Vec<String> = screen.lines().map(ToOwned::to_owned).collect();
        let mut output = if self.shown.is_empty() { "\x1b[?25l\x1b[2J".to_owned() } else { String::new() };
        for (number, line) in lines.iter().enumerate() {
            if self.shown.get(number) != Some(line) {
                let row = number.saturating_add(1);
                // Writing to a string does not fail.
                let _written = write!(output, "\x1b[{row};1H\x1b[0m{line}\x1b[0m\x1b[K");
            }
        }
        if !output.is_empty() {
            let _written = writeln!(self.text, "{}", json!([(self.at * 100.0).round() / 100.0, "o", output]));
        }
        self.at += pause;
        self.shown = lines;
    }

    /// How long it takes to watch.
    pub(super) fn seconds(&self) -> f64 {
        self.at
    }

    /// The recording as a file; its last frame stays to its end.
    pub(super) fn text(&self) -> String {
        format!("{}{}\n", self.text, json!([(self.at * 100.0).round() / 100.0, "o", ""]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_lines_that_differ() {
        let mut cast = Cast::new(80, 24);
        cast.frame("one\ntwo", 1.0);
        cast.frame("one\nthree", 0.5);
        cast.frame("one\nthree", 0.5);
        let text = cast.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], r#"{"height":24,"title":"claviger console","version":2,"width":80}"#);
        assert!(lines[1].starts_with("[0.0,") && lines[1].contains("one") && lines[1].contains("two"));
        assert!(lines[2].starts_with("[1.0,") && !lines[2].contains("one") && lines[2].contains("three"));
        assert_eq!((lines.len(), lines[3]), (4, r#"[2.0,"o",""]"#), "what does not change is not repeated");
    }
}
