//! The organization through its wire protocol, without a wire.

mod api;
mod hostile;
mod login;
mod pages;
mod saves;
mod webhooks;

use std::sync::OnceLock;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::{PrivateKey, Salesforce, Settings};
use crate::{seed::Catalogue, vendor::Vendor};

/// An organization with one client logged in and a clock of its own.
pub(super) struct Desk {
    pub(super) org: Salesforce,
    pub(super) now: Timestamp,
    pub(super) token: String,
}

impl Desk {
    /// Empty, but for its users.
    pub(super) fn new() -> Self {
        Self::with(Settings::new(1))
    }

    pub(super) fn with(settings: Settings) -> Self {
        let now: Timestamp = "2026-05-01T08:00:00Z".parse().unwrap();
        let mut desk = Self {
            org: Salesforce::new(1, settings),
            now,
            token: String::new(),
        };
        desk.log_in();
        desk
    }

    /// Stocked from seed 1.
    pub(super) fn stocked() -> Self {
        let mut desk = Self::new();
        let now = desk.now;
        desk.org.stock(&Catalogue::new(1), now).unwrap();
        desk
    }

    pub(super) fn log_in(&mut self) {
        let credentials = self.org.settings().credentials.clone();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &credentials.client_id)
            .append_pair("client_secret", &credentials.client_secret)
            .finish();
        let (status, body) = read(self.post_form("/services/oauth2/token", form));
        assert_eq!(status, StatusCode::OK, "{body}");
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    pub(super) fn post_form(&mut self, path: &str, form: String) -> Response<Bytes> {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        self.org.handle(&request, self.now)
    }

    pub(super) fn send(&mut self, request: Request<Bytes>) -> Response<Bytes> {
        self.org.handle(&request, self.now)
    }

    /// A request to the data API; the path starts after `/services/data/v66.0`.
    pub(super) fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> (StatusCode, Json) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/services/data/v66.0{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())))
            .unwrap();
        read(self.send(request))
    }

    pub(super) fn get(&mut self, path: &str) -> (StatusCode, Json) {
        self.ask(Method::GET, path, None)
    }

    pub(super) fn query(&mut self, soql: &str) -> (StatusCode, Json) {
        let query: String = form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        self.get(&format!("/query?q={query}"))
    }

    /// The records of a query that must succeed.
    pub(super) fn rows(&mut self, soql: &str) -> Vec<Json> {
        let (status, body) = self.query(soql);
        assert_eq!(status, StatusCode::OK, "{soql}: {body}");
        body["records"].as_array().unwrap().clone()
    }

    /// Makes a record that must be accepted, and gives its id.
    pub(super) fn make(&mut self, kind: &str, fields: Json) -> String {
        let (status, body) = self.ask(Method::POST, &format!("/sobjects/{kind}"), Some(&fields));
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// The status and first error code of a request that must be refused.
    pub(super) fn refused(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Json>,
    ) -> (u16, String, Json) {
        let (status, body) = self.ask(method.clone(), path, body.as_ref());
        let error = body.get(0).cloned().unwrap_or(Json::Null);
        assert!(
            status.as_u16() >= 400 && error["message"].is_string(),
            "{method} {path}: {status} {body}"
        );
        (
            status.as_u16(),
            error["errorCode"].as_str().unwrap_or_default().to_owned(),
            error,
        )
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
    }

    /// An account, a product and an opportunity on the account.
    pub(super) fn sale(&mut self) -> Sale {
        let account = self.make("Account", json!({"Name": "Acme", "CurrencyIsoCode": "EUR"}));
        let product = self.make(
            "Product2",
            json!({"Name": "Pump", "ProductCode": "PM-1", "IsActive": true}),
        );
        let opportunity = self.make(
            "Opportunity",
            json!({
                "Name": "Deal", "AccountId": account, "StageName": "Prospecting",
                "CloseDate": "2026-05-20", "CurrencyIsoCode": "EUR",
            }),
        );
        Sale {
            account,
            product,
            opportunity,
        }
    }
}

pub(super) struct Sale {
    pub(super) account: String,
    pub(super) product: String,
    pub(super) opportunity: String,
}

impl Sale {
    pub(super) fn line(&self, quantity: &str, price: &str) -> Json {
        json!({
            "OpportunityId": self.opportunity, "Product2Id": self.product,
            "Quantity": quantity, "UnitPrice": price,
        })
    }
}

pub(super) fn read(response: Response<Bytes>) -> (StatusCode, Json) {
    let status = response.status();
    let body = if response.body().is_empty() {
        Json::Null
    } else {
        serde_json::from_slice(response.body())
            .unwrap_or_else(|_| Json::from(String::from_utf8_lossy(response.body()).into_owned()))
    };
    (status, body)
}

/// One small key for every test: making one is slow.
pub(super) fn key() -> PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::sized(1, 1024).unwrap())
        .clone()
}

#[test]
fn one_seed_one_organization() {
    let show = |seed: u64| {
        let now: Timestamp = "2026-05-01T08:00:00Z".parse().unwrap();
        let mut org = Salesforce::new(seed, Settings::new(seed));
        org.stock(&Catalogue::new(seed), now).unwrap();
        let kinds = org.kinds();
        let records: Vec<Json> = kinds
            .iter()
            .flat_map(|kind| org.records(kind).unwrap())
            .collect();
        Json::from(records).to_string()
    };
    assert_eq!(show(3), show(3));
    assert_ne!(show(3), show(4));
}

#[test]
fn stock_is_what_a_day_needs() {
    for seed in 1..=5 {
        let now: Timestamp = "2026-05-01T08:00:00Z".parse().unwrap();
        let mut org = Salesforce::new(seed, Settings::new(seed));
        let catalogue = Catalogue::new(seed);
        org.stock(&catalogue, now).unwrap();
        let count = |soql: &str| org.select(soql, now).unwrap().len();
        assert!(count("SELECT Id FROM Account") >= 200);
        assert!(count("SELECT Id FROM Account WHERE ParentId != null") > 20);
        assert!(count("SELECT Id FROM Account WHERE Parent.ParentId != null") > 3);
        for currency in ["USD", "EUR", "GBP"] {
            assert!(
                count(&format!(
                    "SELECT Id FROM Account WHERE CurrencyIsoCode = '{currency}'"
                )) > 10
            );
        }
        assert_eq!(count("SELECT Id FROM Product2"), 63);
        assert!(count("SELECT Id FROM Opportunity WHERE IsClosed = false") >= 150);
        assert_eq!(
            count("SELECT Id FROM Opportunity WHERE HasOpportunityLineItem = false"),
            0
        );
        for item in &catalogue.late_items {
            let soql = format!(
                "SELECT Id FROM OpportunityLineItem WHERE ProductCode = '{}'",
                item.sku
            );
            assert!(count(&soql) > 0, "{}", item.sku);
        }
        let names: std::collections::BTreeSet<String> = org
            .select("SELECT Name FROM Account", now)
            .unwrap()
            .iter()
            .map(|account| account["Name"].as_str().unwrap().to_lowercase())
            .collect();
        assert_eq!(
            names.len(),
            count("SELECT Id FROM Account"),
            "names are distinct"
        );
        assert!(org.due(now).is_empty(), "stocking is not announced");
    }
}
