//! Compiling components and linking them to the interfaces of this host.

use std::path::Path;
use std::time::Duration;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceType};
use wasmtime::{Cache, CacheConfig, Config, Enabled, PoolingAllocationConfig, Store};

use super::bindings::platform::fermyon::spin::{key_value, sqlite, variables};
use super::instance::Instance;
use super::interfaces::Platform;
use super::limits::Limits;

/// How often a busy component yields to others, so that its time limit can strike.
const EPOCH: Duration = Duration::from_millis(10);

/// What this host implements beside WASI.
const OFFERED: [&str; 3] = [
    "fermyon:spin/key-value@2.0.0",
    "fermyon:spin/sqlite@2.0.0",
    "fermyon:spin/variables@2.0.0",
];
/// What else a Spin host offers, by the start of its names.
const NOT_OFFERED: [&str; 4] = ["fermyon:spin/", "spin:", "wasi:keyvalue/", "wasi:config/"];

/// Compiles and links. Compiled code is kept under the state folder, found again by content and version.
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<Instance>,
}

/// A component ready to be instantiated.
pub(crate) type Loaded = InstancePre<Instance>;

impl Engine {
    pub(crate) fn new(limits: &Limits, cache_folder: &Path) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        config.epoch_interruption(true);
        config.allocation_strategy(pool(limits));
        let cache_folder = std::path::absolute(cache_folder)?;
        std::fs::create_dir_all(&cache_folder)?;
        let mut cache = CacheConfig::new();
        cache.with_directory(cache_folder);
        config.cache(Some(Cache::new(cache)?));
        let engine = wasmtime::Engine::new(&config)?;
        tick(&engine)?;
        let linker = link(&engine)?;
        Ok(Self { engine, linker })
    }

    /// Loads a component file.
    ///
    /// Functions of interfaces that Spin offers and this host does not (PostgreSQL, Redis, …) are linked to
    /// an error that names them: a component that never calls them runs.
    pub(crate) fn load(&self, file: &Path) -> wasmtime::Result<Loaded> {
        let component = Component::from_file(&self.engine, file)?;
        let mut linker = self.linker.clone();
        refuse_unoffered(&self.engine, &mut linker, &component)?;
        linker.instantiate_pre(&component)
    }

    /// A store for one instance, with its limits set.
    pub(crate) fn store(&self, instance: Instance) -> Store<Instance> {
        let mut store = Store::new(&self.engine, instance);
        store.limiter(|instance| &mut instance.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    // As many for requests from outside as for those of components to each other.
    let instances = limits.instance_count_max.saturating_mul(2);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances);
    pool.total_stacks(instances);
    pool.total_memories(instances);
    pool.max_memories_per_component(4);
    // The component, and the small modules that adapt and link it.
    pool.total_core_instances(instances.saturating_mul(8));
    pool.total_tables(instances.saturating_mul(8));
    pool.max_memory_size(limits.memory_bytes_max.next_multiple_of(64 * 1024));
    pool.max_unused_warm_slots(64);
    // What an instance wrote is written over for the next one, instead of being given back to the kernel and
    // faulted in again. Asking the kernel which pages that are matters: a component's stack comes first in
    // its memory, and is hardly used.
    pool.pagemap_scan(Enabled::Auto);
    pool.linear_memory_keep_resident(768 * 1024);
    pool.table_keep_resident(16 * 1024);
    pool
}

fn tick(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(move || {
            // Ends with the engine.
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(EPOCH);
            }
        })?;
    Ok(())
}

fn link(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    key_value::add_to_linker::<_, Platform>(&mut linker, |instance| instance)?;
    sqlite::add_to_linker::<_, Platform>(&mut linker, |instance| instance)?;
    variables::add_to_linker::<_, Platform>(&mut linker, |instance| instance)?;
    Ok(linker)
}

/// Links what Spin offers and this host does not, so that the component starts.
pub(crate) fn refuse_unoffered<T: 'static>(
    engine: &wasmtime::Engine,
    linker: &mut Linker<T>,
    component: &Component,
) -> wasmtime::Result<()> {
    for (import, item) in component.component_type().imports(engine) {
        if NOT_OFFERED.iter().any(|by| import.starts_with(by)) && !OFFERED.contains(&import) {
            refuse_calls(engine, linker, import, &item.ty)?;
        }
    }
    Ok(())
}

/// Links an interface so that the component starts, and every call is an error.
fn refuse_calls<T: 'static>(
    engine: &wasmtime::Engine,
    linker: &mut Linker<T>,
    import: &str,
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    let ComponentItem::ComponentInstance(interface) = item else {
        return Ok(());
    };
    let mut instance = linker.instance(import)?;
    for (name, item) in interface.exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(_) => {
                let function = format!("{import}#{name}");
                instance.func_new(name, move |_, _, _, _| {
                    wasmtime::bail!("{function} is not offered by this host")
                })?;
            }
            ComponentItem::Resource(_) => {
                instance.resource(name, ResourceType::host::<NotOffered>(), |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A resource of an interface that is not offered: nothing ever makes one.
struct NotOffered;
