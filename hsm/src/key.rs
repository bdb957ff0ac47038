//! The token's own keys: their names, and finding the newest of each.

use std::collections::BTreeMap;
use std::fmt;

use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use claviger_core::token::{MacKey, PublicKeys, SigningKey, TokenError};

use crate::error::Fault;
use crate::template;

/// What a key of the token is for. Each has numbered versions, and its name is `<purpose>/<n>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    Root,
    ApiSigning,
    AuditSigning,
    IndexMac,
    Pepper,
    RowMac,
}

impl Purpose {
    pub(crate) const ALL: [Self; 6] =
        [Self::Root, Self::ApiSigning, Self::AuditSigning, Self::IndexMac, Self::Pepper, Self::RowMac];

    fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::ApiSigning => "api-signing",
            Self::AuditSigning => "audit-signing",
            Self::IndexMac => "index-mac",
            Self::Pepper => "pepper",
            Self::RowMac => "row-mac",
        }
    }

    /// The usage bits that objects of this purpose have; every other must be false.
    fn usages(self, class: ObjectClass) -> &'static [AttributeType] {
        match self {
            Self::Root => &[AttributeType::Wrap, AttributeType::Unwrap],
            Self::ApiSigning | Self::AuditSigning if class == ObjectClass::PUBLIC_KEY => &[AttributeType::Verify],
            Self::ApiSigning | Self::AuditSigning | Self::IndexMac | Self::Pepper | Self::RowMac => {
                &[AttributeType::Sign]
            }
        }
    }
}

/// The name of one version of a key: label and id of its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyName {
    pub(crate) purpose: Purpose,
    pub(crate) version: u32,
}

impl KeyName {
    /// Reads a label; `None` is somebody else's object.
    fn parse(label: &[u8]) -> Option<Self> {
        let (word, version) = str::from_utf8(label).ok()?.split_once('/')?;
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.word() == word)?;
        let name = Self { purpose, version: version.parse().ok()? };
        // "root/01" and "root/+1" are not names, or one key would have two.
        (name.to_string().as_bytes() == label).then_some(name)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.purpose.word(), self.version)
    }
}

/// The objects of one key.
type Objects = BTreeMap<(KeyName, Side), ObjectHandle>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// A secret key, or the private half of a pair.
    Secret,
    Public,
}

/// Handles of the keys in use: all roots, and the newest of everything else.
///
/// Handles are process wide and stay valid while the token stays; after a fault they are found anew.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    roots: BTreeMap<u32, ObjectHandle>,
    newest_root: u32,
    api: ObjectHandle,
    audit: ObjectHandle,
    index: ObjectHandle,
    pepper: ObjectHandle,
    row: ObjectHandle,
    public: PublicKeys,
}

impl Keys {
    /// Finds the keys. The caller holds the admin lock, because `SoftHSM` lists wrongly while objects are made.
    ///
    /// # Errors
    /// [`TokenError::KeyMissing`] names the first that is not there; [`TokenError::Refused`] one that is there twice,
    /// or whose attributes are not those it was made with: whoever has the PIN could plant a weak `root/2`.
    pub(crate) fn find(session: &Session) -> Result<Self, Fault> {
        let objects = objects(session)?;
        let newest = |purpose, side| {
            objects
                .iter()
                .filter(|((name, at), _)| name.purpose == purpose && *at == side)
                .map(|((name, _), handle)| (name.version, *handle))
                .next_back()
                .ok_or_else(|| TokenError::KeyMissing(KeyName { purpose, version: 1 }.to_string()))
        };
        let (newest_root, _) = newest(Purpose::Root, Side::Secret)?;
        let pair = |purpose, point_bytes| {
            let (version, private) = newest(purpose, Side::Secret)?;
            let name = KeyName { purpose, version };
            let public = objects.get(&(name, Side::Public)).ok_or(TokenError::KeyMissing(name.to_string()))?;
            Ok::<_, Fault>((private, point(session, *public, point_bytes)?))
        };
        let (api, api_point) = pair(Purpose::ApiSigning, P256_POINT_BYTES)?;
        let (audit, audit_point) = pair(Purpose::AuditSigning, ED25519_POINT_BYTES)?;
        Ok(Self {
            newest_root,
            api,
            audit,
            index: newest(Purpose::IndexMac, Side::Secret)?.1,
            pepper: newest(Purpose::Pepper, Side::Secret)?.1,
            row: newest(Purpose::RowMac, Side::Secret)?.1,
            public: PublicKeys { api: api_point, audit: audit_point },
            roots: objects
                .iter()
                .filter(|((name, _), _)| name.purpose == Purpose::Root)
                .map(|((name, _), handle)| (name.version, *handle))
                .collect(),
        })
    }

    /// The names of all keys of ours that the token holds.
    pub(crate) fn names(session: &Session) -> Result<Vec<KeyName>, Fault> {
        Ok(objects(session)?.into_keys().map(|(name, _)| name).collect())
    }

    /// Whether the token shows any secret key of ours. After a logout it still shows the public ones.
    pub(crate) fn any_secret(session: &Session) -> Result<bool, Fault> {
        Ok(objects(session)?.into_keys().any(|(_, side)| side == Side::Secret))
    }

    pub(crate) fn newest_root(&self) -> u32 {
        self.newest_root
    }

    /// All roots, oldest first.
    pub(crate) fn roots(&self) -> impl Iterator<Item = (u32, ObjectHandle)> {
        self.roots.iter().map(|(version, handle)| (*version, *handle))
    }

    pub(crate) fn root(&self, version: u32) -> Result<ObjectHandle, Fault> {
        let name = KeyName { purpose: Purpose::Root, version };
        Ok(*self.roots.get(&version).ok_or_else(|| TokenError::KeyMissing(name.to_string()))?)
    }

    pub(crate) fn mac(&self, key: MacKey) -> ObjectHandle {
        match key {
            MacKey::Index => self.index,
            MacKey::Pepper => self.pepper,
            MacKey::Row => self.row,
        }
    }

    pub(crate) fn signing(&self, key: SigningKey) -> ObjectHandle {
        match key {
            SigningKey::Api => self.api,
            SigningKey::Audit => self.audit,
        }
    }

    pub(crate) fn public(&self) -> &PublicKeys {
        &self.public
    }
}

/// All objects of ours, each checked against what its purpose allows.
fn objects(session: &Session) -> Result<Objects, Fault> {
    let mut objects = Objects::new();
    for class in [ObjectClass::SECRET_KEY, ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        for handle in session.find_objects(&[Attribute::Class(class), Attribute::Token(true)])? {
            let Some(name) = label(session, handle)?.as_deref().and_then(KeyName::parse) else {
                continue;
            };
            check(session, handle, name, class)?;
            let side = if class == ObjectClass::PUBLIC_KEY { Side::Public } else { Side::Secret };
            if objects.insert((name, side), handle).is_some() {
                return Err(TokenError::Refused(format!("the token holds {name} twice")).into());
            }
        }
    }
    Ok(objects)
}

fn label(session: &Session, object: ObjectHandle) -> Result<Option<Vec<u8>>, Fault> {
    let attributes = session.get_attributes(object, &[AttributeType::Label])?;
    Ok(attributes.into_iter().find_map(
        |attribute| {
            if let Attribute::Label(label) = attribute { Some(label) } else { None }
        },
    ))
}

/// Refuses a key that is weaker than the one this crate makes under that name.
///
/// A module leaves out attributes that do not apply to the class; whether a key can be read it has to say.
fn check(session: &Session, object: ObjectHandle, name: KeyName, class: ObjectClass) -> Result<(), Fault> {
    let mut expected = template::usage_bits(name.purpose.usages(class)).to_vec();
    expected.extend(template::fixed());
    let unreadable = [Attribute::Sensitive(true), Attribute::Extractable(false)];
    if class != ObjectClass::PUBLIC_KEY {
        expected.extend_from_slice(&unreadable);
    }
    let kinds: Vec<AttributeType> = expected.iter().map(Attribute::attribute_type).collect();
    let found = session.get_attributes(object, &kinds)?;
    if let Some(other) = found.iter().find(|attribute| !expected.contains(attribute)) {
        return Err(TokenError::Refused(format!("{name} has {other:?}")).into());
    }
    if class != ObjectClass::PUBLIC_KEY && !unreadable.iter().all(|attribute| found.contains(attribute)) {
        return Err(TokenError::Refused(format!("{name} does not say whether it can be read")).into());
    }
    Ok(())
}

/// An uncompressed point, `04 || x || y`.
const P256_POINT_BYTES: usize = 65;
const ED25519_POINT_BYTES: usize = 32;

fn point(session: &Session, public: ObjectHandle, bytes: usize) -> Result<Vec<u8>, Fault> {
    for attribute in session.get_attributes(public, &[AttributeType::EcPoint])? {
        if let Attribute::EcPoint(encoded) = attribute
            && let Some(point) = decode_point(&encoded, bytes)
        {
            return Ok(point.to_vec());
        }
    }
    Err(TokenError::Refused(String::from("a public key has no readable point")).into())
}

/// `CKA_EC_POINT` comes raw, as a DER OCTET STRING or as a BIT STRING, depending on the module; the length tells.
fn decode_point(encoded: &[u8], bytes: usize) -> Option<&[u8]> {
    let point = match encoded.len().checked_sub(bytes)? {
        0 => encoded,
        2 => encoded.strip_prefix(&[0x04, u8::try_from(bytes).ok()?])?,
        3 => encoded.strip_prefix(&[0x03, u8::try_from(bytes.checked_add(1)?).ok()?, 0x00])?,
        _ => return None,
    };
    (bytes != P256_POINT_BYTES || point.first() == Some(&0x04)).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let name = KeyName { purpose: Purpose::AuditSigning, version: 12 };
        assert_eq!(KeyName::parse(b"audit-signing/12"), Some(name));
        for label in ["root/01", "root/+1", "root/", "root", "Root/1", "root/1 ", "other/1", "root/4294967296"] {
            assert_eq!(KeyName::parse(label.as_bytes()), None, "{label}");
        }
    }

    #[test]
    fn a_point_is_read_in_every_encoding() {
        let raw = [7_u8; 32];
        let octets = [&[0x04, 32], &raw[..]].concat();
        let bits = [&[0x03, 33, 0], &raw[..]].concat();
        for encoded in [&raw[..], &octets, &bits] {
            assert_eq!(decode_point(encoded, 32), Some(&raw[..]));
        }
        assert_eq!(decode_point(&raw[1..], 32), None);
        assert_eq!(decode_point(&[[0x04, 33], [7; 2]].concat(), 2), None);
        assert_eq!(decode_point(&[7; 65], 65), None, "a P-256 point starts with 04");
    }
}
