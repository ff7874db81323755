//! Mapping an opportunity with three lines, JSON bytes in to JSON bytes out, natively and in Wasm.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command as Program;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::Setting;
use crate::artifacts::Artifacts;
use crate::report::{Figure, Report};

const ROUNDS: &str = "mapping-rounds";
const OUTPUT_BYTES_MAX: usize = 4096;

pub fn run(setting: Setting) -> anyhow::Result<Report> {
    let artifacts = Artifacts::build_rounds()?;
    let seconds = setting.period().as_secs().to_string();
    let native = Command::new(artifacts.program(ROUNDS))
        .arg(&seconds)
        .output()?;
    ensure!(native.status.success(), "{ROUNDS} failed");
    let native = Round::read(&native.stdout)?;
    let wasm = Round::read(&in_wasm(&artifacts, &seconds)?)?;
    ensure!(native.bytes_out == wasm.bytes_out, "both must map the same");
    Ok(Report {
        name: "mapping",
        figures: vec![
            Figure::new("native", 1e9 / native.ns, "1/s").at_least(100_000.0),
            Figure::new("in Wasm", 1e9 / wasm.ns, "1/s"),
            Figure::new("time in Wasm / time natively", wasm.ns / native.ns, "x").at_most(1.6),
        ],
    })
}

/// What the program printed.
struct Round {
    ns: f64,
    bytes_out: u64,
}

impl Round {
    fn read(output: &[u8]) -> anyhow::Result<Self> {
        let printed: Value = serde_json::from_slice(output)?;
        let ns = printed["ns"].as_f64().filter(|ns| *ns > 0.0);
        Ok(Self {
            ns: ns.context("no time was printed")?,
            bytes_out: printed["bytes_out"]
                .as_u64()
                .context("no size was printed")?,
        })
    }
}

/// Runs the component as the host runs flows: interruptible at any time.
fn in_wasm(artifacts: &Artifacts, seconds: &str) -> anyhow::Result<Vec<u8>> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, artifacts.component(ROUNDS))?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let output = MemoryOutputPipe::new(OUTPUT_BYTES_MAX);
    let context = WasiCtx::builder()
        .stdout(output.clone())
        .args(&[ROUNDS, seconds])
        .build();
    let state = State {
        context,
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, state);
    store.set_epoch_deadline(1);
    let program = Program::instantiate(&mut store, &component, &linker)?;
    let ended = program.wasi_cli_run().call_run(&mut store)?;
    ensure!(ended.is_ok(), "{ROUNDS} failed in Wasm");
    Ok(output.contents().to_vec())
}

struct State {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}
