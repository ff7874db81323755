//! From a request to the part that answers it.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::answer::{self, Detail, Place, Problem};
use super::read::{self, Page};
use super::request::{manner, prefers, query, refuse_async, selection};
use super::schema::Kind;
use super::store::Record;
use super::value::RECORDS;
use super::write;
use super::{NetSuite, auth, filter};

/// Largest request, as documented: 104 MB.
const BODY_BYTES_MAX: usize = 104 * 1024 * 1024;
/// Concurrency an account of the first service tier has.
const ACCOUNT_CONCURRENCY: usize = 15;

type Answer = Result<Response<Bytes>, Problem>;

impl NetSuite {
    pub(super) fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let origin = self.origin(request);
        let path = request.uri().path();
        if path == auth::TOKEN_PATH {
            return self.gate.token(request, &origin, now);
        }
        if let Err(refusal) = self.throttle.admit(&self.options.limits, now) {
            return answer::refusal(refusal, self.options.limits.form);
        }
        if !self.gate.admits(request, &origin, now) {
            return Problem::invalid_login().response();
        }
        if request.method() == Method::OPTIONS {
            return answer::no_content();
        }
        self.route(request, &origin, now)
            .unwrap_or_else(|problem| problem.response())
    }

    /// `scheme://host[:port]` as the client signed it: default ports are left out.
    fn origin(&self, request: &Request<Bytes>) -> String {
        let uri = request.uri();
        let scheme = if self.options.https { "https" } else { "http" };
        let scheme = uri.scheme_str().unwrap_or(scheme).to_lowercase();
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or_default()
            .to_lowercase();
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let host = host.strip_suffix(default_port).unwrap_or(&host);
        format!("{scheme}://{host}")
    }

    fn route(&mut self, request: &Request<Bytes>, origin: &str, now: Timestamp) -> Answer {
        if request.body().len() > BODY_BYTES_MAX {
            let detail = Detail::new("INVALID_CONTENT", "The request is too large.");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let path = request.uri().path();
        let no_resource = || {
            let detail = Detail::new("NOT_FOUND", "The requested resource does not exist.");
            Problem::new(
                StatusCode::NOT_FOUND,
                detail.at(Place::Url(path.chars().take(500).collect())),
            )
        };
        let segments: Option<Vec<String>> = path
            .strip_prefix("/services/rest/")
            .ok_or_else(no_resource)?
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned()))
            .collect();
        let segments = segments.ok_or_else(no_resource)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["query", "v1", "suiteql"] => self.suiteql(request, origin, now),
            ["system", "v1", "governanceLimits"] => self.governance_limits(request),
            ["record", "v1", "metadata-catalog", rest @ ..] => catalog(request, origin, rest),
            ["record", "v1", kind, rest @ ..] => {
                refuse_async(request)?;
                let kind = Kind::named(kind).ok_or_else(|| no_kind(kind, path))?;
                self.records_route(kind, rest, request, origin, now)
            }
            _ => Err(no_resource()),
        }
    }

    fn records_route(
        &mut self,
        kind: &'static Kind,
        rest: &[&str],
        request: &Request<Bytes>,
        origin: &str,
        now: Timestamp,
    ) -> Answer {
        let method = request.method();
        match rest {
            [] if method == Method::GET => self.list(kind, request, origin),
            [] if method == Method::POST => {
                self.save_request(Record::new(kind, now), request, origin, now)
            }
            [id] if method == Method::PUT => self.upsert(kind, id, request, origin, now),
            [id, ..] => {
                let record = self.find_record(kind, id, request.uri().path())?;
                match *rest {
                    [_] if method == Method::GET => {
                        let body = read::record(&self.store, record, origin, &selection(request)?);
                        Ok(answer::singular(&body))
                    }
                    [_] if method == Method::PATCH => {
                        let record = record.clone();
                        self.save_request(record, request, origin, now)
                    }
                    [_] if method == Method::DELETE => {
                        let id = record.id;
                        self.delete(kind.family, id)?;
                        Ok(answer::no_content())
                    }
                    [_, name] if method == Method::GET => self.sublist(record, name, None, origin),
                    [_, name, line] if method == Method::GET => {
                        self.sublist(record, name, Some(line), origin)
                    }
                    _ => Err(Problem::method_not_allowed(method)),
                }
            }
            _ => Err(Problem::method_not_allowed(method)),
        }
    }

    /// The record by internal id, or by `eid:` and its external id.
    fn find_record(&self, kind: &'static Kind, id: &str, path: &str) -> Result<&Record, Problem> {
        let url = || Place::Url(path.chars().take(500).collect());
        if let Some(external_id) = id.strip_prefix("eid:") {
            return self
                .store
                .by_external(kind.family, external_id)
                .filter(|record| record.kind.name == kind.name)
                .ok_or_else(|| {
                    let text = format!(
                        "The record instance for external ID '{}' does not exist. Provide a valid \
                         record instance ID.",
                        external_id.chars().take(300).collect::<String>()
                    );
                    let detail = Detail::new("NONEXISTENT_ID", text).at(url());
                    Problem::new(StatusCode::NOT_FOUND, detail)
                });
        }
        let number = id.strip_prefix('-').unwrap_or(id);
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let text = format!(
                "Invalid record instance identifier '{}'. Provide a valid record instance ID.",
                id.chars().take(100).collect::<String>()
            );
            return Err(Problem::bad_request(
                Detail::new("INVALID_ID", text).at(url()),
            ));
        }
        id.parse()
            .ok()
            .and_then(|id| self.store.of_kind(kind, id))
            .ok_or_else(Problem::nonexistent)
    }

    fn upsert(
        &mut self,
        kind: &'static Kind,
        id: &str,
        request: &Request<Bytes>,
        origin: &str,
        now: Timestamp,
    ) -> Answer {
        let Some(external_id) = id.strip_prefix("eid:").filter(|id| !id.is_empty()) else {
            return Err(Problem::method_not_allowed(request.method()));
        };
        let existing = self.store.by_external(kind.family, external_id);
        let mut base = match existing {
            // External ids are shared by the whole family of record types.
            Some(record) if record.kind.name != kind.name => {
                return Err(Problem::bad_request(answer::duplicate_record()));
            }
            Some(record) => record.clone(),
            None => Record::new(kind, now),
        };
        if let Some(window) = self.options.upsert_race
            && base.id != 0
        {
            let within = |at: Timestamp| now.duration_since(at) < window;
            if within(base.created) {
                return Err(Problem::bad_request(answer::duplicate_record()));
            }
            if within(base.modified) {
                return Err(Problem::bad_request(answer::record_changed()));
            }
        }
        if external_id.chars().count() > super::schema::EXTERNAL_ID_MAX {
            return Err(Problem::user_error(format!(
                "The field externalId contained more than the maximum number ( {} ) of characters \
                 allowed.",
                super::schema::EXTERNAL_ID_MAX
            )));
        }
        if base.id == 0 {
            let external_id = super::store::Cell::Text(external_id.to_owned());
            base.fields.insert("externalId", external_id);
        }
        self.save_request(base, request, origin, now)
    }

    fn save_request(
        &mut self,
        base: Record,
        request: &Request<Bytes>,
        origin: &str,
        now: Timestamp,
    ) -> Answer {
        let kind = base.kind;
        let body: Value =
            serde_json::from_slice(request.body()).map_err(|_| write::invalid_body())?;
        let manner = manner(request)?;
        let written = write::write(&mut self.store, &self.rules, base, &body, &manner, now)?;
        let location = format!("{origin}{RECORDS}/{}/{}", kind.name, written.id);
        Ok(answer::written(&location, &written.warnings))
    }

    fn list(&self, kind: &'static Kind, request: &Request<Bytes>, origin: &str) -> Answer {
        let query = query(request);
        let page = Page::from_query(&query)?;
        let text = query.iter().find(|(name, _)| name == "q");
        let filter = text
            .map(|(_, text)| filter::Filter::parse(text, kind))
            .transpose()?;
        let ids: Vec<u64> = self
            .store
            .all(kind)
            .filter(|record| filter.as_ref().is_none_or(|filter| filter.matches(record)))
            .map(|record| record.id)
            .collect();
        let items = ids
            .iter()
            .skip(page.offset)
            .take(page.limit)
            .map(|id| read::entry(kind, *id, origin))
            .collect();
        let href = format!("{origin}{RECORDS}/{}", kind.name);
        let query = text.map_or(String::new(), |(_, text)| {
            form_urlencoded::Serializer::new(String::new())
                .append_pair("q", text)
                .finish()
        });
        let body = read::envelope(items, ids.len(), page, &href, &query);
        Ok(answer::collection(&body))
    }

    fn sublist(&self, record: &Record, name: &str, line: Option<&str>, origin: &str) -> Answer {
        let Some(sublist) = record.kind.sublist(name) else {
            return Err(Problem::nonexistent());
        };
        let href = format!(
            "{origin}{RECORDS}/{}/{}/{name}",
            record.kind.name, record.id
        );
        let Some(key) = line else {
            let body = read::sublist(&self.store, record, sublist, &href, origin);
            return Ok(answer::collection(&body));
        };
        let found = key
            .parse::<u64>()
            .ok()
            .and_then(|key| record.lines(name).iter().find(|line| line.key == key));
        let line = found.ok_or_else(Problem::nonexistent)?;
        let body = read::line(&self.store, sublist, line, &href, origin);
        Ok(answer::singular(&body))
    }

    fn suiteql(&mut self, request: &Request<Bytes>, origin: &str, now: Timestamp) -> Answer {
        if request.method() != Method::POST {
            return Err(Problem::method_not_allowed(request.method()));
        }
        if !prefers(request, "transient") {
            let detail = Detail::new(
                "INVALID_HEADER",
                "The required request header 'Prefer' is missing.",
            );
            return Err(Problem::bad_request(detail.at(Place::Header("Prefer"))));
        }
        let page = Page::from_query(&query(request))?;
        let body: Value =
            serde_json::from_slice(request.body()).map_err(|_| write::invalid_body())?;
        let Some(q) = body.get("q").and_then(Value::as_str) else {
            let detail = Detail::new("INVALID_CONTENT", "Missing required property 'q'.");
            return Err(Problem::bad_request(detail.at(Place::Path("q".to_owned()))));
        };
        self.index
            .sync(&mut self.store, self.options.suiteql_lag, now)?;
        let rows = self.index.query(q, page, now)?;
        let href = format!("{origin}/services/rest/query/v1/suiteql");
        let body = read::envelope(rows.items, rows.total, page, &href, "");
        Ok(answer::collection(&body))
    }

    fn governance_limits(&self, request: &Request<Bytes>) -> Answer {
        if request.method() != Method::GET {
            return Err(Problem::method_not_allowed(request.method()));
        }
        let limit = self
            .options
            .limits
            .concurrency
            .unwrap_or(ACCOUNT_CONCURRENCY);
        let body = json!({
            "accountConcurrencyLimit": limit,
            "accountUnallocatedConcurrencyLimit": limit,
            "integrationLimitType": "accountLimit",
        });
        Ok(answer::plain_json(StatusCode::OK, &body))
    }
}

fn no_kind(kind: &str, path: &str) -> Problem {
    let text = format!(
        "Record type '{}' does not exist.",
        kind.chars().take(100).collect::<String>()
    );
    let detail = Detail::new("NONEXISTENT_RECORD_TYPE", text);
    Problem::new(
        StatusCode::NOT_FOUND,
        detail.at(Place::Url(path.chars().take(500).collect())),
    )
}

/// The record types there are, with links; their schemas are not served.
fn catalog(request: &Request<Bytes>, origin: &str, rest: &[&str]) -> Answer {
    if request.method() != Method::GET {
        return Err(Problem::method_not_allowed(request.method()));
    }
    let href = format!("{origin}{RECORDS}/metadata-catalog");
    let entry = |kind: &Kind| {
        let link = format!("{href}/{}", kind.name);
        json!({
            "name": kind.name,
            "links": [
                {"rel": "canonical", "href": link},
                {"rel": "describes", "href": format!("{origin}{RECORDS}/{}", kind.name)},
            ],
        })
    };
    match rest {
        [] => {
            let items: Vec<Value> = super::schema::KINDS
                .iter()
                .map(|kind| entry(kind))
                .collect();
            let body = json!({"links": [{"rel": "self", "href": href}], "items": items});
            Ok(answer::collection(&body))
        }
        [kind] => {
            let kind = Kind::named(kind).ok_or_else(|| no_kind(kind, request.uri().path()))?;
            Ok(answer::singular(&entry(kind)))
        }
        _ => Err(Problem::nonexistent()),
    }
}
