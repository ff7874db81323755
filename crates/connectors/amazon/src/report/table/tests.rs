use bytes::Bytes;
use sluice_core::{Action, Code};

use super::*;
use crate::report::document::pack;
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

fn document(bytes: impl Into<Vec<u8>>) -> Document {
    Document {
        bytes: Bytes::from(bytes.into()),
        is_packed: false,
        is_whole: true,
    }
}

fn ids(read: &Read) -> Vec<&str> {
    let changes = read.changes.iter();
    changes.map(|change| change.id.id.as_str()).collect()
}

fn told(document: &Document) -> Option<(Code, Action)> {
    match read(document, &account(), 0, 100) {
        Ok(_) => None,
        Err(Unread::TooLarge) => panic!("it is small"),
        Err(Unread::Fault(fault)) => Some((fault.code, fault.action.clone())),
    }
}

#[test]
fn lines_of_one_order_make_one_order_wherever_they_stand() {
    let read = read(&document(text(&[ONE, TWO, ONE])), &account(), 0, 100).unwrap();
    assert_eq!(ids(&read), [ONE, TWO]);
    assert_eq!((read.lines, read.more), (3, false));
    // What a report says of an order is no observation of it.
    let bare = |change: &Change| change.version.is_none() && change.record.is_none();
    assert!(read.changes.iter().all(bare));
}

#[test]
fn orders_of_other_marketplaces_are_not_ours() {
    let other = text(&[ONE, TWO]).replacen("Amazon.com", "Amazon.com.mx", 1);
    let read_all = |text: String, count| read(&document(text), &account(), 0, count).unwrap();
    let read = read_all(other.clone(), 1);
    assert_eq!((ids(&read), read.lines, read.more), (vec![TWO], 2, false));
    let elsewhere = other.replacen("Amazon.com.mx", "Non-Amazon", 1);
    assert_eq!(ids(&read_all(elsewhere, 9)), [ONE, TWO]);
    let shouted = text(&[ONE]).replacen("Amazon.com", "AMAZON.COM", 1);
    assert_eq!(ids(&read_all(shouted, 9)), [ONE]);
}

#[test]
fn pages_follow_one_another_without_gap() {
    let ids_of: Vec<String> = (0..7).map(|at| format!("902-0000000-000000{at}")).collect();
    // The second has two lines, of which one would begin another page; the first has one at the end.
    let mut rows: Vec<&str> = ids_of.iter().map(String::as_str).collect();
    rows.insert(2, &ids_of[1]);
    rows.push(&ids_of[0]);
    let whole = document(text(&rows));
    let (mut seen, mut lines) = (Vec::new(), 0);
    for _ in 0..10 {
        let page = read(&whole, &account(), lines, 2).unwrap();
        assert!(page.changes.len() <= 2);
        seen.extend(page.changes.iter().map(|change| change.id.id.clone()));
        lines += page.lines;
        if !page.more {
            assert_eq!(lines, rows.len());
            assert_eq!(seen[..7], ids_of);
            assert_eq!(seen[7..], ids_of[..1], "again, and harmless");
            return;
        }
    }
    panic!("it has an end");
}

/// Twenty thousand lines, of about the length they have, on pages of a hundred.
#[test]
fn a_page_costs_what_lies_before_it_and_the_first_the_whole() {
    let ids: Vec<String> = (0..20_000)
        .map(|at| format!("902-0000000-{at:07}"))
        .collect();
    let rows: Vec<&str> = ids.iter().map(String::as_str).collect();
    let title = format!("\t{}\t", "A lamp for the table ".repeat(10));
    let text = text(&rows).replace("\tLamp\t", &title);
    let packed = Document {
        is_packed: true,
        ..document(pack(text.as_bytes()))
    };
    let mut counts = Vec::new();
    let mut listed = 0;
    loop {
        let mut lines = Lines::of(&packed).unwrap();
        let page = read_from(&mut lines, &account(), listed, 100).unwrap();
        listed += page.lines;
        counts.push(lines.unpacked());
        if !page.more {
            break;
        }
    }
    assert_eq!((listed, counts.len()), (20_000, 200));
    let part = 64 << 10;
    assert_eq!(counts[0], text.len());
    for (page, unpacked) in counts.iter().enumerate().skip(1) {
        let before = text.len() / 200 * (page + 1);
        assert!(*unpacked <= before + part, "page {page}: {unpacked}");
    }
    let sum: usize = counts.iter().sum();
    // An order's share of it: what fetching the order costs is of that size, too.
    assert!(sum / 20_000 < 40 << 10, "{} bytes an order", sum / 20_000);
}

#[test]
fn what_is_cut_off_is_seen() {
    let whole = text(&[ONE, TWO]);
    let fault = |text: &str, is_whole| {
        told(&Document {
            is_whole,
            ..document(text)
        })
    };
    let retry = Some((errors::REPORT_INVALID, Action::Retry));
    assert_eq!(fault(&whole, false), None);
    assert_eq!(fault(&whole, true), None);
    let end = whole.trim_end();
    let why = "nobody says that the last line must end";
    assert_eq!(fault(end, true), None, "{why}");
    assert_eq!(fault(end, false), retry);
    let short = &whole[..whole.len() - 8];
    assert_eq!(fault(&format!("{short}\n"), false), retry);
    assert_eq!(fault("", true), retry);
    let stop = Some((errors::REPORT_INVALID, Action::StopFlow));
    assert_eq!(fault(short, true), stop, "it is so, and will be");
    assert_eq!(fault(&whole.replacen("Lamp", "La\tmp", 1), true), stop);
    let nameless = whole.replace("amazon-order-id", "order-id");
    assert_eq!(fault(&nameless, true), stop);
    assert_eq!(
        fault(&whole.replace("sales-channel", "channel"), true),
        stop
    );
    assert_eq!(fault(&whole.replacen(ONE, "", 1), true), stop);
    // Also on the first page, what lies behind it.
    let cut = document(short);
    let got = read(&cut, &account(), 0, 1).unwrap_err();
    assert!(matches!(got, Unread::Fault(_)), "{got:?}");
    // And one that is shorter than it was.
    let got = read(&document(whole), &account(), 3, 1).unwrap_err();
    assert!(matches!(got, Unread::Fault(fault) if fault.action == Action::Retry));
}

#[test]
fn letters_of_any_character_set_are_passed_by() {
    let whole = text(&[ONE, TWO]);
    let at = whole.find("Lamp").unwrap();
    for letters in [
        &b"\"Lamp, 5\" high"[..],
        "Pi\u{f1}a".as_bytes(),
        b"Pi\xf1a \x80\x81",
        b"\x8e\x95\x83\x75\x83\x5c",
    ] {
        let bytes = [
            &whole.as_bytes()[..at],
            letters,
            &whole.as_bytes()[at + 4..],
        ]
        .concat();
        let read = read(&document(bytes), &account(), 0, 9).unwrap();
        assert_eq!(ids(&read), [ONE, TWO], "{letters:?}");
    }
    let marked = ["\u{feff}", &whole.replace('\n', "\r\n")].concat();
    assert_eq!(told(&document(marked)), None);
}
