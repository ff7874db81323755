//! Notifications as SNS delivers them over HTTPS.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>

mod message;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sluice_core::address::origin_of;
use sluice_core::ports::Limit;
use sluice_core::{Hint, Hook, Ports, Refused, Result, async_trait};

use super::certificate::{Chain, Trust, Untrusted};
use super::notification;
use super::{BAD_JSON, FORBIDDEN, NOT_CONFIGURED, NOT_FOUND, TOO_LARGE, answer};
use crate::hosts::{AUTHORITY, is_at};
use crate::settings::TopicSettings;
use message::{Kind, Message};

/// SNS tries for at most this long to deliver a message to an address.
pub const MESSAGE_AGE_MAX: SignedDuration = SignedDuration::from_hours(1);
/// How far SNS's clock may be ahead of ours.
const CLOCK_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

const UNSIGNED: Refused = Refused::new(401, "the signature is missing, wrong or too old");
const NO_CERTIFICATE: Refused = Refused::new(503, "the certificate can't be had just now");
const UNCONFIRMED: Refused = Refused::new(503, "the subscription can't be confirmed just now");
const STORE: Refused = Refused::new(503, "the store can't be reached just now");

/// SNS waits fifteen seconds for its answer; at most four requests are made meanwhile.
const FETCH_LIMIT: Limit = Limit {
    timeout: Duration::from_secs(3),
    answer_bytes_max: 64 << 10,
};
/// From the signer to a root.
const ISSUER_COUNT_MAX: usize = 2;

/// `POST /hooks/<flow>/sns`: messages of one topic, signed by SNS, to which notifications are brought by a
/// queue, a rule, or a destination.
///
/// A message proves itself: its signature, by a certificate that is fetched from the topic's own region and
/// leads to a root. The subscription is confirmed once. Raw delivery has no signature and is refused.
pub struct Sns;

#[async_trait(?Send)]
impl Hook for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    /// A message has at most 256 KiB, which as a text in JSON may double.
    fn body_bytes_max(&self) -> usize {
        576 << 10
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        TopicSettings::read(&*ports.variables).map(drop)
    }

    async fn verify(
        &self,
        ports: &Ports,
        rest: &str,
        request: &Request<Bytes>,
    ) -> Result<Vec<Hint>, Refused> {
        let settings = TopicSettings::read(&*ports.variables).map_err(|_| NOT_CONFIGURED)?;
        if !rest.is_empty() {
            return Err(NOT_FOUND);
        }
        if request.body().len() > self.body_bytes_max() {
            return Err(TOO_LARGE);
        }
        let message = Message::read(request.body()).ok_or(BAD_JSON)?;
        // Before anything is fetched for it.
        if message.topic != settings.topic {
            return Err(FORBIDDEN);
        }
        recent(&message, ports.clock.now()).ok_or(UNSIGNED)?;
        signed(ports, &settings, &message).await?;
        match &message.kind {
            Kind::Notification => {
                let text = message.text.as_bytes();
                let body = sluice_core::json::read(text).map_err(|_| BAD_JSON)?;
                // A rule of EventBridge may bring it here inside its event.
                let body = notification::field(&body, "detail").unwrap_or(&body);
                notification::hint(body, &settings.sellers).map(|hint| vec![hint])
            }
            Kind::SubscriptionConfirmation { url, token } => confirm(ports, &settings, url, token)
                .await
                .map(|()| Vec::new()),
            // Somebody ended the subscription; the schedule goes on.
            Kind::UnsubscribeConfirmation => Ok(Vec::new()),
        }
    }

    fn acknowledge(&self) -> Response<Bytes> {
        answer(StatusCode::OK, "text/plain; charset=utf-8", "accepted\n")
    }
}

fn recent(message: &Message, now: Timestamp) -> Option<()> {
    let age = now.duration_since(message.time);
    (age <= MESSAGE_AGE_MAX && -age <= CLOCK_AHEAD_MAX).then_some(())
}

/// Proves that SNS signed the message.
async fn signed(ports: &Ports, settings: &TopicSettings, message: &Message) -> Result<(), Refused> {
    let sns = sns_origin(settings).ok_or(NOT_CONFIGURED)?;
    let url = certificate_url(&message.certificate_url, &sns).ok_or(UNSIGNED)?;
    let host = url.host().unwrap_or_default();
    let trust = Trust {
        roots: settings.root_ca.as_deref(),
        // Of the commercial regions it bears no region's name.
        hosts: &["sns.amazonaws.com", host],
        now: ports.clock.now(),
    };
    let verify = |chain: &Chain| {
        let text = message.string_to_sign();
        chain.verify(&trust, message.version, text.as_bytes(), &message.signature)
    };
    let key = format!("certificate:amazon:{}", hash(&message.certificate_url));
    let cached = ports.key_value.get(&key).await.map_err(|_| STORE)?;
    if let Some(chain) = cached.and_then(|bytes| Cached::read(&bytes)) {
        return verify(&chain).map_err(|_| UNSIGNED);
    }
    let mut chain = fetch(ports, &url.to_string()).await.ok_or(NO_CERTIFICATE)?;
    for _ in 0..ISSUER_COUNT_MAX {
        match verify(&chain) {
            Err(Untrusted::Incomplete) => {
                let issuer = chain.issuer_url().filter(|url| is_authority(url));
                let issuer = issuer.ok_or(UNSIGNED)?.to_owned();
                chain.add(fetch(ports, &issuer).await.ok_or(NO_CERTIFICATE)?);
            }
            _ => break,
        }
    }
    verify(&chain).map_err(|_| UNSIGNED)?;
    // Kept only now: what proved nothing is not kept. It is proved again with every message.
    let kept = Cached::of(chain).ok_or(STORE)?;
    ports.key_value.set(&key, &kept).await.map_err(|_| STORE)
}

/// Follows the address with which SNS wants a subscription confirmed; once for each token.
async fn confirm(
    ports: &Ports,
    settings: &TopicSettings,
    url: &str,
    token: &str,
) -> Result<(), Refused> {
    let sns = sns_origin(settings).ok_or(NOT_CONFIGURED)?;
    let uri: Uri = url.parse().map_err(|_| BAD_JSON)?;
    let query = uri.query().unwrap_or_default();
    let says = |name: &str, value: &str| {
        form_urlencoded::parse(query.as_bytes()).any(|(key, it)| key == name && it == value)
    };
    let is_ours = origin_of(&uri).is_ok_and(|origin| origin == sns)
        && says("Action", "ConfirmSubscription")
        && says("TopicArn", &settings.topic);
    if !is_ours {
        return Err(FORBIDDEN);
    }
    let key = format!("confirmed:amazon:{}", hash(token));
    let done = ports.key_value.get(&key).await.map_err(|_| STORE)?;
    if done.is_some() {
        return Ok(());
    }
    let response = get(ports, url).await.ok_or(UNCONFIRMED)?;
    if !response.status().is_success() {
        return Err(UNCONFIRMED);
    }
    // Last: confirming twice is safe, not at all is not.
    ports.key_value.set(&key, b"1").await.map_err(|_| STORE)
}

/// Where the topic's region has its SNS; `None` if the topic names no region.
fn sns_origin(settings: &TopicSettings) -> Option<String> {
    if let Some(origin) = &settings.origin {
        return Some(origin.clone());
    }
    let region = settings.topic.split(':').nth(3)?;
    let plain =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    let is_region = !region.is_empty() && region.bytes().all(plain);
    is_region.then(|| format!("https://sns.{region}.amazonaws.com"))
}

/// The address of a certificate, if it is SNS's own.
fn certificate_url(text: &str, sns: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let path = uri.path();
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"/-_.".contains(&letter);
    let is_certificate = path.ends_with(".pem")
        && path.len() <= 200
        && !path.contains("..")
        && path.bytes().all(plain)
        && uri.query().is_none();
    let is_ours = origin_of(&uri).is_ok_and(|origin| origin == sns);
    (is_ours && is_certificate).then_some(uri)
}

fn is_authority(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|uri| is_at(&uri, AUTHORITY))
}

async fn fetch(ports: &Ports, url: &str) -> Option<Chain> {
    let response = get(ports, url).await?;
    let good = response.status() == StatusCode::OK;
    good.then(|| Chain::read(response.body())).flatten()
}

async fn get(ports: &Ports, url: &str) -> Option<Response<Bytes>> {
    let request = Request::get(url).body(Bytes::new()).ok()?;
    ports.http.send(request, FETCH_LIMIT).await.ok()
}

fn hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..16])
}

/// A chain as it lies in the key-value store.
#[derive(Serialize, Deserialize)]
struct Cached {
    format: u32,
    chain: Chain,
}

const CACHED_FORMAT: u32 = 1;

impl Cached {
    fn read(bytes: &[u8]) -> Option<Chain> {
        let cached: Self = serde_json::from_slice(bytes).ok()?;
        (cached.format == CACHED_FORMAT).then_some(cached.chain)
    }

    fn of(chain: Chain) -> Option<Vec<u8>> {
        let format = CACHED_FORMAT;
        serde_json::to_vec(&Self { format, chain }).ok()
    }
}

#[cfg(test)]
mod tests;
