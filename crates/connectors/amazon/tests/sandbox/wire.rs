//! The ports of one worker, wired to the simulated Amazon without a network.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use amazon::orders;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::DATE;
use http::{Request, Response};
use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimePrinter;
use rusqlite::types::{Value as Stored, ValueRef};
use sandbox::amazon::{Amazon, Authority, Region, Settings};
use sandbox::seed::Catalogue;
use sandbox::{Entry, Outgoing, Reply, Vendor, World};
use serde_json::{Value, json};
pub use sluice_core::memory::run;
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, SeededRandom};
use sluice_core::ports::{Cell, Clock, Dialect, Http, Limit, Row, SendError, Sql};
use sluice_core::{
    Action, Change, Fault, Page, Ports, Position, Result, Selection, Source, Timestamp, Window,
    code, rate,
};

pub const URL: &str = "https://amazon.sandbox";

pub struct Wire(Rc<Line>);

struct Line {
    world: RefCell<World>,
    clock: Rc<ManualClock>,
}

#[async_trait(?Send)]
impl Http for Line {
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError> {
        self.clock.advance(SignedDuration::from_millis(20));
        let now = self.clock.now();
        let reply = self.world.borrow_mut().handle("amazon", request, now);
        let mut response = match reply.unwrap() {
            Reply::Answer { response, .. } => response,
            Reply::Dropped { .. } => return Err(SendError::Lost("the connection broke".into())),
        };
        // What every web server adds.
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        let date = date.unwrap().parse().unwrap();
        response.headers_mut().entry(DATE).or_insert(date);
        match response.body().len() > limit.answer_bytes_max {
            true => Err(SendError::TooLarge),
            false => Ok(response),
        }
    }
}

impl Wire {
    /// A seller without orders, at the published rates.
    pub fn new() -> Self {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut settings = Settings::new(1);
        settings.base_url = URL.to_owned();
        settings.authority = Some(authority(now));
        Self(Rc::new(Line {
            world: RefCell::new(World::new(1).with(Amazon::new(1, settings))),
            clock: Rc::new(ManualClock::at(now)),
        }))
    }

    /// With so many orders of the last days, wherever the seller sells.
    pub fn stocked(count: usize) -> Self {
        let wire = Self::new();
        let now = wire.now();
        wire.amazon(|amazon| amazon.stock(&Catalogue::new(1), count, now).unwrap());
        wire
    }

    /// The ports of a worker with stores of its own.
    pub fn ports(&self) -> Ports {
        self.ports_with(&[])
    }

    /// The same, with some variables set otherwise.
    pub fn ports_with(&self, others: &[(&str, &str)]) -> Ports {
        let (known, root) = self.amazon(|amazon| {
            let settings = amazon.settings();
            let root = settings.authority.as_ref().unwrap().root_pem().to_owned();
            (settings.credentials.clone(), root)
        });
        let usual = [
            ("amazon_client_id", &*known.client_id),
            ("amazon_client_secret", &known.client_secret),
            ("amazon_refresh_token_na", known.refresh_token(Region::Na)),
            ("amazon_refresh_token_eu", known.refresh_token(Region::Eu)),
            ("amazon_refresh_token_fe", known.refresh_token(Region::Fe)),
            ("amazon_marketplaces", "US,CA,UK,JP"),
            ("amazon_url_na", URL),
            ("amazon_url_eu", URL),
            ("amazon_url_fe", URL),
            ("amazon_lwa_url", URL),
            ("amazon_seller_id", &known.seller_id),
            ("amazon_sns_topic", &known.topic_arn),
            ("amazon_sns_root_ca", &root),
            ("amazon_sns_url", URL),
            ("amazon_notification_key", &known.notification_key),
        ];
        let variables = usual
            .iter()
            .chain(others)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Ports {
            http: self.0.clone(),
            key_value: Rc::new(MemoryKeyValue::default()),
            sql: Rc::new(Limits::new()),
            clock: self.0.clock.clone(),
            random: Rc::new(SeededRandom::new(7)),
            variables: Rc::new(MapVariables(variables.collect())),
        }
    }

    pub fn amazon<T>(&self, act: impl FnOnce(&mut Amazon) -> T) -> T {
        act(self.0.world.borrow_mut().vendor_mut::<Amazon>().unwrap())
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn wait(&self, time: SignedDuration) {
        self.0.clock.advance(time);
    }

    pub fn wait_s(&self, seconds: i64) {
        self.wait(SignedDuration::from_secs(seconds));
    }

    /// A setting by its name at the admin port.
    pub fn set(&self, setting: &str, value: Value) {
        let now = self.now();
        self.amazon(|amazon| amazon.configure(setting, value, now).unwrap());
    }

    pub fn suffer(&self, misfortune: Value) {
        let misfortune = serde_json::from_value(misfortune).unwrap();
        let mut world = self.0.world.borrow_mut();
        world.misfortunes().add(misfortune).unwrap();
    }

    /// What Amazon was asked since the start, logins and all.
    pub fn asked(&self) -> Vec<Entry> {
        let world = self.0.world.borrow();
        world
            .requests("amazon")
            .unwrap()
            .entries()
            .cloned()
            .collect()
    }

    /// How many requests it answered so.
    pub fn answered(&self, status: u16) -> usize {
        let asked = self.asked();
        asked
            .iter()
            .filter(|entry| entry.status == Some(status))
            .count()
    }

    /// An order of two pumps, paid for; announced to whoever listens.
    pub fn sell(&self, country: &str) -> String {
        self.place(json!({
            "marketplace": country, "fulfilledBy": "MERCHANT", "paid": true,
            "items": [{"sku": "PM-1042", "title": title(country), "quantity": 2, "unitPrice": "12"}],
        }))
    }

    pub fn place(&self, order: Value) -> String {
        let now = self.now();
        let placed = self.amazon(|amazon| amazon.create("Order", order, now).unwrap());
        placed["orderId"].as_str().unwrap().to_owned()
    }

    /// Something happens to an order.
    pub fn alter(&self, id: &str, deed: Value) {
        let now = self.now();
        self.amazon(|amazon| amazon.edit("Order", id, deed, now).unwrap());
    }

    /// Ids of the orders of a marketplace, by its id.
    pub fn orders_in(&self, marketplace: &str) -> Vec<String> {
        let all = self.amazon(|amazon| amazon.records("Order").unwrap());
        let ours = all
            .iter()
            .filter(|order| order["salesChannel"]["marketplaceId"] == marketplace);
        let ids = ours.map(|order| order["orderId"].as_str().unwrap().to_owned());
        ids.collect()
    }

    /// What Amazon sends just now.
    pub fn deliveries(&self) -> Vec<Outgoing> {
        let now = self.now();
        self.0.world.borrow_mut().due(now)
    }

    /// The window of a stream from the beginning to where Amazon is settled.
    pub fn window(&self, ports: &Ports, after: Timestamp) -> Window {
        Window {
            after: Position {
                watermark: after,
                id: String::new(),
            },
            until: run(orders().now(ports)).unwrap(),
        }
    }

    /// Every change of a window by pages of so many, each asked for when its time has come.
    pub fn listed(
        &self,
        mut ask: impl FnMut(&Position) -> Result<Page>,
        from: &Window,
    ) -> Vec<Change> {
        let mut after = from.after.clone();
        let mut all = Vec::new();
        for _ in 0..1000 {
            match ask(&after) {
                Ok(page) => {
                    all.extend(page.changes);
                    match page.next {
                        Some(next) => after = next,
                        None => return all,
                    }
                }
                Err(fault) => self.wait(patience(&fault)),
            }
        }
        panic!("the window does not end");
    }
}

/// What the pump is called there.
pub fn title(country: &str) -> &'static str {
    match country {
        "JP" => "水ポンプ",
        _ => "Pompe à eau",
    }
}

/// How long a fault wants us to wait; what it says if it wants something else.
pub fn patience(fault: &Fault) -> SignedDuration {
    match fault.action {
        Action::RetryAfter(wait) => wait.try_into().unwrap(),
        Action::Retry => SignedDuration::from_secs(1),
        _ => panic!("{fault}"),
    }
}

/// The sets of data that orders are booked by; no person's.
pub fn select() -> Selection {
    selection(
        &[
            "fulfillment.fulfillmentStatus",
            "proceeds.grandTotal.amount",
        ],
        &[
            "product.sellerSku",
            "quantityOrdered",
            "proceeds.breakdowns",
        ],
    )
}

pub fn selection(fields: &[&str], of_items: &[&str]) -> Selection {
    let mut select = Selection::default();
    select
        .fields
        .extend(fields.iter().map(|&name| name.to_owned()));
    let of_items = of_items.iter().map(|&name| name.to_owned()).collect();
    select.lists.insert("orderItems".to_owned(), of_items);
    select
}

/// Made once: keys take their time.
fn authority(now: Timestamp) -> Authority {
    static MADE: OnceLock<Authority> = OnceLock::new();
    MADE.get_or_init(|| Authority::generate(1, now).unwrap())
        .clone()
}

/// The table of limits, as a real database keeps it.
struct Limits(rusqlite::Connection);

impl Limits {
    fn new() -> Self {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute(rate::TABLE, []).unwrap();
        Self(database)
    }
}

#[async_trait(?Send)]
impl Sql for Limits {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>> {
        let failed =
            |error: rusqlite::Error| Fault::stop_flow(code::STORE_FAILED, error.to_string());
        let mut prepared = self.0.prepare_cached(statement).map_err(failed)?;
        let width = prepared.column_count();
        let parameters = parameters.iter().map(|cell| match cell {
            Cell::Null => Stored::Null,
            Cell::Integer(number) => Stored::Integer(*number),
            Cell::Text(text) => Stored::Text(text.clone()),
        });
        let rows = prepared.query_map(rusqlite::params_from_iter(parameters), |row| {
            let cells = (0..width).map(|column| match row.get_ref(column)? {
                ValueRef::Integer(number) => Ok(Cell::Integer(number)),
                other => panic!("{other:?} is no cell of the limits"),
            });
            Ok(Row(cells.collect::<Result<_, rusqlite::Error>>()?))
        });
        rows.map_err(failed)?
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
