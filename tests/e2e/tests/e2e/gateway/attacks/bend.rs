//! Ways to bend a request: before it is signed, so that the signature is right, and after.

mod after;
mod forms;

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
    ("JSON of another form", forms::json),
    ("a list of orders", forms::batch),
    ("a value of another form", forms::value),
    ("a body on everything", body),
];

/// Bends of what is signed already.
pub(super) const AFTER: &[Bend] = &[
    ("the boundary between query and body", after::boundary),
    ("a changed byte", after::changed_byte),
    ("another path under the same signature", after::replaced_path),
    ("another method under the same signature", method),
    ("a parameter added", too_many),
    ("a parameter repeated", twice),
    ("a header twice", after::header_twice),
    ("a signature twice", after::signature_twice),
    ("a signature of another form", after::signature_form),
    ("no signature", after::unsigned),
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

fn body(hand: &mut Hand<'_>) {
    let (name, value) = hand.rather();
    hand.message.body = format!("{}&{name}={value}", hand.message.body);
    hand.message.set("content-type", "application/x-www-form-urlencoded");
}
