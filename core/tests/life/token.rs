//! A token in memory: the keeper that runs over it is the real one.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use claviger_core::clock::BootTime;
use claviger_core::secret::Plaintext;
use claviger_core::token::{
    BornKey, Forget, Holder, KEY_BYTES, KekBlob, KekDoor, KeyKind, MacKey, NewPair, PublicKeys, ROOTS_MAX, SigningKey,
    Token, TokenError, TokenKey, WrappedDek,
};
use zeroize::Zeroizing;

/// What wraps tenants' own KEKs.
const IMPORTED: u32 = 0;

const CANARY: &[u8] = b"the right key came back";

/// A session; all of them are of the same token.
#[derive(Clone)]
pub(crate) struct SoftToken(Arc<Inner>);

struct Inner {
    root: [u8; KEY_BYTES],
    roots: Mutex<Vec<u32>>,
    /// Which key makes blind indexes.
    index: Mutex<u8>,
    api: EcdsaKeyPair,
    audit: Ed25519KeyPair,
    checkpoints: Mutex<Vec<Vec<u8>>>,
}

impl SoftToken {
    pub(crate) fn new() -> Self {
        let mut root = [0; KEY_BYTES];
        fill(&mut root).unwrap();
        let api = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let audit = Ed25519KeyPair::generate().unwrap();
        Self(Arc::new(Inner {
            root,
            roots: Mutex::new(vec![1]),
            index: Mutex::new(1),
            api,
            audit,
            checkpoints: Mutex::default(),
        }))
    }

    fn held(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.checkpoints.lock().unwrap()
    }

    /// The numbers of the root keys that it holds; the test may set them.
    pub(crate) fn root_keys(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.roots.lock().unwrap()
    }

    /// From now on blind indexes are those of another token.
    pub(crate) fn index_anew(&self) {
        *self.0.index.lock().unwrap() = 9;
    }

    fn kek(&self, kek: &KekBlob) -> Result<[u8; KEY_BYTES], TokenError> {
        if kek.root != IMPORTED && !self.root_keys().contains(&kek.root) {
            return Err(TokenError::KeyMissing(format!("root/{}", kek.root)));
        }
        let key = opened(&self.0.root, &kek.wrapped, b"kek")?.try_into().map_err(|_| TokenError::Tampered)?;
        if opened(&key, &kek.canary, b"canary")? == CANARY { Ok(key) } else { Err(TokenError::Tampered) }
    }
}

fn sealed(key: &[u8; KEY_BYTES], text: &[u8], aad: &[u8]) -> Vec<u8> {
    let mut nonce = [0; 12];
    fill(&mut nonce).unwrap();
    let mut out = text.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut out).unwrap();
    [nonce.as_slice(), &out].concat()
}

fn opened(key: &[u8; KEY_BYTES], bytes: &[u8], aad: &[u8]) -> Result<Vec<u8>, TokenError> {
    let (nonce, rest) = bytes.split_first_chunk::<12>().ok_or(TokenError::Tampered)?;
    let mut rest = rest.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let text = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut rest);
    Ok(text.map_err(|_| TokenError::Tampered)?.to_vec())
}

fn unable() -> TokenError {
    TokenError::Refused("this token holds no callers' keys".to_owned())
}

impl Token for SoftToken {
    fn random(&mut self, out: &mut [u8]) -> Result<(), TokenError> {
        fill(out).map_err(|_| TokenError::Lost("no random numbers".to_owned()))
    }

    fn generate_kek(&mut self) -> Result<KekBlob, TokenError> {
        let mut key = [0; KEY_BYTES];
        self.random(&mut key)?;
        let root = *self.root_keys().last().unwrap();
        Ok(KekBlob { root, wrapped: sealed(&self.0.root, &key, b"kek"), canary: sealed(&key, CANARY, b"canary") })
    }

    fn wrap_dek(&mut self, kek: &KekBlob, dek: &[u8; KEY_BYTES], aad: &[u8]) -> Result<WrappedDek, TokenError> {
        Ok(WrappedDek(sealed(&self.kek(kek)?, dek, aad)))
    }

    fn unwrap_dek(
        &mut self,
        kek: &KekBlob,
        dek: &WrappedDek,
        aad: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, TokenError> {
        let dek = opened(&self.kek(kek)?, &dek.0, aad)?;
        Ok(Zeroizing::new(dek.try_into().map_err(|_| TokenError::Tampered)?))
    }

    fn mac(&mut self, key: MacKey, data: &[u8]) -> Result<[u8; KEY_BYTES], TokenError> {
        let purpose = match key {
            MacKey::Index => *self.0.index.lock().unwrap(),
            MacKey::Pepper => 2,
            MacKey::Row => 3,
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[self.0.root.as_slice(), &[purpose]].concat());
        Ok(hmac::sign(&key, data).as_ref().try_into().unwrap())
    }

    fn sign(&mut self, key: SigningKey, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        Ok(match key {
            SigningKey::Api => self.0.api.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            SigningKey::Audit => self.0.audit.sign(message).as_ref().to_vec(),
        })
    }

    fn public_keys(&mut self) -> Result<PublicKeys, TokenError> {
        let api = self.0.api.public_key().as_ref().to_vec();
        Ok(PublicKeys { api, audit: self.0.audit.public_key().as_ref().to_vec() })
    }

    fn kek_door(&mut self) -> Result<KekDoor, TokenError> {
        Err(unable())
    }

    /// Nothing is wrapped: the key comes as it is.
    fn import_kek(&mut self, key: &[u8], known: Option<&[u8]>) -> Result<KekBlob, TokenError> {
        let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| TokenError::Tampered)?;
        let canary = known.map_or_else(|| sealed(&key, CANARY, b"canary"), <[u8]>::to_vec);
        let blob = KekBlob { root: IMPORTED, wrapped: sealed(&self.0.root, &key, b"kek"), canary };
        self.kek(&blob).map(|_| blob)
    }

    fn import_key(&mut self, _: KeyKind, _: &Plaintext) -> Result<TokenKey, TokenError> {
        Err(unable())
    }

    fn generate_pair(&mut self, _: NewPair, _: usize) -> Result<BornKey, TokenError> {
        Err(unable())
    }

    fn sign_with(&mut self, _: &TokenKey, _: Holder, _: &[u8], _: BootTime) -> Result<Vec<u8>, TokenError> {
        Err(unable())
    }

    fn forget(&mut self, _: Forget) {}

    fn key_objects(&mut self) -> Result<Vec<String>, TokenError> {
        Ok(Vec::new())
    }

    fn destroy_key(&mut self, _: &str) -> Result<(), TokenError> {
        Ok(())
    }

    fn leaked_bytes(&self) -> u64 {
        0
    }

    fn roots(&mut self) -> Result<Vec<u32>, TokenError> {
        Ok(self.root_keys().clone())
    }

    fn make_root(&mut self, number: u32) -> Result<(), TokenError> {
        let mut roots = self.root_keys();
        let newest = *roots.last().unwrap();
        if newest == number {
            return Ok(());
        }
        if newest + 1 != number {
            return Err(TokenError::Refused(format!("root/{number} does not follow root/{newest}")));
        }
        if roots.len() >= ROOTS_MAX {
            return Err(TokenError::Capacity("root keys".to_owned()));
        }
        roots.push(number);
        Ok(())
    }

    fn destroy_root(&mut self, number: u32) -> Result<(), TokenError> {
        let mut roots = self.root_keys();
        if roots.last().is_none_or(|newest| number >= *newest) {
            return Err(TokenError::Refused(format!("root/{number} is not older than the newest")));
        }
        roots.retain(|held| *held != number);
        Ok(())
    }

    fn checkpoints(&mut self) -> Result<Vec<Vec<u8>>, TokenError> {
        Ok(self.held().clone())
    }

    fn put_checkpoint(&mut self, checkpoint: &[u8], previous: Option<&[u8]>) -> Result<(), TokenError> {
        let mut held = self.held();
        held.retain(|old| Some(old.as_slice()) == previous);
        held.push(checkpoint.to_vec());
        Ok(())
    }

    fn probe(&mut self) -> Result<(), TokenError> {
        Ok(())
    }
}
