//! The `sluice` command.

fn main() -> std::process::ExitCode {
    host::commands::run()
}
