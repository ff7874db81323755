//! Shows that a flow loses nothing and doubles nothing, whatever befalls it.

mod command;
mod enumerate;
mod ground;
mod hand;
mod misfortune;
mod play;
pub mod ports;
mod rest;
mod scene;

pub use command::{Arguments, run};
pub use enumerate::{Certificate, Extent, Failure, Progress, Tried, enumerate, reference, try_one};
pub use ground::{Fate, Ground, Kind, RequestError, Rows, Step, StoreError};
pub use misfortune::Misfortune;
pub use play::{Flow, Play, Played, play};
pub use rest::Rest;
pub use scene::Scene;
