//! OKX's permission probe, and its boxes in OKX's words.
//!
//! Source: `www.okx.com/docs-v5`, *Get account configuration* (2026-11-21).

use serde::Deserialize;

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::Products,
};

/// How much of a name or address from the answer is kept.
const TEXT_CHARS_MAX: usize = 64;

/// One box covers everything that can be traded.
pub(super) const BUNDLED: Products = Products::SPOT_AND_MARGIN.union(Products::DERIVATIVES);

#[derive(Deserialize)]
struct Answer {
    data: [Account; 1],
}

#[derive(Deserialize)]
struct Account {
    perm: String,
    ip: String,
}

/// Reads the probe's answer; `None` if it is not the documented one.
///
/// No box keeps a key that trades from moving value between the owner's accounts, or from sub-accounts.
pub(super) fn permissions(body: &[u8]) -> Option<KeyFacts> {
    let Answer { data: [Account { perm, ip }] } = serde_json::from_slice(body).ok()?;
    let mut facts = KeyFacts { ip: restriction(&ip), ..KeyFacts::default() };
    for word in perm.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "read_only" => facts.read = true,
            "trade" => {
                facts.trade = BUNDLED;
                facts.cancel = true;
                facts.transfer_assumed = true;
                facts.key_management_assumed = true;
            }
            "withdraw" => facts.withdraw = true,
            word => facts.unknown.push(printable(word, TEXT_CHARS_MAX)),
        }
    }
    Some(facts)
}

fn restriction(addresses: &str) -> IpRestriction {
    let addresses: Vec<_> = addresses.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if addresses.is_empty() {
        return IpRestriction::None;
    }
    IpRestriction::List(addresses.into_iter().map(|entry| printable(entry, TEXT_CHARS_MAX)).collect())
}

/// Says what to do about a fault, in the words of OKX's page.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled => "untick “Withdraw”".to_owned(),
        Fault::TransferEnabled | Fault::KeyManagementEnabled => {
            "untick “Withdraw” and “Trade”: one of them is what lets the key do this".to_owned()
        }
        Fault::UnknownPermission(name) => {
            format!("untick the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted | Fault::ProductNotWanted(_) => "untick “Trade”".to_owned(),
        Fault::ReadMissing => "tick “Read”".to_owned(),
        Fault::TradeMissing(_) | Fault::CancelMissing => "tick “Trade”".to_owned(),
    };
    format!("On OKX, API → Edit the key → {act}, then confirm.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ceiling, CeilingClass, VenueId, objections};

    fn read(perm: &str, ip: &str) -> KeyFacts {
        let body = format!(
            r#"{{"code":"0","data":[{{"uid":"1","mainUid":"1","label":"x","roleType":"0","perm":"{perm}","ip":"{ip}"}}],"msg":""}}"#
        );
        permissions(body.as_bytes()).unwrap()
    }

    #[test]
    fn each_box_grants_what_it_says() {
        let reader = KeyFacts { read: true, ..KeyFacts::default() };
        assert_eq!(read("read_only", ""), reader);
        assert_eq!(read("read_only,withdraw", ""), KeyFacts { withdraw: true, ..reader.clone() });
        let trader = KeyFacts {
            trade: BUNDLED,
            cancel: true,
            transfer_assumed: true,
            key_management_assumed: true,
            ..reader.clone()
        };
        assert_eq!(read("read_only,trade", ""), trader);
        assert_eq!(read("read_only,teleport", "").unknown, ["teleport"]);
    }

    #[test]
    fn what_no_box_is_against_is_no_fault_of_the_key() {
        let ceiling = |class| Ceiling { class, products: Products::SPOT };
        let codes = |class, perm| {
            let objections = objections(VenueId::Okx, &read(perm, ""), ceiling(class));
            objections.iter().map(|objection| objection.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(CeilingClass::Trade, "read_only,trade"), [""; 0]);
        assert_eq!(codes(CeilingClass::Read, "read_only,trade"), ["trade_not_wanted"]);
        assert_eq!(codes(CeilingClass::Trade, "read_only,trade,withdraw"), ["withdraw_enabled"]);
    }

    #[test]
    fn addresses() {
        assert_eq!(read("", "").ip, IpRestriction::None);
        let both = ["192.0.2.1".to_owned(), "2001:db8::1".to_owned()];
        assert_eq!(read("", "192.0.2.1,2001:db8::1").ip, IpRestriction::List(both.to_vec()));
    }

    #[test]
    fn half_an_answer_is_not_believed() {
        for body in
            ["", "{}", r#"{"data":[]}"#, r#"{"data":[{"perm":"read_only"}]}"#, r#"{"data":[{"perm":1,"ip":""}]}"#]
        {
            assert_eq!(permissions(body.as_bytes()), None, "{body}");
        }
        let two = r#"{"data":[{"perm":"read_only","ip":""},{"perm":"withdraw","ip":""}]}"#;
        assert_eq!(permissions(two.as_bytes()), None);
    }
}
