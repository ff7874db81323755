use http::header::DATE;
use serde_json::json;
use sluice_core::code;

use super::*;
use crate::errors::{NOT_FOUND, REQUEST};
use crate::id::ID_INVALID;
use crate::script::{ORIGIN, answer, answering, logged_in, records, refused, run};

const A: &str = "006e0000004lnFFAAY";
const B: &str = "006e0000004lnFGAAY";
const LINE: &str = "00ke0000001aaaAAAQ";
const T0: &str = "2026-11-22T10:00:00.000+0000";
const T1: &str = "2026-11-22T10:00:01.500+0000";

fn opportunity() -> Object {
    object("Opportunity").lines(
        "OpportunityLineItems",
        "OpportunityLineItem",
        "OpportunityId",
    )
}

fn select() -> Selection {
    let mut select = Selection::default();
    select
        .fields
        .extend(["Name", "Account.Name"].map(str::to_owned));
    let line = ["Quantity"].map(str::to_owned).into();
    select.lists.insert("OpportunityLineItems".into(), line);
    select
}

fn row(id: &str, modstamp: &str) -> Value {
    json!({
        "attributes": {"type": "Opportunity", "url": "/x"},
        "Id": id, "SystemModstamp": modstamp, "IsDeleted": false, "Name": "N",
        "Account": {"attributes": {"type": "Account"}, "Name": "A"},
        "OpportunityLineItems": {"totalSize": 1, "done": true, "records": [
            {"attributes": {"type": "OpportunityLineItem"}, "Id": LINE, "Quantity": 2},
        ]},
    })
}

fn with(mut row: Value, name: &str, value: Value) -> Value {
    row[name] = value;
    row
}

fn window(after: &str, id: &str) -> Window {
    Window {
        after: Position {
            watermark: query::time(after).unwrap(),
            id: id.to_owned(),
        },
        until: query::time("2026-11-22T11:00:00Z").unwrap(),
    }
}

const COLUMNS: &str = "SELECT Id, SystemModstamp, IsDeleted, Account.Name, Name, \
     (SELECT Id, Quantity FROM OpportunityLineItems WHERE IsDeleted = FALSE ORDER BY SortOrder, Id) \
     FROM Opportunity";

fn fetched(answers: Vec<http::Response<bytes::Bytes>>) -> (Result<Observed>, Vec<String>) {
    let script = logged_in(answers);
    let got = run(opportunity().fetch(&script.ports(), &A[..15], &select()));
    (got, script.lines().split_off(1))
}

#[test]
fn a_record_is_fetched_with_its_lines() {
    let (got, lines) = fetched(vec![records(json!([row(A, T1)]))]);
    let record = Record {
        id: Kind::new("salesforce", "Opportunity").id(A),
        version: Version(query::time(T1).unwrap().as_millisecond()),
        body: json!({
            "Id": A, "SystemModstamp": T1, "IsDeleted": false, "Name": "N", "Account": {"Name": "A"},
            "OpportunityLineItems": [{"Id": LINE, "Quantity": 2}],
        }),
    };
    assert_eq!(got.unwrap(), Observed::Present(record));
    assert_eq!(
        lines,
        [format!(
            "GET {ORIGIN}/services/data/v66.0/queryAll?q={COLUMNS} WHERE Id = '{A}'"
        )]
    );
}

#[test]
fn a_record_without_lines_has_none() {
    let bare = with(row(A, T1), "OpportunityLineItems", Value::Null);
    let Observed::Present(record) = fetched(vec![records(json!([bare]))]).0.unwrap() else {
        panic!("the record is there");
    };
    assert_eq!(record.body["OpportunityLineItems"], json!([]));
}

#[test]
fn lines_that_span_pages_are_read_to_the_end() {
    let next = "/services/data/v66.0/query/01g-1";
    let list =
        json!({"totalSize": 2, "done": false, "nextRecordsUrl": next, "records": [{"Id": LINE}]});
    let rest = json!({"totalSize": 2, "done": true, "records": [{"Id": "second"}]}).to_string();
    let long = with(row(A, T1), "OpportunityLineItems", list);
    let (got, lines) = fetched(vec![records(json!([long])), answer(200, &rest)]);
    let Observed::Present(record) = got.unwrap() else {
        panic!("the record is there");
    };
    let lines_read = &record.body["OpportunityLineItems"];
    assert_eq!(*lines_read, json!([{"Id": LINE}, {"Id": "second"}]));
    assert_eq!(lines[1], format!("GET {ORIGIN}{next}"));
}

#[test]
fn how_a_record_went_is_told() {
    let deleted = with(row(A, T1), "IsDeleted", true.into());
    for (rows, gone) in [
        (json!([]), Gone::Unknown),
        (json!([deleted]), Gone::Deleted),
    ] {
        let got = fetched(vec![records(rows)]).0.unwrap();
        assert_eq!(got, Observed::Gone(gone));
    }
    let loser = json!({"Id": "001e0000004lnFFAAY", "SystemModstamp": T1, "IsDeleted": true,
        "MasterRecordId": "001e0000004lnFG"});
    let script = logged_in(vec![records(json!([loser]))]);
    let account = object("Account");
    let got = run(account.fetch(&script.ports(), "001e0000004lnFF", &Selection::default()));
    let master = Id::parse("001e0000004lnFG").unwrap().to_string();
    assert_eq!(got.unwrap(), Observed::Gone(Gone::Merged(master)));
    assert!(script.lines()[1].contains("IsDeleted, MasterRecordId FROM Account"));
}

#[test]
fn answers_that_lack_a_field_or_hold_another_record_are_faults() {
    let without = |name: &str| {
        let mut row = row(A, T1);
        row.as_object_mut().unwrap().remove(name);
        row
    };
    for (row, field) in [
        (without("Id"), "Id"),
        (without("SystemModstamp"), "SystemModstamp"),
        (
            with(row(A, T1), "SystemModstamp", "now".into()),
            "SystemModstamp",
        ),
        (without("IsDeleted"), "IsDeleted"),
        (without("OpportunityLineItems"), "OpportunityLineItems"),
        (
            with(row(A, T1), "OpportunityLineItems", json!([])),
            "totalSize",
        ),
        (row(B, T1), "id asked for"),
    ] {
        let fault = fetched(vec![records(json!([row]))]).0.unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID, "{field}");
        assert!(fault.message.contains(field), "{fault}");
    }
    let short = json!({"totalSize": 2, "done": true, "records": [{"Id": LINE}]});
    let short = with(row(A, T1), "OpportunityLineItems", short);
    let fault = fetched(vec![records(json!([short]))]).0.unwrap_err();
    assert_eq!(fault.code, code::SOURCE_PAGING);
}

#[test]
fn what_is_no_id_or_no_list_is_not_asked_for() {
    let script = answering(vec![]);
    let ports = script.ports();
    let fault = run(opportunity().fetch(&ports, "006' OR Id != '", &select())).unwrap_err();
    assert_eq!(fault.code, ID_INVALID);
    let fault = run(object("Opportunity").fetch(&ports, A, &select())).unwrap_err();
    assert_eq!(fault.code, REQUEST);
    let fault = run(opportunity().changed(&ports, "Lead", &window(T0, ""), 5, &select()));
    assert_eq!(fault.unwrap_err().code, REQUEST);
    assert!(script.lines().is_empty());
}

fn changed(stream: &str, limit: usize, answer: Value) -> (Result<Page>, String) {
    let script = logged_in(vec![crate::script::answer(200, &answer.to_string())]);
    let window = window(T0, A);
    let got = run(opportunity().changed(&script.ports(), stream, &window, limit, &select()));
    (got, script.lines().pop().unwrap())
}

fn page(rows: &[Value]) -> Value {
    json!({"totalSize": rows.len(), "done": true, "records": rows})
}

#[test]
fn changes_are_listed_by_key_with_their_records() {
    let gone = with(row(B, T1), "IsDeleted", true.into());
    let (got, line) = changed("Opportunity", 2, page(&[row(B, T0), gone]));
    let got = got.unwrap();
    assert_eq!(got.changes.len(), 2);
    assert_eq!(got.changes[0].id.id, B);
    let record = got.changes[0].record.as_ref().unwrap();
    assert_eq!(record.body["OpportunityLineItems"][0]["Quantity"], 2);
    assert_eq!(got.changes[0].version, Some(record.version));
    assert_eq!(got.changes[1].record, None, "deleted");
    let next = Position {
        watermark: query::time(T1).unwrap(),
        id: B.to_owned(),
    };
    assert_eq!(
        got.next,
        Some(next),
        "a full page may be followed by another"
    );
    assert_eq!(
        line,
        format!(
            "GET {ORIGIN}/services/data/v66.0/queryAll?q={COLUMNS} \
             WHERE SystemModstamp >= 2026-11-22T10:00:00.000Z AND SystemModstamp <= 2026-11-22T11:00:00.000Z \
             AND (SystemModstamp > 2026-11-22T10:00:00.000Z OR Id > '{A}') \
             ORDER BY SystemModstamp, Id LIMIT 2"
        )
    );
    let (got, _) = changed("Opportunity", 3, page(&[row(B, T0), row(A, T1)]));
    assert_eq!(got.unwrap().next, None);
}

#[test]
fn a_page_cut_short_by_the_vendor_is_continued_by_key() {
    let next = "/services/data/v66.0/query/01g-1";
    let list =
        json!({"totalSize": 9, "done": false, "nextRecordsUrl": next, "records": [{"Id": LINE}]});
    let long = with(row(B, T0), "OpportunityLineItems", list);
    let answer = json!({"totalSize": 5, "done": false, "nextRecordsUrl": next, "records": [long]});
    let got = changed("Opportunity", 10, answer).0.unwrap();
    assert_eq!(got.next.unwrap().id, B);
    assert_eq!(got.changes[0].record, None, "its lines are not all there");
}

#[test]
fn changed_lines_make_their_opportunity_due() {
    let line = |parent: Value| json!({"Id": LINE, "SystemModstamp": T1, "OpportunityId": parent});
    let (got, sent) = changed("OpportunityLineItem", 5, page(&[line(A[..15].into())]));
    let change = Change {
        id: Kind::new("salesforce", "Opportunity").id(A),
        version: None,
        record: None,
    };
    assert_eq!(got.unwrap().changes, [change]);
    assert!(
        sent.contains("SELECT Id, SystemModstamp, OpportunityId FROM OpportunityLineItem WHERE")
    );
    let (got, _) = changed("OpportunityLineItem", 5, page(&[line(Value::Null)]));
    assert!(got.unwrap().changes.is_empty());
    assert_eq!(
        opportunity().streams(&answering(vec![]).ports()).unwrap(),
        ["Opportunity", "OpportunityLineItem"]
    );
}

#[test]
fn pages_out_of_order_or_out_of_bounds_are_faults() {
    let late = "2026-11-22T11:00:00.001+0000";
    let empty_not_last = json!({"totalSize": 1, "done": false, "nextRecordsUrl": "/services/data/v66.0/query/1", "records": []});
    for (name, answer) in [
        ("backwards", page(&[row(B, T1), row(B, T0)])),
        ("same twice", page(&[row(B, T1), row(B, T1)])),
        ("ids backwards", page(&[row(B, T1), row(A, T1)])),
        ("not after the key", page(&[row(A, T0)])),
        (
            "before the window",
            page(&[row(B, "2026-11-22T09:59:59.999+0000")]),
        ),
        ("after the window", page(&[row(B, late)])),
        (
            "too many",
            page(&[
                row(A, T1),
                row(B, T1),
                row(A, "2026-11-22T10:00:02.000Z"),
                row(B, "2026-11-22T10:00:03.000Z"),
            ]),
        ),
        (
            "some missing",
            json!({"totalSize": 2, "done": true, "records": [row(B, T1)]}),
        ),
        ("empty but not last", empty_not_last),
    ] {
        let fault = changed("Opportunity", 3, answer).0.expect_err(name);
        assert_eq!(fault.code, code::SOURCE_PAGING, "{name}: {fault}");
    }
}

#[test]
fn the_time_is_the_answers() {
    let dated = |date: &str| {
        let mut response = answer(200, "[]");
        response.headers_mut().insert(DATE, date.parse().unwrap());
        response
    };
    let asked = |response| {
        let script = logged_in(vec![response]);
        let got = run(opportunity().now(&script.ports()));
        (got, script.lines().pop().unwrap())
    };
    let (got, line) = asked(dated("Sun, 22 Nov 2026 19:53:21 GMT"));
    assert_eq!(got.unwrap(), query::time("2026-11-22T19:53:21Z").unwrap());
    assert_eq!(line, format!("GET {ORIGIN}/services/data"));
    for response in [answer(200, "[]"), dated("yesterday")] {
        let fault = asked(response).0.unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID);
        assert!(fault.message.contains("Date"));
    }
}

#[test]
fn fields_are_written_back() {
    let script = logged_in(vec![answer(204, ""), refused(404, "ENTITY_IS_DELETED")]);
    let ports = script.ports();
    let mut fields = Map::new();
    run(opportunity().write_back(&ports, A, &fields)).unwrap();
    assert!(script.lines().is_empty(), "nothing to write");
    fields.insert("NetSuite_Order_Id__c".into(), "42".into());
    run(opportunity().write_back(&ports, A, &fields)).unwrap();
    assert_eq!(
        script.lines()[1],
        format!(
            "PATCH {ORIGIN}/services/data/v66.0/sobjects/Opportunity/{A} {{\"NetSuite_Order_Id__c\":\"42\"}}"
        )
    );
    let fault = run(opportunity().write_back(&ports, A, &fields)).unwrap_err();
    assert_eq!(fault.code, NOT_FOUND);
    assert!(script.is_done());
}

#[test]
fn a_source_checks_its_variables_and_offers_both_webhooks() {
    let script = answering(vec![]);
    assert!(opportunity().check(&script.ports()).is_ok());
    let ports = script.ports_with(&[("salesforce_client_id", "")]);
    assert_eq!(
        opportunity().check(&ports).unwrap_err().code,
        code::VARIABLE_MISSING
    );
    let names: Vec<&str> = opportunity()
        .hooks()
        .iter()
        .map(|hook| hook.name())
        .collect();
    assert_eq!(names, ["outbound-message", "json"]);
}
