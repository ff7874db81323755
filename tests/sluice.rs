//! The `sluice` process, built with these tests.

fn main() -> std::process::ExitCode {
    host::commands::run()
}
