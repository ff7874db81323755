//! Private keys in PEM, as far as connectors sign with them: RSA in PKCS#8 or PKCS#1 form, EC P-256 in PKCS#8
//! or SEC1 form.
//!
//! A general ASN.1 library can read more, and would be a twentieth of a component.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;

/// A key's DER, wiped when dropped: well-formed as far as it was looked at, not checked as a key.
pub struct PrivateKey {
    label: Label,
    der: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Pkcs8,
    Pkcs1,
    Sec1,
}

/// The numbers of an RSA key, big-endian.
pub struct Rsa<'a> {
    pub modulus: &'a [u8],
    pub public_exponent: &'a [u8],
    pub private_exponent: &'a [u8],
    pub primes: [&'a [u8]; 2],
}

const LABELS: [(&str, Label); 3] = [
    ("PRIVATE KEY", Label::Pkcs8),
    ("RSA PRIVATE KEY", Label::Pkcs1),
    ("EC PRIVATE KEY", Label::Sec1),
];

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P256_BYTES: usize = 32;

impl PrivateKey {
    /// Reads the PEM; line breaks may be written as `\n`, as environment files do.
    pub fn read(pem: &Secret) -> Option<Self> {
        let text = Secret::new(pem.expose().replace("\\n", "\n"));
        // Tools write a preamble, such as the key's name.
        let (_, inner) = text.expose().split_once("-----BEGIN ")?;
        let (name, inner) = inner.split_once("-----")?;
        let (_, label) = LABELS.into_iter().find(|(known, _)| *known == name)?;
        let (body, end) = inner.split_once("-----END ")?;
        (end.trim_end().strip_suffix("-----")? == name).then_some(())?;
        let blank = |letter: &char| !letter.is_ascii_whitespace();
        let body = Secret::new(body.chars().filter(blank).collect::<String>());
        let der = Zeroizing::new(STANDARD.decode(body.expose()).ok()?);
        Some(Self { label, der })
    }

    /// The numbers, if this is an RSA key of two primes.
    pub fn rsa(&self) -> Option<Rsa<'_>> {
        let der = match self.label {
            Label::Pkcs8 => pkcs8(&self.der, |algorithm| {
                exact(algorithm, OID, RSA_ENCRYPTION)?;
                exact(algorithm, NULL, &[])
            })?,
            Label::Pkcs1 => &self.der,
            Label::Sec1 => return None,
        };
        let mut fields = whole(der, SEQUENCE)?;
        exact(&mut fields, INTEGER, &[0])?;
        let [modulus, public_exponent, private_exponent, p, q, ..] = {
            let mut numbers = [&[][..]; 8];
            for number in &mut numbers {
                *number = positive(&mut fields)?;
            }
            numbers
        };
        fields.is_empty().then_some(Rsa {
            modulus,
            public_exponent,
            private_exponent,
            primes: [p, q],
        })
    }

    /// The secret number, if this is a key on the curve P-256.
    pub fn p256(&self) -> Option<&[u8; P256_BYTES]> {
        let der = match self.label {
            Label::Pkcs8 => pkcs8(&self.der, |algorithm| {
                exact(algorithm, OID, EC_PUBLIC_KEY)?;
                exact(algorithm, OID, P256)
            })?,
            Label::Sec1 => &self.der,
            Label::Pkcs1 => return None,
        };
        let mut fields = whole(der, SEQUENCE)?;
        exact(&mut fields, INTEGER, &[1])?;
        let number = take(&mut fields, OCTETS)?;
        // The curve, which often is not said, or only around the key: the caller knows what it wants.
        const CURVE: u8 = 0xa0;
        const PUBLIC_KEY: u8 = 0xa1;
        if fields.first() == Some(&CURVE) {
            let mut curve = take(&mut fields, CURVE)?;
            exact(&mut curve, OID, P256)?;
            curve.is_empty().then_some(())?;
        }
        if fields.first() == Some(&PUBLIC_KEY) {
            take(&mut fields, PUBLIC_KEY)?;
        }
        fields.is_empty().then_some(())?;
        number.try_into().ok()
    }
}

/// The key inside a PKCS#8 structure of the algorithm that `algorithm` reads to its end.
fn pkcs8(der: &[u8], algorithm: impl FnOnce(&mut &[u8]) -> Option<()>) -> Option<&[u8]> {
    let mut fields = whole(der, SEQUENCE)?;
    // 0, or 1 where the public key follows, which is not needed; nor are attributes.
    let version = take(&mut fields, INTEGER)?;
    matches!(version, [0 | 1]).then_some(())?;
    let mut said = take(&mut fields, SEQUENCE)?;
    algorithm(&mut said)?;
    said.is_empty().then_some(())?;
    let key = take(&mut fields, OCTETS)?;
    for tag in [0xa0, 0x81] {
        if fields.first() == Some(&tag) {
            take(&mut fields, tag)?;
        }
    }
    fields.is_empty().then_some(key)
}

/// The content of the one element there is.
fn whole(mut der: &[u8], tag: u8) -> Option<&[u8]> {
    let content = take(&mut der, tag)?;
    der.is_empty().then_some(content)
}

fn exact(der: &mut &[u8], tag: u8, wanted: &[u8]) -> Option<()> {
    (take(der, tag)? == wanted).then_some(())
}

/// A number above zero, in its shortest form, without the byte that says it is not negative.
fn positive<'a>(der: &mut &'a [u8]) -> Option<&'a [u8]> {
    match take(der, INTEGER)? {
        [0, rest @ ..] => (*rest.first()? >= 0x80).then_some(rest),
        number => (*number.first()? < 0x80).then_some(number),
    }
}

/// The content of the next element, whose length stands in its shortest form.
fn take<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let rest = der.strip_prefix(&[tag])?;
    let (length, rest) = match *rest {
        [short @ 0..=0x7f, ref rest @ ..] => (usize::from(short), rest),
        [0x81, length @ 0x80..=0xff, ref rest @ ..] => (usize::from(length), rest),
        [0x82, high @ 1..=0xff, low, ref rest @ ..] => {
            (usize::from(u16::from_be_bytes([high, low])), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *der = rest;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PEM of these bytes.
    fn pem(label: &str, der: &[u8]) -> Secret {
        let body = STANDARD.encode(der);
        Secret::new(format!(
            "-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"
        ))
    }

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 0x80);
        [&[tag, content.len() as u8], content].concat()
    }

    fn rsa(numbers: &[&[u8]]) -> Vec<u8> {
        let fields: Vec<u8> = numbers.iter().flat_map(|n| element(INTEGER, n)).collect();
        element(SEQUENCE, &fields)
    }

    const NUMBERS: [&[u8]; 9] = [&[0], &[0, 0xa5], &[3], &[7], &[11], &[13], &[1], &[2], &[5]];

    #[test]
    fn rsa_in_both_forms() {
        let key = rsa(&NUMBERS);
        let algorithm = [element(OID, RSA_ENCRYPTION), element(NULL, &[])].concat();
        let wrapped = [
            element(INTEGER, &[0]),
            element(SEQUENCE, &algorithm),
            element(OCTETS, &key),
        ];
        let wrapped = element(SEQUENCE, &wrapped.concat());
        for pem in [pem("RSA PRIVATE KEY", &key), pem("PRIVATE KEY", &wrapped)] {
            let read = PrivateKey::read(&pem).unwrap();
            let rsa = read.rsa().unwrap();
            assert_eq!((rsa.modulus, rsa.public_exponent), (&[0xa5][..], &[3][..]));
            assert_eq!(
                (rsa.private_exponent, rsa.primes),
                (&[7][..], [&[11][..], &[13]])
            );
            assert!(read.p256().is_none());
            // As environment files have it.
            let one_line = Secret::new(pem.expose().replace('\n', "\\n"));
            assert!(PrivateKey::read(&one_line).unwrap().rsa().is_some());
        }
    }

    #[test]
    fn p256_in_both_forms() {
        let number = element(OCTETS, &[7; 32]);
        let curve = element(OID, P256);
        let bare = element(SEQUENCE, &[element(INTEGER, &[1]), number.clone()].concat());
        let named = [element(INTEGER, &[1]), number, element(0xa0, &curve)].concat();
        let named = element(SEQUENCE, &[named, element(0xa1, &[3, 1, 0])].concat());
        let algorithm = [element(OID, EC_PUBLIC_KEY), curve].concat();
        let wrap = |key: &[u8]| {
            let fields = [
                element(INTEGER, &[0]),
                element(SEQUENCE, &algorithm),
                element(OCTETS, key),
            ];
            element(SEQUENCE, &fields.concat())
        };
        for pem in [
            pem("EC PRIVATE KEY", &bare),
            pem("EC PRIVATE KEY", &named),
            pem("PRIVATE KEY", &wrap(&bare)),
            pem("PRIVATE KEY", &wrap(&named)),
        ] {
            let read = PrivateKey::read(&pem).unwrap();
            assert_eq!(read.p256(), Some(&[7; 32]));
            assert!(read.rsa().is_none());
        }
        // On another curve.
        let at = named
            .windows(P256.len())
            .position(|part| part == P256)
            .unwrap();
        let mut other = named.clone();
        other[at + P256.len() - 1] ^= 1;
        assert_eq!(
            PrivateKey::read(&pem("EC PRIVATE KEY", &other))
                .unwrap()
                .p256(),
            None
        );
    }

    #[test]
    fn what_is_cut_changed_or_padded_is_refused() {
        let key = rsa(&NUMBERS);
        let refused = |der: &[u8]| {
            let read = PrivateKey::read(&pem("RSA PRIVATE KEY", der));
            read.is_none_or(|key| key.rsa().is_none())
        };
        assert!(!refused(&key));
        (0..key.len()).for_each(|end| assert!(refused(&key[..end]), "{end}"));
        assert!(refused(&[key.as_slice(), &[0]].concat()));
        assert!(refused(&rsa(&NUMBERS[..8])));
        for (at, number) in [
            (0, &[1][..]),
            (1, &[0x80]),
            (1, &[0, 1]),
            (2, &[0]),
            (3, &[]),
        ] {
            let mut numbers = NUMBERS;
            numbers[at] = number;
            assert!(refused(&rsa(&numbers)), "{at}");
        }
        for text in [
            "",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN X-----\n-----END X-----",
        ] {
            assert!(PrivateKey::read(&Secret::new(text)).is_none(), "{text}");
        }
        let encrypted = pem("RSA PRIVATE KEY", &key);
        let encrypted = encrypted
            .expose()
            .replacen('\n', "\nProc-Type: 4,ENCRYPTED\n", 1);
        assert!(PrivateKey::read(&Secret::new(encrypted)).is_none());
    }

    #[test]
    fn lengths_are_read_in_their_shortest_form_only() {
        let long = [&[OCTETS, 0x82, 1, 0][..], &[9; 256]].concat();
        assert_eq!(whole(&long, OCTETS).map(<[u8]>::len), Some(256));
        let middle = [&[OCTETS, 0x81, 0x80][..], &[9; 128]].concat();
        assert_eq!(whole(&middle, OCTETS).map(<[u8]>::len), Some(128));
        for wrong in [
            &[OCTETS, 0x81, 1, 9][..],
            &[OCTETS, 0x82, 0, 1, 9],
            &[OCTETS, 0x80, 0, 0],
            &[OCTETS, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[OCTETS, 2, 9],
            &[OCTETS],
        ] {
            assert_eq!(whole(wrong, OCTETS), None, "{wrong:?}");
        }
    }
}
