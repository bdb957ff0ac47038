//! What OKX's answers mean. `code` tells; where it says that an order or some of a batch failed, each entry has a code of
//! its own.
//!
//! Source: `www.okx.com/docs-v5`, *Error Code* (2026-11-21).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::meaning::{Meaning, by_status};

#[derive(Deserialize)]
struct Answer {
    code: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "sCode")]
    code: String,
}

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let Ok(Answer { code, data }) = serde_json::from_slice(body) else { return by_status(status) };
    let is_ok = (200..=299).contains(&status);
    match code.as_str() {
        "0" if is_ok => Meaning::Accepted,
        "0" | "" => by_status(status),
        "1" | "2" => by_entries(status, &code, data.as_deref()),
        code => by_code(status, code),
    }
}

/// Whether all failed (`1`) or some (`2`). If what came of one is not known, nothing is known of the call.
fn by_entries(status: u16, code: &str, data: Option<&RawValue>) -> Meaning {
    let entries: Vec<Entry> = data.and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_default();
    let meant = |entry: &Entry| if entry.code == "0" { Meaning::Accepted } else { by_code(status, &entry.code) };
    let meanings: Vec<Meaning> = entries.iter().map(meant).collect();
    let accepted = meanings.contains(&Meaning::Accepted);
    if meanings.contains(&Meaning::Unknown) || (accepted && !(200..=299).contains(&status)) {
        return Meaning::Unknown;
    }
    if accepted {
        return Meaning::Accepted;
    }
    meanings.into_iter().next().unwrap_or_else(|| by_code(status, code))
}

fn by_code(status: u16, code: &str) -> Meaning {
    match code {
        "50105" | "50111" | "50119" => Meaning::DeadKey,
        // Blocked, frozen, of another environment, not authorised: the code does not say what of the key.
        "50007" | "50008" | "50100" | "50101" | "50114" => Meaning::SuspectKey,
        "50113" => Meaning::BadSignature,
        // The second: this call is open to keys with a list of addresses only.
        "50120" | "50035" => Meaning::MissingPermission,
        "50110" => Meaning::AddressNotAllowed,
        "50102" => Meaning::ClockSkew,
        "50011" | "50040" | "50061" => Meaning::RateLimited { retry_after_ms: None },
        "50001" | "50005" => Meaning::Unavailable,
        // Time-outs and faults inside OKX, of its gateway and of its matching engine; failures that it does not name.
        "50004" | "50013" | "50026" | "51149" | "1" | "2" => Meaning::Unknown,
        _ if status >= 500 => Meaning::Unknown,
        code => Meaning::rejected(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(code: &str) -> Meaning {
        Meaning::Rejected { code: code.to_owned() }
    }

    #[test]
    fn documented_codes() {
        for (status, code, expected) in [
            (200, "0", Meaning::Accepted),
            (401, "50105", Meaning::DeadKey),
            (401, "50111", Meaning::DeadKey),
            (401, "50119", Meaning::DeadKey),
            (401, "50114", Meaning::SuspectKey),
            (401, "50101", Meaning::SuspectKey),
            (403, "50100", Meaning::SuspectKey),
            (401, "50113", Meaning::BadSignature),
            (401, "50120", Meaning::MissingPermission),
            (401, "50110", Meaning::AddressNotAllowed),
            (401, "50102", Meaning::ClockSkew),
            (401, "50112", rejected("50112")),
            (429, "50011", Meaning::RateLimited { retry_after_ms: None }),
            (503, "50001", Meaning::Unavailable),
            (429, "50013", Meaning::Unknown),
            (400, "50004", Meaning::Unknown),
            (200, "51008", rejected("51008")),
            (500, "59999", Meaning::Unknown),
            (502, "0", Meaning::Unknown),
            (200, "1", Meaning::Unknown),
        ] {
            let body = format!(r#"{{"code":"{code}","msg":"x","data":[]}}"#);
            assert_eq!(meaning(status, body.as_bytes()), expected, "{code}");
        }
        assert_eq!(meaning(200, br#"{"code":"0","data":[["1","2"]]}"#), Meaning::Accepted);
        assert_eq!(meaning(200, br#"{"code":0,"data":[]}"#), Meaning::Unknown);
        assert_eq!(meaning(401, b"<html>"), Meaning::SuspectKey);
    }

    #[test]
    fn an_order_or_a_batch_says_it_in_its_entries() {
        for (code, entries, expected) in [
            ("1", &["51008"][..], rejected("51008")),
            ("1", &["51008", "51000"], rejected("51008")),
            ("1", &["51008", "50004"], Meaning::Unknown),
            ("1", &["50061"], Meaning::RateLimited { retry_after_ms: None }),
            ("2", &["51008", "0"], Meaning::Accepted),
            ("2", &["0", "51149"], Meaning::Unknown),
        ] {
            let data: Vec<_> = entries.iter().map(|code| format!(r#"{{"sCode":"{code}","sMsg":""}}"#)).collect();
            let body = format!(r#"{{"code":"{code}","msg":"","data":[{}]}}"#, data.join(","));
            assert_eq!(meaning(200, body.as_bytes()), expected, "{body}");
        }
        let cut = br#"{"code":"2","data":[{"sCode":"0"}]}"#;
        assert_eq!(meaning(502, cut), Meaning::Unknown);
    }
}
