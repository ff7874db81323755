//! `sluice certify`.

use std::path::PathBuf;

use anyhow::Context;

use crate::certify::Staged;
use crate::log::{self, LogFormat};
use crate::manifest::Manifest;

/// Shows that a flow loses nothing and doubles nothing: plays business on simulated systems once for every
/// misfortune of every step (a crash, a lost answer, a refusal, …), and holds the end against a calm run.
///
/// The component is run as it is, with the mapping that spin.toml mounts. It never leaves this process.
///
/// Example: sluice certify opportunity-to-sales-order --stride 10
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow: the id of its component.
    flow: String,
    /// The manifest.
    #[arg(short = 'f', long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
    /// The folder for compiled code.
    #[arg(long, default_value = ".sluice/certify", value_name = "FOLDER")]
    compiled: PathBuf,
    #[command(flatten)]
    extent: ::certify::Arguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    log::start(LogFormat::Text);
    let manifest = Manifest::read(&arguments.manifest)?;
    let staged = Staged::load(&manifest, &arguments.flow, &arguments.compiled)
        .with_context(|| format!("can't put {} to work", arguments.flow))?;
    // A thread's runtime can't be had twice; making one fails only where the machine is out of everything.
    staged.for_another_thread()?;
    let make = || match staged.for_another_thread() {
        Ok(another) => another,
        Err(_) => staged.clone(),
    };
    ::certify::run(make, &arguments.extent).map_err(anyhow::Error::msg)
}
