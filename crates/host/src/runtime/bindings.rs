//! Generated from `wit/`: the interfaces of Spin this host implements, and the call of a cron component.

/// `fermyon:spin@2.0.0`.
pub(crate) mod platform {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "sluice:host/platform",
        imports: { default: async | trappable },
        with: {
            "fermyon:spin/key-value.store": crate::runtime::interfaces::OpenStore,
            "fermyon:spin/sqlite.connection": crate::runtime::interfaces::OpenDatabase,
        },
    });
}

/// `spin:cron@3.0.0`, as called by the cron trigger.
pub(crate) mod cron {
    wasmtime::component::bindgen!({
        inline: "
            package sluice:cron-trigger;
            world cron {
                use spin:cron/cron-types@3.0.0.{metadata, error};
                export handle-cron-event: async func(metadata: metadata) -> result<_, error>;
            }
        ",
        path: "../../wit",
        world: "sluice:cron-trigger/cron",
        exports: { default: async },
    });
}
