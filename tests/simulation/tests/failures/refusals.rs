//! Refusals that were taken for something else.

use certify::{Kind, Misfortune};
use sandbox::Refusal;
use sandbox::misfortune::{Misfortune as Mishap, What};
use serde_json::json;
use simulation::{Stage, minutes, race};

/// Every request to NetSuite's records and queries is refused for this reason.
fn refuse(stage: &Stage, refusal: Refusal) {
    stage.ground.world(|world, _| {
        let mishap = Mishap {
            vendor: Some("netsuite".to_owned()),
            ..Mishap::new(What::Refuse(refusal))
        };
        world.misfortunes().add(mishap).unwrap();
    });
}

fn relent(stage: &Stage) {
    stage.ground.world(|world, _| world.misfortunes().clear());
}

/// A report that was refused for too many requests counted as failed for good. airbytehq/airbyte#42052
///
/// Of Amazon's reports see `reports`; shown here is that a limit never costs a record its life.
#[test]
fn a_rate_limit_is_taken_for_the_end() {
    let mut stage = Stage::new();
    let deal = stage.won();
    refuse(&stage, Refusal::RateLimit);
    for _ in 0..12 {
        stage.tick();
        stage.wait(minutes(5));
    }
    assert_eq!(stage.status()["queue"]["dead"], 0);
    relent(&stage);
    stage.wait(minutes(25));
    stage.tick();
    assert!(stage.order(&deal).is_some());
    stage.in_step();
}

/// The answer to "make this report" was lost with its id, and a second one was made. airbytehq/airbyte#15415
///
/// Of Amazon's reports see `reports`; shown here is what every write does whose answer is lost.
#[test]
fn what_was_made_is_made_again_after_a_time_out() {
    for misfortune in [
        Misfortune::AnswerLost,
        Misfortune::TimedOut,
        Misfortune::TakesEffectLate,
    ] {
        for kind in ["customer", "salesOrder"] {
            let mut stage = Stage::new();
            let deal = stage.won();
            let put = format!("PUT /services/rest/record/v1/{kind}");
            let mut cut_off = stage.ticking().befall(Kind::Request, &put, 0, misfortune);
            cut_off.go();
            stage.rest();
            assert!(stage.order(&deal).is_some());
            assert_eq!((stage.customers().len(), stage.orders().len()), (1, 1));
            stage.in_step();
        }
    }
}

/// Two workers renewed one token at the same time; the one that came second made the other's useless.
/// n8n-io/n8n#12742, n8n-io/n8n#33092
#[test]
fn two_workers_renew_one_token_at_once() {
    for seed in 0..8 {
        let mut stage = Stage::new();
        let bearer = "client_credentials".to_owned();
        stage.variables.insert("netsuite_auth".to_owned(), bearer);
        stage.won();
        stage.rest();
        let (one, other) = (stage.won(), stage.won());
        stage.org(|org, _| org.end_sessions());
        stage.books(|books, _| books.expire_tokens());
        let mut workers = [stage.syncing(&one), stage.syncing(&other)];
        race(workers.iter_mut().collect(), seed);
        for worker in &mut workers {
            let said = worker.done();
            assert_eq!(said["state"], "created", "seed {seed}: {said}");
        }
        stage.rest();
        stage.in_step();
    }
}

/// A token that another worker had renewed meanwhile was renewed once more, and so on. NangoHQ/nango#1005
#[test]
fn a_token_just_renewed_is_renewed_again() {
    let mut stage = Stage::new();
    let bearer = "client_credentials".to_owned();
    stage.variables.insert("netsuite_auth".to_owned(), bearer);
    stage.won();
    stage.rest();
    let (one, other) = (stage.won(), stage.won());
    stage.org(|org, _| org.end_sessions());
    // It holds the old token, and sends with it once the other one has fetched a new one.
    let mut late = stage
        .syncing(&one)
        .stopping_at(Kind::Request, "GET /services/data");
    assert!(late.go());
    stage.sync(&other);
    let before = stage.asked("salesforce", "POST", "/oauth2/token");
    let said = late.done();
    assert_eq!(said["state"], "created", "{said}");
    assert_eq!(stage.asked("salesforce", "POST", "/oauth2/token"), before);
    stage.in_step();
}

/// NetSuite told of too many requests at once as of an invalid login, for a minute; whoever believed it gave
/// up, or locked the account. julbrs/netsuite-api-client#26
#[test]
fn too_many_requests_are_told_as_a_bad_login() {
    let mut stage = Stage::new();
    let deal = stage.won();
    refuse(&stage, Refusal::ConcurrencyAsLogin);
    let before = stage
        .ground
        .world(|world, _| world.requests("netsuite").unwrap().count());
    for _ in 0..60 {
        stage.tick();
        stage.wait(minutes(1));
    }
    let asked = stage
        .ground
        .world(|world, _| world.requests("netsuite").unwrap().count());
    assert!(
        asked - before < 30,
        "{} failed logins in an hour lock nobody out",
        asked - before
    );
    let retrying = &stage.status()["retrying"][0];
    assert_eq!(
        (&retrying["fault"]["code"], &retrying["attempts"]),
        (&json!("NETSUITE_LOGIN"), &json!(0))
    );
    relent(&stage);
    stage.wait(minutes(8));
    stage.tick();
    assert!(stage.order(&deal).is_some());
    stage.in_step();
}
