//! `sluice demo`: a day of realistic business on one machine, with nothing installed.
//!
//! The sandbox, the host with the real components, and the day's script run in this process; they meet only
//! over HTTP. What is shown and compared is what the admin port and the flows' status routes answer.

mod client;
mod clock;
mod dead;
mod drive;
mod left;
mod market;
mod screen;
mod stage;
mod summary;
mod tell;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sandbox::Stop;
use crate::manifest::Manifest;
use screen::Screen;
use stage::Stage;

/// Plays a day of realistic business between simulated vendors, and shows what happens.
///
/// Builds the components, starts the sandbox and the host on a fresh folder, plays the day in 50 seconds, waits
/// for what Amazon lists minutes later, compares all systems to the cent, and stays up to be looked at until
/// Ctrl-C.
///
/// Example: sluice demo --once --seed 7
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// End after the day. The exit code is 0 if all systems agree, 1 if they differ.
    #[arg(long)]
    once: bool,
    /// Print the summary as one JSON document on standard output, and everything else on standard error.
    #[arg(long)]
    json: bool,
    /// Another number is another day.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Where the sandbox's admin port listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    admin: SocketAddr,
    /// Where the host listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// The manifest; looked for in the folders above, too.
    #[arg(short = 'f', long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let screen = Arc::new(Screen::new(arguments.json));
    let manifest = Manifest::read(&find(&arguments.manifest))?;
    screen.title("Building the components");
    crate::build::build(&manifest)?;
    manifest.check_sources()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(play(arguments, manifest, screen))
}

async fn play(arguments: Arguments, manifest: Manifest, screen: Arc<Screen>) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    screen.title("Starting the sandbox and the host");
    let addresses = stage::Addresses {
        admin: arguments.admin,
        listen: arguments.listen,
    };
    let starting = Stage::start(arguments.seed, manifest, addresses, arguments.once);
    let stage = tokio::select! {
        stage = starting => stage?,
        () = stop.asked() => anyhow::bail!("interrupted"),
    };
    screen.addresses(&stage.addresses());
    let played = tokio::select! {
        played = drive::play(&stage, &screen) => Some(played),
        () = stop.asked() => None,
    };
    screen.clear();
    let differences = match &played {
        Some(Ok(summary)) => {
            screen.summary(summary);
            summary.differences.len()
        }
        _ => 0,
    };
    if matches!(played, Some(Ok(_))) && !arguments.once {
        screen.note("Everything stays up to be looked at. Ctrl-C ends it.");
        stop.asked().await;
    }
    screen.note("Stopping");
    let is_fine = played.as_ref().is_none_or(Result::is_ok) && differences == 0;
    let ending = stage.end(is_fine);
    let kept = tokio::select! {
        kept = ending => kept,
        // Whoever asks twice means it.
        () = stop.asked() => anyhow::bail!("interrupted while stopping"),
    };
    if let Some(folder) = kept {
        screen.note(&format!("Stores and log are kept in {}", folder.display()));
    }
    match played {
        None if arguments.once => anyhow::bail!("interrupted"),
        None => Ok(()),
        Some(Err(error)) => Err(error),
        Some(Ok(_)) if differences > 0 => {
            anyhow::bail!("the systems differ in {differences} places")
        }
        Some(Ok(_)) => Ok(()),
    }
}

/// The file as named, or one of that name in a folder above.
fn find(file: &Path) -> PathBuf {
    if file.is_absolute() || file.exists() {
        return file.to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let above = here.ancestors().map(|folder| folder.join(file));
    above
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| file.to_owned())
}
