//! Identifiers: `<kind>_<26 characters of Crockford base32>` over a UUID version 7, so that they sort by time, tell what
//! they name, and cannot be mixed up.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::clock::Clock;

/// Crockford's base32 in lower case, without check symbol.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    #[expect(clippy::expect_used, reason = "the specification is the constant above")]
    spec.encoding().expect("32 distinct symbols")
});

/// Characters after the prefix.
const CHARS: usize = 26;

/// The text is not an identifier of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_… with 26 characters")]
pub struct BadId {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

fn fresh(clock: &dyn Clock) -> [u8; 16] {
    let mut random = [0_u8; 10];
    // The operating system's generator does not fail once the machine is up; zeros would still be unique per millisecond
    // only, so the time stays in front.
    let _ = aws_lc_rs::rand::fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(clock.unix_ms(), &random).into_uuid().into_bytes()
}

fn parse(text: &str, prefix: &'static str) -> Result<[u8; 16], BadId> {
    let bad = BadId { prefix };
    let rest = text.strip_prefix(prefix).and_then(|t| t.strip_prefix('_')).ok_or(bad)?;
    if rest.len() != CHARS {
        return Err(bad);
    }
    CROCKFORD.decode(rest.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(bad)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The prefix of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// A new id of now.
            pub fn new(clock: &dyn Clock) -> Self {
                Self(fresh(clock))
            }

            /// The 16 bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The id that these bytes are.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The smallest id, for ranges.
            pub const MIN: Self = Self([0; 16]);

            /// The largest id, for ranges.
            pub const MAX: Self = Self([0xff; 16]);
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, CROCKFORD.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                parse(text, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
                    text.parse().map_err(D::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(from).map(Self)
                }
            }
        }
    )*};
}

ids! {
    /// A tenant: the isolation boundary.
    TenantId = "ten";
    /// A credential.
    CredentialId = "cred";
    /// An app: a program with grants.
    AppId = "app";
    /// One thing that an app authenticates with: a secret, a key, a certificate.
    AuthenticatorId = "auth";
    /// A grant: what one app may do.
    GrantId = "grant";
    /// A virtual key: what a client signs with at the gateway.
    VirtualKeyId = "vkey";
    /// An operator: a person with roles.
    OperatorId = "op";
    /// One login of an operator.
    LoginId = "login";
    /// An execution.
    ExecutionId = "exec";
    /// A passkey of an operator.
    PasskeyId = "passkey";
    /// An act that waits for a second operator or for its time.
    ApprovalId = "appr";
    /// An incident.
    IncidentId = "inc";
    /// A notice: what owners are told.
    NoticeId = "ntc";
    /// A decoy: what looks like a virtual key and is none.
    DecoyId = "decoy";
    /// A webhook: where a tenant's events are sent.
    WebhookId = "hook";
    /// A message to a webhook: the same for each attempt.
    DeliveryId = "msg";
    /// A request, as it appears in answers, logs and audit entries.
    RequestId = "req";
}

impl TenantId {
    /// Claviger's own: the KEK that operators' one-time seeds are sealed under is this tenant's. It has no row and owns
    /// nothing else; no id that is ever made is equal to it, because it is no UUID of version 7.
    pub const OWN: Self = Self(*b"claviger\0\0\0\0\0own");
}

impl CredentialId {
    /// The first and the last id whose text begins so; `None` if there can be none.
    pub fn spelled(beginning: &str) -> Option<(Self, Self)> {
        let rest = beginning.strip_prefix(Self::PREFIX)?.strip_prefix('_')?;
        let room = CHARS.checked_sub(rest.len())?;
        // The last character holds three bits.
        let highest = room.checked_sub(1).map(|but_one| "z".repeat(but_one) + "w").unwrap_or_default();
        let padded = |with: &str| format!("{beginning}{with}").parse().ok();
        Some((padded(&"0".repeat(room))?, padded(&highest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn text_form_round_trips_and_is_strict() {
        let id = CredentialId::new(&SystemClock);
        let text = id.to_string();
        assert_eq!(text.len(), 31);
        assert_eq!(text.parse::<CredentialId>().unwrap(), id);
        assert!(text.parse::<AppId>().is_err());
        assert!(text.to_uppercase().parse::<CredentialId>().is_err());
        assert!(format!("{text}0").parse::<CredentialId>().is_err());
        // 26 characters hold 130 bits: the last two must be zero, so that an id has one spelling.
        let last = format!("{}z", &text[..30]);
        assert!(last.parse::<CredentialId>().is_err());
    }

    #[test]
    fn a_beginning_spans_the_ids_that_begin_so() {
        let id: CredentialId = "cred_06a0k3ja9dxqz00000000000zw".parse().unwrap();
        for cut in 5..=31 {
            let beginning = &id.to_string()[..cut];
            let (first, last) = CredentialId::spelled(beginning).unwrap();
            assert!((first..=last).contains(&id), "{beginning}");
            assert!([first, last].iter().all(|end| end.to_string().starts_with(beginning)));
        }
        assert_eq!(CredentialId::spelled("cred_"), Some((CredentialId::MIN, CredentialId::MAX)));
        for beginning in ["cred", "app_06", "cred_06u", "cred_06A", "cred_ä", "cred_06a0k3ja9dxqz00000000000zz"] {
            assert_eq!(CredentialId::spelled(beginning), None, "{beginning}");
        }
    }
}
