//! The admin port: look at records and requests, edit behind the flows' back, switch misfortunes, move time.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::{HEAD_TIMEOUT, Handle, accept, whole};
use crate::{misfortune::Misfortune, vendor::EditError};

/// What the index page names.
pub(super) struct Page {
    pub(super) vendor_urls: BTreeMap<String, String>,
}

/// What records call their ids.
const ID_MEMBERS: [&str; 5] = ["Id", "id", "orderId", "reportId", "subscriptionId"];

/// A status and a JSON body; null for none.
type Outcome = (StatusCode, Json);

pub(super) async fn serve(listener: TcpListener, page: Arc<Page>, handle: Handle) {
    accept(listener, |stream| {
        let (page, handle) = (Arc::clone(&page), handle.clone());
        async move {
            let service = service_fn(move |request| {
                let (page, handle) = (Arc::clone(&page), handle.clone());
                async move { Ok::<_, Infallible>(answer(request, &page, &handle).await) }
            });
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await;
}

async fn answer(request: Request<Incoming>, page: &Page, handle: &Handle) -> Response<Full<Bytes>> {
    let (status, body) = match whole(request).await {
        Ok(request) => route(&request, page, handle),
        Err(status) => (status, Json::Null),
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    if !body.is_null() {
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        *response.body_mut() = Full::new(Bytes::from(body.to_string()));
    }
    response
}

fn route(request: &Request<Bytes>, page: &Page, handle: &Handle) -> Outcome {
    let decoded: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
    match (request.method(), path.as_slice()) {
        (&Method::GET, []) => index(page, handle),
        (method, ["faults"]) => faults(method, request.body(), handle),
        (&Method::DELETE, ["faults", id]) => end_fault(id, handle),
        (method, ["clock"]) => clock(method, request.body(), handle),
        (&Method::GET, [vendor, "requests"]) => requests(vendor, handle),
        (&Method::PUT, [vendor, "requests"]) => keep_requests(vendor, request.body(), handle),
        (&Method::GET, [vendor, kind]) => records(vendor, kind, handle),
        (&Method::GET, [vendor, kind, id]) => record(vendor, kind, id, handle),
        (&Method::POST, [vendor, kind]) => {
            edit(vendor, request.body(), handle, |vendor, json, now| {
                vendor
                    .create(kind, json, now)
                    .map(|record| (StatusCode::CREATED, record))
            })
        }
        (&Method::PATCH, [vendor, kind, id]) => {
            edit(vendor, request.body(), handle, |vendor, json, now| {
                vendor
                    .edit(kind, id, json, now)
                    .map(|record| (StatusCode::OK, record))
            })
        }
        (&Method::DELETE, [vendor, kind, id]) => edit(vendor, b"null", handle, |vendor, _, now| {
            vendor
                .remove(kind, id, now)
                .map(|()| (StatusCode::NO_CONTENT, Json::Null))
        }),
        (&Method::PUT, [vendor, setting]) => {
            edit(vendor, request.body(), handle, |vendor, json, now| {
                vendor
                    .configure(setting, json, now)
                    .map(|()| (StatusCode::NO_CONTENT, Json::Null))
            })
        }
        _ => refuse(StatusCode::NOT_FOUND, "see GET / for what there is"),
    }
}

fn index(page: &Page, handle: &Handle) -> Outcome {
    let vendors: serde_json::Map<String, Json> = page
        .vendor_urls
        .iter()
        .map(|(name, url)| {
            let kinds = handle
                .with(|world, _| world.named(name).map(|v| v.kinds()))
                .unwrap_or_default();
            let count = handle.with(|world, _| world.requests(name).map(|log| log.count()));
            let lists: Vec<String> = kinds.iter().map(|kind| format!("/{name}/{kind}")).collect();
            (
                name.clone(),
                json!({"url": url, "records": lists, "requests": count}),
            )
        })
        .collect();
    let body = json!({
        "now": handle.now().to_string(),
        "vendors": vendors,
        "routes": [
            "GET /<vendor>/<type>: every record as the vendor holds it",
            "GET /<vendor>/<type>/<id>: one record",
            "POST /<vendor>/<type>, PATCH and DELETE /<vendor>/<type>/<id>: edit as one of the vendor's users",
            "PUT /<vendor>/<setting>: change a setting, as /salesforce/outbound-message {\"url\": …}",
            "GET /<vendor>/requests: what was asked; PUT it {\"keep_bodies\": true} to keep bodies",
            "GET, POST, DELETE /faults, DELETE /faults/<id>: what goes wrong on purpose, as \
             {\"vendor\":\"netsuite\",\"method\":\"PUT\",\"path\":\"/services/rest/record/*\",\"skip\":0,\
             \"times\":3,\"probability\":0.5,\"what\":{\"refuse\":\"rate_limit\"}}",
            "what: {\"refuse\":\"rate_limit|concurrency|concurrency_as_login|locked|server_error|unavailable|\
             token_expired\"}, {\"refuse_with\":{\"status\":503,\"retry_after_s\":1}}, \"commit_then_drop\", \
             \"drop_before\", {\"delay\":{\"ms\":500}}, {\"late_commit\":{\"after_ms\":3000,\"hang_ms\":0}}, \
             {\"garble\":\"truncate|html|empty|encoding\"}, {\"webhook_duplicate\":{\"copies\":1}}, \
             {\"webhook_reorder\":{\"within_ms\":2000}}, \"webhook_lose\", {\"webhook_delay\":{\"ms\":500}}",
            "GET /clock; POST /clock {\"advance_s\": 3600}: move the sandbox's clock ahead",
        ],
    });
    (StatusCode::OK, body)
}

/// One misfortune, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Json>),
    One(Json),
}

fn faults(method: &Method, body: &[u8], handle: &Handle) -> Outcome {
    match *method {
        Method::GET => {
            let list = handle.with(|world, _| serde_json::to_value(world.misfortunes().list()));
            (StatusCode::OK, list.unwrap_or_default())
        }
        Method::DELETE => {
            handle.with(|world, _| world.misfortunes().clear());
            (StatusCode::NO_CONTENT, Json::Null)
        }
        Method::POST => {
            let given = match serde_json::from_slice(body) {
                Ok(OneOrMany::Many(many)) => many,
                Ok(OneOrMany::One(one)) => vec![one],
                Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault.to_string()),
            };
            let read: Result<Vec<Misfortune>, _> =
                given.into_iter().map(serde_json::from_value).collect();
            let misfortunes = match read {
                Ok(misfortunes) => misfortunes,
                Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault.to_string()),
            };
            let ids: Option<Vec<u64>> = handle.with(|world, _| {
                misfortunes
                    .into_iter()
                    .map(|one| world.misfortunes().add(one))
                    .collect()
            });
            match ids {
                Some(ids) => (StatusCode::CREATED, json!({"ids": ids})),
                None => refuse(StatusCode::CONFLICT, "too many faults are in force"),
            }
        }
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "GET, POST or DELETE"),
    }
}

fn end_fault(id: &str, handle: &Handle) -> Outcome {
    let id = id.parse().ok();
    if id.is_some_and(|id| handle.with(|world, _| world.misfortunes().remove(id))) {
        return (StatusCode::NO_CONTENT, Json::Null);
    }
    refuse(StatusCode::NOT_FOUND, "no such fault")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Travel {
    advance_s: u64,
}

fn clock(method: &Method, body: &[u8], handle: &Handle) -> Outcome {
    if method == Method::POST {
        match serde_json::from_slice::<Travel>(body) {
            Ok(travel) => handle.travel(Duration::from_secs(travel.advance_s)),
            Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault.to_string()),
        }
    }
    (StatusCode::OK, json!({"now": handle.now().to_string()}))
}

fn requests(vendor: &str, handle: &Handle) -> Outcome {
    let entries = handle.with(|world, _| {
        world
            .requests(vendor)
            .map(|log| serde_json::to_value(log.entries().collect::<Vec<_>>()))
    });
    match entries {
        Some(Ok(entries)) => (StatusCode::OK, entries),
        _ => no_vendor(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keep {
    keep_bodies: bool,
}

fn keep_requests(vendor: &str, body: &[u8], handle: &Handle) -> Outcome {
    let keep: Keep = match serde_json::from_slice(body) {
        Ok(keep) => keep,
        Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault.to_string()),
    };
    let known = handle.with(|world, _| {
        world
            .requests_mut(vendor)
            .map(|log| log.keeps_bodies = keep.keep_bodies)
    });
    if known.is_some() {
        (StatusCode::NO_CONTENT, Json::Null)
    } else {
        no_vendor()
    }
}

fn records(vendor: &str, kind: &str, handle: &Handle) -> Outcome {
    let records = handle.with(|world, _| world.named(vendor).map(|vendor| vendor.records(kind)));
    match records {
        None => no_vendor(),
        Some(None) => refuse(StatusCode::NOT_FOUND, "no such type"),
        Some(Some(records)) => (StatusCode::OK, Json::from(records)),
    }
}

fn record(vendor: &str, kind: &str, id: &str, handle: &Handle) -> Outcome {
    let (status, body) = records(vendor, kind, handle);
    let Json::Array(records) = body else {
        return (status, body);
    };
    let is_it = |record: &Json| {
        ID_MEMBERS
            .iter()
            .any(|key| record.get(key).and_then(Json::as_str) == Some(id))
    };
    match records.into_iter().find(is_it) {
        Some(record) => (StatusCode::OK, record),
        None => refuse(StatusCode::NOT_FOUND, "no such record"),
    }
}

fn edit(
    vendor: &str,
    body: &[u8],
    handle: &Handle,
    act: impl FnOnce(&mut dyn crate::Vendor, Json, jiff::Timestamp) -> Result<Outcome, EditError>,
) -> Outcome {
    let json = match serde_json::from_slice(body) {
        Ok(json) => json,
        Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault.to_string()),
    };
    let outcome =
        handle.with(|world, now| world.named_mut(vendor).map(|vendor| act(vendor, json, now)));
    match outcome {
        None => no_vendor(),
        Some(Ok(outcome)) => outcome,
        Some(Err(fault)) => {
            let status = match fault {
                EditError::Unsupported => StatusCode::NOT_IMPLEMENTED,
                EditError::NotFound(_) => StatusCode::NOT_FOUND,
                EditError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            refuse(status, &fault.to_string())
        }
    }
}

fn no_vendor() -> Outcome {
    refuse(StatusCode::NOT_FOUND, "no such vendor")
}

fn refuse(status: StatusCode, why: &str) -> Outcome {
    (status, json!({"error": why}))
}
