//! Every step of every flow fails in turn: `cargo run --release -p sluice-simulation`.

use std::process::ExitCode;

use clap::Parser;

/// Plays each flow's business on simulated ground, once for every misfortune of every step, and holds the end
/// of each run against the one without misfortune.
///
/// A failure prints the command that plays it again:
///
///   cargo run --release -p sluice-simulation -- opportunity-to-sales-order --replay webhooks:1:41=crash-after
#[derive(Parser)]
#[command(name = "sluice-simulation", max_term_width = 100)]
#[group(id = "simulation")]
struct Arguments {
    /// One flow only.
    flow: Option<String>,
    #[command(flatten)]
    extent: certify::Arguments,
}

fn main() -> ExitCode {
    let Arguments { flow, extent } = Arguments::parse();
    let named = |one: &&simulation::Native| {
        let name = certify::Flow::name(*one);
        flow.as_deref().is_none_or(|wanted| wanted == name)
    };
    let mut flows = simulation::FLOWS.iter().filter(named).peekable();
    if flows.peek().is_none() {
        eprintln!("error: there is no such flow");
        return ExitCode::from(2);
    }
    let mut code = ExitCode::SUCCESS;
    for flow in flows {
        if let Err(error) = certify::run(|| *flow, &extent) {
            eprintln!("error: {error}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
