//! The command line: one file a command.

mod adopt;
mod audit;
mod backfill;
mod build;
mod certify;
mod cursor;
mod dead;
mod demo;
mod flows;
mod pause;
mod resume;
mod retry;
mod sandbox;
mod show;
mod skip;
mod status;
mod trace;
mod trail;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Keeps business systems in step.
#[derive(Parser)]
#[command(name = "sluice", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// A command is a variant here and a file of its name beside this one.
#[derive(Subcommand)]
enum Command {
    Adopt(adopt::Arguments),
    Audit(audit::Arguments),
    Backfill(backfill::Arguments),
    Build(build::Arguments),
    Certify(certify::Arguments),
    Cursor(cursor::Arguments),
    Dead(dead::Arguments),
    Demo(demo::Arguments),
    Pause(pause::Arguments),
    Resume(resume::Arguments),
    Retry(retry::Arguments),
    Sandbox(sandbox::Arguments),
    Show(show::Arguments),
    Skip(skip::Arguments),
    Status(status::Arguments),
    Trace(trace::Arguments),
    Trail(trail::Arguments),
    Up(up::Arguments),
}

/// Runs the command the process was started with. Errors are one line on standard error, and exit code 1.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Adopt(arguments) => adopt::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Backfill(arguments) => backfill::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Certify(arguments) => certify::run(&arguments),
        Command::Cursor(arguments) => cursor::run(&arguments),
        Command::Dead(arguments) => dead::run(&arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Pause(arguments) => pause::run(&arguments),
        Command::Resume(arguments) => resume::run(&arguments),
        Command::Retry(arguments) => retry::run(&arguments),
        Command::Sandbox(arguments) => sandbox::run(arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Skip(arguments) => skip::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Trail(arguments) => trail::run(&arguments),
        Command::Up(arguments) => up::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
