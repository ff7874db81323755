//! The day's own clock: eight and a half hours in less than a minute. After business it shows real time, for
//! what takes its time then takes it in truth.

use std::fmt;
use std::time::{Duration, Instant};

use sandbox::day::{LENGTH, OPENS_AT_HOUR};

/// How long the day takes here.
pub(super) const DAY: Duration = Duration::from_secs(50);

/// Runs since business opened.
#[derive(Clone, Copy)]
pub(super) struct Clock(Instant);

/// A reading of it: real time since business opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(Duration);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Moment {
        Moment(self.0.elapsed())
    }
}

impl Moment {
    /// Real time since business opened.
    pub(super) fn real(self) -> Duration {
        self.0
    }

    /// The same on the day's own clock.
    pub(super) fn of_day(self) -> Duration {
        LENGTH.mul_f64(self.0.as_secs_f64() / DAY.as_secs_f64())
    }

    /// Whether business is over.
    pub(super) fn is_evening(self) -> bool {
        self.0 > DAY
    }
}

/// The time of day; after business, minutes and seconds since: `+1:35`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(after) = self.0.checked_sub(DAY) {
            return write!(f, "+{}", MinutesSeconds(after));
        }
        let minutes = OPENS_AT_HOUR * 60 + self.of_day().as_secs() / 60;
        write!(f, "{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// `1:35`.
pub(super) struct MinutesSeconds(pub Duration);

impl fmt::Display for MinutesSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{}:{:02}", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_the_minutes_after_it() {
        for (ms, shown) in [
            (0, "09:00"),
            (25_000, "13:15"),
            (49_999, "17:29"),
            (50_000, "+0:00"),
            (145_999, "+1:35"),
        ] {
            let moment = Moment(Duration::from_millis(ms));
            assert_eq!(moment.to_string(), shown, "{ms}");
        }
    }
}
