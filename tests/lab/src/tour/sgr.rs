//! What a captured screen looks like: its letters with their colours, read from the escape sequences (ECMA-48, SGR) that
//! tmux writes.

/// How a stretch of letters looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) ink: Option<u8>,
    pub(super) paper: Option<u8>,
    pub(super) bold: bool,
    pub(super) dim: bool,
    pub(super) reversed: bool,
}

/// Letters of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) look: Look,
}

/// The lines of a screen. The look goes on from line to line, as tmux writes it.
pub(super) fn lines(screen: &str) -> Vec<Vec<Run>> {
    let mut look = Look::default();
    screen.lines().map(|line| runs(line, &mut look)).collect()
}

fn runs(line: &str, look: &mut Look) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (number, part) in line.split("\x1b[").enumerate() {
        let text = match part.split_once('m') {
            Some((codes, text)) if number > 0 => {
                apply(codes, look);
                text
            }
            _ => part,
        };
        // Letters of line drawing are switched to and from by these.
        let text = text.replace(['\u{e}', '\u{f}'], "");
        if !text.is_empty() {
            runs.push(Run { text, look: *look });
        }
    }
    runs
}

fn apply(codes: &str, look: &mut Look) {
    let mut codes = codes.split(';').map(|code| code.parse::<u8>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => *look = Look::default(),
            1 => look.bold = true,
            2 => look.dim = true,
            7 => look.reversed = true,
            22 => (look.bold, look.dim) = (false, false),
            27 => look.reversed = false,
            30..=37 => look.ink = Some(code.saturating_sub(30)),
            90..=97 => look.ink = Some(code.saturating_sub(82)),
            40..=47 => look.paper = Some(code.saturating_sub(40)),
            100..=107 => look.paper = Some(code.saturating_sub(92)),
            39 => look.ink = None,
            49 => look.paper = None,
            // A colour by its number: `5` and the number follow.
            38 => look.ink = codes.nth(1),
            48 => look.paper = codes.nth(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_look_that_stands_before_them() {
        let screen = "plain \x1b[1m\x1b[31mred\x1b[0m end\n\x1b[7mturned\x1b[27;92m green\nstill";
        let lines = lines(screen);
        let seen: Vec<(&str, Option<u8>, bool, bool)> = lines
            .iter()
            .flatten()
            .map(|run| (run.text.as_str(), run.look.ink, run.look.bold, run.look.reversed))
            .collect();
        assert_eq!(
            seen,
            [
                ("plain ", None, false, false),
                ("red", Some(1), true, false),
                (" end", None, false, false),
                ("turned", None, false, true),
                (" green", Some(10), false, false),
                ("still", Some(10), false, false),
            ]
        );
    }
}
