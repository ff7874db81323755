//! The connector against the simulated organization: real logins, real refusals, real records.

mod wire;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use sandbox::Refusal;
use serde_json::{Map, Value, json};
use sluice_core::{
    Action, Body, Found, Gone, Hook, Observed, Ports, Position, Record, Selection, Source,
    Timestamp, Version, Window, WriteOutcome,
};

use salesforce::client::{self, Upserted};
use salesforce::query::{self, Query};
use salesforce::settings::Settings;
use salesforce::{Id, Object, errors};
use wire::{Wire, lines_of, run};

const MODE: &str = "client_credentials";

fn opportunities() -> Object {
    salesforce::object("Opportunity").lines(
        "OpportunityLineItems",
        "OpportunityLineItem",
        "OpportunityId",
    )
}

fn select() -> Selection {
    let mut select = Selection::default();
    let fields = [
        "Name",
        "StageName",
        "Amount",
        "Account.Name",
        "NetSuite_Order_Id__c",
    ];
    select.fields.extend(fields.map(str::to_owned));
    let line = [
        "Quantity",
        "UnitPrice",
        "TotalPrice",
        "Product2.ProductCode",
    ]
    .map(str::to_owned);
    select
        .lists
        .insert("OpportunityLineItems".into(), line.into());
    select
}

fn present(ports: &Ports, id: &str) -> Record {
    match run(opportunities().fetch(ports, id, &select())).unwrap() {
        Observed::Present(record) => record,
        Observed::Gone(how) => panic!("{id} is {how:?}"),
    }
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap()
}

#[test]
fn records_are_read_by_both_ways_to_log_in() {
    let wire = Wire::with_key();
    let held = wire.opportunity_with_lines(2);
    let id = text(&held, "Id");
    for auth in ["jwt_bearer", MODE] {
        let ports = wire.ports(auth);
        assert!(opportunities().check(&ports).is_ok());
        for form in [id, &id[..15]] {
            let record = present(&ports, form);
            assert_eq!(
                record.id.to_string(),
                format!("salesforce:Opportunity:{id}")
            );
            assert_eq!(record.body["Amount"], held["Amount"]);
            assert!(record.body.at("Account.Name").is_some());
            let lines = record.body.list("OpportunityLineItems").unwrap();
            assert_eq!(lines.len(), lines_of(&held).len());
            assert!(lines[0].at("Product2.ProductCode").is_some());
        }
    }
    assert_eq!(wire.asked(), 2 + 4, "a login each");
}

#[test]
fn a_long_list_of_lines_is_read_over_its_pages() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let held = wire.opportunity_with_lines(3);
    let whole = present(&ports, text(&held, "Id"));
    wire.set_page_rows(1);
    let paged = present(&ports, text(&held, "Id"));
    assert_eq!(paged, whole);
}

#[test]
fn a_query_is_read_over_its_pages() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    wire.set_page_rows(50);
    let settings = Settings::read(&*ports.variables).unwrap();
    let query = Query::select(["Id", "Name"], "Account").unwrap();
    let rows = run(query::rows(&ports, &settings, &query)).unwrap();
    assert_eq!(rows.len(), wire.records("Account").len());
    assert!(rows.len() > 50);
}

/// Every change of a stream, by pages of so many.
fn changes(
    ports: &Ports,
    stream: &str,
    after: Timestamp,
    page: usize,
) -> Vec<(String, Option<Version>)> {
    let source = opportunities();
    let mut window = Window {
        after: Position {
            watermark: after,
            id: String::new(),
        },
        until: run(source.now(ports)).unwrap(),
    };
    let mut all = Vec::new();
    for _ in 0..1000 {
        let got = run(source.changed(ports, stream, &window, page, &select())).unwrap();
        assert!(got.changes.len() <= page);
        all.extend(
            got.changes
                .into_iter()
                .map(|change| (change.id.id, change.version)),
        );
        match got.next {
            Some(next) => window.after = next,
            None => return all,
        }
    }
    panic!("the pages of {stream} do not end");
}

#[test]
fn everything_that_changed_is_listed_once_whatever_the_page() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    wire.wait(SignedDuration::from_secs(2));
    let opportunities = wire.records("Opportunity");
    let ids: BTreeSet<&str> = opportunities
        .iter()
        .map(|record| text(record, "Id"))
        .collect();
    for (page, page_rows) in [(7, 2000), (200, 2000), (200, 3)] {
        wire.set_page_rows(page_rows);
        let listed = changes(&ports, "Opportunity", Timestamp::UNIX_EPOCH, page);
        assert_eq!(listed.len(), ids.len(), "{page}");
        let listed: BTreeSet<&str> = listed.iter().map(|(id, _)| &**id).collect();
        assert_eq!(listed, ids);
    }
    let lines: usize = opportunities
        .iter()
        .map(|record| lines_of(record).len())
        .sum();
    let listed = changes(&ports, "OpportunityLineItem", Timestamp::UNIX_EPOCH, 100);
    assert_eq!(listed.len(), lines);
    assert!(
        listed
            .iter()
            .all(|(id, version)| ids.contains(&**id) && version.is_none())
    );
}

#[test]
fn edits_and_deletions_are_seen() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    wire.wait(SignedDuration::from_secs(2));
    let start = wire.now();
    let edited = wire.opportunity_with_lines(2);
    let edited_id = text(&edited, "Id");
    let line = text(&lines_of(&edited)[0], "Id").to_owned();
    let count = lines_of(&edited).len();
    wire.delete("OpportunityLineItem", &line);
    let others = wire.records("Opportunity");
    let gone = others
        .iter()
        .map(|record| text(record, "Id"))
        .find(|id| *id != edited_id)
        .unwrap();
    wire.delete("Opportunity", gone);
    wire.wait(SignedDuration::from_secs(2));

    let listed = changes(&ports, "OpportunityLineItem", start, 100);
    assert!(listed.iter().any(|(id, _)| id == edited_id), "{listed:?}");
    let record = present(&ports, edited_id);
    let lines = record.body.list("OpportunityLineItems").unwrap();
    assert_eq!(lines.len(), count - 1, "deleted lines are not there");
    assert!(lines.iter().all(|left| left["Id"] != line.as_str()));

    let listed = changes(&ports, "Opportunity", start, 100);
    assert!(listed.iter().any(|(id, _)| id == gone), "{listed:?}");
    let fetch = |id: &str| run(opportunities().fetch(&ports, id, &select())).unwrap();
    assert_eq!(fetch(gone), Observed::Gone(Gone::Deleted));
    assert_eq!(fetch("006000000000000AAA"), Observed::Gone(Gone::Unknown));
}

#[test]
fn fields_are_written_back_and_change_the_version() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let held = wire.opportunity_with_lines(1);
    let id = text(&held, "Id");
    let before = present(&ports, id);
    wire.wait(SignedDuration::from_secs(2));
    let mut fields = Map::new();
    fields.insert("NetSuite_Order_Id__c".into(), "4711".into());
    for _ in 0..2 {
        run(opportunities().write_back(&ports, id, &fields)).unwrap();
    }
    let after = present(&ports, id);
    assert_eq!(after.body["NetSuite_Order_Id__c"], "4711");
    assert!(after.version > before.version);
    fields.insert("No_Such_Field__c".into(), 1.into());
    let fault = run(opportunities().write_back(&ports, id, &fields)).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (errors::REQUEST, &Action::StopFlow)
    );
    fields.clear();
    fields.insert("Name".into(), "x".repeat(500).into());
    let fault = run(opportunities().write_back(&ports, id, &fields)).unwrap_err();
    assert_eq!(fault.code, errors::INVALID);
    assert_eq!(fault.fields[0].path, "Name");
    wire.delete("Opportunity", id);
    let fault = run(opportunities().write_back(&ports, id, &fields)).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (errors::NOT_FOUND, &Action::Retry)
    );
}

#[test]
fn records_are_upserted_by_external_id() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let settings = Settings::read(&*ports.variables).unwrap();
    let key = "netsuite:customer:1/2 'x':Account";
    let fields = json!({"Name": "Acme"}).as_object().unwrap().clone();
    let upsert = || {
        run(client::upsert(
            &ports,
            &settings,
            "Account",
            "External_Id__c",
            key,
            &fields,
        ))
    };
    let Upserted { id, created } = upsert().unwrap();
    assert!(created);
    assert_eq!(upsert().unwrap(), Upserted { id, created: false });
    let names = ["Name", "External_Id__c"];
    let got = run(client::retrieve(&ports, &settings, "Account", id, &names)).unwrap();
    assert_eq!(got.unwrap()["External_Id__c"], key);
    let unknown = Id::parse("001000000000000").unwrap();
    let got = run(client::retrieve(
        &ports, &settings, "Account", unknown, &names,
    ))
    .unwrap();
    assert_eq!(got, None);
    let got = client::upsert(&ports, &settings, "Account", "Phone", "1", &fields);
    assert_eq!(run(got).unwrap_err().code, errors::REQUEST);
}

#[test]
fn an_expired_session_is_replaced_unnoticed() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let id = text(&wire.opportunity_with_lines(1), "Id").to_owned();
    present(&ports, &id);
    assert_eq!(wire.asked(), 2, "a login and a query");
    present(&ports, &id);
    assert_eq!(wire.asked(), 3);
    wire.expire_tokens();
    present(&ports, &id);
    assert_eq!(wire.asked(), 6, "a refusal, a login and a query");
}

#[test]
fn wrong_credentials_stop_the_flow() {
    let wire = Wire::new();
    let mut ports = wire.ports(MODE);
    let mut variables = sluice_core::memory::MapVariables::default();
    for variable in salesforce::VARIABLES {
        if let Some(value) = ports.variables.get(variable.name).unwrap() {
            variables.0.insert(variable.name.to_owned(), value);
        }
    }
    variables
        .0
        .insert("salesforce_client_secret".into(), "wrong".into());
    ports.variables = std::rc::Rc::new(variables);
    let fault = run(opportunities().fetch(&ports, "006000000000000AAA", &select())).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (errors::LOGIN, &Action::StopFlow)
    );
    assert!(!fault.to_string().contains("wrong"));
}

#[test]
fn every_refusal_of_the_vendor_is_understood() {
    use WriteOutcome::{Nothing, Unknown};
    for (refusal, times, code, write) in [
        (Refusal::RateLimit, 1, errors::LIMIT, Nothing),
        (Refusal::Concurrency, 1, errors::LIMIT, Nothing),
        (Refusal::ConcurrencyAsLogin, 2, errors::LOGIN, Nothing),
        (Refusal::Locked, 1, errors::LOCKED, Nothing),
        (Refusal::ServerError, 1, errors::UNAVAILABLE, Unknown),
        (Refusal::Unavailable, 1, errors::UNAVAILABLE, Unknown),
    ] {
        let wire = Wire::new();
        let ports = wire.ports(MODE);
        let id = text(&wire.opportunity_with_lines(1), "Id").to_owned();
        present(&ports, &id);
        wire.refuse(refusal, times);
        let mut fields = Map::new();
        fields.insert("NetSuite_Order_Id__c".into(), "1".into());
        let got = run(opportunities().write_back(&ports, &id, &fields));
        let fault = match got {
            // The login between the two refusals was refused instead.
            Err(fault) => fault,
            Ok(()) => panic!("{refusal:?} went unnoticed"),
        };
        assert_eq!((fault.code, fault.write), (code, write), "{refusal:?}");
        run(opportunities().write_back(&ports, &id, &fields)).unwrap();
    }
}

#[test]
fn a_write_whose_answer_was_lost_has_happened() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let id = text(&wire.opportunity_with_lines(1), "Id").to_owned();
    present(&ports, &id);
    wire.lose_answers(1);
    let mut fields = Map::new();
    fields.insert("NetSuite_Order_Id__c".into(), "9".into());
    let fault = run(opportunities().write_back(&ports, &id, &fields)).unwrap_err();
    assert_eq!(
        (&fault.action, fault.write),
        (&Action::Retry, WriteOutcome::Unknown)
    );
    assert_eq!(present(&ports, &id).body["NetSuite_Order_Id__c"], "9");
}

#[test]
fn what_the_organization_announces_is_accepted() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    wire.announce();
    let id = text(&wire.opportunity_with_lines(1), "Id").to_owned();
    wire.change("Opportunity", &id, json!({"StageName": "Closed Won"}));
    let held = present(&ports, &id);
    wire.wait(SignedDuration::from_secs(60));
    let hooks = opportunities().hooks();
    let mut seen = BTreeSet::new();
    for delivery in wire.deliveries() {
        let path = delivery
            .request
            .uri()
            .path()
            .strip_prefix("/hooks/f/")
            .unwrap()
            .to_owned();
        let (name, rest) = path.split_once('/').unwrap_or((&path, ""));
        let hook: &dyn Hook = &**hooks.iter().find(|hook| hook.name() == name).unwrap();
        let hints = run(hook.verify(&ports, rest, &delivery.request)).unwrap();
        assert_eq!(hints.len(), 1);
        assert_eq!(hints[0].id, held.id);
        assert_eq!(hints[0].version, Some(held.version));
        wire.delivered(&delivery, &hook.acknowledge());
        seen.insert(hook.name());
    }
    assert_eq!(seen, ["json", "outbound-message"].into());
    wire.wait(SignedDuration::from_hours(3));
    assert!(
        wire.deliveries().is_empty(),
        "acknowledged is not sent again"
    );
}

#[test]
fn many_records_are_read_in_one_look_up() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let id = text(&wire.opportunity_with_lines(2), "Id").to_owned();
    let others = wire.records("Opportunity");
    let mut others = others.iter().map(|record| text(record, "Id"));
    let deleted = others.find(|other| *other != id).unwrap().to_owned();
    wire.delete("Opportunity", &deleted);
    let unknown = "006000000000000AAA".to_owned();
    let mut ids = vec![
        id.clone(),
        deleted.clone(),
        "nonsense".into(),
        unknown.clone(),
    ];
    // More than one query takes.
    ids.extend((0..300).map(|number| format!("006000000000{number:03}")));
    let before = wire.asked();
    let seen = run(opportunities().fetch_all(&ports, &ids, &select())).unwrap();
    assert!(wire.asked() - before < 5, "a login and a few queries");
    assert_eq!(seen.len(), ids.len());
    assert_eq!(seen[&id], Observed::Present(present(&ports, &id)));
    assert_eq!(seen[&deleted], Observed::Gone(Gone::Deleted));
    assert_eq!(seen["nonsense"], Observed::Gone(Gone::Unknown));
    assert_eq!(seen[&unknown], Observed::Gone(Gone::Unknown));
}

#[test]
fn records_are_found_by_what_a_field_holds() {
    let wire = Wire::new();
    let ports = wire.ports(MODE);
    let name = "O'Brien \\ 5%";
    let ids: Vec<String> = wire.records("Opportunity")[..2]
        .iter()
        .map(|record| text(record, "Id").to_owned())
        .collect();
    wire.change("Opportunity", &ids[0], json!({ "PO_Number__c": name }));
    wire.change("Opportunity", &ids[1], json!({"PO_Number__c": "PO-2!"}));
    let find = |keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        run(opportunities().find_all(&ports, "PO_Number__c", &keys)).unwrap()
    };
    let found = find(&[name, "po-2!", "PO-3!", ""]);
    assert_eq!(
        found,
        [(name.to_owned(), Found::One(ids[0].clone()))].into()
    );
    wire.change("Opportunity", &ids[0], json!({"PO_Number__c": "PO-2!"}));
    assert!(matches!(&find(&["PO-2!"])["PO-2!"], Found::Several(ids) if ids.len() == 2));
}
