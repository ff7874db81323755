//! Signed webhooks, each about another opportunity, over connections that stay open.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::net::TcpStream;

use crate::application::FLOW;

/// What webhooks are signed with.
pub const SECRET: &str = "bench-webhook-secret";

const TIMESTAMP_HEADER: &str = "x-sluice-timestamp";
const SIGNATURE_HEADER: &str = "x-sluice-signature";

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The id of an opportunity that no one has heard of.
pub fn new_opportunity() -> anyhow::Result<String> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let id = salesforce::Id::parse(&format!("0065g{number:010}"));
    Ok(id.context("an id has another form")?.to_string())
}

/// A connection to the host.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub async fn open(host: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its end shows itself in the next request.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: host.to_string(),
        })
    }

    /// Announces an opportunity; true once the webhook is acknowledged, false if the host asks to come
    /// again later.
    pub async fn announce(&mut self, opportunity: &str) -> anyhow::Result<bool> {
        let body = format!("{{\"object\":\"Opportunity\",\"ids\":[\"{opportunity}\"]}}");
        let timestamp = SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_secs()
            .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let request = Request::post(format!("/hooks/{FLOW}/json"))
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(TIMESTAMP_HEADER, timestamp)
            .header(SIGNATURE_HEADER, signature)
            .body(Full::new(Bytes::from(body)))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        match status {
            StatusCode::ACCEPTED => Ok(true),
            StatusCode::SERVICE_UNAVAILABLE => Ok(false),
            _ => anyhow::bail!(
                "a webhook was answered {status}: {}",
                String::from_utf8_lossy(&body)
            ),
        }
    }

    /// Asks for a path, whatever the answer.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<StatusCode> {
        let request = Request::get(path).header(header::HOST, &self.host);
        let response = self
            .sender
            .send_request(request.body(Full::default())?)
            .await?;
        let status = response.status();
        response.into_body().collect().await?;
        Ok(status)
    }
}
