//! Sessions: handed out by a login, found again by their token, ended by disuse.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;

use super::{
    Id, Salesforce,
    error::{Error, answer, json_answer},
};

/// Sessions kept at once; one more ends the oldest.
const SESSION_COUNT_MAX: usize = 2000;

/// Open sessions by token.
#[derive(Default)]
pub(super) struct Sessions {
    last_used: HashMap<String, Timestamp>,
}

impl Sessions {
    /// Ends every session, as an administrator can.
    pub(super) fn end_all(&mut self) {
        self.last_used.clear();
    }

    pub(super) fn end(&mut self, token: &str) -> bool {
        self.last_used.remove(token).is_some()
    }

    fn open(&mut self, token: String, now: Timestamp) {
        if self.last_used.len() >= SESSION_COUNT_MAX {
            let oldest = self
                .last_used
                .iter()
                .min_by(|a, b| (a.1, a.0).cmp(&(b.1, b.0)));
            if let Some(oldest) = oldest.map(|(token, _)| token.clone()) {
                self.last_used.remove(&oldest);
            }
        }
        self.last_used.insert(token, now);
    }

    fn use_one(&mut self, token: &str, lifetime: Duration, now: Timestamp) -> bool {
        let Some(last) = self.last_used.get_mut(token) else {
            return false;
        };
        let is_open = now.duration_since(*last).unsigned_abs() <= lifetime || now < *last;
        if is_open {
            // A request keeps its session alive.
            *last = now.max(*last);
        } else {
            self.last_used.remove(token);
        }
        is_open
    }
}

impl Salesforce {
    /// Opens a session and gives its token.
    pub(super) fn open_session(&mut self, now: Timestamp) -> String {
        let secret: String = (0..80).map(|_| self.rng.alphanumeric()).collect();
        let token = format!("{}!AQ{secret}", self.organization.short());
        self.sessions.open(token.clone(), now);
        token
    }

    /// Finds the session a request names.
    pub(super) fn check_session(
        &mut self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| {
                scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("OAuth")
            })
            .map(|(_, token)| token.trim().to_owned());
        self.use_token(token.as_deref(), now)
    }

    fn use_token(&mut self, token: Option<&str>, now: Timestamp) -> Result<(), Error> {
        let lifetime = self.settings.session_lifetime;
        match token {
            Some(token) if self.sessions.use_one(token, lifetime, now) => Ok(()),
            _ => Err(Error::session()),
        }
    }

    /// Where the user of a session is described.
    pub(super) fn identity_url(&self) -> String {
        format!(
            "{}/id/{}/{}",
            self.settings.base_url, self.organization, self.integration_user
        )
    }

    /// `GET /id/<organization>/<user>`.
    pub(super) fn identity(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let mut ids = request.uri().path().split('/').skip(2).map(Id::parse);
        if (ids.next().flatten(), ids.next().flatten())
            != (Some(self.organization), Some(self.integration_user))
        {
            return answer(&[Error::not_found()]);
        }
        let query = request.uri().query().unwrap_or_default();
        let in_query = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "oauth_token")
            .map(|(_, token)| token.into_owned());
        let session = match in_query {
            Some(token) => self.use_token(Some(&token), now),
            None => self.check_session(request, now),
        };
        if session.is_err() {
            let refusal = Error::new(StatusCode::FORBIDDEN, "Bad_OAuth_Token", "Bad_OAuth_Token");
            return answer(&[refusal]);
        }
        let body = json!({
            "id": self.identity_url(),
            "asserted_user": true,
            "user_id": self.integration_user.to_string(),
            "organization_id": self.organization.to_string(),
            "username": self.settings.credentials.username,
            "display_name": "Integration User",
            "user_type": "STANDARD",
            "active": true,
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "urls": {
                "rest": format!("{}/services/data/v{{version}}/", self.settings.base_url),
                "sobjects": format!("{}/services/data/v{{version}}/sobjects/", self.settings.base_url),
                "query": format!("{}/services/data/v{{version}}/query/", self.settings.base_url),
            },
        });
        json_answer(StatusCode::OK, body.to_string())
    }
}
