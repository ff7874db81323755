//! Whether a message is signed by whom a certificate names, and whether that certificate leads to a root.

use jiff::Timestamp;
use p256::ecdsa;
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName,
    SignatureVerificationAlgorithm, TrustAnchor, UnixTime, alg_id,
};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::roots;

/// Certificates in a chain, the signer's first.
const CERTIFICATE_COUNT_MAX: usize = 6;

/// The signer's certificate, and those that may lead from it to a root; DER.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chain(Vec<Vec<u8>>);

/// Why a chain proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untrusted {
    /// A certificate on the way to a root is missing.
    Incomplete,
    Wrong,
}

/// Whose certificate may sign, by which roots, and when.
pub(super) struct Trust<'a> {
    /// PEM; `None`: Amazon's public roots.
    pub roots: Option<&'a str>,
    /// The certificate must be good for one of these hosts.
    pub hosts: &'a [&'a str],
    pub now: Timestamp,
}

/// What a signature says it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Sha1,
    Sha256,
}

impl Chain {
    /// One certificate or more, in PEM; also one in DER.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let pem: Result<Vec<CertificateDer<'_>>, _> =
            CertificateDer::pem_slice_iter(bytes).collect();
        let ders: Vec<Vec<u8>> = pem.ok()?.into_iter().map(|der| der.to_vec()).collect();
        let ders = match ders.is_empty() {
            true => vec![bytes.to_vec()],
            false => ders,
        };
        let is_certificate = |der: &Vec<u8>| der.first() == Some(&SEQUENCE);
        let fits = ders.len() <= CERTIFICATE_COUNT_MAX && ders.iter().all(is_certificate);
        fits.then_some(Self(ders))
    }

    /// Adds what was found elsewhere; it is worth no more than what it leads to.
    pub fn add(&mut self, issuer: Chain) {
        let room = CERTIFICATE_COUNT_MAX.saturating_sub(self.0.len());
        self.0.extend(issuer.0.into_iter().take(room));
    }

    /// Where the issuer of the last certificate says its own lies. Found by its marker, not by reading the
    /// whole: what is fetched from there is trusted only if it leads to a root.
    pub fn issuer_url(&self) -> Option<&str> {
        let last = self.0.last()?;
        let at = last
            .windows(CA_ISSUERS.len())
            .position(|part| part == CA_ISSUERS)?;
        let rest = &last[at + CA_ISSUERS.len()..];
        let (length, rest) = rest.split_first()?;
        let url = rest.get(..usize::from(*length)).filter(|_| *length < 128)?;
        std::str::from_utf8(url).ok()
    }

    /// Proves that the signature over `message` is by the chain's first certificate, and that this is one the
    /// trust holds good.
    pub fn verify(
        &self,
        trust: &Trust<'_>,
        version: Version,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Untrusted> {
        let (first, rest) = self.0.split_first().ok_or(Untrusted::Wrong)?;
        let first = CertificateDer::from(first.as_slice());
        let signer = EndEntityCert::try_from(&first).map_err(|_| Untrusted::Wrong)?;
        let rest: Vec<CertificateDer<'_>> = rest
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let own: Vec<CertificateDer<'_>> = match trust.roots {
            Some(pem) => CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|_| Untrusted::Wrong)?,
            None => Vec::new(),
        };
        let anchors: Vec<TrustAnchor<'_>> = match trust.roots {
            Some(_) => own
                .iter()
                .map(anchor_from_trusted_cert)
                .collect::<Result<_, _>>()
                .map_err(|_| Untrusted::Wrong)?,
            None => roots::amazon(),
        };
        let seconds = u64::try_from(trust.now.as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let usage = KeyUsage::server_auth();
        signer
            .verify_for_usage(CHAIN_ALGORITHMS, &anchors, &rest, now, usage, None, None)
            .map_err(|error| match error {
                Error::UnknownIssuer => Untrusted::Incomplete,
                _ => Untrusted::Wrong,
            })?;
        let named = |host: &str| {
            let name = ServerName::try_from(host);
            name.is_ok_and(|name| signer.verify_is_valid_for_subject_name(&name).is_ok())
        };
        if !trust.hosts.iter().any(|host| named(host)) {
            return Err(Untrusted::Wrong);
        }
        let algorithm: &dyn SignatureVerificationAlgorithm = match version {
            Version::Sha1 => &Rsa::Sha1,
            Version::Sha256 => &Rsa::Sha256,
        };
        let signed = signer.verify_signature(algorithm, message, signature);
        signed.map_err(|_| Untrusted::Wrong)
    }
}

const SEQUENCE: u8 = 0x30;
/// The access method "CA issuers" (1.3.6.1.5.5.7.48.2), and that a URI follows.
const CA_ISSUERS: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x86];

/// No certificate may be signed over SHA-1, whatever messages are.
const CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] =
    &[&Rsa::Sha256, &Rsa::Sha384, &P256];

/// ECDSA on P-256, as private authorities like it.
#[derive(Debug)]
struct P256;

impl SignatureVerificationAlgorithm for P256 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = ecdsa::VerifyingKey::from_sec1_bytes(public_key);
        let signature = ecdsa::Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        let verified = key.and_then(|key| key.verify(message, &signature));
        verified.map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

/// RSA with PKCS #1 v1.5, as all of SNS's own certificates are.
#[derive(Debug)]
enum Rsa {
    Sha1,
    Sha256,
    Sha384,
}

impl SignatureVerificationAlgorithm for Rsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = RsaPublicKey::from_pkcs1_der(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::try_from(signature).map_err(|_| InvalidSignature)?;
        let verified = match self {
            Self::Sha1 => VerifyingKey::<Sha1>::new(key).verify(message, &signature),
            Self::Sha256 => VerifyingKey::<Sha256>::new(key).verify(message, &signature),
            Self::Sha384 => VerifyingKey::<Sha384>::new(key).verify(message, &signature),
        };
        verified.map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self {
            // sha1WithRSAEncryption, 1.2.840.113549.1.1.5
            Self::Sha1 => AlgorithmIdentifier::from_slice(&[
                6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 5, 5, 0,
            ]),
            Self::Sha256 => alg_id::RSA_PKCS1_SHA256,
            Self::Sha384 => alg_id::RSA_PKCS1_SHA384,
        }
    }
}
