//! Does on request whatever a test wants to see a component do: the path says what.

use std::io::Write;

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest, OutgoingResponse,
    RequestOptions, ResponseOutparam, Scheme,
};
use wasip2::io::streams::StreamError;

mod bindings {
    wit_bindgen::generate!({ world: "sluice:host/platform", path: "../../../../wit", generate_all });
}

use bindings::fermyon::spin::{key_value, sqlite, variables};

struct Guest;

wasip2::http::proxy::export!(Guest);

impl wasip2::exports::http::incoming_handler::Guest for Guest {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, argument) = target.split_once('?').unwrap_or((&target, ""));
        match path {
            "/late" => {
                answer(out, 202, b"later");
                monotonic_clock::subscribe_duration(300_000_000).block();
                set(argument, b"done");
            }
            "/half" => {
                let response = OutgoingResponse::new(Fields::new());
                let body = response.body().unwrap();
                ResponseOutparam::set(out, Ok(response));
                write(&body, b"half of it");
                panic!("in the middle of the response");
            }
            "/silent" => {}
            "/trap" => panic!("on purpose"),
            "/loop" => loop {
                std::hint::black_box(argument);
            },
            "/sleep" => {
                monotonic_clock::subscribe_duration(30_000_000_000).block();
                answer(out, 200, b"awake");
            }
            "/memory" => {
                let hoard: Vec<Vec<u8>> = (0..4096).map(|_| vec![1; 1 << 20]).collect();
                answer(out, 200, format!("{}", hoard.len()).as_bytes());
            }
            _ => {
                let (status, text) = reply(path, argument, &request);
                answer(out, status, &text);
            }
        }
    }
}

fn reply(path: &str, argument: &str, request: &IncomingRequest) -> (u16, Vec<u8>) {
    match path {
        "/echo" => match read(request.consume().unwrap()) {
            Ok(body) => (200, body),
            Err(reason) => (400, reason.into_bytes()),
        },
        "/headers" => {
            let named = |name: &str| request.headers().get(name).into_iter().next().unwrap_or_default();
            (200, named(argument))
        }
        "/print" => {
            println!("to stdout {argument}");
            eprint!("to stderr {argument}");
            std::io::stderr().flush().unwrap();
            (200, Vec::new())
        }
        "/variable" => match variables::get(argument) {
            Ok(value) => (200, value.into_bytes()),
            Err(error) => (500, format!("{error:?}").into_bytes()),
        },
        "/file" => match std::fs::read(argument) {
            Ok(bytes) => (200, bytes),
            Err(error) => (404, error.to_string().into_bytes()),
        },
        "/get" => {
            let store = key_value::Store::open("default").unwrap();
            match store.get(argument).unwrap() {
                Some(value) => (200, value),
                None => (404, Vec::new()),
            }
        }
        "/set" => {
            set(argument, b"value");
            (200, Vec::new())
        }
        "/open" => match key_value::Store::open(argument) {
            Ok(_) => (200, Vec::new()),
            Err(error) => (403, format!("{error:?}").into_bytes()),
        },
        "/sql" => match read(request.consume().unwrap()) {
            Ok(statement) => sql(&String::from_utf8(statement).unwrap()),
            Err(reason) => (400, reason.into_bytes()),
        },
        "/fetch" => fetch(argument),
        _ => (404, b"no such trick".to_vec()),
    }
}

fn set(key: &str, value: &[u8]) {
    key_value::Store::open("default").unwrap().set(key, value).unwrap();
}

fn sql(statement: &str) -> (u16, Vec<u8>) {
    let connection = sqlite::Connection::open("default").unwrap();
    match connection.execute(statement, &[]) {
        Ok(result) => {
            let rows: Vec<String> = result
                .rows
                .iter()
                .map(|row| row.values.iter().map(show).collect::<Vec<_>>().join(","))
                .collect();
            (200, rows.join("\n").into_bytes())
        }
        Err(error) => (400, format!("{error:?}").into_bytes()),
    }
}

fn show(value: &sqlite::Value) -> String {
    match value {
        sqlite::Value::Integer(number) => number.to_string(),
        sqlite::Value::Real(number) => number.to_string(),
        sqlite::Value::Text(text) => text.clone(),
        sqlite::Value::Blob(bytes) => format!("{} bytes", bytes.len()),
        sqlite::Value::Null => "null".to_owned(),
    }
}

/// GET of `http://authority/path`, with 500 ms for each wait; the answer, or the error's name.
fn fetch(address: &str) -> (u16, Vec<u8>) {
    let (scheme, rest) = address.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_method(&Method::Get).unwrap();
    request.set_scheme(Some(&scheme)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).unwrap();
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(500_000_000)).unwrap();
    options.set_first_byte_timeout(Some(500_000_000)).unwrap();
    options.set_between_bytes_timeout(Some(500_000_000)).unwrap();
    let future = match wasip2::http::outgoing_handler::handle(request, Some(options)) {
        Ok(future) => future,
        Err(error) => return (502, format!("{error:?}").into_bytes()),
    };
    future.subscribe().block();
    match future.get().unwrap().unwrap() {
        Ok(response) => match read(response.consume().unwrap()) {
            Ok(body) => (response.status(), body),
            Err(reason) => (502, reason.into_bytes()),
        },
        Err(error) => (502, format!("{error:?}").into_bytes()),
    }
}

fn read(body: IncomingBody) -> Result<Vec<u8>, String> {
    let stream = body.stream().unwrap();
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(error.to_debug_string());
            }
        }
    }
}

fn answer(out: ResponseOutparam, status: u16, text: &[u8]) {
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    write(&body, text);
    OutgoingBody::finish(body, None).unwrap();
}

fn write(body: &OutgoingBody, text: &[u8]) {
    let stream = body.write().unwrap();
    for chunk in text.chunks(4096) {
        stream.blocking_write_and_flush(chunk).unwrap();
    }
}
