//! Dates and times in a zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use sluice_core::Moment;

use crate::zone::Zone;

/// The day this is, in the zone where it is an instant.
pub fn day(moment: Moment, zone: &Zone) -> Result<Date, &'static str> {
    match moment {
        Moment::Day(day) => Ok(day),
        Moment::Local(local) => Ok(local.date()),
        Moment::Instant(instant) => Ok(rules(zone)?.to_datetime(instant).date()),
    }
}

/// The instant this is. A time of unknown place is read in the zone. `Err` says why it is none.
pub fn instant(moment: Moment, zone: &Zone) -> Result<Timestamp, &'static str> {
    match moment {
        Moment::Instant(instant) => Ok(instant),
        Moment::Day(_) => Err("is a date with no time of day"),
        Moment::Local(local) => {
            let at = rules(zone)?.to_ambiguous_timestamp(local);
            match at.offset() {
                AmbiguousOffset::Gap { .. } => Err("is a time that the zone's clocks skip"),
                AmbiguousOffset::Fold { .. } => Err("is a time that the zone's clocks show twice"),
                AmbiguousOffset::Unambiguous { .. } => {
                    at.unambiguous().map_err(|_| "is out of range")
                }
            }
        }
    }
}

fn rules(zone: &Zone) -> Result<&TimeZone, &'static str> {
    let damaged = "can't be placed: the built-in time zone data is damaged";
    zone.rules().ok_or(damaged)
}
