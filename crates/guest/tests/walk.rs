//! Audit and adopt, over the flow's routes.

#[allow(dead_code)]
#[path = "../../engine/tests/fake/mod.rs"]
mod fake;

use std::rc::Rc;

use bytes::Bytes;
use fake::{House, ORDER};
use futures::executor::block_on;
use guest::Service;
use http::Request;
use serde_json::{Value, json};
use sluice_core::memory::MapVariables;

fn house() -> House {
    let mut house = House::new();
    let variables = [("flows_token".to_owned(), "a token".to_owned())];
    house.ports.variables = Rc::new(MapVariables(variables.into()));
    house
}

/// Status, and the body as JSON or as its line.
fn ask(house: &House, method: &str, rest: &str) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/flows/deal-to-order{rest}"))
        .header("authorization", "Bearer a token")
        .header("x-sluice-user", "rosa");
    let service = Service::new(house.flow(), None, house.ports.clone());
    let mut answer = None;
    let request = request.body(Bytes::new()).unwrap();
    block_on(service.handle(request, async |response| answer = Some(response)));
    let answer = answer.unwrap();
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| text.trim_end().into());
    (answer.status().as_u16(), body)
}

#[test]
fn a_walk_goes_from_page_to_page() {
    let house = house();
    ask(&house, "POST", "/run");
    for number in 0..25 {
        let deal = json!({ "stage": "won", "total": "1.10", "currency": "EUR" });
        house.systems.edit("Deal", &format!("D{number:02}"), deal);
    }
    ask(&house, "POST", "/run");
    let (status, first) = ask(&house, "GET", "/audit?side=source");
    assert_eq!((status, &first["looked_at"]), (200, &json!(20)), "{first}");
    let entry = &first["entries"][0];
    assert_eq!(
        (&entry["source"], &entry["state"]),
        (&json!("D00"), &json!("unchanged"))
    );
    assert_eq!(
        entry["source_says"],
        json!({ "amount": "1.10", "currency": "EUR" })
    );
    let next = first["next"].as_str().unwrap();
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let (_, second) = ask(&house, "GET", &format!("/audit?side=source&after={next}"));
    assert_eq!(
        (&second["looked_at"], &second["next"]),
        (&json!(5), &Value::Null)
    );
    let (_, target) = ask(
        &house,
        "GET",
        "/audit?side=target&from=2026-11-01&to=2026-11-30",
    );
    assert_eq!(target["entries"], json!([]));
}

#[test]
fn adopting_is_shown_and_then_done_by_somebody_in_a_flow_that_rests() {
    let house = house();
    house.systems.edit(
        "Deal",
        "D1",
        json!({ "stage": "won", "total": "5", "po": "P" }),
    );
    house
        .systems
        .enter(ORDER, "T7", json!({ "total": 5, "po": "P" }));
    let (_, parents) = ask(&house, "POST", "/adopt?dry_run=1");
    assert_eq!(
        (&parents["section"], &parents["next"]),
        (&json!("customer"), &json!("order~"))
    );
    let (_, shown) = ask(&house, "POST", "/adopt?dry_run=1&after=order~");
    assert_eq!(shown["entries"][0]["state"], "matched", "{shown}");
    let (status, why) = ask(&house, "POST", "/adopt?after=order~");
    assert_eq!(status, 409, "{why}");
    block_on(house.worker().pause(&engine::store::By::default())).unwrap();
    let (_, done) = ask(&house, "POST", "/adopt?after=order~");
    assert_eq!(done["entries"][0]["state"], "adopted", "{done}");
    let (_, trail) = ask(&house, "GET", "/trail");
    assert_eq!(
        (&trail["lines"][0]["action"], &trail["lines"][0]["who"]),
        (&json!("adopt"), &json!("rosa"))
    );
}

#[test]
fn what_is_no_question_is_refused_in_a_line() {
    let house = house();
    for (method, rest, status) in [
        ("GET", "/audit", 400),
        ("GET", "/audit?side=both", 400),
        ("GET", "/audit?side=source&side=target", 400),
        ("GET", "/audit?side=source&page=1", 400),
        ("GET", "/audit?side=source&from=2026-11-31", 400),
        ("GET", "/audit?side=source&from=2026-11-30T00:00:00Z", 400),
        ("GET", "/audit?side=source&after=x", 422),
        ("POST", "/audit?side=source", 405),
        ("POST", "/adopt?dry_run=2", 400),
        ("POST", "/adopt?dry_run=1&after=nothing~", 422),
        ("GET", "/adopt", 405),
    ] {
        let (got, why) = ask(&house, method, rest);
        assert_eq!(got, status, "{method} {rest}: {why}");
        assert!(why.is_string(), "{why}");
    }
}
