//! Dates and times as vendors write them, read strictly.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// What a text says about time: a day, a day and time of unknown place, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Day(Date),
    Local(DateTime),
    Instant(Timestamp),
}

impl Moment {
    /// Reads `YYYY-MM-DD`, and with `Thh:mm:ss[.fraction]` a time, and with `Z`, `+hh:mm` or `+hhmm` an
    /// instant. `None` for anything else, also for days and times that don't exist.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, rest) = text.split_at_checked(10)?;
        let day = date(day.as_bytes())?;
        if rest.is_empty() {
            return Some(Self::Day(day));
        }
        let (clock, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
        let (nanosecond, offset) = fraction(rest)?;
        let local = day.to_datetime(time(clock.as_bytes(), nanosecond)?);
        if offset.is_empty() {
            return Some(Self::Local(local));
        }
        let instant = seconds_east(offset)?.to_timestamp(local).ok()?;
        Some(Self::Instant(instant))
    }

    /// Reads an instant; `None` for anything else.
    pub fn instant(text: &str) -> Option<Timestamp> {
        match Self::parse(text)? {
            Self::Instant(instant) => Some(instant),
            Self::Day(_) | Self::Local(_) => None,
        }
    }
}

fn date(text: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = two(*y1, *y2)? as i16 * 100 + two(*y3, *y4)? as i16;
    Date::new(year, two(*m1, *m2)?, two(*d1, *d2)?).ok()
}

fn time(text: &[u8], nanosecond: i32) -> Option<Time> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else {
        return None;
    };
    Time::new(two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?, nanosecond).ok()
}

/// The nanoseconds of `.123`, and what follows.
fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    if !(1..=9).contains(&end) {
        return None;
    }
    let (digits, rest) = rest.split_at(end);
    let scale = 10_i32.pow(9 - u32::try_from(end).ok()?);
    Some((digits.parse::<i32>().ok()? * scale, rest))
}

fn seconds_east(text: &str) -> Option<Offset> {
    let (sign, hours, minutes) = match text.as_bytes() {
        b"Z" => return Some(Offset::UTC),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => {
            (*sign, two(*h1, *h2)?, two(*m1, *m2)?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    match sign {
        b'+' => Offset::from_seconds(seconds).ok(),
        b'-' => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<i8> {
    let digit = |b: u8| b.is_ascii_digit().then(|| (b - b'0') as i8);
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_vendors_write_is_a_moment() {
        for text in [
            "",
            "2026",
            "2026-11-2",
            "2026-11-222",
            "2026-13-01",
            "2026-02-29",
            "22/11/2026",
            "2026-11-22 10:00:00",
            "2026-11-22T10:00",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:00:60Z",
            "2026-11-22T10:00:00.Z",
            "2026-11-22T10:00:00.1234567890Z",
            "2026-11-22T10:00:00+25:00",
            "2026-11-22T10:00:00+1",
            "2026-11-22T10:00:00z",
            "2026-11-22T10:00:00Z ",
            "+026-11-22",
            "2026-11-22T10:00:00+00:00[UTC]",
            "2026-11-22T10:00:00+01:60",
            "２０２６-11-22",
            "2026-11-2é",
            "20261122T100000Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_with_and_without_colon_are_one() {
        let noon = Moment::parse("2026-11-22T12:00:00Z").unwrap();
        for text in [
            "2026-11-22T12:00:00.000+0000",
            "2026-11-22T17:30:00+05:30",
            "2026-11-22T17:30:00.0+0530",
            "2026-11-22T07:00:00-0500",
        ] {
            assert_eq!(Moment::parse(text), Some(noon), "{text}");
        }
    }
}
