//! How fast one opportunity with three lines is mapped, JSON bytes in to JSON bytes out, on one core.
//!
//! `cargo run --release -p sluice-mapping --example speed [FLOW/mapping.toml]`

use std::hint::black_box;
use std::time::{Duration, Instant};

use mapping::{Links, MappingFile, Section};
use serde_json::Value;

const FLOW: &str = include_str!("../../../functions/opportunity-to-sales-order/mapping.toml");
const OPPORTUNITY: &str = include_str!("opportunity.json");
/// Shorter than a time slice, so that the best round ran undisturbed also on a busy machine.
const ROUND: Duration = Duration::from_millis(1);
const ROUND_COUNT: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = MappingFile::parse("mapping.toml", FLOW)?;
    let order = file.section("order")?;
    let mut links = Links::new();
    let body: Value = serde_json::from_str(OPPORTUNITY)?;
    for (number, reference) in order.references(&body)?.iter().enumerate() {
        links.insert(&reference.link, &reference.id, (1000 + number).to_string());
    }
    let mapped = map(order, &links, OPPORTUNITY.as_bytes())?;
    println!("{} bytes in, {} bytes out", OPPORTUNITY.len(), mapped.len());
    report("map, bytes to bytes", || {
        black_box(map(order, &links, black_box(OPPORTUNITY.as_bytes())).ok());
    });
    report("of it reading JSON", || {
        black_box(serde_json::from_slice::<Value>(black_box(OPPORTUNITY.as_bytes())).ok());
    });
    report("of it applying", || {
        black_box(order.apply(black_box(&body), &links).ok());
    });
    report("references", || {
        black_box(order.references(black_box(&body)).ok());
    });
    let wanted = order.apply(&body, &links)?;
    report("fingerprint", || {
        black_box(mapping::fingerprint(black_box(&wanted)));
    });
    report("parse the mapping file", || {
        black_box(MappingFile::parse("mapping.toml", black_box(FLOW)).ok());
    });
    Ok(())
}

fn map(
    section: &Section,
    links: &Links,
    bytes: &[u8],
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let body: Value = serde_json::from_slice(bytes)?;
    Ok(serde_json::to_vec(&section.apply(&body, links)?)?)
}

/// The best of a few rounds: what the machine can do when nothing else runs.
fn report(what: &str, mut work: impl FnMut()) {
    let best = (0..ROUND_COUNT)
        .map(|_| {
            let start = Instant::now();
            let mut count = 0_u64;
            while start.elapsed() < ROUND {
                for _ in 0..10 {
                    work();
                }
                count += 10;
            }
            start.elapsed().as_nanos() / u128::from(count)
        })
        .min()
        .unwrap_or(u128::MAX);
    println!(
        "{what:24} {:>9} a second, {best} ns each",
        1_000_000_000 / best.max(1)
    );
}
