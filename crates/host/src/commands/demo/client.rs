//! Asks the admin port and the flows' status routes.

use anyhow::Context;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value as Json;

/// Largest answer read.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Longest wait for one.
const ANSWER_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(30);

/// A client of JSON over plain HTTP. No `Debug`: it holds the flows' token.
pub(super) struct Client {
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
    token: String,
}

impl Client {
    pub(super) fn new(token: String) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // No connection is kept: the host closes idle ones, and one that is just being closed loses a request.
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Self { inner, token }
    }

    /// What is at an address of this machine; the flows' token goes along.
    ///
    /// Fails for an answer other than 200, or one that is no JSON.
    pub(super) async fn get(&self, url: &str) -> anyhow::Result<Json> {
        let request = Request::get(url)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Full::default())?;
        let exchange = async {
            let response = self.inner.request(request).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(anyhow::Error::from_boxed)?;
            let body = body.to_bytes();
            // A flow that can't work says why.
            let why = || {
                let refused: Json = serde_json::from_slice(&body).unwrap_or_default();
                refused["message"].as_str().unwrap_or_default().to_owned()
            };
            let status = head.status;
            anyhow::ensure!(status.is_success(), "the answer is {status} {}", why());
            Ok(serde_json::from_slice(&body)?)
        };
        let answer = tokio::time::timeout(ANSWER_TIME_MAX, exchange).await;
        answer
            .context("no answer came")
            .flatten()
            .with_context(|| format!("can't read {url}"))
    }

    /// Every record of a list.
    pub(super) async fn list(&self, url: &str) -> anyhow::Result<Vec<Json>> {
        match self.get(url).await? {
            Json::Array(records) => Ok(records),
            _ => anyhow::bail!("{url} is no list"),
        }
    }
}
