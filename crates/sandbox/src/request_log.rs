//! What was asked of a vendor, without any secret it was asked with.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use jiff::Timestamp;
use serde::Serialize;

/// Entries kept; the oldest go first.
const ENTRY_COUNT_MAX: usize = 20_000;
/// Longest body kept.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Query parameters whose values are never kept.
const SECRET_PARAMETERS: &[&str] = &[
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "oauth_signature",
    "oauth_token",
    "password",
    "refresh_token",
    "sid",
    "token",
    "x-amz-signature",
];

/// The latest requests to one vendor.
#[derive(Debug, Default)]
pub struct RequestLog {
    entries: VecDeque<Entry>,
    count: u64,
    /// Whether bodies are kept, but for those of logins.
    pub keeps_bodies: bool,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from one since the start.
    pub number: u64,
    /// When it came.
    pub time: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path and query, secrets struck out.
    pub path: String,
    /// The status of the answer, whether or not the client saw it; none if it was not handled.
    pub status: Option<u16>,
    /// Whether the client got an answer.
    pub answered: bool,
    /// Size of the request's body.
    pub request_bytes: usize,
    /// Size of the answer's body.
    pub response_bytes: usize,
    /// The request's body, if kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl RequestLog {
    /// Oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Requests since the start, forgotten ones included.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn note(
        &mut self,
        request: &Request<Bytes>,
        now: Timestamp,
        status: Option<StatusCode>,
        answered: bool,
        response_bytes: usize,
    ) {
        self.count += 1;
        if self.entries.len() == ENTRY_COUNT_MAX {
            self.entries.pop_front();
        }
        let body = (self.keeps_bodies && !is_login(request.uri()))
            .then(|| &request.body()[..request.body().len().min(BODY_BYTES_MAX)])
            .map(|body| String::from_utf8_lossy(body).into_owned());
        self.entries.push_back(Entry {
            number: self.count,
            time: now,
            method: request.method().to_string(),
            path: shown(request.uri()),
            status: status.map(|status| status.as_u16()),
            answered,
            request_bytes: request.body().len(),
            response_bytes,
            body,
        });
    }
}

fn is_login(uri: &Uri) -> bool {
    let path = uri.path().to_ascii_lowercase();
    ["token", "revoke", "/soap/"]
        .iter()
        .any(|part| path.contains(part))
}

fn shown(uri: &Uri) -> String {
    let path = uri.path();
    let Some(query) = uri.query() else {
        return path.to_owned();
    };
    let parts: Vec<String> = query
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((name, _)) if SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) => {
                format!("{name}=…")
            }
            _ => part.to_owned(),
        })
        .collect();
    format!("{path}?{}", parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, body: &'static str) -> Request<Bytes> {
        Request::post(uri)
            .header("authorization", "Bearer hush")
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn keeps_no_secret() {
        let mut log = RequestLog {
            keeps_bodies: true,
            ..RequestLog::default()
        };
        let now = Timestamp::UNIX_EPOCH;
        log.note(
            &request("/id/1?format=json&oauth_token=hush", ""),
            now,
            None,
            false,
            0,
        );
        log.note(
            &request("/services/oauth2/token", "client_secret=hush"),
            now,
            None,
            false,
            0,
        );
        log.note(
            &request("/services/Soap/u/60.0", "<password>hush"),
            now,
            None,
            false,
            0,
        );
        log.note(
            &request("/data", "{\"a\":1}"),
            now,
            Some(StatusCode::OK),
            true,
            3,
        );
        let text = serde_json::to_string(&log.entries).unwrap();
        assert!(!text.contains("hush"), "{text}");
        assert!(text.contains("format=json&oauth_token=…"), "{text}");
        assert_eq!(log.entries[3].body.as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn forgets_the_oldest() {
        let mut log = RequestLog::default();
        for _ in 0..ENTRY_COUNT_MAX + 5 {
            log.note(&request("/x", ""), Timestamp::UNIX_EPOCH, None, false, 0);
        }
        assert_eq!(log.entries.len(), ENTRY_COUNT_MAX);
        assert_eq!(log.entries[0].number, 6);
        assert_eq!(log.count(), ENTRY_COUNT_MAX as u64 + 5);
    }
}
