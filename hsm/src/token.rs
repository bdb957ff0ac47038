//! The trait of the domain, on a session.

use aws_lc_rs::{constant_time, digest};
use claviger_core::clock::BootTime;
use claviger_core::secret::{Plaintext, wipe_stack};
use claviger_core::token::{
    BornKey, Forget, Holder, KEY_BYTES, KekBlob, KekDoor, KeyKind, MacKey, NewPair, PublicKeys, SigningKey, Token,
    TokenError, TokenKey, WrappedDek,
};
use cryptoki::mechanism::Mechanism;
use zeroize::Zeroizing;

use crate::caller::kept;
use crate::error::Fault;
use crate::hsm::PROBE;
use crate::session::{self, HsmSession};
use crate::{checkpoint, mechanism, root, tenant};

/// Both kinds of signature are `r || s` or `R || S` of 32 bytes each.
const SIGNATURE_BYTES: usize = 64;

impl Token for HsmSession {
    fn random(&mut self, out: &mut [u8]) -> Result<(), TokenError> {
        // `step` may run twice, so it fills a buffer of its own.
        let drawn = self.retried(|this| {
            let mut draw = Zeroizing::new(vec![0; out.len()]);
            this.fill_random(&mut draw)?;
            Ok(draw)
        })?;
        out.copy_from_slice(&drawn);
        Ok(())
    }

    fn generate_kek(&mut self) -> Result<KekBlob, TokenError> {
        self.retried(|this| {
            // Whoever made a newer root key since, nothing comes under an older one.
            this.look_again()?;
            let (blob, kek) = this.make_kek(this.keys.newest_root())?;
            this.keep(&blob, kek);
            Ok(blob)
        })
    }

    fn kek_door(&mut self) -> Result<KekDoor, TokenError> {
        tenant::door(&self.shared)
    }

    fn import_kek(&mut self, wrapped: &[u8], known: Option<&[u8]>) -> Result<KekBlob, TokenError> {
        tenant::door(&self.shared)?;
        self.retried(|this| this.take_kek(wrapped, known))
    }

    fn wrap_dek(&mut self, kek: &KekBlob, dek: &[u8; KEY_BYTES], aad: &[u8]) -> Result<WrappedDek, TokenError> {
        self.retried(|this| this.seal_dek(kek, dek, aad))
    }

    fn unwrap_dek(
        &mut self,
        kek: &KekBlob,
        dek: &WrappedDek,
        aad: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, TokenError> {
        self.retried(|this| this.open_dek(kek, dek, aad))
    }

    fn mac(&mut self, key: MacKey, data: &[u8]) -> Result<[u8; KEY_BYTES], TokenError> {
        self.retried(|this| session::mac(&this.session, this.keys.mac(key), data))
    }

    fn sign(&mut self, key: SigningKey, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.retried(|this| {
            let handle = this.keys.signing(key);
            let signature = match key {
                SigningKey::Api => {
                    let digest = digest::digest(&digest::SHA256, message);
                    this.session.sign(&Mechanism::Ecdsa, handle, digest.as_ref())
                }
                SigningKey::Audit => this.session.sign(&mechanism::ed25519(), handle, message),
            }?;
            if signature.len() == SIGNATURE_BYTES {
                Ok(signature)
            } else {
                Err(TokenError::Refused(format!("its signature has {} bytes", signature.len())).into())
            }
        })
    }

    fn public_keys(&mut self) -> Result<PublicKeys, TokenError> {
        Ok(self.keys.public().clone())
    }

    fn import_key(&mut self, kind: KeyKind, secret: &Plaintext) -> Result<TokenKey, TokenError> {
        let imported = self.retried(|this| this.import(kind, secret));
        wipe_stack();
        imported
    }

    fn generate_pair(&mut self, pair: NewPair, objects_max: usize) -> Result<BornKey, TokenError> {
        self.retried(|this| this.make_pair(pair, objects_max))
    }

    fn sign_with(
        &mut self,
        key: &TokenKey,
        holder: Holder,
        message: &[u8],
        now: BootTime,
    ) -> Result<Vec<u8>, TokenError> {
        self.retried(|this| this.sign_live(key, holder, message, now))
    }

    fn forget(&mut self, what: Forget) {
        self.forget_live(what);
        if what == Forget::Keks {
            self.forget_keks();
        }
    }

    fn key_objects(&mut self) -> Result<Vec<String>, TokenError> {
        kept::all(&self.shared)
    }

    fn destroy_key(&mut self, label: &str) -> Result<(), TokenError> {
        self.live.forget_object(label);
        kept::destroy(&self.shared, label)
    }

    fn roots(&mut self) -> Result<Vec<u32>, TokenError> {
        root::numbers(&self.shared)
    }

    fn make_root(&mut self, number: u32) -> Result<(), TokenError> {
        root::make(&self.shared, number)
    }

    fn destroy_root(&mut self, number: u32) -> Result<(), TokenError> {
        root::destroy(&self.shared, number)
    }

    fn leaked_bytes(&self) -> u64 {
        self.shared.leaked_bytes()
    }

    fn checkpoints(&mut self) -> Result<Vec<Vec<u8>>, TokenError> {
        checkpoint::all(&self.shared)
    }

    fn put_checkpoint(&mut self, checkpoint: &[u8], previous: Option<&[u8]>) -> Result<(), TokenError> {
        checkpoint::put(&self.shared, checkpoint, previous)
    }

    /// The MAC of a constant under `row-mac`, compared with what it was when the token was opened.
    ///
    /// `C_GetSessionInfo` and `C_GetTokenInfo` go on saying that all is well when a device is long gone, and session
    /// objects go on working when the token's own are not there any more; so this uses a key of the token.
    fn probe(&mut self) -> Result<(), TokenError> {
        let mac = self.mac(MacKey::Row, PROBE)?;
        constant_time::verify_slices_are_equal(&mac, self.shared.known_mac()).map_err(|_| {
            Fault::Verdict(TokenError::Lost(String::from("its MAC of a constant has changed"))).into_token()
        })
    }
}
