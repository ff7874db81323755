//! How often Amazon may be asked.

use std::time::Duration;

use amazon::errors;
use serde_json::json;
use sluice_core::{Action, Fault, Ports, Source};

use super::wire::{Wire, patience, run, select};

fn fetch(ports: &Ports, id: &str) -> Result<(), Fault> {
    run(amazon::orders().fetch(ports, id, &select())).map(drop)
}

/// Others would be asked for what it can't be.
fn one_account(wire: &Wire) -> Ports {
    wire.ports_with(&[("amazon_marketplaces", "US,CA")])
}

fn wait_of(fault: &Fault) -> Duration {
    assert_eq!(fault.code, errors::THROTTLED, "{fault}");
    match fault.action {
        Action::RetryAfter(wait) => wait,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn what_amazon_would_refuse_is_not_sent() {
    let wire = Wire::new();
    let ports = one_account(&wire);
    let id = wire.sell("US");
    let mut asked = 0;
    for _ in 0..200 {
        match fetch(&ports, &id) {
            Ok(()) => asked += 1,
            Err(fault) => {
                assert!(wait_of(&fault) <= Duration::from_secs(2), "{fault}");
                wire.wait(patience(&fault));
            }
        }
    }
    assert!(asked > 110, "{asked}");
    assert_eq!(wire.answered(429), 0);
    assert_eq!(wire.asked().len(), 1 + asked);
}

#[test]
fn a_refusal_empties_the_bucket_whether_or_not_it_names_the_rate() {
    for without_rate in [false, true] {
        let wire = Wire::new();
        wire.set("throttled_without_rate", json!(without_rate));
        let id = wire.sell("US");
        // Somebody else with the same application.
        let other = one_account(&wire);
        while fetch(&other, &id).is_ok() {}
        let ports = one_account(&wire);
        let fault = fetch(&ports, &id).unwrap_err();
        assert_eq!(wire.answered(429), 1);
        let wait = wait_of(&fault);
        assert!(wait <= Duration::from_millis(2000), "{wait:?}");
        let before = wire.asked().len();
        wait_of(&fetch(&ports, &id).unwrap_err());
        assert_eq!(wire.asked().len(), before, "the second one is not sent");
        wire.wait(patience(&fault));
        fetch(&ports, &id).unwrap();
        assert_eq!(wire.answered(429), 1);
    }
}

#[test]
fn a_rate_that_amazon_raises_is_used() {
    let wire = Wire::new();
    wire.set("rate_factor", json!(10));
    let ports = one_account(&wire);
    let id = wire.sell("US");
    let start = wire.now();
    for _ in 0..300 {
        if let Err(fault) = fetch(&ports, &id) {
            wire.wait(patience(&fault));
        }
    }
    let took = wire.now().duration_since(start);
    assert_eq!(wire.answered(429), 0);
    assert!(took.as_secs() < 80, "{took:?}");
}

#[test]
fn accounts_have_limits_of_their_own() {
    let wire = Wire::new();
    let ports = wire.ports_with(&[("amazon_marketplaces", "UK,JP")]);
    let ids = ["UK", "JP"].map(|country| wire.sell(country));
    while fetch(&ports, &ids[0]).is_ok() {}
    // Both are asked for either's order: the one that is asked first has no slot left.
    fetch(&ports, &ids[1]).unwrap();
    wait_of(&fetch(&ports, &ids[0]).unwrap_err());
    let ports = wire.ports_with(&[("amazon_marketplaces", "JP")]);
    fetch(&ports, &ids[1]).unwrap();
    assert_eq!(wire.answered(429), 0);
}
