//! Sealing a secret that an owner enrolled: decoded into key bytes, checked to be one, sealed under a fresh DEK.

use claviger_venues::{SecretForm, SecretKind, SecretPart, VenueId};
use data_encoding::{BASE64, Encoding, HEXLOWER_PERMISSIVE};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::contact;
use super::kek::KekRow;
use super::message::{Refused, Seal};
use super::private_key;
use super::recovery;
use super::service::{Failure, Shared};
use super::sign::{opened, unwrapped};
use super::token_key;
use super::worker::Worker;
use crate::envelope::{self, Binding, Dek, EnvelopeError, Mode, Payload, Purpose};
use crate::id::{OperatorId, WebhookId};
use crate::identity::totp;
use crate::secret::{Plaintext, SecretError, wipe_stack};
use crate::token::Token;
use crate::webhook;

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::DoesNotOpen => Refused::Tampered.into(),
            EnvelopeError::Secret(e) => refused(e).into(),
        }
    }
}

/// Seals `text`, the secret as the owner typed it.
pub(super) fn seal<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: Seal,
    text: &Plaintext,
) -> Result<Vec<u8>, Failure> {
    let sealed = sealed(shared, worker, request, text);
    wipe_stack();
    sealed
}

fn sealed<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: Seal,
    text: &Plaintext,
) -> Result<Vec<u8>, Failure> {
    let Seal { binding, key_id, kek } = request;
    match binding.purpose {
        Purpose::Totp => {
            let own = totp::binding(OperatorId::from_bytes(*binding.credential.as_bytes()));
            return sealed_bytes::<_, { totp::SEED_BYTES }>(worker, (binding, own), &kek, text);
        }
        Purpose::Webhook => {
            let id = WebhookId::from_bytes(*binding.credential.as_bytes());
            let own = webhook::binding(binding.tenant, id, binding.version);
            return sealed_bytes::<_, { webhook::SECRET_BYTES }>(worker, (binding, own), &kek, text);
        }
        Purpose::Contact => return contact::seal(worker, binding, &kek, text),
        Purpose::VenueSecret | Purpose::VenueToken | Purpose::VirtualKey => {}
    }
    let parts = match binding.purpose {
        Purpose::VenueSecret if claviger_venues::accepts(binding.venue, binding.kind) => {
            claviger_venues::secret_parts(binding.venue, binding.kind).unwrap_or_default()
        }
        Purpose::VirtualKey if binding.kind == SecretKind::Hmac => virtual_parts(binding.venue),
        Purpose::VenueSecret
        | Purpose::VirtualKey
        | Purpose::VenueToken
        | Purpose::Totp
        | Purpose::Contact
        | Purpose::Webhook => {
            return Err(unusable("the venue takes no secrets of this kind").into());
        }
    };
    let payload = Payload::new(key_id, key_parts(parts, text)?);
    sealed_secret(shared, worker, binding, &kek, payload)
}

/// Seals a secret in the mode that it is bound to.
pub(super) fn sealed_secret<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    binding: Binding,
    kek: &KekRow,
    payload: Payload,
) -> Result<Vec<u8>, Failure> {
    match (binding.mode, binding.purpose) {
        (Mode::Sealed, _) => sealed_payload(worker, binding, kek, &payload),
        (Mode::Resident, Purpose::VenueSecret) => {
            let wrap = recovery::payload_wrap(worker, &binding, &payload)?;
            let key_id = payload.key_id().to_owned();
            let parts = token_key::import(shared, worker, &binding, &key_id, payload.into_parts())?;
            let sealed = sealed_payload(worker, binding, kek, &Payload::new(key_id, parts))?;
            Ok(recovery::with(sealed, wrap))
        }
        (Mode::Resident | Mode::HsmBorn, _) => Err(Refused::Relabelled.into()),
    }
}

/// Seals a secret of Claviger's own making as it is, if it is of the right length and bound as such secrets are.
fn sealed_bytes<T: Token, const LEN: usize>(
    worker: &mut Worker<T>,
    (binding, own): (Binding, Binding),
    kek: &KekRow,
    secret: &Plaintext,
) -> Result<Vec<u8>, Failure> {
    if binding != own {
        return Err(Refused::Relabelled.into());
    }
    if secret.len() != LEN {
        return Err(unusable("it has another length").into());
    }
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the secret goes from one arena slot into another")]
    let secret = secret.expose(Plaintext::copy_of).map_err(refused)?;
    sealed_payload(worker, binding, kek, &Payload::new(String::new(), vec![secret]))
}

/// The parts of a virtual key's secret: the HMAC key in the venue's form, and a passphrase where the venue has one.
fn virtual_parts(venue: VenueId) -> &'static [SecretPart] {
    claviger_venues::secret_parts(venue, SecretKind::Hmac).unwrap_or_default()
}

/// Seals a payload under a fresh DEK, makes sure that it opens, and wraps the DEK for recovery.
pub(super) fn sealed_payload<T: Token>(
    worker: &mut Worker<T>,
    binding: Binding,
    kek: &KekRow,
    payload: &Payload,
) -> Result<Vec<u8>, Failure> {
    if kek.tenant != binding.tenant {
        return Err(Refused::Relabelled.into());
    }
    worker.believe(kek)?;
    let mut dek = Zeroizing::new([0; 32]);
    worker.token.random(dek.as_mut())?;
    let envelope = envelope::seal(binding, kek.version, Dek::from_random(dek), payload, |dek, aad| {
        Ok::<_, Failure>(worker.token.wrap_dek(&kek.blob, dek, aad)?.0)
    })?;
    // A token that answers with rubbish must not cost the owner his key: what was sealed is opened before it counts.
    let dek = unwrapped(worker, &envelope, kek)?;
    drop(opened(&envelope, &dek)?);
    let wrap = recovery::dek_wrap(worker, &envelope, &dek)?;
    Ok(recovery::with(envelope.to_bytes(), wrap))
}

/// What the owner typed, as the parts of the secret: the text itself for one part, a JSON object of texts for several.
fn key_parts(parts: &[SecretPart], text: &Plaintext) -> Result<Vec<Plaintext>, Refused> {
    if let [part] = parts {
        #[expect(
            clippy::disallowed_methods,
            reason = "EXPOSE: whether it is an object, which no secret of one part is"
        )]
        if text.expose(|text| text.trim_ascii_start().starts_with(b"{")) {
            return Err(unusable("it is an object, and the venue's secret is one text"));
        }
        return Ok(vec![key_bytes(part, text)?]);
    }
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: each text is decoded from one arena slot into another")]
    let given: Vec<(String, Plaintext)> = text.expose(members).ok_or_else(|| wanted(parts))?;
    if given.len() != parts.len() {
        return Err(wanted(parts));
    }
    let part = |part: &SecretPart| {
        let (_, text) = given.iter().find(|(name, _)| name == part.name).ok_or_else(|| wanted(parts))?;
        key_bytes(part, text)
    };
    parts.iter().map(part).collect()
}

fn wanted(parts: &[SecretPart]) -> Refused {
    let names: Vec<_> = parts.iter().map(|part| part.name).collect();
    unusable(&format!("it is no object of exactly these texts: {}", names.join(", ")))
}

/// The members of a JSON object whose values are texts, none twice.
fn members(json: &[u8]) -> Option<Vec<(String, Plaintext)>> {
    struct Members(Vec<(String, Plaintext)>);
    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Object;
            impl<'de> Visitor<'de> for Object {
                type Value = Members;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object of texts")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members: Vec<(String, Plaintext)> = Vec::new();
                    while let Some((name, text)) = map.next_entry::<String, Plaintext>()? {
                        if members.iter().any(|(known, _)| *known == name) {
                            return Err(serde::de::Error::custom("a name comes twice"));
                        }
                        members.push((name, text));
                    }
                    Ok(Members(members))
                }
            }
            from.deserialize_map(Object)
        }
    }
    serde_json::from_slice::<Members>(json).ok().map(|members| members.0)
}

/// What the owner typed for one part, as key bytes.
fn key_bytes(part: &SecretPart, text: &Plaintext) -> Result<Plaintext, Refused> {
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: decoded from one arena slot into another")]
    let key = text.expose(|text| match part.form {
        SecretForm::Text => Plaintext::copy_of(text.trim_ascii()).map_err(refused),
        SecretForm::Base64 => decoded(text.trim_ascii()),
        SecretForm::Hex => decoded_by(&HEXLOWER_PERMISSIVE, text.trim_ascii(), "it is not hexadecimal"),
        SecretForm::Pem(_) => pem_body(text).ok_or_else(not_pem).and_then(decoded_lines),
    })?;
    match part.form {
        SecretForm::Pem(types) if !private_key::key_type(&key).is_some_and(|found| types.contains(&found)) => {
            Err(unusable("it is not a private key in PKCS#8 form of a type that the venue takes"))
        }
        SecretForm::Text | SecretForm::Base64 | SecretForm::Hex if part.name == SECRET && key.len() < 8 => {
            Err(unusable("it is shorter than 8 bytes"))
        }
        SecretForm::Text | SecretForm::Base64 | SecretForm::Hex | SecretForm::Pem(_) if key.is_empty() => {
            Err(unusable("a part of it is empty"))
        }
        SecretForm::Text | SecretForm::Base64 | SecretForm::Hex | SecretForm::Pem(_) => Ok(key),
    }
}

/// The part that signs, or is shown, at most venues.
const SECRET: &str = "secret";

fn decoded(text: &[u8]) -> Result<Plaintext, Refused> {
    decoded_by(&BASE64, text, "it is not base64")
}

fn decoded_by(encoding: &Encoding, text: &[u8], why_not: &str) -> Result<Plaintext, Refused> {
    let len = encoding.decode_len(text.len()).map_err(|_| unusable(why_not))?;
    let mut key = Plaintext::zeroed(len).map_err(refused)?;
    let len = key.fill(|out| encoding.decode_mut(text, out)).map_err(|_| unusable(why_not))?;
    key.truncate(len);
    Ok(key)
}

/// The base64 between the lines that begin and end a PEM block.
fn pem_body(text: &[u8]) -> Option<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PRIVATE KEY-----";
    const END: &[u8] = b"-----END PRIVATE KEY-----";
    text.trim_ascii().strip_prefix(BEGIN)?.strip_suffix(END)
}

fn decoded_lines(body: &[u8]) -> Result<Plaintext, Refused> {
    let mut joined = Plaintext::zeroed(body.len()).map_err(refused)?;
    let len = joined.fill(|out| {
        let kept = body.iter().filter(|b| !b.is_ascii_whitespace());
        out.iter_mut().zip(kept).map(|(to, from)| *to = *from).count()
    });
    joined.truncate(len);
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: decoded from one arena slot into another")]
    joined.expose(decoded)
}

fn not_pem() -> Refused {
    unusable("it is not a PEM block that begins with -----BEGIN PRIVATE KEY-----")
}

fn unusable(why: &str) -> Refused {
    Refused::Secret(why.to_owned())
}

pub(super) fn refused(error: SecretError) -> Refused {
    match error {
        SecretError::TooLong => unusable("it is too long"),
        SecretError::NoRoom => Refused::Busy,
    }
}
