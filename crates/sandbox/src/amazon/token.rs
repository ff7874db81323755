//! Login with Amazon: the token endpoint.
//! <https://developer-docs.amazon.com/sp-api/docs/connect-to-the-selling-partner-api>
//! <https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html>

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{
    Amazon,
    access::{Grant, SCOPES},
    error::answer,
};

/// Status, name and description of a refused login.
type Refused = (StatusCode, &'static str, &'static str);

const INVALID_CLIENT: Refused = (
    StatusCode::UNAUTHORIZED,
    "invalid_client",
    "Client authentication failed",
);
const INVALID_GRANT: Refused = (
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    "The request has an invalid grant parameter : refresh_token",
);
const INVALID_SCOPE: Refused = (
    StatusCode::BAD_REQUEST,
    "invalid_scope",
    "The request has an invalid parameter : scope",
);
const UNSUPPORTED_GRANT: Refused = (
    StatusCode::BAD_REQUEST,
    "unsupported_grant_type",
    "The authorization grant type is not supported by the authorization server",
);
const INVALID_REQUEST: Refused = (
    StatusCode::BAD_REQUEST,
    "invalid_request",
    "The request is missing a required parameter : grant_type",
);

impl Amazon {
    /// `POST /auth/o2/token`, with a form or a JSON object.
    pub(super) fn token(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if request.method() != Method::POST {
            return refused((
                StatusCode::METHOD_NOT_ALLOWED,
                "invalid_request",
                "POST only",
            ));
        }
        let fields = fields(request);
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        let granted = match field("grant_type") {
            "refresh_token" => self
                .check_client(field("client_id"), field("client_secret"))
                .and_then(|()| self.seller(field("refresh_token"))),
            "client_credentials" => self
                .check_client(field("client_id"), field("client_secret"))
                .and_then(|()| scope(field("scope"))),
            "" => Err(INVALID_REQUEST),
            _ => Err(UNSUPPORTED_GRANT),
        };
        let grant = match granted {
            Ok(grant) => grant,
            Err(refusal) => return refused(refusal),
        };
        let life = self.settings.token_life;
        let token = self.access.issue(grant, life, &mut self.rng, now);
        let mut body = json!({
            "access_token": token, "token_type": "bearer", "expires_in": life.as_secs(),
        });
        match grant {
            Grant::Seller(_) => body["refresh_token"] = field("refresh_token").into(),
            Grant::Grantless(scope) => body["scope"] = scope.into(),
        }
        uncached(answer(StatusCode::OK, &body))
    }

    fn check_client(&self, id: &str, secret: &str) -> Result<(), Refused> {
        let known = &self.settings.credentials;
        if id == known.client_id && secret == known.client_secret {
            return Ok(());
        }
        Err(INVALID_CLIENT)
    }

    fn seller(&self, refresh_token: &str) -> Result<Grant, Refused> {
        let known = &self.settings.credentials.refresh_tokens;
        let found = known.iter().find(|(_, token)| token == refresh_token);
        found
            .map(|(region, _)| Grant::Seller(*region))
            .ok_or(INVALID_GRANT)
    }
}

fn scope(asked: &str) -> Result<Grant, Refused> {
    let found = SCOPES.into_iter().find(|scope| *scope == asked);
    found.map(Grant::Grantless).ok_or(INVALID_SCOPE)
}

fn refused((status, error, description): Refused) -> Response<Bytes> {
    let body = json!({"error": error, "error_description": description});
    uncached(answer(status, &body))
}

fn uncached(mut response: Response<Bytes>) -> Response<Bytes> {
    let no_store = HeaderValue::from_static("no-cache, no-store, must-revalidate");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

fn fields(request: &Request<Bytes>) -> HashMap<String, String> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        let Ok(Json::Object(object)) = serde_json::from_slice(request.body()) else {
            return HashMap::new();
        };
        let text = |value: Json| value.as_str().map(str::to_owned);
        return object
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value)?)))
            .collect();
    }
    form_urlencoded::parse(request.body())
        .into_owned()
        .collect()
}
