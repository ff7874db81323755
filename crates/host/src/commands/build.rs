//! `sluice build`.

use std::path::PathBuf;

use crate::log::{self, LogFormat};
use crate::manifest::Manifest;

/// Builds the components: runs every build command of spin.toml once.
///
/// Example: sluice build --manifest spin.toml
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The manifest.
    #[arg(short = 'f', long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    log::start(LogFormat::Text);
    let manifest = Manifest::read(&arguments.manifest)?;
    crate::build::build(&manifest)?;
    manifest.check_sources()?;
    Ok(())
}
