//! Vendors under one clock: what goes wrong on purpose, and that it goes wrong the same way each time.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use sandbox::{
    Refusal, Reply, World, company,
    misfortune::{Garble, Misfortune, What},
    salesforce::{OutboundMessage, Salesforce, Settings},
};
use serde_json::{Value as Json, json};

struct Stage {
    world: World,
    now: Timestamp,
    token: String,
}

impl Stage {
    fn new(seed: u64) -> Self {
        let now: Timestamp = "2026-05-01T08:00:00Z".parse().unwrap();
        let world = company::world(seed, Settings::new(seed), Default::default(), now).unwrap();
        let mut stage = Self {
            world,
            now,
            token: String::new(),
        };
        let credentials = stage
            .world
            .vendor::<Salesforce>()
            .unwrap()
            .settings()
            .credentials
            .clone();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            credentials.client_id, credentials.client_secret
        );
        let login = Request::post("/services/oauth2/token")
            .body(Bytes::from(form))
            .unwrap();
        let Some(Reply::Answer { response, .. }) = stage.world.handle("salesforce", login, now)
        else {
            panic!("no answer")
        };
        stage.token = json_of(&response)["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        stage
    }

    fn befall(&mut self, what: What) {
        let spec = Misfortune {
            path: Some("/services/data/".to_owned()),
            times: Some(1),
            ..Misfortune::new(what)
        };
        self.world.misfortunes().add(spec).unwrap();
    }

    fn ask(&mut self, method: Method, path: &str, body: Option<Json>) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(format!("/services/data/v66.0{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())))
            .unwrap();
        self.world.handle("salesforce", request, self.now).unwrap()
    }

    fn make_account(&mut self, name: &str) -> Reply {
        self.ask(
            Method::POST,
            "/sobjects/Account",
            Some(json!({"Name": name})),
        )
    }

    fn is_there(&mut self, name: &str) -> bool {
        let accounts = self
            .world
            .named("salesforce")
            .unwrap()
            .records("Account")
            .unwrap();
        accounts.iter().any(|account| account["Name"] == name)
    }

    fn wait(&mut self, seconds: i64) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
    }

    /// Announces every won opportunity, and wins so many.
    fn win(&mut self, count: usize) {
        let now = self.now;
        let org = self.world.vendor_mut::<Salesforce>().unwrap();
        org.set_outbound_messages(vec![OutboundMessage::closed_won("http://flows.test/hook")])
            .unwrap();
        let open = org
            .select("SELECT Id FROM Opportunity WHERE IsClosed = false", now)
            .unwrap();
        for sale in &open[..count] {
            let id = sandbox::salesforce::Id::parse(sale["Id"].as_str().unwrap()).unwrap();
            org.user_change("Opportunity", id, json!({"StageName": "Closed Won"}), now)
                .unwrap();
        }
    }
}

fn json_of(response: &Response<Bytes>) -> Json {
    serde_json::from_slice(response.body()).unwrap()
}

fn answer(reply: Reply) -> (Response<Bytes>, Duration) {
    match reply {
        Reply::Answer { response, delay } => (response, delay),
        Reply::Dropped { .. } => panic!("dropped"),
    }
}

fn is_dropped(reply: &Reply) -> bool {
    matches!(reply, Reply::Dropped { .. })
}

#[test]
fn refusals_in_the_vendors_words() {
    let mut stage = Stage::new(1);
    for (refusal, status, code) in [
        (Refusal::RateLimit, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Refusal::Concurrency, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Refusal::ConcurrencyAsLogin, 401, "INVALID_SESSION_ID"),
        (Refusal::TokenExpired, 401, "INVALID_SESSION_ID"),
        (Refusal::Locked, 400, "UNABLE_TO_LOCK_ROW"),
        (Refusal::ServerError, 500, "UNKNOWN_EXCEPTION"),
        (Refusal::Unavailable, 503, "SERVER_UNAVAILABLE"),
    ] {
        stage.befall(What::Refuse(refusal));
        let (response, _) = answer(stage.make_account("Refused"));
        assert_eq!(response.status().as_u16(), status, "{refusal:?}");
        assert_eq!(json_of(&response)[0]["errorCode"], code);
    }
    assert!(!stage.is_there("Refused"));
    stage.befall(What::RefuseWith {
        status: 429,
        body: "slow down".to_owned(),
        content_type: None,
        retry_after_s: Some(7),
    });
    let (response, _) = answer(stage.make_account("Refused"));
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["retry-after"]
        ),
        (429, &"7".parse().unwrap())
    );
}

#[test]
fn before_after_late_and_slow() {
    let mut stage = Stage::new(1);
    stage.befall(What::DropBefore);
    assert!(is_dropped(&stage.make_account("Before")));
    assert!(!stage.is_there("Before"));

    stage.befall(What::CommitThenDrop);
    assert!(is_dropped(&stage.make_account("After")));
    assert!(stage.is_there("After"));

    stage.befall(What::LateCommit {
        after_ms: 5000,
        hang_ms: 100,
    });
    let reply = stage.make_account("Late");
    assert!(matches!(reply, Reply::Dropped { delay } if delay == Duration::from_millis(100)));
    assert_eq!(
        stage.world.next_due(),
        Some(stage.now.checked_add(SignedDuration::from_secs(5)).unwrap())
    );
    stage.wait(4);
    stage.ask(Method::GET, "/limits", None);
    assert!(!stage.is_there("Late"));
    stage.wait(1);
    let now = stage.now;
    stage.world.advance(now);
    assert!(stage.is_there("Late"));

    stage.befall(What::Delay { ms: 250 });
    let (response, delay) = answer(stage.make_account("Slow"));
    assert_eq!(
        (response.status(), delay),
        (StatusCode::CREATED, Duration::from_millis(250))
    );
}

#[test]
fn garbled_answers_are_not_what_they_should_be() {
    let mut stage = Stage::new(1);
    for how in [
        Garble::Truncate,
        Garble::Html,
        Garble::Empty,
        Garble::Encoding,
    ] {
        stage.befall(What::Garble(how));
        let (response, _) = answer(stage.ask(Method::GET, "/limits", None));
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            serde_json::from_slice::<Json>(response.body()).is_err(),
            "{how:?}"
        );
    }
}

#[test]
fn webhooks_come_twice_late_never_or_out_of_order() {
    let sent = |what: Option<What>| {
        let mut stage = Stage::new(1);
        stage.win(1);
        if let Some(what) = what {
            stage
                .world
                .misfortunes()
                .add(Misfortune::new(what))
                .unwrap();
        }
        let now = stage.now;
        let at_once = stage.world.due(now).len();
        stage.wait(3600);
        let now = stage.now;
        (at_once, stage.world.due(now).len(), stage.world.next_due())
    };
    assert_eq!(sent(None), (1, 0, None));
    assert_eq!(
        sent(Some(What::WebhookDuplicate { copies: 2 })),
        (3, 0, None)
    );
    assert_eq!(sent(Some(What::WebhookDelay { ms: 1000 })), (0, 1, None));
    assert_eq!(sent(Some(What::WebhookLose)), (0, 0, None));

    let mut stage = Stage::new(1);
    stage
        .world
        .misfortunes()
        .add(Misfortune::new(What::WebhookReorder { within_ms: 10_000 }))
        .unwrap();
    let mut order = Vec::new();
    for round in 0..10 {
        stage.win(1);
        for _ in 0..2 {
            stage.wait(1);
            let now = stage.now;
            order.extend(
                stage
                    .world
                    .due(now)
                    .into_iter()
                    .map(|outgoing| outgoing.delivery.id),
            );
        }
        assert!(round < 10);
    }
    stage.wait(20);
    let now = stage.now;
    order.extend(
        stage
            .world
            .due(now)
            .into_iter()
            .map(|outgoing| outgoing.delivery.id),
    );
    assert_eq!(order.len(), 10, "none is lost");
    assert!(order.windows(2).any(|pair| pair[0] > pair[1]), "{order:?}");
}

#[test]
fn a_lost_webhook_is_not_tried_again_but_an_unanswered_one_is() {
    let mut stage = Stage::new(1);
    stage.win(1);
    let now = stage.now;
    let sent = stage.world.due(now);
    stage
        .world
        .delivered(sent[0].vendor, sent[0].delivery.id, None, now);
    let next = stage.world.next_due().unwrap();
    assert_eq!(next.duration_since(now), SignedDuration::from_secs(15));
}

#[test]
fn the_log_tells_what_was_asked() {
    let mut stage = Stage::new(1);
    stage.befall(What::CommitThenDrop);
    stage.make_account("Logged");
    stage.befall(What::DropBefore);
    stage.make_account("Not");
    let log = stage.world.requests("salesforce").unwrap();
    let shown: Vec<(String, Option<u16>, bool)> = log
        .entries()
        .map(|entry| (entry.path.clone(), entry.status, entry.answered))
        .collect();
    let path = "/services/data/v66.0/sobjects/Account".to_owned();
    assert_eq!(
        shown,
        [
            ("/services/oauth2/token".to_owned(), Some(200), true),
            (path.clone(), Some(201), false),
            (path, None, false),
        ]
    );
    assert!(stage.world.requests("nobody").is_none());
}

/// The same calls in the same order give the same bytes, chance and all.
#[test]
fn one_seed_one_world() {
    let run = |seed: u64| {
        let mut stage = Stage::new(seed);
        let chance = Misfortune {
            probability: Some(0.4),
            ..Misfortune::new(What::Refuse(Refusal::Locked))
        };
        stage.world.misfortunes().add(chance).unwrap();
        let reorder = Misfortune::new(What::WebhookReorder { within_ms: 9000 });
        stage.world.misfortunes().add(reorder).unwrap();
        let mut seen = Vec::new();
        for step in 0..60 {
            stage.wait(1);
            if let Reply::Answer { response, .. } = stage.make_account(&format!("A{step}")) {
                seen.extend_from_slice(response.status().as_str().as_bytes());
                seen.extend_from_slice(response.body());
            }
            if step % 10 == 0 {
                stage.win(2);
            }
            let now = stage.now;
            for outgoing in stage.world.due(now) {
                seen.extend_from_slice(outgoing.delivery.request.body());
                stage
                    .world
                    .delivered(outgoing.vendor, outgoing.delivery.id, None, now);
            }
        }
        for (vendor, kind) in [("salesforce", "Opportunity"), ("netsuite", "inventoryItem")] {
            let records = stage.world.named(vendor).unwrap().records(kind).unwrap();
            seen.extend_from_slice(Json::from(records).to_string().as_bytes());
        }
        seen
    };
    assert!(run(9) == run(9));
    assert!(run(9) != run(10));
}

#[test]
fn no_vendor_no_answer() {
    let mut stage = Stage::new(1);
    let request = Request::get("/").body(Bytes::new()).unwrap();
    assert!(stage.world.handle("sap", request, stage.now).is_none());
}
