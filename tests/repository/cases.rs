//! Every flow's mapping on its cases.

use std::fs;

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
