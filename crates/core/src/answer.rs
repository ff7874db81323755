//! Answers of other systems: what their heads and bodies say, and what is kept of a refusal.

use std::time::Duration;

use bytes::Bytes;
use http::header::{DATE, RETRY_AFTER};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{Body, json};

/// A vendor's refusal, kept for the dead letter: status and the vendor's own code and words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub status: u16,
    pub code: Option<String>,
    /// Cut to a bounded length; never a whole body.
    pub message: String,
}

impl Answer {
    /// From the code and the words of each detail: the first code there is, and all words.
    pub fn of(status: StatusCode, details: &[(&str, &str)]) -> Self {
        let code = details.iter().map(|(code, _)| *code);
        let words: Vec<&str> = details.iter().map(|(_, words)| *words).collect();
        Self {
            status: status.as_u16(),
            code: code
                .into_iter()
                .find(|code| !code.is_empty())
                .map(str::to_owned),
            message: cut(&words.join("; ")),
        }
    }

    /// From a refused login, `{"error", "error_description"?}`
    /// (RFC 6749, 5.2: <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>). `None` where it is none: another
    /// form, too many at once, or a failure of the server.
    pub fn of_login(response: &Response<Bytes>) -> Option<Self> {
        let status = response.status();
        if !status.is_client_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return None;
        }
        let body = json::read(response.body()).ok()?;
        let text = |name: &str| body.at(name).and_then(Value::as_str).map(cut);
        Some(Self {
            status: status.as_u16(),
            code: Some(text("error")?),
            message: text("error_description").unwrap_or_default(),
        })
    }

    /// One line for an operator: what it means, and what the vendor said.
    pub fn meaning(&self, what: &str) -> String {
        let code = self.code.as_deref().unwrap_or("no code");
        let separator = if self.message.is_empty() { "" } else { ": " };
        format!("{what} ({} {code}){separator}{}", self.status, self.message)
    }
}

/// A vendor's words on one line of at most 300 letters.
pub fn cut(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(WORDS_CHARS_MAX)
        .collect()
}

const WORDS_CHARS_MAX: usize = 300;

/// `Retry-After` in seconds, believed up to an hour. Few vendors document it; a gateway may send one.
pub fn retry_after(response: &Response<Bytes>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(WAIT_MAX_S)))
}

const WAIT_MAX_S: u64 = 3600;

/// `Date`: the time by the clock of who answered, whole seconds, rounded down by it.
pub fn date(response: &Response<Bytes>) -> Option<Timestamp> {
    let text = response.headers().get(DATE)?.to_str().ok()?;
    let date = httpdate::parse_http_date(text).ok()?;
    Timestamp::try_from(date).ok()
}

/// The JSON object that an answer is. `None`: it may be a gateway's page.
pub fn object(response: &Response<Bytes>) -> Option<Value> {
    let body = json::read(response.body()).ok()?;
    body.is_object().then_some(body)
}

/// The `access_token` of a login, if it can stand in a header.
pub fn token(body: &Value) -> Option<&str> {
    let token = body.at("access_token")?.as_str()?;
    let usable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, name: &str, value: &str, body: &str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .header(name, value)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn a_refusal_is_the_first_code_and_all_words_on_one_line() {
        let details = [("", "no\r\nsuch field"), ("B", "x"), ("C", "y")];
        let answer = Answer::of(StatusCode::BAD_REQUEST, &details);
        assert_eq!(
            answer.meaning("refused"),
            "refused (400 B): no  such field; x; y"
        );
        let answer = Answer::of(StatusCode::BAD_GATEWAY, &[]);
        assert_eq!(answer.meaning("failed"), "failed (502 no code)");
        let long = "ä".repeat(400);
        assert_eq!(cut(&long).chars().count(), 300);
    }

    #[test]
    fn a_refused_login_names_an_error() {
        let body = r#"{"error": "invalid_grant", "error_description": "user\nhas not"}"#;
        let refused = |status| Answer::of_login(&answered(status, "a", "b", body));
        let answer = refused(400).unwrap();
        assert_eq!(answer.meaning("no"), "no (400 invalid_grant): user has not");
        assert!(refused(429).is_none() && refused(503).is_none());
        assert!(Answer::of_login(&answered(400, "a", "b", r#"{"error": 1}"#)).is_none());
        assert!(Answer::of_login(&answered(401, "a", "b", "<html>")).is_none());
    }

    #[test]
    fn a_wait_is_in_seconds_and_believed_up_to_an_hour() {
        for (value, want) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("999999999", Some(3600)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("-1", None),
            ("1.5", None),
        ] {
            let response = answered(503, "retry-after", value, "");
            let want = want.map(Duration::from_secs);
            assert_eq!(retry_after(&response), want, "{value}");
        }
    }

    #[test]
    fn a_date_is_an_instant() {
        let response = answered(200, "date", "Sun, 22 Nov 2026 19:53:21 GMT", "");
        let want: Timestamp = "2026-11-22T19:53:21Z".parse().unwrap();
        assert_eq!(date(&response), Some(want));
        assert_eq!(date(&answered(200, "date", "yesterday", "")), None);
        assert_eq!(date(&answered(200, "a", "b", "")), None);
    }

    #[test]
    fn a_token_can_stand_in_a_header() {
        for (body, want) in [
            (r#"{"access_token": "00D!a.b"}"#, Some("00D!a.b")),
            (r#"{"access_token": ""}"#, None),
            (r#"{"access_token": "a b"}"#, None),
            (r#"{"access_token": "a\r\nb"}"#, None),
            (r#"{"access_token": 7}"#, None),
            ("{}", None),
        ] {
            let body = object(&answered(200, "a", "b", body)).unwrap();
            assert_eq!(token(&body), want, "{body}");
        }
        assert_eq!(object(&answered(200, "a", "b", "[]")), None);
        assert_eq!(object(&answered(200, "a", "b", "<html>")), None);
    }
}
