//! Vendors answer what they should not: the fault says which vendor, and what of it.

use serde_json::{Value, json};

use crate::support::Stage;

/// Syncs one record while the vendor answers wrongly; the fault. Afterwards the record goes through.
async fn fault_of(stage: &Stage, misfortune: Value) -> Value {
    let id = stage.enter(&stage.sale());
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
