//! Who may call what: access tokens, and what each was granted for.
//! <https://developer-docs.amazon.com/sp-api/docs/connect-to-the-selling-partner-api>

use std::{collections::HashMap, time::Duration};

use fastrand::Rng;
use http::{HeaderMap, header};
use jiff::Timestamp;

use super::{error::Error, marketplace::Region};

/// Tokens kept; the ones that end first go first.
const TOKEN_COUNT_MAX: usize = 10_000;
pub(super) const EXPIRED: &str = "The access token you provided has expired.";
const UNKNOWN: &str = "The access token you provided is revoked, malformed or invalid.";
const MISSING: &str = "Access token is missing in the request header.";

/// What a token was granted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Grant {
    /// The seller's account in a region.
    Seller(Region),
    /// Operations that need no seller's consent, by scope.
    Grantless(&'static str),
}

/// The scopes grantless tokens come with.
/// <https://developer-docs.amazon.com/sp-api/docs/grantless-operations>
pub(super) const NOTIFICATIONS: &str = "sellingpartnerapi::notifications";
pub(super) const SCOPES: [&str; 3] = [
    NOTIFICATIONS,
    "sellingpartnerapi::migration",
    "sellingpartnerapi::client_credential:rotation",
];

/// Access tokens that were given out.
#[derive(Default)]
pub(super) struct Access {
    tokens: HashMap<String, (Grant, Timestamp)>,
}

impl Access {
    pub(super) fn issue(
        &mut self,
        grant: Grant,
        life: Duration,
        rng: &mut Rng,
        now: Timestamp,
    ) -> String {
        if self.tokens.len() >= TOKEN_COUNT_MAX {
            self.tokens.retain(|_, (_, end)| *end > now);
        }
        if self.tokens.len() >= TOKEN_COUNT_MAX {
            let first = self.tokens.iter().min_by_key(|(_, (_, end))| *end);
            if let Some(first) = first.map(|(token, _)| token.clone()) {
                self.tokens.remove(&first);
            }
        }
        let kind = match grant {
            Grant::Seller(_) => "Atza",
            Grant::Grantless(_) => "Atc",
        };
        let secret: String = (0..240).map(|_| rng.alphanumeric()).collect();
        let token = format!("{kind}|{secret}");
        let end = now.saturating_add(life).unwrap_or(now);
        self.tokens.insert(token.clone(), (grant, end));
        token
    }

    /// Ends every token at once, as when an hour has gone by.
    pub(super) fn end_all(&mut self) {
        for (_, end) in self.tokens.values_mut() {
            *end = Timestamp::MIN;
        }
    }

    /// What the request's token was granted for.
    pub(super) fn check(&self, headers: &HeaderMap, now: Timestamp) -> Result<Grant, Error> {
        let token = headers.get("x-amz-access-token");
        let Some(token) = token.and_then(|value| value.to_str().ok()) else {
            return Err(Error::denied(MISSING));
        };
        match self.tokens.get(token) {
            None => Err(Error::denied(UNKNOWN)),
            Some((_, end)) if *end <= now => Err(Error::denied(EXPIRED)),
            Some((grant, _)) => Ok(*grant),
        }
    }
}

/// The region an address belongs to, where it says so: by a first segment such as `/eu`, or by the vendor's
/// own host name. Gives the rest of the path, too.
pub(super) fn endpoint<'a>(path: &'a str, headers: &HeaderMap) -> (Option<Region>, &'a str) {
    for region in Region::ALL {
        let rest = path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(region.code()));
        if let Some(rest) = rest.filter(|rest| rest.starts_with('/')) {
            return (Some(region), rest);
        }
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let named = host.unwrap_or_default();
    let region = Region::ALL.into_iter().find(|region| {
        named.starts_with(&format!("sellingpartnerapi-{}.amazon.com", region.code()))
    });
    (region, path)
}
