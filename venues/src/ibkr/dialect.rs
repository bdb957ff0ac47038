//! The gateway's side of Interactive Brokers: plain calls, as to a gateway of IBKR's own on the same machine, with the
//! virtual token. OAuth is not spoken towards clients.

use crate::inbound::{Claim, Dialect, Inbound, InboundError, Refusal, Refuse, VirtualForm, VirtualSecret, bearer};

pub(super) struct Gateway;

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        bearer(inbound)
    }

    fn dropped(&self) -> &'static [&'static str] {
        &[]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(20, VirtualSecret::Bearer)
    }

    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let status: u16 = match why {
            Refuse::UnknownKey | Refuse::BadSignature | Refuse::Stale => 401,
            Refuse::Denied | Refuse::Replayed => 403,
            Refuse::Malformed => 400,
            Refuse::Limited => 429,
            Refuse::Unavailable => 503,
            Refuse::Unknown => 504,
        };
        Refusal { status, body: serde_json::json!({ "error": text, "statusCode": status }).to_string() }
    }
}
