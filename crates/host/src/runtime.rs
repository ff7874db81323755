//! Components: compiled once, instantiated for every request, limited, and let go.

pub(crate) mod bindings;
mod engine;
mod instance;
mod interfaces;
mod limits;
mod output;

pub(crate) use engine::{Engine, refuse_unoffered};
pub(crate) use instance::{Grants, Instance};
pub use limits::Limits;
