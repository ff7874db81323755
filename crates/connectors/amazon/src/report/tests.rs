use std::rc::Rc;

use bytes::Bytes;
use http::Response;
use sluice_core::ports::SendError;
use sluice_core::{Action, Source};

use super::*;
use crate::errors::{REPORT_FAILED, REPORT_INVALID, REPORT_PENDING, REPORT_TOO_LARGE};
use crate::order::orders;
use crate::report::document::pack;
use crate::script::{NA, NOW_S, Script, answer, answering, logged_in, refused, run, token};

const DAY_S: i64 = 24 * 3600;
const FILE: &str = "https://tortuga-prod-na.s3-external-1.amazonaws.com/doc?X-Amz-Signature=s";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Forty days: a slice of thirty and one of ten.
fn window(id: &str) -> Window {
    Window {
        after: Position {
            watermark: at(NOW_S - 40 * DAY_S),
            id: id.to_owned(),
        },
        until: at(NOW_S),
    }
}

fn first_end() -> i64 {
    (NOW_S - 10 * DAY_S) * 1000
}

fn past_of(script: &Rc<Script>, window: &Window, count: usize) -> Result<Page> {
    let ports = script.ports_with(&[("amazon_backfill", "reports")]);
    run(orders().past(
        &ports,
        "US",
        window,
        count,
        &sluice_core::Selection::default(),
    ))
}

fn past(script: &Rc<Script>, id: &str) -> Result<Page> {
    past_of(script, &window(id), 2)
}

fn place(page: &Page) -> &str {
    &page.next.as_ref().unwrap().id
}

fn report(status: &str) -> Response<Bytes> {
    let body = json!({
        "reportId": "R1", "reportType": REPORT_TYPE, "processingStatus": status,
        "createdTime": at(NOW_S - 60).to_string(), "reportDocumentId": "D1",
    });
    answer(200, &body.to_string())
}

fn located(url: &str) -> Response<Bytes> {
    let body = json!({"reportDocumentId": "D1", "url": url, "compressionAlgorithm": "GZIP"});
    answer(200, &body.to_string())
}

pub fn text(ids: &[&str]) -> String {
    let mut text = "amazon-order-id\tpurchase-date\tlast-updated-date\torder-status\t\
        fulfillment-channel\tsales-channel\tproduct-name\tsku\tasin\tquantity\tcurrency\n"
        .to_owned();
    for id in ids {
        text.push_str(&format!(
            "{id}\t2026-12-20T10:00:00+00:00\t2026-12-21T10:00:00+00:00\tShipped\tAmazon\t\
             Amazon.com\tLamp\tSKU-1\tB01\t2\tUSD\n"
        ));
    }
    text
}

fn file(text: &str) -> Response<Bytes> {
    let mut response = answer(200, "");
    *response.body_mut() = Bytes::from(pack(text.as_bytes()));
    response
}

const IDS: [&str; 3] = [
    "902-0000000-0000001",
    "902-0000000-0000002",
    "902-0000000-0000003",
];

#[test]
fn a_report_is_requested_and_its_id_kept_before_anything_else() {
    let script = logged_in(vec![answer(202, r#"{"reportId":"R1"}"#)]);
    let page = past(&script, "").unwrap();
    assert!(page.changes.is_empty());
    assert_eq!(place(&page), format!("report:{}:0:0:R1", first_end()));
    assert_eq!(page.next.unwrap().watermark, window("").after.watermark);
    assert_eq!(
        script.lines()[1],
        format!(
            "POST {NA}/reports/2021-06-30/reports {{\"dataEndTime\":\"2027-01-05T08:00:00.000Z\",\
             \"dataStartTime\":\"2026-12-06T08:00:00.000Z\",\
             \"marketplaceIds\":[\"ATVPDKIKX0DER\"],\
             \"reportType\":\"{REPORT_TYPE}\"}}"
        )
    );
    assert_eq!(script.header(1, "content-type"), "application/json");
}

#[test]
fn a_report_is_waited_for_and_becomes_a_document() {
    let id = format!("report:{}:0:0:R1", first_end());
    for status in ["IN_QUEUE", "IN_PROGRESS"] {
        let script = logged_in(vec![report(status)]);
        let fault = past(&script, &id).unwrap_err();
        let wait = Action::RetryAfter(POLL_WAIT);
        assert_eq!((fault.code, &fault.action), (REPORT_PENDING, &wait));
        assert_eq!(
            script.lines()[1],
            format!("GET {NA}/reports/2021-06-30/reports/R1")
        );
    }
    let script = logged_in(vec![report("DONE")]);
    let page = past(&script, &id).unwrap();
    assert_eq!(place(&page), format!("document:{}:0:0:D1", first_end()));
    let script = logged_in(vec![report("PAUSED")]);
    assert!(past(&script, &id).is_err());
}

#[test]
fn two_cancelled_reports_had_nothing_to_say_and_the_next_slice_follows() {
    let script = logged_in(vec![
        report("CANCELLED"),
        answer(202, r#"{"reportId":"R2"}"#),
        report("CANCELLED"),
    ]);
    // Somebody may have cancelled the first.
    let page = past(&script, &format!("report:{}:0:0:R1", first_end())).unwrap();
    let again = format!("again:{}:0c:{}:", first_end(), NOW_S * 1000);
    assert_eq!(place(&page), again);
    let page = past(&script, &again).unwrap();
    let second = format!("report:{}:0c:0:R2", first_end());
    assert_eq!(place(&page), second);
    let next = past(&script, &second).unwrap().next.unwrap();
    let begin = (at(NOW_S - 10 * DAY_S), "");
    assert_eq!((next.watermark, next.id.as_str()), begin);
    // The last slice ends with the window.
    let script = logged_in(vec![answer(202, r#"{"reportId":"R3"}"#)]);
    let rest = Window {
        after: next,
        until: at(NOW_S),
    };
    let page = past_of(&script, &rest, 2).unwrap();
    let id = place(&page).to_owned();
    assert_eq!(id, format!("report:{}:0:0:R3", NOW_S * 1000));
    let script = logged_in(vec![report("CANCELLED")]);
    let id = id.replace(":0:0:", ":0c:0:");
    let rest = Window {
        after: Position { id, ..rest.after },
        ..rest
    };
    assert_eq!(past_of(&script, &rest, 2).unwrap().next, None);
}

#[test]
fn a_report_that_fails_between_two_cancelled_ones_parts_them() {
    let script = logged_in(vec![report("FATAL")]);
    let page = past(&script, &format!("report:{}:0c:0:R2", first_end())).unwrap();
    assert!(place(&page).starts_with(&format!("again:{}:1:", first_end())));
    let script = logged_in(vec![report("DONE")]);
    let page = past(&script, &format!("report:{}:0c:0:R2", first_end())).unwrap();
    assert!(place(&page).starts_with("document:"));
}

#[test]
fn a_report_that_failed_is_asked_for_again_after_a_while_and_not_for_ever() {
    let mut id = format!("report:{}:0:0:R1", first_end());
    for tries in 1..=3 {
        let script = logged_in(vec![report("FATAL")]);
        let page = past(&script, &id).unwrap();
        let due = NOW_S + 30 * 60;
        id = format!("again:{}:{tries}:{}:", first_end(), due * 1000);
        assert_eq!(place(&page), id);
        let script = answering(vec![]);
        let fault = past(&script, &id).unwrap_err();
        let wait = Action::RetryAfter(FAILED_WAIT);
        assert_eq!((fault.code, &fault.action), (REPORT_FAILED, &wait));
        let script = logged_in(vec![answer(202, r#"{"reportId":"R1"}"#)]);
        script.clock.set(at(due));
        let asked = past(&script, &id);
        if tries == 3 {
            let fault = asked.unwrap_err();
            assert_eq!(
                (fault.code, &fault.action),
                (REPORT_FAILED, &Action::StopFlow)
            );
            return;
        }
        id = place(&asked.unwrap()).to_owned();
        assert_eq!(id, format!("report:{}:{tries}:0:R1", first_end()));
    }
}

#[test]
fn a_report_that_is_forgotten_or_never_ends_is_asked_for_again() {
    let id = format!("report:{}:0:0:R1", first_end());
    for response in [refused(404, "NotFound", ""), {
        let old = at(NOW_S - DAY_S - 1).to_string();
        let body = json!({"processingStatus": "IN_PROGRESS", "createdTime": old});
        answer(200, &body.to_string())
    }] {
        let script = logged_in(vec![response]);
        assert!(place(&past(&script, &id).unwrap()).starts_with("again:"));
    }
    let script = logged_in(vec![refused(404, "NotFound", "")]);
    let id = format!("document:{}:0:0:D1", first_end());
    assert!(place(&past(&script, &id).unwrap()).starts_with("again:"));
}

#[test]
fn a_document_is_listed_page_by_page_and_bears_no_credential() {
    let whole = text(&IDS);
    let script = logged_in(vec![located(FILE), file(&whole), file(&whole)]);
    let page = past(&script, &format!("document:{}:0:0:D1", first_end())).unwrap();
    let ids: Vec<&str> = page
        .changes
        .iter()
        .map(|change| change.id.id.as_str())
        .collect();
    assert_eq!(ids, IDS[..2]);
    let id = place(&page);
    assert_eq!(id, format!("document:{}:0:2:D1", first_end()));
    // The address is still good: it is not asked for again.
    let page = past(&script, id).unwrap();
    assert_eq!(page.changes.len(), 1);
    assert_eq!(page.next.unwrap().watermark, at(NOW_S - 10 * DAY_S));
    let sent = script.sent.borrow();
    assert_eq!(sent[2].uri().to_string(), FILE);
    assert_eq!(sent[3].uri().to_string(), FILE);
    assert!(sent[2].headers().is_empty());
    assert!(script.is_done());
}

#[test]
fn an_address_is_asked_for_anew_when_it_has_run_out() {
    let id = format!("document:{}:0:0:D1", first_end());
    let script = logged_in(vec![
        located(FILE),
        answer(403, "<Error><Code>AccessDenied</Code></Error>"),
        located(FILE),
        file(&text(&IDS)),
        located(FILE),
        file(&text(&IDS)),
    ]);
    let fault = past(&script, &id).unwrap_err();
    assert_eq!(fault.action, Action::Retry);
    assert_eq!(past(&script, &id).unwrap().changes.len(), 2);
    script.clock.advance(jiff::SignedDuration::from_mins(4));
    assert_eq!(past(&script, &id).unwrap().changes.len(), 2);
    assert!(script.is_done());
}

#[test]
fn nothing_is_downloaded_from_elsewhere() {
    for url in [
        "http://tortuga-prod-na.s3-external-1.amazonaws.com/doc",
        "https://amazonaws.com.evil.example/doc",
        "https://evil.example/doc",
        "https://u@x.amazonaws.com/doc",
        "file:///etc/passwd",
        "doc",
    ] {
        let script = logged_in(vec![located(url)]);
        let fault = past(&script, &format!("document:{}:0:0:D1", first_end())).unwrap_err();
        assert_eq!(
            (fault.code, &fault.action),
            (REPORT_INVALID, &Action::StopFlow),
            "{url}"
        );
    }
    for url in [
        "https://d34o8swod1owfl.cloudfront.net/x.txt",
        "https://sellingpartnerapi-na.amazon.com/x",
    ] {
        let script = logged_in(vec![located(url), file(&text(&IDS))]);
        past(&script, &format!("document:{}:0:0:D1", first_end())).unwrap();
    }
}

#[test]
fn a_document_that_is_cut_off_is_a_fault_and_no_short_page() {
    let id = format!("document:{}:0:0:D1", first_end());
    let whole = file(&text(&IDS)).into_body();
    for cut in [
        0,
        1,
        10,
        30,
        whole.len() / 2,
        whole.len() - 9,
        whole.len() - 1,
    ] {
        let mut response = file("");
        *response.body_mut() = whole.slice(..cut);
        let script = logged_in(vec![located(FILE), response]);
        let fault = past(&script, &id).unwrap_err();
        assert_eq!(
            (fault.code, &fault.action),
            (REPORT_INVALID, &Action::Retry),
            "{cut}"
        );
    }
    let script = answering(vec![
        Ok(token("t")),
        Ok(located(FILE)),
        Err(SendError::Lost("x".into())),
    ]);
    assert_eq!(past(&script, &id).unwrap_err().action, Action::Retry);
}

#[test]
fn a_document_that_is_too_large_is_asked_for_in_halves() {
    let script = answering(vec![
        Ok(token("t")),
        Ok(located(FILE)),
        Err(SendError::TooLarge),
    ]);
    let page = past(&script, &format!("document:{}:0:0:D1", first_end())).unwrap();
    let half = (NOW_S - 25 * DAY_S) * 1000;
    assert_eq!(place(&page), format!("again:{half}:0:{}:", NOW_S * 1000));
    let id = place(&page).to_owned();
    let script = logged_in(vec![answer(202, r#"{"reportId":"R9"}"#)]);
    assert_eq!(
        place(&past(&script, &id).unwrap()),
        format!("report:{half}:0:0:R9")
    );
    // So is one that is small as it is sent.
    let large = "x".repeat(document::BYTES_MAX + 1);
    let script = logged_in(vec![located(FILE), file(&(text(&IDS) + &large))]);
    let page = past(&script, &format!("document:{}:0:0:D1", first_end())).unwrap();
    assert_eq!(place(&page), format!("again:{half}:0:{}:", NOW_S * 1000));
    assert!(page.changes.is_empty());
    // Two hours are not halved any more.
    let script = answering(vec![
        Ok(token("t")),
        Ok(located(FILE)),
        Err(SendError::TooLarge),
    ]);
    let end = (NOW_S - 40 * DAY_S + 7200) * 1000;
    let fault = past(&script, &format!("document:{end}:0:0:D1")).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (REPORT_TOO_LARGE, &Action::StopFlow)
    );
}
