//! Our requests and what we read, held against the models and examples that Amazon publishes. Skipped, aloud,
//! where they are not at hand.

mod model;

use std::collections::BTreeSet;

use http::{Method, Request};
use serde_json::{Value, json};
use sluice_core::{Observed, Position, Selection, Source, Timestamp, Window};

use crate::limits::OPERATIONS;
use crate::order::orders;
use crate::script::{NOW_S, answer, logged_in, order, run, shared};
use crate::search::{DATA_SETS, ITEM_SETS, ORDER_SETS};
use model::Model;

const ORDERS: &str = "orders_2026-01-01";
const REPORTS: &str = "reports_2021-06-30";

fn window(id: &str) -> Window {
    let at = |second| Timestamp::from_second(second).unwrap();
    Window {
        after: Position {
            watermark: at(NOW_S - 90_000),
            id: id.to_owned(),
        },
        until: at(NOW_S - 120),
    }
}

/// A selection of everything an order may have.
fn everything() -> Selection {
    let fields = ORDER_SETS.iter().map(|(field, _)| (*field).to_owned());
    let items = ITEM_SETS.iter().map(|(field, _)| *field);
    let items = items.chain(["product"]).map(str::to_owned);
    Selection {
        fields: fields.collect(),
        lists: [("orderItems".to_owned(), items.collect())].into(),
    }
}

/// Every kind of request to the API that we make.
fn requests() -> Vec<Request<bytes::Bytes>> {
    let one = order("902-3159896-1390916", "2026-11-20T10:00:00Z");
    let page =
        json!({"orders": [one], "pagination": {"nextToken": "2YgYW55IGNhcm5hbCBwbGVhc3VyZS4"}});
    let page = page.to_string();
    let mut sent = Vec::new();
    for select in [Selection::default(), everything()] {
        let script = logged_in(vec![
            answer(200, &page),
            answer(200, &page.replace("YgY", "YgZ")),
            answer(200, &page),
            answer(200, &json!({"order": one}).to_string()),
        ]);
        let ports = script.ports();
        let first = run(orders().changed(&ports, "US", &window(""), 100, &select)).unwrap();
        let id = first.next.unwrap().id;
        run(orders().changed(&ports, "US", &window(&id), 1, &select)).unwrap();
        run(orders().past(&ports, "US", &window(""), 50, &select)).unwrap();
        run(orders().fetch(&ports, "902-3159896-1390916", &select)).unwrap();
        sent.append(&mut script.sent.take());
    }
    let end = NOW_S * 1000;
    for (place, body) in [
        (String::new(), json!({"reportId": "ID323"})),
        (
            format!("report:{end}:0:0:ID323"),
            json!({"processingStatus": "CANCELLED"}),
        ),
        (
            format!("document:{end}:0:0:amzn1.spdoc.1.4.na.x"),
            json!({"url": "x"}),
        ),
    ] {
        let script = logged_in(vec![answer(200, &body.to_string())]);
        let ports = script.ports_with(&[("amazon_backfill", "reports")]);
        let past = run(orders().past(&ports, "US", &window(&place), 9, &Selection::default()));
        assert_eq!(past.is_err(), place.starts_with("document"));
        sent.append(&mut script.sent.take());
    }
    sent.retain(|request| request.uri().path() != crate::auth::LOGIN_PATH);
    sent
}

#[test]
fn our_requests_are_those_of_the_published_models() {
    let (Some(orders), Some(reports)) = (Model::named(ORDERS), Model::named(REPORTS)) else {
        return;
    };
    let mut asked = BTreeSet::new();
    for request in requests() {
        let model = match request.uri().path().starts_with("/orders/") {
            true => &orders,
            false => &reports,
        };
        let operation = model
            .check(&request)
            .unwrap_or_else(|why| panic!("{request:?}: {why}"));
        if operation == "searchOrders" {
            one_window(&request);
        }
        asked.insert(operation);
    }
    let known: BTreeSet<String> = OPERATIONS.iter().map(|one| one.id.to_owned()).collect();
    assert_eq!(asked, known);
}

/// What the model says in words only.
fn one_window(request: &Request<bytes::Bytes>) {
    let query = request.uri().query().unwrap_or_default();
    let names: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    let has = |name: &str| names.iter().filter(|it| *it == name).count();
    assert_eq!(has("createdAfter") + has("lastUpdatedAfter"), 1, "{query}");
    assert_eq!(has("createdAfter"), has("createdBefore"), "{query}");
    assert_eq!(has("lastUpdatedAfter"), has("lastUpdatedBefore"), "{query}");
}

#[test]
fn our_limits_are_the_published_ones() {
    for name in [ORDERS, REPORTS] {
        let Some(model) = Model::named(name) else {
            return;
        };
        let mut found = 0;
        for operation in OPERATIONS {
            let Some((rate, burst)) = model.limit(operation.id) else {
                continue;
            };
            found += 1;
            let ms = (sluice_core::Decimal::from(1000) / rate).ceil();
            assert_eq!(ms, operation.interval_ms.into(), "{}", operation.id);
            assert_eq!(burst, operation.burst, "{}", operation.id);
        }
        assert!(found >= 2, "{name}");
    }
}

#[test]
fn data_sets_and_the_fields_they_hold_are_those_of_the_model() {
    let Some(model) = Model::named(ORDERS) else {
        return;
    };
    let published = model.values("searchOrders", "includedData");
    let ours: BTreeSet<String> = DATA_SETS.iter().map(|set| (*set).to_owned()).collect();
    assert_eq!(ours, published);
    for (definition, sets) in [("Order", &ORDER_SETS[..]), ("OrderItem", &ITEM_SETS[..])] {
        let fields = model.fields(definition);
        for (field, set) in sets {
            assert!(fields.contains(*field), "{definition}.{field}");
            assert!(published.contains(*set), "{set}");
        }
    }
}

/// The published examples of an API: operation, status, answer.
fn examples(name: &str) -> Option<Vec<(String, u16, Value)>> {
    let text = shared(&format!("samples/amazon-sp-api/sandbox/{name}.json"))?;
    let examples: Vec<Value> = serde_json::from_str(&text).unwrap();
    let read = |example: &Value| {
        let status = example["status"].as_str().unwrap().parse().unwrap();
        let operation = example["operationId"].as_str().unwrap().to_owned();
        let body = example.get("response").or(example.get("exampleResponse"));
        (operation, status, body.cloned().unwrap_or_default())
    };
    Some(examples.iter().map(read).collect())
}

#[test]
fn published_orders_are_read_without_loss() {
    let Some(examples) = examples(ORDERS) else {
        return;
    };
    let mut count = 0;
    for (operation, status, mut body) in examples {
        if status != 200 {
            continue;
        }
        // They are of all the world's marketplaces; others than ours are nobody's.
        if let Some(place) = body.pointer_mut("/order/salesChannel/marketplaceId") {
            *place = "ATVPDKIKX0DER".into();
        }
        let script = logged_in(vec![answer(200, &body.to_string())]);
        let ports = script.ports();
        let read = match operation.as_str() {
            "searchOrders" => {
                let page = run(orders().changed(&ports, "US", &window(""), 100, &everything()));
                let page = page.unwrap();
                let next = body
                    .pointer("/pagination/nextToken")
                    .and_then(Value::as_str);
                let place = page.next.map(|place| place.id);
                assert_eq!(place.as_deref().and_then(|id| id.rsplit('~').next()), next);
                let records = page.changes.into_iter().map(|change| change.record);
                records.map(|record| record.unwrap().body).collect()
            }
            "getOrder" => {
                let id = body["order"]["orderId"].as_str().unwrap();
                match run(orders().fetch(&ports, id, &everything())).unwrap() {
                    Observed::Present(record) => vec![record.body],
                    gone => panic!("{gone:?}"),
                }
            }
            other => panic!("{other}"),
        };
        let published = match body.get("orders") {
            Some(orders) => orders.as_array().unwrap().clone(),
            None => vec![body["order"].clone()],
        };
        count += published.len();
        assert_eq!(without_ours(read), published);
    }
    assert!(count > 3, "{count}");
}

/// The bodies without what the connector adds.
fn without_ours(mut bodies: Vec<Value>) -> Vec<Value> {
    for body in &mut bodies {
        if let Some(buyer) = body.get_mut("buyer").and_then(Value::as_object_mut)
            && buyer.contains_key("buyerEmail")
        {
            assert!(buyer.remove("id").is_some());
        }
    }
    bodies
}

#[test]
fn published_refusals_are_faults_with_amazons_words() {
    for name in [ORDERS, REPORTS] {
        let Some(examples) = examples(name) else {
            return;
        };
        for (operation, status, body) in examples {
            if status < 400 {
                continue;
            }
            let fault = crate::errors::refusal(&answer(status, &body.to_string()), None);
            let told = fault.answer.as_ref().unwrap();
            assert_eq!(told.status, status);
            let error = &body["errors"][0];
            assert_eq!(told.code.as_deref(), error["code"].as_str(), "{operation}");
            assert!(
                fault.message.contains(error["message"].as_str().unwrap()),
                "{fault}"
            );
        }
    }
}

#[test]
fn our_own_examples_are_orders_by_the_model() {
    let Some(model) = Model::named(ORDERS) else {
        return;
    };
    let one = order("902-3159896-1390916", "2026-11-20T10:00:00Z");
    model.matches("Order", &one).unwrap();
    // And the model's check is one.
    let mut bad = one.clone();
    bad["orderItems"][0]
        .as_object_mut()
        .unwrap()
        .remove("product");
    assert!(model.matches("Order", &bad).is_err());
    let get = |path: &str| {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("https://x{path}"));
        model.check(&request.body(bytes::Bytes::new()).unwrap())
    };
    assert!(get("/orders/2026-01-01/orders?createdAfter=2026-01-01T00:00:00Z").is_ok());
    for path in [
        "/orders/v0/orders",
        "/orders/2026-01-01/orders?CreatedAfter=2026-01-01T00:00:00Z",
        "/orders/2026-01-01/orders?createdAfter=2026-01-01",
        "/orders/2026-01-01/orders?maxResultsPerPage=many",
        "/orders/2026-01-01/orders?includedData=BUYER,EVERYTHING",
    ] {
        assert!(get(path).is_err(), "{path}");
    }
}
