//! The token's own keys: their names, and finding the newest of each.

use std::collections::BTreeMap;
use std::fmt;

use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use claviger_core::token::{KeyKind, MacKey, PublicKeys, SigningKey, TokenError};

use crate::caller::import::ImportKey;
use crate::error::Fault;
use crate::{public, template};

/// What a key of the token is for. Each has numbered versions, and its name is `<purpose>/<n>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    Root,
    KekRes,
    KekPrivRsa,
    KekPrivEd25519,
    ImportSecret,
    ImportKek,
    ApiSigning,
    AuditSigning,
    IndexMac,
    Pepper,
    RowMac,
}

/// The number of the root key that wraps tenants' own KEKs. The others count from 1.
pub(crate) const IMPORTED: u32 = 0;

impl Purpose {
    const ALL: [Self; 11] = [
        Self::Root,
        Self::KekRes,
        Self::KekPrivRsa,
        Self::KekPrivEd25519,
        Self::ImportSecret,
        Self::ImportKek,
        Self::ApiSigning,
        Self::AuditSigning,
        Self::IndexMac,
        Self::Pepper,
        Self::RowMac,
    ];

    /// The purposes of the keys that a token begins with.
    pub(crate) fn at_first() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|purpose| *purpose != Self::ImportKek)
    }

    /// The purposes that callers' keys need, and nothing else does.
    pub(crate) const OF_CALLERS: [Self; 4] = [Self::KekRes, Self::KekPrivRsa, Self::KekPrivEd25519, Self::ImportSecret];

    /// The purpose of the key that wraps callers' keys of this kind.
    pub(crate) fn wrapping(kind: KeyKind) -> Self {
        match kind {
            KeyKind::HmacSha256 | KeyKind::HmacSha512 => Self::KekRes,
            KeyKind::RsaSha256 => Self::KekPrivRsa,
            KeyKind::Ed25519 => Self::KekPrivEd25519,
        }
    }

    /// A kind of callers' keys that keys of this purpose wrap, the first if there are several.
    pub(crate) fn wraps_kind(self) -> Option<KeyKind> {
        [KeyKind::HmacSha256, KeyKind::RsaSha256, KeyKind::Ed25519]
            .into_iter()
            .find(|kind| Self::wrapping(*kind) == self)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::KekRes => "kek-res",
            Self::KekPrivRsa => "kek-priv-rsa",
            Self::KekPrivEd25519 => "kek-priv-ed25519",
            Self::ImportSecret => "import-secret",
            Self::ImportKek => "import-kek",
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
            Self::Root | Self::KekRes | Self::KekPrivRsa | Self::KekPrivEd25519 => {
                &[AttributeType::Wrap, AttributeType::Unwrap]
            }
            // The public half is used in software only.
            Self::ImportSecret | Self::ImportKek if class == ObjectClass::PUBLIC_KEY => &[],
            Self::ImportSecret | Self::ImportKek => &[AttributeType::Unwrap],
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

/// Handles of the keys in use: all that wrap, and the newest of everything else.
///
/// Tokens made before there were resident and born keys have none of the keys for these; everything else they do.
///
/// Handles are process wide and stay valid while the token stays; after a fault they are found anew.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    wrapping: BTreeMap<KeyName, ObjectHandle>,
    newest_root: u32,
    import: Option<ImportKey>,
    kek_door: Option<ImportKey>,
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
            Ok::<_, Fault>((private, public::point(session, *public, point_bytes)?))
        };
        let (api, api_point) = pair(Purpose::ApiSigning, public::P256_POINT_BYTES)?;
        let (audit, audit_point) = pair(Purpose::AuditSigning, public::ED25519_POINT_BYTES)?;
        let door = |purpose| -> Result<Option<ImportKey>, Fault> {
            let Ok((version, private)) = newest(purpose, Side::Secret) else { return Ok(None) };
            let name = KeyName { purpose, version };
            let public = objects.get(&(name, Side::Public)).ok_or(TokenError::KeyMissing(name.to_string()))?;
            Ok(Some(ImportKey { private, public: public::rsa(session, *public)? }))
        };
        let (import, kek_door) = (door(Purpose::ImportSecret)?, door(Purpose::ImportKek)?);
        Ok(Self {
            newest_root,
            import,
            kek_door,
            api,
            audit,
            index: newest(Purpose::IndexMac, Side::Secret)?.1,
            pepper: newest(Purpose::Pepper, Side::Secret)?.1,
            row: newest(Purpose::RowMac, Side::Secret)?.1,
            public: PublicKeys { api: api_point, audit: audit_point },
            wrapping: objects
                .iter()
                .filter(|((name, _), _)| name.purpose == Purpose::Root || name.purpose.wraps_kind().is_some())
                .map(|((name, _), handle)| (*name, *handle))
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

    /// The numbers of all root keys, the newest last, but for the one of tenants' own KEKs.
    pub(crate) fn roots(&self) -> impl Iterator<Item = u32> {
        let roots = self.wrapping.keys().filter(|name| name.purpose == Purpose::Root).map(|name| name.version);
        roots.filter(|number| *number != IMPORTED)
    }

    /// All keys that wrap, the oldest of each purpose first.
    pub(crate) fn wrapping(&self) -> impl Iterator<Item = (KeyName, ObjectHandle)> {
        self.wrapping.iter().map(|(name, handle)| (*name, *handle))
    }

    /// The key that wraps new keys of one purpose.
    pub(crate) fn newest_wrapping(&self, purpose: Purpose) -> Option<KeyName> {
        self.wrapping.keys().copied().rfind(|name| name.purpose == purpose)
    }

    pub(crate) fn wrapping_key(&self, name: KeyName) -> Result<ObjectHandle, Fault> {
        Ok(*self.wrapping.get(&name).ok_or_else(|| TokenError::KeyMissing(name.to_string()))?)
    }

    /// The keys that callers' keys need and that are not there: a token that an earlier version made has none.
    pub(crate) fn lacking(&self) -> impl Iterator<Item = KeyName> {
        let there = |purpose| {
            if purpose == Purpose::ImportSecret {
                self.import.is_some()
            } else {
                self.newest_wrapping(purpose).is_some()
            }
        };
        let lacking = Purpose::OF_CALLERS.into_iter().filter(move |purpose| !there(*purpose));
        lacking.map(|purpose| KeyName { purpose, version: 1 })
    }

    /// The key through which secrets enter.
    pub(crate) fn import(&self) -> Option<&ImportKey> {
        self.import.as_ref()
    }

    /// The key that tenants wrap their own KEKs to.
    pub(crate) fn kek_door(&self) -> Option<&ImportKey> {
        self.kek_door.as_ref()
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
            check(session, handle, &name.to_string(), class, name.purpose.usages(class))?;
            let side = if class == ObjectClass::PUBLIC_KEY { Side::Public } else { Side::Secret };
            if objects.insert((name, side), handle).is_some() {
                return Err(TokenError::Refused(format!("the token holds {name} twice")).into());
            }
        }
    }
    Ok(objects)
}

pub(crate) fn label(session: &Session, object: ObjectHandle) -> Result<Option<Vec<u8>>, Fault> {
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
pub(crate) fn check(
    session: &Session,
    object: ObjectHandle,
    name: &str,
    class: ObjectClass,
    usages: &[AttributeType],
) -> Result<(), Fault> {
    let mut expected = template::usage_bits(usages).to_vec();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let name = KeyName { purpose: Purpose::AuditSigning, version: 12 };
        assert_eq!(KeyName::parse(b"audit-signing/12"), Some(name));
        for label in [
            "root/01",
            "root/+1",
            "root/",
            "root",
            "Root/1",
            "root/1 ",
            "other/1",
            "root/4294967296",
            "born-ed25519/1f",
        ] {
            assert_eq!(KeyName::parse(label.as_bytes()), None, "{label}");
        }
    }
}
