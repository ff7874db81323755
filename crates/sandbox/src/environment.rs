//! The variables that make flows talk to a sandbox.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::{
    amazon::{Amazon, Region},
    netsuite::NetSuite,
    salesforce::Salesforce,
    world::World,
};

/// How a flow logs in to each vendor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// A shared secret: client credentials at Salesforce, a token at NetSuite.
    #[default]
    Secret,
    /// A key of the flow's own: JWT bearer at Salesforce, client credentials at NetSuite. Needs the
    /// organization's private key to be registered.
    Key,
}

/// What flows and the sandbox agree on besides the vendors' credentials.
#[derive(Clone)]
pub struct Secrets {
    /// The last segment of the outbound message's address.
    pub webhook_path_secret: String,
    /// The key of the JSON webhook's signature.
    pub webhook_hmac_secret: String,
    /// The bearer token of the flows' own routes.
    pub flows_token: String,
}

impl Secrets {
    /// This seed's secrets.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5ec_2e75);
        let mut letters =
            |count: usize| -> String { (0..count).map(|_| rng.alphanumeric()).collect() };
        Self {
            webhook_path_secret: letters(32),
            webhook_hmac_secret: letters(48),
            flows_token: letters(40),
        }
    }
}

/// Names and values as a component reads them; [`spin_variables`] gives the form for an environment.
pub fn variables(
    world: &World,
    vendor_urls: &BTreeMap<String, String>,
    secrets: &Secrets,
    login: Login,
) -> Vec<(&'static str, String)> {
    let url = |name: &str| vendor_urls.get(name).cloned().unwrap_or_default();
    let mut variables = Vec::new();
    if let Some(salesforce) = world.vendor::<Salesforce>() {
        let credentials = &salesforce.settings().credentials;
        let key = credentials
            .private_key
            .as_ref()
            .and_then(|key| key.to_pem().ok());
        let auth = match login {
            Login::Secret => "client_credentials",
            Login::Key => "jwt_bearer",
        };
        variables.extend([
            ("salesforce_url", url("salesforce")),
            ("salesforce_auth", auth.to_owned()),
            ("salesforce_client_id", credentials.client_id.clone()),
            (
                "salesforce_client_secret",
                credentials.client_secret.clone(),
            ),
            ("salesforce_username", credentials.username.clone()),
            ("salesforce_private_key", key.unwrap_or_default()),
            (
                "salesforce_organization_id",
                salesforce.organization().to_string(),
            ),
        ]);
    }
    if let Some(netsuite) = world.vendor::<NetSuite>() {
        let credentials = netsuite.credentials();
        let auth = match login {
            Login::Secret => "token",
            Login::Key => "client_credentials",
        };
        variables.extend([
            ("netsuite_url", url("netsuite")),
            ("netsuite_account", credentials.account_id.clone()),
            ("netsuite_auth", auth.to_owned()),
            ("netsuite_consumer_key", credentials.consumer_key.clone()),
            (
                "netsuite_consumer_secret",
                credentials.consumer_secret.clone(),
            ),
            ("netsuite_token_id", credentials.token_id.clone()),
            ("netsuite_token_secret", credentials.token_secret.clone()),
            ("netsuite_client_id", credentials.client_id.clone()),
            (
                "netsuite_certificate_id",
                credentials.certificate_id.clone(),
            ),
            ("netsuite_private_key", credentials.private_key_pem.clone()),
        ]);
    }
    if let Some(amazon) = world.vendor::<Amazon>() {
        variables.extend(amazon_variables(amazon, &url("amazon")));
    }
    variables.extend([
        ("webhook_path_secret", secrets.webhook_path_secret.clone()),
        ("webhook_hmac_secret", secrets.webhook_hmac_secret.clone()),
        ("flows_token", secrets.flows_token.clone()),
    ]);
    variables
}

/// Every region's endpoint is the one port: the token decides the account.
fn amazon_variables(amazon: &Amazon, url: &str) -> Vec<(&'static str, String)> {
    let settings = amazon.settings();
    let credentials = &settings.credentials;
    let root = settings
        .authority
        .as_ref()
        .map(|authority| authority.root_pem().to_owned());
    let token = |region| credentials.refresh_token(region).to_owned();
    vec![
        ("amazon_client_id", credentials.client_id.clone()),
        ("amazon_client_secret", credentials.client_secret.clone()),
        ("amazon_refresh_token_na", token(Region::Na)),
        ("amazon_refresh_token_eu", token(Region::Eu)),
        ("amazon_refresh_token_fe", token(Region::Fe)),
        ("amazon_marketplaces", settings.countries.join(",")),
        ("amazon_url_na", url.to_owned()),
        ("amazon_url_eu", url.to_owned()),
        ("amazon_url_fe", url.to_owned()),
        ("amazon_lwa_url", url.to_owned()),
        ("amazon_seller_id", credentials.seller_id.clone()),
        ("amazon_sns_topic", credentials.topic_arn.clone()),
        ("amazon_sns_root_ca", root.unwrap_or_default()),
        ("amazon_sns_url", url.to_owned()),
        (
            "amazon_notification_key",
            credentials.notification_key.clone(),
        ),
    ]
}

/// The same as environment variables for Spin and for the embedded host: `SPIN_VARIABLE_SALESFORCE_URL`.
pub fn spin_variables(variables: &[(&'static str, String)]) -> Vec<(String, String)> {
    variables
        .iter()
        .map(|(name, value)| {
            (
                format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()),
                value.clone(),
            )
        })
        .collect()
}

/// One line a variable, for a shell and for an environment file alike: the value in single quotes, line
/// breaks inside it (a key has them) written as `\n`.
pub fn shell_lines(variables: &[(String, String)]) -> String {
    variables
        .iter()
        .map(|(name, value)| {
            let value = value.replace('\'', r"'\''").replace('\n', r"\n");
            format!("export {name}='{value}'\n")
        })
        .collect()
}
