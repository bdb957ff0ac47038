//! What a keeper can be asked, a typed call for each request.

use claviger_venues::VenueId;

use super::{KeeperClient, KeeperError, unexpected};
use crate::audit::Subject;
use crate::id::TenantId;
use crate::keeper::kek::KekRow;
use crate::keeper::message::{
    Birth, Born, Claims, Head, ImportKek, IndexSealed, Name, OpenContact, Recover, Recovered, Reply, Request, Rewrap,
    Seal, Sign, SignStream, SignWebhook, Signed, SignedLogin, SignedWebhook, TakeToken, Taken, Verify, VerifyCode,
    WrapDek,
};
use crate::notice::Address;
use crate::recovery::file::RecoveryFile;
use crate::secret::Plaintext;
use crate::token::KekDoor;

impl KeeperClient {
    /// Signs; called by [`crate::execution`] alone, which holds the proof that the intent is recorded.
    pub(crate) async fn sign(&self, sign: Sign) -> Result<Signed, KeeperError> {
        let reply = self.call(&Request::Sign(Box::new(sign))).await?;
        if let Reply::Signed(signed) = reply { Ok(signed) } else { Err(unexpected(reply)) }
    }

    /// Signs the login to a stream; called as [`Self::sign`] is.
    pub(crate) async fn sign_stream(&self, sign: SignStream) -> Result<SignedLogin, KeeperError> {
        let reply = self.call(&Request::SignStream(Box::new(sign))).await?;
        if let Reply::Login(login) = reply { Ok(login) } else { Err(unexpected(reply)) }
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing is kept of the secret then.
    pub fn seal(
        &self,
        seal: Seal,
        secret: Plaintext,
    ) -> impl Future<Output = Result<Vec<u8>, KeeperError>> + Send + use<> {
        let reply = self.call_with(&Request::Seal(Box::new(seal)), Some(secret));
        async move {
            let reply = reply.await?;
            if let Reply::Sealed(bytes) = reply { Ok(bytes) } else { Err(unexpected(reply)) }
        }
    }

    /// Seals the token that a login's answer holds.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing is kept of the answer then.
    pub fn take_token(
        &self,
        take: TakeToken,
        answer: Plaintext,
    ) -> impl Future<Output = Result<Taken, KeeperError>> + Send + use<> {
        let reply = self.call_with(&Request::TakeToken(Box::new(take)), Some(answer));
        async move {
            let reply = reply.await?;
            if let Reply::Token(taken) = reply { Ok(taken) } else { Err(unexpected(reply)) }
        }
    }

    /// Whether a client has the secret of its virtual key. `passphrase` is what it showed, where the venue has one.
    ///
    /// # Errors
    /// [`Refused::Signature`](crate::keeper::message::Refused::Signature) if it has not; any other [`KeeperError`] says
    /// nothing about it.
    pub fn verify(
        &self,
        verify: Verify,
        passphrase: Option<Plaintext>,
    ) -> impl Future<Output = Result<(), KeeperError>> + Send + use<> {
        let reply = self.call_with(&Request::Verify(Box::new(verify)), passphrase);
        async move {
            let reply = reply.await?;
            if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
        }
    }

    /// Opens the address that a letter goes to next.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn open_contact(&self, open: OpenContact) -> Result<Address, KeeperError> {
        let reply = self.call(&Request::OpenContact(Box::new(open))).await?;
        if let Reply::Contact(address) = reply { Ok(address) } else { Err(unexpected(reply)) }
    }

    /// The time step that a one-time code is of.
    ///
    /// # Errors
    /// [`Refused::Code`](crate::keeper::message::Refused::Code) if it is of none of the steps around; any other
    /// [`KeeperError`] says nothing about it.
    pub fn verify_code(
        &self,
        verify: VerifyCode,
        code: Plaintext,
    ) -> impl Future<Output = Result<u64, KeeperError>> + Send + use<> {
        let reply = self.call_with(&Request::VerifyCode(Box::new(verify)), Some(code));
        async move {
            let reply = reply.await?;
            if let Reply::Step(step) = reply { Ok(step) } else { Err(unexpected(reply)) }
        }
    }

    /// Makes a key inside the token.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn birth(&self, birth: Birth) -> Result<Born, KeeperError> {
        let reply = self.call(&Request::Birth(Box::new(birth))).await?;
        if let Reply::Born(born) = reply { Ok(born) } else { Err(unexpected(reply)) }
    }

    /// Gives a newborn its key id.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn name(&self, name: Name) -> Result<Vec<u8>, KeeperError> {
        let reply = self.call(&Request::Name(Box::new(name))).await?;
        if let Reply::Sealed(bytes) = reply { Ok(bytes) } else { Err(unexpected(reply)) }
    }

    /// Moves sealed bytes under a newer KEK of their tenant.
    ///
    /// # Errors
    /// [`KeeperError`]; the bytes are good as they were.
    pub async fn rewrap(&self, rewrap: Rewrap) -> Result<Vec<u8>, KeeperError> {
        let reply = self.call(&Request::Rewrap(Box::new(rewrap))).await?;
        if let Reply::Sealed(bytes) = reply { Ok(bytes) } else { Err(unexpected(reply)) }
    }

    /// The labels of callers' keys that are objects of the token.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn key_objects(&self) -> Result<Vec<String>, KeeperError> {
        let reply = self.call(&Request::KeyObjects).await?;
        if let Reply::KeyObjects(labels) = reply { Ok(labels) } else { Err(unexpected(reply)) }
    }

    /// Destroys such an object, if it is there.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn destroy_key(&self, label: String) -> Result<(), KeeperError> {
        let reply = self.call(&Request::DestroyKey { label }).await?;
        if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
    }

    /// Makes a KEK.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn new_kek(&self, tenant: TenantId, version: u32) -> Result<KekRow, KeeperError> {
        let reply = self.call(&Request::NewKek { tenant, version }).await?;
        if let Reply::Kek(row) = reply { Ok(row) } else { Err(unexpected(reply)) }
    }

    /// What tenants wrap their own KEKs to.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn kek_door(&self, tenant: TenantId) -> Result<KekDoor, KeeperError> {
        let reply = self.call(&Request::KekDoor { tenant }).await?;
        if let Reply::KekDoor(door) = reply { Ok(door) } else { Err(unexpected(reply)) }
    }

    /// Takes a tenant's own KEK into the token.
    ///
    /// # Errors
    /// [`KeeperError`]; [`Refused::OtherKek`](crate::keeper::message::Refused::OtherKek) if it is not the one that it
    /// must be.
    pub async fn import_kek(&self, import: ImportKek) -> Result<KekRow, KeeperError> {
        let reply = self.call(&Request::ImportKek(Box::new(import))).await?;
        if let Reply::Kek(row) = reply { Ok(row) } else { Err(unexpected(reply)) }
    }

    /// The numbers of the token's root keys, the newest last.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn roots(&self) -> Result<Vec<u32>, KeeperError> {
        let reply = self.call(&Request::Roots).await?;
        if let Reply::Roots(numbers) = reply { Ok(numbers) } else { Err(unexpected(reply)) }
    }

    /// Makes the root key that follows the newest one. One that is the newest is there already.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn new_root(&self, number: u32) -> Result<(), KeeperError> {
        let reply = self.call(&Request::NewRoot { number }).await?;
        if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
    }

    /// Destroys a root key. One that is not there is destroyed already.
    ///
    /// # Errors
    /// [`Refused::Root`](crate::keeper::message::Refused::Root) for the newest, and while a KEK under it was used lately;
    /// any other [`KeeperError`].
    pub async fn destroy_root(&self, number: u32) -> Result<(), KeeperError> {
        let reply = self.call(&Request::DestroyRoot { number }).await?;
        if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
    }

    /// The blind index of a key id.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn index(&self, tenant: TenantId, venue: VenueId, key_id: &str) -> Result<[u8; 32], KeeperError> {
        let request = Request::Index { tenant, venue, key_id: key_id.to_owned() };
        self.mac(&request).await
    }

    /// The pepper over an argon2id output.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn pepper(&self, argon2: &[u8; 32]) -> Result<[u8; 32], KeeperError> {
        self.mac(&Request::Pepper { argon2: *argon2 }).await
    }

    async fn mac(&self, request: &Request) -> Result<[u8; 32], KeeperError> {
        let reply = self.call(request).await?;
        if let Reply::Mac(mac) = reply { Ok(mac) } else { Err(unexpected(reply)) }
    }

    /// An access token.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_jwt(&self, claims: Claims) -> Result<String, KeeperError> {
        let reply = self.call(&Request::SignJwt(claims)).await?;
        if let Reply::Jwt(token) = reply { Ok(token) } else { Err(unexpected(reply)) }
    }

    /// A signed checkpoint over a head.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_checkpoint(&self, head: Head) -> Result<String, KeeperError> {
        let reply = self.call(&Request::SignCheckpoint(Box::new(head))).await?;
        if let Reply::Checkpoint(note) = reply { Ok(note) } else { Err(unexpected(reply)) }
    }

    /// A signed tombstone.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_tombstone(&self, subject: Subject) -> Result<String, KeeperError> {
        let reply = self.call(&Request::SignTombstone(subject)).await?;
        if let Reply::Tombstone(note) = reply { Ok(note) } else { Err(unexpected(reply)) }
    }

    /// Signs what a tenant's webhook is told.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_webhook(&self, sign: SignWebhook) -> Result<SignedWebhook, KeeperError> {
        let reply = self.call(&Request::SignWebhook(Box::new(sign))).await?;
        if let Reply::Webhook(signed) = reply { Ok(signed) } else { Err(unexpected(reply)) }
    }

    /// A signed note that a recovery file is this log's.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_recovery_file(&self, file: RecoveryFile) -> Result<String, KeeperError> {
        let reply = self.call(&Request::SignRecoveryFile(file)).await?;
        if let Reply::Tombstone(note) = reply { Ok(note) } else { Err(unexpected(reply)) }
    }

    /// The same sealed bytes, with a wrap before them that opens them without the token.
    ///
    /// # Errors
    /// [`Refused::Mode`](crate::keeper::message::Refused::Mode) for a key that is in the token; any other [`KeeperError`].
    pub async fn wrap_dek(&self, wrap: WrapDek) -> Result<Vec<u8>, KeeperError> {
        let reply = self.call(&Request::WrapDek(Box::new(wrap))).await?;
        if let Reply::Sealed(bytes) = reply { Ok(bytes) } else { Err(unexpected(reply)) }
    }

    /// The blind index of the key id that is sealed in an owner's secret.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn index_sealed(&self, of: IndexSealed) -> Result<[u8; 32], KeeperError> {
        let reply = self.call(&Request::IndexSealed(Box::new(of))).await?;
        if let Reply::Mac(mac) = reply { Ok(mac) } else { Err(unexpected(reply)) }
    }

    /// Seals anew what a wrap opens.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing is kept of the private half.
    pub fn recover(
        &self,
        recover: Recover,
        private: Plaintext,
    ) -> impl Future<Output = Result<Recovered, KeeperError>> + Send + use<> {
        let reply = self.call_with(&Request::Recover(Box::new(recover)), Some(private));
        async move {
            let reply = reply.await?;
            if let Reply::Recovered(recovered) = reply { Ok(recovered) } else { Err(unexpected(reply)) }
        }
    }

    /// Whether the token does what it should; then, whether the keeper asks to be replaced.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn health(&self) -> Result<bool, KeeperError> {
        let reply = self.call(&Request::Health).await?;
        if let Reply::Alive { worn } = reply { Ok(worn) } else { Err(unexpected(reply)) }
    }

    /// Sends here and now, so that the secret is gone before anything is awaited.
    fn call_with(
        &self,
        request: &Request,
        secret: Option<Plaintext>,
    ) -> impl Future<Output = Result<Reply, KeeperError>> + Send + use<> {
        let sent = self.send(request, secret.as_ref());
        drop(secret);
        async move { sent?.await.map_err(|_| KeeperError::Gone) }
    }

    async fn call(&self, request: &Request) -> Result<Reply, KeeperError> {
        self.call_with(request, None).await
    }
}
