//! What changed in a window of time: `/sobjects/<type>/updated` and `/deleted`.
//! <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm>

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    Salesforce,
    convert::date_time,
    error::Error,
    rest::{Call, Outcome, get},
    schema::{Object, audit},
    value::{self, Value},
};

/// Longest window, and how far back one may look.
const WINDOW_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Salesforce {
    /// Ids made or changed in the window.
    pub(super) fn updated(&self, call: &Call<'_>, object: &'static Object) -> Outcome {
        let (start, end) = window(call)?;
        let table = self.store.table(object);
        let ids: Vec<String> = table
            .touched(start..)
            .filter(|&row| {
                !table.is_deleted(row) && is_before(table.get(row, audit::SYSTEM_MODSTAMP), end)
            })
            .map(|row| table.get(row, audit::ID).plain())
            .collect();
        get(
            call,
            |call| json!({"ids": ids, "latestDateCovered": covered(call.now, end)}),
        )
    }

    /// Ids deleted in the window.
    pub(super) fn deleted(&self, call: &Call<'_>, object: &'static Object) -> Outcome {
        let (start, end) = window(call)?;
        let table = self.store.table(object);
        let records: Vec<serde_json::Value> = table
            .touched(start..)
            .filter(|&row| {
                table.is_deleted(row) && is_before(table.get(row, audit::SYSTEM_MODSTAMP), end)
            })
            .map(|row| {
                json!({
                    "id": table.get(row, audit::ID).plain(),
                    "deletedDate": table.get(row, audit::SYSTEM_MODSTAMP).plain(),
                })
            })
            .collect();
        let earliest = call.now.saturating_sub(WINDOW_MAX).unwrap_or(call.now);
        get(call, |call| {
            json!({
                "deletedRecords": records,
                "earliestDateAvailable": value::date_time(earliest),
                "latestDateCovered": covered(call.now, end),
            })
        })
    }
}

/// Whole minutes: seconds are ignored.
fn window(call: &Call<'_>) -> Result<(Timestamp, Timestamp), Error> {
    if call.method != Method::GET {
        return call.refuse_method("GET,HEAD");
    }
    let read = |name: &str| {
        let text = call.parameter(name).unwrap_or_default().replace(' ', "+");
        date_time(&text).and_then(to_the_minute).ok_or_else(|| {
            Error::bad(
                "INVALID_FIELD",
                format!("{name} must be a date-time with an offset"),
            )
        })
    };
    let (start, end) = (read("start")?, read("end")?);
    let code = "INVALID_REPLICATION_DATE";
    if end <= start {
        let message = "startDate before endDate or the difference is less than one minute";
        return Err(Error::bad(code, message));
    }
    if call.now.duration_since(start) > WINDOW_MAX {
        return Err(Error::bad(
            code,
            "startDate cannot be more than 30 days ago",
        ));
    }
    Ok((start, end))
}

fn to_the_minute(time: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(time.as_second() - time.as_second().rem_euclid(60)).ok()
}

fn covered(now: Timestamp, end: Timestamp) -> String {
    value::date_time(end.min(to_the_minute(now).unwrap_or(now)))
}

fn is_before(modstamp: &Value, end: Timestamp) -> bool {
    matches!(modstamp, Value::DateTime(time) if *time < end)
}
