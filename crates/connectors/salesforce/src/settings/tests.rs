use sluice_core::code;
use sluice_core::memory::MapVariables;

use super::*;

fn variables(pairs: &[(&str, &str)]) -> MapVariables {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    MapVariables(owned.collect())
}

fn named(fault: &Fault) -> Vec<&str> {
    fault
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect()
}

const CLIENT: [(&str, &str); 4] = [
    ("salesforce_url", "https://Acme.my.salesforce.com/"),
    ("salesforce_auth", "client_credentials"),
    ("salesforce_client_id", "3MVG9"),
    ("salesforce_client_secret", "the-client-secret"),
];

const JWT: [(&str, &str); 5] = [
    (
        "salesforce_url",
        "https://acme--uat.sandbox.my.salesforce.com",
    ),
    ("salesforce_auth", "jwt_bearer"),
    ("salesforce_client_id", "3MVG9"),
    ("salesforce_username", "sync@example.com"),
    ("salesforce_private_key", "the-private-key"),
];

#[test]
fn the_address_is_normalised_and_secrets_do_not_show() {
    let settings = Settings::read(&variables(&CLIENT)).unwrap();
    assert_eq!(settings.origin, "https://acme.my.salesforce.com");
    let jwt = Settings::read(&variables(&JWT)).unwrap();
    let shown = format!("{settings:?} {jwt:?}");
    assert!(!shown.contains("the-"), "{shown}");
}

#[test]
fn everything_missing_is_named_at_once() {
    let fault = Settings::read(&variables(&[])).unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_MISSING);
    assert_eq!(
        named(&fault),
        ["salesforce_url", "salesforce_client_id", "salesforce_auth"]
    );
    let fault = Settings::read(&variables(&JWT[1..2])).unwrap_err();
    assert_eq!(
        named(&fault),
        [
            "salesforce_url",
            "salesforce_client_id",
            "salesforce_username",
            "salesforce_private_key"
        ]
    );
    assert!(fault.to_string().contains("the integration user's name"));
    let fault = Settings::read(&variables(&CLIENT[..3])).unwrap_err();
    assert_eq!(named(&fault), ["salesforce_client_secret"]);
}

#[test]
fn wrong_values_are_named() {
    for (url, why) in [
        ("ftp://x", "must start with https://"),
        ("http://example.com", "on this machine"),
        ("https://example.com/services", "only"),
        ("https://user:pw@example.com", "only"),
        ("https://example.com?x=1", "only"),
        ("not an address", "is not an address"),
        ("/services", "has no host"),
    ] {
        let mut pairs = CLIENT;
        pairs[0].1 = url;
        let fault = Settings::read(&variables(&pairs)).unwrap_err();
        assert_eq!(fault.code, code::VARIABLE_INVALID, "{url}");
        assert!(fault.to_string().contains(why), "{url}: {fault}");
    }
    let mut pairs = CLIENT;
    pairs[1].1 = "password";
    let fault = Settings::read(&variables(&pairs)).unwrap_err();
    assert_eq!(named(&fault), ["salesforce_auth"]);
}

#[test]
fn what_is_missing_and_what_is_wrong_are_told_together() {
    let mut pairs = CLIENT;
    pairs[0].1 = "ftp://x";
    let fault = Settings::read(&variables(&pairs[..3])).unwrap_err();
    assert_eq!(
        named(&fault),
        ["salesforce_url", "salesforce_client_secret"]
    );
}

#[test]
fn the_audience_follows_the_address_unless_said() {
    for (url, said, want) in [
        (
            "https://acme.my.salesforce.com",
            None,
            "https://login.salesforce.com",
        ),
        (
            "http://127.0.0.1:3000",
            None,
            "https://login.salesforce.com",
        ),
        (
            "https://test.salesforce.com",
            None,
            "https://test.salesforce.com",
        ),
        (JWT[0].1, None, "https://test.salesforce.com"),
        (
            JWT[0].1,
            Some("https://login.salesforce.com/"),
            "https://login.salesforce.com",
        ),
    ] {
        let mut pairs = JWT.to_vec();
        pairs[0].1 = url;
        pairs.extend(said.map(|said| ("salesforce_audience", said)));
        let settings = Settings::read(&variables(&pairs)).unwrap();
        let Credentials::Jwt(jwt) = settings.credentials else {
            panic!("jwt_bearer was asked for");
        };
        assert_eq!(jwt.audience, want, "{url}");
    }
}

#[test]
fn an_unreadable_key_is_found_at_the_first_call() {
    let fault = Settings::check(&variables(&JWT)).unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_INVALID);
    assert_eq!(named(&fault), ["salesforce_private_key"]);
    assert!(!fault.to_string().contains("the-private-key"));
}

#[test]
fn webhooks_need_their_own_variables_only() {
    let fault = MessageSettings::read(&variables(&[])).unwrap_err();
    assert_eq!(
        named(&fault),
        ["salesforce_organization_id", "webhook_path_secret"]
    );
    let fault = MessageSettings::read(&variables(&[
        ("salesforce_organization_id", "006000000000001"),
        ("webhook_path_secret", "a/b"),
    ]))
    .unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_INVALID);
    assert_eq!(fault.fields.len(), 2);
    assert!(!fault.to_string().contains("a/b"));
    let fault = SignatureSettings::read(&variables(&[])).unwrap_err();
    assert_eq!(named(&fault), ["webhook_hmac_secret"]);
}
