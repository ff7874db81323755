//! A certificate authority for tests, and a signer whose certificates lead to it.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::signature::{SignatureEncoding, Signer};
use rsa::{BigUint, RsaPrivateKey};
use sha1::Sha1;
use sha2::Sha256;

use super::certificate::Version;

/// Root, an authority between, and the signer; PEM.
pub struct Authority {
    pub root: String,
    pub between: String,
    pub signer: String,
    key: RsaPrivateKey,
}

/// Where the certificate of the authority between is published.
pub const BETWEEN_URL: &str = "http://crt.r2m01.amazontrust.com/r2m01.cer";

impl Authority {
    /// A signer for `host`.
    pub fn of(host: &str) -> Self {
        let [one, other] = keys();
        Self::with(host, one.clone(), pair(&one), pair(&other))
    }

    /// The same, where only the signer has a key of RSA.
    pub fn on_a_curve(host: &str) -> Self {
        let [one, _] = keys();
        let new = || KeyPair::generate().unwrap();
        Self::with(host, one, new(), new())
    }

    fn with(host: &str, key: RsaPrivateKey, root_key: KeyPair, between_key: KeyPair) -> Self {
        let ca = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let root = ca("root").self_signed(&root_key).unwrap().pem();
        let root_issuer = Issuer::new(ca("root"), root_key);
        let between = ca("between").signed_by(&between_key, &root_issuer);
        let between = between.unwrap().pem();
        let between_issuer = Issuer::new(ca("between"), between_key);
        let mut signer = CertificateParams::new(vec![host.to_owned()]).unwrap();
        signer.custom_extensions.push(ca_issuers(BETWEEN_URL));
        let signer = signer.signed_by(&pair(&key), &between_issuer);
        Self {
            root,
            between,
            signer: signer.unwrap().pem(),
            key,
        }
    }

    /// What SNS serves at a certificate's address, with all that leads to the root or without.
    pub fn served(&self, whole: bool) -> String {
        match whole {
            true => format!("{}{}", self.signer, self.between),
            false => self.signer.clone(),
        }
    }

    pub fn sign(&self, version: Version, text: &str) -> Vec<u8> {
        let key = self.key.clone();
        let text = text.as_bytes();
        match version {
            Version::Sha1 => SigningKey::<Sha1>::new(key).sign(text).to_vec(),
            Version::Sha256 => SigningKey::<Sha256>::new(key).sign(text).to_vec(),
        }
    }
}

/// The extension that says where the issuer's certificate lies.
fn ca_issuers(url: &str) -> CustomExtension {
    let mut method = vec![6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x86, url.len() as u8];
    method.extend(url.as_bytes());
    let mut inner = vec![0x30, method.len() as u8];
    inner.append(&mut method);
    let mut outer = vec![0x30, inner.len() as u8];
    outer.append(&mut inner);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], outer)
}

fn pair(key: &RsaPrivateKey) -> KeyPair {
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256).unwrap()
}

/// Two keys, by their primes: making new ones would take a while.
fn keys() -> [RsaPrivateKey; 2] {
    PRIMES.map(|[p, q]| {
        let prime = |digits: &str| BigUint::parse_bytes(digits.as_bytes(), 16).unwrap();
        RsaPrivateKey::from_p_q(prime(p), prime(q), BigUint::from(65537u32)).unwrap()
    })
}

const PRIMES: [[&str; 2]; 2] = [
    [
        concat!(
            "e6d28ebaf2b142573c2c3ea64f93474dee264a60840b8c811b61e749dae29780",
            "cfcc995271f9a52bb73ab064e55143b925ab8f368722c8a11de8fc633faaa54b",
            "62739bfc2b11834fe472cb9da871a63248fd3c785796163d0e0b8245a06e1637",
            "54268af63dcb43028bbbe44139b44d0330dc85eafefc28aaf382351aabc485d1",
        ),
        concat!(
            "db5daf901665cba5af2bc88fd8291a118495aab432dbb397b0962c21cda045f8",
            "e0b1001900f8925d320000ee46f2f665cd24edd8b783a39fe081ff0e888256d8",
            "734eaf847234f66dc6f9b7b30edde7b622f7fde36e5bdfaa6dfbf110c8d7ebc2",
            "296e9fe0dd8f6b98a05d907c1f67d1e00e4adb37f6bbdcf049e7e121cf967c81",
        ),
    ],
    [
        concat!(
            "f2792f9eeb8b51edc526d433b96e5fe3439110681e257bd5644631ec57e575eb",
            "1931f626fd844e459847c5699bf6926663f07a6e292617407d9da73ce08116ab",
            "c8fb27fcddb4fdd9c189ea88b9337e9ccfb83da94ae1fee0cdd2322e33214c53",
            "775518848ba38bf67b4a7e256702a6b0bfd3a68095fa7ea8b111894eb7ea1641",
        ),
        concat!(
            "dd569fc4adccc5036cdcee8dced3fb1fc60290d31c48f8c4784c6bb0a2c77428",
            "af40cf96fe86591b2c7c135d8bcde6dcf078944c547b6ce00752235029e42fdc",
            "c0e4bf1d75e83b603f7c7d9755bb008c360f3dabafd1950be1ab5cb9ca3921a5",
            "96a6db80f5e35c7c5ec236531c97faad40f5c08b4f1108c42dfb767bc56b324f",
        ),
    ],
];
