//! Customers and lists through the record service.

use super::*;

#[test]
fn a_customer_comes_and_goes() {
    let mut desk = Desk::new();
    let us = desk.us();
    let body = json!({
        "companyName": "Harbour Tools",
        "subsidiary": {"id": us},
        "email": "office@harbour.example",
        "addressBook": {"items": [{
            "defaultBilling": true,
            "addressBookAddress": {"addr1": "1 Quay", "city": "Boston", "country": {"id": "US"}},
        }]},
    });
    let reply = desk.post("/record/v1/customer", &body);
    let id = reply.id();
    assert_eq!(
        reply.headers["location"],
        format!("http://{HOST}/services/rest/record/v1/customer/{id}")
    );
    let reply = desk.get(&format!("/record/v1/customer/{id}"));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["entityId"], "Harbour Tools");
    assert_eq!(reply.body["id"], id);
    assert_eq!(reply.body["subsidiary"]["id"], us);
    assert_eq!(reply.body["subsidiary"]["refName"], "Brightwater Inc.");
    assert_eq!(reply.body["currency"]["refName"], "US Dollar");
    assert!(
        reply.body["addressBook"]["items"].is_null(),
        "sublists are links"
    );
    assert_eq!(reply.body["lastModifiedDate"], "2026-03-02T09:00:00Z");
    let reply = desk.get(&format!("/record/v1/customer/{id}?expandSubResources=true"));
    let address = &reply.body["addressBook"]["items"][0];
    assert_eq!(
        address["addressBookAddress"]["country"]["refName"],
        "United States"
    );
    assert_eq!(address["defaultBilling"], true);
    let currencies = reply.body["currencyList"]["items"].as_array().unwrap();
    assert_eq!(currencies.len(), 1);
    let reply = desk.get(&format!(
        "/record/v1/customer/{id}?fields=companyName,email"
    ));
    assert_eq!(reply.body["email"], "office@harbour.example");
    assert!(reply.body["subsidiary"].is_null());
    let reply = desk.patch(
        &format!("/record/v1/customer/{id}"),
        &json!({"email": null, "phone": "+1 555 0100"}),
    );
    assert_eq!(reply.id(), id);
    let reply = desk.get(&format!("/record/v1/customer/{id}"));
    assert!(reply.body["email"].is_null());
    assert_eq!(reply.body["phone"], "+1 555 0100");
    assert_eq!(
        desk.delete(&format!("/record/v1/customer/{id}")).status,
        204
    );
    let reply = desk.get(&format!("/record/v1/customer/{id}"));
    assert_eq!((reply.status, reply.code()), (404, "NONEXISTENT_ID"));
}

#[test]
fn an_upsert_repeated_changes_nothing() {
    let mut desk = Desk::new();
    let body = json!({"companyName": "Twice", "subsidiary": {"externalId": "us"}});
    let path = "/record/v1/customer/eid:salesforce:Account:001A:customer";
    let first = desk.put(path, &body);
    let second = desk.put(
        "/record/v1/customer/eid:SALESFORCE%3Aaccount%3A001a%3ACustomer",
        &body,
    );
    assert_eq!((first.status, second.status), (204, 204));
    assert_eq!(first.id(), second.id());
    assert_eq!(desk.account.records("customer").unwrap().len(), 1);
    let reply = desk.get("/record/v1/customer/eid:salesforce:account:001a:customer");
    // Kept as first written, compared without case.
    assert_eq!(reply.body["externalId"], "salesforce:Account:001A:customer");
    let reply = desk.post(
        "/record/v1/customer",
        &json!({"companyName": "Other", "externalId": "salesforce:ACCOUNT:001A:customer",
                "subsidiary": {"externalId": "US"}}),
    );
    assert_eq!((reply.status, reply.code()), (400, "DUP_RCRD"));
    let reply = desk.get("/record/v1/customer/eid:nobody");
    assert_eq!((reply.status, reply.code()), (404, "NONEXISTENT_ID"));
    let reply = desk.put("/record/v1/customer/17", &body);
    assert_eq!(reply.status, 405);
}

#[test]
fn external_ids_are_shared_by_a_family_of_types() {
    let mut desk = Desk::new();
    let body = json!({"itemId": "X-1"});
    assert_eq!(
        desk.put("/record/v1/inventoryItem/eid:x1", &body).status,
        204
    );
    let body = json!({"itemId": "X-2"});
    let reply = desk.put("/record/v1/serviceSaleItem/eid:X1", &body);
    assert_eq!((reply.status, reply.code()), (400, "DUP_RCRD"));
    assert!(
        !desk.customer("x1").is_empty(),
        "entities are another family"
    );
    let reply = desk.get("/record/v1/serviceSaleItem/eid:x1");
    assert_eq!(reply.status, 404, "of another type");
}

#[test]
fn what_is_missing_is_named() {
    let mut desk = Desk::new();
    let reply = desk.post("/record/v1/customer", &json!({}));
    assert_eq!((reply.status, reply.code()), (400, "USER_ERROR"));
    assert_eq!(
        reply.detail(),
        "Error while accessing a resource. Please enter value(s) for: Company Name, Primary Subsidiary."
    );
    let reply = desk.post(
        "/record/v1/customer",
        &json!({"isPerson": true, "firstName": "Ada"}),
    );
    assert!(
        reply
            .detail()
            .ends_with("for: Last Name, Primary Subsidiary."),
        "{}",
        reply.detail()
    );
    assert!(desk.account.records("customer").unwrap().is_empty());
}

#[test]
fn bad_values_are_all_named_at_their_paths() {
    let mut desk = Desk::new();
    let body = json!({
        "companyName": "x".repeat(84),
        "subsidiary": {"id": "999"},
        "parent": {"externalId": "nobody"},
        "isInactive": "yes",
        "creditLimit": "much",
        "addressBook": {"items": [{"addressBookAddress": {"country": {"id": "XX"}}}]},
    });
    let reply = desk.post("/record/v1/customer", &body);
    assert_eq!(reply.status, 400);
    let details = reply.body["o:errorDetails"].as_array().unwrap();
    let mut found: Vec<(String, String)> = details
        .iter()
        .map(|d| {
            (
                d["o:errorPath"].as_str().unwrap().to_owned(),
                d["o:errorCode"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    found.sort();
    let expected = [
        (
            "addressBook.items[0].addressBookAddress.country",
            "INVALID_CONTENT",
        ),
        ("companyName", "USER_ERROR"),
        ("creditLimit", "INVALID_VALUE"),
        ("isInactive", "INVALID_VALUE"),
        ("parent", "INVALID_CONTENT"),
        ("subsidiary", "INVALID_CONTENT"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(path, code)| ((*path).to_owned(), (*code).to_owned()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn unknown_names_warn_unless_told_otherwise() {
    let mut desk = Desk::new();
    let body =
        json!({"companyName": "Warned", "subsidiary": {"externalId": "US"}, "colour": "red"});
    let bytes = body.to_string();
    let reply = desk.send("PUT", "/record/v1/customer/eid:w", &[], bytes.as_bytes());
    assert_eq!(reply.status, 204);
    assert_eq!(
        reply.headers["x-netsuite-propertyvalidation"],
        "Unknown property: colour"
    );
    let strict = [("X-NetSuite-PropertyNameValidation", "Error")];
    let reply = desk.send(
        "PUT",
        "/record/v1/customer/eid:w",
        &strict,
        bytes.as_bytes(),
    );
    assert_eq!(
        (reply.status, reply.code(), reply.path()),
        (400, "INVALID_CONTENT", "colour")
    );
    let silent = [("X-NetSuite-PropertyNameValidation", "Ignore")];
    let reply = desk.send(
        "PUT",
        "/record/v1/customer/eid:w",
        &silent,
        bytes.as_bytes(),
    );
    assert!(reply.headers.get("x-netsuite-propertyvalidation").is_none());
    let odd = [("X-NetSuite-PropertyNameValidation", "Maybe")];
    let reply = desk.send("PUT", "/record/v1/customer/eid:w", &odd, bytes.as_bytes());
    assert_eq!((reply.status, reply.code()), (400, "INVALID_HEADER"));
    let lenient = [("X-NetSuite-PropertyValueValidation", "Warning")];
    let body = json!({"isInactive": "yes"}).to_string();
    let reply = desk.send(
        "PATCH",
        "/record/v1/customer/eid:w",
        &lenient,
        body.as_bytes(),
    );
    assert_eq!(reply.status, 204);
}

#[test]
fn a_customer_id_is_unique_and_parents_do_not_circle() {
    let mut desk = Desk::new();
    let a = desk.customer("a");
    let b = desk.customer("b");
    let body = json!({"companyName": "COMPANY A", "subsidiary": {"externalId": "US"}});
    let reply = desk.post("/record/v1/customer", &body);
    assert_eq!(
        (reply.code(), reply.detail()),
        (
            "USER_ERROR",
            "Error while accessing a resource. This entity already exists."
        )
    );
    let path = format!("/record/v1/customer/{b}");
    assert_eq!(desk.patch(&path, &json!({"parent": {"id": a}})).status, 204);
    let path = format!("/record/v1/customer/{a}");
    let reply = desk.patch(&path, &json!({"parent": {"id": b}}));
    assert_eq!(reply.code(), "USER_ERROR");
    let reply = desk.patch(&path, &json!({"parent": {"id": a}}));
    assert_eq!(reply.code(), "USER_ERROR");
    let reply = desk.delete(&path);
    assert_eq!(reply.code(), "USER_ERROR", "b hangs on it");
    assert_eq!(
        desk.patch(
            &format!("/record/v1/customer/{b}"),
            &json!({"parent": null})
        )
        .status,
        204
    );
    assert_eq!(desk.delete(&path).status, 204);
}

#[test]
fn addresses_are_added_updated_and_replaced() {
    let mut desk = Desk::new();
    let id = desk.customer("a");
    let path = format!("/record/v1/customer/{id}");
    let add = json!({"addressBook": {"items": [
        {"label": "one", "defaultBilling": true, "addressBookAddress": {"city": "Rome"}}]}});
    assert_eq!(desk.patch(&path, &add).status, 204);
    assert_eq!(desk.patch(&path, &add).status, 204);
    let expanded = format!("{path}?expandSubResources=true");
    let book = desk.get(&expanded).body["addressBook"]["items"].clone();
    assert_eq!(
        book.as_array().unwrap().len(),
        2,
        "without replace, lines are added"
    );
    assert_eq!(book[0]["defaultBilling"], false, "the later line took it");
    let key = book[0]["internalId"].clone();
    let change = json!({"addressBook": {"items": [{"internalId": key, "label": "uno"}]}});
    assert_eq!(desk.patch(&path, &change).status, 204);
    let book = desk.get(&expanded).body["addressBook"]["items"].clone();
    assert_eq!(book[0]["label"], "uno");
    assert_eq!(book[0]["addressBookAddress"]["city"], "Rome");
    assert_eq!(
        desk.patch(&format!("{path}?replace=addressBook"), &add)
            .status,
        204
    );
    let book = desk.get(&expanded).body["addressBook"]["items"].clone();
    assert_eq!(book.as_array().unwrap().len(), 1);
    assert_eq!(book[0]["label"], "one");
    let reply = desk.patch(&format!("{path}?replace=nothing"), &add);
    assert_eq!((reply.status, reply.code()), (400, "INVALID_PARAMETER"));
    let clear = format!("{path}?replace=comments,addressBook&replaceSelectedFields=true");
    assert_eq!(
        desk.patch(&path, &json!({"comments": "soon gone"})).status,
        204
    );
    assert_eq!(desk.patch(&clear, &json!({})).status, 204);
    let reply = desk.get(&expanded);
    assert!(reply.body["comments"].is_null());
    assert_eq!(reply.body["addressBook"]["totalResults"], 0);
}

#[test]
fn wrong_addresses_are_told_apart() {
    let mut desk = Desk::new();
    for (path, status, code) in [
        ("/record/v1/bad-path", 404, "NONEXISTENT_RECORD_TYPE"),
        ("/record/v1/customer/-1", 404, "NONEXISTENT_ID"),
        (
            "/record/v1/customer/99999999999999999999",
            404,
            "NONEXISTENT_ID",
        ),
        ("/record/v1/customer/abc", 400, "INVALID_ID"),
        ("/record/v1/customer/eid:", 404, "NONEXISTENT_ID"),
        ("/record/v2/customer", 404, "NOT_FOUND"),
        ("/nothing", 404, "NOT_FOUND"),
        ("/record/v1/term?expandSubResources=maybe", 200, ""),
    ] {
        let reply = desk.get(path);
        assert_eq!((reply.status, reply.code()), (status, code), "{path}");
    }
    assert_eq!(desk.delete("/record/v1/customer").status, 405);
    let reply = desk.send(
        "POST",
        "/record/v1/customer",
        &[("prefer", "respond-async")],
        b"{}",
    );
    assert_eq!((reply.status, reply.code()), (400, "INVALID_HEADER"));
    let reply = desk.get("/system/v1/governanceLimits");
    assert_eq!(reply.body["accountConcurrencyLimit"], 15);
    let reply = desk.get("/record/v1/metadata-catalog/");
    assert_eq!(reply.status, 200);
    assert!(reply.body["items"].as_array().unwrap().len() > 5);
    assert_eq!(desk.get("/record/v1/metadata-catalog/customer").status, 200);
}

#[test]
fn users_edit_behind_the_integrations_back() {
    let mut desk = Desk::new();
    let late = Catalogue::new(7).late_items[0].clone();
    let id = desk.account.enter_item(&late, desk.now).unwrap();
    let twice = desk.account.enter_item(&late, desk.now);
    assert!(
        matches!(twice, Err(crate::EditError::Refused(_))),
        "{twice:?}"
    );
    let kind = if late.kind == crate::seed::ItemKind::Service {
        "serviceSaleItem"
    } else if late.kind == crate::seed::ItemKind::Inventory {
        "inventoryItem"
    } else {
        "nonInventorySaleItem"
    };
    desk.wait(SignedDuration::from_secs(60));
    let edited = desk
        .account
        .edit(kind, &id, json!({"isInactive": true}), desk.now)
        .unwrap();
    assert_eq!(edited["isInactive"], true);
    let missing = desk.account.edit(kind, "1", json!({}), desk.now);
    assert!(matches!(missing, Err(crate::EditError::NotFound(_))));
    assert!(
        desk.account
            .edit("nothing", "1", json!({}), desk.now)
            .is_err()
    );
    assert!(
        desk.account
            .create(kind, json!({"nonsense": 1}), desk.now)
            .is_err()
    );
    desk.account.remove(kind, &id, desk.now).unwrap();
    assert!(desk.account.remove(kind, &id, desk.now).is_err());
    assert!(desk.account.records("nothing").is_none());
}

#[test]
fn what_an_administrator_set_up_has_the_same_ids_for_every_seed() {
    for seed in [0, 1, 7, u64::MAX] {
        let now = Timestamp::UNIX_EPOCH;
        let account = NetSuite::new(seed, &Catalogue::new(seed), Options::default(), now).unwrap();
        for (kind, expected) in [
            ("subsidiary", ["3", "4"].as_slice()),
            ("currency", &["4", "5", "6"]),
            ("term", &["11", "12", "13"]),
        ] {
            let records = account.records(kind).unwrap();
            let ids: Vec<&str> = records
                .iter()
                .filter_map(|record| record["id"].as_str())
                .collect();
            assert_eq!(ids, expected, "{kind} of seed {seed}");
        }
    }
}
