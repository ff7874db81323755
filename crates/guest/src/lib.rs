//! What turns a flow into a component: its routes, and the ports on Spin.
//!
//! A flow's crate describes itself with [`flow`] and ends with [`export!`]; nothing else names a host.
//! [`Service`] answers a flow's routes on any ports, so that tests drive it natively:
//!
//! | route | does |
//! | --- | --- |
//! | `POST /hooks/<flow>/<hook>[/<rest>]` | commits hints, acknowledges, then works on them |
//! | `POST /flows/<flow>/run[?dry_run=1]` | the schedule's entry: drain, then extract |
//! | `GET /flows/<flow>` | cursor, queue, runs, dead letters, whether it is paused |
//! | `GET /flows/<flow>/dead` | dead letters by cause |
//! | `GET /flows/<flow>/records/<id>` | one record whole: item, source, mapping, target, what differs |
//! | `POST /flows/<flow>/records/<id>` | syncs one record now; `{"edit": {…}}` as if the source said so |
//! | `POST /flows/<flow>/retry` | `{"ids": […]}`, `{"code": "…"}` or `{"all": true}` |
//! | `POST /flows/<flow>/skip` | `{"ids": […], "reason": "…"}` |
//! | `POST /flows/<flow>/pause`, `/resume` | `{"reason": "…"}` |
//! | `POST /flows/<flow>/cursor` | `{"to": "…"}`; forward: `"skip": true` and a reason |
//! | `GET /flows/<flow>/trace/<id>` | what happened to a record, by its own id or its target's |
//! | `GET /flows/<flow>/trail[?before=<seq>]` | the audit trail |
//! | `GET /flows/<flow>/audit?side=source[&after=<place>][&from=<day>&to=<day>]` | a page of what became of each record; then `side=target` |
//! | `POST /flows/<flow>/adopt[?dry_run=1][&after=<place>]` | a page of what was in the target before, shown or linked |
//!
//! Routes under `/flows` want `Authorization: Bearer <flows_token>`; `X-Sluice-User` says who asks, for the
//! trail.

mod answer;
mod backfill;
mod manage;
mod route;
mod service;
#[cfg(target_family = "wasm")]
pub mod spin;
mod walk;

pub use answer::problem;
pub use engine::Policy::{Close, DeadLetter, Ignore};
pub use engine::{Flow, Policy, flow, natural_key, parent, part};
pub use service::{Service, Worked};
pub use sluice_core::Kind;
#[cfg(target_family = "wasm")]
pub use wasi;

/// Makes the crate a component that runs the flow which this function describes.
#[macro_export]
macro_rules! export {
    ($flow:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::wasi::exports::http::incoming_handler::Guest for Component {
                fn handle(
                    request: $crate::wasi::http::types::IncomingRequest,
                    response: $crate::wasi::http::types::ResponseOutparam,
                ) {
                    $crate::spin::serve($flow(), request, response);
                }
            }

    $crate::wasi::http::proxy::export!(Component with_types_in $crate::wasi);
        };
    };
}
