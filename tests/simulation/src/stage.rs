//! A stage for scenes played by hand: two companies' systems, a flow, and workers that come when called.
//!
//! Nothing happens by itself: people act, time goes by, webhooks arrive and ticks come when the scene says.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use certify::{Ground, ports};
use guest::Service;
use http::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use sandbox::day::{Books, Ledger};
use sandbox::environment::{Login, Secrets, variables};
use sandbox::netsuite::{self, NetSuite};
use sandbox::salesforce::{Id, OutboundMessage, Salesforce, Settings};
use sandbox::seed::{Catalogue, Item};
use sandbox::{Outgoing, World};
use serde_json::{Value, json};

use crate::tamper::{Tamper, Tampered};
use crate::worker::Worker;

/// A Tuesday at ten in the morning, in the middle of a month, far from every change of clocks.
pub const MORNING: &str = "2026-06-02T10:00:00Z";
/// From one tick of the schedule to the next, unless a scene says otherwise.
pub const TICK: Duration = Duration::from_secs(10 * 60);

const SALESFORCE: &str = "https://sandbox.my.salesforce.com";
pub(crate) const NETSUITE: &str = "https://1234567-sb1.suitetalk.api.netsuite.com";
pub(crate) const SEED: u64 = 7;
/// Ticks until everything has come to rest.
const TICK_COUNT_MAX: usize = 60;

/// Two companies' systems, the stores of one host, and the flow that won opportunities become sales orders by.
pub struct Stage {
    pub ground: Ground,
    pub variables: BTreeMap<String, String>,
    /// Things for sale that the booking side does not stock yet.
    pub late_items: Vec<Item>,
    /// An account that buys.
    pub buyer: String,
    mapping: Option<String>,
    tamper: Option<Tamper>,
    products: Vec<String>,
    deal_count: usize,
}

impl Stage {
    /// A flow that has run once: what happens from now on is its own.
    pub fn new() -> Self {
        let stage = Self::fresh(MORNING);
        assert_eq!(stage.tick()["ended"], "done");
        stage.wait(TICK);
        stage
    }

    /// A flow that never ran, on empty stores, at this time.
    pub fn fresh(now: &str) -> Self {
        let now: Timestamp = now.parse().unwrap();
        let long_ago = now - Duration::from_secs(30 * 24 * 3600);
        let mut catalogue = Catalogue::new(SEED);
        catalogue.items.truncate(3);
        catalogue.late_items.truncate(1);
        let mut settings = Settings::new(SEED);
        settings.base_url = SALESFORCE.to_owned();
        let mut org = Salesforce::new(SEED, settings);
        org.stock_products(&catalogue, long_ago).unwrap();
        let secrets = Secrets::new(SEED);
        let message = OutboundMessage {
            criteria: "StageName IN ('Closed Won', 'Closed Lost')".to_owned(),
            ..OutboundMessage::closed_won(format!(
                "http://flow.sandbox/hooks/{FLOW}/outbound-message/{}",
                secrets.webhook_path_secret
            ))
        };
        org.set_outbound_messages(vec![message]).unwrap();
        let sold = org
            .select("SELECT Id, ProductCode FROM Product2", now)
            .unwrap();
        let product = |item: &Item| {
            let row = sold.iter().find(|row| row["ProductCode"] == *item.sku);
            text(row.unwrap(), "Id")
        };
        let products = catalogue.all_items().map(product).collect();
        let options = netsuite::Options {
            https: true,
            ..Default::default()
        };
        let books = NetSuite::new(SEED, &catalogue, options, long_ago).unwrap();
        let world = World::new(SEED).with(org).with(books);
        let urls = [("salesforce", SALESFORCE), ("netsuite", NETSUITE)]
            .map(|(name, url)| (name.to_owned(), url.to_owned()));
        let variables = variables(&world, &urls.into(), &secrets, Login::Secret);
        let hosts = [(SALESFORCE, "salesforce"), (NETSUITE, "netsuite")]
            .map(|(url, name)| (url.trim_start_matches("https://").to_owned(), name));
        let ground = Ground::new(world, hosts.into(), SEED, now, BTreeMap::new(), true).unwrap();
        let mut stage = Self {
            ground,
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            late_items: catalogue.late_items,
            buyer: String::new(),
            mapping: None,
            tamper: None,
            products,
            deal_count: 0,
        };
        stage.buyer = stage.account("Alder & Sons", json!({}));
        stage
    }

    /// Changes the mapping file: what it says, and what it is to say instead.
    pub fn map(&mut self, says: &str, instead: &str) {
        let built_in = || flow().mapping.to_owned();
        let mapping = self.mapping.take().unwrap_or_else(built_in);
        assert!(mapping.contains(says), "the mapping does not say {says}");
        self.mapping = Some(mapping.replacen(says, instead, 1));
    }

    /// From now on every answer of a vendor passes through here.
    pub fn tamper(
        &mut self,
        with: impl Fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes> + 'static,
    ) {
        self.tamper = Some(Rc::new(with));
    }

    pub fn untamper(&mut self) {
        self.tamper = None;
    }
}

/// Time, ticks, webhooks.
impl Stage {
    pub fn now(&self) -> Timestamp {
        self.ground.now()
    }

    pub fn wait(&self, time: Duration) {
        self.ground.wait(time);
    }

    /// Time goes by until then.
    pub fn wait_until(&self, then: &str) {
        let then: Timestamp = then.parse().unwrap();
        self.wait(then.duration_since(self.now()).try_into().unwrap());
    }

    /// A worker with the schedule's request, not yet begun.
    pub fn ticking(&self) -> Worker {
        self.worker(self.managed(Method::POST, "/run"))
    }

    /// A tick from beginning to end, and its report.
    pub fn tick(&self) -> Value {
        self.ticking().done()
    }

    /// Brings one record in line now.
    pub fn sync(&self, id: &str) -> Value {
        self.syncing(id).done()
    }

    /// A worker that is to bring one record in line, not yet begun.
    pub fn syncing(&self, id: &str) -> Worker {
        self.worker(self.managed(Method::POST, &format!("/records/{id}")))
    }

    pub fn status(&self) -> Value {
        self.worker(self.managed(Method::GET, "")).done()
    }

    /// The webhooks that are due, in the order they were sent.
    pub fn posted(&self) -> Vec<Outgoing> {
        self.ground.world(|world, now| world.due(now))
    }

    /// A worker that receives this webhook, not yet begun.
    pub fn receiving(&self, webhook: &Outgoing) -> Worker {
        self.worker(webhook.delivery.request.clone())
    }

    /// A webhook arrives, is worked on to the end, and its sender hears the answer.
    pub fn deliver(&self, webhook: &Outgoing) -> StatusCode {
        let answer = self.receiving(webhook).answered();
        self.report(webhook, answer.as_ref());
        answer.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
    }

    /// The sender of a webhook hears the answer, or that none came.
    pub fn report(&self, webhook: &Outgoing, answer: Option<&Response<Bytes>>) {
        let id = webhook.delivery.id;
        self.ground
            .world(|world, now| world.delivered(webhook.vendor, id, answer, now));
    }

    /// Every webhook that is due arrives.
    pub fn deliver_all(&self) {
        for webhook in self.posted() {
            self.deliver(&webhook);
        }
    }

    /// Ticks come until nothing is left to do.
    pub fn rest(&self) {
        for _ in 0..TICK_COUNT_MAX {
            let report = self.tick();
            self.wait(TICK);
            let rows = self
                .ground
                .look("SELECT 1 FROM queue WHERE state <> 'dead'");
            let is_through = report["ended"] == "done" && report["postponed"].is_null();
            if is_through && rows.unwrap().rows.is_empty() {
                return;
            }
        }
        let rows = self.ground.look("SELECT * FROM queue").unwrap().rows;
        panic!("it does not come to rest: {rows:#?}");
    }

    /// A fresh worker with a request.
    pub fn worker(&self, request: Request<Bytes>) -> Worker {
        let number = self.ground.hire(Vec::new());
        let mut ports = ports::native(&self.ground, number, self.variables.clone());
        if let Some(tamper) = &self.tamper {
            ports.http = Rc::new(Tampered {
                inner: ports.http.clone(),
                tamper: tamper.clone(),
            });
        }
        let service = Service::new(flow(), self.mapping.clone(), ports);
        Worker::new(&self.ground, number, service, request)
    }

    fn managed(&self, method: Method, route: &str) -> Request<Bytes> {
        let token = &self.variables["flows_token"];
        Request::builder()
            .method(method)
            .uri(format!("http://flow.sandbox/flows/{FLOW}{route}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap()
    }
}

/// What people do on the selling side.
impl Stage {
    /// An account with what a customer needs.
    pub fn account(&self, name: &str, more: Value) -> String {
        let mut fields = json!({
            "Name": name, "AccountNumber": format!("AC-{name}"), "CurrencyIsoCode": "USD",
            "Subsidiary__c": "US", "Payment_Terms__c": "Net 30",
        });
        for (field, value) in more.as_object().unwrap() {
            fields[field] = value.clone();
        }
        self.enter("Account", fields)
    }

    /// An open opportunity of the buyer with one line.
    pub fn deal(&mut self) -> String {
        let buyer = self.buyer.clone();
        self.deal_with(&buyer, &[0], json!({}))
    }

    /// A won opportunity of the buyer with one line.
    pub fn won(&mut self) -> String {
        let buyer = self.buyer.clone();
        self.deal_with(&buyer, &[0], json!({ "StageName": "Closed Won" }))
    }

    /// An opportunity of an account, with one line for each of these products, counted from nought; the
    /// last is the one that the booking side does not stock.
    pub fn deal_with(&mut self, account: &str, products: &[usize], more: Value) -> String {
        self.deal_count += 1;
        let lines = products.iter().zip(1..).map(|(product, place)| {
            json!({
                "Product2Id": self.products[*product], "Quantity": "2", "UnitPrice": "19.95",
                "SortOrder": place,
            })
        });
        let mut fields = json!({
            "Name": format!("Deal {}", self.deal_count), "AccountId": account,
            "CurrencyIsoCode": "USD", "StageName": "Prospecting", "CloseDate": "2026-06-30",
            "OpportunityLineItems": lines.collect::<Vec<Value>>(),
        });
        for (field, value) in more.as_object().unwrap() {
            fields[field] = value.clone();
        }
        self.enter("Opportunity", fields)
    }

    pub fn win(&self, deal: &str) {
        self.change(deal, json!({ "StageName": "Closed Won" }));
    }

    /// Changes an opportunity.
    pub fn change(&self, deal: &str, fields: Value) {
        self.org(|org, now| org.user_change("Opportunity", id(deal), fields, now))
            .unwrap();
    }

    pub fn delete(&self, kind: &str, record: &str) {
        self.org(|org, now| org.user_delete(kind, id(record), now))
            .unwrap();
    }

    pub fn enter(&self, kind: &str, fields: Value) -> String {
        self.org(|org, now| org.user_create(kind, fields, now))
            .unwrap()
            .to_string()
    }

    /// A record as its system holds it.
    pub fn held(&self, kind: &str, record: &str) -> Value {
        let records = self.records("salesforce", kind);
        let mut found = records.into_iter().filter(|held| held["Id"] == record);
        found.next().unwrap()
    }

    pub fn org<T>(&self, act: impl FnOnce(&mut Salesforce, Timestamp) -> T) -> T {
        self.ground
            .world(|world, now| act(world.vendor_mut::<Salesforce>().unwrap(), now))
    }
}

/// What people do and see on the booking side.
impl Stage {
    pub fn books<T>(&self, act: impl FnOnce(&mut NetSuite, Timestamp) -> T) -> T {
        self.ground
            .world(|world, now| act(world.vendor_mut::<NetSuite>().unwrap(), now))
    }

    pub fn orders(&self) -> Vec<Value> {
        self.records("netsuite", "salesOrder")
    }

    pub fn customers(&self) -> Vec<Value> {
        self.records("netsuite", "customer")
    }

    /// The order of an opportunity; two of them would be a fault of the flow.
    pub fn order(&self, deal: &str) -> Option<Value> {
        let of = |order: &Value| text(order, "externalId").contains(deal);
        let mut orders = self.orders().into_iter().filter(of);
        let order = orders.next();
        assert!(orders.next().is_none(), "{deal} has two orders");
        order
    }

    /// Whether an opportunity's order was closed.
    pub fn is_closed(&self, deal: &str) -> bool {
        let order = self.order(deal).unwrap();
        let lines = order["item"]["items"].as_array().unwrap().clone();
        lines.iter().all(|line| line["isClosed"] == true)
    }

    /// Every won opportunity has its one order, as an independent comparison of both systems sees it, and
    /// nothing is left to do.
    pub fn in_step(&self) {
        self.in_step_but(&Ledger::default());
    }

    /// The same, after what the records alone do not show.
    pub fn in_step_but(&self, ledger: &Ledger) {
        let books = self.ground.world(|world, _| Books::of(world));
        assert_eq!(books.differences(ledger), []);
        let queue = self.ground.look("SELECT id, state, fault FROM queue");
        assert_eq!(queue.unwrap().rows, Vec::<Vec<_>>::new());
    }

    pub fn records(&self, vendor: &str, kind: &str) -> Vec<Value> {
        self.ground
            .world(|world, _| world.named(vendor).unwrap().records(kind).unwrap())
    }

    /// Requests to a vendor so far, of this method, with this text in their path.
    pub fn asked(&self, vendor: &str, method: &str, path: &str) -> usize {
        self.ground.world(|world, _| {
            let log = world.requests(vendor).unwrap();
            let is_meant = |method_: &str, path_: &str| method_ == method && path_.contains(path);
            log.entries()
                .filter(|entry| is_meant(&entry.method, &entry.path))
                .count()
        })
    }
}

/// Seconds, minutes, hours, days.
pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub fn minutes(count: u64) -> Duration {
    seconds(60 * count)
}

pub fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

pub fn days(count: u64) -> Duration {
    hours(24 * count)
}

/// A Salesforce id.
pub fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

const FLOW: &str = "opportunity-to-sales-order";

fn flow() -> guest::Flow {
    opportunity_to_sales_order::opportunity_to_sales_order()
}

fn text(record: &Value, field: &str) -> String {
    record[field].as_str().unwrap_or_default().to_owned()
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}
