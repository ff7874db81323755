//! Login with Amazon, and what each token opens.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value as Json, json};

use super::{Desk, ORDERS, read};
use crate::amazon::{MARKETPLACES, Region};

const SEARCH: &str = "/orders/2026-01-01/orders?lastUpdatedAfter=2026-04-01T00:00:00Z";

#[test]
fn a_token_lives_for_an_hour() {
    let mut desk = Desk::new();
    desk.wait(3599);
    assert_eq!(desk.get(SEARCH).0, StatusCode::OK);
    desk.wait(1);
    let (status, body) = desk.get(SEARCH);
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        body["errors"],
        json!([{
            "code": "Unauthorized",
            "message": "Access to requested resource is denied.",
            "details": "The access token you provided has expired.",
        }])
    );
    desk.log_in(Region::Na);
    assert_eq!(desk.get(SEARCH).0, StatusCode::OK);
}

#[test]
fn logins_are_refused_in_the_vendors_words() {
    let mut desk = Desk::new();
    let known = desk.amazon.settings().credentials.clone();
    let (id, secret) = (known.client_id.as_str(), known.client_secret.as_str());
    let token = known.refresh_token(Region::Eu);
    type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);
    let cases: [Case; 6] = [
        (&[], 400, "invalid_request"),
        (&[("grant_type", "password")], 400, "unsupported_grant_type"),
        (
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", id),
            ],
            401,
            "invalid_client",
        ),
        (
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", "Atzr|none"),
                ("client_id", id),
                ("client_secret", secret),
            ],
            400,
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "client_credentials"),
                ("scope", "sellingpartnerapi::everything"),
                ("client_id", id),
                ("client_secret", secret),
            ],
            400,
            "invalid_scope",
        ),
        (
            &[
                ("grant_type", "client_credentials"),
                ("client_id", id),
                ("client_secret", "x"),
            ],
            401,
            "invalid_client",
        ),
    ];
    for (fields, status, error) in cases {
        let (found, body) = desk.login(fields);
        assert_eq!(
            (found.as_u16(), &body["error"]),
            (status, &Json::from(error)),
            "{fields:?}"
        );
        assert!(body["error_description"].is_string());
    }
}

#[test]
fn a_login_may_be_a_json_object() {
    let mut desk = Desk::new();
    let known = desk.amazon.settings().credentials.clone();
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": known.refresh_token(Region::Fe),
        "client_id": known.client_id, "client_secret": known.client_secret,
    });
    let request = Request::post("/auth/o2/token")
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let (status, body) = read(&desk.send(&request));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("bearer"), &json!(3600))
    );
}

#[test]
fn tokens_open_what_they_were_granted_for() {
    let mut desk = Desk::stocked(40);
    let listed = desk.search("createdAfter=2026-04-01T00:00:00Z");
    assert!(!super::ids(&listed).is_empty());
    for order in listed["orders"].as_array().unwrap() {
        let id = &order["salesChannel"]["marketplaceId"];
        let place = MARKETPLACES.iter().find(|place| place.id == id).unwrap();
        assert_eq!(place.region, Region::Na);
    }
    // Another region's endpoint, marketplace and order.
    assert_eq!(desk.get(&format!("/eu{SEARCH}")).0, StatusCode::FORBIDDEN);
    assert_eq!(desk.get(&format!("/na{SEARCH}")).0, StatusCode::OK);
    let abroad = format!("{SEARCH}&marketplaceIds=A1F83G8C2ARO7P");
    assert_eq!(desk.get(&abroad).0, StatusCode::FORBIDDEN);
    let id = super::ids(&listed)[0].clone();
    desk.log_in(Region::Eu);
    assert_eq!(desk.get(&format!("{ORDERS}/{id}")).0, StatusCode::NOT_FOUND);
    // A token for no seller.
    let known = desk.amazon.settings().credentials.clone();
    let (_, body) = desk.login(&[
        ("grant_type", "client_credentials"),
        ("scope", "sellingpartnerapi::notifications"),
        ("client_id", &known.client_id),
        ("client_secret", &known.client_secret),
    ]);
    desk.token = body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(desk.get(SEARCH).0, StatusCode::FORBIDDEN);
    desk.token = "Atza|made-up".to_owned();
    let (status, body) = desk.get(SEARCH);
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        body["errors"][0]["details"]
            .as_str()
            .unwrap()
            .contains("malformed")
    );
}
