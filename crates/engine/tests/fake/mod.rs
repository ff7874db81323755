//! A source and a target in memory, for the engine's own tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use engine::{Budget, Engine, Flow, Policy, flow, native::Sqlite, natural_key, parent};
use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, SeededRandom};
use sluice_core::ports::{Cell as SqlCell, Clock, Dialect, Http, Limit, Row, SendError, Sql};
use sluice_core::{
    Bytes, Change, Code, Directory, Fault, Found, Gone, Held, Hint, Hook, Kind, Listed, Observed,
    Page, Ports, Position, Record, Refused, Result, Selection, Source, Target, Version, Window,
    async_trait,
};

pub const DEAL: Kind = Kind::new("shop", "Deal");
pub const ORDER: Kind = Kind::new("books", "order");

const MAPPING: &str = r#"
version = 1
[settings]
time_zone = "UTC"

[order]
when = { from = "stage", equals = "won" }
[order.fields]
customer = { from = "account", link = "customer", optional = true }
total    = { from = "total", as = "decimal" }
currency = { from = "currency", optional = true }
day      = { from = "day", as = "date", optional = true }
item     = { from = "product", link = "item", key = "sku", optional = true }
[order.write_back]
order_id = { from = "id" }
[order.adopt]
key = { target = "po", from = "po" }
[order.audit]
source = { amount = "total", currency = "currency", date = "day" }
target = { amount = "total", currency = "currency", date = "day" }
owned = { from = "channel", equals = "shop" }

[customer.fields]
name   = { from = "name" }
parent = { from = "parent", link = "customer", optional = true }
[customer.adopt]
key = { target = "name", from = "name" }
"#;

/// How the key of a record without an external id begins.
const NAMELESS: &str = "none:";

/// Kind and id.
type Key = (&'static str, String);

/// Both systems, and what was asked of them.
#[derive(Default)]
pub struct Systems {
    pub source: RefCell<BTreeMap<Key, (i64, Value)>>,
    pub target: RefCell<BTreeMap<String, (String, Value)>>,
    pub items: RefCell<BTreeMap<String, String>>,
    pub log: RefCell<Vec<String>>,
    /// What the next upsert ends with; with an unknown write it takes effect all the same.
    pub next_upsert: RefCell<Option<Fault>>,
    /// What happens elsewhere while the next upsert is under way.
    #[allow(clippy::type_complexity)]
    pub meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    pub now: Cell<i64>,
    next_id: Cell<u32>,
}

impl Systems {
    /// A user's edit in the source, one second after the last.
    pub fn edit(&self, kind: &'static str, id: &str, body: Value) {
        self.now.set(self.now.get() + 1_000);
        self.source
            .borrow_mut()
            .insert((kind, id.to_owned()), (self.now.get(), body));
    }

    pub fn target(&self, external_id: &str) -> Option<Value> {
        self.target
            .borrow()
            .get(external_id)
            .map(|(_, body)| body.clone())
    }

    /// A record of somebody else's, under no external id.
    pub fn enter(&self, kind: Kind, id: &str, mut body: Value) {
        body["id"] = id.into();
        let key = format!("{NAMELESS}{id}:{}", kind.name);
        self.target.borrow_mut().insert(key, (id.to_owned(), body));
    }

    /// A change of a target record behind our back.
    pub fn tamper(&self, id: &str, field: &str, value: Value) {
        for (held, body) in self.target.borrow_mut().values_mut() {
            if held == id {
                body[field] = value.clone();
            }
        }
    }

    fn key_of(&self, id: &str) -> Option<String> {
        let target = self.target.borrow();
        let found = target.iter().find(|(_, (held, _))| held == id);
        found.map(|(key, _)| key.clone())
    }

    pub fn logged(&self, what: &str) -> usize {
        self.log
            .borrow()
            .iter()
            .filter(|line| line.starts_with(what))
            .count()
    }

    fn note(&self, line: String) {
        self.log.borrow_mut().push(line);
    }
}

pub struct FakeSource(pub Rc<Systems>, pub Kind);
pub struct FakeTarget(pub Rc<Systems>, pub Kind);
pub struct FakeItems(pub Rc<Systems>);

#[async_trait(?Send)]
impl Source for FakeSource {
    fn kind(&self) -> Kind {
        self.1
    }

    fn check(&self, _: &Ports) -> Result<()> {
        Ok(())
    }

    fn hooks(&self) -> Vec<Box<dyn Hook>> {
        vec![Box::new(FakeHook(self.1))]
    }

    async fn fetch(&self, _: &Ports, id: &str, _: &Selection) -> Result<Observed> {
        self.0.note(format!("fetch {id}"));
        Ok(
            match self.0.source.borrow().get(&(self.1.name, id.to_owned())) {
                Some((version, body)) => Observed::Present(Record {
                    id: self.1.id(id),
                    version: Version(*version),
                    body: body.clone(),
                }),
                None => Observed::Gone(Gone::Deleted),
            },
        )
    }

    async fn fetch_all(
        &self,
        ports: &Ports,
        ids: &[String],
        select: &Selection,
    ) -> Result<BTreeMap<String, Observed>> {
        let mut observed = BTreeMap::new();
        for id in ids {
            // Purged: no longer known at all.
            let seen = match self.fetch(ports, id, select).await? {
                Observed::Gone(_) => Observed::Gone(Gone::Unknown),
                present => present,
            };
            observed.insert(id.clone(), seen);
        }
        Ok(observed)
    }

    async fn find_all(
        &self,
        _: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>> {
        let source = self.0.source.borrow();
        let mine = source.iter().filter(|((kind, _), _)| *kind == self.1.name);
        let held = mine.map(|((_, id), (_, body))| (id, body));
        Ok(found(held, field, keys))
    }

    async fn now(&self, _: &Ports) -> Result<Timestamp> {
        Ok(Timestamp::from_millisecond(self.0.now.get()).unwrap())
    }

    fn streams(&self, _: &Ports) -> Result<Vec<&'static str>> {
        Ok(vec!["Deal"])
    }

    async fn changed(
        &self,
        _: &Ports,
        _: &str,
        window: &Window,
        count: usize,
        _: &Selection,
    ) -> Result<Page> {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let mut rows: Vec<_> = self
            .0
            .source
            .borrow()
            .iter()
            .filter(|((kind, _), _)| *kind == self.1.name)
            .map(|((_, id), (version, body))| {
                (
                    Position {
                        watermark: at(*version),
                        id: id.clone(),
                    },
                    body.clone(),
                )
            })
            .filter(|(place, _)| *place > window.after && place.watermark <= window.until)
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let more = rows.len() > count;
        rows.truncate(count);
        Ok(Page {
            next: rows.last().filter(|_| more).map(|(place, _)| place.clone()),
            changes: rows
                .into_iter()
                .map(|(place, body)| {
                    let version = Version(place.watermark.as_millisecond());
                    let id = self.1.id(place.id);
                    Change {
                        id: id.clone(),
                        version: Some(version),
                        record: Some(Record { id, version, body }),
                    }
                })
                .collect(),
        })
    }

    async fn write_back(&self, _: &Ports, id: &str, fields: &Map<String, Value>) -> Result<()> {
        self.0.note(format!("write back {id}"));
        let key = (self.1.name, id.to_owned());
        let mut body = self.0.source.borrow()[&key].1.clone();
        body.as_object_mut().unwrap().extend(fields.clone());
        self.0.edit(self.1.name, id, body);
        Ok(())
    }
}

#[async_trait(?Send)]
impl Target for FakeTarget {
    fn kind(&self) -> Kind {
        self.1
    }

    fn check(&self, _: &Ports) -> Result<()> {
        Ok(())
    }

    async fn find(&self, _: &Ports, external_id: &str) -> Result<Option<Held>> {
        self.0.note(format!("find {external_id}"));
        let held = self.0.target.borrow().get(external_id).cloned();
        Ok(held.map(|(id, body)| Held { id, body }))
    }

    async fn read(&self, _: &Ports, id: &str) -> Result<Option<Held>> {
        let target = self.0.target.borrow();
        let held = target.values().find(|(held, _)| held == id).cloned();
        Ok(held.map(|(id, body)| Held { id, body }))
    }

    async fn upsert(&self, _: &Ports, external_id: &str, body: &Value) -> Result<()> {
        self.0.note(format!("upsert {external_id}"));
        if let Some(meanwhile) = self.0.meanwhile.take() {
            meanwhile();
        }
        let fault = self.0.next_upsert.take();
        if fault
            .as_ref()
            .is_some_and(|fault| fault.write == sluice_core::WriteOutcome::Nothing)
        {
            return Err(fault.unwrap());
        }
        let mut target = self.0.target.borrow_mut();
        let id = match target.get(external_id) {
            Some((id, _)) => id.clone(),
            None => {
                self.0.next_id.set(self.0.next_id.get() + 1);
                format!("T{}", self.0.next_id.get())
            }
        };
        let mut body = body.clone();
        body["id"] = id.clone().into();
        target.insert(external_id.to_owned(), (id, body));
        fault.map_or(Ok(()), Err)
    }

    async fn update(&self, _: &Ports, held: &Held, external_id: &str, body: &Value) -> Result<()> {
        self.0.note(format!("update {}", held.id));
        let key = self.0.key_of(&held.id).unwrap();
        let mut target = self.0.target.borrow_mut();
        let mut body = body.clone();
        body["id"] = held.id.clone().into();
        target.remove(&key);
        let key = match key.starts_with(NAMELESS) {
            true => external_id.to_owned(),
            false => key,
        };
        target.insert(key, (held.id.clone(), body));
        Ok(())
    }

    async fn list(&self, _: &Ports, after: Option<&str>, count: usize) -> Result<Listed> {
        let number = |id: &str| id.trim_start_matches('T').parse::<u32>().unwrap();
        let after = after.map_or(0, number);
        let mut records: Vec<Held> = self
            .held()
            .into_iter()
            .filter(|held| number(&held.id) > after)
            .collect();
        records.sort_by_key(|held| number(&held.id));
        let more = records.len() > count;
        records.truncate(count);
        let next = records.last().filter(|_| more).map(|held| held.id.clone());
        Ok(Listed { records, next })
    }

    async fn find_all(
        &self,
        _: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>> {
        let mut held = self.held();
        for one in &mut held {
            one.body["externalId"] = self.external_id(one).into();
        }
        let held = held.iter().map(|held| (&held.id, &held.body));
        Ok(found(held, field, keys))
    }

    fn external_id(&self, held: &Held) -> Option<String> {
        let key = self.0.key_of(&held.id)?;
        (!key.starts_with(NAMELESS)).then_some(key)
    }

    fn is_closed(&self, held: &Held) -> bool {
        held.body.get("closed") == Some(&true.into())
    }

    async fn close(&self, _: &Ports, held: &Held) -> Result<()> {
        self.0.note(format!("close {}", held.id));
        for (id, body) in self.0.target.borrow_mut().values_mut() {
            if *id == held.id {
                body["closed"] = true.into();
            }
        }
        Ok(())
    }

    fn locked(&self, held: &Held) -> Option<String> {
        held.body.get("approved").map(|_| "approved".to_owned())
    }

    fn settles_within(&self) -> Duration {
        Duration::from_secs(900)
    }
}

impl FakeTarget {
    fn held(&self) -> Vec<Held> {
        let target = self.0.target.borrow();
        let kind = format!(":{}", self.1.name);
        let mine = target.iter().filter(|(key, _)| key.ends_with(&kind));
        mine.map(|(_, (id, body))| Held {
            id: id.clone(),
            body: body.clone(),
        })
        .collect()
    }
}

/// Which of these hold one of the keys in the field.
fn found<'a>(
    held: impl Iterator<Item = (&'a String, &'a Value)>,
    field: &str,
    keys: &[String],
) -> BTreeMap<String, Found> {
    let mut found = BTreeMap::new();
    for (id, body) in held {
        let Some(key) = body[field]
            .as_str()
            .filter(|key| keys.contains(&(*key).to_owned()))
        else {
            continue;
        };
        let now = match found.remove(key) {
            None => Found::One(id.clone()),
            Some(Found::One(first)) => Found::Several(vec![first, id.clone()]),
            Some(Found::Several(mut ids)) => {
                ids.push(id.clone());
                Found::Several(ids)
            }
        };
        found.insert(key.to_owned(), now);
    }
    found
}

#[async_trait(?Send)]
impl Directory for FakeItems {
    fn kind(&self) -> Kind {
        Kind::new("books", "item")
    }

    fn check(&self, _: &Ports) -> Result<()> {
        Ok(())
    }

    async fn find_all(&self, _: &Ports, keys: &[String]) -> Result<BTreeMap<String, Found>> {
        let items = self.0.items.borrow();
        let found = |key: &String| Some((key.clone(), Found::One(items.get(key)?.clone())));
        Ok(keys.iter().filter_map(found).collect())
    }
}

/// `POST /hooks/deal-to-order/ids`: an id a line.
struct FakeHook(Kind);

#[async_trait(?Send)]
impl Hook for FakeHook {
    fn name(&self) -> &'static str {
        "ids"
    }

    fn body_bytes_max(&self) -> usize {
        1_000
    }

    fn check(&self, _: &Ports) -> Result<()> {
        Ok(())
    }

    async fn verify(
        &self,
        _: &Ports,
        _: &str,
        request: &http::Request<Bytes>,
    ) -> Result<Vec<Hint>, Refused> {
        let ids = std::str::from_utf8(request.body());
        let ids = ids.map_err(|_| Refused::new(400, "no text"))?;
        let hint = |id| Hint {
            id: self.0.id(id),
            version: None,
        };
        Ok(ids.lines().map(hint).collect())
    }

    fn acknowledge(&self) -> http::Response<Bytes> {
        http::Response::new(Bytes::new())
    }
}

struct NoHttp;

#[async_trait(?Send)]
impl Http for NoHttp {
    async fn send(
        &self,
        _: http::Request<Bytes>,
        _: Limit,
    ) -> Result<http::Response<Bytes>, SendError> {
        Err(SendError::NotSent(
            "these systems are not reached over HTTP".into(),
        ))
    }
}

/// Two systems, the stores of one host, and workers that come and go.
pub struct House {
    pub systems: Rc<Systems>,
    pub clock: Rc<ManualClock>,
    pub key_value: Rc<MemoryKeyValue>,
    pub ports: Ports,
}

impl House {
    pub fn new() -> Self {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let systems = Rc::new(Systems::default());
        systems.now.set(start.as_millisecond());
        let clock = Rc::new(ManualClock::at(start));
        let key_value = Rc::new(MemoryKeyValue::default());
        let ports = Ports {
            http: Rc::new(NoHttp),
            key_value: key_value.clone(),
            sql: Rc::new(Sqlite::in_memory().unwrap()),
            clock: clock.clone(),
            random: Rc::new(SeededRandom::new(1)),
            variables: Rc::new(MapVariables::default()),
        };
        let house = Self {
            systems,
            clock,
            key_value,
            ports,
        };
        block_on(house.worker().prepare()).unwrap();
        house
    }

    pub fn flow(&self) -> Flow {
        let systems = || self.systems.clone();
        let customer = Kind::new("books", "customer");
        let account = Kind::new("shop", "Account");
        flow("deal-to-order", MAPPING)
            .sync(
                FakeSource(systems(), DEAL),
                "order",
                FakeTarget(systems(), ORDER),
            )
            .resolve(
                "customer",
                parent(
                    FakeSource(systems(), account),
                    FakeTarget(systems(), customer),
                ),
            )
            .resolve(
                "item",
                natural_key(Kind::new("shop", "Product"), FakeItems(systems())),
            )
            .on_leave(Policy::Close)
            .on_delete(Policy::Close)
            .write_back()
    }

    /// A fresh worker on the same stores.
    pub fn worker(&self) -> Engine {
        Engine::new(self.flow(), None, self.ports.clone()).unwrap()
    }

    /// A worker whose statements go through something else.
    pub fn worker_through(&self, sql: Rc<dyn Sql>) -> Engine {
        let ports = Ports {
            sql,
            ..self.ports.clone()
        };
        Engine::new(self.flow(), None, ports).unwrap()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.systems
            .now
            .set(self.systems.now.get() + seconds * 1000);
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As if the key-value store had lost what was synced; the cursor stays.
    pub fn forget_links(&self) {
        self.key_value
            .0
            .borrow_mut()
            .retain(|key, _| !key.starts_with("link:"));
    }

    pub fn budget(&self) -> Budget {
        Budget {
            until: self.clock.now() + SignedDuration::from_secs(20),
            records: 1000,
        }
    }

    pub fn sync(&self, id: &str) -> Value {
        block_on(self.worker().sync_one(id)).unwrap()
    }

    pub fn run(&self) -> Value {
        json!(block_on(self.worker().run(self.budget(), None)).unwrap())
    }

    pub fn status(&self) -> Value {
        block_on(self.worker().status()).unwrap()
    }

    pub fn hint(&self, id: &str) -> Hint {
        Hint {
            id: DEAL.id(id),
            version: None,
        }
    }
}

/// The database of a house, one of whose statements fails: before it took effect, or after.
pub struct FailingSql {
    pub inner: Rc<dyn Sql>,
    /// Statements that still succeed.
    pub good: Cell<usize>,
    pub takes_effect: bool,
}

#[async_trait(?Send)]
impl Sql for FailingSql {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn execute(&self, statement: &str, parameters: &[SqlCell]) -> Result<Vec<Row>> {
        let good = self.good.get();
        if good > 0 {
            self.good.set(good - 1);
            return self.inner.execute(statement, parameters).await;
        }
        if self.takes_effect {
            self.inner.execute(statement, parameters).await?;
        }
        Err(fault("DISK"))
    }
}

pub fn fault(code: &'static str) -> Fault {
    Fault::retry(Code(code), "for this test")
}

pub fn external(id: &str) -> String {
    format!("shop:Deal:{id}:order")
}
