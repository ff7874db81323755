//! The programs that are measured, built first.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// Where what was built lies.
pub struct Artifacts {
    /// The workspace.
    pub root: PathBuf,
    target: PathBuf,
}

const COMPONENT: [&str; 4] = ["--profile", "component", "--target", "wasm32-wasip2"];

impl Artifacts {
    /// The `sluice` program and the components of `spin.toml`.
    pub fn build() -> anyhow::Result<Self> {
        let artifacts = Self::locate()?;
        // All programs of the workspace together, as this one was built: alone, `sluice` and all below it would
        // be built once more, with other features.
        artifacts.cargo("build", &["--release", "--workspace", "--bins"])?;
        for package in ["amazon-orders", "opportunity-to-sales-order", "scheduler"] {
            let library = ["-p", package, "--crate-type", "cdylib"];
            artifacts.cargo("rustc", &[COMPONENT.as_slice(), &library].concat())?;
        }
        Ok(artifacts)
    }

    /// `mapping-rounds`, natively and as a component.
    pub fn build_rounds() -> anyhow::Result<Self> {
        let artifacts = Self::locate()?;
        artifacts.cargo("build", &["--release", "--workspace", "--bins"])?;
        let rounds = ["-p", "sluice-bench", "--bin", "mapping-rounds"];
        artifacts.cargo("build", &[COMPONENT.as_slice(), &rounds].concat())?;
        Ok(artifacts)
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    pub fn component(&self, name: &str) -> PathBuf {
        let folder = self.target.join("wasm32-wasip2").join("component");
        folder.join(name).with_extension("wasm")
    }

    fn locate() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let folder = program.parent().context("this program has no folder")?;
        ensure!(
            folder.ends_with("release"),
            "only release builds are measured: cargo build --release --workspace --bins"
        );
        let target = folder.parent().context("no target folder")?.to_owned();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.context("no workspace")?.to_owned();
        Ok(Self { root, target })
    }

    fn cargo(&self, command: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args([command, "--quiet", "--target-dir"])
            .arg(&self.target)
            .args(arguments)
            .current_dir(&self.root)
            .status()
            .context("can't run cargo")?;
        ensure!(
            status.success(),
            "cargo {command} {} failed",
            arguments.join(" ")
        );
        Ok(())
    }
}
