//! What makes a flow safe to interrupt at any instant: reconcile, queue, cursors, links, leases, retries.
//!
//! The engine talks to [`Ports`](sluice_core::Ports), to a [`Flow`]'s source and target, and to its mapping;
//! it knows no vendor and no host. In the order of a record's life:
//!
//! - [`Engine::receive`]: hints become durable; [`Engine::run`]: the schedule lists what changed
//! - [`Engine::backfill`]: what was created long ago, in slices, beside the live cursor
//! - [`store`]: the queue, in which a record waits and is leased
//! - [`Engine::work`]: resolve, map, load, write back, and what becomes of a fault
//!
//! What is deliberately absent: a table of events already seen (a hint is only ever "look again"), local
//! time in a cursor, and a transaction over more than one statement.

mod adopt;
mod audit;
mod backfill;
mod compare;
mod cursor;
mod decide;
mod edit;
mod engine;
mod extract;
mod flow;
mod guard;
mod links;
#[cfg(feature = "native")]
pub mod native;
mod preview;
mod reconcile;
mod report;
mod resolve;
mod retry;
mod seen;
mod show;
pub mod store;
mod work;

pub use audit::{AuditPage, Days, Entry, Side, State};
pub use backfill::PastRange;
pub use cursor::Cursor;
pub use decide::{Decided, Refusal};
pub use edit::Edit;
pub use engine::Engine;
pub use extract::{Budget, Run};
pub use flow::{Builder, Flow, Policy, Resolver, flow, natural_key, parent, part};
pub use links::{Link, key as link_key};
pub use reconcile::{Done, Outcome};
pub use report::{Report, Tally};
pub use seen::Seen;
pub use work::Work;
