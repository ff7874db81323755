//! Whoever vouches for the topic's signatures: a root of the sandbox's own, an issuer between, and SNS's
//! certificate.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs1::EncodeRsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How long a certificate lasts, and how long ago it was made.
const LIFE_DAYS: i64 = 365;
const AGE_DAYS: i64 = 30;

/// Where an issuer's certificate lies, as the certificates it issued say: at the authority itself, over plain
/// HTTP. A network that is to find the sandbox there must be told so.
const ISSUER_HOST: &str = "http://crt.sandbox.amazontrust.com";
const ISSUER_PATH: &str = "/sandbox.cer";

/// An authority and the certificate it gave to SNS. Cheap to clone.
#[derive(Clone)]
pub struct Authority(Arc<Made>);

struct Made {
    key: RsaPrivateKey,
    root_pem: String,
    issuer_pem: String,
    issuer_der: Vec<u8>,
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
        let mut key = || Key::new(RsaPrivateKey::new(&mut rng, bits)?);
        let (root, between, leaf) = (key()?, key()?, key()?);

        let ca = |name: &str, serial: u64| {
            let mut params = named(name, serial, now);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
        };
        let params = ca("Sandbox root CA", 1);
        let root_pem = params.self_signed(&root)?.pem();
        let root = Issuer::new(params, root);
        let params = ca("Sandbox RSA 2048 M01", 3);
        let issuer_certificate = params.signed_by(&between, &root)?;
        let issuer = Issuer::new(params, between);

        let host = "sns.amazonaws.com";
        let mut params = named(host, 2, now);
        // As real ones have it: nobody reads a host from the common name any more.
        let host = SanType::DnsName(host.try_into()?);
        params.subject_alt_names.push(host);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let address = format!("{ISSUER_HOST}{ISSUER_PATH}");
        params.custom_extensions.push(issuer_at(&address));
        let certificate = params.signed_by(&leaf, &issuer)?;
        let name = hex::encode(Sha256::digest(certificate.der()));
        Ok(Self(Arc::new(Made {
            key: leaf.private,
            root_pem,
            issuer_pem: issuer_certificate.pem(),
            issuer_der: issuer_certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            file: format!("SimpleNotificationService-{}.pem", &name[..32]),
        })))
    }

    /// The root's certificate, for whoever is to trust it.
    pub fn root_pem(&self) -> &str {
        &self.0.root_pem
    }

    /// SNS's certificate, with its issuer's or alone.
    pub fn certificate_pem(&self, alone: bool) -> String {
        let issuer = if alone { "" } else { &self.0.issuer_pem };
        format!("{}{issuer}", self.0.certificate_pem)
    }

    /// The certificate of its issuer, and the path it lies at.
    pub(super) fn issuer(&self) -> (&'static str, &[u8]) {
        (ISSUER_PATH, &self.0.issuer_der)
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

/// Says where the issuer's certificate lies (authority information access, RFC 5280, 4.2.2.1).
fn issuer_at(url: &str) -> CustomExtension {
    let sized = |tag: u8, content: &[u8]| {
        // Addresses here are short: one byte says how long.
        let mut der = vec![tag, u8::try_from(content.len()).unwrap_or_default()];
        der.extend(content);
        der
    };
    let ca_issuers = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let access = [&ca_issuers[..], &sized(0x86, url.as_bytes())].concat();
    let all = sized(0x30, &sized(0x30, &access));
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], all)
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
