//! The flow's settings: `[settings]`.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a company decides about a flow, beside its fields. All have a default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// `time_zone = "America/New_York"`: the account's zone, by its IANA name. Default UTC; a mapping that
    /// makes dates or times must say it.
    pub time_zone: TimeZone,
    /// `start_at = "2026-01-01T00:00:00Z"`: changes before this are left alone; where the first extraction
    /// begins. Default: where the flow says.
    pub start_at: Option<Timestamp>,
    /// `update_approved_orders = true`: also change target records that are past pending approval.
    /// Default false.
    pub update_approved_orders: bool,
    /// `records_per_run_max = 500`: a run ends after this many records; the next takes up the rest.
    /// Default 5000.
    pub records_per_run_max: u32,
    /// `run_s_max = 50`: a run begins no further record after this many seconds. Default 50.
    pub run_max: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            start_at: None,
            update_approved_orders: false,
            records_per_run_max: 5000,
            run_max: Duration::from_secs(50),
        }
    }
}
