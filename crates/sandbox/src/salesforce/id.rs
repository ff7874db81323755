//! Record ids: fifteen case-sensitive characters, and the eighteen-character form that survives a
//! spreadsheet. <https://help.salesforce.com/s/articleView?id=000385008>

use std::fmt;

/// A record id. Shown in its eighteen-character form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 15]);

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

impl Id {
    /// Reads either form; `None` if it is neither, or if the eighteen-character form's last three
    /// characters do not fit the rest.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let id = Self(bytes.get(..15)?.try_into().ok()?);
        match bytes.len() {
            15 => Some(id),
            18 if bytes[15..].eq_ignore_ascii_case(&id.suffix()) => Some(id),
            _ => None,
        }
    }

    /// The `number`th id of a type in one organization: prefix, pod, a zero, nine digits to base 62.
    pub(super) fn numbered(prefix: &str, pod: [u8; 2], number: u64) -> Self {
        let mut id = [b'0'; 15];
        for (place, byte) in id.iter_mut().zip(prefix.bytes().take(3)) {
            *place = byte;
        }
        id[3..5].copy_from_slice(&pod);
        let mut rest = number;
        for place in id[6..].iter_mut().rev() {
            *place = BASE62[(rest % 62) as usize];
            rest /= 62;
        }
        Self(id)
    }

    /// The first three characters, which name the type.
    pub fn prefix(&self) -> &str {
        text(&self.0[..3])
    }

    /// The fifteen-character form.
    pub fn short(&self) -> &str {
        text(&self.0)
    }

    fn suffix(self) -> [u8; 3] {
        let mut suffix = [0; 3];
        for (place, chunk) in suffix.iter_mut().zip(self.0.chunks_exact(5)) {
            let capitals = chunk
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0usize, |bits, (index, _)| bits | 1 << index);
            *place = BASE32[capitals];
        }
        suffix
    }
}

/// Ids hold ASCII only, by construction.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.short())?;
        out.write_str(text(&self.suffix()))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Gives out the ids of one type, in rising order.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pod: [u8; 2],
    next: u64,
}

impl Numbers {
    /// Starts somewhere the seed decides, as in an organization that has lived a while.
    pub(super) fn new(rng: &mut fastrand::Rng, pod: [u8; 2]) -> Self {
        Self {
            pod,
            next: rng.u64(1 << 24..1 << 34),
        }
    }

    pub(super) fn next(&mut self, prefix: &str) -> Id {
        self.next += 1;
        Id::numbered(prefix, self.pod, self.next)
    }
}

/// Two characters that tell one organization's ids from another's.
pub(super) fn pod(rng: &mut fastrand::Rng) -> [u8; 2] {
    [BASE62[rng.usize(10..62)], BASE62[rng.usize(0..62)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs published by Salesforce and in third-party fixtures.
    #[test]
    fn suffixes_as_published() {
        for (short, long) in [
            ("003q000000KvQ1t", "003q000000KvQ1tAAF"),
            ("a00D0000008pQRA", "a00D0000008pQRAIA2"),
            ("00De0000000pmu1", "00De0000000pmu1EAA"),
            ("701E0000000JuFH", "701E0000000JuFHIA0"),
        ] {
            let id = Id::parse(short).unwrap();
            assert_eq!(id.to_string(), long);
            assert_eq!(Id::parse(long), Some(id));
        }
    }

    #[test]
    fn what_is_no_id() {
        for text in [
            "",
            "006",
            "003q000000KvQ1tAAG",
            "003q000000KvQ1tAA",
            "003q00000'KvQ1t",
            "003q000000KvQ1é",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn case_matters() {
        assert_ne!(Id::parse("003q000000KvQ1t"), Id::parse("003q000000KvQ1T"));
    }

    #[test]
    fn numbers_rise() {
        let mut rng = fastrand::Rng::with_seed(1);
        let pod = pod(&mut rng);
        let mut numbers = Numbers::new(&mut rng, pod);
        let ids: Vec<Id> = (0..1000).map(|_| numbers.next("006")).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.prefix() == "006"));
    }
}
