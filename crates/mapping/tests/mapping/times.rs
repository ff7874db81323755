//! Days and instants, in zones that move their clocks.

use crate::check::check;

#[track_caller]
fn in_zone(conversion: &str, zone: &str, value: &str, expect: &str) {
    let line = format!(r#"t = {{ from = "F", as = "{conversion}", zone = "{zone}" }}"#);
    let input = format!(r#"{{"F":"{value}"}}"#);
    if expect.starts_with(|c: char| c.is_ascii_digit()) {
        check(&line, &input, &format!(r#"{{"t":"{expect}"}}"#));
    } else {
        check(&line, &input, &format!("t: F {expect}"));
    }
}

#[test]
fn a_day_is_a_day_in_every_zone() {
    for zone in ["America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"] {
        in_zone("date", zone, "2026-11-22", "2026-11-22");
        in_zone("date", zone, "2024-02-29", "2024-02-29");
        in_zone("date", zone, "2026-11-22T23:59:59", "2026-11-22");
    }
}

#[test]
fn the_day_of_an_instant_is_the_zones() {
    for (zone, instant, day) in [
        (
            "America/New_York",
            "2026-11-22T04:59:59.999+0000",
            "2026-11-21",
        ),
        (
            "America/New_York",
            "2026-11-22T05:00:00.000+0000",
            "2026-11-22",
        ),
        // Summer: four hours.
        ("America/New_York", "2026-07-01T03:59:59Z", "2026-06-30"),
        ("America/New_York", "2026-07-01T04:00:00Z", "2026-07-01"),
        // Both sides of the hours that clocks skip and repeat.
        ("America/New_York", "2026-03-08T04:59:59Z", "2026-03-07"),
        ("America/New_York", "2026-03-09T03:59:59Z", "2026-03-08"),
        ("America/New_York", "2026-11-01T03:59:59Z", "2026-10-31"),
        ("America/New_York", "2026-11-02T04:59:59Z", "2026-11-01"),
        ("Asia/Kolkata", "2026-11-22T18:29:59Z", "2026-11-22"),
        ("Asia/Kolkata", "2026-11-22T18:30:00Z", "2026-11-23"),
        ("Pacific/Apia", "2026-11-22T10:59:59Z", "2026-11-22"),
        ("Pacific/Apia", "2026-11-22T11:00:00Z", "2026-11-23"),
        // The day before Samoa left out 30 December 2011, and the day after.
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
        ("UTC", "2026-12-31T23:59:59-0001", "2027-01-01"),
    ] {
        in_zone("date", zone, instant, day);
    }
}

#[test]
fn instants_are_written_in_utc() {
    for (value, expect) in [
        ("2026-11-22T10:00:00.000+0000", "2026-11-22T10:00:00Z"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("2026-11-22T10:00:00.120+05:30", "2026-11-22T04:30:00.12Z"),
        ("2026-11-22T10:00:00-0800", "2026-11-22T18:00:00Z"),
        // Read in the zone: winter, then summer.
        ("2026-11-22T10:00:00", "2026-11-22T15:00:00Z"),
        ("2026-07-22T10:00:00", "2026-07-22T14:00:00Z"),
        (
            "2026-03-08T02:30:00",
            "is a time that the zone's clocks skip",
        ),
        (
            "2026-11-01T01:30:00",
            "is a time that the zone's clocks show twice",
        ),
        ("2026-11-22", "is a date with no time of day"),
        ("2026-11-22T25:00:00Z", "is not a date with time"),
        ("yesterday", "is not a date with time"),
        ("", "is not a date with time"),
        ("9999-12-31T23:59:59-2359", "is not a date with time"),
    ] {
        in_zone("date_time", "America/New_York", value, expect);
    }
}

#[test]
fn what_is_no_date_is_refused() {
    for value in [
        "2026-02-29",
        "2026-00-10",
        "22/11/2026",
        "2026-11-22T10:00",
        "20261122",
        "tomorrow",
        "",
    ] {
        in_zone("date", "UTC", value, "is not a date");
    }
    check(
        r#"t = { from = "F", as = "date" }"#,
        r#"{"F":20261122}"#,
        "t: F is not a date",
    );
}

#[test]
fn the_zone_of_the_settings_is_used_where_a_field_says_none() {
    check(
        r#"t = { from = "F", as = "date" }"#,
        r#"{"F":"2026-11-22T04:00:00Z"}"#,
        r#"{"t":"2026-11-21"}"#,
    );
}
