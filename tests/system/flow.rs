//! A won opportunity becomes a sales order: through each webhook, by schedule, and on demand.

use bytes::Bytes;
use http::{Method, Request};
use rust_decimal::Decimal;
use sandbox::environment::Login;
use serde_json::{Value, json};

use crate::support::http::send;
use crate::support::stage::{Announce, eventually};
use crate::support::{FLOW, Sale, Setup, Stage, sales};

async fn announced(announce: Announce) {
    let stage = Stage::with(Setup {
        announce,
        ..Setup::default()
    })
    .await;
    let id = stage.enter(&stage.sale());
    let opportunity = stage.written_back(&id).await;
    let orders = stage.orders_of(&id).await;
    assert_eq!(orders.len(), 1);
    let order = &orders[0];
    assert_eq!(opportunity["NetSuite_Order_Id__c"], order["id"]);
    assert_eq!(opportunity["NetSuite_Order_Number__c"], order["tranId"]);
    assert_eq!(opportunity["NetSuite_Order_Status__c"], "Pending Approval");
    assert_eq!(order["item"]["items"].as_array().unwrap().len(), 3);
    // 3 * 1999.95 + 12 * 310.25 + 1.5 * 0.10
    let total: Decimal = order["total"].to_string().parse().unwrap();
    assert_eq!(total, Decimal::new(972_300, 2));
    // Its own write-back may be announced, too, before the work on the first hint has ended.
    let outcomes = stage.idle().await["outcomes"].clone();
    assert_eq!(outcomes["created"], 1, "{outcomes}");
    stage.assert_in_step();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbound_message_becomes_an_order() {
    announced(Announce::Messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_json_webhook_becomes_an_order() {
    announced(Announce::Callouts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_finds_what_nobody_announced() {
    let stage = Stage::start().await;
    // The first run says where to begin.
    assert_eq!(stage.run().await["read"], 0);
    let ids: Vec<String> = (0..3).map(|_| stage.enter_quietly(&stage.sale())).collect();
    let report = stage.run().await;
    assert_eq!(report["created"], 3, "{report}");
    assert_eq!(report["ended"], "done");
    for id in &ids {
        stage.written_back(id).await;
    }
    stage.assert_in_step();
    // Its own write-back is nothing new.
    let writes = (
        stage.write_count("netsuite"),
        stage.write_count("salesforce"),
    );
    let report = stage.run().await;
    assert_eq!(
        (&report["created"], &report["updated"]),
        (&json!(0), &json!(0)),
        "{report}"
    );
    assert_eq!(
        (
            stage.write_count("netsuite"),
            stage.write_count("salesforce")
        ),
        writes
    );
    let status = stage.idle().await;
    assert!(status["runs"].as_array().unwrap().len() >= 3);
    assert!(status["cursor"].is_object(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_writes_and_writes_nothing() {
    let stage = Stage::start().await;
    stage.run().await;
    let id = stage.enter_quietly(&stage.sale());
    let before = (
        stage.write_count("netsuite"),
        stage.write_count("salesforce"),
    );
    let cursor = stage.status().await["cursor"].clone();

    let answer = stage.flow(Method::POST, "/run?dry_run=1").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let preview = answer.json();
    let entry = entry(&preview, &id);
    assert_eq!(entry["would"], "create", "{preview}");
    assert_eq!(entry["body"]["memo"], stage.sale().name.as_str());
    assert_eq!(entry["body"]["item"]["items"].as_array().unwrap().len(), 3);
    // The customer does not exist yet, and is not made.
    assert!(
        entry["first"][0].as_str().unwrap().contains("customer"),
        "{entry}"
    );

    assert_eq!(
        (
            stage.write_count("netsuite"),
            stage.write_count("salesforce")
        ),
        before
    );
    assert_eq!(stage.status().await["cursor"], cursor);
    assert!(stage.records("netsuite", "salesOrder").await.is_empty());

    stage.run().await;
    stage.written_back(&id).await;
    stage.change(&id, json!({"PO_Number__c": "PO-1"}));
    let preview = stage.flow(Method::POST, "/run?dry_run=1").await.json();
    let changes = &self::entry(&preview, &id)["changes"];
    assert_eq!(changes.as_array().unwrap().len(), 1, "{preview}");
    assert_eq!(
        changes[0],
        json!({"path": "otherRefNum", "held": null, "wanted": "PO-1"})
    );
}

fn entry<'a>(preview: &'a Value, id: &str) -> &'a Value {
    let records = preview["records"].as_array().unwrap();
    let found = records.iter().find(|record| record["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in {preview}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_is_synced_on_demand() {
    let stage = Stage::start().await;
    let id = stage.enter(&stage.sale());
    let answer = stage.sync(&id).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.json();
    assert_eq!(said["state"], "created", "{said}");
    let orders = stage.orders_of(&id).await;
    assert_eq!(said["target"], orders[0]["id"]);
    assert_eq!(stage.sync(&id).await.json()["state"], "unchanged");

    let open = stage.enter(&Sale {
        won: false,
        ..stage.sale()
    });
    let said = stage.sync(&open).await.json();
    assert_eq!(said["state"], "skipped", "{said}");
    assert!(said["why"].is_string());

    let unknown = stage.sync("006000000000000AAA").await;
    assert!([200, 422].contains(&unknown.status), "{}", unknown.text());
    assert_ne!(unknown.json()["state"], "created");
    assert_eq!(
        stage
            .sync("Robert%27);%20DROP%20TABLE%20queue;--")
            .await
            .status,
        404
    );
    assert_eq!(stage.records("netsuite", "salesOrder").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_follows_its_opportunity_until_it_is_approved() {
    let stage = Stage::with(Setup {
        announce: Announce::Messages,
        ..Setup::default()
    })
    .await;
    let id = stage.enter(&stage.sale());
    let opportunity = stage.written_back(&id).await;
    let order = opportunity["NetSuite_Order_Id__c"]
        .as_str()
        .unwrap()
        .to_owned();
    stage.idle().await;

    // One line more, one changed, one less, in one save each.
    let lines = stage.select(&format!(
        "SELECT Id, Product2Id FROM OpportunityLineItem WHERE OpportunityId = '{id}' ORDER BY SortOrder"
    ));
    let line = |index: usize| sales::id(lines[index]["Id"].as_str().unwrap());
    stage.salesforce(|org, now| {
        let kind = "OpportunityLineItem";
        org.user_change(kind, line(0), json!({"Quantity": "4", "UnitPrice": "0.99"}), now).unwrap();
        org.user_delete(kind, line(1), now).unwrap();
        let product = lines[1]["Product2Id"].as_str().unwrap();
        let more = json!({"OpportunityId": id, "Product2Id": product, "Quantity": "7", "UnitPrice": "1.01",
                          "SortOrder": 9});
        org.user_create(kind, more, now).unwrap();
    });
    stage.change(&id, json!({"PO_Number__c": "PO-2"}));
    eventually("the changed order", async || {
        let order = stage.orders_of(&id).await.remove(0);
        (order["otherRefNum"] == "PO-2" && order["item"]["items"].as_array()?.len() == 3)
            .then_some(())
    })
    .await;
    stage.idle().await;
    stage.assert_in_step();

    // Approved: from now on it is finance's.
    stage.sandbox.handle().with(|world, now| {
        let netsuite = world.vendor_mut::<sandbox::netsuite::NetSuite>().unwrap();
        netsuite.approve(&order, now).unwrap();
    });
    stage.change(&id, json!({"PO_Number__c": "PO-3"}));
    let said = stage.sync(&id).await.json();
    assert_eq!(
        stage.orders_of(&id).await[0]["otherRefNum"],
        "PO-2",
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_unknown_items_are_named_and_the_order_goes_through_once_they_exist() {
    let stage = Stage::with(Setup {
        announce: Announce::Callouts,
        ..Setup::default()
    })
    .await;
    let late: Vec<String> = stage
        .catalogue
        .late_items
        .iter()
        .map(|item| item.sku.clone())
        .collect();
    let mut sale = stage.sale();
    sale.lines[1].0.clone_from(&late[0]);
    sale.lines[2].0.clone_from(&late[1]);
    let id = stage.enter(&sale);
    let waiting = eventually("a waiting item", async || {
        let status = stage.status().await;
        (status["queue"]["waiting"] == 1).then(|| status["waiting"][0].clone())
    })
    .await;
    assert_eq!(waiting["fault"]["code"], "REFERENCE_MISSING");
    let told = waiting["fault"].to_string();
    assert!(told.contains(&late[0]) && told.contains(&late[1]), "{told}");
    assert!(stage.records("netsuite", "salesOrder").await.is_empty());

    stage.sandbox.handle().with(|world, now| {
        let netsuite = world.vendor_mut::<sandbox::netsuite::NetSuite>().unwrap();
        for item in &stage.catalogue.late_items[..2] {
            netsuite.enter_item(item, now).unwrap();
        }
    });
    // Nobody says so: it is looked at again by itself.
    eventually("the order", async || {
        stage.run().await;
        (stage.orders_of(&id).await.len() == 1).then_some(())
    })
    .await;
    stage.written_back(&id).await;
    stage.idle().await;
    stage.assert_in_step();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_systems_let_it_in_by_its_own_keys() {
    let stage = Stage::with(Setup {
        announce: Announce::Messages,
        login: Login::Key,
        ..Setup::default()
    })
    .await;
    let id = stage.enter(&stage.sale());
    stage.written_back(&id).await;
    stage.assert_in_step();
}

#[tokio::test(flavor = "multi_thread")]
async fn vendors_are_reached_over_tls_with_an_authority_of_their_own() {
    let stage = Stage::with(Setup {
        tls: true,
        ..Setup::default()
    })
    .await;
    assert!(
        stage
            .sandbox
            .vendor_urls
            .values()
            .all(|url| url.starts_with("https://"))
    );
    let id = stage.enter(&stage.sale());
    let said = stage.sync(&id).await;
    assert_eq!(said.json()["state"], "created", "{}", said.text());
    stage.assert_in_step();
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_the_flow_want_its_token() {
    let stage = Stage::start().await;
    let token = &stage.secrets.flows_token;
    let wrong = format!("Bearer {}x", &token[..token.len() - 1]);
    let right = format!("Bearer {token}");
    let basic = format!("Basic {token}");
    for (method, rest) in [
        ("GET", ""),
        ("POST", "/run"),
        ("POST", "/run?dry_run=1"),
        ("POST", "/records/006"),
    ] {
        for given in [vec![], vec![&wrong], vec![&basic], vec![&right, &wrong]] {
            let mut request = Request::builder()
                .method(method)
                .uri(stage.url(&format!("/flows/{FLOW}{rest}")));
            for value in &given {
                request = request.header("authorization", value.as_str());
            }
            let answer = send(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(
                answer.status,
                401,
                "{method} {rest} {given:?}: {}",
                answer.text()
            );
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(answer.text().lines().count(), 1);
        }
    }
    let status = stage.status().await;
    assert_eq!(status["runs"], json!([]), "a refused request left a run");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_token_set_nobody_is_let_in() {
    let stage = Stage::with(Setup {
        variables: vec![("flows_token", String::new())],
        ..Setup::default()
    })
    .await;
    for authorization in ["Bearer ", "Bearer", "", "Bearer null"] {
        let request = Request::get(stage.url(&format!("/flows/{FLOW}")))
            .header("authorization", authorization);
        let answer = send(request.body(Bytes::new()).unwrap()).await;
        // Not let in, and told which variable is missing.
        assert_eq!(answer.status, 503, "{authorization:?}: {}", answer.text());
        assert!(answer.text().contains("flows_token"), "{}", answer.text());
    }
}
