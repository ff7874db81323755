//! Limits that all workers share, on a real database.

use std::time::Duration;

use futures::executor::block_on;
use jiff::SignedDuration;
use sluice_core::rate::{self, Bucket, Level, Taken};

use crate::fake::House;

const SECOND: Duration = Duration::from_secs(1);

fn bucket() -> Bucket {
    Bucket {
        name: "vendor:search".into(),
        interval: 3 * SECOND,
        burst: 4,
    }
}

fn take(house: &House) -> Taken {
    block_on(rate::take(&house.ports, &bucket())).unwrap()
}

fn wait_ms(house: &House, ms: i64) {
    house.clock.advance(SignedDuration::from_millis(ms));
}

#[test]
fn a_burst_is_given_at_once_and_then_one_slot_each_interval() {
    let house = House::new();
    for _ in 0..4 {
        assert_eq!(take(&house), Taken::Slot(3 * SECOND));
    }
    assert_eq!(take(&house), Taken::Wait(3 * SECOND));
    wait_ms(&house, 2_999);
    assert_eq!(take(&house), Taken::Wait(Duration::from_millis(1)));
    wait_ms(&house, 1);
    assert_eq!(take(&house), Taken::Slot(3 * SECOND));
    assert_eq!(take(&house), Taken::Wait(3 * SECOND));
    wait_ms(&house, 3_600_000);
    for _ in 0..4 {
        assert_eq!(take(&house), Taken::Slot(3 * SECOND));
    }
    assert_eq!(take(&house), Taken::Wait(3 * SECOND));
}

#[test]
fn in_any_stretch_of_time_no_more_slots_are_given_than_the_system_has() {
    let house = House::new();
    let mut taken: Vec<i64> = Vec::new();
    // Steps that share no factor with the interval.
    for step in 0..2_000_i64 {
        wait_ms(&house, 97 + step % 13 * 101);
        if let Taken::Slot(_) = take(&house) {
            taken.push(house.clock_now().as_millisecond());
        }
    }
    for (at, first) in taken.iter().enumerate() {
        for (count, last) in taken[at..].iter().enumerate() {
            let allowed = 4 + (last - first) / 3_000;
            assert!(
                (count as i64) < allowed,
                "{} in {}",
                count + 1,
                last - first
            );
        }
    }
    let span = taken[taken.len() - 1] - taken[0];
    assert!(taken.len() as i64 >= span / 3_000, "nothing is wasted");
}

#[test]
fn other_buckets_are_others() {
    let house = House::new();
    for _ in 0..4 {
        take(&house);
    }
    let other = Bucket {
        name: "vendor:get".into(),
        ..bucket()
    };
    let taken = block_on(rate::take(&house.ports, &other)).unwrap();
    assert_eq!(taken, Taken::Slot(3 * SECOND));
}

#[test]
fn a_refusal_empties_the_bucket() {
    let house = House::new();
    for known in [false, true] {
        let wait = block_on(rate::empty(&house.ports, &bucket())).unwrap();
        assert_eq!(wait, 3 * SECOND, "{known}");
        assert_eq!(take(&house), Taken::Wait(3 * SECOND));
        wait_ms(&house, 3_000);
        assert_eq!(take(&house), Taken::Slot(3 * SECOND));
        assert_eq!(take(&house), Taken::Wait(3 * SECOND));
    }
}

#[test]
fn the_system_names_another_pace() {
    let house = House::new();
    for _ in 0..4 {
        take(&house);
    }
    block_on(rate::correct(&house.ports, &bucket(), SECOND)).unwrap();
    assert_eq!(take(&house), Taken::Wait(SECOND));
    wait_ms(&house, 1_000);
    assert_eq!(take(&house), Taken::Slot(SECOND));
    block_on(rate::correct(&house.ports, &bucket(), 10 * SECOND)).unwrap();
    assert_eq!(take(&house), Taken::Wait(10 * SECOND));
    block_on(rate::correct(&house.ports, &bucket(), 10 * SECOND)).unwrap();
    assert_eq!(take(&house), Taken::Wait(10 * SECOND));
    // Of a bucket nobody knows there is nothing to set right.
    let other = Bucket {
        name: "vendor:get".into(),
        ..bucket()
    };
    block_on(rate::correct(&house.ports, &other, SECOND)).unwrap();
}

#[test]
fn a_clock_that_ran_fast_does_not_close_the_bucket() {
    let house = House::new();
    wait_ms(&house, 3_600_000);
    block_on(rate::empty(&house.ports, &bucket())).unwrap();
    wait_ms(&house, -3_600_000);
    assert_eq!(take(&house), Taken::Slot(3 * SECOND));
    assert_eq!(take(&house), Taken::Wait(3 * SECOND));
    // One that is a little ahead is believed.
    wait_ms(&house, 30_000);
    block_on(rate::empty(&house.ports, &bucket())).unwrap();
    wait_ms(&house, -30_000);
    assert_eq!(take(&house), Taken::Wait(33 * SECOND));
}

#[test]
fn what_may_wait_leaves_the_last_slots_to_what_may_not() {
    let house = House::new();
    let leaving = |others| block_on(rate::take_leaving(&house.ports, &bucket(), others)).unwrap();
    for _ in 0..2 {
        assert_eq!(leaving(2), Taken::Slot(3 * SECOND));
    }
    assert_eq!(leaving(2), Taken::Wait(3 * SECOND));
    for _ in 0..2 {
        assert_eq!(take(&house), Taken::Slot(3 * SECOND));
    }
    assert_eq!(take(&house), Taken::Wait(3 * SECOND));
    assert_eq!(leaving(2), Taken::Wait(9 * SECOND));
    wait_ms(&house, 8_999);
    assert_eq!(leaving(2), Taken::Wait(Duration::from_millis(1)));
    wait_ms(&house, 1);
    assert_eq!(leaving(2), Taken::Slot(3 * SECOND));
    for _ in 0..2 {
        assert_eq!(take(&house), Taken::Slot(3 * SECOND));
    }
    // More than there are: then the bucket must be full.
    wait_ms(&house, 3 * 3_000);
    assert_eq!(leaving(100), Taken::Wait(3 * SECOND));
    wait_ms(&house, 3_000);
    assert_eq!(leaving(100), Taken::Slot(3 * SECOND));
}

#[test]
fn a_clock_that_ran_fast_gives_no_slot_to_what_leaves_some() {
    let house = House::new();
    wait_ms(&house, 3_600_000);
    block_on(rate::empty(&house.ports, &bucket())).unwrap();
    wait_ms(&house, -3_600_000);
    let leaving = || block_on(rate::take_leaving(&house.ports, &bucket(), 1)).unwrap();
    // The time is set right: the bucket counts as empty.
    assert_eq!(leaving(), Taken::Wait(6 * SECOND));
    assert_eq!(take(&house), Taken::Wait(3 * SECOND));
    wait_ms(&house, 6_000);
    assert_eq!(leaving(), Taken::Slot(3 * SECOND));
}

#[test]
fn how_full_a_bucket_is_can_be_seen() {
    let house = House::new();
    let level = || block_on(rate::level(&house.ports, &bucket())).unwrap();
    assert_eq!(level(), None);
    for free in (0..4).rev() {
        take(&house);
        let interval = 3 * SECOND;
        assert_eq!(level(), Some(Level { free, interval }));
    }
    wait_ms(&house, 2_999);
    assert_eq!(level().unwrap().free, 0);
    wait_ms(&house, 1);
    assert_eq!(level().unwrap().free, 1);
    block_on(rate::correct(&house.ports, &bucket(), SECOND)).unwrap();
    let interval = SECOND;
    assert_eq!(level(), Some(Level { free: 1, interval }));
    wait_ms(&house, 3_600_000);
    assert_eq!(level().unwrap().free, 4);
}
