//! Times: moved without overflow, and written in stored values.
//!
//! The operators `+` and `-` of [`Timestamp`] panic at the ends of the calendar, and with them every message
//! of the time library becomes part of a component. These do not.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::Moment;

/// So much later, or the last moment there is.
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// So much earlier, or the first moment there is.
pub fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// For `#[serde(with = "…")]`: `2026-11-22T19:53:21.5Z`.
pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}

/// The reverse of [`serialize`].
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    Moment::instant(&text).ok_or_else(|| D::Error::custom("not a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_where_the_calendar_does() {
        let second = Duration::from_secs(1);
        let time = Timestamp::from_second(100).unwrap();
        assert_eq!(later(time, second).as_second(), 101);
        assert_eq!(earlier(time, second).as_second(), 99);
        assert_eq!(later(Timestamp::MAX, second), Timestamp::MAX);
        assert_eq!(earlier(Timestamp::MIN, Duration::MAX), Timestamp::MIN);
    }

    #[test]
    fn what_is_written_is_read() {
        #[derive(serde::Serialize, Deserialize)]
        struct Stored(#[serde(with = "crate::time")] Timestamp);
        let time = Timestamp::from_millisecond(1_795_377_201_500).unwrap();
        let text = serde_json::to_string(&Stored(time)).unwrap();
        assert_eq!(text, format!("\"{time}\""));
        let read: Stored = serde_json::from_str(&text).unwrap();
        assert_eq!(read.0, time);
        assert!(serde_json::from_str::<Stored>("\"soon\"").is_err());
        assert!(serde_json::from_str::<Stored>("1").is_err());
    }
}
