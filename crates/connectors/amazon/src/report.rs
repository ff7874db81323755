//! Old orders by report: requested, waited for, downloaded, read. Reports API, version 2021-06-30.
//! <https://developer-docs.amazon.com/sp-api/docs/request-a-report>
//!
//! | place | means | next |
//! | --- | --- | --- |
//! | empty | nothing was asked for | a report is requested, and its id is the next place |
//! | `report:…` | a report was requested | when it is done: its document; when two were cancelled, there is no data: the next slice |
//! | `document:…` | so many lines of a document were listed | the orders that follow |
//! | `again:…` | the report failed or was cancelled, or its document is too large | another report, after a wait where it failed |
//!
//! A window is read in slices of thirty days, the longest a report may cover. A place says which slice it is
//! of and where that ends: [`Position::watermark`](sluice_core::Position::watermark) is its beginning. So the
//! id of a report is kept before anything else is done with it, and no time-out asks for the same report twice.

mod document;
mod lines;
mod place;
mod table;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_core::address::encoded;
use sluice_core::time::later;
use sluice_core::{Body, Fault, Moment, Page, Ports, Position, Result, Window};

use crate::client::{self, Call};
use crate::errors;
use crate::limits::{CREATE_REPORT, GET_REPORT};
use crate::search::{first_order, moment};
use crate::settings::{Account, Settings};
use document::Opened;
use lines::Unread;
use place::{Place, Slice};
use table::Read;

/// All orders by the day they were placed, whoever fulfils them, without buyers' personal data but for the
/// place they live in.
pub const REPORT_TYPE: &str = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL";

/// What a report may cover.
const SLICE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// Below this a document that is too large is not halved any more.
const SLICE_MIN: Duration = Duration::from_secs(2 * 3600);
/// Users saw reports fail that were asked after more often.
const POLL_WAIT: Duration = Duration::from_secs(30);
/// A report that fails does so mostly for a limit on its kind that nobody publishes.
const FAILED_WAIT: Duration = Duration::from_secs(30 * 60);
const TRY_COUNT_MAX: u32 = 3;
/// A report that is not done by then never will be.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);

const REPORTS_PATH: &str = "/reports/2021-06-30/reports";

/// One step, or one page. See the table above.
///
/// Faults: `AMAZON_REPORT_PENDING` (retry after), `AMAZON_REPORT_FAILED` (retry after; stop the flow when
/// three reports failed), `AMAZON_REPORT_TOO_LARGE` (stop the flow) for two hours that are too large,
/// `AMAZON_REPORT_INVALID` (retry for a document that is cut off, else stop the flow), those of
/// [`client::send`].
pub async fn past(
    ports: &Ports,
    settings: &Settings,
    account: &Account,
    window: &Window,
    order_count_max: usize,
) -> Result<Page> {
    let work = Work {
        ports,
        settings,
        account,
        window,
    };
    if window.after.watermark.max(first_order()) > window.until {
        return Ok(empty(None));
    }
    match Place::of(&window.after.id) {
        Place::Beginning => work.request(work.first_slice()).await,
        Place::Again { slice, due } => {
            let now = ports.clock.now();
            if due > now {
                let wait = Duration::try_from(due.duration_since(now)).unwrap_or(FAILED_WAIT);
                return Err(failed(wait, &slice));
            }
            work.request(slice).await
        }
        Place::Report { slice, id } => work.poll(slice, &id).await,
        Place::Document { slice, id, listed } => {
            let document = match document::open(ports, settings, account, &id).await? {
                Opened::Document(document) => document,
                Opened::TooLarge => return work.halve(slice),
                // Kept for thirty days at most.
                Opened::Gone => return work.again(slice),
            };
            match table::read(&document, account, listed, order_count_max) {
                Ok(read) => Ok(work.listed(slice, id, listed, read)),
                Err(Unread::TooLarge) => work.halve(slice),
                Err(Unread::Fault(fault)) => Err(fault),
            }
        }
    }
}

struct Work<'a> {
    ports: &'a Ports,
    settings: &'a Settings,
    account: &'a Account,
    window: &'a Window,
}

impl Work<'_> {
    fn first_slice(&self) -> Slice {
        let end = later(self.window.after.watermark, SLICE_MAX);
        Slice::until(end.min(self.window.until))
    }

    async fn request(&self, slice: Slice) -> Result<Page> {
        if slice.tries >= TRY_COUNT_MAX {
            let message = format!(
                "{} reports of the orders from {} on failed; amazon_backfill = orders lists them \
                 without one",
                slice.tries, self.window.after.watermark
            );
            return Err(Fault::stop_flow(errors::REPORT_FAILED, message));
        }
        let call = create_call(self.account, self.window.after.watermark, slice.end);
        let sent = client::send(self.ports, self.settings, self.account, &call).await?;
        let body = errors::json(&sent)?;
        let id = body.at("reportId").and_then(Value::as_str);
        let id = id.filter(|id| place::is_id(id));
        let id = id
            .ok_or_else(|| errors::answer_lacks("reportId"))?
            .to_owned();
        // Nothing else in this call: the caller keeps the id first.
        Ok(empty(Some(self.at(Place::Report { slice, id }))))
    }

    async fn poll(&self, slice: Slice, id: &str) -> Result<Page> {
        let call = Call::get(GET_REPORT, format!("{REPORTS_PATH}/{}", encoded(id)));
        let sent = client::send(self.ports, self.settings, self.account, &call).await;
        let report = match sent {
            Ok(response) => errors::json(&response)?,
            // Forgotten.
            Err(fault) if client::is_refusal(&fault, 404) => return self.again(slice),
            Err(fault) => return Err(fault),
        };
        match report.at("processingStatus").and_then(Value::as_str) {
            Some("IN_QUEUE" | "IN_PROGRESS") => {
                let created = report.at("createdTime").and_then(Value::as_str);
                let created = created.and_then(Moment::instant);
                if created.is_some_and(|time| later(time, AGE_MAX) < self.ports.clock.now()) {
                    return self.again(slice);
                }
                let message = format!("the report {id} is not ready yet");
                Err(Fault::retry_after(
                    POLL_WAIT,
                    errors::REPORT_PENDING,
                    message,
                ))
            }
            Some("DONE") => {
                let document = report.at("reportDocumentId").and_then(Value::as_str);
                let document = document.filter(|id| place::is_id(id));
                let id = document.ok_or_else(|| errors::answer_lacks("reportDocumentId"))?;
                Ok(empty(Some(self.at(Place::Document {
                    slice,
                    id: id.to_owned(),
                    listed: 0,
                }))))
            }
            Some("CANCELLED") => Ok(empty(self.after_cancelled(slice))),
            Some("FATAL") => self.again(slice),
            _ => Err(errors::answer_lacks("processingStatus")),
        }
    }

    /// Another report of the same slice, after a while.
    fn again(&self, slice: Slice) -> Result<Page> {
        let slice = Slice {
            tries: slice.tries + 1,
            cancelled: false,
            ..slice
        };
        let due = later(self.ports.clock.now(), FAILED_WAIT);
        Ok(empty(Some(self.at(Place::Again { slice, due }))))
    }

    /// Somebody cancelled the report while it waited, or there is no data, for nobody ordered in these days:
    /// Amazon does not say which. Of a second one it is believed; a slice is not passed by because of one click.
    fn after_cancelled(&self, slice: Slice) -> Option<Position> {
        if slice.cancelled {
            return self.after(&slice);
        }
        let slice = Slice {
            cancelled: true,
            ..slice
        };
        let due = self.ports.clock.now();
        Some(self.at(Place::Again { slice, due }))
    }

    /// A report of the slice's first half; the other half is the next slice's.
    fn halve(&self, slice: Slice) -> Result<Page> {
        let start = self.window.after.watermark;
        let length = Duration::try_from(slice.end.duration_since(start)).unwrap_or_default();
        if length <= SLICE_MIN {
            let message = format!(
                "the report of the orders from {start} to {} is larger than {} MiB; \
                 amazon_backfill = orders lists them without one",
                slice.end,
                document::BYTES_MAX >> 20
            );
            return Err(Fault::stop_flow(errors::REPORT_TOO_LARGE, message));
        }
        let slice = Slice::until(later(start, length / 2));
        let due = self.ports.clock.now();
        Ok(empty(Some(self.at(Place::Again { slice, due }))))
    }

    /// The page that was read, and the place after it.
    fn listed(&self, slice: Slice, id: String, before: usize, read: Read) -> Page {
        let next = match read.more {
            true => Some(self.at(Place::Document {
                slice,
                id,
                listed: before + read.lines,
            })),
            false => self.after(&slice),
        };
        Page {
            changes: read.changes,
            next,
        }
    }

    fn at(&self, place: Place) -> Position {
        Position {
            watermark: self.window.after.watermark,
            id: place.text(),
        }
    }

    /// Where the next slice begins; `None` after the last.
    fn after(&self, slice: &Slice) -> Option<Position> {
        (slice.end < self.window.until).then(|| Position {
            watermark: slice.end,
            id: String::new(),
        })
    }
}

fn create_call(account: &Account, from: Timestamp, to: Timestamp) -> Call {
    let marketplaces: Vec<&str> = account.marketplaces.iter().map(|one| one.id).collect();
    let body = json!({
        "reportType": REPORT_TYPE,
        "dataStartTime": moment(from),
        "dataEndTime": moment(to),
        "marketplaceIds": marketplaces,
    });
    Call::post(CREATE_REPORT, REPORTS_PATH.to_owned(), &body)
}

fn failed(wait: Duration, slice: &Slice) -> Fault {
    let message = format!(
        "Amazon gave up {} report(s) of these orders, mostly for too many in short time; another is \
         asked for then",
        slice.tries
    );
    Fault::retry_after(wait, errors::REPORT_FAILED, message)
}

fn empty(next: Option<Position>) -> Page {
    Page {
        changes: Vec::new(),
        next,
    }
}

#[cfg(test)]
mod tests;
