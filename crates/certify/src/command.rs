//! The command line that tries flows: shared by the simulation and by `sluice certify`.

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::enumerate::{Certificate, Extent, Failure, enumerate, reference, try_one};
use crate::misfortune::Misfortune;
use crate::play::{Flow, Play};
use crate::scene::Scene;

/// How much is tried.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "extent")]
pub struct Arguments {
    /// Decides names, ids and chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Play every Nth of the single misfortunes.
    #[arg(long, default_value_t = 1, value_name = "N")]
    stride: usize,
    /// Pairs of misfortunes, drawn by the seed, in each scene.
    #[arg(long, default_value_t = 300, value_name = "COUNT")]
    pairs: usize,
    /// Races of several workers, drawn by the seed, in each scene.
    #[arg(long, default_value_t = 200, value_name = "COUNT")]
    races: usize,
    /// Runs at the same time [default: one a processor].
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Play one run again, as a failure names it.
    #[arg(long, value_name = "RUN")]
    replay: Option<Name>,
    /// With --replay: print every step.
    #[arg(long, requires = "replay")]
    steps: bool,
}

/// A run's name: `scene:seed[:race]:step=misfortune[,step=misfortune]`.
#[derive(Clone, Debug)]
struct Name(Play);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(play) = self;
        write!(f, "{}:{}", play.scene.name(), play.seed)?;
        if play.racing {
            f.write_str(":race")?;
        }
        for (at, (step, misfortune)) in play.plan.iter().enumerate() {
            let before = if at == 0 { ":" } else { "," };
            write!(f, "{before}{step}={misfortune}")?;
        }
        Ok(())
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} names no run: scene:seed[:race][:step=misfortune,…]");
        let mut parts = text.split(':').peekable();
        let scene = parts.next().unwrap_or_default();
        let scene = Scene::ALL.into_iter().find(|known| known.name() == scene);
        let seed = parts.next().and_then(|seed| seed.parse().ok());
        let racing = parts.next_if_eq(&"race").is_some();
        let mut plan = std::collections::BTreeMap::new();
        for one in parts
            .next()
            .unwrap_or_default()
            .split(',')
            .filter(|one| !one.is_empty())
        {
            let (step, misfortune) = one.split_once('=').ok_or_else(wrong)?;
            let step = step.parse().map_err(|_| wrong())?;
            let misfortune = Misfortune::named(misfortune)
                .ok_or_else(|| format!("there is no misfortune {misfortune:?}"))?;
            plan.insert(step, misfortune);
        }
        match (scene, seed, parts.next()) {
            (Some(scene), Some(seed), None) => Ok(Self(Play {
                scene,
                seed,
                plan,
                racing,
            })),
            _ => Err(wrong()),
        }
    }
}

/// Tries one flow and prints what came of it.
///
/// # Errors
/// In words, if anything did not end as it should.
pub fn run<F: Flow>(make: impl Fn() -> F + Sync, arguments: &Arguments) -> Result<(), String> {
    if let Some(Name(play)) = &arguments.replay {
        return replay(&make(), play, arguments.steps);
    }
    let extent = Extent {
        stride: arguments.stride,
        pair_count: arguments.pairs,
        race_count: arguments.races,
        ..Extent::whole(arguments.seed)
    };
    let extent = Extent {
        thread_count: arguments.threads.unwrap_or(extent.thread_count),
        ..extent
    };
    let name = make().name().to_owned();
    println!("{name}");
    let started = Instant::now();
    let bar = bar();
    let certificate = enumerate(&make, &extent, &|scene, done, of, failed| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        bar.set_message(match failed {
            0 => scene.name().to_owned(),
            _ => format!("{}, {failed} failed", scene.name()),
        });
    })?;
    bar.finish_and_clear();
    report(&name, &certificate, started.elapsed());
    match certificate.failures.len() {
        0 => Ok(()),
        count => Err(format!("{name}: {count} runs did not end as they should")),
    }
}

fn bar() -> ProgressBar {
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::no_length(),
        false => ProgressBar::hidden(),
    };
    let style = "  {pos} of {len} runs [{wide_bar}] {eta} left, {msg}";
    bar.with_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()))
}

fn report(name: &str, certificate: &Certificate, took: Duration) {
    let mut all = 0;
    for tried in &certificate.scenes {
        let runs = tried.single_count + tried.pair_count + tried.race_count;
        all += runs;
        println!(
            "  {:<9} {:>4} steps, {:>5} single misfortunes, {:>4} pairs, {:>4} races",
            tried.scene.name(),
            tried.step_count,
            tried.single_count,
            tried.pair_count,
            tried.race_count
        );
        for (misfortune, count) in &tried.by_misfortune {
            println!("    {misfortune:<30} {count:>5}");
        }
    }
    for failure in &certificate.failures {
        let Failure { play, step, what } = failure;
        let run = Name(play.clone());
        println!("  FAILED {run} ({step})");
        for line in what.iter().take(5) {
            println!("    {line}");
        }
        println!("    again: --replay {run}");
    }
    let count = certificate.failures.len();
    println!(
        "  {all} runs in {:.0} s, {count} of {name} did not end as they should",
        took.as_secs_f64()
    );
}

fn replay(flow: &dyn Flow, one: &Play, steps: bool) -> Result<(), String> {
    let calm = Play {
        plan: Default::default(),
        racing: false,
        ..one.clone()
    };
    let reference = reference(flow, &calm)?;
    if steps {
        match crate::play::play(flow, one) {
            Ok(played) => {
                for (at, step) in played.steps.iter().enumerate() {
                    let befallen = one.plan.get(&at).map(|one| format!("  <- {one}"));
                    println!(
                        "  {at:>5}  worker {:<3} {:?} {}{}",
                        step.worker,
                        step.kind,
                        step.label,
                        befallen.unwrap_or_default()
                    );
                }
            }
            Err(why) => println!("  {why}"),
        }
    }
    let (what, idle) = try_one(flow, one, &reference);
    if idle {
        println!("  the run ended before any planned misfortune");
    }
    match what.as_slice() {
        [] => {
            println!("  ends as it should");
            Ok(())
        }
        what => Err(what.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_name_is_read_as_it_is_written() {
        for name in [
            "schedule:1",
            "webhooks:7:41=crash-after",
            "schedule:1:race:3=stall,500=takes-effect-late",
        ] {
            assert_eq!(name.parse::<Name>().unwrap().to_string(), name);
        }
        for misfortune in [crate::Kind::Request, crate::Kind::SqlWrite]
            .map(Misfortune::of)
            .concat()
        {
            assert_eq!(Misfortune::named(&misfortune.to_string()), Some(misfortune));
        }
        for name in [
            "",
            "schedule",
            "nowhere:1",
            "schedule:1:4",
            "schedule:1:4=flood",
            "schedule:1:4=stall:5",
        ] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
    }
}
