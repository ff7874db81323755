//! One POST over `wasi:http`, with a limit on every wait.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};

/// To get a connection.
const CONNECT_TIME_MAX_NS: u64 = 10_000_000_000;
/// To get the head of the answer: a run has a time budget of its own, well below this.
const ANSWER_TIME_MAX_NS: u64 = 55_000_000_000;

/// Where to post: `http(s)://authority/path`.
pub(crate) struct Address {
    secure: bool,
    authority: String,
    path: String,
}

/// What was answered.
pub(crate) struct Outcome {
    /// The address, without its query.
    pub(crate) address: String,
    /// The HTTP status.
    pub(crate) status: u16,
}

impl Address {
    /// Reads an address. What is wrong with it is told without repeating it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (secure, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => {
                return Err(
                    "the variable \"address\" must start with http:// or https://".to_owned(),
                );
            }
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        if authority.is_empty() || authority.contains('@') {
            return Err("the variable \"address\" must name a host, without a user".to_owned());
        }
        Ok(Self {
            secure,
            authority: authority.to_owned(),
            path: path.to_owned(),
        })
    }

    fn shown(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!(
            "{}://{}{path}",
            if self.secure { "https" } else { "http" },
            self.authority
        )
    }
}

/// Posts an empty body and waits for the answer's head.
pub(crate) fn post(address: &Address, token: &str) -> Result<Outcome, String> {
    let shown = address.shown();
    let response = send(request(address, token)?, options()?)
        .map_err(|reason| format!("{shown}: {reason}"))?;
    Ok(Outcome {
        address: shown,
        status: response.status(),
    })
}

fn request(address: &Address, token: &str) -> Result<OutgoingRequest, String> {
    let bearer = format!("Bearer {token}").into_bytes();
    let headers = Fields::from_list(&[
        ("authorization".to_owned(), bearer),
        ("content-length".to_owned(), b"0".to_vec()),
    ])
    .map_err(|_| "the variable \"token\" holds characters a header can't have".to_owned())?;
    let request = OutgoingRequest::new(headers);
    let scheme = if address.secure {
        Scheme::Https
    } else {
        Scheme::Http
    };
    request
        .set_method(&Method::Post)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(&address.authority)))
        .and_then(|()| request.set_path_with_query(Some(&address.path)))
        .map_err(|()| "the variable \"address\" is no web address".to_owned())?;
    Ok(request)
}

fn options() -> Result<RequestOptions, String> {
    let options = RequestOptions::new();
    options
        .set_connect_timeout(Some(CONNECT_TIME_MAX_NS))
        .and_then(|()| options.set_first_byte_timeout(Some(ANSWER_TIME_MAX_NS)))
        .map_err(|()| "the host does not limit the time of requests".to_owned())?;
    Ok(options)
}

fn send(request: OutgoingRequest, options: RequestOptions) -> Result<IncomingResponse, String> {
    let body = request
        .body()
        .map_err(|()| "the request has no body".to_owned())?;
    let answer =
        outgoing_handler::handle(request, Some(options)).map_err(|error| error.to_string())?;
    OutgoingBody::finish(body, None).map_err(|error| error.to_string())?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(error))) => Err(error.to_string()),
        _ => Err("the host gave no answer".to_owned()),
    }
}
