//! GZIP (RFC 1952), one member, unpacked part by part and checked to its last byte.

use crc32fast::Hasher;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;
/// What is unpacked at once.
const PART_BYTES: usize = 32 << 10;
const HAS_CHECK: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;

/// A text on its way out: no more of it is held than is asked for.
pub struct Unpacker<'a> {
    data: &'a [u8],
    check: u32,
    length: u32,
    state: Box<InflateState>,
    sum: Hasher,
    unpacked: usize,
}

impl<'a> Unpacker<'a> {
    /// `Err` says why nothing can be unpacked.
    pub fn new(packed: &'a [u8]) -> Result<Self, &'static str> {
        let data = after_header(packed).ok_or("it does not begin as GZIP does")?;
        let (data, trailer) = data.split_at(data.len().saturating_sub(TRAILER_BYTES));
        let [c1, c2, c3, c4, l1, l2, l3, l4] = *trailer else {
            return Err("it has no trailer");
        };
        Ok(Self {
            data,
            check: u32::from_le_bytes([c1, c2, c3, c4]),
            length: u32::from_le_bytes([l1, l2, l3, l4]),
            state: InflateState::new_boxed(DataFormat::Raw),
            sum: Hasher::new(),
            unpacked: 0,
        })
    }

    /// Adds the part that follows. `false` after the last, once the trailer's length and checksum are its own.
    pub fn part(&mut self, text: &mut Vec<u8>) -> Result<bool, &'static str> {
        let before = text.len();
        text.resize(before + PART_BYTES, 0);
        let part = text.get_mut(before..).unwrap_or_default();
        let done = inflate(&mut self.state, self.data, part, MZFlush::None);
        text.truncate(before + done.bytes_written);
        let part = text.get(before..).unwrap_or_default();
        self.sum.update(part);
        self.unpacked += part.len();
        self.data = self.data.get(done.bytes_consumed..).unwrap_or_default();
        match done.status {
            Ok(MZStatus::Ok) if done.bytes_written > 0 || done.bytes_consumed > 0 => Ok(true),
            Ok(MZStatus::StreamEnd) => self.proved().map(|()| false),
            _ => Err("its data end before its trailer"),
        }
    }

    fn proved(&self) -> Result<(), &'static str> {
        if !self.data.is_empty() || self.unpacked != self.length as usize {
            return Err("its data end before its trailer");
        }
        match self.sum.clone().finalize() == self.check {
            true => Ok(()),
            false => Err("its checksum is another"),
        }
    }
}

fn after_header(packed: &[u8]) -> Option<&[u8]> {
    let (header, mut rest) = packed.split_at_checked(HEADER_BYTES)?;
    let [0x1f, 0x8b, 8, flags, ..] = *header else {
        return None;
    };
    if flags & HAS_EXTRA != 0 {
        let (length, after) = rest.split_at_checked(2)?;
        let length = u16::from_le_bytes([length[0], length[1]]);
        rest = after.get(usize::from(length)..)?;
    }
    for text in [HAS_NAME, HAS_COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    match flags & HAS_CHECK {
        0 => Some(rest),
        _ => rest.get(2..),
    }
}

#[cfg(test)]
pub(in crate::report) fn pack(text: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, HAS_NAME, 0, 0, 0, 0, 0, 255];
    packed.extend(b"report.txt\0");
    packed.extend(miniz_oxide::deflate::compress_to_vec(text, 6));
    packed.extend(crc32fast::hash(text).to_le_bytes());
    packed.extend((text.len() as u32).to_le_bytes());
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(packed: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut unpacker = Unpacker::new(packed)?;
        let mut text = Vec::new();
        while unpacker.part(&mut text)? {}
        Ok(text)
    }

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_shorter_is() {
        let text: Vec<u8> = (0..20_000u32)
            .flat_map(|at| (at * at).to_le_bytes())
            .collect();
        let packed = pack(&text);
        assert_eq!(unpack(&packed).unwrap(), text);
        assert_eq!(unpack(&pack(b"")).unwrap(), b"");
        for cut in (0..packed.len())
            .step_by(97)
            .chain(packed.len() - 30..packed.len())
        {
            let got = unpack(&packed[..cut]);
            assert!(got.is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_byte_that_is_another_is_seen() {
        let packed = pack(&b"amazon-order-id\tsku\n".repeat(100));
        for at in (21..packed.len()).chain(0..3) {
            let mut broken = packed.clone();
            broken[at] ^= 1;
            assert!(unpack(&broken).is_err(), "byte {at}");
        }
    }

    #[test]
    fn no_more_is_unpacked_at_once_than_a_part() {
        let packed = pack(&vec![b'x'; 1 << 20]);
        let mut unpacker = Unpacker::new(&packed).unwrap();
        let mut text = Vec::new();
        assert!(unpacker.part(&mut text).unwrap());
        assert_eq!(text.len(), PART_BYTES);
    }
}
