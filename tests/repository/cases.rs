//! Every flow's mapping on its cases, and what it must list.

use std::fs;

/// A seller who adds a marketplace to the settings need not add it to four tables first.
#[test]
fn the_mapping_of_amazon_orders_lists_every_marketplace() {
    let text = super::root().join("functions/amazon-orders/mapping.toml");
    let text = fs::read_to_string(text).unwrap();
    let table = |name: &str| {
        let table = text.split(&format!("[tables.{name}]\n")).nth(1).unwrap();
        table.split("\n\n").next().unwrap()
    };
    let lists = |name: &str, key: &str| {
        let mut lines = table(name).lines();
        lines.any(|line| line.split_once('=').is_some_and(|(it, _)| it.trim() == key))
    };
    for place in amazon::marketplace::MARKETPLACES {
        for by in ["MERCHANT", "AMAZON"] {
            let key = format!("\"{} {by}\"", place.id);
            assert!(lists("record", &key), "{} {by}", place.country);
        }
        for name in ["customer", "subsidiary"] {
            assert!(lists(name, place.id), "{name} of {}", place.country);
        }
        let known = sandbox::amazon::Marketplace::by_country(place.country);
        if let Some(known) = known {
            assert!(lists("currency", known.currency), "{}", known.currency);
        }
    }
}

#[test]
fn every_flow_maps_its_cases_as_they_say() {
    let mut flows = 0;
    for entry in fs::read_dir(super::root().join("functions")).unwrap() {
        let flow = entry.unwrap().path();
        // A component without a mapping is no flow: the scheduler.
        if !flow.join("mapping.toml").exists() {
            continue;
        }
        let count = mapping::cases::run(&flow).unwrap_or_else(|failed| panic!("{failed}"));
        println!("{}: {count} cases", flow.display());
        flows += 1;
    }
    assert!(flows > 0, "there is no flow");
}
