//! A sample of all misfortunes, for every flow; the whole is `cargo run --release -p sluice-simulation`.

use std::collections::BTreeSet;

use certify::{Extent, Failure, Flow, Kind, Misfortune, Play, Scene, enumerate, play, try_one};
use simulation::{FLOWS, Native};

fn calm(scene: Scene) -> Play {
    Play {
        scene,
        seed: 1,
        plan: Default::default(),
        racing: false,
    }
}

#[test]
fn every_flow_survives_a_sample_of_misfortunes() {
    for flow in FLOWS {
        let extent = Extent {
            // Prime to the number of misfortunes of a step: every kind has its turn.
            stride: 101,
            pair_count: 6,
            race_count: 8,
            ..Extent::whole(1)
        };
        let certificate = enumerate(|| flow, &extent, &|_, _, _, _| {}).unwrap();
        let told: Vec<String> = certificate.failures.iter().map(told).collect();
        assert!(told.is_empty(), "{}: {told:#?}", flow.name());
        for tried in &certificate.scenes {
            assert!(tried.step_count > 200, "{tried:?}");
            assert!(tried.single_count > 15, "{tried:?}");
            // What was planned came to pass.
            assert!(
                tried.idle_count * 2 < tried.pair_count + tried.race_count,
                "{tried:?}"
            );
        }
    }
}

fn told(failure: &Failure) -> String {
    let Failure { play, step, what } = failure;
    format!("{play:?} at {step}: {what:?}")
}

#[test]
fn a_run_touches_everything_a_flow_can_touch() {
    for flow in FLOWS {
        for scene in Scene::ALL {
            let played = play(&flow, &calm(scene)).unwrap();
            let kinds: BTreeSet<Kind> = played.steps.iter().map(|step| step.kind).collect();
            assert_eq!(kinds.len(), 5, "{} in {scene:?}: {kinds:?}", flow.name());
            assert_eq!(played.rest.wrong, [""; 0]);
            assert!(played.rest.records.len() > 20, "{}", played.rest);
        }
    }
}

/// A flow whose webhooks are acknowledged by somebody who keeps nothing.
#[derive(Clone, Copy)]
struct Forgetful(Native);

impl Flow for Forgetful {
    fn source(&self) -> &str {
        self.0.source()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn work(
        &self,
        ground: certify::Ground,
        worker: usize,
        variables: std::collections::BTreeMap<String, String>,
        request: http::Request<bytes::Bytes>,
    ) -> futures_util::future::LocalBoxFuture<'static, ()> {
        if request.uri().path().starts_with("/hooks/") {
            let answer = "<Ack>true</Ack>";
            ground.respond(worker, http::Response::new(answer.into()));
            return Box::pin(async {});
        }
        self.0.work(ground, worker, variables, request)
    }
}

#[test]
fn what_is_acknowledged_and_not_kept_is_seen() {
    let played = play(&Forgetful(FLOWS[0]), &calm(Scene::Webhooks));
    // Events wait for orders that nobody makes.
    let why = played.err().unwrap_or_default();
    assert!(why.contains("does not come to rest"), "{why}");
}

#[test]
fn a_record_that_only_one_run_has_is_a_difference() {
    let reference = play(&FLOWS[0], &calm(Scene::Schedule)).unwrap();
    let mut other = reference.rest.clone();
    let (place, _) = other.records.pop_last().unwrap();
    other
        .records
        .insert("netsuite salesOrder twin".to_owned(), serde_json::json!({}));
    let found = other.differences(&reference.rest);
    let missing = format!("{place} is missing");
    assert_eq!(
        found,
        [
            missing.as_str(),
            "netsuite salesOrder twin should not be there"
        ]
    );
}

#[test]
fn a_crash_in_the_middle_of_a_page_is_suffered_and_survived() {
    let flow = FLOWS[0];
    let reference = play(&flow, &calm(Scene::Schedule)).unwrap();
    // The cursor of the second run, the first one with something to move past.
    let mut cursors =
        reference.steps.iter().enumerate().filter(|(_, step)| {
            step.kind == Kind::KeyValueWrite && step.label.starts_with("cursor:")
        });
    let (at, _) = cursors.nth(3).unwrap();
    for misfortune in [Misfortune::CrashBefore, Misfortune::CrashAfter] {
        let mut one = calm(Scene::Schedule);
        one.plan.insert(at, misfortune);
        let befallen = play(&flow, &one).unwrap();
        assert_ne!(
            befallen.steps.len(),
            reference.steps.len(),
            "{misfortune} befell nobody"
        );
        assert_eq!(try_one(&flow, &one, &reference), (Vec::new(), false));
    }
}
