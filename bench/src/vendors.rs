//! Vendors that answer at once: exactly what the flow asks, and nothing else.
//!
//! Not the sandbox, which does what the vendors do and takes its time for it. A request that is not one of
//! the flow's is kept as [`Vendors::surprise`], so that no benchmark passes on the wrong answers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The name of the thread that answers.
pub const THREAD: &str = "vendors";

/// Both vendors, on two ports.
pub struct Vendors {
    pub salesforce: SocketAddr,
    pub netsuite: SocketAddr,
    state: Arc<State>,
}

struct State {
    origin: String,
    opportunity: Template,
    account: Template,
    /// What NetSuite holds: internal ids by path.
    records: Mutex<HashMap<String, u64>>,
    /// Who waits for an opportunity's write-back.
    waiting: Mutex<HashMap<String, oneshot::Sender<Instant>>>,
    next: AtomicU64,
    requests: AtomicU64,
    /// Salesforce lets every query wait.
    holds: AtomicBool,
    surprise: Mutex<Option<String>>,
}

impl Vendors {
    pub fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let bind = || TcpListener::bind(("127.0.0.1", 0));
        let (salesforce, netsuite) =
            runtime.block_on(async { Ok::<_, std::io::Error>((bind().await?, bind().await?)) })?;
        let state = Arc::new(State {
            origin: format!("http://{}", salesforce.local_addr()?),
            opportunity: Template::of(include_str!("../data/opportunity.json"))?,
            account: Template::of(include_str!("../data/account.json"))?,
            records: Mutex::default(),
            waiting: Mutex::default(),
            next: AtomicU64::new(1000),
            requests: AtomicU64::new(0),
            holds: AtomicBool::new(false),
            surprise: Mutex::default(),
        });
        let vendors = Self {
            salesforce: salesforce.local_addr()?,
            netsuite: netsuite.local_addr()?,
            state: state.clone(),
        };
        std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::join!(serve(salesforce, state.clone()), serve(netsuite, state))
                })
            })?;
        Ok(vendors)
    }

    /// Tells when the write-back of this opportunity has arrived.
    pub fn written_back(&self, opportunity: &str) -> oneshot::Receiver<Instant> {
        let (sender, receiver) = oneshot::channel();
        locked(&self.state.waiting).insert(opportunity.to_owned(), sender);
        receiver
    }

    /// Lets every query wait from now on: whoever fetches a record keeps its lease.
    pub fn hold(&self) {
        self.state.holds.store(true, Ordering::Relaxed);
    }

    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// The first request that no flow should have sent.
    pub fn surprise(&self) -> Option<String> {
        locked(&self.state.surprise).clone()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Slower without, but not wrong.
        let _ = stream.set_nodelay(true);
        let state = state.clone();
        let service = service_fn(move |request| {
            let state = state.clone();
            async move { Ok::<_, Infallible>(answer(&state, request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    state.requests.fetch_add(1, Ordering::Relaxed);
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let answer = if let Some(rest) = path.strip_prefix("/services/data/") {
        if query.starts_with("q=") && state.holds.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        state.salesforce(&parts.method, rest, query)
    } else if let Some(record) = path.strip_prefix("/services/rest/record/v1/") {
        state.record(&parts.method, record)
    } else if path == "/services/rest/query/v1/suiteql" {
        items(&body)
    } else if path == "/services/oauth2/token" {
        Some(ok(json!({ "access_token": "bench", "instance_url": state.origin, "token_type": "Bearer" }).to_string()))
    } else {
        None
    };
    answer.unwrap_or_else(|| {
        let line = format!("{} {}", parts.method, parts.uri);
        locked(&state.surprise).get_or_insert(line);
        response(StatusCode::NOT_FOUND, String::new())
    })
}

impl State {
    fn salesforce(
        &self,
        method: &Method,
        rest: &str,
        query: &str,
    ) -> Option<Response<Full<Bytes>>> {
        if *method == Method::PATCH {
            let (_, id) = rest.split_once("/sobjects/Opportunity/")?;
            let arrived = Instant::now();
            if let Some(waiting) = locked(&self.waiting).remove(id) {
                // Nobody waits any more where a measurement has ended.
                let _ = waiting.send(arrived);
            }
            return Some(response(StatusCode::NO_CONTENT, String::new()));
        }
        rest.ends_with("/queryAll").then_some(())?;
        // `… WHERE Id = '006…'`, encoded as a form.
        let (_, id) = query.split_once("+WHERE+Id+%3D+%27")?;
        let id = id.get(..18)?;
        let template = match id.get(..3)? {
            "006" => &self.opportunity,
            "001" => &self.account,
            _ => return None,
        };
        Some(ok(template.with(id)))
    }

    fn record(&self, method: &Method, record: &str) -> Option<Response<Full<Bytes>>> {
        let Some((kind, external_id)) = record.split_once("/eid:") else {
            return self.by_internal_id(record);
        };
        if *method == Method::PUT {
            let mut records = locked(&self.records);
            let id = *records
                .entry(record.to_owned())
                .or_insert_with(|| self.next.fetch_add(1, Ordering::Relaxed));
            let mut answer = response(StatusCode::NO_CONTENT, String::new());
            let location = format!("https://netsuite.invalid/services/rest/record/v1/{kind}/{id}");
            answer
                .headers_mut()
                .insert(header::LOCATION, location.parse().ok()?);
            return Some(answer);
        }
        let id = locked(&self.records).get(record).copied();
        Some(match id {
            Some(id) => ok(held(id, external_id)),
            None => response(StatusCode::NOT_FOUND, NONEXISTENT.to_owned()),
        })
    }

    /// Asked for rarely: of a record that was there before the host forgot it.
    fn by_internal_id(&self, record: &str) -> Option<Response<Full<Bytes>>> {
        let (kind, id) = record.split_once('/')?;
        let id = id.parse().ok()?;
        let records = locked(&self.records);
        let path = records.iter().find_map(|(path, known)| {
            let (of, external_id) = path.split_once("/eid:")?;
            (*known == id && of == kind).then_some(external_id)
        });
        Some(match path {
            Some(external_id) => ok(held(id, external_id)),
            None => response(StatusCode::NOT_FOUND, NONEXISTENT.to_owned()),
        })
    }
}

/// A record as NetSuite answers with it, as far as the flow looks.
fn held(id: u64, external_id: &str) -> String {
    format!(
        "{{\"links\":[],\"id\":\"{id}\",\"externalId\":\"{external_id}\",\"tranId\":\"SO{id}\",\
         \"tranDate\":\"2026-01-02\",\"entity\":{{\"id\":\"1000\",\"refName\":\"A-1001 Harbour Works Ltd\"}},\
         \"subsidiary\":{{\"id\":\"3\",\"refName\":\"US\"}},\"currency\":{{\"id\":\"4\",\"refName\":\"USD\"}},\
         \"status\":{{\"id\":\"A\",\"refName\":\"Pending Approval\"}},\"total\":12410.55,\
         \"item\":{{\"items\":[{LINES}],\"totalResults\":3}}}}"
    )
}

const LINES: &str = "\
    {\"line\":1,\"item\":{\"id\":\"501\",\"refName\":\"PM-1042\"},\"quantity\":3.0,\"rate\":1999.95,\"amount\":5999.85},\
    {\"line\":2,\"item\":{\"id\":\"502\",\"refName\":\"VL-1007\"},\"quantity\":12.0,\"rate\":310.25,\"amount\":3723.0},\
    {\"line\":3,\"item\":{\"id\":\"503\",\"refName\":\"SV-1063\"},\"quantity\":1.5,\"rate\":1791.8,\"amount\":2687.7}";

const NONEXISTENT: &str = "{\"type\":\"https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.5\",\
    \"title\":\"Not Found\",\"status\":404,\"o:errorDetails\":[{\"detail\":\"The record instance does not exist.\",\
    \"o:errorCode\":\"NONEXISTENT_ID\"}]}";

/// Every SKU of the opportunity is an item.
fn items(statement: &[u8]) -> Option<Response<Full<Bytes>>> {
    let statement: Value = serde_json::from_slice(statement).ok()?;
    let statement = statement.get("q")?.as_str()?;
    let codes = ["PM-1042", "VL-1007", "SV-1063"].into_iter().enumerate();
    let items: Vec<Value> = codes
        .filter(|(_, code)| statement.contains(code))
        .map(|(at, code)| json!({ "id": (501 + at).to_string(), "itemid": code }))
        .collect();
    let count = items.len();
    Some(ok(json!({
        "count": count, "hasMore": false, "items": items, "offset": 0, "totalResults": count,
    })
    .to_string()))
}

/// A record of Salesforce, but for its id.
struct Template {
    before: String,
    after: String,
}

impl Template {
    fn of(record: &str) -> anyhow::Result<Self> {
        let mut record: Value = serde_json::from_str(record)?;
        for value in record
            .as_object_mut()
            .into_iter()
            .flat_map(|fields| fields.values_mut())
        {
            if let Value::Array(children) = value {
                *value = json!({ "totalSize": children.len(), "done": true, "records": children });
            }
        }
        const ID: &str = "@the id@";
        record["Id"] = ID.into();
        let answer = json!({ "totalSize": 1, "done": true, "records": [record] }).to_string();
        let (before, after) = answer.split_once(ID).unwrap_or((&answer, ""));
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    fn with(&self, id: &str) -> String {
        [&self.before, id, &self.after].concat()
    }
}

fn ok(body: String) -> Response<Full<Bytes>> {
    response(StatusCode::OK, body)
}

fn response(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The state is right also where a thread broke off.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
