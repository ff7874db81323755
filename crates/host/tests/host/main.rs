//! The host from outside: its manifest, its stores, components on it, its process.

mod components;
mod manifest;
mod process;
mod stores;
mod support;
