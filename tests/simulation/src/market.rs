//! A stage for the marketplace flow, played by hand: a seller's accounts at their published limits, the books,
//! and the flow between them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use certify::{Ground, ports};
use guest::Service;
use http::{Method, Request, StatusCode, header};
use jiff::Timestamp;
use sandbox::amazon::{Amazon, Deed, FulfilledBy, Marketplace, NewItem, NewOrder, Settings};
use sandbox::company::with_amazon;
use sandbox::environment::{Login, Secrets, variables};
use sandbox::netsuite::{self, NetSuite};
use sandbox::seed::{Catalogue, ItemKind};
use sandbox::{Entry, Vendor, World};
use serde_json::Value;

use crate::stage::{MORNING, NETSUITE, SEED, days};
use crate::worker::Worker;

const AMAZON: &str = "https://amazon.sandbox";

/// A seller, the books, the stores of one host, and the flow that orders are booked by.
pub struct Market {
    pub ground: Ground,
    variables: BTreeMap<String, String>,
    countries: Vec<&'static str>,
    sku: String,
}

impl Market {
    /// A seller in these countries, without orders, and a flow that never ran.
    pub fn new(countries: &[&'static str]) -> Self {
        let now: Timestamp = MORNING.parse().unwrap();
        let long_ago = now - days(400);
        let mut catalogue = Catalogue::new(SEED);
        catalogue
            .items
            .retain(|item| item.kind != ItemKind::Service);
        catalogue.items.truncate(1);
        let options = netsuite::Options {
            https: true,
            ..Default::default()
        };
        let books = NetSuite::new(SEED, &catalogue, options, long_ago).unwrap();
        let mut settings = Settings::new(SEED);
        settings.base_url = AMAZON.to_owned();
        settings.countries = countries.to_vec();
        let world = World::new(SEED).with(books);
        let world = with_amazon(world, SEED, settings, long_ago).unwrap();
        let vendors = [("amazon", AMAZON), ("netsuite", NETSUITE)];
        let urls = vendors.map(|(name, url)| (name.to_owned(), url.to_owned()));
        let secrets = Secrets::new(SEED);
        let variables = variables(&world, &urls.into(), &secrets, Login::Secret);
        let hosts =
            vendors.map(|(name, url)| (url.trim_start_matches("https://").to_owned(), name));
        let ground = Ground::new(world, hosts.into(), SEED, now, BTreeMap::new(), true).unwrap();
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        Self {
            ground,
            variables: variables.into_iter().map(owned).collect(),
            countries: countries.to_vec(),
            sku: catalogue.items[0].sku.clone(),
        }
    }

    /// A variable of the flow.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.variables.insert(variable.to_owned(), value.to_owned());
    }

    /// A setting of the simulated Amazon.
    pub fn configure(&self, setting: &str, value: Value) {
        let now = self.now();
        self.ground.world(|world, _| {
            let amazon = world.vendor_mut::<Amazon>().unwrap();
            amazon.configure(setting, value, now).unwrap();
        });
    }

    pub fn now(&self) -> Timestamp {
        self.ground.now()
    }

    pub fn wait(&self, time: Duration) {
        self.ground.wait(time);
    }

    /// Somebody bought one piece in the country of this number, and paid at once: it is to be booked. Its id.
    pub fn sell(&self, country: usize, at: Timestamp) -> String {
        self.sell_from(FulfilledBy::Merchant, country, at)
    }

    /// The same of what Amazon is to send: it is not to be booked before that.
    pub fn sell_from_amazon(&self, country: usize, at: Timestamp) -> String {
        self.sell_from(FulfilledBy::Amazon, country, at)
    }

    fn sell_from(&self, fulfilled_by: FulfilledBy, country: usize, at: Timestamp) -> String {
        let country = self.countries[country % self.countries.len()];
        let order = NewOrder {
            marketplace: Marketplace::by_country(country).unwrap(),
            fulfilled_by,
            items: vec![NewItem {
                sku: self.sku.clone(),
                quantity: 1,
                unit_price: 20.into(),
                ..NewItem::default()
            }],
            is_business: false,
            purchase_order: None,
            seller_order_id: None,
        };
        self.ground.world(|world, _| {
            let amazon = world.vendor_mut::<Amazon>().unwrap();
            let id = amazon.place(&order, false, at).unwrap();
            amazon.alter(&id, &Deed::Pay, false, at).unwrap();
            id
        })
    }

    /// What the flow answers to a GET below its own route.
    pub fn get(&self, route: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, route)
    }

    /// What the flow answers to a POST: `/run` is a tick of the schedule.
    pub fn post(&self, route: &str) -> (StatusCode, Value) {
        self.ask(Method::POST, route)
    }

    fn ask(&self, method: Method, route: &str) -> (StatusCode, Value) {
        let token = &self.variables["flows_token"];
        let request = Request::builder()
            .method(method)
            .uri(format!("http://flow.sandbox/flows/{FLOW}{route}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap();
        let number = self.ground.hire(Vec::new());
        let ports = ports::native(&self.ground, number, self.variables.clone());
        let service = Service::new(amazon_orders::amazon_orders(), None, ports);
        let answer = Worker::new(&self.ground, number, service, request).answered();
        let answer = answer.expect("an answer");
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status(), body)
    }

    /// How many orders are in the books.
    pub fn booked(&self) -> usize {
        let books = |world: &mut World, _| world.named("netsuite").unwrap().records("salesOrder");
        self.ground.world(books).unwrap().len()
    }

    /// Answers of Amazon with this status so far.
    pub fn answered(&self, status: u16) -> usize {
        self.counted(|entry| entry.status == Some(status))
    }

    /// Requests to Amazon so far with this text in their path.
    pub fn asked(&self, path: &str) -> usize {
        self.counted(|entry| entry.path.contains(path))
    }

    fn counted(&self, is_meant: impl Fn(&Entry) -> bool) -> usize {
        self.ground.world(|world, _| {
            let log = world.requests("amazon").unwrap();
            log.entries().filter(|entry| is_meant(entry)).count()
        })
    }
}

const FLOW: &str = "amazon-orders";
