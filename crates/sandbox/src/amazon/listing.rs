//! Searches under way: what each found when it began, and the tokens that turn its pages.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{error::Error, marketplace::Region, search::Query};

/// Searches kept; the oldest go first.
const LISTING_COUNT_MAX: usize = 5_000;

/// Every search whose tokens still live.
#[derive(Default)]
pub(super) struct Listings {
    open: BTreeMap<u64, Arc<Listing>>,
    last_number: u64,
}

/// One search.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) query: Query,
    pub(super) region: Region,
    /// The latest change it finds.
    pub(super) reach: Timestamp,
    pub(super) ids: Vec<String>,
    pub(super) ends: Timestamp,
}

/// A place in a search.
pub(super) struct Page {
    number: u64,
    from: usize,
    /// Where the page before began.
    previous: usize,
    /// The token that asked for it, if it is to lead to itself again.
    again: Option<String>,
    pub(super) listing: Arc<Listing>,
}

impl Listings {
    pub(super) fn next_number(&self) -> u64 {
        self.last_number + 1
    }

    pub(super) fn open(&mut self, number: u64, listing: Listing, now: Timestamp) -> Page {
        self.open.retain(|_, listing| listing.ends > now);
        if self.open.len() >= LISTING_COUNT_MAX {
            self.open.pop_first();
        }
        let listing = Arc::new(listing);
        self.last_number = number;
        self.open.insert(number, Arc::clone(&listing));
        let (from, previous, again) = (0, 0, None);
        Page {
            number,
            from,
            previous,
            again,
            listing,
        }
    }

    /// The page a token leads to.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Result<Page, Error> {
        let invalid = || Error::invalid_input("paginationToken is not valid.");
        let (number, from, previous) = read(token).ok_or_else(invalid)?;
        let listing = self.open.get(&number).filter(|listing| listing.ends > now);
        let listing = listing.ok_or_else(|| {
            Error::invalid_input("paginationToken has expired. Tokens live for 24 hours.")
        })?;
        Ok(Page {
            number,
            from,
            previous,
            again: None,
            listing: Arc::clone(listing),
        })
    }
}

impl Page {
    /// The page before it, leading to this one.
    pub(super) fn repeated(self) -> Self {
        let again = Some(write(self.number, self.from, self.previous));
        Self {
            from: self.previous,
            again,
            ..self
        }
    }

    pub(super) fn ids(&self, count: usize) -> &[String] {
        let ids = self.listing.ids.get(self.from..).unwrap_or_default();
        &ids[..ids.len().min(count)]
    }

    /// The token of the page after it; none if this is the last.
    pub(super) fn next(&self, count: usize) -> Option<String> {
        if self.again.is_some() {
            return self.again.clone();
        }
        let next = self.from.saturating_add(count);
        (next < self.listing.ids.len()).then(|| write(self.number, next, self.from))
    }
}

/// Any order of the listing's own: the same for the same listing, another for another.
pub(super) fn mix(id: &str, number: u64) -> u64 {
    let digest = Sha256::new()
        .chain_update(number.to_be_bytes())
        .chain_update(id.as_bytes())
        .finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |lot, byte| lot << 8 | u64::from(*byte))
}

/// Opaque to clients, and not to be made up by them.
fn write(number: u64, from: usize, previous: usize) -> String {
    let text = format!("{number}:{from}:{previous}");
    let seal = mix(&text, number);
    URL_SAFE_NO_PAD.encode(format!("{text}:{seal:016x}"))
}

fn read(token: &str) -> Option<(u64, usize, usize)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (text, seal) = text.rsplit_once(':')?;
    let mut parts = text.split(':');
    let number = parts.next()?.parse().ok()?;
    let from = parts.next()?.parse().ok()?;
    let previous = parts.next()?.parse().ok()?;
    (format!("{:016x}", mix(text, number)) == seal).then_some((number, from, previous))
}
