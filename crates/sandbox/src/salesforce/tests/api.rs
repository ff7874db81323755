use super::super::Id;
use super::*;

const NOWHERE: &str = "006000000000000AAA";

#[test]
fn a_record_from_making_to_the_bin() {
    let mut desk = Desk::new();
    let id = desk.make(
        "Account",
        json!({"Name": "  Acme ", "Phone": "", "AnnualRevenue": 12345678.5}),
    );
    assert_eq!(id.len(), 18);
    let (_, account) = desk.get(&format!("/sobjects/Account/{}", &id[..15]));
    assert_eq!(account["Name"], "Acme", "text is trimmed");
    assert_eq!(account["Phone"], Json::Null, "empty text is null");
    let revenue: rust_decimal::Decimal =
        rust_decimal::Decimal::from_scientific(&account["AnnualRevenue"].to_string()).unwrap();
    assert_eq!(revenue, 12_345_679.into(), "rounded to the field's scale");
    assert_eq!(account["CreatedDate"], "2026-05-01T08:00:00.000+0000");
    assert_eq!(
        account["LastModifiedById"],
        desk.org.integration_user().to_string()
    );
    assert_eq!(account["attributes"]["type"], "Account");

    desk.wait(60);
    let path = format!("/sobjects/Account/{id}");
    let (status, body) = desk.ask(Method::PATCH, &path, Some(&json!({"Phone": "1"})));
    assert_eq!((status, body), (StatusCode::NO_CONTENT, Json::Null));
    let (_, account) = desk.get(&format!("{path}?fields=Phone,SystemModstamp"));
    let keys: Vec<&String> = account.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Id", "Phone", "SystemModstamp", "attributes"]);
    assert_eq!(account["SystemModstamp"], "2026-05-01T08:01:00.000+0000");

    assert_eq!(
        desk.ask(Method::DELETE, &path, None).0,
        StatusCode::NO_CONTENT
    );
    let (status, code, _) = desk.refused(Method::GET, &path, None);
    assert_eq!((status, code.as_str()), (404, "ENTITY_IS_DELETED"));
    let (status, code, _) = desk.refused(Method::PATCH, &path, Some(json!({"Phone": "2"})));
    assert_eq!((status, code.as_str()), (404, "ENTITY_IS_DELETED"));
    assert!(desk.rows("SELECT Id FROM Account").is_empty());
    let (_, all) = desk.get("/queryAll?q=SELECT+Id,IsDeleted+FROM+Account");
    assert_eq!(all["records"][0]["IsDeleted"], json!(true));
}

#[test]
fn refusals() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let opportunity = format!("/sobjects/Opportunity/{}", sale.opportunity);
    let account = format!("/sobjects/Account/{}", sale.account);
    let long = "x".repeat(256);
    let nowhere = format!("/sobjects/Opportunity/{NOWHERE}");
    let misplaced = format!("/sobjects/Account/{}", sale.opportunity);
    let odd_field = format!("{account}?fields=Nope");
    desk.make("Account", json!({"Name": "Keyed", "External_Id__c": "K1"}));
    let lines = "/sobjects/OpportunityLineItem";
    let cases: Vec<(Method, &str, Option<Json>, u16, &str)> = vec![
        (
            Method::POST,
            "/sobjects/Account",
            Some(json!({})),
            400,
            "REQUIRED_FIELD_MISSING",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"Name": null})),
            400,
            "REQUIRED_FIELD_MISSING",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"Name": long})),
            400,
            "STRING_TOO_LONG",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"Nope": 1})),
            400,
            "INVALID_FIELD",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"Subsidiary__c": "Mars"})),
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"External_Id__c": "k1"})),
            400,
            "DUPLICATE_VALUE",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"ParentId": sale.account})),
            400,
            "CIRCULAR_DEPENDENCY",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"NumberOfEmployees": 1.5})),
            400,
            "JSON_PARSER_ERROR",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"AnnualRevenue": "1e18"})),
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
        (
            Method::PATCH,
            &account,
            Some(json!({"Name": {"a": 1}})),
            400,
            "JSON_PARSER_ERROR",
        ),
        (
            Method::PATCH,
            &opportunity,
            Some(json!({"IsWon": true})),
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        (
            Method::PATCH,
            &opportunity,
            Some(json!({"CloseDate": "tomorrow"})),
            400,
            "JSON_PARSER_ERROR",
        ),
        (
            Method::PATCH,
            &opportunity,
            Some(json!({"AccountId": "001"})),
            400,
            "MALFORMED_ID",
        ),
        (
            Method::PATCH,
            &opportunity,
            Some(json!({"AccountId": sale.product})),
            400,
            "MALFORMED_ID",
        ),
        (
            Method::PATCH,
            &opportunity,
            Some(json!({"AccountId": "001000000000000AAA"})),
            400,
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            Method::POST,
            lines,
            Some(
                json!({"OpportunityId": sale.opportunity, "Product2Id": sale.product, "Quantity": 1}),
            ),
            400,
            "REQUIRED_FIELD_MISSING",
        ),
        (
            Method::POST,
            "/sobjects/User",
            Some(json!({"Name": "x"})),
            400,
            "INVALID_TYPE_FOR_OPERATION",
        ),
        (
            Method::POST,
            "/sobjects/Account",
            None,
            400,
            "JSON_PARSER_ERROR",
        ),
        (
            Method::POST,
            "/sobjects/Account",
            Some(json!([])),
            400,
            "JSON_PARSER_ERROR",
        ),
        (Method::GET, "/sobjects/Nothing", None, 404, "NOT_FOUND"),
        (
            Method::GET,
            "/sobjects/Account/nothing",
            None,
            404,
            "NOT_FOUND",
        ),
        (Method::GET, &nowhere, None, 404, "NOT_FOUND"),
        (Method::GET, &misplaced, None, 404, "NOT_FOUND"),
        (Method::GET, &odd_field, None, 400, "INVALID_FIELD"),
        (
            Method::GET,
            "/sobjects/Account/Name/Acme",
            None,
            404,
            "NOT_FOUND",
        ),
        (
            Method::PUT,
            &account,
            Some(json!({})),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (Method::POST, "/query?q=x", None, 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/query", None, 400, "MALFORMED_QUERY"),
        (
            Method::GET,
            "/query/01g000000000000AAA-2000",
            None,
            400,
            "INVALID_QUERY_LOCATOR",
        ),
        (
            Method::GET,
            "/query/what",
            None,
            400,
            "INVALID_QUERY_LOCATOR",
        ),
        (Method::GET, "/nothing", None, 404, "NOT_FOUND"),
    ];
    for (method, path, body, status, code) in cases {
        let shown = format!("{method} {path} {body:?}");
        let (got_status, got_code, _) = desk.refused(method, path, body);
        assert_eq!((got_status, got_code.as_str()), (status, code), "{shown}");
    }
    let request = Request::get("/services/data/v12.0/limits")
        .header("authorization", format!("Bearer {}", desk.token))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(desk.send(request).status(), StatusCode::NOT_FOUND);
}

#[test]
fn an_error_names_its_fields() {
    let mut desk = Desk::new();
    let (_, _, error) = desk.refused(
        Method::POST,
        "/sobjects/Opportunity",
        Some(json!({"Name": "x"})),
    );
    assert_eq!(error["fields"], json!(["StageName", "CloseDate"]));
    assert_eq!(
        error["message"],
        "Required fields are missing: [StageName, CloseDate]"
    );
}

#[test]
fn upsert_by_external_id() {
    let mut desk = Desk::new();
    let path = "/sobjects/Account/External_Id__c/a%2Fb%20%C3%A9";
    let (status, made) = desk.ask(Method::PATCH, path, Some(&json!({"Name": "One"})));
    assert_eq!(
        (status, &made["created"]),
        (StatusCode::CREATED, &json!(true)),
        "{made}"
    );
    let (status, found) = desk.ask(Method::PATCH, path, Some(&json!({"Name": "Two"})));
    assert_eq!((status, &found["created"]), (StatusCode::OK, &json!(false)));
    assert_eq!(made["id"], found["id"]);
    let (_, account) = desk.get(path);
    assert_eq!(
        (&account["Name"], &account["External_Id__c"]),
        (&json!("Two"), &json!("a/b é"))
    );

    let named = json!({"Name": "x", "External_Id__c": "a"});
    let (_, code, _) = desk.refused(Method::PATCH, path, Some(named));
    assert_eq!(code, "INVALID_FIELD");
    let only = "/sobjects/Account/External_Id__c/none?updateOnly=true";
    assert_eq!(
        desk.refused(Method::PATCH, only, Some(json!({"Name": "x"})))
            .0,
        404
    );
    let (status, code, _) = desk.refused(
        Method::PATCH,
        "/sobjects/Account/Phone/1",
        Some(json!({"Name": "x"})),
    );
    assert_eq!((status, code.as_str()), (404, "NOT_FOUND"));
}

#[test]
fn upsert_before_v46_and_several_matches() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let deal = json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-05-20",
                      "NetSuite_Order_Id__c": "77"});
    desk.make("Opportunity", deal.clone());
    let old = Request::patch("/services/data/v45.0/sobjects/Opportunity/NetSuite_Order_Id__c/77")
        .header("authorization", format!("Bearer {}", desk.token))
        .body(Bytes::from_static(b"{\"Name\":\"E\"}"))
        .unwrap();
    assert_eq!(desk.send(old).status(), StatusCode::NO_CONTENT);
    desk.make("Opportunity", deal);
    let path = "/sobjects/Opportunity/NetSuite_Order_Id__c/77";
    let (status, urls) = desk.ask(Method::PATCH, path, Some(&json!({"Name": "F"})));
    assert_eq!(status, StatusCode::MULTIPLE_CHOICES);
    assert_eq!(urls.as_array().unwrap().len(), 2);
    assert!(
        urls[0]
            .as_str()
            .unwrap()
            .starts_with("/services/data/v66.0/sobjects/Opportunity/006")
    );
    drop(sale);
}

#[test]
fn collections() {
    let mut desk = Desk::new();
    let account = |name: &str| json!({"attributes": {"type": "Account"}, "Name": name});
    let records = json!({"allOrNone": false, "records": [account("A"), account(""), account("C")]});
    let (status, saved) = desk.ask(Method::POST, "/composite/sobjects", Some(&records));
    assert_eq!(status, StatusCode::OK);
    let flags: Vec<&Json> = saved
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["success"])
        .collect();
    assert_eq!(flags, [&json!(true), &json!(false), &json!(true)]);
    assert_eq!(
        saved[1]["errors"][0]["statusCode"],
        "REQUIRED_FIELD_MISSING"
    );

    let records = json!({"allOrNone": true, "records": [account("D"), account("")]});
    let (_, saved) = desk.ask(Method::POST, "/composite/sobjects", Some(&records));
    assert_eq!(
        saved[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(
        desk.rows("SELECT Id FROM Account").len(),
        2,
        "D was taken back"
    );

    let keyed =
        |key: &str| json!({"attributes": {"type": "Account"}, "Name": key, "External_Id__c": key});
    let records = json!({"records": [keyed("x"), keyed("y"), keyed("x")]});
    let (_, saved) = desk.ask(
        Method::PATCH,
        "/composite/sobjects/Account/External_Id__c",
        Some(&records),
    );
    let created: Vec<&Json> = saved
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["created"])
        .collect();
    assert_eq!(created, [&json!(true), &json!(true), &json!(false)]);

    let ids = format!(
        "{},{}",
        saved[0]["id"].as_str().unwrap(),
        saved[1]["id"].as_str().unwrap()
    );
    let (_, read) = desk.get(&format!(
        "/composite/sobjects/Account?ids={ids}&fields=Name"
    ));
    assert_eq!(read[1]["Name"], "y");
    let (_, gone) = desk.ask(
        Method::DELETE,
        &format!("/composite/sobjects?ids={ids},zzz"),
        None,
    );
    assert_eq!(gone[2]["errors"][0]["statusCode"], "MALFORMED_ID");
    assert_eq!(desk.rows("SELECT Id FROM Account").len(), 2);

    let many: Vec<Json> = (0..201).map(|_| account("z")).collect();
    let (status, _, _) = desk.refused(
        Method::POST,
        "/composite/sobjects",
        Some(json!({"records": many})),
    );
    assert_eq!(status, 400);
}

#[test]
fn replication() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    desk.wait(120);
    desk.ask(
        Method::DELETE,
        &format!("/sobjects/Opportunity/{}", sale.opportunity),
        None,
    );
    desk.wait(120);
    let window = "start=2026-05-01T08:00:00Z&end=2026-05-01T08:04:00%2B00:00";
    let (_, updated) = desk.get(&format!("/sobjects/Account/updated/?{window}"));
    assert_eq!(updated["ids"], json!([sale.account]));
    assert_eq!(updated["latestDateCovered"], "2026-05-01T08:04:00.000+0000");
    let (_, deleted) = desk.get(&format!("/sobjects/Opportunity/deleted?{window}"));
    assert_eq!(deleted["deletedRecords"][0]["id"], json!(sale.opportunity));
    assert_eq!(
        deleted["deletedRecords"][0]["deletedDate"],
        "2026-05-01T08:02:00.000+0000"
    );
    for bad in [
        "start=2026-05-01T08:00:00Z&end=2026-05-01T08:00:30Z",
        "start=2026-01-01T08:00:00Z&end=2026-05-01T08:00:30Z",
    ] {
        let path = format!("/sobjects/Account/updated?{bad}");
        assert_eq!(
            desk.refused(Method::GET, &path, None).1,
            "INVALID_REPLICATION_DATE"
        );
    }
}

#[test]
fn usage_is_told_and_limited() {
    let mut settings = Settings::new(1);
    settings.daily_request_count_max = 2;
    let mut desk = Desk::with(settings);
    let ask = |desk: &Desk| {
        Request::get("/services/data/v66.0/limits")
            .header("authorization", format!("Bearer {}", desk.token))
            .body(Bytes::new())
            .unwrap()
    };
    let request = ask(&desk);
    assert_eq!(
        desk.send(request).headers()["Sforce-Limit-Info"],
        "api-usage=1/2"
    );
    assert_eq!(desk.get("/limits").0, StatusCode::OK);
    let (status, code, _) = desk.refused(Method::GET, "/limits", None);
    assert_eq!((status, code.as_str()), (403, "REQUEST_LIMIT_EXCEEDED"));
}

#[test]
fn describes_itself() {
    let mut desk = Desk::new();
    let (_, all) = desk.get("/sobjects");
    assert_eq!(all["sobjects"].as_array().unwrap().len(), 6);
    let (_, described) = desk.get("/sobjects/Opportunity/describe");
    let fields = described["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    assert_eq!(field("AccountId")["referenceTo"], json!(["Account"]));
    assert_eq!(field("Amount")["type"], "currency");
    assert_eq!(field("CurrencyIsoCode")["restrictedPicklist"], json!(true));
    assert_eq!(
        described["childRelationships"][0]["relationshipName"],
        "OpportunityLineItems"
    );
    let request = Request::get("/services/data").body(Bytes::new()).unwrap();
    let (_, versions) = read(desk.send(request));
    let last = versions.as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        last,
        json!({"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"})
    );
    assert_eq!(versions[0]["label"], "Summer '14");
}

#[test]
fn an_account_says_what_it_was_merged_into() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let master = desk.make("Account", json!({"Name": "Master"}));
    desk.now = desk.now.checked_add(SignedDuration::from_mins(1)).unwrap();
    let (master_id, losing_id) = (
        Id::parse(&master).unwrap(),
        Id::parse(&sale.account).unwrap(),
    );
    desk.org.user_merge(master_id, losing_id, desk.now).unwrap();
    let query = "/queryAll?q=SELECT+Id,IsDeleted,MasterRecordId+FROM+Account+ORDER+BY+Name";
    let (status, body) = desk.get(query);
    assert_eq!(status, StatusCode::OK, "{body}");
    let merged = |record: &Json| {
        (
            record["IsDeleted"].clone(),
            record["MasterRecordId"].clone(),
        )
    };
    let records = body["records"].as_array().unwrap();
    let of = |id: &str| records.iter().find(|record| record["Id"] == id).unwrap();
    assert_eq!(merged(of(&sale.account)), (json!(true), json!(master)));
    assert_eq!(merged(of(&master)), (json!(false), Json::Null));
    // What was the other's is the master's, and bears the time of the merge.
    let (_, sold) = desk.get(&format!("/sobjects/Opportunity/{}", sale.opportunity));
    assert_eq!(sold["AccountId"], master);
    assert_eq!(sold["SystemModstamp"], "2026-05-01T08:01:00.000+0000");
    let again = desk.org.user_merge(master_id, losing_id, desk.now);
    assert!(again.is_err(), "it is in the recycle bin");
}
