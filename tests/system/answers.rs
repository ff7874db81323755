//! Vendors answer what they should not: the fault says which vendor, and what of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{Sale, Stage};

/// Syncs one record while the vendor answers wrongly; the fault. Afterwards the record goes through.
async fn fault_of(stage: &Stage, misfortune: Value) -> Value {
    let id = stage.enter(&of_items_nobody_sold_yet(stage));
    stage.suffer(misfortune.clone());
    let answer = stage.sync(&id).await;
    assert!(
        [202, 422].contains(&answer.status),
        "{misfortune}: {} {}",
        answer.status,
        answer.text()
    );
    let said = answer.json();
    assert!(said["fault"]["message"].is_string(), "{misfortune}: {said}");
    stage
        .sandbox
        .handle()
        .with(|world, _| world.misfortunes().clear());
    let again = stage.sync(&id).await;
    assert_eq!(again.status, 200, "{misfortune}: {}", again.text());
    assert_eq!(stage.orders_of(&id).await.len(), 1, "{misfortune}");
    said["fault"].clone()
}

/// Nothing of it is linked yet, so both vendors are asked.
fn of_items_nobody_sold_yet(stage: &Stage) -> Sale {
    static SOLD: AtomicUsize = AtomicUsize::new(0);
    let mut sale = stage.sale();
    for line in &mut sale.lines {
        let next = SOLD.fetch_add(1, Ordering::Relaxed) % stage.catalogue.items.len();
        line.0.clone_from(&stage.catalogue.items[next].sku);
    }
    sale
}

#[tokio::test(flavor = "multi_thread")]
async fn not_json() {
    let stage = Stage::start().await;
    for how in ["truncate", "html", "empty", "encoding"] {
        let what = json!({"garble": how});
        let source = json!({"vendor": "salesforce", "path": "/services/data/*", "method": "GET", "what": what});
        let fault = fault_of(&stage, source).await;
        assert_eq!(fault["code"], "ANSWER_INVALID", "{how}: {fault}");
        assert!(
            fault["message"].as_str().unwrap().contains("Salesforce"),
            "{how}: {fault}"
        );
        let target = json!({"vendor": "netsuite", "path": "/services/rest/query/*", "what": what});
        let fault = fault_of(&stage, target).await;
        assert_eq!(fault["code"], "ANSWER_INVALID", "{how}: {fault}");
        assert!(
            fault["message"].as_str().unwrap().contains("NetSuite"),
            "{how}: {fault}"
        );
    }
}

/// The answer of a vendor to whatever is asked at this path.
fn answers(vendor: &str, path: &str, body: &Value) -> Value {
    let what = json!({"refuse_with": {"status": 200, "body": body.to_string()}});
    json!({"vendor": vendor, "path": path, "what": what})
}

#[tokio::test(flavor = "multi_thread")]
async fn lacking_a_field() {
    let stage = Stage::start().await;
    for (vendor, name, path, body, lacks) in [
        (
            "salesforce",
            "Salesforce",
            "/services/oauth2/*",
            json!({"token_type": "Bearer"}),
            "access_token",
        ),
        (
            "salesforce",
            "Salesforce",
            "/services/data/*",
            json!({"done": true, "totalSize": 1}),
            "records",
        ),
        (
            "salesforce",
            "Salesforce",
            "/services/data/*",
            json!({"records": [], "totalSize": 0}),
            "done",
        ),
        (
            "salesforce",
            "Salesforce",
            "/services/data/*",
            json!({"done": true, "totalSize": 1, "records": [{"Name": "No id"}]}),
            "Id",
        ),
        (
            "netsuite",
            "NetSuite",
            "/services/rest/query/*",
            json!({"hasMore": false}),
            "items",
        ),
        (
            "netsuite",
            "NetSuite",
            "/services/rest/query/*",
            json!({"items": []}),
            "hasMore",
        ),
    ] {
        let fault = fault_of(&stage, answers(vendor, path, &body)).await;
        let message = fault["message"].as_str().unwrap();
        assert_eq!(fault["code"], "ANSWER_INVALID", "{lacks}: {fault}");
        assert!(
            message.contains(name) && message.contains(lacks),
            "{lacks}: {fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lying_about_paging() {
    let stage = Stage::start().await;
    stage.run().await;
    let id = stage.enter_quietly(&stage.sale());
    let cursor = stage.status().await["cursor"].clone();
    let more =
        |next: &str| json!({"done": false, "totalSize": 5, "records": [], "nextRecordsUrl": next});
    for (what, code, body) in [
        (
            "more, but not where",
            "ANSWER_INVALID",
            json!({"done": false, "totalSize": 5, "records": []}),
        ),
        (
            "the same page for ever",
            "SOURCE_PAGING",
            more("/services/data/v66.0/query/01gSAME-0"),
        ),
        (
            "another host",
            "ANSWER_INVALID",
            more("https://elsewhere.invalid/services/data/v66.0/query/01g"),
        ),
    ] {
        stage.suffer(answers("salesforce", "/services/data/*", &body));
        let answer = stage.flow(http::Method::POST, "/run").await;
        stage
            .sandbox
            .handle()
            .with(|world, _| world.misfortunes().clear());
        assert_eq!(answer.status, 503, "{what}: {}", answer.text());
        let report = answer.json();
        assert!(
            report["fault"]["message"]
                .as_str()
                .unwrap()
                .contains("Salesforce"),
            "{what}: {report}"
        );
        assert_eq!(report["fault"]["code"], code, "{what}: {report}");
        assert_eq!(
            stage.status().await["cursor"],
            cursor,
            "{what}: the cursor moved"
        );
    }
    // Nothing was skipped by any of it.
    assert_eq!(stage.run().await["created"], 1);
    stage.written_back(&id).await;
    stage.assert_in_step();
}
