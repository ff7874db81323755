use std::collections::BTreeSet;

use super::*;
use crate::report::tests::text;
use crate::script::answering;
use crate::settings::Settings;

const ONE: &str = "902-0000000-0000001";
const TWO: &str = "902-0000000-0000002";

fn account() -> Account {
    let ports = answering(vec![]).ports();
    let settings = Settings::read(&*ports.variables).unwrap();
    settings.accounts.into_iter().next().unwrap()
}

fn document(bytes: impl Into<Vec<u8>>, charset: Option<&str>) -> Document {
    Document {
        bytes: bytes.into(),
        charset: charset.map(str::to_owned),
        is_whole: true,
    }
}

fn select(fields: &[&str], items: &[&str]) -> Selection {
    let set = |paths: &[&str]| -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    };
    Selection {
        fields: set(fields),
        lists: [("orderItems".to_owned(), set(items))].into(),
    }
}

fn read_all(document: &Document) -> Result<Vec<Change>> {
    let enough = select(&["orderId"], &["product.title", "quantityOrdered"]);
    read(document, &account(), &enough, 0, 100).map(|read| read.changes)
}

#[test]
fn lines_of_one_order_make_one_order_wherever_they_stand() {
    let whole = text(&[ONE, TWO, ONE]);
    let changes = read_all(&document(whole, Some("utf-8"))).unwrap();
    assert_eq!(changes.len(), 2);
    let body = &changes[0].record.as_ref().unwrap().body;
    assert_eq!(body["orderItems"].as_array().unwrap().len(), 2);
    assert_eq!(
        body["orderItems"][1],
        json!({"quantityOrdered": 2, "product": {"sellerSku": "SKU-1", "asin": "B01", "title": "Lamp"}})
    );
    assert_eq!(body["salesChannel"]["marketplaceId"], "ATVPDKIKX0DER");
    assert_eq!(
        changes[0].version,
        changes[0].record.as_ref().map(|record| record.version)
    );
}

#[test]
fn a_body_is_given_only_where_the_report_holds_all_that_is_selected() {
    let whole = document(text(&[ONE]), Some("utf-8"));
    for (fields, items, given) in [
        (
            &["orderId", "createdTime", "fulfillment.fulfilledBy"][..],
            &["product.asin"][..],
            true,
        ),
        (&["orderItems.quantityOrdered"], &[], true),
        (&["proceeds.grandTotal.amount"], &[], false),
        (&["fulfillment.fulfillmentStatus"], &[], false),
        (&["orderId"], &["orderItemId"], false),
        (&["recipient.deliveryAddress.city"], &[], false),
    ] {
        let got = read(&whole, &account(), &select(fields, items), 0, 9).unwrap();
        assert_eq!(
            got.changes[0].record.is_some(),
            given,
            "{fields:?} {items:?}"
        );
        assert!(got.changes[0].version.is_some());
    }
    for (from, to) in [
        ("Shipped", "Cancelled"),
        ("\tAmazon\t", "\tElsewhere\t"),
        ("Amazon.com", "Non-Amazon"),
        ("\t2\t", "\t-2\t"),
        ("\t2\t", "\t\t"),
        (ONE, "902-1"),
    ] {
        let other = text(&[ONE]).replacen(from, to, 1);
        let changes = read_all(&document(other, Some("utf-8"))).unwrap();
        assert_eq!((changes.len(), &changes[0].record), (1, &None), "{to}");
    }
}

#[test]
fn orders_of_other_marketplaces_are_not_ours() {
    let other = text(&[ONE, TWO]).replacen("Amazon.com", "Amazon.com.mx", 1);
    let changes = read_all(&document(other, None)).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].id.id, TWO);
    // They are passed all the same.
    let other = text(&[ONE, TWO]).replacen("Amazon.com", "Amazon.nl", 1);
    let page = read(
        &document(other, None),
        &account(),
        &Selection::default(),
        0,
        1,
    )
    .unwrap();
    assert_eq!((page.changes.len(), page.listed, page.more), (0, 1, true));
}

#[test]
fn pages_follow_one_another_without_gap_or_overlap() {
    let ids: Vec<String> = (0..7).map(|at| format!("902-0000000-000000{at}")).collect();
    let mut rows: Vec<&str> = ids.iter().map(String::as_str).collect();
    rows.push(&ids[0]);
    let whole = document(text(&rows), Some("utf-8"));
    let mut seen = Vec::new();
    for _ in 0..10 {
        let page = read(&whole, &account(), &Selection::default(), seen.len(), 3).unwrap();
        seen.extend(page.changes.into_iter().map(|change| change.id.id));
        if !page.more {
            assert_eq!(seen, ids);
            return;
        }
    }
    panic!("it has an end");
}

#[test]
fn what_is_cut_off_is_seen() {
    let whole = text(&[ONE, TWO]);
    let fault = |text: &str, is_whole| {
        let document = Document {
            is_whole,
            ..document(text, Some("utf-8"))
        };
        read_all(&document)
            .err()
            .map(|fault| (fault.code, fault.action.clone()))
    };
    let retry = Some((errors::REPORT_INVALID, sluice_core::Action::Retry));
    assert_eq!(fault(&whole, false), None);
    assert_eq!(fault(&whole, true), None);
    let end = whole.trim_end();
    assert_eq!(
        fault(end, true),
        None,
        "nobody says that the last line must end"
    );
    assert_eq!(fault(end, false), retry);
    let short = &whole[..whole.len() - 8];
    assert_eq!(fault(&format!("{short}\n"), false), retry);
    assert_eq!(fault("", true), retry);
    let stop = Some((errors::REPORT_INVALID, sluice_core::Action::StopFlow));
    assert_eq!(fault(short, true), stop, "it is so, and will be");
    assert_eq!(fault(&whole.replacen("Lamp", "La\tmp", 1), true), stop);
    assert_eq!(
        fault(&whole.replace("amazon-order-id", "order-id"), true),
        stop
    );
    assert_eq!(fault(&whole.replace("quantity", "count"), true), stop);
    assert_eq!(fault(&whole.replacen(ONE, "", 1), true), stop);
}

#[test]
fn a_quotation_mark_is_a_letter_like_others() {
    let whole = text(&[ONE, TWO]).replacen("Lamp", "\"Lamp, 5\" high", 1);
    let changes = read_all(&document(whole.replace('\n', "\r\n"), Some("utf-8"))).unwrap();
    let body = &changes[0].record.as_ref().unwrap().body;
    assert_eq!(
        body["orderItems"][0]["product"]["title"],
        "\"Lamp, 5\" high"
    );
    assert_eq!(changes.len(), 2);
}

#[test]
fn character_sets_are_what_they_say() {
    let with = |letters: &[u8], charset: Option<&str>| {
        let whole = text(&[ONE]);
        let at = whole.find("Lamp").unwrap();
        let mut bytes = whole.as_bytes()[..at].to_vec();
        bytes.extend(letters);
        bytes.extend(&whole.as_bytes()[at + 4..]);
        let changes = read_all(&document(bytes, charset))?;
        let body = changes[0].record.as_ref().map(|record| &record.body);
        let title = body.map(|body| body["orderItems"][0]["product"]["title"].clone());
        Ok::<_, Fault>(title.map(|title| title.as_str().unwrap().to_owned()))
    };
    let read = |letters: &[u8], charset| with(letters, charset).unwrap();
    assert_eq!(
        read("Pi\u{f1}a".as_bytes(), Some("utf-8")).as_deref(),
        Some("Piña")
    );
    assert_eq!(read("Pi\u{f1}a".as_bytes(), None).as_deref(), Some("Piña"));
    assert_eq!(
        read(b"Pi\xf1a \x80", Some("cp1252")).as_deref(),
        Some("Piña €")
    );
    assert_eq!(
        read(b"\x9f\x9e\x91", Some("iso-8859-1")).as_deref(),
        Some("Ÿž‘")
    );
    assert_eq!(read(b"\x81", Some("cp1252")), None);
    // Letters that we can't read: the order is fetched.
    assert_eq!(read(b"\x8e\x95\x83\x75", Some("shift_jis")), None);
    assert_eq!(read(b"Lamp", Some("windows-31j")).as_deref(), Some("Lamp"));
    assert_eq!(read(b"\x8e\x95\x83\x75", None), None);
    for (letters, charset) in [(&b"Pi\xf1a"[..], "utf-8"), (b"Lamp", "utf-16")] {
        let fault = with(letters, Some(charset)).unwrap_err();
        assert_eq!(fault.code, errors::REPORT_INVALID);
        assert_eq!(fault.action, sluice_core::Action::StopFlow, "{charset}");
    }
    let mark = [b"\xef\xbb\xbf", text(&[ONE]).as_bytes()].concat();
    assert_eq!(read_all(&document(mark, Some("utf-8"))).unwrap().len(), 1);
}
