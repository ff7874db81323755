//! The ports on Spin and any other host of its interfaces; the only module that names one.

mod incoming;
mod outgoing;
mod stores;
mod system;

use std::rc::Rc;

use engine::Flow;
use http::{Response, StatusCode};
use serde_json::json;
use sluice_core::Ports;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::Service;

/// Answers one request with a flow. One instance serves one request.
pub fn serve(flow: Flow, request: IncomingRequest, out: ResponseOutparam) {
    let mounted = std::fs::read_to_string("/mapping.toml").ok();
    spin_executor::run(async move {
        let name = flow.name;
        let service = Service::new(flow, mounted, ports());
        let path = request.path_with_query().unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let request = match incoming::read(&request, service.body_bytes_max(path)).await {
            Ok(request) => request,
            Err((status, reason)) => {
                incoming::respond(out, refusal(status, reason)).await;
                return;
            }
        };
        let respond = async |response| incoming::respond(out, response).await;
        if let Some(tally) = service.handle(request, respond).await {
            // One line a request; ids and codes, no bodies.
            eprintln!(
                "{}",
                json!({ "message": "hints worked on", "flow": name, "tally": tally })
            );
        }
    });
}

fn ports() -> Ports {
    Ports {
        http: Rc::new(outgoing::WasiHttp),
        key_value: Rc::new(stores::SpinKeyValue::default()),
        sql: Rc::new(stores::SpinSqlite::default()),
        clock: Rc::new(system::WallClock),
        random: Rc::new(system::HostRandom),
        variables: Rc::new(system::SpinVariables),
    }
}

fn refusal(status: StatusCode, reason: &'static str) -> Response<bytes::Bytes> {
    crate::answer::refuse(status, reason)
}
