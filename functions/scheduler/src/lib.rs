//! Calls a flow's run address at each tick of the clock.
//!
//! One component entry of `spin.toml` per scheduled flow; the entry's variables say which flow. A tick that
//! fails is reported and not repeated: the next one finds whatever is due. Ticks may overlap, since the
//! flow's own extraction lease lets only one of them work.

mod post;

/// Generated from `wit/`: what a cron component exports, and how it reads variables.
#[allow(unsafe_code, missing_docs)] // The glue between Rust and the component's exports.
mod bindings {
    wit_bindgen::generate!({
        world: "sluice:host/scheduled",
        path: "../../wit",
        generate_all,
    });
    export!(Scheduler);

    use super::Scheduler;
}

use bindings::fermyon::spin::variables;
use bindings::{Error, Guest, Metadata};
use post::{Address, Outcome};

struct Scheduler;

impl Guest for Scheduler {
    /// Sends one POST and waits for its answer. Anything but a 2xx is an error that says what came.
    async fn handle_cron_event(_tick: Metadata) -> Result<(), Error> {
        match run() {
            Ok(outcome) => {
                println!("{} answered {}", outcome.address, outcome.status);
                Ok(())
            }
            Err(reason) => {
                eprintln!("{reason}");
                Err(Error::Other(reason))
            }
        }
    }
}

fn run() -> Result<Outcome, String> {
    let address = variable("address", "the run address of the flow to call")?;
    let token = variable("token", "the bearer token of the flow")?;
    let outcome = post::post(&Address::parse(&address)?, &token)?;
    if (200..300).contains(&outcome.status) {
        return Ok(outcome);
    }
    Err(format!("{} answered {}", outcome.address, outcome.status))
}

fn variable(name: &str, purpose: &str) -> Result<String, String> {
    match variables::get(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        // The host's own words could hold more than a log should.
        _ => Err(format!("the variable \"{name}\" is not set: {purpose}")),
    }
}
