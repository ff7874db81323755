//! Whoever vouches for the topic's signatures: an authority of the sandbox's own, and SNS's certificate.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyUsagePurpose, PublicKeyData,
    SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs1::EncodeRsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How long a certificate lasts, and how long ago it was made.
const LIFE_DAYS: i64 = 365;
const AGE_DAYS: i64 = 30;

/// An authority and the certificate it gave to SNS. Cheap to clone.
#[derive(Clone)]
pub struct Authority(Arc<Made>);

struct Made {
    key: RsaPrivateKey,
    root_pem: String,
    certificate_pem: String,
    /// The certificate's file, as addresses name it.
    file: String,
}

/// Why an authority could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// No key was found.
    #[error("no key could be made: {0}")]
    Key(#[from] rsa::Error),
    /// A certificate could not be written.
    #[error("no certificate could be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A key could not be encoded.
    #[error("the key could not be encoded: {0}")]
    Encoding(#[from] rsa::pkcs1::Error),
}

/// The hash a message is signed over.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureVersion {
    /// SHA-1: the default of a topic.
    #[default]
    One,
    /// SHA-256.
    Two,
}

impl Authority {
    /// This seed's authority, with RSA keys of 2048 bits. Slow: a second, many without optimization.
    ///
    /// # Errors
    /// If no key or certificate can be made, which does not happen with a working generator.
    pub fn generate(seed: u64, now: Timestamp) -> Result<Self, AuthorityError> {
        Self::sized(seed, 2048, now)
    }

    /// The same with keys of so many bits; small ones are made faster.
    pub(super) fn sized(seed: u64, bits: usize, now: Timestamp) -> Result<Self, AuthorityError> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0xca);
        let root = Key::new(RsaPrivateKey::new(&mut rng, bits)?)?;
        let leaf = Key::new(RsaPrivateKey::new(&mut rng, bits)?)?;

        let mut params = named("Sandbox root CA", 1, now);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_pem = params.self_signed(&root)?.pem();
        let issuer = Issuer::new(params, root);

        let host = "sns.amazonaws.com";
        let mut params = named(host, 2, now);
        // As real ones have it: nobody reads a host from the common name any more.
        let host = SanType::DnsName(host.try_into()?);
        params.subject_alt_names.push(host);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate = params.signed_by(&leaf, &issuer)?;
        let name = hex::encode(Sha256::digest(certificate.der()));
        Ok(Self(Arc::new(Made {
            key: leaf.private,
            root_pem,
            certificate_pem: certificate.pem(),
            file: format!("SimpleNotificationService-{}.pem", &name[..32]),
        })))
    }

    /// The root's certificate, for whoever is to trust it.
    pub fn root_pem(&self) -> &str {
        &self.0.root_pem
    }

    /// SNS's certificate.
    pub fn certificate_pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// The last part of the address of SNS's certificate.
    pub fn certificate_file(&self) -> &str {
        &self.0.file
    }

    /// The key signatures are verified with.
    #[cfg(test)]
    pub(super) fn public_key(&self) -> rsa::RsaPublicKey {
        self.0.key.to_public_key()
    }

    /// Signs as SNS does; nothing if the key is too small for the hash.
    pub(super) fn sign(&self, version: SignatureVersion, text: &str) -> Option<Vec<u8>> {
        let signed = match version {
            SignatureVersion::One => self
                .0
                .key
                .sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text)),
            SignatureVersion::Two => self
                .0
                .key
                .sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text)),
        };
        signed.ok()
    }
}

fn named(name: &str, serial: u64, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    let day = |days: i64| {
        let at = now.saturating_add(SignedDuration::from_hours(24 * days));
        let date = at.unwrap_or(now).to_zoned(jiff::tz::TimeZone::UTC).date();
        let year = i32::from(date.year());
        rcgen::date_time_ymd(year, date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = day(-AGE_DAYS);
    params.not_after = day(LIFE_DAYS - AGE_DAYS);
    params
}

/// An RSA key of any size, as certificates are signed with.
struct Key {
    private: RsaPrivateKey,
    public_der: Vec<u8>,
}

impl Key {
    fn new(private: RsaPrivateKey) -> Result<Self, AuthorityError> {
        let public_der = private.to_public_key().to_pkcs1_der()?.into_vec();
        Ok(Self {
            private,
            public_der,
        })
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public_der
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let scheme = Pkcs1v15Sign::new::<Sha256>();
        let signed = self.private.sign(scheme, &Sha256::digest(message));
        signed.map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
