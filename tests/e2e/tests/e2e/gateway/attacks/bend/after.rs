//! Bends of what is signed already.

use super::Hand;

/// Query and body are signed as one text at some venues: the same text, cut elsewhere.
pub(super) fn boundary(hand: &mut Hand<'_>) {
    let text = format!("{}{}", hand.message.query, hand.message.body);
    let cuts: Vec<usize> = text.match_indices(['&', '=', '1', '0']).map(|(at, _)| at).collect();
    let which = hand.at(cuts.len());
    let at = cuts.get(which).copied().unwrap_or(0);
    let (query, body) = text.split_at(at);
    let message = &mut hand.message;
    (message.query, message.body) = (query.to_owned(), body.to_owned());
    message.set("content-type", "application/x-www-form-urlencoded");
}

/// Of what is signed, or of the token where nothing is.
pub(super) fn changed_byte(hand: &mut Hand<'_>) {
    if hand.scene.shows_token() {
        let token = hand.message.header("authorization").trim_start_matches("Bearer ").to_owned();
        let at = hand.at(token.len());
        let with = if token[at..].starts_with('a') { "b" } else { "a" };
        let changed = format!("Bearer {}{with}{}", &token[..at], &token[at + 1..]);
        return hand.message.set("authorization", &changed);
    }
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

pub(super) fn replaced_path(hand: &mut Hand<'_>) {
    let scene = hand.scene;
    let others = [scene.denied[0].1.to_owned(), scene.denied[1].1.to_owned(), scene.cancel("").path, scene.open().path];
    hand.message.path = hand.random.pick(&others).cloned().unwrap_or_default();
}

pub(super) fn header_twice(hand: &mut Hand<'_>) {
    let header = hand.random.pick(&hand.message.headers).cloned();
    let Some((name, value)) = header else { return };
    let value = if hand.random.below(2) == 0 { value } else { value.chars().rev().collect() };
    hand.message.add(&name, &value);
}

/// Once more, in the parameters or in the header that another venue has for it.
pub(super) fn signature_twice(hand: &mut Hand<'_>) {
    let name = hand.one(&["signature", "Signature", "sign", "api-sign"]);
    let mac = "00".repeat(32);
    hand.add(name, &mac);
    let header = hand.one(&["x-bapi-sign", "api-sign", "signature", "x-mbx-signature", "authent"]);
    hand.message.add(header, &mac);
}

pub(super) fn signature_form(hand: &mut Hand<'_>) {
    let how = hand.random.below(4);
    let change = |text: &str| match how {
        0 => text.to_uppercase(),
        1 => format!("{text}00"),
        2 => text.chars().take(text.len() / 2).collect(),
        _ => String::new(),
    };
    let proves = |name: &str| is_proof(name) && !name.to_lowercase().contains("type");
    for (_, value) in hand.message.headers.iter_mut().filter(|(name, _)| proves(name)) {
        *value = change(value);
    }
    for text in [&mut hand.message.query, &mut hand.message.body] {
        if let Some((rest, mac)) = text.clone().split_once("signature=") {
            *text = format!("{rest}signature={}", change(mac));
        }
    }
}

pub(super) fn unsigned(hand: &mut Hand<'_>) {
    hand.message.headers.retain(|(name, _)| !is_proof(name));
    for text in [&mut hand.message.query, &mut hand.message.body] {
        if let Some((rest, _)) = text.clone().split_once("&signature=") {
            rest.clone_into(text);
        }
    }
}

fn is_proof(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("sign") || name == "authorization"
}
