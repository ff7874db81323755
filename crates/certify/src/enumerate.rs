//! Every step fails in turn.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fastrand::Rng;

use crate::misfortune::Misfortune;
use crate::play::{Flow, Play, Played, play};
use crate::scene::Scene;

/// How much is tried.
#[derive(Clone, Debug)]
pub struct Extent {
    pub seed: u64,
    /// Every how many of the single misfortunes is played: 1 for all.
    pub stride: usize,
    /// Pairs of misfortunes, drawn by the seed, a scene.
    pub pair_count: usize,
    /// Races with one misfortune each, drawn by the seed, a scene.
    pub race_count: usize,
    /// Runs at the same time.
    pub thread_count: usize,
    /// After so many failures it stops.
    pub failure_count_max: usize,
}

impl Extent {
    /// Every misfortune of every step, and a few hundred pairs and races.
    pub fn whole(seed: u64) -> Self {
        Self {
            seed,
            stride: 1,
            pair_count: 200,
            race_count: 100,
            thread_count: std::thread::available_parallelism().map_or(1, usize::from),
            failure_count_max: 10,
        }
    }
}

/// What was tried and what came of it.
#[derive(Debug, Default)]
pub struct Certificate {
    pub scenes: Vec<Tried>,
    pub failures: Vec<Failure>,
}

/// What was tried in one scene.
#[derive(Debug)]
pub struct Tried {
    pub scene: Scene,
    /// Steps of the run without misfortune.
    pub step_count: usize,
    pub single_count: usize,
    pub pair_count: usize,
    pub race_count: usize,
    /// Runs in which no planned misfortune came to pass: the run ended before.
    pub idle_count: usize,
    /// Single misfortunes by name.
    pub by_misfortune: BTreeMap<String, usize>,
}

/// A run that did not end as the one without misfortune.
#[derive(Clone, Debug)]
pub struct Failure {
    pub play: Play,
    /// The step, in words.
    pub step: String,
    pub what: Vec<String>,
}

/// How far it is, for a person who waits: scene, done, of how many, failures.
pub type Progress<'a> = dyn Fn(Scene, usize, usize, usize) + Sync + 'a;

/// Tries a flow to this extent. `make` gives a flow to each thread.
///
/// # Errors
/// If the run without misfortune does not even come to a good end; in words.
pub fn enumerate<F: Flow>(
    make: impl Fn() -> F + Sync,
    extent: &Extent,
    progress: &Progress<'_>,
) -> Result<Certificate, String> {
    let mut certificate = Certificate::default();
    for scene in Scene::ALL {
        let (tried, failures) = in_scene(&make, scene, extent, progress)?;
        certificate.scenes.push(tried);
        certificate.failures.extend(failures);
    }
    Ok(certificate)
}

fn in_scene<F: Flow>(
    make: &(impl Fn() -> F + Sync),
    scene: Scene,
    extent: &Extent,
    progress: &Progress<'_>,
) -> Result<(Tried, Vec<Failure>), String> {
    let calm = Play {
        scene,
        seed: extent.seed,
        plan: BTreeMap::new(),
        racing: false,
    };
    let reference = reference(&make(), &calm)?;
    let plays = plays(&calm, &reference, extent);
    let mut tried = Tried {
        scene,
        step_count: reference.steps.len(),
        single_count: 0,
        pair_count: 0,
        race_count: 0,
        idle_count: 0,
        by_misfortune: BTreeMap::new(),
    };
    for play in &plays {
        match (play.racing, play.plan.len()) {
            (true, _) => tried.race_count += 1,
            (false, 1) => {
                tried.single_count += 1;
                for misfortune in play.plan.values() {
                    *tried
                        .by_misfortune
                        .entry(misfortune.to_string())
                        .or_default() += 1;
                }
            }
            _ => tried.pair_count += 1,
        }
    }
    let (next, idle, stop) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..extent.thread_count.max(1) {
            scope.spawn(|| {
                let flow = make();
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = plays.get(at) else { break };
                    let (what, was_idle) = try_one(&flow, one, &reference);
                    idle.fetch_add(usize::from(was_idle), Ordering::Relaxed);
                    let mut failures = failures
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    if !what.is_empty() {
                        let step = step_of(one, &reference);
                        let play = one.clone();
                        failures.push(Failure { play, step, what });
                        if failures.len() >= extent.failure_count_max {
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                    progress(scene, at + 1, plays.len(), failures.len());
                }
            });
        }
    });
    tried.idle_count = idle.into_inner();
    let failures = failures
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((tried, failures))
}

/// The run without misfortune, which all others are held against.
///
/// # Errors
/// If both systems do not agree at its end, or it does not go the same way twice.
pub fn reference(flow: &dyn Flow, calm: &Play) -> Result<Played, String> {
    let name = calm.scene.name();
    let reference = play(flow, calm).map_err(|why| format!("{name}, without misfortune: {why}"))?;
    let wrong = [&reference.unkept[..], &reference.rest.wrong[..]].concat();
    if !wrong.is_empty() {
        let (wrong, queue) = (wrong.join("; "), &reference.rest.queue);
        return Err(format!(
            "{name}, without misfortune: {wrong}; the queue holds {queue:?}"
        ));
    }
    let again = play(flow, calm).map_err(|why| format!("{name}, again: {why}"))?;
    let parted = reference
        .steps
        .iter()
        .zip(&again.steps)
        .position(|(one, other)| one != other);
    match parted {
        Some(at) => Err(format!(
            "{name}: the same run went another way at step {at}: {:?}, {:?}",
            reference.steps[at], again.steps[at]
        )),
        None => Ok(reference),
    }
}

/// What was wrong with one run, and whether no misfortune befell it.
pub fn try_one(flow: &dyn Flow, one: &Play, reference: &Played) -> (Vec<String>, bool) {
    match play(flow, one) {
        Err(why) => (vec![why], false),
        Ok(played) => {
            let idle = one.plan.keys().all(|step| *step >= played.steps.len());
            let mut what = played.unkept;
            what.extend(played.rest.differences(&reference.rest));
            (what, idle && !one.plan.is_empty())
        }
    }
}

fn step_of(play: &Play, reference: &Played) -> String {
    let steps = play.plan.keys().map(|at| match reference.steps.get(*at) {
        Some(step) => step.label.clone(),
        None => "a step after the run's usual end".to_owned(),
    });
    steps.collect::<Vec<_>>().join(", ")
}

fn plays(calm: &Play, reference: &Played, extent: &Extent) -> Vec<Play> {
    let mut plays = Vec::new();
    let mut singles = Vec::new();
    for (at, step) in reference.steps.iter().enumerate() {
        singles.extend(Misfortune::of(step.kind).iter().map(|one| (at, *one)));
    }
    let with = |plan: &[(usize, Misfortune)], seed: u64, racing: bool| Play {
        plan: plan.iter().copied().collect(),
        seed,
        racing,
        ..calm.clone()
    };
    plays.extend(
        singles
            .iter()
            .step_by(extent.stride.max(1))
            .map(|one| with(&[*one], calm.seed, false)),
    );
    let mut rng = Rng::with_seed(extent.seed ^ 0x9a1e5);
    let mut draw = || singles[rng.usize(0..singles.len())];
    for _ in 0..extent.pair_count {
        let pair = [draw(), draw()];
        plays.push(with(&pair, calm.seed, false));
    }
    for race in 0..extent.race_count {
        let one = [draw()];
        // The first races run without misfortune.
        let plan = if race % 4 == 0 { &[][..] } else { &one[..] };
        plays.push(with(plan, calm.seed, true));
    }
    plays
}
