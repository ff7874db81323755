//! Things that go wrong on purpose: which requests or webhooks they befall, and what happens to them.

use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};

use crate::vendor::Refusal;

/// Misfortunes in force at once.
const COUNT_MAX: usize = 1000;

/// One misfortune, as `POST /faults` takes it:
/// `{"vendor":"netsuite","method":"PUT","path":"/services/rest/record/*","skip":2,"times":3,
/// "probability":0.5,"what":{"refuse":"rate_limit"}}`. Everything but `what` may be left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misfortune {
    /// Whose requests or webhooks; anyone's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `PUT`; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The start of the path, or, with `*` for any text, the whole of it. With a `?` in it, the query
    /// counts as part of the path. For webhooks, the receiver's path. Any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The first so many matches are spared.
    #[serde(default)]
    pub skip: u64,
    /// So many are befallen at most; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// The chance for each match; certain if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What happens.
    pub what: What,
}

impl Misfortune {
    /// What happens to every request and webhook, until narrowed.
    pub fn new(what: What) -> Self {
        Self {
            vendor: None,
            method: None,
            path: None,
            skip: 0,
            times: None,
            probability: None,
            what,
        }
    }
}

/// What happens. The first seven befall requests, the `Webhook` ones deliveries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Refused in the vendor's own words; not handled.
    Refuse(Refusal),
    /// Refused with this answer; not handled.
    RefuseWith {
        /// The status code.
        status: u16,
        /// The body; empty if absent.
        #[serde(default)]
        body: String,
        /// `application/json` if absent.
        #[serde(default)]
        content_type: Option<String>,
        /// For a `Retry-After` header.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// Handled; the connection closes without an answer.
    CommitThenDrop,
    /// Not handled; the connection closes without an answer.
    DropBefore,
    /// Handled at once, answered after this long.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Handled only after a while; the connection closes without an answer before that.
    LateCommit {
        /// Milliseconds until it takes effect.
        after_ms: u64,
        /// Milliseconds until the connection closes.
        #[serde(default)]
        hang_ms: u64,
    },
    /// Handled; the answer is not what it should be.
    Garble(Garble),
    /// Sent this many times more.
    WebhookDuplicate {
        /// Copies besides the first.
        copies: u32,
    },
    /// Held for a random time, so that later ones overtake it.
    WebhookReorder {
        /// The longest hold, in milliseconds.
        within_ms: u64,
    },
    /// Never sent, and the vendor believes it was.
    WebhookLose,
    /// Held for this long.
    WebhookDelay {
        /// Milliseconds.
        ms: u64,
    },
}

/// How an answer goes bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garble {
    /// Half of it is missing.
    Truncate,
    /// A web page instead.
    Html,
    /// Nothing instead.
    Empty,
    /// Bytes that are no UTF-8 in the middle.
    Encoding,
}

impl What {
    fn is_for_webhooks(&self) -> bool {
        matches!(
            self,
            Self::WebhookDuplicate { .. }
                | Self::WebhookReorder { .. }
                | Self::WebhookLose
                | Self::WebhookDelay { .. }
        )
    }
}

/// Every misfortune in force, in the order they came.
#[derive(Debug)]
pub struct Misfortunes {
    seed: u64,
    last_id: u64,
    active: Vec<Active>,
}

/// A misfortune and how often it has struck.
#[derive(Debug, Serialize)]
pub struct Active {
    /// Names it in lists.
    pub id: u64,
    /// The misfortune itself.
    #[serde(flatten)]
    pub misfortune: Misfortune,
    /// Requests or webhooks it matched.
    pub matched: u64,
    /// Of those, the ones befallen.
    pub struck: u64,
    #[serde(skip)]
    rng: Rng,
}

impl Misfortunes {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            last_id: 0,
            active: Vec::new(),
        }
    }

    /// Puts one in force and names it; `None` if there are too many already.
    pub fn add(&mut self, misfortune: Misfortune) -> Option<u64> {
        if self.active.len() >= COUNT_MAX {
            return None;
        }
        self.last_id += 1;
        let id = self.last_id;
        let rng = Rng::with_seed(self.seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.active.push(Active {
            id,
            misfortune,
            matched: 0,
            struck: 0,
            rng,
        });
        Some(id)
    }

    /// Ends every one.
    pub fn clear(&mut self) {
        self.active.clear();
    }

    /// Ends one; whether there was one of that name.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.id != id);
        self.active.len() < before
    }

    /// Those in force.
    pub fn list(&self) -> &[Active] {
        &self.active
    }

    /// What befalls a request: the first that strikes.
    pub(crate) fn strike_request(
        &mut self,
        vendor: &str,
        method: &Method,
        uri: &Uri,
    ) -> Option<What> {
        self.strike(false, vendor, method, uri)
    }

    /// What befalls a webhook: the first that strikes.
    pub(crate) fn strike_webhook(
        &mut self,
        vendor: &str,
        method: &Method,
        uri: &Uri,
    ) -> Option<What> {
        self.strike(true, vendor, method, uri)
    }

    fn strike(&mut self, webhook: bool, vendor: &str, method: &Method, uri: &Uri) -> Option<What> {
        self.active
            .iter_mut()
            .filter(|active| active.misfortune.what.is_for_webhooks() == webhook)
            .find_map(|active| active.strike(vendor, method, uri))
    }
}

impl Active {
    fn strike(&mut self, vendor: &str, method: &Method, uri: &Uri) -> Option<What> {
        let spec = &self.misfortune;
        let is_match = spec.vendor.as_ref().is_none_or(|known| known == vendor)
            && spec
                .method
                .as_ref()
                .is_none_or(|known| known.eq_ignore_ascii_case(method.as_str()))
            && spec
                .path
                .as_ref()
                .is_none_or(|pattern| is_path(pattern, uri));
        if !is_match {
            return None;
        }
        self.matched += 1;
        if self.matched <= spec.skip || spec.times.is_some_and(|times| self.struck >= times) {
            return None;
        }
        if spec
            .probability
            .is_some_and(|chance| self.rng.f64() >= chance)
        {
            return None;
        }
        self.struck += 1;
        Some(match &spec.what {
            // The hold is drawn here, so that it is the same in every run.
            What::WebhookReorder { within_ms } => What::WebhookDelay {
                ms: self.rng.u64(0..=*within_ms),
            },
            other => other.clone(),
        })
    }
}

fn is_path(pattern: &str, uri: &Uri) -> bool {
    let path = match uri.path_and_query() {
        Some(whole) if pattern.contains('?') => whole.as_str(),
        _ => uri.path(),
    };
    if !pattern.contains('*') {
        return path.starts_with(pattern);
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return true;
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The answer of [`What::RefuseWith`].
pub(crate) fn refuse_with(
    status: u16,
    body: String,
    content_type: Option<&str>,
    retry_after_s: Option<u64>,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = content_type.and_then(|text| HeaderValue::from_str(text).ok());
    let content_type = content_type.unwrap_or_else(|| HeaderValue::from_static("application/json"));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    if let Some(seconds) = retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An answer gone bad; status and headers stay.
pub(crate) fn garble(how: Garble, response: Response<Bytes>) -> Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = match how {
        Garble::Truncate => body.slice(..body.len() / 2),
        Garble::Html => Bytes::from_static(b"<html><body>Something went wrong</body></html>"),
        Garble::Empty => Bytes::new(),
        Garble::Encoding => {
            let (head, tail) = body.split_at(body.len() / 2);
            Bytes::from([head, &[0xff, 0xfe, 0xc3], tail].concat())
        }
    };
    Response::from_parts(parts, body)
}

pub(crate) fn milliseconds(ms: u64) -> Duration {
    // A day is longer than any test waits.
    Duration::from_millis(ms.min(24 * 60 * 60 * 1000))
}

#[cfg(test)]
mod tests;
