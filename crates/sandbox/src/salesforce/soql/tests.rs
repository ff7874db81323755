use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::plan;
use crate::salesforce::{Salesforce, Settings};

fn now() -> Timestamp {
    "2026-05-10T12:00:00Z".parse().unwrap()
}

/// Three accounts, A over B, and O'Neil & Söhne apart; A has two opportunities, B one without lines.
fn organization() -> Salesforce {
    let mut org = Salesforce::new(1, Settings::new(1));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let mut make = |kind: &str, fields: Json, when: &str| {
        org.user_create(kind, fields, at(when)).unwrap().to_string()
    };
    let a = make(
        "Account",
        json!({"Name": "A 100%_ok", "Phone": "1", "AnnualRevenue": 100, "NumberOfEmployees": 5}),
        "2026-05-01T10:00:00.900Z",
    );
    let b = make(
        "Account",
        json!({"Name": "b", "ParentId": a, "CurrencyIsoCode": "EUR", "External_Id__c": "Key-B"}),
        "2026-05-02T10:00:00Z",
    );
    make(
        "Account",
        json!({"Name": "O'Neil \\ Söhne", "AnnualRevenue": 7.0}),
        "2026-05-10T09:00:00Z",
    );
    let p = make(
        "Product2",
        json!({"Name": "P", "ProductCode": "P-1", "IsActive": true}),
        "2026-05-01T10:00:00Z",
    );
    let line = |quantity: u32, order: u32| json!({"Product2Id": p, "Quantity": quantity, "UnitPrice": "2.50", "SortOrder": order});
    let opportunity = |name: &str, account: &str, stage: &str, close: &str, lines: Json| {
        json!({"Name": name, "AccountId": account, "StageName": stage, "CloseDate": close,
               "OpportunityLineItems": lines})
    };
    let lines = json!([line(3, 2), line(1, 1)]);
    make(
        "Opportunity",
        opportunity("One", &a, "Closed Won", "2026-05-10", lines),
        "2026-05-03T10:00:00Z",
    );
    make(
        "Opportunity",
        opportunity("Two", &a, "Prospecting", "2026-06-01", json!([line(2, 1)])),
        "2026-05-04T10:00:00Z",
    );
    make(
        "Opportunity",
        opportunity("Three", &b, "Closed Won", "2026-04-30", json!([])),
        "2026-05-05T10:00:00Z",
    );
    org
}

/// The names a condition on accounts or opportunities selects, in order.
fn check(from: &str, rest: &str, expect: &[&str]) {
    let org = organization();
    let soql = format!("SELECT Name FROM {from} {rest}");
    let rows = org
        .select(&soql, now())
        .unwrap_or_else(|fault| panic!("{soql}: {fault}"));
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["Name"].as_str().unwrap())
        .collect();
    assert_eq!(names, expect, "{soql}");
}

const A: &str = "A 100%_ok";
const O: &str = "O'Neil \\ Söhne";

#[test]
fn conditions_on_accounts() {
    for (rest, expect) in [
        ("", &[A, "b", O][..]),
        ("WHERE Name = 'B'", &["b"]),
        ("where name = 'b'", &["b"]),
        ("WHERE Name != 'b'", &[A, O]),
        ("WHERE Phone != '2'", &[A, "b", O]),
        ("WHERE Phone = null", &["b", O]),
        ("WHERE Phone <> null", &[A]),
        ("WHERE Name = 'O\\'Neil \\\\ S\\u00f6hne'", &[O]),
        ("WHERE Name LIKE 'o\\'neil%'", &[O]),
        ("WHERE Name LIKE '%100\\%\\_ok'", &[A]),
        ("WHERE Name LIKE '%100__ok'", &[A]),
        ("WHERE Name LIKE '_'", &["b"]),
        ("WHERE Name LIKE '%'", &[A, "b", O]),
        ("WHERE (NOT Name LIKE '%o%')", &["b"]),
        ("WHERE NOT Name = 'b' AND Phone = null", &[O]),
        ("WHERE AnnualRevenue > 7", &[A]),
        ("WHERE AnnualRevenue >= 7.00", &[A, O]),
        ("WHERE AnnualRevenue < 1000", &[A, O]),
        ("WHERE NumberOfEmployees = 5", &[A]),
        ("WHERE Name IN ('b', 'A 100%_ok', 'c')", &[A, "b"]),
        ("WHERE Name NOT IN ('b')", &[A, O]),
        ("WHERE Phone NOT IN ('1')", &["b", O]),
        ("WHERE Phone IN (null, '1')", &[A, "b", O]),
        (
            "WHERE (Name = 'b' OR Phone = '1') AND CurrencyIsoCode = 'USD'",
            &[A],
        ),
        ("WHERE External_Id__c = 'key-b'", &["b"]),
        ("WHERE Parent.Name LIKE 'A%'", &["b"]),
        ("WHERE Parent.Name = null", &[A, O]),
        ("WHERE Parent.Parent.Name != 'x'", &[A, "b", O]),
        ("WHERE CreatedDate > 2026-05-01T10:00:00Z", &["b", O]),
        ("WHERE CreatedDate >= 2026-05-01T10:00:00Z", &[A, "b", O]),
        ("WHERE CreatedDate <= 2026-05-01T12:00:00+02:00", &[A]),
        ("WHERE SystemModstamp > 2026-05-01T10:00:00.500Z", &["b", O]),
        (
            "WHERE SystemModstamp >= 2026-05-02T10:00:00.000+0000",
            &["b", O],
        ),
        ("WHERE CreatedDate = TODAY", &[O]),
        ("WHERE CreatedDate < TODAY", &[A, "b"]),
        ("WHERE CreatedDate = LAST_N_DAYS:8", &["b", O]),
        (
            "WHERE Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)",
            &[A, "b"],
        ),
        ("WHERE Id NOT IN (SELECT AccountId FROM Opportunity)", &[O]),
        ("ORDER BY Name DESC", &[O, "b", A]),
        ("ORDER BY AnnualRevenue", &["b", O, A]),
        ("ORDER BY AnnualRevenue DESC", &["b", A, O]),
        ("ORDER BY AnnualRevenue DESC NULLS LAST", &[A, O, "b"]),
        ("ORDER BY AnnualRevenue ASC NULLS LAST, Name", &[O, A, "b"]),
        ("ORDER BY Parent.Name NULLS LAST, Name DESC", &["b", O, A]),
        ("ORDER BY Name LIMIT 1", &[A]),
        ("ORDER BY Name LIMIT 1 OFFSET 1", &["b"]),
        ("ORDER BY Name OFFSET 5", &[]),
        ("LIMIT 0", &[]),
        ("acc WHERE acc.Name = 'b'", &["b"]),
        ("WHERE Account.Name = 'b'", &["b"]),
    ] {
        check("Account", rest, expect);
    }
}

#[test]
fn conditions_on_opportunities() {
    for (rest, expect) in [
        ("WHERE StageName = 'Closed Won'", &["One", "Three"][..]),
        ("WHERE IsWon = false", &["Two"]),
        ("WHERE CloseDate = 2026-05-10", &["One"]),
        ("WHERE CloseDate = TODAY", &["One"]),
        ("WHERE CloseDate > TODAY", &["Two"]),
        ("WHERE CloseDate = NEXT_N_DAYS:30", &["Two"]),
        ("WHERE CloseDate <= TODAY", &["One", "Three"]),
        ("WHERE Amount = 10", &["One"]),
        ("WHERE Account.Name = 'b'", &["Three"]),
        ("WHERE Account.Parent.Name != null", &["Three"]),
        (
            "WHERE Opportunity.Account.Phone = '1' ORDER BY Name DESC",
            &["Two", "One"],
        ),
        (
            "WHERE LastModifiedBy.Username != null AND (Amount = null OR Amount = 5)",
            &["Two", "Three"],
        ),
    ] {
        check("Opportunity", rest, expect);
    }
}

#[test]
fn parents_and_children_show_inside() {
    let org = organization();
    let rows = org
        .select(
            "SELECT Name, Account.Name, Account.Parent.Name, Account.Id, \
             (SELECT Quantity, Product2.Name FROM OpportunityLineItems ORDER BY SortOrder) FROM Opportunity",
            now(),
        )
        .unwrap();
    let one = &rows[0];
    assert_eq!(one["Account"]["Name"], A);
    assert_eq!(one["Account"]["Parent"], Json::Null);
    assert_eq!(one["Account"]["attributes"]["type"], "Account");
    let lines = &one["OpportunityLineItems"];
    assert_eq!(
        (&lines["totalSize"], &lines["done"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(lines["records"][0]["Quantity"].to_string(), "1.0");
    assert_eq!(lines["records"][1]["Product2"]["Name"], "P");
    assert_eq!(rows[2]["OpportunityLineItems"], Json::Null, "none is null");
    assert_eq!(rows[2]["Account"]["Parent"]["Name"], A);
}

#[test]
fn names_come_back_as_the_schema_has_them() {
    let org = organization();
    let rows = org
        .select(
            "select ID, nAmE, account.nAME from opportunity limit 1",
            now(),
        )
        .unwrap();
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Account", "Id", "Name", "attributes"]);
}

#[test]
fn fields_by_the_dozen() {
    let org = organization();
    let rows = org
        .select("SELECT FIELDS(ALL) FROM Account LIMIT 200", now())
        .unwrap();
    assert!(rows[0].as_object().unwrap().len() > 20);
    let rows = org
        .select("SELECT FIELDS(STANDARD) FROM Account", now())
        .unwrap();
    assert!(rows[0].get("Subsidiary__c").is_none());
    assert!(
        org.select("SELECT FIELDS(ALL) FROM Account", now())
            .is_err()
    );
}

#[test]
fn refusals() {
    for (query, code, place) in [
        ("", "MALFORMED_QUERY", "Row:1:Column:1"),
        ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "Column:15"),
        (
            "SELECT Id Name FROM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'Name'",
        ),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "<EOF>"),
        (
            "SELECT Id FROM Account WHERE Name = 'x' AND Name = 'y' OR Name = 'z'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'x",
            "MALFORMED_QUERY",
            "mismatched character",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'O'Neil'",
            "MALFORMED_QUERY",
            "mismatched character",
        ),
        (
            "SELECT Id FROM Account WHERE Name = '\\x'",
            "MALFORMED_QUERY",
            "Illegal character sequence",
        ),
        (
            "SELECT Id FROM Account; DROP",
            "MALFORMED_QUERY",
            "no viable alternative",
        ),
        (
            "SELECT Id FROM Account GROUP BY Name",
            "MALFORMED_QUERY",
            "GROUP",
        ),
        (
            "SELECT MAX(Amount) FROM Opportunity",
            "MALFORMED_QUERY",
            "does not offer the function MAX",
        ),
        (
            "SELECT Id FROM Nothing",
            "INVALID_TYPE",
            "sObject type 'Nothing' is not supported",
        ),
        (
            "SELECT Nope FROM Account",
            "INVALID_FIELD",
            "No such column 'Nope' on entity 'Account'",
        ),
        (
            "SELECT Id,\n Nope FROM Account",
            "INVALID_FIELD",
            "Row:2:Column:2",
        ),
        (
            "SELECT Id, Id FROM Account",
            "INVALID_FIELD",
            "duplicate field selected: Id",
        ),
        (
            "SELECT Nope.Name FROM Account",
            "INVALID_FIELD",
            "Didn't understand relationship 'Nope'",
        ),
        (
            "SELECT (SELECT Id FROM Nopes) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Nopes'",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = '2026-01-01'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = 2026-01-01",
            "INVALID_FIELD",
            "dateTime",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Opportunity WHERE IsWon = 'true'",
            "INVALID_FIELD",
            "must be of type boolean",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Amount = '5'",
            "INVALID_FIELD",
            "must be of type double",
        ),
        (
            "SELECT Id FROM Account WHERE Id = 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: x",
        ),
        (
            "SELECT Id FROM Account WHERE Id LIKE '001%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Description = 'x'",
            "INVALID_FIELD",
            "can not be filtered",
        ),
        (
            "SELECT Id FROM Opportunity ORDER BY Description",
            "INVALID_FIELD",
            "can not be sorted",
        ),
        (
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "2000",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-13-01T00:00:00Z",
            "MALFORMED_QUERY",
            "2026-13-01",
        ),
        (
            "SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account",
            "MALFORMED_QUERY",
            "at most 5 levels",
        ),
    ] {
        let error = plan(query).expect_err(query);
        assert_eq!(error.code, code, "{query}: {}", error.message);
        assert!(error.message.contains(place), "{query}: {}", error.message);
    }
}

#[test]
fn the_caret_stands_under_the_word() {
    let error = plan("SELECT Id, Nope FROM Account").unwrap_err();
    let lines: Vec<&str> = error.message.lines().collect();
    assert_eq!(lines[1], "SELECT Id, Nope FROM Account");
    assert_eq!(lines[2].find('^'), lines[1].find("Nope"));
    assert_eq!(lines[3], "ERROR at Row:1:Column:12");
}

#[test]
fn counts() {
    let org = organization();
    let count = |soql: &str| {
        let plan = plan(soql).unwrap();
        let scope = super::Scope {
            store: &org.store,
            all_rows: false,
            now: now(),
        };
        super::count(&plan, &scope)
    };
    assert_eq!(count("SELECT COUNT() FROM Account"), 3);
    assert_eq!(count("SELECT count() FROM Account WHERE Name = 'b'"), 1);
    assert_eq!(count("SELECT COUNT(Phone) FROM Account"), 1);
}
