//! What a request says beside its path and body: query parameters, preferences, strictness.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;

use super::answer::{Detail, Place, Problem};
use super::read::Selection;
use super::write::{Manner, Strictness};

pub(super) fn query(request: &Request<Bytes>) -> Vec<(String, String)> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

pub(super) fn prefers(request: &Request<Bytes>, preference: &str) -> bool {
    request
        .headers()
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(preference))
}

pub(super) fn refuse_async(request: &Request<Bytes>) -> Result<(), Problem> {
    if !prefers(request, "respond-async") {
        return Ok(());
    }
    let detail = Detail::new(
        "INVALID_HEADER",
        "Asynchronous execution is not enabled for this account.",
    );
    Err(Problem::bad_request(detail.at(Place::Header("Prefer"))))
}

fn flag(query: &[(String, String)], name: &str) -> Result<bool, Problem> {
    match query.iter().find(|(known, _)| known == name) {
        None => Ok(false),
        Some((_, value)) => value.parse().map_err(|_| {
            let text = format!("Invalid value for the query parameter '{name}'.");
            Problem::bad_request(
                Detail::new("INVALID_PARAMETER", text).at(Place::Query(name.to_owned())),
            )
        }),
    }
}

fn names(query: &[(String, String)], name: &str) -> Option<Vec<String>> {
    let (_, value) = query.iter().find(|(known, _)| known == name)?;
    let names = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

pub(super) fn selection(request: &Request<Bytes>) -> Result<Selection, Problem> {
    let query = query(request);
    Ok(Selection {
        expand: flag(&query, "expandSubResources")?,
        fields: names(&query, "fields").map(|names| names.into_iter().collect::<BTreeSet<_>>()),
    })
}

pub(super) fn manner(request: &Request<Bytes>) -> Result<Manner, Problem> {
    let query = query(request);
    let strictness = |name: &'static str, default: Strictness| {
        let Some(value) = request.headers().get(name) else {
            return Ok(default);
        };
        match value.as_bytes().to_ascii_lowercase().as_slice() {
            b"error" => Ok(Strictness::Error),
            b"warning" => Ok(Strictness::Warning),
            b"ignore" => Ok(Strictness::Ignore),
            _ => Err(Problem::bad_request(
                Detail::new(
                    "INVALID_HEADER",
                    format!("Invalid value in the request header '{name}'."),
                )
                .at(Place::Header(name)),
            )),
        }
    };
    Ok(Manner {
        names: strictness("X-NetSuite-PropertyNameValidation", Strictness::Warning)?,
        values: strictness("X-NetSuite-PropertyValueValidation", Strictness::Error)?,
        replace: names(&query, "replace").unwrap_or_default(),
        replace_fields: flag(&query, "replaceSelectedFields")?,
        user: false,
    })
}
