//! Every entry of the catalogue's deny lists, as the name of an operation and inside every value.

use std::collections::{BTreeMap, BTreeSet};

use claviger_core::keeper::message::{Refused, Reply, Request};
use claviger_venues::{Product, SecretKind, VenueId};
use data_encoding::BASE64;
use serde::Deserialize;

use super::front::{Enrolled, Front, HMAC_SECRET, Home, limit_order, trade};

#[test]
fn no_denied_name_is_an_operation() {
    let home = Home::new("denied-names");
    let mut front = home.keeper();
    front.hello();
    let hostile =
        ["", "order.place ", "ORDER.PLACE", "order.place\0", "order.place/../withdraw", "withdraw", "transfer"];
    let names = denied().into_iter().chain(hostile.map(str::to_owned));
    let names: Vec<String> = names.collect();
    assert!(names.len() > 300, "only {} names", names.len());
    for credential in everywhere(&mut front) {
        for name in &names {
            let sign = front.sign(&credential, name, &[]);
            assert_eq!(front.refused(sign), Refused::Uncatalogued, "{} {name:?}", credential.scopes.venue);
        }
        let order = front.order(&credential);
        front.signed(order);
    }
}

#[test]
fn a_denied_path_in_a_value_never_leads_anywhere_else() {
    let home = Home::new("denied-values");
    let mut front = home.keeper();
    front.hello();
    for credential in everywhere(&mut front) {
        let honest = front.order(&credential);
        let place = target(&front.signed(honest).url);
        for entry in denied() {
            for at in 0..limit_order(credential.scopes.venue).len() {
                let mut params = limit_order(credential.scopes.venue).to_vec();
                params[at].1 = &entry;
                let sign = front.sign(&credential, "order.place", &params);
                match front.ask(&Request::Sign(Box::new(sign))) {
                    Reply::Refused(Refused::Parameters(_)) => {}
                    Reply::Signed(signed) => assert_eq!(target(&signed.parts.url), place, "{entry}"),
                    other => panic!("{entry}: {other:?}"),
                }
            }
        }
    }
}

/// A credential of each venue.
fn everywhere(front: &mut Front) -> [Enrolled; 3] {
    let kraken = BASE64.encode(HMAC_SECRET.as_bytes());
    [
        (VenueId::Binance, Product::Spot, HMAC_SECRET),
        (VenueId::BinanceUsdm, Product::Derivatives, HMAC_SECRET),
        (VenueId::Kraken, Product::Spot, &kraken),
    ]
    .map(|(venue, product, secret)| front.enrolled_at(venue, SecretKind::Hmac, trade(product), secret))
}

/// The entries as they are listed, and their paths with every wildcard filled.
fn denied() -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct File {
        venues: BTreeMap<String, Lists>,
    }
    #[derive(Deserialize)]
    struct Lists {
        #[serde(default)]
        deny: BTreeMap<String, Vec<String>>,
    }
    let file: File = serde_json::from_str(include_str!("../../../../venues/testdata/catalogue.json")).unwrap();
    let lists = file.venues.into_values().flat_map(|lists| lists.deny.into_values().flatten());
    lists
        .flat_map(|entry| {
            let paths = entry.split_whitespace().filter(|word| word.starts_with('/'));
            let paths: Vec<String> = paths.flat_map(expand).collect();
            paths.into_iter().chain([entry])
        })
        .collect()
}

fn expand(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return vec![pattern.trim_end_matches(',').replace("**", "any/thing").replace('*', "any")];
    };
    let (choices, after) = rest.split_once('}').unwrap_or((rest, ""));
    choices.split(',').flat_map(|choice| expand(&format!("{before}{}{after}", choice.trim()))).collect()
}

fn target(url: &str) -> String {
    url.split_once('?').map_or(url, |(target, _)| target).to_owned()
}
