//! The components of the workspace's `spin.toml`, built as `sluice build` builds them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The `sluice` command line of this build.
pub fn sluice() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sluice-under-test"))
}

/// Compiled code is the same for every test.
pub fn compiled() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}

/// The text of `spin.toml`, its components built and named by their whole paths, so that it can stand in
/// any folder.
pub fn manifest() -> &'static str {
    static MANIFEST: OnceLock<Result<String, &str>> = OnceLock::new();
    let manifest = MANIFEST.get_or_init(|| {
        build()?;
        let text = std::fs::read_to_string(root().join("spin.toml")).unwrap();
        let target = root().join("target");
        let whole = format!("source = \"{}/", target.display());
        let moved = text.replace("source = \"target/", &whole);
        match moved == text {
            true => Err("spin.toml names its components in another way"),
            false => Ok(moved),
        }
    });
    manifest.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

/// Runs `sluice build`, once whatever comes of it; other test processes wait rather than compile beside it.
fn build() -> Result<(), &'static str> {
    std::fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components.lock");
    let lock = File::create(lock).unwrap();
    lock.lock().unwrap();
    let status = sluice()
        .args(["build", "--manifest"])
        .arg(root().join("spin.toml"))
        // The manifest names the workspace's own target folder.
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .unwrap();
    status
        .success()
        .then_some(())
        .ok_or("the components do not build")
}
