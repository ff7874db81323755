//! What every whole-system test starts from: the components, built once; a sandbox and a host of its own;
//! webhooks; the `sluice` process.

pub mod components;
pub mod http;
pub mod market;
pub mod process;
pub mod sales;
pub mod stage;
pub mod webhooks;

pub use http::Answer;
pub use market::Market;
pub use process::Process;
pub use sales::Sale;
pub use stage::{FLOW, Setup, Stage};
