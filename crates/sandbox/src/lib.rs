//! Simulated vendors behind their real wire protocols: a deterministic library, and a server around it.
//!
//! A [`World`] holds vendors, takes requests with the time they come at, and gives what a caller would see.
//! Nothing in it waits or looks at a clock. [`Server`] puts it behind real sockets, one port a vendor, with
//! an admin port to look, edit and break things.
//!
//! ```
//! let now = jiff::Timestamp::from_second(1_780_000_000).unwrap();
//! let salesforce = sandbox::salesforce::Settings::new(7);
//! let world = sandbox::company::world(7, salesforce, Default::default(), now).unwrap();
//! assert_eq!(world.vendors().collect::<Vec<_>>(), ["salesforce", "netsuite"]);
//! ```

pub mod amazon;
pub mod company;
pub mod day;
pub mod environment;
pub mod misfortune;
pub mod netsuite;
mod request_log;
pub mod salesforce;
pub mod seed;
pub mod server;
mod vendor;
mod world;

pub use request_log::{Entry, RequestLog};
pub use server::Server;
pub use vendor::{Delivery, EditError, Refusal, Vendor};
pub use world::{Outgoing, Reply, World};
