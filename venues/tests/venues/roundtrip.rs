//! There and back: what Claviger would send to a venue, its own gateway reads as the same call, and a byte changed on
//! the way is never a valid request for something else.

use claviger_venues::{
    Call, Claim, Class, Host, Identity, Inbound, InboundError, Operation, Param, Params, Proof, RequestParts, Scheme,
    SecretKind, VirtualSecret, attach, check, claim, key_types, prepare, resolve, secret_parts, unsigned, virtual_form,
};
use proptest::{prelude::*, sample::Index};

use crate::reach::{AT, KEY_ID, nearly_fitting};

const ORIGIN: &str = "https://127.0.0.1:4000";
const PART: &str = "part";

/// What a request proves, as far as the bytes tell: key, signed bytes, signature; or the token.
type Proven = (String, Vec<Vec<u8>>, Vec<u8>);

/// Every kind of key that can sign the operation.
fn keys(operation: &Operation) -> Vec<Identity<'static>> {
    let venue = operation.venue;
    let signing = [SecretKind::Hmac, SecretKind::Bearer, SecretKind::Token];
    let shared = signing.into_iter().filter(|kind| secret_parts(venue, *kind).is_some());
    let shared = shared.map(|kind| Identity::new(KEY_ID, kind));
    shared.chain(key_types(venue).iter().map(|key_type| Identity::private_key(KEY_ID, *key_type))).collect()
}

fn send(call: &Call<'_>, key: Identity<'_>) -> Option<(RequestParts, Vec<u8>, Vec<u8>)> {
    let host = Host::parse(ORIGIN).unwrap();
    if call.operation().class == Class::Market {
        return Some((unsigned(call, &host).unwrap(), Vec::new(), Vec::new()));
    }
    let signable = prepare(call, &host, key, AT, 7).ok()?;
    let signed = signable.to_sign().to_vec();
    let bytes = match signable.scheme() {
        None => 0,
        Some(Scheme::HmacSha256) => 32,
        Some(Scheme::HmacSha512 | Scheme::Ed25519) => 64,
        Some(Scheme::RsaSha256) => 256,
    };
    let signature = vec![0xfb; bytes];
    let parts = attach(signable, Proof { signature: &signature, parts: &[PART.as_bytes(); 8] });
    Some((parts, signed, signature))
}

/// Looks at a request as the gateway gets it.
fn receive<T>(parts: &RequestParts, look: impl FnOnce(&Inbound<'_>) -> T) -> T {
    let target = parts.url.strip_prefix(ORIGIN).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    look(&Inbound { method: parts.method.as_str(), path, query, headers: &headers, body: &parts.body })
}

fn proven(operation: &Operation, parts: &RequestParts) -> Result<Option<Proven>, InboundError> {
    receive(parts, |inbound| {
        Ok(match claim(operation.venue, inbound)? {
            Claim::Nobody => None,
            Claim::Signed(claimed) => Some((claimed.key_id.to_owned(), claimed.signed, claimed.signature)),
            Claim::Bearer(token) | Claim::Login(token) => Some((token.to_owned(), Vec::new(), Vec::new())),
        })
    })
}

fn read_back(
    operation: &'static Operation,
    parts: &RequestParts,
) -> Result<(&'static Operation, Params), InboundError> {
    receive(parts, |inbound| resolve(operation.venue, inbound))
}

/// A parameter that the call could have and does not, as a query.
fn stray(call: &Call<'_>) -> Option<String> {
    let mut absent = call.operation().params.iter().filter(|param| call.get(param.name).is_none());
    let value = |param: &Param| ["1", "true", "XBTUSD"].into_iter().find(|value| param.grammar.admits(value));
    absent.find_map(|param| Some(format!("{}={}", param.name, value(param)?)))
}

/// Turns one bit over in the part of the request that `place` chooses, or puts a parameter into an empty query; `None` if
/// there is nothing to bend or it breaks UTF-8.
fn bent(call: &Call<'_>, parts: &RequestParts, place: usize, at: Index, bit: u8) -> Option<RequestParts> {
    let mut bent = parts.clone();
    let turned = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        let at = if bytes.is_empty() { return None } else { at.index(bytes.len()) };
        bytes[at] ^= 1 << bit;
        String::from_utf8(bytes).ok()
    };
    let (target, query) = parts.url.split_once('?').unwrap_or((&parts.url, ""));
    match place {
        0 => bent.url = [ORIGIN, &turned(target.strip_prefix(ORIGIN)?)?, "?", query].concat(),
        1 if query.is_empty() => bent.url = [target, "?", &stray(call)?].concat(),
        1 => bent.url = [target, "?", &turned(query)?].concat(),
        2 => bent.body = turned(std::str::from_utf8(&parts.body).ok()?)?.into_bytes(),
        _ => {
            let header = bent.headers.len().checked_sub(1)?;
            bent.headers[header].1 = turned(&parts.headers[header].1)?;
        }
    }
    Some(bent)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_is_sent_is_read_back((operation, params) in nearly_fitting(), at in any::<Index>()) {
        let Ok(call) = check(operation, &params) else { return Ok(()) };
        if operation.is_login() {
            return Ok(());
        }
        let keys = keys(operation);
        let key = keys[at.index(keys.len())];
        let Some((parts, signed, signature)) = send(&call, key) else { return Ok(()) };

        // Where clients show a token to the gateway whatever the venue wants signed, there is nothing to claim by.
        let shown = !signed.is_empty() && virtual_form(operation.venue).secret == VirtualSecret::Bearer;
        match if shown { Ok(Some((PART.to_owned(), Vec::new(), Vec::new()))) } else { proven(operation, &parts) }.unwrap() {
            None => prop_assert_eq!(operation.class, Class::Market),
            Some((token, nothing, _)) if nothing.is_empty() => prop_assert_eq!(token, PART),
            Some((key_id, acceptable, shown)) => {
                prop_assert_eq!(key_id, KEY_ID);
                prop_assert!(acceptable.contains(&signed));
                prop_assert_eq!(shown, signature);
            }
        }
        let (found, given) = read_back(operation, &parts).unwrap_or_else(|error| panic!("{error}: {parts:?} {params:?}"));
        prop_assert_eq!(found, operation);
        let again = send(&check(found, &given).unwrap(), key).unwrap();
        prop_assert_eq!(again.0, parts);
    }

    /// Where a bent request proves the same as the whole one did, it is the same call or none; only a venue that does
    /// not sign the path can take it for another operation, or for other parameters in the path.
    #[test]
    fn a_bent_request_is_no_other_call(
        (operation, params) in nearly_fitting(),
        place in 0_usize..4,
        at in any::<Index>(),
        bit in 0_u8..7,
    ) {
        let Ok(call) = check(operation, &params) else { return Ok(()) };
        if operation.is_login() || operation.class == Class::Market {
            return Ok(());
        }
        let keys = keys(operation);
        let Some((parts, signed, _)) = send(&call, keys[at.index(keys.len())]) else { return Ok(()) };
        let Some(bent) = bent(&call, &parts, place, at, bit).filter(|bent| *bent != parts) else { return Ok(()) };
        let (Ok(Some(whole)), Ok(Some(after))) = (proven(operation, &parts), proven(operation, &bent)) else {
            return Ok(());
        };
        // A token signs nothing: whoever shows it may ask for anything.
        if whole != after || signed.is_empty() {
            return Ok(());
        }
        if let Ok((found, given)) = read_back(operation, &bent) {
            prop_assert!(place == 0 || found == operation);
            let (_, sent) = read_back(operation, &parts).unwrap();
            let in_path: Vec<_> = operation.in_path().filter(|_| place == 0).collect();
            let signed = |params: &Params| -> Params {
                params.iter().filter(|(name, _)| !in_path.contains(name)).collect()
            };
            prop_assert!(found != operation || signed(&given) == signed(&sent));
        }
    }
}
