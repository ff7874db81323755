//! JSON, read and written in one place.
//!
//! What is generic is compiled where it is used. Here it is used once, in a crate that components build for
//! speed, while most of a component is built for size.

use serde_json::Value;

/// Reads a value; numbers keep their digits.
#[inline(never)]
pub fn read(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(bytes)
}

/// Writes a value, without blanks.
#[inline(never)]
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    // A value has text keys only and a vector takes all: neither can fail.
    let _ = serde_json::to_writer(&mut out, value);
    out
}
