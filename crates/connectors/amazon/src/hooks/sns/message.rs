//! What SNS posts.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use sluice_core::Moment;

use crate::hooks::certificate::Version;

/// One post, read and not yet proved.
pub(super) struct Message {
    pub kind: Kind,
    pub topic: String,
    pub text: String,
    pub time: Timestamp,
    pub version: Version,
    pub signature: Vec<u8>,
    pub certificate_url: String,
    id: String,
    timestamp: String,
    subject: Option<String>,
    /// Signed as they are, also by a confirmation that we do not act on.
    subscribe: Option<(String, String)>,
}

pub(super) enum Kind {
    Notification,
    SubscriptionConfirmation { url: String, token: String },
    UnsubscribeConfirmation,
}

impl Message {
    /// `None` for what lacks a field or has one in another form.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body = sluice_core::json::read(body).ok()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let subscribe = || Some((text("SubscribeURL")?, text("Token")?));
        let (kind, subscribe) = match text("Type")?.as_str() {
            "Notification" => (Kind::Notification, None),
            "SubscriptionConfirmation" => {
                let (url, token) = subscribe()?;
                (Kind::SubscriptionConfirmation { url, token }, subscribe())
            }
            "UnsubscribeConfirmation" => (Kind::UnsubscribeConfirmation, Some(subscribe()?)),
            _ => return None,
        };
        let version = match text("SignatureVersion")?.as_str() {
            "1" => Version::Sha1,
            "2" => Version::Sha256,
            _ => return None,
        };
        let timestamp = text("Timestamp")?;
        Some(Self {
            kind,
            topic: text("TopicArn")?,
            text: text("Message")?,
            time: Moment::instant(&timestamp)?,
            version,
            signature: STANDARD.decode(text("Signature")?).ok()?,
            certificate_url: text("SigningCertURL")?,
            id: text("MessageId")?,
            timestamp,
            subject: text("Subject"),
            subscribe,
        })
    }

    /// Names and values, each on its line, in the order of the names.
    pub fn string_to_sign(&self) -> String {
        let mut pairs = vec![
            ("Message", self.text.as_str()),
            ("MessageId", &self.id),
            ("Timestamp", &self.timestamp),
            ("TopicArn", &self.topic),
            ("Type", self.kind.name()),
        ];
        match (&self.subscribe, &self.subject) {
            (Some((url, token)), _) => {
                pairs.push(("SubscribeURL", url));
                pairs.push(("Token", token));
            }
            (None, Some(subject)) => pairs.push(("Subject", subject)),
            (None, None) => {}
        }
        pairs.sort_unstable();
        let mut text = String::new();
        for (name, value) in pairs {
            text.push_str(name);
            text.push('\n');
            text.push_str(value);
            text.push('\n');
        }
        text
    }
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation { .. } => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}
