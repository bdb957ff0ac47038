//! The rules: parsing them, and which one strikes.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use cryptoki_sys::CK_RV;

use crate::log;

/// The attacks that `attack=<name>` can let succeed.
pub const ATTACKS: &[&str] = &[
    "unwrap-extractable",
    "unwrap-readable",
    "unwrap-other-type",
    "unwrap-token-object",
    "read-value",
    "decrypt-wrapped-blob",
    "wrap-then-decrypt",
    "wrap-with-kek",
    "set-usage-bit",
    "copy-root",
    "gcm-tamper",
    "import-extractable",
    "import-readable",
    "import-other-usage",
    "import-decrypt",
    "resident-extractable",
    "resident-readable",
    "resident-other-usage",
    "resident-token-object",
    "resident-read-value",
    "resident-decrypt",
    "resident-wrap-out",
    "private-extractable",
    "private-readable",
    "private-other-usage",
    "private-token-object",
    "private-read-value",
    "private-decrypt",
    "private-wrap-out",
];

/// What a call has to suffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) delay: Duration,
    pub(crate) action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Nothing,
    Return(CK_RV),
    LoseAnswer(CK_RV),
    FlipBit,
    Zero,
    Hang,
    Die,
}

impl Action {
    /// Whether it makes sense only for a call that produces output.
    fn needs_output(self) -> bool {
        matches!(self, Self::LoseAnswer(_) | Self::FlipBit | Self::Zero)
    }
}

/// The fault of this call, if a rule strikes it.
pub(crate) fn strike(function: &str, produces_output: bool) -> Option<Fault> {
    with_rules(|rules| {
        let matching = rules
            .faults
            .iter_mut()
            .filter(|rule| rule.function == function && (produces_output || !rule.fault.action.needs_output()));
        for rule in matching {
            rule.seen = rule.seen.saturating_add(1);
            let struck = rule.seen.saturating_sub(rule.after);
            if struck > 0 && rule.count.is_none_or(|count| struck <= count) {
                return Some(rule.fault);
            }
        }
        None
    })
}

/// Whether this attack is to look successful.
pub(crate) fn attack(name: &str) -> bool {
    with_rules(|rules| rules.attacks.iter().any(|attack| attack == name))
}

#[derive(Debug, Default)]
struct Rules {
    /// Inode, size and time of the file as it was read.
    stamp: Option<(u64, u64, i64, i64)>,
    faults: Vec<Rule>,
    attacks: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    function: String,
    fault: Fault,
    after: u64,
    count: Option<u64>,
    seen: u64,
}

/// Runs `look` on the rules as they are in the file at this moment; costs one `stat` while they do not change.
fn with_rules<T>(look: impl FnOnce(&mut Rules) -> T) -> T {
    static FILE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("CLAVIGER_FAULT_RULES").map(PathBuf::from));
    static RULES: Mutex<Rules> = Mutex::new(Rules { stamp: None, faults: Vec::new(), attacks: Vec::new() });

    let mut rules = RULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = FILE.as_ref() {
        let stamp = std::fs::metadata(path).ok().map(|file| (file.ino(), file.size(), file.mtime(), file.mtime_nsec()));
        if stamp != rules.stamp {
            let text = if stamp.is_some() { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
            *rules = parse(&text).unwrap_or_else(|line| {
                log::tell(&format!("this rule is not understood: {line}"));
                std::process::abort()
            });
            rules.stamp = stamp;
        }
    }
    look(&mut rules)
}

/// The rules of a file, or the line that is none.
fn parse(text: &str) -> Result<Rules, String> {
    let mut rules = Rules::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("attack=") {
            if !ATTACKS.contains(&name) {
                return Err(line.to_owned());
            }
            rules.attacks.push(name.to_owned());
        } else {
            rules.faults.push(parse_rule(line).ok_or_else(|| line.to_owned())?);
        }
    }
    Ok(rules)
}

fn parse_rule(line: &str) -> Option<Rule> {
    let mut words = line.split_whitespace();
    let function = words.next().filter(|word| word.starts_with("C_"))?.to_owned();
    let mut rule = Rule {
        function,
        fault: Fault { delay: Duration::ZERO, action: Action::Nothing },
        after: 0,
        count: None,
        seen: 0,
    };
    let mut loses_answer = false;
    for word in words {
        match word.split_once('=') {
            Some(("return", code)) => rule.fault.action = Action::Return(parse_code(code)?),
            Some(("delay_ms", delay)) => rule.fault.delay = Duration::from_millis(delay.parse().ok()?),
            Some(("after", calls)) => rule.after = calls.parse().ok()?,
            Some(("count", calls)) => rule.count = Some(calls.parse().ok()?),
            Some(_) => return None,
            None => match word {
                "lose-answer" => loses_answer = true,
                "flip-bit" => rule.fault.action = Action::FlipBit,
                "zero" => rule.fault.action = Action::Zero,
                "hang" => rule.fault.action = Action::Hang,
                "die" => rule.fault.action = Action::Die,
                _ => return None,
            },
        }
    }
    if loses_answer {
        let Action::Return(code) = rule.fault.action else {
            return None;
        };
        rule.fault.action = Action::LoseAnswer(code);
    }
    Some(rule)
}

fn parse_code(code: &str) -> Option<CK_RV> {
    code.strip_prefix("0x").map_or_else(|| code.parse().ok(), |hex| CK_RV::from_str_radix(hex, 16).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_a_function_a_fault_and_its_calls() {
        let rule = parse_rule("C_Decrypt return=0x30 delay_ms=5 after=3 count=2").unwrap();
        assert_eq!((rule.function.as_str(), rule.after, rule.count), ("C_Decrypt", 3, Some(2)));
        assert_eq!(rule.fault, Fault { delay: Duration::from_millis(5), action: Action::Return(0x30) });
        assert_eq!(parse_rule("C_Sign lose-answer return=50").unwrap().fault.action, Action::LoseAnswer(50));
        assert_eq!(parse_rule("C_Sign delay_ms=1").unwrap().fault.action, Action::Nothing);
    }

    #[test]
    fn what_is_not_understood_is_no_rule() {
        for line in ["Decrypt die", "C_Decrypt explode", "C_Decrypt return=", "C_Sign lose-answer", "attack=unknown"] {
            assert_eq!(parse(line).unwrap_err(), line);
        }
    }
}
