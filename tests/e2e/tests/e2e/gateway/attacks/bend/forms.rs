//! Parameters in forms that not everybody reads alike.

use super::Hand;
use crate::gateway::scenes::Scene;

/// The parameters as JSON that different parsers read in different ways.
pub(super) fn json(hand: &mut Hand<'_>) {
    let (name, value) = hand.rather();
    let params = hand.params();
    let members = match params.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(members) => members.to_owned(),
        None => params.replace('=', "\":\"").split('&').map(|pair| format!("\"{pair}\"")).collect::<Vec<_>>().join(","),
    };
    let forms = [
        format!("{{{members},\"{name}\":\"{value}\"}}"),
        format!("{{\"{name}\":\"{value}\",{members}}}"),
        format!("{{{members},\"{name}\":[\"{value}\"]}}"),
        format!("{{{members},\"order\":{{\"{name}\":\"{value}\"}}}}"),
        format!("{{{members},\"\\u{:04x}{}\":\"{value}\"}}", name.as_bytes()[0], &name[1..]),
        format!("[{{{members}}}]"),
        format!("{{{members}}}{{{members}}}"),
        format!("{{{members}}}\n{{\"{name}\":\"{value}\"}}"),
        format!("{{{members},}}"),
        format!("{{{members}/*,*/}}"),
        format!("\u{feff}{{{members}}}"),
        format!("{{{members},\"{name}\":{value}}}"),
        format!("{{{members},\"__proto__\":{{\"{name}\":\"{value}\"}}}}"),
        format!("{{{}{members}{}}}", "\"a\":{".repeat(60), "}".repeat(60)),
        format!("\"{}\"", members.replace('"', "\\\"")),
        format!("{{{members}"),
    ];
    hand.message.query = String::new();
    hand.message.body = hand.random.pick(&forms).cloned().unwrap_or_default();
    hand.message.set("content-type", "application/json");
}

/// A list where one order is expected, and lists with a stranger in them.
pub(super) fn batch(hand: &mut Hand<'_>) {
    let order = |scene: &Scene, more: &str| {
        let members = scene.order().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect::<Vec<_>>();
        format!("{{{}{more}}}", members.join(","))
    };
    let (name, value) = hand.rather();
    let bad = order(hand.scene, &format!(",\"{name}\":\"{value}\""));
    let good = order(hand.scene, "");
    let lists = [
        format!("[{good},{bad}]"),
        format!("[{bad}]"),
        format!("[[{good}]]"),
        format!("[{good},\"{}\"]", hand.scene.denied[0].1),
        format!("[{good},{{\"address\":\"mine\",\"amount\":\"1\"}}]"),
        format!("[{}]", [good.as_str(); 70].join(",")),
        "[]".to_owned(),
    ];
    let list = hand.random.pick(&lists).cloned().unwrap_or_default();
    let own = hand.scene.place("").path;
    let places = [
        ("/fapi/v1/batchOrders", "batchOrders"),
        ("/0/private/AddOrderBatch", "orders"),
        ("/v5/order/create-batch", "request"),
        (own.as_str(), "orders"),
    ];
    let (path, name) = hand.random.pick(&places).copied().unwrap_or_default();
    path.clone_into(&mut hand.message.path);
    "POST".clone_into(&mut hand.message.method);
    if hand.random.below(2) == 0 {
        hand.message.query = String::new();
        hand.message.body = format!("{{\"{name}\":{list},\"pair\":\"XBTUSD\",\"category\":\"linear\"}}");
        hand.message.set("content-type", "application/json");
    } else {
        hand.add(name, &percent_encoding::utf8_percent_encode(&list, percent_encoding::NON_ALPHANUMERIC).to_string());
    }
}

/// A good value that reads as another number or word elsewhere.
pub(super) fn value(hand: &mut Hand<'_>) {
    let (old, new) = *hand
        .random
        .pick(&[
            ("0.01", "0.01e3"),
            ("0.01", "1e9"),
            ("0.01", "0x10"),
            ("0.01", "-0.01"),
            ("0.01", "%2B0.01"),
            ("0.01", "+0.01"),
            ("0.01", "0.01%00"),
            ("0.01", "0.01%20"),
            ("0.01", "0,01"),
            ("0.01", "NaN"),
            ("0.01", "Infinity"),
            ("0.01", ""),
            ("0.01", "%EF%BC%91"),
            ("0.01", "1_000"),
            ("30000", "1%0d%0aside: SELL"),
            ("30000", "30000&price=1"),
            ("30000", "30000%26price=1"),
            ("30000", "30000;price=1"),
            ("30000", "30000#"),
            ("USD", "USD%2fETH"),
            ("USD", "USD,ETHUSD"),
            ("USD", "usd"),
            ("USD", "%55SD%00"),
            ("0.01", "99999999999999999999999999999999"),
            ("230", "-230"),
            ("230", "0x10"),
            ("100", "100,-100"),
        ])
        .unwrap_or(&("", ""));
    let params = hand.params();
    *params = params.replacen(old, new, 1);
}
