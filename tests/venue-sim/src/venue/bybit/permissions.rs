//! What a Bybit key may do, and how its probe says it.

use serde_json::{Map, Value, json};

use super::Category;
use crate::account::Key;
use crate::catalogue::Class;
use crate::venue::{Call, Caller};
use crate::verifier::Verifier;

/// Shows a key its own permissions; any key may ask.
pub(super) const PROBE: &str = "/v5/user/query-api";

/// The groups that the probe always lists, ticked or not.
const GROUPS: [&str; 13] = [
    "ContractTrade",
    "Spot",
    "Wallet",
    "Options",
    "Derivatives",
    "CopyTrading",
    "BlockTrade",
    "Exchange",
    "NFT",
    "Affiliate",
    "Earn",
    "FiatP2P",
    "FiatBitPay",
];

/// Whether the key's boxes cover the operation.
pub(super) fn permits(key: &Key, call: &Call<'_>) -> bool {
    let has = &key.permissions;
    match call.operation.class {
        Class::Market => true,
        Class::Read => call.path == PROBE || has.read || has.trade_spot || has.trade_derivatives,
        Class::Trade => match Category::of(&call.params) {
            _ if call.path.starts_with("/v5/position/") => has.trade_derivatives,
            Ok(Category::Spot) => has.trade_spot,
            Ok(Category::Linear | Category::Other(_)) => has.trade_derivatives,
            Err(_) => has.trade_spot || has.trade_derivatives,
        },
        Class::Withdraw => has.withdraw,
        Class::Transfer => has.transfer,
        // The box that lets a key transfer lets it make keys, too.
        Class::KeyManagement => has.key_management || has.transfer,
        Class::Login | Class::Alarming | Class::Unknown => false,
    }
}

/// The probe's answer.
pub(super) fn show(caller: &Caller) -> Map<String, Value> {
    let key = &caller.key;
    let rsa = match &key.verifier {
        Verifier::Hmac(_) | Verifier::Shown(_) => "",
        Verifier::Public(_) => "-----BEGIN PUBLIC KEY-----",
    };
    let mut shown = Map::new();
    for (field, value) in [
        ("id", json!("13770661")),
        ("note", json!("simulated")),
        ("apiKey", json!(caller.account.key_id)),
        ("readOnly", json!(u8::from(!writes(key)))),
        ("secret", json!("")),
        ("permissions", Value::Object(groups(key))),
        ("ips", if key.permissions.ip_restricted { json!(["127.0.0.1"]) } else { json!(["*"]) }),
        ("type", json!(1)),
        ("deadlineDay", json!(83)),
        ("expiredAt", json!("2027-05-15T03:21:05Z")),
        ("createdAt", json!("2023-10-16T02:24:40Z")),
        ("unified", json!(0)),
        ("uta", json!(1)),
        ("userID", json!(24_617_703)),
        ("inviterID", json!(0)),
        ("vipLevel", json!("No VIP")),
        ("mktMakerLevel", json!("0")),
        ("affiliateID", json!(0)),
        ("rsaPublicKey", json!(rsa)),
        ("isMaster", json!(true)),
        ("parentUid", json!("0")),
        ("kycLevel", json!("LEVEL_DEFAULT")),
        ("kycRegion", json!("")),
    ] {
        shown.insert(field.to_owned(), value);
    }
    key.lay_over(&mut shown);
    shown
}

fn writes(key: &Key) -> bool {
    let has = &key.permissions;
    has.trade_spot
        || has.trade_derivatives
        || has.transfer
        || has.withdraw
        || has.key_management
        || !has.extra.is_empty()
}

/// A read-only key lists the boxes that it may look into.
fn groups(key: &Key) -> Map<String, Value> {
    let has = &key.permissions;
    let reads_all = !writes(key) && has.read;
    let boxes = [
        (has.trade_derivatives || reads_all, "ContractTrade", "Order"),
        (has.trade_derivatives || reads_all, "ContractTrade", "Position"),
        (has.trade_derivatives || reads_all, "Derivatives", "DerivativesTrade"),
        (has.trade_spot || reads_all, "Spot", "SpotTrade"),
        (has.transfer, "Wallet", "AccountTransfer"),
        (has.transfer || has.key_management, "Wallet", "SubMemberTransfer"),
        (has.withdraw, "Wallet", "Withdraw"),
    ];
    let ticked = boxes.into_iter().filter(|(ticked, ..)| *ticked).map(|(_, group, word)| (group, word));
    let extra = has.extra.iter().map(|name| name.split_once('.').unwrap_or((name, name)));
    let mut groups: Map<String, Value> = GROUPS.iter().map(|group| ((*group).to_owned(), json!([]))).collect();
    for (group, word) in ticked.chain(extra) {
        if let Value::Array(words) = groups.entry(group).or_insert_with(|| json!([])) {
            words.push(json!(word));
        }
    }
    groups
}
