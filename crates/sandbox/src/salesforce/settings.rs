//! How the organization is set up: who may log in, its limits, its webhooks.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use serde::Deserialize;

/// How the organization is set up.
#[derive(Clone)]
pub struct Settings {
    /// Where clients find it: the `instance_url` of a login, without a slash at the end.
    pub base_url: String,
    /// Who may log in.
    pub credentials: Credentials,
    /// A session ends after being unused this long. The organization's shortest choice is 15 minutes;
    /// tests may go below.
    pub session_lifetime: Duration,
    /// Most rows a page of a query holds, whatever a client asks. 2000 in real organizations.
    pub page_row_count_max: usize,
    /// A cursor ends this long after it was opened.
    pub cursor_lifetime: Duration,
    /// Open cursors; one more ends the oldest.
    pub cursor_count_max: usize,
    /// Requests in a day, all users together.
    pub daily_request_count_max: u64,
}

impl Settings {
    /// A fresh organization's set-up, with this seed's credentials and no webhooks.
    pub fn new(seed: u64) -> Self {
        Self {
            base_url: "http://salesforce.sandbox".to_owned(),
            credentials: Credentials::new(seed),
            session_lifetime: Duration::from_secs(2 * 60 * 60),
            page_row_count_max: 2000,
            cursor_lifetime: Duration::from_secs(2 * 24 * 60 * 60),
            cursor_count_max: 10,
            daily_request_count_max: 1_000_000,
        }
    }
}

/// When a rule fires for a record that meets its criteria.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// With every save.
    EveryEdit,
    /// When made, or when it did not meet them before.
    StartsToMatch,
}

/// A workflow rule with an outbound message.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundMessage {
    /// Where messages go. Only `http`.
    pub url: String,
    /// The type of record it watches.
    #[serde(default = "opportunity")]
    pub object: String,
    /// What would stand after `WHERE` in SOQL.
    #[serde(default = "closed_won")]
    pub criteria: String,
    /// The fields sent besides the id.
    #[serde(default = "sent_fields")]
    pub fields: Vec<String>,
    /// When it fires.
    #[serde(default = "every_edit")]
    pub trigger: Trigger,
    /// Whether each message carries a session that can be used.
    #[serde(default = "yes")]
    pub send_session_id: bool,
}

impl OutboundMessage {
    /// Every save of a closed-won opportunity, sent here.
    pub fn closed_won(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            object: opportunity(),
            criteria: closed_won(),
            fields: sent_fields(),
            trigger: every_edit(),
            send_session_id: true,
        }
    }
}

/// A flow or trigger that posts `{"object", "ids", "changes"}`, signed, once and without retry.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callout {
    /// Where it posts. Only `http`.
    pub url: String,
    /// Shared with the receiver.
    pub secret: String,
    /// The type of record it watches.
    #[serde(default = "opportunity")]
    pub object: String,
    /// What would stand after `WHERE` in SOQL.
    #[serde(default = "closed_won")]
    pub criteria: String,
    /// When it fires.
    #[serde(default = "every_edit")]
    pub trigger: Trigger,
    /// Whether `changes` names each record's `SystemModstamp`.
    #[serde(default = "yes")]
    pub with_changes: bool,
}

impl Callout {
    /// Every save of a closed-won opportunity, posted here.
    pub fn closed_won(url: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            secret: secret.into(),
            object: opportunity(),
            criteria: closed_won(),
            trigger: every_edit(),
            with_changes: true,
        }
    }
}

fn opportunity() -> String {
    "Opportunity".to_owned()
}

fn closed_won() -> String {
    "StageName = 'Closed Won'".to_owned()
}

fn sent_fields() -> Vec<String> {
    ["StageName", "SystemModstamp"].map(str::to_owned).to_vec()
}

fn every_edit() -> Trigger {
    Trigger::EveryEdit
}

fn yes() -> bool {
    true
}

/// A connected app and the user it acts as.
#[derive(Clone)]
pub struct Credentials {
    /// The consumer key.
    pub client_id: String,
    /// The consumer secret.
    pub client_secret: String,
    /// The integration user's login.
    pub username: String,
    /// The integration user's password, with its security token at the end.
    pub password: String,
    /// The key whose certificate the connected app holds; without one, the JWT bearer flow is refused.
    pub private_key: Option<PrivateKey>,
}

impl Credentials {
    /// This seed's credentials, without a key: making one takes a while.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xc4ed_0f5a);
        Self {
            client_id: format!("3MVG9{}", letters(&mut rng, 80)),
            client_secret: letters(&mut rng, 64).to_uppercase(),
            username: format!(
                "integration@{}.sandbox.test",
                letters(&mut rng, 6).to_lowercase()
            ),
            password: letters(&mut rng, 34),
            private_key: None,
        }
    }

    /// The same, with this key registered.
    pub fn with_private_key(self, key: PrivateKey) -> Self {
        Self {
            private_key: Some(key),
            ..self
        }
    }
}

/// An RSA key. Cheap to clone.
#[derive(Clone)]
pub struct PrivateKey(Arc<RsaPrivateKey>);

impl PrivateKey {
    /// This seed's key, of 2048 bits. Slow: a second, many without optimization.
    ///
    /// # Errors
    /// If no prime is found, which does not happen with a working generator.
    pub fn generate(seed: u64) -> Result<Self, rsa::Error> {
        Self::sized(seed, 2048)
    }

    /// Reads a key a client already holds, from PKCS #8.
    ///
    /// # Errors
    /// If this is no such key.
    pub fn from_pem(pem: &str) -> Result<Self, rsa::pkcs8::Error> {
        Ok(Self(Arc::new(RsaPrivateKey::from_pkcs8_pem(pem)?)))
    }

    /// A key of so many bits; small ones are made faster.
    pub(super) fn sized(seed: u64, bits: usize) -> Result<Self, rsa::Error> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Ok(Self(Arc::new(RsaPrivateKey::new(&mut rng, bits)?)))
    }

    /// PKCS #8, as clients load it.
    ///
    /// # Errors
    /// If the key cannot be encoded, which does not happen with a key made here.
    pub fn to_pem(&self) -> Result<String, rsa::pkcs8::Error> {
        Ok(self.0.to_pkcs8_pem(LineEnding::LF)?.to_string())
    }

    pub(super) fn public(&self) -> RsaPublicKey {
        self.0.to_public_key()
    }
}

fn letters(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| rng.alphanumeric()).collect()
}
