use std::collections::BTreeMap;

use sluice_core::memory::MapVariables;
use sluice_core::{Fault, code};

use super::*;

fn variables(set: &[(&str, &str)]) -> MapVariables {
    let mut all = BTreeMap::from([
        ("amazon_client_id", "client"),
        ("amazon_client_secret", "secret"),
        ("amazon_marketplaces", "US"),
        ("amazon_refresh_token_na", "na"),
    ]);
    all.extend(set.iter().copied());
    let owned = all
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    MapVariables(owned.collect())
}

fn read(set: &[(&str, &str)]) -> Result<Settings> {
    Settings::read(&variables(set))
}

fn named(fault: &Fault) -> Vec<&str> {
    fault
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect()
}

#[test]
fn marketplaces_decide_the_accounts() {
    let settings = read(&[
        ("amazon_marketplaces", "DE, us,JP , gb, AU,DE"),
        ("amazon_refresh_token_eu", "eu"),
        ("amazon_refresh_token_fe", "fe"),
        ("amazon_url_eu", "http://localhost:8080/"),
    ])
    .unwrap();
    let told = settings.accounts.iter().map(|account| {
        let countries: Vec<_> = account.marketplaces.iter().map(|one| one.country).collect();
        format!(
            "{} {} {}",
            account.name,
            account.origin,
            countries.join("+")
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "NA https://sellingpartnerapi-na.amazon.com US",
            "EU http://localhost:8080 DE+UK",
            "FE https://sellingpartnerapi-fe.amazon.com JP+AU",
        ]
    );
    assert_eq!(settings.streams(), ["US", "DE", "UK", "JP", "AU"]);
    let british = settings.account("UK").unwrap();
    assert_eq!(british.refresh_token.expose(), "eu");
    assert_eq!(british.marketplaces.len(), 1);
    assert!(settings.account("MX").is_none());
    assert_eq!(settings.login_origin, "https://api.amazon.com");
    assert_eq!(settings.backfill, Backfill::Orders);
}

#[test]
fn australia_may_be_an_account_of_its_own() {
    let settings = read(&[
        ("amazon_marketplaces", "AU,JP"),
        ("amazon_refresh_token_fe", "jp"),
        ("amazon_refresh_token_au", "au"),
    ])
    .unwrap();
    let told: Vec<_> = settings
        .accounts
        .iter()
        .map(|account| (account.name, account.marketplaces[0].country))
        .collect();
    assert_eq!(told, [("FE", "JP"), ("AU", "AU")]);
}

#[test]
fn all_that_is_missing_or_wrong_is_named_at_once() {
    let fault = Settings::read(&MapVariables::default()).unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_MISSING);
    assert_eq!(
        named(&fault),
        [
            "amazon_client_id",
            "amazon_client_secret",
            "amazon_marketplaces"
        ]
    );
    let fault = read(&[
        ("amazon_marketplaces", "US,DE,JP"),
        ("amazon_url_na", "http://example.com"),
        ("amazon_lwa_url", "x"),
        ("amazon_backfill", "both"),
    ])
    .unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_MISSING);
    assert_eq!(
        named(&fault),
        [
            "amazon_lwa_url",
            "amazon_backfill",
            "amazon_url_na",
            "amazon_refresh_token_eu",
            "amazon_refresh_token_fe",
        ]
    );
}

#[test]
fn china_is_refused_aloud() {
    let fault = read(&[("amazon_marketplaces", "US,CN")]).unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_INVALID);
    assert!(
        fault.to_string().contains("no region with China"),
        "{fault}"
    );
    for other in ["XX", ",", "US;CA"] {
        let fault = read(&[("amazon_marketplaces", other)]).unwrap_err();
        assert_eq!(named(&fault), ["amazon_marketplaces"], "{other}");
    }
}

#[test]
fn notifications_need_a_seller_and_a_proof() {
    let none = MapVariables::default();
    let fault = TopicSettings::read(&none).unwrap_err();
    assert_eq!(named(&fault), ["amazon_seller_id", "amazon_sns_topic"]);
    let fault = EventSettings::read(&none).unwrap_err();
    assert_eq!(
        named(&fault),
        ["amazon_seller_id", "amazon_notification_key"]
    );
    let set = [
        ("amazon_seller_id", "A1, B2"),
        ("amazon_sns_topic", "arn:aws:sns:eu-west-1:1:orders"),
        ("amazon_sns_root_ca", "-----BEGIN\\nx"),
        ("amazon_notification_header", "X-Key"),
        ("amazon_notification_key", "k"),
    ];
    let topic = TopicSettings::read(&variables(&set)).unwrap();
    assert!(topic.sellers.hold("B2") && !topic.sellers.hold("A1, B2"));
    assert_eq!(topic.root_ca.as_deref(), Some("-----BEGIN\nx"));
    let event = EventSettings::read(&variables(&set)).unwrap();
    assert_eq!((event.header.as_str(), event.key.expose()), ("x-key", "k"));
    for (name, value) in [
        ("amazon_seller_id", "a b"),
        ("amazon_sns_topic", "orders"),
        ("amazon_sns_url", "ftp://x"),
    ] {
        let mut set = set.to_vec();
        set.push((name, value));
        let fault = TopicSettings::read(&variables(&set)).unwrap_err();
        assert_eq!(
            (fault.code, named(&fault)),
            (code::VARIABLE_INVALID, vec![name])
        );
    }
}

#[test]
fn the_variables_are_told_apart() {
    for (at, one) in VARIABLES.iter().enumerate() {
        assert!(VARIABLES[..at].iter().all(|other| other.name != one.name));
    }
    let settings = read(&[]).unwrap();
    assert!(!format!("{settings:?}").contains("secret\""));
}
