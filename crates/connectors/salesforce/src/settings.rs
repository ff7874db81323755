//! What the host tells this connector: its variables, checked as a whole.

use sluice_core::ports::Variables;
use sluice_core::variable::{Variable, Wrong, by_mode, required, values};
use sluice_core::{Fault, Result, Secret, address};

use crate::auth;
use crate::id::Id;

/// Every variable this connector reads. Of those that are not required, `salesforce_auth` decides which
/// must be set to log in ([`Settings::read`]); the last three are the webhooks'
/// ([`MessageSettings::read`], [`SignatureSettings::read`]).
pub const VARIABLES: [Variable; 10] = [
    URL,
    AUTH,
    CLIENT_ID,
    CLIENT_SECRET,
    USERNAME,
    PRIVATE_KEY,
    AUDIENCE,
    ORGANIZATION_ID,
    PATH_SECRET,
    HMAC_SECRET,
];

const URL: Variable = required(
    "salesforce_url",
    "the address to log in at: the org's My Domain, such as https://acme.my.salesforce.com",
);
const AUTH: Variable = required(
    "salesforce_auth",
    "the way to log in: jwt_bearer or client_credentials",
);
const CLIENT_ID: Variable = required(
    "salesforce_client_id",
    "the consumer key of the connected app",
);
const CLIENT_SECRET: Variable = by_mode(
    "salesforce_client_secret",
    "the consumer secret of the connected app, for salesforce_auth = client_credentials",
);
const USERNAME: Variable = by_mode(
    "salesforce_username",
    "the integration user's name, for salesforce_auth = jwt_bearer",
);
const PRIVATE_KEY: Variable = by_mode(
    "salesforce_private_key",
    "the RSA private key, in PEM, of the connected app's certificate, for salesforce_auth = jwt_bearer",
);
const AUDIENCE: Variable = by_mode(
    "salesforce_audience",
    "whom the login token addresses, for salesforce_auth = jwt_bearer: https://login.salesforce.com \
     (assumed) or https://test.salesforce.com (assumed for a sandbox's address)",
);
const ORGANIZATION_ID: Variable = by_mode(
    "salesforce_organization_id",
    "the id of the organization whose outbound messages are accepted, starting with 00D",
);
const PATH_SECRET: Variable = by_mode(
    "webhook_path_secret",
    "the last part of the address outbound messages are sent to: letters, digits, - and _",
);
const HMAC_SECRET: Variable = by_mode(
    "webhook_hmac_secret",
    "the secret that signs JSON webhooks with HMAC-SHA256",
);

/// Where Salesforce is and how to log in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port, without a slash at the end: where to log in.
    pub origin: String,
    pub credentials: Credentials,
}

#[derive(Clone, Debug)]
pub enum Credentials {
    Jwt(JwtCredentials),
    Client(ClientCredentials),
}

/// OAuth 2.0 JWT bearer: a token signed with the connected app's certificate, for one user.
#[derive(Clone, Debug)]
pub struct JwtCredentials {
    pub client_id: String,
    pub username: String,
    pub private_key: Secret,
    pub audience: String,
}

/// OAuth 2.0 client credentials: the connected app acts as its own user.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    pub client_id: String,
    pub client_secret: Secret,
}

impl Settings {
    /// Reads the variables the chosen way to log in needs.
    ///
    /// Faults: `VARIABLE_MISSING`, `VARIABLE_INVALID` (stop the flow), naming every variable that is
    /// missing or wrong and what it is for.
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let values = values(
            from,
            [
                URL,
                AUTH,
                CLIENT_ID,
                CLIENT_SECRET,
                USERNAME,
                PRIVATE_KEY,
                AUDIENCE,
            ],
        )?;
        let mut wrong = Wrong::default();
        let settings = Self::assemble(values, &mut wrong);
        wrong.or(settings)
    }

    fn assemble(values: [Option<String>; 7], wrong: &mut Wrong) -> Option<Self> {
        let [url, auth, client_id, secret, username, pem, audience] = values;
        let origin = wrong
            .needs(URL, url)
            .and_then(|text| wrong.valid(URL, address::origin(&text)));
        let client_id = wrong.needs(CLIENT_ID, client_id);
        let credentials = match wrong.needs(AUTH, auth).as_deref() {
            Some("jwt_bearer") => {
                let username = wrong.needs(USERNAME, username);
                let private_key = wrong.needs(PRIVATE_KEY, pem).map(Secret::new);
                let audience = match audience {
                    Some(text) => wrong.valid(AUDIENCE, address::origin(&text)),
                    None => Some(audience_at(origin.as_deref()).to_owned()),
                };
                Some(Credentials::Jwt(JwtCredentials {
                    client_id: client_id?,
                    username: username?,
                    private_key: private_key?,
                    audience: audience?,
                }))
            }
            Some("client_credentials") => {
                let client_secret = wrong.needs(CLIENT_SECRET, secret).map(Secret::new);
                Some(Credentials::Client(ClientCredentials {
                    client_id: client_id?,
                    client_secret: client_secret?,
                }))
            }
            Some(_) => wrong.valid(AUTH, Err("is neither jwt_bearer nor client_credentials")),
            None => None,
        };
        Some(Self {
            origin: origin?,
            credentials: credentials?,
        })
    }

    /// [`Settings::read`], and the private key's form: what a first call checks.
    pub fn check(from: &dyn Variables) -> Result<()> {
        let settings = Self::read(from)?;
        match &settings.credentials {
            Credentials::Jwt(jwt) if !auth::is_key(&jwt.private_key) => Err(unreadable_key()),
            _ => Ok(()),
        }
    }
}

/// What proves that an outbound message is the organization's.
#[derive(Clone, Debug)]
pub struct MessageSettings {
    pub organization: Id,
    pub path_secret: Secret,
}

impl MessageSettings {
    /// Faults: as [`Settings::read`].
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let [organization, secret] = values(from, [ORGANIZATION_ID, PATH_SECRET])?;
        let mut wrong = Wrong::default();
        let organization = wrong
            .needs(ORGANIZATION_ID, organization)
            .and_then(|text| wrong.valid(ORGANIZATION_ID, organization_id(&text)));
        let path_secret = wrong
            .needs(PATH_SECRET, secret)
            .and_then(|text| wrong.valid(PATH_SECRET, path_segment(text)));
        wrong.or(organization
            .zip(path_secret)
            .map(|(organization, text)| Self {
                organization,
                path_secret: Secret::new(text),
            }))
    }
}

/// What proves that a JSON webhook is signed by someone we know.
#[derive(Clone, Debug)]
pub struct SignatureSettings {
    pub secret: Secret,
}

impl SignatureSettings {
    /// Faults: as [`Settings::read`].
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let [secret] = values(from, [HMAC_SECRET])?;
        let mut wrong = Wrong::default();
        let secret = wrong.needs(HMAC_SECRET, secret);
        wrong.or(secret.map(|text| Self {
            secret: Secret::new(text),
        }))
    }
}

/// The fault of a private key that cannot be read.
pub(crate) fn unreadable_key() -> Fault {
    PRIVATE_KEY.fault("is not a readable key")
}

/// Sandboxes log in at `test.salesforce.com` or `<domain>--<name>.sandbox.my.salesforce.com`.
fn audience_at(origin: Option<&str>) -> &'static str {
    match origin {
        Some(origin) if origin == TEST || origin.contains(".sandbox.") => TEST,
        _ => "https://login.salesforce.com",
    }
}

const TEST: &str = "https://test.salesforce.com";

fn organization_id(text: &str) -> Result<Id, &'static str> {
    Id::parse(text)
        .filter(|id| id.as_str().starts_with("00D"))
        .ok_or("is not an organization's id")
}

/// A secret that stands in an address must not need encoding there.
fn path_segment(text: String) -> Result<String, &'static str> {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    if text.bytes().all(plain) {
        Ok(text)
    } else {
        Err("has characters other than letters, digits, - and _")
    }
}

#[cfg(test)]
mod tests;
