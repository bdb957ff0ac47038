//! Ways to bend a request: before it is signed, so that the signature is right, and after.

use claviger_e2e::{Message, Random, VirtualKey};

use crate::gateway::scenes::Scene;

/// What a bend has to work with.
pub(super) struct Hand<'a> {
    pub(super) scene: &'static Scene,
    /// Denied calls of every venue: method and path.
    pub(super) denied: &'a [(String, String)],
    pub(super) key: &'a VirtualKey,
    pub(super) random: &'a mut Random,
    pub(super) message: Message,
}

/// A way to bend a request, and its name.
pub(super) type Bend = (&'static str, fn(&mut Hand<'_>));

/// Bends of what is signed then.
pub(super) const BEFORE: &[Bend] = &[
    ("a separator in the path", separator),
    ("something behind the path", suffix),
    ("a letter of the path", letter),
    ("a path through another", traversal),
    ("another way to the venue", prefix),
    ("a denied call", denied),
    ("a denied call with an order's parameters", denied_path),
    ("another method", method),
    ("a header that overrides", override_header),
    ("a parameter that overrides", override_param),
    ("a parameter twice", twice),
    ("a parameter in query and body", in_both),
    ("a parameter nearly twice", nearly_twice),
    ("a parameter too many", too_many),
    ("everything in the other place", other_place),
    ("another content type", content_type),
    ("JSON of another form", json),
    ("a list of orders", batch),
    ("a value of another form", value),
    ("a body on everything", body),
];

/// Bends of what is signed already.
pub(super) const AFTER: &[Bend] = &[
    ("the boundary between query and body", boundary),
    ("a changed byte", changed_byte),
    ("another path under the same signature", replaced_path),
    ("another method under the same signature", method),
    ("a parameter added", too_many),
    ("a parameter repeated", twice),
    ("a header twice", header_twice),
    ("a signature twice", signature_twice),
    ("a signature of another form", signature_form),
    ("no signature", unsigned),
];

impl Hand<'_> {
    fn one<'b>(&mut self, of: &[&'b str]) -> &'b str {
        self.random.pick(of).copied().unwrap_or_default()
    }

    fn at(&mut self, len: usize) -> usize {
        usize::try_from(self.random.below(u64::try_from(len).unwrap_or(0).max(1))).unwrap_or(0)
    }

    /// Where the parameters are.
    fn params(&mut self) -> &mut String {
        if self.message.body.is_empty() { &mut self.message.query } else { &mut self.message.body }
    }

    /// A parameter of an order, and what it should rather be.
    fn rather(&mut self) -> (&'static str, &'static str) {
        self.random.pick(self.scene.rather).copied().unwrap_or_default()
    }

    fn denied_call(&mut self) -> (String, String) {
        if self.random.below(2) == 0 {
            let call = self.random.pick(self.scene.denied).copied().unwrap_or_default();
            return (call.0.to_owned(), call.1.to_owned());
        }
        self.random.pick(self.denied).cloned().unwrap_or_default()
    }

    /// Adds a parameter before or behind the others, in whatever form they have.
    fn add(&mut self, name: &str, value: &str) {
        let first = self.random.below(2) == 0;
        let params = self.params();
        if let Some(rest) = params.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let member = format!("\"{name}\":\"{value}\"");
            *params = if first { format!("{{{member},{rest}}}") } else { format!("{{{rest},{member}}}") };
        } else {
            let pair = format!("{name}={value}");
            let both = if first { [pair.as_str(), params.as_str()] } else { [params.as_str(), pair.as_str()] };
            *params = both.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("&");
        }
    }
}

fn separator(hand: &mut Hand<'_>) {
    let with =
        hand.one(&["%2f", "%2F", "//", "/./", "/x/../", "\\", "/\\", "/;/", "/%2e/", "/%2e%2e/", "%5c", "%252f"]);
    let slashes: Vec<usize> = hand.message.path.match_indices('/').map(|(at, _)| at).collect();
    let which = hand.at(slashes.len());
    if let Some(at) = slashes.get(which) {
        hand.message.path.replace_range(*at..=*at, with);
    }
}

fn suffix(hand: &mut Hand<'_>) {
    let more = hand.one(&[
        "/",
        "//",
        "/.",
        "/..",
        ".json",
        ".xml",
        ";a=b",
        ";",
        "%20",
        "%00",
        "%09",
        "%0d%0aX-A:%20b",
        "%3f",
        "%23",
        "#x",
        "/*",
        "*",
        "\\",
        ".",
        "%",
        "%zz",
        "/%2e",
        "?",
        "??",
        "%c0%af",
        "%ef%bc%8f",
    ]);
    hand.message.path.push_str(more);
}

fn letter(hand: &mut Hand<'_>) {
    let how = hand.random.below(3);
    let at = hand.at(hand.message.path.len());
    let Some(old) = hand.message.path.as_bytes().get(at).copied() else { return };
    let new = match how {
        0 => format!("%{old:02x}"),
        1 => format!("%{old:02X}"),
        _ if old.is_ascii_lowercase() => old.to_ascii_uppercase().escape_ascii().to_string(),
        _ => old.to_ascii_lowercase().escape_ascii().to_string(),
    };
    hand.message.path.replace_range(at..=at, &new);
}

fn traversal(hand: &mut Hand<'_>) {
    let (_, denied) = hand.denied_call();
    let up = hand.one(&["/..", "/%2e%2e", "/.%2e", "%2f..", "/..;", "\\..", "/..%2f.."]);
    let depth = hand.message.path.matches('/').count();
    let path = format!("{}{}{denied}", hand.message.path, up.repeat(depth));
    hand.message.path = path;
}

fn prefix(hand: &mut Hand<'_>) {
    let venue = hand.message.prefix.trim_start_matches("/gateway/").to_owned();
    let (_, denied) = hand.denied_call();
    let prefixes = [
        format!("/gateway/{}", venue.to_uppercase()),
        format!("//gateway/{venue}"),
        format!("/gateway/./{venue}"),
        format!("/gateway/{venue}/"),
        format!("/gateway//{venue}"),
        format!("/gateway/{venue}{denied}/../../../.."),
        format!("/gateway/%{:02x}{}", venue.as_bytes()[0], &venue[1..]),
        format!("https://127.0.0.1/gateway/{venue}"),
        format!("https://{venue}.example{denied}/gateway/{venue}"),
        format!("http://user:pass@127.0.0.1/gateway/{venue}"),
        format!("/gateway/{venue}@elsewhere.example"),
        format!("/Gateway/{venue}"),
        format!("/gateway/{venue}%00"),
    ];
    if let Some(prefix) = hand.random.pick(&prefixes) {
        hand.message.prefix.clone_from(prefix);
    }
}

fn denied(hand: &mut Hand<'_>) {
    let (method, path) = hand.denied_call();
    let plain = claviger_e2e::Ask::new("POST", &path, &[("coin", "BTC"), ("amount", "1"), ("address", "mine")]);
    let prefix = hand.message.prefix.clone();
    hand.message = hand.key.arranged(&plain);
    hand.message.method = method;
    hand.message.prefix = prefix;
}

fn denied_path(hand: &mut Hand<'_>) {
    hand.message.path = hand.denied_call().1;
}

fn method(hand: &mut Hand<'_>) {
    let method =
        hand.one(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", "Get", "WITHDRAW"]);
    method.clone_into(&mut hand.message.method);
}

fn override_header(hand: &mut Hand<'_>) {
    let (method, path) = hand.denied_call();
    let name = hand.one(&[
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "x-original-uri",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-forwarded-uri",
        "x-forwarded-host",
        "x-host",
        "forwarded",
        "x-forwarded-for",
        "x-real-ip",
        "x-original-host",
        "x-http-host-override",
        "referer",
        "from",
        "content-location",
        "location",
        "destination",
        "upgrade-insecure-requests",
        "x-custom-ip-authorization",
        "via",
        "accept-encoding",
        "range",
        "te",
        "trailer",
        "proxy-authorization",
        "authorization",
        "expect",
    ]);
    let value = if name.contains("method") { method } else { path };
    hand.message.add(name, &value);
}

fn override_param(hand: &mut Hand<'_>) {
    let (method, path) = hand.denied_call();
    let name =
        hand.one(&["_method", "method", "path", "url", "uri", "endpoint", "host", "action", "callback", "redirect"]);
    let value = if name.contains("method") { method } else { path };
    hand.add(name, &value);
}

fn twice(hand: &mut Hand<'_>) {
    let (name, value) = hand.rather();
    hand.add(name, value);
}

fn in_both(hand: &mut Hand<'_>) {
    let (name, value) = hand.rather();
    let pair = format!("{name}={value}");
    let other = if hand.message.body.is_empty() { &mut hand.message.body } else { &mut hand.message.query };
    *other = pair;
    if hand.message.header("content-type").is_empty() {
        hand.message.set("content-type", "application/x-www-form-urlencoded");
    }
}

fn nearly_twice(hand: &mut Hand<'_>) {
    let (name, value) = hand.rather();
    let capital = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let escaped = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
    let in_json = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
    let names = [
        capital,
        escaped,
        in_json,
        format!("{name}[]"),
        format!("{name}%00"),
        format!("%20{name}"),
        format!("{name}%20"),
        format!("+{name}"),
        format!("{name}[0]"),
        format!("order[{name}]"),
        format!("order.{name}"),
        format!("&{name}"),
        format!("%26{name}"),
        format!(";{name}"),
        format!("\u{feff}{name}"),
    ];
    let name = hand.random.pick(&names).cloned().unwrap_or_default();
    hand.add(&name, value);
}

fn too_many(hand: &mut Hand<'_>) {
    let name = hand.one(&[
        "recvWindow",
        "signature",
        "timestamp",
        "nonce",
        "apiKey",
        "api_key",
        "otp",
        "subAccount",
        "account",
        "x",
        "",
        "withdraw",
        "address",
        "newOrderRespType",
        "sideEffectType",
        "brokerId",
        "leverage",
        "close[ordertype]",
        "tag",
    ]);
    let value = hand.one(&["1", "", "60000", "true", "market", "%00", "%0d%0a", "..", "7"]);
    hand.add(name, value);
}

fn other_place(hand: &mut Hand<'_>) {
    let message = &mut hand.message;
    std::mem::swap(&mut message.query, &mut message.body);
    message.set("content-type", "application/x-www-form-urlencoded");
}

fn content_type(hand: &mut Hand<'_>) {
    if hand.message.body.is_empty() {
        std::mem::swap(&mut hand.message.query, &mut hand.message.body);
    }
    let kind = hand.one(&[
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/xml",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/json; charset=utf-16",
        "",
        "application/x-www-form-urlencoded, application/json",
        "application/json;charset=utf-8;a=b",
        "x",
        "*/*",
    ]);
    hand.message.set("content-type", kind);
}

/// The parameters as JSON that different parsers read in different ways.
fn json(hand: &mut Hand<'_>) {
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
fn batch(hand: &mut Hand<'_>) {
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
    let places = [
        ("/fapi/v1/batchOrders", "batchOrders"),
        ("/0/private/AddOrderBatch", "orders"),
        ("/v5/order/create-batch", "request"),
        (hand.scene.place("").path.leak() as &str, "orders"),
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
fn value(hand: &mut Hand<'_>) {
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
        ])
        .unwrap_or(&("", ""));
    let params = hand.params();
    *params = params.replacen(old, new, 1);
}

fn body(hand: &mut Hand<'_>) {
    let (name, value) = hand.rather();
    hand.message.body.push_str(&format!("&{name}={value}"));
    hand.message.set("content-type", "application/x-www-form-urlencoded");
}

/// Query and body are signed as one text at some venues: the same text, cut elsewhere.
fn boundary(hand: &mut Hand<'_>) {
    let message = &mut hand.message;
    let text = format!("{}{}", message.query, message.body);
    let cuts: Vec<usize> = text.match_indices(['&', '=', '1', '0']).map(|(at, _)| at).collect();
    let which = usize::try_from(hand.random.below(cuts.len().max(1) as u64)).unwrap_or(0);
    let at = cuts.get(which).copied().unwrap_or(0);
    let (query, body) = text.split_at(at);
    let message = &mut hand.message;
    (message.query, message.body) = (query.to_owned(), body.to_owned());
    message.set("content-type", "application/x-www-form-urlencoded");
}

fn changed_byte(hand: &mut Hand<'_>) {
    let length = hand.params().len();
    let at = hand.at(length);
    let with = hand.one(&["9", "A", "&", "="]);
    let params = hand.params();
    if params.is_char_boundary(at)
        && at < params.len()
        && params.as_bytes()[at].is_ascii()
        && !params[at..].starts_with(with)
    {
        params.replace_range(at..=at, with);
    }
}

fn replaced_path(hand: &mut Hand<'_>) {
    let scene = hand.scene;
    let others = [scene.denied[0].1.to_owned(), scene.denied[1].1.to_owned(), scene.cancel("").path, scene.open().path];
    hand.message.path = hand.random.pick(&others).cloned().unwrap_or_default();
}

fn header_twice(hand: &mut Hand<'_>) {
    let header = hand.random.pick(&hand.message.headers).cloned();
    let Some((name, value)) = header else { return };
    let value = if hand.random.below(2) == 0 { value } else { value.chars().rev().collect() };
    hand.message.add(&name, &value);
}

/// Once more, in the parameters or in the header that another venue has for it.
fn signature_twice(hand: &mut Hand<'_>) {
    let name = hand.one(&["signature", "Signature", "sign", "api-sign"]);
    let mac = "00".repeat(32);
    hand.add(name, &mac);
    let header = hand.one(&["x-bapi-sign", "api-sign", "signature", "x-mbx-signature", "authent"]);
    hand.message.add(header, &mac);
}

fn signature_form(hand: &mut Hand<'_>) {
    let how = hand.random.below(4);
    let change = |text: &str| match how {
        0 => text.to_uppercase(),
        1 => format!("{text}00"),
        2 => text.chars().take(text.len() / 2).collect(),
        _ => String::new(),
    };
    let signs = |name: &str| name.to_lowercase().contains("sign") && !name.to_lowercase().contains("type");
    for (_, value) in hand.message.headers.iter_mut().filter(|(name, _)| signs(name)) {
        *value = change(value);
    }
    for text in [&mut hand.message.query, &mut hand.message.body] {
        if let Some((rest, mac)) = text.clone().split_once("signature=") {
            *text = format!("{rest}signature={}", change(mac));
        }
    }
}

fn unsigned(hand: &mut Hand<'_>) {
    hand.message.headers.retain(|(name, _)| !name.to_lowercase().contains("sign"));
    for text in [&mut hand.message.query, &mut hand.message.body] {
        if let Some((rest, _)) = text.clone().split_once("&signature=") {
            rest.clone_into(text);
        }
    }
}
