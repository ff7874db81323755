//! GZIP (RFC 1952), one member, checked to its last byte.

use crc32fast::hash;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpackable {
    TooLarge,
    CutOff(&'static str),
}

const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;
const HAS_CHECK: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;

/// The text, if the trailer's length and checksum are its own.
pub fn unpack(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Unpackable> {
    let data = after_header(packed).ok_or(Unpackable::CutOff("it does not begin as GZIP does"))?;
    let end = data.len().saturating_sub(TRAILER_BYTES);
    let (data, trailer) = data.split_at(end);
    let [c1, c2, c3, c4, l1, l2, l3, l4] = *trailer else {
        return Err(Unpackable::CutOff("it has no trailer"));
    };
    let length = u32::from_le_bytes([l1, l2, l3, l4]) as usize;
    // Of a text that is cut off the trailer is anything: only unpacking tells which it is.
    let mut text = vec![0; length.min(bytes_max)];
    let mut state = Box::<DecompressorOxide>::default();
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, written) = decompress(&mut state, data, &mut text, 0, flags);
    if status == TINFLStatus::HasMoreOutput && length > bytes_max {
        return Err(Unpackable::TooLarge);
    }
    if status != TINFLStatus::Done || read != data.len() || written != length {
        return Err(Unpackable::CutOff("its data end before its trailer"));
    }
    if hash(&text) != u32::from_le_bytes([c1, c2, c3, c4]) {
        return Err(Unpackable::CutOff("its checksum is another"));
    }
    Ok(text)
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
    packed.extend(hash(text).to_le_bytes());
    packed.extend((text.len() as u32).to_le_bytes());
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_shorter_is() {
        let text: Vec<u8> = (0..20_000u32)
            .flat_map(|at| (at * at).to_le_bytes())
            .collect();
        let packed = pack(&text);
        assert_eq!(unpack(&packed, 1 << 20).unwrap(), text);
        assert_eq!(unpack(&packed, 79_999), Err(Unpackable::TooLarge));
        assert_eq!(unpack(&pack(b""), 0).unwrap(), b"");
        for cut in (0..packed.len())
            .step_by(97)
            .chain(packed.len() - 30..packed.len())
        {
            let got = unpack(&packed[..cut], 1 << 20);
            assert!(got.is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_byte_that_is_another_is_seen() {
        let packed = pack(&b"amazon-order-id\tsku\n".repeat(100));
        for at in (21..packed.len()).chain(0..3) {
            let mut broken = packed.clone();
            broken[at] ^= 1;
            assert!(unpack(&broken, 1 << 20).is_err(), "byte {at}");
        }
    }
}
