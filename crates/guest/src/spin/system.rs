//! Clock, random numbers and variables.

use jiff::Timestamp;
use sluice_core::ports::{Clock, Random, Variables};
use sluice_core::{Fault, Result, code};
use spin_sdk::variables::{self, Error};

pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let now = wasi::clocks::wall_clock::now();
        let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX);
        let nanoseconds = i32::try_from(now.nanoseconds).unwrap_or(0);
        // A host whose clock is beyond the year 9999 gets the last moment there is.
        Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::MAX)
    }
}

pub struct HostRandom;

impl Random for HostRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let drawn = wasi::random::random::get_random_bytes(bytes.len() as u64);
        bytes.copy_from_slice(&drawn);
    }
}

pub struct SpinVariables;

impl Variables for SpinVariables {
    fn get(&self, name: &str) -> Result<Option<String>> {
        match variables::get(name) {
            Ok(value) => Ok(Some(value)),
            Err(Error::Undefined(_)) => Ok(None),
            Err(error) => {
                let why = match error {
                    Error::InvalidName(_) => "its name is not valid",
                    Error::Provider(_) => "its provider failed",
                    Error::Undefined(_) | Error::Other(_) => "the host can't give it",
                };
                let message = format!("the variable {name} can't be read: {why}");
                Err(Fault::stop_flow(code::VARIABLE_INVALID, message))
            }
        }
    }
}
