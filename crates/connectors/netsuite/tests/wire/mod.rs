//! The ports of one worker, wired to a simulated account without a network.

use std::cell::{Cell as Counter, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use sandbox::netsuite::{NetSuite, Options};
use sandbox::seed::Catalogue;
use sandbox::{Refusal, Vendor};
use serde_json::Value;
pub use sluice_core::memory::run;
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, NoSql, SeededRandom};
use sluice_core::ports::{Clock, Http, Limit, SendError};
use sluice_core::{Ports, Result, Timestamp};

const URL: &str = "https://1234567-sb1.suitetalk.api.netsuite.com";

pub struct Wire(Rc<Line>);

struct Line {
    vendor: RefCell<NetSuite>,
    catalogue: Catalogue,
    clock: Rc<ManualClock>,
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
        let response = vendor.handle(&request, self.clock.now());
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
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let catalogue = Catalogue::new(1);
        let options = Options {
            https: true,
            ..Options::default()
        };
        Self(Rc::new(Line {
            vendor: RefCell::new(NetSuite::new(1, &catalogue, options, now).unwrap()),
            catalogue,
            clock: Rc::new(ManualClock::at(now)),
            asked: Counter::default(),
            refusals: RefCell::default(),
            lost: Counter::default(),
        }))
    }

    pub fn ports(&self, auth: &str) -> Ports {
        self.ports_with(auth, "netsuite_auth", auth)
    }

    /// As [`Wire::ports`], with one variable set otherwise.
    pub fn ports_with(&self, auth: &str, variable: &str, value: &str) -> Ports {
        let vendor = self.0.vendor.borrow();
        let known = vendor.credentials();
        let mut variables = MapVariables(
            [
                ("netsuite_url", URL),
                ("netsuite_account", &known.account_id),
                ("netsuite_auth", auth),
                ("netsuite_consumer_key", &known.consumer_key),
                ("netsuite_consumer_secret", &known.consumer_secret),
                ("netsuite_token_id", &known.token_id),
                ("netsuite_token_secret", &known.token_secret),
                ("netsuite_client_id", &known.client_id),
                ("netsuite_certificate_id", &known.certificate_id),
                ("netsuite_private_key", &known.private_key_pem),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        );
        variables.0.insert(variable.to_owned(), value.to_owned());
        if variable == "netsuite_account" {
            // Else the connector itself would see that account and address differ.
            variables
                .0
                .insert("netsuite_url".into(), "https://localhost".into());
        }
        Ports {
            http: self.0.clone(),
            key_value: Rc::new(MemoryKeyValue::default()),
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

    pub fn set_options(&self, change: impl FnOnce(&mut Options)) {
        self.0.vendor.borrow_mut().set_options(change);
    }

    pub fn wait(&self, time: SignedDuration) {
        self.0.clock.advance(time);
    }

    pub fn expire_tokens(&self) {
        self.0.vendor.borrow_mut().expire_tokens();
    }

    pub fn approve(&self, order: &str) {
        let mut vendor = self.0.vendor.borrow_mut();
        vendor.approve(order, self.0.clock.now()).unwrap();
    }

    pub fn make(&self, kind: &str, fields: Value) {
        let mut vendor = self.0.vendor.borrow_mut();
        vendor.create(kind, fields, self.0.clock.now()).unwrap();
    }

    pub fn count(&self, kind: &str) -> usize {
        self.0.vendor.borrow().records(kind).unwrap().len()
    }

    pub fn id_of(&self, kind: &str, field: &str, value: &str) -> String {
        let records = self.0.vendor.borrow().records(kind).unwrap();
        let record = records.iter().find(|record| record[field] == value);
        let record = record.unwrap_or_else(|| panic!("no {kind} {value} in {records:?}"));
        record["id"].as_str().unwrap().to_owned()
    }

    pub fn skus(&self) -> Vec<String> {
        let items = self.0.catalogue.items.iter();
        items.map(|item| item.sku.clone()).collect()
    }

    /// The internal id of one of the catalogue's items.
    pub fn item(&self, index: usize) -> String {
        let sku = &self.0.catalogue.items[index].sku;
        let vendor = self.0.vendor.borrow();
        ["inventoryItem", "nonInventorySaleItem", "serviceSaleItem"]
            .iter()
            .filter_map(|kind| vendor.records(kind))
            .flatten()
            .find(|record| record["itemId"] == sku.as_str())
            .and_then(|record| Some(record["id"].as_str()?.to_owned()))
            .unwrap()
    }
}
