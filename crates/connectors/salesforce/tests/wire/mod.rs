//! The ports of one worker, wired to a simulated organization without a network.

use std::cell::{Cell as Counter, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::DATE;
use http::{Request, Response};
use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimePrinter;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::{BigUint, RsaPrivateKey};
use sandbox::salesforce::{
    Callout, Credentials, Id, OutboundMessage, PrivateKey, Salesforce, Settings,
};
use sandbox::seed::Catalogue;
use sandbox::{Delivery, Refusal, Vendor};
use serde_json::Value;
pub use sluice_core::memory::run;
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, NoSql, SeededRandom};
use sluice_core::ports::{Clock, Http, Limit, SendError};
use sluice_core::{Ports, Result, Timestamp};

const URL: &str = "https://acme.my.salesforce.com";

pub struct Wire(Rc<Line>);

struct Line {
    vendor: RefCell<Salesforce>,
    clock: Rc<ManualClock>,
    key_value: Rc<MemoryKeyValue>,
    asked: Counter<usize>,
    refusals: RefCell<Vec<Refusal>>,
    lost: Counter<usize>,
}

#[async_trait(?Send)]
impl Http for Line {
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError> {
        self.asked.set(self.asked.get() + 1);
        self.clock.advance(SignedDuration::from_millis(20));
        let mut vendor = self.vendor.borrow_mut();
        if let Some(refusal) = self.refusals.borrow_mut().pop() {
            return Ok(vendor.refusal(refusal));
        }
        let now = self.clock.now();
        let mut response = vendor.handle(&request, now);
        // What every web server adds.
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        let date = date.unwrap().parse().unwrap();
        response.headers_mut().entry(DATE).or_insert(date);
        assert!(response.body().len() <= limit.answer_bytes_max);
        if self.lost.get() > 0 {
            self.lost.set(self.lost.get() - 1);
            return Err(SendError::Lost("the connection broke".into()));
        }
        Ok(response)
    }
}

impl Wire {
    pub fn new() -> Self {
        Self::with(Settings::new(1))
    }

    /// With a key registered, so that JWT bearer works.
    pub fn with_key() -> Self {
        let mut settings = Settings::new(1);
        let key = PrivateKey::from_pem(&private_key()).unwrap();
        settings.credentials = Credentials::new(1).with_private_key(key);
        Self::with(settings)
    }

    fn with(mut settings: Settings) -> Self {
        settings.base_url = URL.to_owned();
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut vendor = Salesforce::new(1, settings);
        vendor.stock(&Catalogue::new(1), now).unwrap();
        Self(Rc::new(Line {
            vendor: RefCell::new(vendor),
            clock: Rc::new(ManualClock::at(now)),
            key_value: Rc::default(),
            asked: Counter::default(),
            refusals: RefCell::default(),
            lost: Counter::default(),
        }))
    }

    pub fn ports(&self, auth: &str) -> Ports {
        let vendor = self.0.vendor.borrow();
        let known = &vendor.settings().credentials;
        let pem = known.private_key.as_ref().map(|key| key.to_pem().unwrap());
        let variables = MapVariables(
            [
                ("salesforce_url", URL),
                ("salesforce_auth", auth),
                ("salesforce_client_id", &known.client_id),
                ("salesforce_client_secret", &known.client_secret),
                ("salesforce_username", &known.username),
                ("salesforce_private_key", &pem.unwrap_or_default()),
                (
                    "salesforce_organization_id",
                    &vendor.organization().to_string(),
                ),
                ("webhook_path_secret", "a-path-secret"),
                ("webhook_hmac_secret", "an hmac secret"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        );
        Ports {
            http: self.0.clone(),
            key_value: self.0.key_value.clone(),
            sql: Rc::new(NoSql),
            clock: self.0.clock.clone(),
            random: Rc::new(SeededRandom::new(7)),
            variables: Rc::new(variables),
        }
    }

    pub fn asked(&self) -> usize {
        self.0.asked.get()
    }

    pub fn refuse(&self, refusal: Refusal, times: usize) {
        self.0.refusals.borrow_mut().extend(vec![refusal; times]);
    }

    /// The next answers get lost after the vendor has done its work.
    pub fn lose_answers(&self, count: usize) {
        self.0.lost.set(count);
    }

    pub fn set_page_rows(&self, count: usize) {
        self.0.vendor.borrow_mut().settings_mut().page_row_count_max = count;
    }

    pub fn expire_tokens(&self) {
        self.0.vendor.borrow_mut().end_sessions();
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn wait(&self, time: SignedDuration) {
        self.0.clock.advance(time);
    }

    pub fn records(&self, kind: &str) -> Vec<Value> {
        self.0.vendor.borrow().records(kind).unwrap()
    }

    /// An opportunity of the stock that has at least so many lines.
    pub fn opportunity_with_lines(&self, count_min: usize) -> Value {
        let has = |record: &Value| lines_of(record).len() >= count_min;
        self.records("Opportunity").into_iter().find(has).unwrap()
    }

    pub fn change(&self, kind: &str, id: &str, fields: Value) {
        self.wait(SignedDuration::from_secs(1));
        let id = Id::parse(id).unwrap();
        let mut vendor = self.0.vendor.borrow_mut();
        vendor.user_change(kind, id, fields, self.now()).unwrap();
    }

    pub fn delete(&self, kind: &str, id: &str) {
        self.wait(SignedDuration::from_secs(1));
        let id = Id::parse(id).unwrap();
        let mut vendor = self.0.vendor.borrow_mut();
        vendor.user_delete(kind, id, self.now()).unwrap();
    }

    /// Won opportunities are announced from now on, in both ways.
    pub fn announce(&self) {
        let mut vendor = self.0.vendor.borrow_mut();
        let message =
            OutboundMessage::closed_won("http://sluice/hooks/f/outbound-message/a-path-secret");
        vendor.set_outbound_messages(vec![message]).unwrap();
        let callout = Callout::closed_won("http://sluice/hooks/f/json", "an hmac secret");
        vendor.set_callouts(vec![callout]).unwrap();
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.0.vendor.borrow_mut().due(self.now())
    }

    pub fn delivered(&self, delivery: &Delivery, answer: &Response<Bytes>) {
        let mut vendor = self.0.vendor.borrow_mut();
        vendor.delivered(delivery.id, Some(answer), self.now());
    }
}

/// The lines inside an opportunity as the organization shows it.
pub fn lines_of(record: &Value) -> &[Value] {
    let lines = &record["OpportunityLineItems"];
    let lines = lines.get("records").unwrap_or(lines).as_array();
    lines.map_or(&[], Vec::as_slice)
}

/// A key for these tests, by its two primes: making a new one would take a while.
fn private_key() -> String {
    let prime = |digits: &str| BigUint::parse_bytes(digits.as_bytes(), 16).unwrap();
    let p = prime(concat!(
        "ec6149517113928d50ff10a62b46d75fa5bd275c77b6bb7e0ff3d295ef55b64a",
        "bb559d28e80c1ab242aab73845eaf600e706e9d7146694ad09b8b30b255f2c0b"
    ));
    let q = prime(concat!(
        "cf096aa230db719ad23ae074bfb560d0875f869e615f8e7355f6d021a7be1220",
        "7336d789ea9931c7a8ba83a571b1c4319ce8ee93da6323b1398fe5acad98f95b"
    ));
    let key = RsaPrivateKey::from_p_q(p, q, BigUint::from(65537u32)).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}
