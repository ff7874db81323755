//! What is true of the repository as a whole: who depends on whom, what files may hold, and every flow's
//! cases, and what the manifest allows it.

mod architecture;
mod cases;
mod manifest;
mod tidiness;

use std::path::Path;

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
