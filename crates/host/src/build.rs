//! Building the components of a manifest.

use std::process::{Command, Stdio};

use crate::manifest::{Build, Manifest};

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A command ended with an error.
    #[error("component \"{component}\": `{command}` failed with {status}")]
    Failed {
        /// The first component that has the command.
        component: String,
        /// The command as written.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
    /// A command could not be started.
    #[error("component \"{component}\": can't run `{command}`: {error}")]
    NotStarted {
        /// The first component that has the command.
        component: String,
        /// The command as written.
        command: String,
        /// Why not.
        error: std::io::Error,
    },
}

/// Runs every build command of the manifest, each distinct one once, in the order of the components.
///
/// Output goes to where this process's goes, as it comes. Stops at the first command that fails.
pub fn build(manifest: &Manifest) -> Result<(), BuildError> {
    let mut done: Vec<(&Build, &str)> = Vec::new();
    for component in manifest.components.values() {
        let Some(build) = &component.build else {
            continue;
        };
        for command in &build.commands {
            if done
                .iter()
                .any(|(other, c)| other.folder == build.folder && *c == command)
            {
                continue;
            }
            tracing::info!(component = component.id, "{command}");
            run(&component.id, build, command)?;
            done.push((build, command));
        }
    }
    Ok(())
}

fn run(component: &str, build: &Build, command: &str) -> Result<(), BuildError> {
    // A shell, as Spin uses one: build commands may hold `&&` and quotes.
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(&build.folder)
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(BuildError::Failed {
            component: component.to_owned(),
            command: command.to_owned(),
            status,
        }),
        Err(error) => Err(BuildError::NotStarted {
            component: component.to_owned(),
            command: command.to_owned(),
            error,
        }),
    }
}
