//! Old orders by report.

use std::collections::BTreeSet;

use amazon::auth::{Grant, credential};
use amazon::errors;
use amazon::settings::Settings;
use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use serde_json::json;
use sluice_core::ports::Limit;
use sluice_core::{Action, Change, Page, Ports, Position, Result, Selection, Source, Window};

use super::wire::{URL, Wire, patience, run, select};

const MARKETPLACES: [(&str, &str); 3] = [
    ("US", "ATVPDKIKX0DER"),
    ("UK", "A1F83G8C2ARO7P"),
    ("JP", "A1VC38T7YXB528"),
];

struct Desk {
    wire: Wire,
    ports: Ports,
    window: Window,
}

impl Desk {
    fn new(wire: Wire, days: i64) -> Self {
        let ports = wire.ports_with(&[("amazon_backfill", "reports")]);
        let window = wire.window(&ports, wire.now() - SignedDuration::from_hours(24 * days));
        Self {
            wire,
            ports,
            window,
        }
    }

    fn page(&self, stream: &str, at: &Position, count: usize, select: &Selection) -> Result<Page> {
        let window = Window {
            after: at.clone(),
            until: self.window.until,
        };
        run(amazon::orders().past(&self.ports, stream, &window, count, select))
    }

    fn walked(&self, stream: &str, select: &Selection) -> Vec<Change> {
        let ask = |at: &Position| self.page(stream, at, 100, select);
        self.wire.listed(ask, &self.window)
    }

    /// The place after the first that is not a report's: its document's.
    fn document(&self) -> Position {
        let mut at = self.window.after.clone();
        for _ in 0..20 {
            match self.page("US", &at, 10, &select()) {
                Ok(page) if page.changes.is_empty() => at = page.next.unwrap(),
                Ok(_) => return at,
                Err(fault) => self.wire.wait(patience(&fault)),
            }
        }
        panic!("no document is reached");
    }

    /// The owner cancels the report of this place, in the queue as it is.
    fn cancel(&self, at: &Position) {
        let (_, report) = at.id.rsplit_once(':').unwrap();
        let settings = Settings::read(&*self.ports.variables).unwrap();
        let grant = Grant::Seller(settings.account_with("US").unwrap());
        let credential = run(credential(&self.ports, &settings, grant, None)).unwrap();
        let request = Request::delete(format!("{URL}/reports/2021-06-30/reports/{report}"))
            .header("x-amz-access-token", credential.token().expose())
            .body(Bytes::new());
        let sent = self.ports.http.send(request.unwrap(), Limit::default());
        assert_eq!(run(sent).unwrap().status(), 200);
    }

    fn requested(&self) -> usize {
        let asked = self.wire.asked();
        let made = |path: &str| path.ends_with("/reports/2021-06-30/reports");
        asked
            .iter()
            .filter(|entry| entry.method == "POST" && made(&entry.path))
            .count()
    }
}

fn ids(changes: &[Change]) -> BTreeSet<String> {
    changes.iter().map(|change| change.id.id.clone()).collect()
}

#[test]
fn orders_are_listed_whatever_character_set_their_report_is_in() {
    let wire = Wire::stocked(80);
    let sold = MARKETPLACES.map(|(country, _)| wire.sell(country));
    wire.wait_s(130);
    let desk = Desk::new(wire, 5);
    for ((stream, marketplace), sold) in MARKETPLACES.into_iter().zip(&sold) {
        let listed = desk.walked(stream, &select());
        let all: BTreeSet<String> = desk.wire.orders_in(marketplace).into_iter().collect();
        assert_eq!(listed.len(), all.len(), "{stream}");
        assert_eq!(ids(&listed), all, "{stream}");
        assert!(all.contains(sold));
        // Each is fetched by itself, whatever of it the report holds.
        let bare = |change: &Change| change.version.is_none() && change.record.is_none();
        assert!(listed.iter().all(bare), "{stream}");
    }
    assert_eq!(desk.requested(), 3, "one for each marketplace");
    assert_eq!(desk.wire.answered(429), 0);
}

#[test]
fn a_report_is_waited_for_and_longer_spans_are_cut() {
    let desk = Desk::new(Wire::stocked(80), 75);
    let mut at = desk.window.after.clone();
    let requested = desk.page("US", &at, 100, &select()).unwrap();
    assert!(requested.changes.is_empty());
    at = requested.next.unwrap();
    let fault = desk.page("US", &at, 100, &select()).unwrap_err();
    assert_eq!(fault.code, errors::REPORT_PENDING);
    assert_eq!(patience(&fault).as_secs(), 30);
    let listed = desk.walked("US", &select());
    assert_eq!(
        ids(&listed).len(),
        desk.wire.orders_in(MARKETPLACES[0].1).len()
    );
    // Nobody ordered in the first two: they end without a document, twice.
    assert_eq!(desk.requested(), 1 + 2 + 2 + 1);
}

#[test]
fn no_data_is_no_fault() {
    let desk = Desk::new(Wire::new(), 5);
    assert!(desk.walked("UK", &select()).is_empty());
    assert_eq!(desk.requested(), 2, "one might have been cancelled");
}

#[test]
fn reports_that_fail_are_asked_for_again_after_a_while_and_not_forever() {
    let desk = Desk::new(Wire::stocked(80), 5);
    desk.wire.set("reports_fatal", json!(2));
    let start = desk.wire.now();
    let listed = desk.walked("US", &select());
    assert_eq!(ids(&listed).len(), 20);
    assert_eq!(desk.requested(), 3);
    let took = desk.wire.now().duration_since(start).as_secs();
    assert!((3600..4200).contains(&took), "{took} s");

    desk.wire.set("reports_fatal", json!(9));
    let mut at = desk.window.after.clone();
    let stopped = (0..40).find_map(|_| match desk.page("US", &at, 100, &select()) {
        Ok(page) => {
            at = page.next.unwrap();
            None
        }
        Err(fault) if fault.action == Action::StopFlow => Some(fault),
        Err(fault) => {
            desk.wire.wait(patience(&fault));
            None
        }
    });
    let fault = stopped.unwrap();
    assert_eq!(fault.code, errors::REPORT_FAILED);
    assert!(fault.message.contains("amazon_backfill"), "{fault}");
    assert_eq!(desk.requested(), 6);
}

#[test]
fn a_report_too_soon_after_another_is_no_more_than_late() {
    let desk = Desk::new(Wire::stocked(80), 5);
    desk.wire.set("report_interval_s", json!(20 * 60));
    for stream in ["US", "CA"] {
        assert_eq!(ids(&desk.walked(stream, &select())).len(), 20, "{stream}");
    }
    assert_eq!(desk.requested(), 3);
}

#[test]
fn an_address_that_ran_out_is_asked_for_again() {
    let desk = Desk::new(Wire::stocked(80), 5);
    desk.wire.set("document_url_life_s", json!(60));
    let at = desk.document();
    let page = desk.page("US", &at, 8, &select()).unwrap();
    let mut seen = ids(&page.changes);
    // Amazon says five minutes; we believed it.
    desk.wire.wait_s(90);
    let next = page.next.unwrap();
    let fault = desk.page("US", &next, 8, &select()).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (errors::UNAVAILABLE, &Action::Retry)
    );
    let rest = Window {
        after: next,
        until: desk.window.until,
    };
    let ask = |at: &Position| desk.page("US", at, 8, &select());
    seen.extend(ids(&desk.wire.listed(ask, &rest)));
    assert_eq!(seen.len(), 20);
    assert_eq!(desk.requested(), 1);
}

#[test]
fn pages_of_a_document_need_no_address_of_their_own() {
    let desk = Desk::new(Wire::stocked(80), 5);
    let ask = |at: &Position| desk.page("US", at, 3, &select());
    assert_eq!(desk.wire.listed(ask, &desk.window).len(), 20);
    let asked = desk.wire.asked();
    let addresses = asked
        .iter()
        .filter(|entry| entry.path.contains("2021-06-30/documents"));
    assert_eq!(addresses.count(), 1);
}

#[test]
fn a_document_that_is_cut_off_is_read_again() {
    let desk = Desk::new(Wire::stocked(80), 5);
    let at = desk.document();
    for garble in ["truncate", "empty", "html"] {
        let cut = json!({"path": "/documents/*", "times": 1, "what": {"garble": garble}});
        desk.wire.suffer(cut);
        let fault = desk.page("US", &at, 100, &select()).unwrap_err();
        assert_eq!(fault.code, errors::REPORT_INVALID, "{garble}: {fault}");
        assert_eq!(fault.action, Action::Retry, "{garble}: {fault}");
    }
    let page = desk.page("US", &at, 100, &select()).unwrap();
    assert_eq!((page.changes.len(), page.next), (20, None));
}

#[test]
fn a_report_that_its_owner_cancels_is_asked_for_again() {
    let desk = Desk::new(Wire::stocked(80), 5);
    let at = desk.page("US", &desk.window.after, 100, &select()).unwrap();
    let at = at.next.unwrap();
    desk.cancel(&at);
    let rest = Window {
        after: at,
        until: desk.window.until,
    };
    let ask = |at: &Position| desk.page("US", at, 100, &select());
    assert_eq!(ids(&desk.wire.listed(ask, &rest)).len(), 20);
    assert_eq!(desk.requested(), 2);
}

#[test]
fn a_report_that_never_ends_is_given_up() {
    let desk = Desk::new(Wire::stocked(80), 5);
    desk.wire.set("report_in_progress_s", json!(3 * 24 * 3600));
    let at = desk.page("US", &desk.window.after, 100, &select()).unwrap();
    let at = at.next.unwrap();
    desk.wire.wait(SignedDuration::from_hours(23));
    let fault = desk.page("US", &at, 100, &select()).unwrap_err();
    assert_eq!(fault.code, errors::REPORT_PENDING);
    desk.wire.wait(SignedDuration::from_hours(2));
    let page = desk.page("US", &at, 100, &select()).unwrap();
    assert!(
        page.changes.is_empty(),
        "given up, and asked for anew later"
    );
    let fault = desk
        .page("US", &page.next.unwrap(), 100, &select())
        .unwrap_err();
    assert_eq!(fault.code, errors::REPORT_FAILED);
}
