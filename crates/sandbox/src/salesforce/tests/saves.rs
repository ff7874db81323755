use super::*;

#[test]
fn lines_make_the_amount() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let path = format!("/sobjects/Opportunity/{}", sale.opportunity);
    desk.wait(10);
    let line = desk.make("OpportunityLineItem", sale.line("3", "12.50"));
    desk.make("OpportunityLineItem", sale.line("0.25", "9.99"));
    let (_, opportunity) = desk.get(&path);
    assert_eq!(
        opportunity["Amount"].to_string(),
        "40.0",
        "37.50 and 2.4975 rounded half up"
    );
    assert_eq!(opportunity["HasOpportunityLineItem"], json!(true));
    assert_eq!(
        opportunity["SystemModstamp"],
        "2026-05-01T08:00:10.000+0000"
    );
    let (_, shown) = desk.get(&format!("/sobjects/OpportunityLineItem/{line}"));
    assert_eq!(shown["ProductCode"], "PM-1");
    assert_eq!(shown["CurrencyIsoCode"], "EUR");
    assert_eq!(shown["UnitPrice"].to_string(), "12.5");
    assert_eq!(shown["TotalPrice"].to_string(), "37.5");

    desk.wait(10);
    let line_path = format!("/sobjects/OpportunityLineItem/{line}");
    desk.ask(
        Method::PATCH,
        &line_path,
        Some(&json!({"Description": "as before"})),
    );
    let (_, opportunity) = desk.get(&path);
    assert_eq!(
        opportunity["SystemModstamp"], "2026-05-01T08:00:10.000+0000",
        "a line that leaves the amount alone leaves the opportunity alone"
    );
    desk.ask(Method::PATCH, &line_path, Some(&json!({"Quantity": 4})));
    let (_, opportunity) = desk.get(&path);
    assert_eq!(opportunity["Amount"].to_string(), "52.5");
    assert_eq!(
        opportunity["SystemModstamp"],
        "2026-05-01T08:00:20.000+0000"
    );

    desk.ask(Method::PATCH, &path, Some(&json!({"Amount": 1})));
    assert_eq!(
        desk.get(&path).1["Amount"].to_string(),
        "52.5",
        "ignored, not refused"
    );
    let (_, code, _) = desk.refused(
        Method::PATCH,
        &path,
        Some(json!({"CurrencyIsoCode": "USD"})),
    );
    assert_eq!(code, "FIELD_INTEGRITY_EXCEPTION");
    desk.ask(Method::DELETE, &line_path, None);
    assert_eq!(desk.get(&path).1["Amount"].to_string(), "2.5");
}

#[test]
fn price_or_total() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let mut by_total = sale.line("3", "0");
    by_total.as_object_mut().unwrap().remove("UnitPrice");
    by_total["TotalPrice"] = json!("10");
    let line = desk.make("OpportunityLineItem", by_total.clone());
    let path = format!("/sobjects/OpportunityLineItem/{line}");
    let (_, shown) = desk.get(&path);
    assert_eq!(
        (
            shown["UnitPrice"].to_string(),
            shown["TotalPrice"].to_string()
        ),
        ("3.33".into(), "10.0".into())
    );
    by_total["UnitPrice"] = json!(1);
    let (_, code, _) = desk.refused(
        Method::POST,
        "/sobjects/OpportunityLineItem",
        Some(by_total),
    );
    assert_eq!(code, "FIELD_INTEGRITY_EXCEPTION");
    let moved = json!({"OpportunityId": sale.opportunity});
    assert_eq!(
        desk.refused(Method::PATCH, &path, Some(moved)).1,
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    );
}

#[test]
fn the_stage_decides() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let path = format!("/sobjects/Opportunity/{}", sale.opportunity);
    for (stage, won, closed) in [
        ("Closed Won", true, true),
        ("Closed Lost", false, true),
        ("Prospecting", false, false),
    ] {
        desk.ask(Method::PATCH, &path, Some(&json!({"StageName": stage})));
        let (_, shown) = desk.get(&path);
        assert_eq!(
            (&shown["IsWon"], &shown["IsClosed"]),
            (&json!(won), &json!(closed)),
            "{stage}"
        );
    }
}

#[test]
fn deleting_cascades_and_a_won_sale_holds_its_account() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let child = desk.make(
        "Account",
        json!({"Name": "Child", "ParentId": sale.account}),
    );
    desk.make("OpportunityLineItem", sale.line("1", "1"));
    let account = format!("/sobjects/Account/{}", sale.account);
    let opportunity = format!("/sobjects/Opportunity/{}", sale.opportunity);
    desk.ask(
        Method::PATCH,
        &opportunity,
        Some(&json!({"StageName": "Closed Won"})),
    );
    assert_eq!(
        desk.refused(Method::DELETE, &account, None).1,
        "DELETE_FAILED"
    );
    desk.ask(
        Method::PATCH,
        &opportunity,
        Some(&json!({"StageName": "Closed Lost"})),
    );
    assert_eq!(
        desk.ask(Method::DELETE, &account, None).0,
        StatusCode::NO_CONTENT
    );
    assert!(desk.rows("SELECT Id FROM OpportunityLineItem").is_empty());
    assert_eq!(desk.rows("SELECT Id FROM Opportunity").len(), 0);
    assert_eq!(
        desk.get(&format!("/sobjects/Account/{child}")).1["ParentId"],
        Json::Null
    );
}

#[test]
fn a_circle_of_accounts_is_refused() {
    let mut desk = Desk::new();
    let a = desk.make("Account", json!({"Name": "A"}));
    let b = desk.make("Account", json!({"Name": "B", "ParentId": a}));
    let c = desk.make("Account", json!({"Name": "C", "ParentId": b}));
    let path = format!("/sobjects/Account/{a}");
    assert_eq!(
        desk.refused(Method::PATCH, &path, Some(json!({"ParentId": c})))
            .1,
        "CIRCULAR_DEPENDENCY"
    );
}

#[test]
fn users_edit_too() {
    let mut desk = Desk::stocked();
    let product = desk.rows("SELECT Id FROM Product2 LIMIT 1")[0]["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let fields = json!({
        "Name": "By hand", "StageName": "Prospecting", "CloseDate": "2026-06-01",
        "OpportunityLineItems": [{"Product2Id": product, "Quantity": 2, "UnitPrice": "0.10"}],
    });
    let now = desk.now;
    let made = desk.org.create("Opportunity", fields.clone(), now).unwrap();
    assert_eq!(made["Amount"].to_string(), "0.2");
    assert_eq!(made["OpportunityLineItems"]["totalSize"], json!(1));
    assert_ne!(
        made["LastModifiedById"],
        desk.org.integration_user().to_string()
    );
    let id = made["Id"].as_str().unwrap().to_owned();
    let edited = desk
        .org
        .edit("Opportunity", &id, json!({"Name": "Renamed"}), now)
        .unwrap();
    assert_eq!(edited["Name"], "Renamed");
    desk.org.remove("Opportunity", &id, now).unwrap();
    assert!(desk.org.edit("Opportunity", &id, json!({}), now).is_err());

    let before = desk.org.records("Opportunity").unwrap().len();
    let mut bad = fields;
    bad["OpportunityLineItems"][0]["Quantity"] = json!("many");
    assert!(desk.org.create("Opportunity", bad, now).is_err());
    assert_eq!(
        desk.org.records("Opportunity").unwrap().len(),
        before,
        "all or nothing"
    );
}
