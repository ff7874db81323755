//! Answers a flow's routes.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use engine::{Budget, Engine, Flow, Run, Tally, Work};
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use sluice_core::time::later;
use sluice_core::{Fault, Hook, Ports, Refused, Result, Variable, read_all};
use subtle::ConstantTimeEq;

use crate::answer::{json as answer, problem, refuse};
use crate::backfill;
use crate::manage;
use crate::route::{NoRoute, Route};

const TOKEN: Variable = Variable {
    name: "flows_token",
    purpose: "the bearer token that the routes under /flows want",
    required: true,
};

/// Bodies of requests for a run or the status hold nothing.
const BODY_BYTES_MAX: usize = 4096;
/// What a query of the status or a run may say.
const PARAMETERS: [&str; 6] = ["dry_run", "stream", "from", "to", "again", "backfill"];

/// A run begins nothing new after this: the strictest host ends a request after 30 seconds.
const RUN_MAX: Duration = Duration::from_secs(20);
const RECORD_COUNT_MAX: usize = 5_000;

/// One flow's routes, on some ports.
pub struct Service {
    flow: Flow,
    /// The file mounted at `/mapping.toml`, if any.
    mounted: Option<String>,
    ports: Ports,
}

/// What was done after the response went out; for the log.
pub type Worked = Option<Tally>;

impl Service {
    pub fn new(flow: Flow, mounted: Option<String>, ports: Ports) -> Self {
        Self {
            flow,
            mounted,
            ports,
        }
    }

    /// How much of a body to read before refusing with 413.
    pub fn body_bytes_max(&self, path: &str) -> usize {
        match Route::of(self.flow.name, &http::Method::POST, path) {
            Ok(Route::Hook { name, .. }) => {
                hook(&self.flow, name).map_or(BODY_BYTES_MAX, |hook| hook.body_bytes_max())
            }
            Ok(Route::Manage(_)) => manage::BODY_BYTES_MAX,
            _ => BODY_BYTES_MAX,
        }
    }

    /// Answers through `respond`, exactly once, and may work on after that.
    pub async fn handle(
        self,
        request: Request<Bytes>,
        respond: impl AsyncFnOnce(Response<Bytes>),
    ) -> Worked {
        let path = request.uri().path().to_owned();
        let refused = match Route::of(self.flow.name, request.method(), &path) {
            Ok(Route::Hook { name, rest }) => {
                return self.hooked(name, rest, &request, respond).await;
            }
            Ok(route) => {
                let (response, due) = self.managed(route, &request).await;
                respond(response).await;
                return match due {
                    Some(engine) => Some(drained(&engine).await),
                    None => None,
                };
            }
            Err(NoRoute::NotFound) => refuse(StatusCode::NOT_FOUND, "there is no such route"),
            Err(NoRoute::MethodNotAllowed { allow }) => {
                let mut response = refuse(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "this route wants another method",
                );
                let allow = http::HeaderValue::from_static(allow);
                response.headers_mut().insert(header::ALLOW, allow);
                response
            }
        };
        respond(refused).await;
        None
    }

    /// Verify, commit, acknowledge; then work.
    async fn hooked(
        self,
        name: &str,
        rest: &str,
        request: &Request<Bytes>,
        respond: impl AsyncFnOnce(Response<Bytes>),
    ) -> Worked {
        let Some(hook) = hook(&self.flow, name) else {
            respond(refuse(StatusCode::NOT_FOUND, "there is no such route")).await;
            return None;
        };
        if let Err(fault) = hook.check(&self.ports) {
            respond(problem(&fault)).await;
            return None;
        }
        let hints = match hook.verify(&self.ports, rest, request).await {
            Ok(hints) => hints,
            Err(Refused { status, reason }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                respond(refuse(status, reason)).await;
                return None;
            }
        };
        let received = async {
            let engine = self.engine()?;
            engine.prepare().await?;
            let items = engine.receive(&hints).await?;
            Ok::<_, Fault>((engine, items))
        };
        match received.await {
            Ok((engine, items)) => {
                // Only now: everything is durable.
                respond(hook.acknowledge()).await;
                let work = items.into_iter().map(Work::from).collect();
                let mut tally = Tally::default();
                let worked = work_on(&engine, work, &mut tally).await;
                Some(told(tally, worked))
            }
            Err(fault) => {
                respond(problem(&fault)).await;
                None
            }
        }
    }

    /// The answer, and the engine where work became due that should begin at once.
    async fn managed(
        self,
        route: Route<'_>,
        request: &Request<Bytes>,
    ) -> (Response<Bytes>, Option<Engine>) {
        if let Err(refused) = authorized(&self.ports, request) {
            return (*refused, None);
        }
        let answered = match route {
            Route::Manage(route) => self.decided(route, request).await,
            route => self
                .manage(route, request)
                .await
                .map(|response| (response, None)),
        };
        answered.unwrap_or_else(|fault| (problem(&fault), None))
    }

    async fn decided(
        self,
        route: manage::Route,
        request: &Request<Bytes>,
    ) -> Result<(Response<Bytes>, Option<Engine>)> {
        let engine = self.engine()?;
        engine.prepare().await?;
        let response = manage::manage(&engine, &route, request).await?;
        let due = route.makes_due() && response.status().is_success();
        Ok((response, due.then_some(engine)))
    }

    async fn manage(self, route: Route<'_>, request: &Request<Bytes>) -> Result<Response<Bytes>> {
        let query = match query(request) {
            Ok(query) => query,
            Err(reason) => return Ok(refuse(StatusCode::BAD_REQUEST, &reason)),
        };
        let dry_run = match query.get("dry_run").map(String::as_str) {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => return Ok(refuse(StatusCode::BAD_REQUEST, "dry_run is 0 or 1")),
        };
        let engine = self.engine()?;
        engine.prepare().await?;
        let body = match route {
            Route::Status => engine.status().await?,
            Route::Run
                if ["from", "to", "again", "backfill"]
                    .iter()
                    .any(|name| query.contains_key(*name)) =>
            {
                return backfill::run(&engine, &query, request, budget(&engine)).await;
            }
            Route::Run if dry_run => engine.preview(budget(&engine)).await?,
            Route::Run => {
                let stream = query.get("stream").map(String::as_str);
                if let Some(stream) = stream
                    && !engine.streams()?.contains(&stream)
                {
                    let streams = engine.streams()?.join(", ");
                    let reason = format!("this flow has no such stream; it has {streams}");
                    return Ok(refuse(StatusCode::BAD_REQUEST, &reason));
                }
                let report = engine.run(budget(&engine), stream).await?;
                let status = match report.fault {
                    // Whoever schedules the runs should see that this one did not come to its end.
                    Some(_) => StatusCode::SERVICE_UNAVAILABLE,
                    None => StatusCode::OK,
                };
                return Ok(answer(status, &to_json(&report)));
            }
            Route::Hook { .. } | Route::Manage(_) => {
                return Ok(refuse(StatusCode::NOT_FOUND, "there is no such route"));
            }
        };
        Ok(answer(StatusCode::OK, &body))
    }

    fn engine(self) -> Result<Engine> {
        Engine::new(self.flow, self.mounted.as_deref(), self.ports)
    }
}

/// The leased items first, then whatever else is due, until a small budget is spent.
async fn work_on(engine: &Engine, work: Vec<Work>, tally: &mut Tally) -> Result<()> {
    if work.is_empty() {
        return Ok(());
    }
    if engine.work(work, "hook", tally).await? {
        return Ok(());
    }
    drain_some(engine, "hook", tally).await
}

async fn drain_some(engine: &Engine, cause: &str, tally: &mut Tally) -> Result<()> {
    let mut rest = budget(engine);
    rest.records = rest.records.min(100);
    let mut run = Run::new(cause);
    std::mem::swap(&mut run.tally, tally);
    let drained = engine.drain(&mut rest, &mut run).await;
    *tally = run.tally;
    drained.map(|_| ())
}

/// What a person made due, begun at once; what is left is the next run's.
async fn drained(engine: &Engine) -> Tally {
    let mut tally = Tally::default();
    let worked = drain_some(engine, "retry", &mut tally).await;
    told(tally, worked)
}

/// A fault of the work as a whole is told with the rest.
fn told(mut tally: Tally, worked: Result<()>) -> Tally {
    if let Err(fault) = worked {
        tally
            .faults
            .push(json!({ "code": fault.code, "message": fault.to_string() }));
    }
    tally
}

fn budget(engine: &Engine) -> Budget {
    Budget {
        until: later(engine.ports.clock.now(), RUN_MAX),
        records: RECORD_COUNT_MAX,
    }
}

fn hook(flow: &Flow, name: &str) -> Option<Box<dyn Hook>> {
    flow.source
        .hooks()
        .into_iter()
        .find(|hook| hook.name() == name)
}

/// The bearer token, compared in constant time; with none set, nobody is let in.
fn authorized(ports: &Ports, request: &Request<Bytes>) -> Result<(), Box<Response<Bytes>>> {
    let [token] =
        read_all(ports.variables.as_ref(), [TOKEN]).map_err(|fault| Box::new(problem(&fault)))?;
    let token = token.unwrap_or_default();
    let mut given = request.headers().get_all(header::AUTHORIZATION).iter();
    let given = match (given.next(), given.next()) {
        (Some(given), None) => given.as_bytes(),
        _ => b"",
    };
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    if !token.is_empty() && bool::from(token.as_bytes().ct_eq(given)) {
        return Ok(());
    }
    let refused = refuse(StatusCode::UNAUTHORIZED, "a valid bearer token is needed");
    Err(Box::new(refused))
}

/// The query's parameters; an unknown or repeated one is refused.
fn query(request: &Request<Bytes>) -> Result<HashMap<String, String>, String> {
    let mut parameters = HashMap::new();
    let text = request.uri().query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !PARAMETERS.contains(&name.as_ref()) {
            return Err("the query holds an unknown parameter".into());
        }
        if parameters
            .insert(name.into_owned(), value.into_owned())
            .is_some()
        {
            return Err("the query holds a parameter twice".into());
        }
    }
    Ok(parameters)
}

fn to_json(report: &engine::Report) -> Value {
    serde_json::to_value(report).unwrap_or_else(|error| json!({ "error": error.to_string() }))
}
