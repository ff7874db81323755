//! What happens in the systems during a run: a few days' worth of business in two hours, with quiet spells.
//!
//! Between what people do and the next tick lies more than the overlap of the source's windows: what a cursor
//! skipped then stays skipped, and is seen.

mod opportunities;
mod orders;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use sandbox::World;
use sandbox::day::Day;
use sandbox::environment::{Login, Secrets, variables};

/// How a flow hears of what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// Nobody tells: only the schedule's look at the source finds it.
    Schedule,
    /// By webhooks alone: the schedule drains the queue and is kept from looking at the source.
    Webhooks,
    /// Nobody tells, and nobody looks until all is over: then somebody asks for all of it, as old records.
    Backfill,
}

/// A scene set up: the systems, the script, and what the flow is given to know.
pub(crate) struct Stage {
    pub world: World,
    pub day: Day,
    /// From one tick of the schedule to the next.
    pub tick: Duration,
    pub hosts: BTreeMap<String, &'static str>,
    pub variables: BTreeMap<String, String>,
}

/// The time a run begins: a Tuesday, in the middle of a month, far from every change of clocks.
pub const BEGINS: i64 = 1_780_394_400;

const NETSUITE: &str = "https://1234567-sb1.suitetalk.api.netsuite.com";

impl Scene {
    /// Every scene a flow is tried in.
    pub const ALL: [Self; 3] = [Self::Schedule, Self::Webhooks, Self::Backfill];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Webhooks => "webhooks",
            Self::Backfill => "backfill",
        }
    }

    /// Business of the system the flow reads from.
    pub(crate) fn set(
        self,
        source: &str,
        flow: &str,
        seed: u64,
        now: Timestamp,
    ) -> Result<Stage, String> {
        match source {
            "salesforce" => opportunities::set(self, flow, seed, now),
            "amazon" => orders::set(self, flow, seed, now),
            other => Err(format!("there is no business of {other} to play yet")),
        }
    }
}

impl Stage {
    /// `vendors`: each with its address.
    fn new(
        world: World,
        day: Day,
        tick: Duration,
        vendors: &[(&'static str, &'static str)],
        secrets: &Secrets,
    ) -> Self {
        let urls = vendors
            .iter()
            .map(|(name, url)| ((*name).to_owned(), (*url).to_owned()));
        let variables = variables(&world, &urls.collect(), secrets, Login::Secret);
        let hosts = vendors
            .iter()
            .map(|(name, url)| (url.trim_start_matches("https://").to_owned(), *name));
        Self {
            hosts: hosts.collect(),
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            world,
            day,
            tick,
        }
    }
}

/// The ids that a webhook announces.
pub(crate) fn promised(body: &[u8]) -> Vec<String> {
    let body = String::from_utf8_lossy(body);
    [opportunities::promised(&body), orders::promised(&body)].concat()
}
