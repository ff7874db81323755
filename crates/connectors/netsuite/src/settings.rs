//! What the host tells this connector: its variables, checked as a whole.

use sluice_core::ports::Variables;
use sluice_core::variable::{Variable, Wrong, by_mode, required, values};
use sluice_core::{Fault, Result, Secret, address};

use crate::auth;

/// Every variable this connector reads. Of those that are not required, `netsuite_auth` decides which
/// must be set; [`Settings::read`] asks for exactly these.
pub const VARIABLES: [Variable; 10] = [
    URL,
    ACCOUNT,
    AUTH,
    CONSUMER_KEY,
    CONSUMER_SECRET,
    TOKEN_ID,
    TOKEN_SECRET,
    CLIENT_ID,
    CERTIFICATE_ID,
    PRIVATE_KEY,
];

const URL: Variable = required(
    "netsuite_url",
    "the address of the account's REST services, such as https://1234567.suitetalk.api.netsuite.com",
);
const ACCOUNT: Variable = required("netsuite_account", "the account id, such as 1234567_SB1");
const AUTH: Variable = required(
    "netsuite_auth",
    "the way to log in: token (token-based authentication) or client_credentials (OAuth 2.0)",
);
const CONSUMER_KEY: Variable = by_mode(
    "netsuite_consumer_key",
    "the consumer key of the integration record, for netsuite_auth = token",
);
const CONSUMER_SECRET: Variable = by_mode(
    "netsuite_consumer_secret",
    "the consumer secret of the integration record, for netsuite_auth = token",
);
const TOKEN_ID: Variable = by_mode(
    "netsuite_token_id",
    "the id of the access token, for netsuite_auth = token",
);
const TOKEN_SECRET: Variable = by_mode(
    "netsuite_token_secret",
    "the secret of the access token, for netsuite_auth = token",
);
const CLIENT_ID: Variable = by_mode(
    "netsuite_client_id",
    "the client id of the integration record, for netsuite_auth = client_credentials",
);
const CERTIFICATE_ID: Variable = by_mode(
    "netsuite_certificate_id",
    "the certificate id of the client credentials mapping, for netsuite_auth = client_credentials",
);
const PRIVATE_KEY: Variable = by_mode(
    "netsuite_private_key",
    "the certificate's EC P-256 private key in PEM, for netsuite_auth = client_credentials",
);

/// Where NetSuite is and how to log in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port, without a slash at the end: every request goes there and nowhere else.
    pub origin: String,
    /// The account id as OAuth's realm wants it: upper case, with `_`.
    pub account: String,
    pub credentials: Credentials,
}

#[derive(Clone, Debug)]
pub enum Credentials {
    Token(TokenCredentials),
    Client(ClientCredentials),
}

/// Token-based authentication: OAuth 1.0a, every request signed.
#[derive(Clone, Debug)]
pub struct TokenCredentials {
    pub consumer_key: String,
    pub consumer_secret: Secret,
    pub token_id: String,
    pub token_secret: Secret,
}

/// OAuth 2.0 client credentials with a certificate.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    pub client_id: String,
    pub certificate_id: String,
    pub private_key: Secret,
}

impl Settings {
    /// Reads the variables the chosen way to log in needs.
    ///
    /// Faults: `VARIABLE_MISSING`, `VARIABLE_INVALID` (stop the flow), naming every variable that is
    /// missing or wrong and what it is for.
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let values = values(from, VARIABLES)?;
        let mut wrong = Wrong::default();
        let settings = Self::assemble(values, &mut wrong);
        wrong.or(settings)
    }

    fn assemble(values: [Option<String>; 10], wrong: &mut Wrong) -> Option<Self> {
        let [
            url,
            account,
            auth,
            key,
            secret,
            token_id,
            token_secret,
            client_id,
            certificate,
            pem,
        ] = values;
        let account = wrong
            .needs(ACCOUNT, account)
            .and_then(|text| wrong.valid(ACCOUNT, realm(&text)));
        let origin = wrong
            .needs(URL, url)
            .and_then(|text| wrong.valid(URL, origin(&text, account.as_deref())));
        let credentials = match wrong.needs(AUTH, auth).as_deref() {
            Some("token") => {
                let consumer_key = wrong.needs(CONSUMER_KEY, key);
                let consumer_secret = wrong.needs(CONSUMER_SECRET, secret);
                let token_id = wrong.needs(TOKEN_ID, token_id);
                let token_secret = wrong.needs(TOKEN_SECRET, token_secret);
                Some(Credentials::Token(TokenCredentials {
                    consumer_key: consumer_key?,
                    consumer_secret: Secret::new(consumer_secret?),
                    token_id: token_id?,
                    token_secret: Secret::new(token_secret?),
                }))
            }
            Some("client_credentials") => {
                let client_id = wrong.needs(CLIENT_ID, client_id);
                let certificate_id = wrong.needs(CERTIFICATE_ID, certificate);
                let private_key = wrong.needs(PRIVATE_KEY, pem).map(Secret::new);
                Some(Credentials::Client(ClientCredentials {
                    client_id: client_id?,
                    certificate_id: certificate_id?,
                    private_key: private_key?,
                }))
            }
            Some(_) => wrong.valid(AUTH, Err("is neither token nor client_credentials")),
            None => None,
        };
        Some(Self {
            origin: origin?,
            account: account?,
            credentials: credentials?,
        })
    }

    /// [`Settings::read`], and the private key parsed: what a first call checks.
    pub fn check(from: &dyn Variables) -> Result<()> {
        let settings = Self::read(from)?;
        match &settings.credentials {
            Credentials::Client(client) if auth::signing_key(&client.private_key).is_none() => {
                Err(unreadable_key())
            }
            _ => Ok(()),
        }
    }
}

/// The fault of a private key that cannot be read.
pub(crate) fn unreadable_key() -> Fault {
    PRIVATE_KEY.fault("is not a readable key")
}

fn realm(account: &str) -> Result<String, &'static str> {
    let known = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
    if !account.bytes().all(known) {
        return Err("is not an account id");
    }
    Ok(account.to_ascii_uppercase().replace('-', "_"))
}

/// The address in the form in which it is signed. One of NetSuite's own must be the account's.
fn origin(url: &str, account: Option<&str>) -> Result<String, &'static str> {
    let origin = address::origin(url)?;
    let host = origin.trim_start_matches("https://").split(':').next();
    let name = host.and_then(|host| host.strip_suffix(DOMAIN));
    match name.zip(account) {
        Some((name, account)) if name != account.to_ascii_lowercase().replace('_', "-") => {
            Err("is not the address of the account in netsuite_account")
        }
        _ => Ok(origin),
    }
}

const DOMAIN: &str = ".suitetalk.api.netsuite.com";

#[cfg(test)]
mod tests;
