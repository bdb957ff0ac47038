//! Client certificates.

use anyhow::Result;

/// A client certificate and its key.
#[derive(Debug)]
pub struct Identity {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PKCS#8 PEM.
    pub key: String,
}

impl Identity {
    /// A new one, issued by itself.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn self_signed() -> Result<Self> {
        let key = rcgen::KeyPair::generate()?;
        let certificate = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}
