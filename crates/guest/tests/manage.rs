//! What people see and decide, over the flow's routes.

#[allow(dead_code)]
#[path = "../../engine/tests/fake/mod.rs"]
mod fake;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use fake::{FailingSql, House, external};
use futures::executor::block_on;
use guest::Service;
use http::{Request, Response};
use serde_json::{Value, json};
use sluice_core::memory::MapVariables;

const TOKEN: &str = "a token";

/// A flow behind its routes.
struct Desk {
    house: House,
    sent: Cell<usize>,
}

impl Desk {
    fn new() -> Self {
        let mut house = House::new();
        let variables = [("flows_token".to_owned(), TOKEN.to_owned())];
        house.ports.variables = Rc::new(MapVariables(variables.into()));
        let sent = Cell::new(0);
        let desk = Self { house, sent };
        desk.run();
        desk
    }

    /// With a deal that died of a total which is no number.
    fn with_dead() -> Self {
        let desk = Self::new();
        desk.edit("twelve");
        let (status, said) = desk.post("/records/D1", "");
        assert_eq!((status, &said["state"]), (422, &json!("dead")), "{said}");
        desk
    }

    fn edit(&self, total: &str) {
        let deal = json!({ "stage": "won", "total": total });
        self.house.systems.edit("Deal", "D1", deal);
    }

    fn run(&self) -> Value {
        self.post("/run", "").1
    }

    fn get(&self, rest: &str) -> (u16, Value) {
        self.flow("GET", rest, "")
    }

    fn post(&self, rest: &str, body: &str) -> (u16, Value) {
        self.flow("POST", rest, body)
    }

    fn flow(&self, method: &str, rest: &str, body: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/flows/deal-to-order{rest}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("x-sluice-user", "rosa");
        let response = self.send(request.body(Bytes::from(body.to_owned())).unwrap());
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        // A refusal is a line.
        let body = serde_json::from_str(&text).unwrap_or_else(|_| {
            assert!(
                text.ends_with('\n') && text.lines().count() == 1,
                "{text:?}"
            );
            Value::String(text.trim_end().to_owned())
        });
        (response.status().as_u16(), body)
    }

    fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.sent.set(self.sent.get() + 1);
        let service = Service::new(self.house.flow(), None, self.house.ports.clone());
        let answer = RefCell::new(None);
        let answered = async |response| {
            assert!(answer.replace(Some(response)).is_none(), "answered twice");
        };
        block_on(service.handle(request, answered));
        answer.into_inner().expect("an answer")
    }

    fn refused(&self, rest: &str, body: &str, status: u16, reason: &str) {
        let (got, said) = self.post(rest, body);
        let line = said
            .as_str()
            .unwrap_or_else(|| panic!("{rest} {body}: {got} {said}"));
        assert_eq!(got, status, "{rest} {body}: {line}");
        assert!(line.contains(reason), "{rest} {body}: {line}");
    }
}

#[test]
fn what_is_stuck_is_seen_and_set_right() {
    let desk = Desk::with_dead();
    let (status, dead) = desk.get("/dead");
    assert_eq!((status, &dead["causes"][0]["ids"]), (200, &json!(["D1"])));
    let (_, shown) = desk.get("/records/D1");
    assert_eq!(shown["source"]["body"]["total"], "twelve");

    // Work begins at once, after the answer.
    let deal = json!({ "stage": "won", "total": "12" });
    let key = ("Deal", "D1".to_owned());
    desk.house
        .systems
        .source
        .borrow_mut()
        .get_mut(&key)
        .unwrap()
        .1 = deal;
    let (status, said) = desk.post("/retry", r#"{"code": "MAPPING_FIELDS"}"#);
    assert_eq!((status, &said["ids"]), (200, &json!(["D1"])));
    let order = desk.house.systems.target(&external("D1")).unwrap();
    assert_eq!(order["total"].to_string(), "12");
    let (status, trace) = desk.get("/trace/T1");
    assert_eq!((status, &trace["id"]), (200, &json!("D1")));
    assert_eq!(desk.get("/trace/T9").0, 404);
    let (_, trail) = desk.get("/trail");
    let lines: Vec<_> = trail["lines"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&lines[0]["action"], &lines[0]["who"]),
        (&json!("retry"), &json!("rosa"))
    );
    assert_eq!((lines.len(), &lines[1]["action"]), (2, &json!("sync")));
    let (_, older) = desk.get("/trail?before=2");
    assert_eq!(older["lines"].as_array().unwrap().len(), 1);
}

#[test]
fn edited_data_is_applied_and_told() {
    let desk = Desk::with_dead();
    let body = r#"{"edit": {"total": "12.10"}, "reason": "typo"}"#;
    let (status, said) = desk.post("/records/D1", body);
    assert_eq!((status, &said["state"]), (200, &json!("created")), "{said}");
    let order = desk.house.systems.target(&external("D1")).unwrap();
    assert_eq!(order["total"].to_string(), "12.10");
    let (_, trail) = desk.get("/trail");
    assert_eq!(
        (
            &trail["lines"][0]["reason"],
            trail["lines"][0]["details"].to_string()
        ),
        (&json!("typo"), r#"{"total":"12.10"}"#.to_owned())
    );
    desk.refused(
        "/records/D9",
        r#"{"edit": {}}"#,
        422,
        "unknown in the source",
    );
}

#[test]
fn a_record_that_another_worker_holds_is_left_to_it() {
    let desk = Desk::with_dead();
    let hold = "UPDATE queue SET lease = 1, lease_until = 9223372036854775807";
    block_on(desk.house.ports.sql.execute(hold, &[])).unwrap();
    for body in ["", r#"{"edit": {"total": "2"}}"#] {
        let (status, said) = desk.post("/records/D1", body);
        assert_eq!((status, &said["state"]), (409, &json!("in_work")), "{said}");
    }
    assert_eq!(desk.get("/trail").1["lines"].as_array().unwrap().len(), 1);
}

#[test]
fn a_record_is_skipped_with_a_reason() {
    let desk = Desk::with_dead();
    let (status, said) = desk.post("/skip", r#"{"ids": ["D1", "D2"], "reason": "a test"}"#);
    assert_eq!((status, &said["ids"]), (200, &json!(["D1"])));
    assert_eq!(said["not_skipped"][0]["why"], "is not in the queue");
    assert_eq!(desk.get("").1["outcomes"]["skipped"], 1);
}

#[test]
fn a_paused_flow_acknowledges_webhooks_and_does_nothing_else() {
    let desk = Desk::new();
    let (status, said) = desk.post("/pause", r#"{"reason": "an upgrade"}"#);
    assert_eq!((status, &said["state"]), (200, &json!("paused")));
    desk.edit("1");
    let hook = Request::post("/hooks/deal-to-order/ids");
    let answer = desk.send(hook.body(Bytes::from("D1")).unwrap());
    assert_eq!(answer.status(), 200);
    assert_eq!(desk.run()["ended"], "paused");
    let (_, status) = desk.get("");
    assert_eq!(
        (&status["queue"]["ready"], &status["paused"]["who"]),
        (&json!(1), &json!("rosa"))
    );
    desk.refused("/records/D1", "", 409, "the flow is paused since");
    desk.refused("/records/D1", r#"{"edit": {"total": "2"}}"#, 409, "paused");
    assert!(desk.house.systems.target.borrow().is_empty());
    // What came meanwhile is taken up at once.
    assert_eq!(desk.post("/resume", r#"{"reason": "done"}"#).0, 200);
    assert!(desk.house.systems.target(&external("D1")).is_some());
}

#[test]
fn a_cursor_is_set() {
    let desk = Desk::new();
    let (status, said) = desk.post("/cursor", r#"{"to": "2027-01-15T07:00:00Z"}"#);
    assert_eq!(status, 200, "{said}");
    assert_eq!(
        said["cursor"]["streams"]["Deal"]["complete"],
        "2027-01-15T07:00:00Z"
    );
    desk.refused(
        "/cursor",
        r#"{"to": "2027-01-15T07:30:00Z"}"#,
        422,
        "may not be applied",
    );
    desk.refused(
        "/cursor",
        r#"{"to": "2030-01-01T00:00:00Z", "skip": true, "reason": "so"}"#,
        422,
        "ahead",
    );
    desk.refused(
        "/cursor",
        r#"{"to": "2027-01-15T07:30:00Z", "skip": true}"#,
        400,
        "`reason`",
    );
    let forward = r#"{"to": "2027-01-15T07:30:00Z", "skip": true, "reason": "all old"}"#;
    assert_eq!(desk.post("/cursor", forward).0, 200);
    let until = desk.house.clock_now().as_millisecond() + 300_000;
    let take = format!(
        "INSERT INTO lease (name, token, until) VALUES ('extract:deal-to-order:Deal', 1, {until})"
    );
    block_on(desk.house.ports.sql.execute(&take, &[])).unwrap();
    desk.refused(
        "/cursor",
        r#"{"to": "2027-01-15T07:00:00Z"}"#,
        409,
        "a run is listing",
    );
}

#[test]
fn what_is_wrong_with_a_wish_is_said_in_a_line() {
    let desk = Desk::with_dead();
    let long = format!(r#"{{"reason": "{}"}}"#, "x".repeat(501));
    let many = format!(r#"{{"ids": {:?}, "reason": "so"}}"#, vec!["D1"; 101]);
    for (rest, body, reason) in [
        ("/retry", "", "no JSON object"),
        ("/retry", "{}", "say one of"),
        ("/retry", r#"{"all": false}"#, "say one of"),
        ("/retry", r#"{"all": true, "code": "X"}"#, "say one of"),
        ("/retry", r#"{"ids": []}"#, "`ids` names 1 to 1000"),
        ("/retry", r#"{"ids": ["D1", "a b"]}"#, "no id"),
        ("/retry", r#"{"ids": ["%44"]}"#, "no id"),
        ("/retry", r#"{"al": true}"#, "unknown field `al`"),
        ("/retry", r#"{"all": true, "all": true}"#, "duplicate field"),
        ("/retry", r#"{"all": true} x"#, "trailing"),
        ("/retry", r#"["D1"]"#, "no JSON object"),
        ("/pause", r#"["so"]"#, "no JSON object"),
        ("/skip", r#"{"ids": ["D1"]}"#, "`reason`"),
        ("/skip", r#"{"ids": ["D1"], "reason": "  "}"#, "`reason`"),
        ("/skip", r#"{"reason": "so"}"#, "missing field `ids`"),
        ("/skip", &many, "1 to 100"),
        ("/pause", "{}", "`reason`"),
        ("/pause", &long, "500 letters"),
        ("/resume", "{}", "`reason`"),
        ("/cursor", r#"{"to": "yesterday"}"#, "no time"),
        ("/cursor", r#"{"to": "2027-01-15"}"#, "no time"),
        ("/cursor", "{}", "missing field `to`"),
        ("/records/D1", r#"{"edit": []}"#, "the body"),
        ("/records/D1", r#"{"total": "12"}"#, "unknown field"),
        ("/retry?force=1", r#"{"all": true}"#, "query"),
    ] {
        desk.refused(rest, body, 400, reason);
    }
    for rest in [
        "/trail?before=x",
        "/trail?after=1",
        "/trail?before=1&before=2",
        "/dead?before=1",
    ] {
        assert_eq!(desk.get(rest).0, 400, "{rest}");
    }
    assert_eq!(desk.flow("DELETE", "/trail", "").0, 405);
    let (_, trail) = desk.get("/trail");
    assert_eq!(
        trail["lines"].as_array().unwrap().len(),
        1,
        "only the first sync"
    );
    assert_eq!(desk.get("").1["queue"]["dead"], 1);
}

#[test]
fn nobody_acts_without_the_token_and_no_store_fails_unseen() {
    let mut desk = Desk::with_dead();
    for rest in ["/dead", "/trail", "/records/D1", "/trace/D1"] {
        let request = Request::get(format!("/flows/deal-to-order{rest}"));
        let response = desk.send(request.body(Bytes::new()).unwrap());
        assert_eq!(response.status(), 401, "{rest}");
    }
    for rest in [
        "/retry",
        "/skip",
        "/pause",
        "/resume",
        "/cursor",
        "/records/D1",
    ] {
        let request = Request::post(format!("/flows/deal-to-order{rest}"));
        let response = desk.send(request.body(Bytes::from(r#"{"reason": "so"}"#)).unwrap());
        assert_eq!(response.status(), 401, "{rest}");
    }
    let sql = desk.house.ports.sql.clone();
    desk.house.ports.sql = Rc::new(FailingSql {
        inner: sql.clone(),
        good: Cell::new(1),
        takes_effect: false,
    });
    assert_eq!(desk.post("/retry", r#"{"all": true}"#).0, 503);
    desk.house.ports.sql = sql;
    assert_eq!(desk.get("").1["queue"]["dead"], 1);
}

#[test]
fn a_body_is_bounded_by_its_route() {
    let desk = Desk::new();
    let service = Service::new(desk.house.flow(), None, desk.house.ports.clone());
    assert_eq!(
        service.body_bytes_max("/flows/deal-to-order/retry"),
        64 << 10
    );
    assert_eq!(service.body_bytes_max("/flows/deal-to-order/run"), 4096);
    assert_eq!(service.body_bytes_max("/elsewhere"), 4096);
}
