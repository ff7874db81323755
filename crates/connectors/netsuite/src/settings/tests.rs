use sluice_core::code;
use sluice_core::memory::MapVariables;

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings> {
    let owned = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::read(&MapVariables(owned.collect()))
}

fn named(fault: &Fault) -> Vec<&str> {
    fault
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect()
}

const TOKEN: [(&str, &str); 7] = [
    (
        "netsuite_url",
        "https://123456-SB1.suitetalk.api.netsuite.com/",
    ),
    ("netsuite_account", "123456-sb1"),
    ("netsuite_auth", "token"),
    ("netsuite_consumer_key", "ck"),
    ("netsuite_consumer_secret", "the-consumer-secret"),
    ("netsuite_token_id", "tk"),
    ("netsuite_token_secret", "the-token-secret"),
];

#[test]
fn address_and_account_are_normalised_and_secrets_do_not_show() {
    let settings = read(&TOKEN).unwrap();
    assert_eq!(
        settings.origin,
        "https://123456-sb1.suitetalk.api.netsuite.com"
    );
    assert_eq!(settings.account, "123456_SB1");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("the-"), "{shown}");
}

#[test]
fn everything_missing_is_named_at_once() {
    let fault = read(&[]).unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_MISSING);
    assert_eq!(
        named(&fault),
        ["netsuite_account", "netsuite_url", "netsuite_auth"]
    );

    let fault = read(&TOKEN[..3]).unwrap_err();
    assert_eq!(
        named(&fault),
        [
            "netsuite_consumer_key",
            "netsuite_consumer_secret",
            "netsuite_token_id",
            "netsuite_token_secret"
        ]
    );

    let fault = read(&[("netsuite_auth", "client_credentials")]).unwrap_err();
    assert_eq!(
        named(&fault),
        [
            "netsuite_account",
            "netsuite_url",
            "netsuite_client_id",
            "netsuite_certificate_id",
            "netsuite_private_key"
        ]
    );
    assert!(fault.to_string().contains("EC P-256 private key"));
}

#[test]
fn wrong_values_are_named() {
    for (url, account, why) in [
        ("ftp://x", "1", "must start with https://"),
        ("http://example.com", "1", "on this machine"),
        ("https://example.com/services", "1", "only"),
        ("https://user:pw@example.com", "1", "only"),
        ("https://example.com?x=1", "1", "only"),
        ("not an address", "1", "is not an address"),
        ("/services", "1", "has no host"),
        (
            "https://999.suitetalk.api.netsuite.com",
            "123",
            "not the address of the account",
        ),
        ("https://example.com", "a\"b", "is not an account id"),
    ] {
        let mut variables = TOKEN;
        variables[0].1 = url;
        variables[1].1 = account;
        let fault = read(&variables).unwrap_err();
        assert_eq!(fault.code, code::VARIABLE_INVALID, "{url}");
        assert!(fault.to_string().contains(why), "{url}: {fault}");
    }
    let mut variables = TOKEN;
    variables[2].1 = "password";
    let fault = read(&variables).unwrap_err();
    assert_eq!(named(&fault), ["netsuite_auth"]);
}

#[test]
fn this_machine_may_be_asked_in_the_clear() {
    for (url, origin) in [
        ("http://127.0.0.1:3001", "http://127.0.0.1:3001"),
        ("http://LOCALHOST:80/", "http://localhost"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("https://localhost:443", "https://localhost"),
    ] {
        let mut variables = TOKEN;
        variables[0].1 = url;
        assert_eq!(read(&variables).unwrap().origin, origin);
    }
}

#[test]
fn an_unreadable_key_is_found_at_the_first_call() {
    let variables = [
        ("netsuite_url", "https://example.com"),
        ("netsuite_account", "1"),
        ("netsuite_auth", "client_credentials"),
        ("netsuite_client_id", "id"),
        ("netsuite_certificate_id", "cert"),
        ("netsuite_private_key", "-----BEGIN PRIVATE KEY-----\nxx"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let fault = Settings::check(&MapVariables(variables.into())).unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_INVALID);
    assert_eq!(named(&fault), ["netsuite_private_key"]);
}
