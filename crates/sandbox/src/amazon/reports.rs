//! Reports 2021-06-30: asked for, waited for, and fetched from an address of their own.
//! <https://developer-docs.amazon.com/sp-api/docs/reports-api-v2021-06-30-reference>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    Amazon,
    error::{Error, answer},
    flat_file,
    listing::mix,
    marketplace::{Charset, Marketplace, Region},
    params::Params,
    search::marketplaces,
    show::time,
};

/// Reports kept; the oldest go first.
const REPORT_COUNT_MAX: usize = 5_000;
/// How far back a report may be asked about.
const KEPT_DAYS: i64 = 90;
/// The longest span of one report of orders.
const SPAN_DAYS_MAX: i64 = 30;
const MARKETPLACE_COUNT_MAX: usize = 25;
const TYPE_COUNT_MAX: usize = 10;

/// The types of reports there are, and whether the time of the last update counts.
pub(super) const TYPES: [(&str, bool); 2] = [
    ("GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL", false),
    ("GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL", true),
];
const STATUSES: [&str; 5] = ["CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"];

/// Every report, by number.
#[derive(Default)]
pub(super) struct Reports {
    reports: BTreeMap<u64, Report>,
    last_number: u64,
}

pub(super) struct Report {
    id: String,
    region: Region,
    kind: &'static str,
    by_update: bool,
    marketplaces: Vec<&'static str>,
    from: Timestamp,
    to: Timestamp,
    created: Timestamp,
    started: Timestamp,
    ended: Timestamp,
    /// Decided when it was asked for: why it will fail.
    flaw: Option<&'static str>,
    end: Option<End>,
}

/// What came of it.
enum End {
    /// By its owner, or for lack of data.
    Cancelled,
    Done(Document),
    /// A document may tell why.
    Fatal(Document),
}

/// What a report holds.
pub(super) struct Document {
    pub(super) id: String,
    pub(super) charset: Charset,
    pub(super) bytes: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewReport {
    report_type: String,
    marketplace_ids: Vec<String>,
    data_start_time: Option<Timestamp>,
    data_end_time: Option<Timestamp>,
}

type Outcome = Result<Response<Bytes>, Error>;

impl Amazon {
    /// `POST /reports/2021-06-30/reports`.
    pub(super) fn create_report(
        &mut self,
        request: &Request<Bytes>,
        region: Region,
        now: Timestamp,
    ) -> Outcome {
        let new: NewReport = serde_json::from_slice(request.body())
            .map_err(|fault| Error::invalid_input(format!("The body is not valid: {fault}.")))?;
        let known = TYPES.iter().find(|(kind, _)| *kind == new.report_type);
        let (kind, by_update) = *known.ok_or_else(|| {
            Error::invalid_input(format!("{} is not a report type here.", new.report_type))
        })?;
        if !(1..=MARKETPLACE_COUNT_MAX).contains(&new.marketplace_ids.len()) {
            return Err(Error::invalid_input("marketplaceIds takes 1 to 25 values."));
        }
        let marketplaces = marketplaces(&new.marketplace_ids, region)?;
        let (from, to) = (
            new.data_start_time.unwrap_or(now),
            new.data_end_time.unwrap_or(now),
        );
        if from > to || to > now {
            return Err(Error::invalid_input(
                "dataStartTime must not be later than dataEndTime, nor that later than now.",
            ));
        }
        let times = self.settings.reports;
        let started = now.saturating_add(times.queued).unwrap_or(now);
        let report = Report {
            id: format!("{}", 50_000_000_000 + self.rng.u64(..20_000_000_000)),
            region,
            kind,
            by_update,
            marketplaces,
            from,
            to,
            created: now,
            started,
            ended: started.saturating_add(times.in_progress).unwrap_or(started),
            flaw: self.flaw(kind, region, (from, to), now),
            end: None,
        };
        let body = json!({"reportId": report.id});
        let reports = &mut self.reports;
        reports.last_number += 1;
        reports.reports.insert(reports.last_number, report);
        if reports.reports.len() > REPORT_COUNT_MAX {
            reports.reports.pop_first();
        }
        Ok(answer(StatusCode::ACCEPTED, &body))
    }

    /// Why a report asked for now will fail, if it will.
    fn flaw(
        &mut self,
        kind: &str,
        region: Region,
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Option<&'static str> {
        let quirks = &mut self.settings.quirks;
        if quirks.reports_fatal > 0 {
            quirks.reports_fatal -= 1;
            return Some("The report could not be created.");
        }
        let is_recent = |report: &&Report| {
            let age = now.duration_since(report.created).unsigned_abs();
            quirks
                .report_interval
                .is_some_and(|interval| age < interval)
        };
        let mut same = self.reports.reports.values();
        let mut same = same
            .by_ref()
            .filter(|known| known.kind == kind && known.region == region);
        if same.any(|report| is_recent(&report)) {
            return Some("The report was requested too soon after another of its type.");
        }
        let span = SignedDuration::from_hours(24 * SPAN_DAYS_MAX);
        (to.duration_since(from) > span).then_some("The report spans more than 30 days.")
    }

    /// `GET /reports/2021-06-30/reports`.
    pub(super) fn get_reports(
        &self,
        request: &Request<Bytes>,
        region: Region,
        now: Timestamp,
    ) -> Outcome {
        let params = Params::of(request);
        let token = params.text("nextToken").map(read_token).transpose()?;
        let query = match &token {
            Some(_) if !params.is_alone("nextToken") => {
                return Err(Error::invalid_input("nextToken must be given alone."));
            }
            Some((query, _)) => Params::parse(query),
            None => params,
        };
        let from = token.map_or(0, |(_, from)| from);
        let kinds = query.list("reportTypes", TYPE_COUNT_MAX)?;
        if kinds.is_empty() {
            return Err(Error::invalid_input(
                "Either reportTypes or nextToken must be given.",
            ));
        }
        let statuses = query.choices("processingStatuses", &STATUSES.map(|one| (one, one)))?;
        let places = marketplaces(&query.list("marketplaceIds", 10)?, region)?;
        let size = query.count("pageSize", 1, 100)?.unwrap_or(10);
        let kept = now.saturating_sub(SignedDuration::from_hours(24 * KEPT_DAYS));
        let since = query.time("createdSince")?.unwrap_or(kept.unwrap_or(now));
        let until = query.time("createdUntil")?.unwrap_or(now);
        let found = self.reports.reports.values().rev().filter(|report| {
            report.region == region
                && kinds.iter().any(|kind| kind == report.kind)
                && (statuses.is_empty() || statuses.contains(&report.status(now)))
                && (places.is_empty() || places.iter().any(|id| report.marketplaces.contains(id)))
                && (since..=until).contains(&report.created)
        });
        let found: Vec<Json> = found.map(|report| report.shown(now)).collect();
        let page: Vec<&Json> = found.iter().skip(from).take(size).collect();
        let mut body = json!({"reports": page});
        let next = from.saturating_add(size);
        if next < found.len() {
            body["nextToken"] = write_token(&query.written(), next).into();
        }
        Ok(answer(StatusCode::OK, &body))
    }

    /// `GET /reports/2021-06-30/reports/{reportId}`.
    pub(super) fn get_report(&self, id: &str, region: Region, now: Timestamp) -> Outcome {
        let mut all = self.reports.reports.values();
        let found = all.find(|report| report.id == id && report.region == region);
        let found = found.ok_or_else(|| Error::not_found(format!("There is no report {id}.")))?;
        Ok(answer(StatusCode::OK, &found.shown(now)))
    }

    /// `DELETE /reports/2021-06-30/reports/{reportId}`: only while it waits.
    pub(super) fn cancel_report(&mut self, id: &str, region: Region, now: Timestamp) -> Outcome {
        let mut all = self.reports.reports.values_mut();
        let found = all.find(|report| report.id == id && report.region == region);
        let found = found.ok_or_else(|| Error::not_found(format!("There is no report {id}.")))?;
        if found.status(now) != "IN_QUEUE" {
            return Err(Error::invalid_input(
                "Only a report in the queue can be cancelled.",
            ));
        }
        found.end = Some(End::Cancelled);
        found.ended = now;
        Ok(Response::new(Bytes::new()))
    }

    /// Ends what was due to end: every request begins with it.
    pub(super) fn finish_reports(&mut self, now: Timestamp) {
        let due = self.reports.reports.iter();
        let due = due.filter(|(_, report)| report.end.is_none() && report.ended <= now);
        let due: Vec<u64> = due.map(|(number, _)| *number).collect();
        for number in due {
            let id = self.uuid();
            let Some(report) = self.reports.reports.get_mut(&number) else {
                continue;
            };
            let id = format!("amzn1.spdoc.1.4.{}.{id}", report.region.code());
            let orders = self.store.all().filter(|order| report.holds(order));
            let mut orders = orders.peekable();
            let end = match report.flaw {
                Some(flaw) => End::Fatal(Document::new(id, Charset::Utf8, &explained(flaw))),
                None if orders.peek().is_none() => End::Cancelled,
                None => End::Done(Document::new(
                    id,
                    report.charset(),
                    &flat_file::write(orders),
                )),
            };
            report.end = Some(end);
        }
    }

    pub(super) fn document(&self, id: &str, region: Option<Region>) -> Option<&Document> {
        let mut all = self.reports.reports.values();
        all.find_map(|report| match &report.end {
            Some(End::Done(document) | End::Fatal(document))
                if document.id == id && region.is_none_or(|region| region == report.region) =>
            {
                Some(document)
            }
            _ => None,
        })
    }

    pub(super) fn list_reports(&self, now: Timestamp) -> Vec<Json> {
        let all = self.reports.reports.values();
        all.map(|report| report.shown(now)).collect()
    }
}

impl Report {
    fn status(&self, now: Timestamp) -> &'static str {
        match &self.end {
            Some(End::Cancelled) => "CANCELLED",
            Some(End::Done(_)) => "DONE",
            Some(End::Fatal(_)) => "FATAL",
            None if now < self.started => "IN_QUEUE",
            None => "IN_PROGRESS",
        }
    }

    fn shown(&self, now: Timestamp) -> Json {
        let mut shown = json!({
            "reportId": self.id,
            "reportType": self.kind,
            "marketplaceIds": self.marketplaces,
            "dataStartTime": time(self.from),
            "dataEndTime": time(self.to),
            "createdTime": time(self.created),
            "processingStatus": self.status(now),
        });
        if self.started <= now && self.ended >= self.started {
            shown["processingStartTime"] = time(self.started).into();
        }
        if self.end.is_some() {
            shown["processingEndTime"] = time(self.ended).into();
        }
        if let Some(End::Done(document) | End::Fatal(document)) = &self.end {
            shown["reportDocumentId"] = document.id.clone().into();
        }
        shown
    }

    fn holds(&self, order: &super::order::Order) -> bool {
        let at = if self.by_update {
            order.updated
        } else {
            order.created
        };
        self.marketplaces.contains(&order.marketplace.id) && (self.from..=self.to).contains(&at)
    }

    /// One file, one character set: the oddest of its marketplaces'.
    fn charset(&self) -> Charset {
        let all = self.marketplaces.iter();
        let all = all.filter_map(|id| Marketplace::by_id(id));
        all.map(|place| place.charset)
            .max()
            .unwrap_or(Charset::Utf8)
    }
}

impl Document {
    fn new(id: String, charset: Charset, text: &str) -> Self {
        let bytes = flat_file::gzip(&flat_file::encode(text, charset));
        Self {
            id,
            charset,
            bytes: Bytes::from(bytes),
        }
    }
}

fn explained(flaw: &str) -> String {
    json!({"errorDetails": flaw}).to_string()
}

fn write_token(query: &str, from: usize) -> String {
    let text = format!("{from}&{query}");
    let seal = mix(&text, 0);
    hex::encode(format!("{seal:016x}{text}"))
}

fn read_token(token: &str) -> Result<(String, usize), Error> {
    let read = || {
        let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
        let (seal, text) = text.split_at_checked(16)?;
        let (from, query) = text.split_once('&')?;
        (format!("{:016x}", mix(text, 0)) == seal).then_some((query.to_owned(), from.parse().ok()?))
    };
    read().ok_or_else(|| Error::invalid_input("nextToken is not valid."))
}
