//! Values that must never be shown.

use std::fmt;

use zeroize::Zeroizing;

/// A secret: shows as `[secret]`, is wiped when dropped, and is read only where it is spelled out.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The secret itself, for signing or sending; never for a log, an error or a store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
