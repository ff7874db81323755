//! The state of one instance: what it may use, and what it holds open.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::limits::MemoryLimiter;
use super::output::Output;
use crate::manifest::AllowedHosts;
use crate::outbound::Outgoing;
use crate::stores::Stores;

/// What a component may use: its manifest entry with every variable filled in.
///
/// Has no `Debug`: variables may be secret.
pub(crate) struct Grants {
    pub(crate) component: Arc<str>,
    pub(crate) environment: BTreeMap<String, String>,
    /// A value, or the name of the application variable that is missing for it.
    pub(crate) variables: BTreeMap<String, Result<String, String>>,
    pub(crate) key_value_stores: BTreeSet<String>,
    pub(crate) sqlite_databases: BTreeSet<String>,
    pub(crate) allowed_hosts: AllowedHosts,
    /// The folder with its files, seen as `/`.
    pub(crate) files: Option<PathBuf>,
}

/// One instance, serving one request or one tick.
pub(crate) struct Instance {
    pub(crate) grants: Arc<Grants>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryLimiter,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

impl Instance {
    pub(crate) fn new(
        grants: &Arc<Grants>,
        stores: &Arc<Stores>,
        outgoing: Outgoing,
        memory_bytes_max: usize,
    ) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtx::builder();
        let request = outgoing.request_id();
        wasi.stdout(Output::new(
            grants.component.clone(),
            request.clone(),
            "stdout",
        ));
        wasi.stderr(Output::new(
            grants.component.clone(),
            request.clone(),
            "stderr",
        ));
        for (name, value) in &grants.environment {
            wasi.env(name, value);
        }
        // Files are few, small and local: reading one takes less time than waking another thread for it.
        wasi.allow_blocking_current_thread(true);
        if let Some(folder) = &grants.files {
            wasi.preopened_dir(folder, "/", FsPerms::ReadOnly)?;
        }
        Ok(Self {
            grants: grants.clone(),
            stores: stores.clone(),
            table: ResourceTable::new(),
            memory: MemoryLimiter {
                bytes_max: memory_bytes_max,
                refused: false,
            },
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outgoing,
        })
    }
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
