//! Reports from the asking to the fetching.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value as Json, json};

use super::{Desk, US, read};
use crate::amazon::{Region, flat_file};

const REPORTS: &str = "/reports/2021-06-30/reports";
const DOCUMENTS: &str = "/reports/2021-06-30/documents";
const KIND: &str = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL";

impl Desk {
    fn report(&mut self, places: &[&str]) -> String {
        let new = json!({
            "reportType": KIND, "marketplaceIds": places,
            "dataStartTime": "2026-04-20T00:00:00Z", "dataEndTime": "2026-05-01T07:00:00Z",
        });
        let (status, body) = read(&self.ask(Method::POST, REPORTS, &new));
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        body["reportId"].as_str().unwrap().to_owned()
    }

    fn status(&mut self, id: &str) -> (String, Json) {
        let (status, body) = self.get(&format!("{REPORTS}/{id}"));
        assert_eq!(status, StatusCode::OK, "{body}");
        (body["processingStatus"].as_str().unwrap().to_owned(), body)
    }

    /// The address of the document of a report that is done.
    fn address(&mut self, id: &str) -> String {
        let (_, report) = self.status(id);
        let document = report["reportDocumentId"].as_str().unwrap();
        let (status, body) = self.get(&format!("{DOCUMENTS}/{document}"));
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["compressionAlgorithm"], "GZIP");
        let url = body["url"].as_str().unwrap();
        url.strip_prefix("http://amazon.sandbox")
            .unwrap()
            .to_owned()
    }

    fn fetch_plain(&mut self, address: &str) -> Response<Bytes> {
        self.send(&Request::get(address).body(Bytes::new()).unwrap())
    }
}

/// Without its header and its end.
fn unzip(bytes: &[u8]) -> Vec<u8> {
    assert_eq!(bytes[..3], [0x1f, 0x8b, 8]);
    miniz_oxide::inflate::decompress_to_vec(&bytes[10..bytes.len() - 8]).unwrap()
}

#[test]
fn a_report_goes_its_way_to_a_document() {
    let mut desk = Desk::stocked(80);
    let id = desk.report(&[US]);
    assert_eq!(desk.status(&id).0, "IN_QUEUE");
    desk.wait(20);
    let (status, shown) = desk.status(&id);
    assert_eq!(status, "IN_PROGRESS");
    assert!(shown["processingStartTime"].is_string() && shown.get("reportDocumentId").is_none());
    desk.wait(40);
    assert_eq!(desk.status(&id).0, "DONE");
    let address = desk.address(&id);
    let answer = desk.fetch_plain(&address);
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=UTF-8"
    );
    let text = String::from_utf8(unzip(answer.body())).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!((rows[0][0], rows[0].len()), ("amazon-order-id", 31));
    assert!(rows.len() > 20 && rows.iter().all(|row| row.len() == 31));
    assert!(
        rows[1..]
            .iter()
            .all(|row| row[6] == "Amazon.com" && row[14] == "USD")
    );
    // What it says of each item is what the orders say.
    let orders = crate::Vendor::records(&desk.amazon, "Order").unwrap();
    for row in &rows[1..] {
        let order = orders
            .iter()
            .find(|order| order["orderId"] == row[0])
            .unwrap();
        let items = order["orderItems"].as_array().unwrap();
        let found = items.iter().any(|item| {
            let total = item["proceeds"]["breakdowns"][0]["subtotal"]["amount"].as_str();
            item["product"]["sellerSku"] == row[10] && total.unwrap_or_default() == row[15]
        });
        assert!(found, "{row:?}");
    }
}

#[test]
fn an_address_ends_and_takes_no_other_credentials() {
    let mut desk = Desk::stocked(40);
    let id = desk.report(&[US]);
    desk.wait(60);
    let address = desk.address(&id);
    let with = |name: &str, value: &str| {
        Request::get(&address)
            .header(name, value)
            .body(Bytes::new())
            .unwrap()
    };
    let answer = desk.send(&with("authorization", "Bearer x"));
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let token = desk.token.clone();
    let answer = desk.send(&with("x-amz-access-token", &token));
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let other = address.replace("X-Amz-Expires=300", "X-Amz-Expires=9000");
    assert_eq!(desk.fetch_plain(&other).status(), StatusCode::FORBIDDEN);
    desk.wait(299);
    assert_eq!(desk.fetch_plain(&address).status(), StatusCode::OK);
    desk.wait(1);
    let late = desk.fetch_plain(&address);
    assert_eq!(late.status(), StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(late.body()).contains("expired"));
    // Another one is given as long as the document lasts; another account has none.
    let address = desk.address(&id);
    assert_eq!(desk.fetch_plain(&address).status(), StatusCode::OK);
    desk.log_in(Region::Eu);
    assert_eq!(
        desk.get(&format!("{REPORTS}/{id}")).0,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn each_region_writes_in_its_character_set() {
    for (region, country, place, label, needle) in [
        (
            Region::Eu,
            "FR",
            "A13V1IB3VIYZZH",
            "Cp1252",
            &b"Besan\xe7on"[..],
        ),
        (
            Region::Fe,
            "JP",
            "A1VC38T7YXB528",
            "Shift_JIS",
            &b"\x89F\x92\x8d"[..],
        ),
    ] {
        let mut desk = Desk::new();
        desk.now = "2026-05-01T06:00:00Z".parse().unwrap();
        desk.place(json!({
            "marketplace": country, "fulfilledBy": "MERCHANT", "paid": true,
            "items": [{"sku": "BX-1", "title": "宇注", "quantity": 1, "unitPrice": "12"}],
        }));
        desk.wait(7200);
        desk.log_in(region);
        let id = desk.report(&[place]);
        desk.wait(60);
        let address = desk.address(&id);
        let answer = desk.fetch_plain(&address);
        assert_eq!(
            answer.headers()["content-type"],
            format!("text/plain; charset={label}")
        );
        let bytes = unzip(answer.body());
        let found = bytes.windows(needle.len()).any(|part| part == needle);
        assert!(found, "{country}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn reports_end_badly() {
    let mut desk = Desk::stocked(40);
    // Nothing to tell.
    let id = desk.report(&["A1AM78C64UM0Y8"]);
    desk.wait(60);
    assert_eq!(desk.status(&id).0, "CANCELLED");
    // Its owner's wish, while there is time.
    let id = desk.report(&[US]);
    let path = format!("{REPORTS}/{id}");
    assert_eq!(
        desk.ask(Method::DELETE, &path, &Json::Null).status(),
        StatusCode::OK
    );
    assert_eq!(desk.status(&id).0, "CANCELLED");
    let again = desk.ask(Method::DELETE, &path, &Json::Null);
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
    // The vendor's whim, and a limit nobody told of.
    desk.set("reports_fatal", json!(1));
    let whim = desk.report(&[US]);
    desk.wait(600);
    desk.set("report_interval_s", json!(300));
    let (fine, soon) = (desk.report(&[US]), desk.report(&[US]));
    desk.wait(60);
    assert_eq!(desk.status(&fine).0, "DONE");
    for id in [whim, soon] {
        let (status, report) = desk.status(&id);
        assert_eq!(status, "FATAL");
        assert!(report["reportDocumentId"].is_string());
        let address = desk.address(&id);
        let answer = desk.fetch_plain(&address);
        let why: Json = serde_json::from_slice(&unzip(answer.body())).unwrap();
        assert!(why["errorDetails"].is_string());
    }
}

#[test]
fn reports_are_listed_over_pages() {
    let mut desk = Desk::stocked(40);
    let made: Vec<String> = (0..25).map(|_| desk.report(&[US])).collect();
    let mut path = format!("{REPORTS}?reportTypes={KIND}&processingStatuses=IN_QUEUE,DONE");
    let mut found = Vec::new();
    for _ in 0..5 {
        let (status, page) = desk.get(&path);
        assert_eq!(status, StatusCode::OK, "{page}");
        let reports = page["reports"].as_array().unwrap().iter();
        found.extend(reports.map(|report| report["reportId"].as_str().unwrap().to_owned()));
        match page["nextToken"].as_str() {
            Some(token) => path = format!("{REPORTS}?nextToken={token}"),
            None => break,
        }
    }
    let newest_first: Vec<String> = made.into_iter().rev().collect();
    assert_eq!(found, newest_first);
    for query in [
        "",
        "?pageSize=10",
        "?nextToken=x",
        "?reportTypes=A&pageSize=101",
    ] {
        assert_eq!(
            desk.get(&format!("{REPORTS}{query}")).0,
            StatusCode::BAD_REQUEST,
            "{query}"
        );
    }
    let bad = json!({"reportType": "GET_EVERYTHING", "marketplaceIds": [US]});
    assert_eq!(
        desk.ask(Method::POST, REPORTS, &bad).status(),
        StatusCode::BAD_REQUEST
    );
}

#[test]
fn gzip_is_what_others_read() {
    // Checked once with another implementation: the sum of "123456789" is 0xcbf43926.
    let member = flat_file::gzip(b"123456789");
    let end = &member[member.len() - 8..];
    assert_eq!(end, [0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0]);
}
