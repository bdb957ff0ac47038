//! Client certificates: whose key the client has is proven, who it is is not (RFC 8705 section 2.2).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// The longest certificate that is taken, bytes of DER.
const BYTES_MAX: usize = 8 * 1024;

/// The longest chain that is taken: what stands behind the first certificate is not looked at.
const CHAIN_MAX: usize = 4;

/// SHA-256 over a certificate, as `x5t#S256` has it.
pub(crate) fn thumbprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, certificate).as_ref());
    hash
}

/// The thumbprint of the one certificate in a PEM text, if it is one that a client can use.
pub(crate) fn thumbprint_of_pem(pem: &str) -> Option<[u8; 32]> {
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    let certificate = certificates.next()?.ok()?;
    let alone = certificates.next().is_none() && !pem.contains("PRIVATE KEY-----");
    let usable = certificate.len() <= BYTES_MAX && ParsedCertificate::try_from(&certificate).is_ok();
    (alone && usable).then(|| thumbprint(&certificate))
}

/// Asks clients for a certificate, and takes any or none.
///
/// # Security
/// Trust comes from a registered thumbprint alone, and is decided where an app is named. What is verified here, by
/// rustls' own functions, is that the client has the certificate's private key.
#[derive(Debug)]
pub(super) struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyCertificate {
    /// With the signatures that the provider can verify.
    pub(super) fn new(algorithms: WebPkiSupportedAlgorithms) -> Arc<Self> {
        Arc::new(Self { algorithms })
    }
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// No names: any issuer will do, and browsers do not ask their user without a certificate at hand.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if end_entity.len() > BYTES_MAX || intermediates.len() >= CHAIN_MAX {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
