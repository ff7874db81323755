//! The flow's settings: `[settings]`.

use jiff::Timestamp;

use crate::zone::Zone;

/// What a company decides about a flow, beside its fields. All have a default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// `time_zone = "America/New_York"`: the account's zone, by its IANA name. Default UTC; a mapping that
    /// makes dates or times must say it.
    pub time_zone: Zone,
    /// `start_at = "2026-01-01T00:00:00Z"`: changes before this are left alone; where the first extraction
    /// begins. Default: where the flow says.
    pub start_at: Option<Timestamp>,
    /// `update_approved_orders = true`: also change target records that are past pending approval.
    /// Default false.
    pub update_approved_orders: bool,
    /// `concurrency_max = 10`: this many records of the flow are worked on at once, over all its workers;
    /// stay below what the target system allows the account. Default 10.
    pub concurrency_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: Zone::utc(),
            start_at: None,
            update_approved_orders: false,
            concurrency_max: 10,
        }
    }
}
