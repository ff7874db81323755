//! Every answer against the published models, where they are at hand.

use std::{fs, io::Write, path::PathBuf};

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::{Desk, ORDERS, US, read};
use crate::{amazon::Region, vendor::Vendor};

const REPORTS: &str = "/reports/2021-06-30/reports";
const DESTINATIONS: &str = "/notifications/v1/destinations";
const SUBSCRIPTIONS: &str = "/notifications/v1/subscriptions/ORDER_CHANGE";

/// A published document; nothing, and a word about it, where the folder is absent.
fn published(path: &str) -> Option<Json> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = folder
        .join("../../../shared/contracts/amazon-sp-api")
        .join(path);
    let Ok(text) = fs::read_to_string(&file) else {
        // Past the test's own capture: whoever runs the tests should know.
        let _ = writeln!(std::io::stderr(), "skipped: no {path} among the contracts");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// A Swagger 2.0 model: what an operation may answer.
struct Model(Json);

impl Model {
    /// Whether an answer is one the model allows at this path, template and all.
    fn check(&self, path: &str, method: &str, status: StatusCode, body: &Json) {
        let responses = &self.0["paths"][path][method]["responses"];
        let response = &responses[status.as_str()];
        assert!(
            response.is_object(),
            "{method} {path} may not answer {status}"
        );
        match response.get("schema") {
            Some(schema) => {
                let mut faults = Vec::new();
                self.validate(schema, body, "", &mut faults);
                assert!(
                    faults.is_empty(),
                    "{method} {path} {status}: {faults:?}\n{body:#}"
                );
            }
            None => assert_eq!(*body, Json::Null, "{method} {path} answers nothing"),
        }
    }

    /// Names each place where a value is not as the schema has it. Unknown members count as faults.
    fn validate(&self, schema: &Json, value: &Json, at: &str, faults: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            let target = &self.0["definitions"][name.trim_start_matches("#/definitions/")];
            assert!(target.is_object(), "{name}");
            return self.validate(target, value, at, faults);
        }
        if let Some(choices) = schema["enum"].as_array()
            && !choices.contains(value)
        {
            faults.push(format!("{at}: {value} is no choice"));
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
            Json::String(kind) => vec![kind],
            _ if schema["properties"].is_object() => vec!["object"],
            _ => Vec::new(),
        };
        let has_kind = |kind: &&str| match *kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            other => panic!("{other}"),
        };
        if !kinds.is_empty() && !kinds.iter().any(has_kind) {
            return faults.push(format!("{at}: {value} is no {kinds:?}"));
        }
        match value {
            Json::Object(members) if schema["properties"].is_object() => {
                for name in schema["required"].as_array().into_iter().flatten() {
                    if !members.contains_key(name.as_str().unwrap()) {
                        faults.push(format!("{at}: without {name}"));
                    }
                }
                for (name, value) in members {
                    match schema["properties"].get(name) {
                        None => faults.push(format!("{at}: unknown member {name}")),
                        Some(schema) => {
                            self.validate(schema, value, &format!("{at}/{name}"), faults);
                        }
                    }
                }
            }
            Json::Array(items) => {
                let count_max = schema["maxItems"].as_u64();
                if count_max.is_some_and(|max| items.len() as u64 > max) {
                    faults.push(format!("{at}: too many"));
                }
                for (index, item) in items.iter().enumerate() {
                    self.validate(&schema["items"], item, &format!("{at}/{index}"), faults);
                }
            }
            Json::String(text) if schema["format"] == "date-time" && !is_time(text) => {
                faults.push(format!("{at}: {text} is no time"));
            }
            _ => {}
        }
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

impl Desk {
    fn meets(&mut self, model: &Model, template: &str, path: &str) -> Json {
        let (status, body) = self.get(path);
        model.check(template, "get", status, &body);
        body
    }

    fn does(
        &mut self,
        model: &Model,
        template: &str,
        method: Method,
        path: &str,
        body: &Json,
    ) -> Json {
        let name = method.as_str().to_lowercase();
        let (status, body) = read(&self.ask(method, path, body));
        model.check(template, &name, status, &body);
        body
    }
}

#[test]
fn the_validator_sees_what_is_wrong() {
    let Some(model) = published("models/orders_2026-01-01.json").map(Model) else {
        return;
    };
    // The vendor's own examples pass; spoilt ones do not.
    let search = &model.0["paths"]["/orders/2026-01-01/orders"]["get"]["responses"]["200"];
    let schema = &search["schema"];
    let faults = |value: &Json| {
        let mut faults = Vec::new();
        model.validate(schema, value, "", &mut faults);
        faults
    };
    let example = &search["examples"]["application/json"];
    assert_eq!(faults(example), [""; 0]);
    for (pointer, value) in [
        ("/orders/0/orderId", json!(1)),
        ("/orders/0/createdTime", json!("yesterday")),
        ("/orders/0/fulfillment/fulfillmentStatus", json!("Shipped")),
        ("/orders/0/proceeds/grandTotal", json!({"amount": "1"})),
        (
            "/orders/0/salesChannel",
            json!({"channelName": "AMAZON", "marketPlace": "x"}),
        ),
    ] {
        let mut spoilt = example.clone();
        *spoilt.pointer_mut(pointer).unwrap() = value;
        assert_eq!(faults(&spoilt).len(), 1, "{pointer}");
    }
}

#[test]
fn orders_are_as_published() {
    let Some(model) = published("models/orders_2026-01-01.json").map(Model) else {
        return;
    };
    let (search, one) = (
        "/orders/2026-01-01/orders",
        "/orders/2026-01-01/orders/{orderId}",
    );
    let everything = "includedData=BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,\
                      FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS";
    let mut desk = Desk::stocked(200);
    desk.amazon.settings_mut().countries = vec!["MX", "FR", "IT", "ES", "DE", "AU"];
    desk.stock(200);
    let asked = desk.sell();
    desk.do_to(&asked, json!({"do": "request_cancel"}));
    desk.wait(120);
    let mut count = 0;
    for region in Region::ALL {
        desk.log_in(region);
        let mut path =
            format!("{ORDERS}?createdAfter=2026-04-01&maxResultsPerPage=40&{everything}");
        let first = path.clone();
        for _ in 0..20 {
            let page = desk.meets(&model, search, &path);
            count += page["orders"].as_array().unwrap().len();
            match page["pagination"]["nextToken"].as_str() {
                Some(token) => path = format!("{first}&paginationToken={token}"),
                None => break,
            }
        }
        desk.meets(&model, search, &format!("{ORDERS}?createdAfter=2026-04-01"));
    }
    assert_eq!(count, 401);
    desk.log_in(Region::Na);
    desk.meets(&model, one, &format!("{ORDERS}/{asked}?{everything}"));
    // Refusals, too.
    for path in [ORDERS.to_owned(), format!("{ORDERS}?createdAfter=x")] {
        desk.meets(&model, search, &path);
    }
    for id in ["x", "111-1111111-1111111"] {
        desk.meets(&model, one, &format!("{ORDERS}/{id}"));
    }
    desk.set("rate_factor", json!(1));
    for _ in 0..31 {
        desk.meets(&model, one, &format!("{ORDERS}/{asked}"));
    }
    desk.wait(3600);
    desk.meets(&model, one, &format!("{ORDERS}/{asked}"));
    for refusal in [
        crate::Refusal::RateLimit,
        crate::Refusal::ServerError,
        crate::Refusal::Unavailable,
        crate::Refusal::TokenExpired,
    ] {
        let (status, body) = read(&desk.amazon.refusal(refusal));
        model.check(search, "get", status, &body);
    }
}

#[test]
fn reports_are_as_published() {
    let Some(model) = published("models/reports_2021-06-30.json").map(Model) else {
        return;
    };
    let one = format!("{REPORTS}/{{reportId}}");
    let document = "/reports/2021-06-30/documents/{reportDocumentId}";
    let mut desk = Desk::stocked(40);
    let kind = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL";
    let new = json!({
        "reportType": kind, "marketplaceIds": [US],
        "dataStartTime": "2026-04-20T00:00:00Z", "dataEndTime": "2026-05-01T07:00:00Z",
    });
    let made = desk.does(&model, REPORTS, Method::POST, REPORTS, &new);
    let id = made["reportId"].as_str().unwrap().to_owned();
    let doomed = desk.does(&model, REPORTS, Method::POST, REPORTS, &new);
    let doomed = format!("{REPORTS}/{}", doomed["reportId"].as_str().unwrap());
    desk.does(&model, &one, Method::DELETE, &doomed, &Json::Null);
    desk.does(&model, &one, Method::DELETE, &doomed, &Json::Null);
    let mut last = Json::Null;
    for _ in 0..3 {
        last = desk.meets(&model, &one, &format!("{REPORTS}/{id}"));
        desk.wait(30);
    }
    let found = last["reportDocumentId"].as_str().unwrap();
    desk.meets(
        &model,
        document,
        &format!("/reports/2021-06-30/documents/{found}"),
    );
    desk.meets(&model, document, "/reports/2021-06-30/documents/none");
    desk.meets(&model, &one, &format!("{REPORTS}/none"));
    desk.meets(
        &model,
        REPORTS,
        &format!("{REPORTS}?reportTypes={kind}&pageSize=1"),
    );
    desk.meets(&model, REPORTS, REPORTS);
    desk.does(&model, REPORTS, Method::POST, REPORTS, &json!({}));
}

#[test]
fn notifications_are_as_published() {
    let Some(model) = published("models/notifications.json").map(Model) else {
        return;
    };
    let Some(schema) = published("notifications/OrderChangeNotification.json") else {
        return;
    };
    let by_id = format!("{DESTINATIONS}/{{destinationId}}");
    let all = "/notifications/v1/subscriptions";
    let (of_type, by_number) = (
        format!("{all}/{{notificationType}}"),
        format!("{all}/{{notificationType}}/{{subscriptionId}}"),
    );
    let mut desk = Desk::new();
    desk.log_in_grantless();
    let new = json!({"name": "bus", "resourceSpecification": {
        "eventBridge": {"region": "us-east-1", "accountId": "123456789012"},
    }});
    let made = desk.does(&model, DESTINATIONS, Method::POST, DESTINATIONS, &new);
    let id = made["payload"]["destinationId"]
        .as_str()
        .unwrap()
        .to_owned();
    desk.does(&model, DESTINATIONS, Method::POST, DESTINATIONS, &new);
    desk.does(&model, DESTINATIONS, Method::POST, DESTINATIONS, &json!({}));
    desk.meets(&model, DESTINATIONS, DESTINATIONS);
    desk.meets(&model, &by_id, &format!("{DESTINATIONS}/{id}"));
    desk.meets(&model, &by_id, &format!("{DESTINATIONS}/none"));
    desk.log_in(Region::Na);
    let new = json!({"payloadVersion": "1.0", "destinationId": id});
    let made = desk.does(&model, &of_type, Method::POST, SUBSCRIPTIONS, &new);
    let number = made["payload"]["subscriptionId"]
        .as_str()
        .unwrap()
        .to_owned();
    desk.does(&model, &of_type, Method::POST, SUBSCRIPTIONS, &new);
    desk.meets(&model, &of_type, SUBSCRIPTIONS);
    desk.meets(
        &model,
        all,
        &format!("{all}?notificationTypes=ORDER_CHANGE"),
    );

    // What is sent has a schema of its own.
    desk.set("api_destination", json!({"url": "http://127.0.0.1:1/"}));
    let id = desk.sell();
    for deed in ["request_cancel", "cancel"] {
        desk.do_to(&id, json!({"do": deed}));
    }
    let sent = desk.amazon.due(desk.now);
    assert_eq!(sent.len(), 4);
    for delivery in sent {
        let event: Json = serde_json::from_slice(delivery.request.body()).unwrap();
        let mut faults = Vec::new();
        model.validate(&schema, &event["detail"], "", &mut faults);
        assert!(faults.is_empty(), "{faults:?}\n{event:#}");
    }

    desk.log_in_grantless();
    desk.meets(&model, &by_number, &format!("{SUBSCRIPTIONS}/{number}"));
    let path = format!("{SUBSCRIPTIONS}/{number}");
    desk.does(&model, &by_number, Method::DELETE, &path, &Json::Null);
    let id = made["payload"]["destinationId"].as_str().unwrap();
    let path = format!("{DESTINATIONS}/{id}");
    desk.does(&model, &by_id, Method::DELETE, &path, &Json::Null);
    desk.does(&model, &by_id, Method::DELETE, &path, &Json::Null);
}
