//! A screen as a picture that scales, in letters, so that it can be searched and read aloud.

use std::fmt::Write as _;

use super::sgr::{Look, Run, lines};

/// Draws a captured screen.
pub(super) fn picture(screen: &str, columns: u16, rows: u16) -> String {
    let (width, height) = (f64::from(columns) * LETTER + 2.0 * MARGIN, f64::from(rows) * LINE + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, 'DejaVu Sans \
         Mono', monospace\" font-size=\"14\">\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" \
         fill=\"{PAPER}\"/>\n"
    );
    for (number, line) in (0_u32..).zip(lines(screen)) {
        let top = MARGIN + f64::from(number) * LINE;
        let mut column = 0_u32;
        for run in line {
            let start = MARGIN + f64::from(column) * LETTER;
            let letters = u32::try_from(run.text.chars().count()).unwrap_or(u32::MAX);
            column = column.saturating_add(letters);
            draw(&mut svg, &run, start, top, f64::from(letters) * LETTER);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws letters of one look. Writing to a string does not fail.
fn draw(svg: &mut String, run: &Run, start: f64, top: f64, width: f64) {
    let (ink, paper) = colours(run.look);
    if let Some(paper) = paper {
        let _written = writeln!(
            svg,
            "<rect x=\"{start:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{LINE}\" fill=\"{paper}\"/>"
        );
    }
    let bold = if run.look.bold { " font-weight=\"bold\"" } else { "" };
    let dim = if run.look.dim { " opacity=\".6\"" } else { "" };
    let base = top + BASE;
    // Space is not drawn but stepped over: what draws a picture may take several for one.
    let mut column = 0_u32;
    for word in run.text.split(' ') {
        let letters = u32::try_from(word.chars().count()).unwrap_or(u32::MAX);
        if letters > 0 {
            let (x, width) = (start + f64::from(column) * LETTER, f64::from(letters) * LETTER);
            let word = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _written = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{base:.1}\" textLength=\"{width:.1}\" fill=\"{ink}\"{bold}{dim}>{word}</text>"
            );
        }
        column = column.saturating_add(letters).saturating_add(1);
    }
}

/// The colour of the letters, and the one behind them if it is not that of the whole.
fn colours(look: Look) -> (&'static str, Option<&'static str>) {
    let colour = |number: u8| PALETTE.get(usize::from(number)).copied().unwrap_or(INK);
    let (ink, paper) = (look.ink.map_or(INK, colour), look.paper.map(colour));
    if look.reversed { (paper.unwrap_or(PAPER), Some(ink)) } else { (ink, paper) }
}

const LETTER: f64 = 8.4;
const LINE: f64 = 18.0;
const BASE: f64 = 13.5;
const MARGIN: f64 = 12.0;

const PAPER: &str = "#16181d";
const INK: &str = "#d8dade";

/// The sixteen colours of a terminal; those of text have a contrast of 7:1 and more on the paper.
const PALETTE: &[&str] = &[
    "#16181d", "#ff9d94", "#8fd694", "#f2c94c", "#8ab8ff", "#dca6f5", "#7fd8d8", "#d8dade", "#9aa0aa", "#ffb3ac",
    "#a8e6ad", "#ffdd70", "#a9ccff", "#e8c2fa", "#9eeaea", "#ffffff",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_every_letter_in_its_place_and_none_is_markup() {
        let svg = picture("a \x1b[31m<b>\x1b[0m\n\x1b[7m c \x1b[0m", 10, 2);
        assert!(svg.contains(">a</text>") && svg.contains("&lt;b&gt;</text>"), "{svg}");
        let red = svg.lines().find(|line| line.contains("&lt;b&gt;")).unwrap();
        assert!(red.contains("x=\"28.8\"") && red.contains("#ff9d94"), "{red}");
        assert!(
            svg.contains(&format!("height=\"18\" fill=\"{INK}\"")),
            "what is reversed has the ink behind it: {svg}"
        );
    }
}
