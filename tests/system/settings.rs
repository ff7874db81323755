//! Missing and wrong settings: said at the first call, with what they are for and where they stand.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::support::http::send;
use crate::support::webhooks::{json_body, signed};
use crate::support::{FLOW, Setup, Stage, components};

async fn with_variables(variables: &[(&'static str, &str)]) -> Stage {
    let variables = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Stage::with(Setup {
        variables,
        ..Setup::default()
    })
    .await
}

fn mapping() -> String {
    let file = components::root()
        .join("functions")
        .join(FLOW)
        .join("mapping.toml");
    std::fs::read_to_string(file).unwrap()
}

/// The fault that the first call of a stage gives.
async fn first_fault(stage: &Stage) -> Value {
    let answer = stage.flow(Method::GET, "").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    answer.json()["fault"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_variable_is_named_with_its_purpose_at_the_first_call() {
    let missing = [
        "salesforce_client_id",
        "salesforce_client_secret",
        "netsuite_account",
        "netsuite_token_secret",
    ];
    let stage = with_variables(&missing.map(|name| (name, ""))).await;
    let mut told: Vec<String> = Vec::new();
    for (method, rest) in [
        (Method::GET, ""),
        (Method::POST, "/run"),
        (Method::POST, "/records/006"),
    ] {
        let answer = stage.flow(method, rest).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        told.push(answer.text());
    }
    for text in &told {
        assert!(text.contains("VARIABLE_MISSING"), "{text}");
        for name in missing {
            assert!(text.contains(name), "{name} is not named: {text}");
        }
        assert!(text.contains("is not set; it is the"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_its_secret_is_told_to_the_operator_and_kept_out() {
    let stage = with_variables(&[("webhook_hmac_secret", "")]).await;
    let now = jiff::Timestamp::now();
    let request = signed(
        &stage.json_hook(),
        "",
        now,
        json_body(&["0065g00000XyZ01AAF"]),
    );
    let answer = send(request).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(
        answer.text().contains("webhook_hmac_secret"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_variable_is_named_without_its_value() {
    let stage = with_variables(&[
        ("salesforce_auth", "magic-5512"),
        ("netsuite_auth", "magic-5512"),
    ])
    .await;
    let fault = first_fault(&stage).await;
    let text = fault.to_string();
    assert_eq!(fault["code"], "VARIABLE_INVALID", "{text}");
    assert!(text.contains("salesforce_auth"), "{text}");
    assert!(!text.contains("magic-5512"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_of_a_mounted_mapping_is_refused_with_its_place() {
    let text = mapping().replace("otherRefNum     = { from", "otherRefNum     = { form");
    let line = text
        .lines()
        .position(|line| line.contains("{ form"))
        .unwrap()
        + 1;
    let stage = Stage::with(Setup {
        mapping: Some(text),
        ..Setup::default()
    })
    .await;
    let fault = first_fault(&stage).await;
    assert_eq!(fault["code"], "MAPPING_INVALID");
    let told = fault.to_string();
    assert!(
        told.contains(&format!("/mapping.toml:{line}:")) && told.contains("form"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_setting_is_refused_with_its_place() {
    let text = mapping().replace("concurrency_max = ", "concurrency_maximum = ");
    let line = text
        .lines()
        .position(|line| line.starts_with("concurrency_maximum"))
        .unwrap()
        + 1;
    let stage = Stage::with(Setup {
        mapping: Some(text),
        ..Setup::default()
    })
    .await;
    let told = first_fault(&stage).await.to_string();
    assert!(told.contains(&format!("/mapping.toml:{line}:")), "{told}");
    assert!(told.contains("concurrency_maximum"), "{told}");
    // A webhook is not acknowledged: its sender tries again once this is set right.
    let secret = &stage.secrets.webhook_hmac_secret;
    let body = json_body(&["0065g00000XyZ01AAF"]);
    let answer = send(signed(
        &stage.json_hook(),
        secret,
        jiff::Timestamp::now(),
        body,
    ))
    .await;
    assert_eq!(answer.status, 503, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mounted_mapping_replaces_the_embedded_one() {
    let text = mapping().replace(
        "memo            = { from = \"Name\", max_length = 999 }",
        "memo            = { constant = \"by the mounted file\" }",
    );
    assert!(text.contains("by the mounted file"));
    let stage = Stage::with(Setup {
        mapping: Some(text),
        ..Setup::default()
    })
    .await;
    let id = stage.enter(&stage.sale());
    let answer = stage.sync(&id).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stage.orders_of(&id).await[0]["memo"], "by the mounted file");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_query_parameter_is_refused() {
    let stage = Stage::start().await;
    for query in ["?dryrun=1", "?dry_run=maybe", "?dry_run=1&dry_run=0"] {
        let answer = stage.flow(Method::POST, &format!("/run{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    assert_eq!(stage.status().await["runs"].as_array().unwrap().len(), 0);
    assert_eq!(send(stage_request(&stage)).await.status, 404);
}

fn stage_request(stage: &Stage) -> http::Request<Bytes> {
    http::Request::get(stage.url("/nowhere"))
        .body(Bytes::new())
        .unwrap()
}
