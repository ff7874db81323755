//! Ports for tests and simulations, in memory and deterministic; and a scripted system for unit tests of
//! connectors ([`Script`]).

mod script;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::Result;
use crate::ports::{Clock, KeyValue, Random, Variables};

pub use script::{NOW_S, NoSql, Script, answer, run, shared};

/// A key-value store in a map.
#[derive(Default)]
pub struct MemoryKeyValue(pub RefCell<BTreeMap<String, Vec<u8>>>);

#[async_trait(?Send)]
impl KeyValue for MemoryKeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.0.borrow_mut().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.0.borrow_mut().remove(key);
        Ok(())
    }
}

/// A clock that moves only when told to.
pub struct ManualClock(Cell<Timestamp>);

impl ManualClock {
    pub fn at(time: Timestamp) -> Self {
        Self(Cell::new(time))
    }

    pub fn advance(&self, by: SignedDuration) {
        self.0.set(self.0.get() + by);
    }

    pub fn set(&self, time: Timestamp) {
        self.0.set(time);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.get()
    }
}

/// Random numbers from a seed (SplitMix64): the same seed, the same run.
pub struct SeededRandom(Cell<u64>);

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.0.set(state);
            let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Variables from a map.
#[derive(Clone, Debug, Default)]
pub struct MapVariables(pub BTreeMap<String, String>);

impl Variables for MapVariables {
    fn get(&self, name: &str) -> Result<Option<String>> {
        Ok(self.0.get(name).cloned())
    }
}
