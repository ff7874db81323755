//! Asks the flows of a running host: what the commands share that do so.

mod history;
mod text;
mod walk;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value as Json;

pub(super) use history::{history, reasons, trail};
pub(super) use text::{Paint, Table, pairs, plain, print, print_json, time};
pub(super) use walk::progress;

/// Largest answer read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Longest wait for one: longer than any host lets a request work.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15 * 60);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Options of every command that asks a running host.
#[derive(clap::Args)]
pub(super) struct Remote {
    /// Where the flows answer: the address of `sluice up` or `spin up`.
    #[arg(long, default_value = "http://127.0.0.1:3000", value_name = "URL")]
    url: String,
    /// A file of NAME=VALUE lines that sets SPIN_VARIABLE_FLOWS_TOKEN; the environment wins over it.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Who asks: what the audit trail says of every action.
    #[arg(long, env = "USER", hide_env_values = true, value_name = "NAME")]
    user: Option<String>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    pub json: bool,
}

/// One flow of a running host. No `Debug`: it holds the flows' token.
pub(super) struct Flow {
    /// `<url>/flows/<flow>`
    base: String,
    token: HeaderValue,
    user: Option<HeaderValue>,
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: tokio::runtime::Runtime,
}

/// An answer of any status that was JSON.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Json,
}

impl Remote {
    /// The flow of this name. Nothing is sent yet.
    ///
    /// Fails where no token is set, or the address or the name can't be one.
    pub(super) fn flow(&self, name: &str) -> anyhow::Result<Flow> {
        // Both become part of a path.
        anyhow::ensure!(is_plain(name), "{name:?} is no flow's name");
        let url = self.url.trim_end_matches('/');
        let scheme = url.parse::<http::Uri>().ok();
        let scheme = scheme.as_ref().and_then(http::Uri::scheme_str);
        anyhow::ensure!(
            matches!(scheme, Some("http" | "https")),
            "--url {url:?} is not an address as in http://127.0.0.1:3000"
        );
        let mut token = HeaderValue::try_from(format!("Bearer {}", self.token()?))
            .context("SPIN_VARIABLE_FLOWS_TOKEN holds what no header can")?;
        token.set_sensitive(true);
        // Somebody's name may hold letters that no header can.
        let user = self.user.as_deref().filter(|user| !user.is_empty());
        let user = user.and_then(|user| HeaderValue::try_from(user).ok());
        Ok(Flow {
            base: format!("{url}/flows/{name}"),
            token,
            user,
            client: client(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })
    }

    fn token(&self) -> anyhow::Result<String> {
        const NAME: &str = "SPIN_VARIABLE_FLOWS_TOKEN";
        let given = std::env::var(NAME).ok();
        let given = match (given, &self.env_file) {
            (None, Some(file)) => super::up::read_env_file(file)?.remove(NAME),
            (given, _) => given,
        };
        given
            .filter(|token| !token.is_empty())
            .with_context(|| format!("{NAME} is not set: in the environment, or by --env-file"))
    }
}

impl Flow {
    /// The path of one record, or of what is known by an id.
    ///
    /// Fails for what no system has for an id.
    pub(super) fn record(under: &str, id: &str) -> anyhow::Result<String> {
        anyhow::ensure!(is_plain(id), "{id:?} is no record's id");
        Ok(format!("{under}/{id}"))
    }

    /// What is at `path` under `/flows/<flow>`: `""`, `"/dead"`. Fails for any answer but a success.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Json> {
        self.ask(Method::GET, path, None)?.success()
    }

    /// Asks for something to be done. Fails for any answer but a success.
    pub(super) fn post(&self, path: &str, body: Option<&Json>) -> anyhow::Result<Json> {
        self.ask(Method::POST, path, body)?.success()
    }

    /// Sends once, and waits as long as the host may work. Fails where no JSON comes back: a refusal's one
    /// line is the error then.
    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header(header::AUTHORIZATION, self.token.clone());
        if let Some(user) = &self.user {
            request = request.header("x-sluice-user", user.clone());
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string()));
        let request = request.body(Full::new(body.unwrap_or_default()))?;
        let exchange = async {
            let response = self.client.request(request).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(anyhow::Error::from_boxed)?;
            anyhow::Ok((head.status, body.to_bytes()))
        };
        let answered = self
            .runtime
            .block_on(async { tokio::time::timeout(ANSWER_TIME_MAX, exchange).await });
        let (status, body) = answered
            .context("no answer came")
            .flatten()
            .with_context(|| format!("can't ask {url}"))?;
        match serde_json::from_slice(&body) {
            Ok(body) => Ok(Answer { status, body }),
            Err(_) if status.is_success() => anyhow::bail!("{url} answered no JSON"),
            Err(_) => anyhow::bail!("{url}: {}", refusal(status, &body)),
        }
    }
}

impl Answer {
    /// The body of a success; else what the flow says was wrong, as an error.
    pub(super) fn success(self) -> anyhow::Result<Json> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        match self.body["message"].as_str() {
            Some(message) => anyhow::bail!("{}: {}", self.status, plain(message)),
            None => anyhow::bail!("{}: {}", self.status, plain(&self.body.to_string())),
        }
    }
}

/// Whether a name or an id can stand in a path as it is.
fn is_plain(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !name.is_empty() && name.chars().all(plain) && !name.chars().all(|letter| letter == '.')
}

/// A refusal in one line.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    match line.is_empty() {
        true => status.to_string(),
        false => format!("{status}: {}", plain(line)),
    }
}

fn client() -> legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
    connector.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(crate::outbound::default_tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    legacy::Client::builder(TokioExecutor::new()).build(connector)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn remote(url: String) -> Remote {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "SPIN_VARIABLE_FLOWS_TOKEN='a token'\n").unwrap();
        let (_, path) = file.keep().unwrap();
        Remote {
            url,
            env_file: Some(path),
            user: Some("rosa".into()),
            json: false,
        }
    }

    /// Answers one request with this text; the request.
    fn answering(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = vec![0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(bytes[..count].to_vec()).unwrap()
        });
        (url, serving)
    }

    #[test]
    fn a_request_carries_token_and_user_and_the_answer_is_read() {
        let (url, serving) = answering(
            "HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{\"a\": 1}",
        );
        let remote = remote(url);
        assert_eq!(remote.flow("a-flow").unwrap().get("/dead").unwrap()["a"], 1);
        let request = serving.join().unwrap();
        for part in [
            "GET /flows/a-flow/dead HTTP/1.1",
            "authorization: Bearer a token",
            "x-sluice-user: rosa",
        ] {
            assert!(request.contains(part), "{request}");
        }
    }

    #[test]
    fn a_refusal_is_one_line() {
        let (url, _) = answering(
            "HTTP/1.1 409 Conflict\r\nconnection: close\r\n\r\na run holds \u{1b}[31mit\nmore",
        );
        let error = remote(url).flow("a-flow").unwrap().get("").unwrap_err();
        let text = format!("{error:#}");
        assert!(text.ends_with("409 Conflict: a run holds [31mit"), "{text}");
    }

    #[test]
    fn what_can_be_no_flow_and_no_address_is_refused_before_anything_is_sent() {
        let remote = remote("ftp://x".into());
        assert!(remote.flow("../x").is_err());
        assert!(remote.flow("..").is_err());
        assert!(remote.flow("a-flow").is_err());
    }
}
