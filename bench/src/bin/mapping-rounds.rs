//! Maps one opportunity with three lines over and over, JSON bytes in to JSON bytes out, on one core, and
//! prints how many nanoseconds one takes in the best round: `{"ns": 5000, "bytes_out": 600}`.
//!
//! `mapping-rounds [SECONDS]`; the same program runs natively and as a component.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mapping::{Links, MappingFile, Section};
use serde_json::{Value, json};
use sluice_core::json;

const FLOW: &str = include_str!("../../../functions/opportunity-to-sales-order/mapping.toml");
const OPPORTUNITY: &str = include_str!("../../data/opportunity.json");
/// Shorter than a time slice, so that the best round ran undisturbed also on a busy machine.
const ROUND: Duration = Duration::from_millis(1);
/// Mapped between two looks at the clock.
const STEP: u32 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args()
        .nth(1)
        .map(|text| text.parse())
        .transpose()?;
    let period = Duration::from_secs(seconds.unwrap_or(2));
    let file = MappingFile::parse("mapping.toml", FLOW)?;
    let order = file.section("order")?;
    let mut links = Links::new();
    let body: Value = serde_json::from_str(OPPORTUNITY)?;
    for (number, reference) in order.references(&body)?.iter().enumerate() {
        links.insert(&reference.link, &reference.id, (1000 + number).to_string());
    }
    let bytes_out = map(order, &links, OPPORTUNITY.as_bytes())?.len();
    let mut best_ns = u128::MAX;
    let started = Instant::now();
    while started.elapsed() < period {
        best_ns = best_ns.min(round(order, &links)?);
    }
    println!(
        "{}",
        json!({ "ns": best_ns as u64, "bytes_out": bytes_out })
    );
    Ok(())
}

/// Nanoseconds for one, over one round.
fn round(order: &Section, links: &Links) -> Result<u128, Box<dyn std::error::Error>> {
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < ROUND {
        for _ in 0..STEP {
            black_box(map(order, links, black_box(OPPORTUNITY.as_bytes()))?);
        }
        count += STEP;
    }
    Ok(started.elapsed().as_nanos() / u128::from(count))
}

fn map(
    order: &Section,
    links: &Links,
    bytes: &[u8],
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let body = json::read(bytes)?;
    Ok(json::write(&order.apply(&body, links)?))
}
