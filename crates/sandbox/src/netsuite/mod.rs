//! NetSuite: SuiteTalk REST web services of one OneWorld, multi-currency account.
//!
//! What is here: token-based authentication and OAuth 2.0 client credentials, the record service for
//! customers, sales orders, invoices, cash sales, items and the lists they refer to, and SuiteQL.
//! Asynchronous requests, saved datasets, transforms and RESTlets are refused in the vendor's shape. Bills
//! are open or not deposited: nobody pays here, and `BUILTIN.DF` words their status as an order's. The
//! account's users and search results use UTC and the date format `M/D/YYYY`.
//!
//! Switches, by [`Options`] or by [`Vendor::configure`]: `token_life_s`, `expire_tokens`, `https` (the scheme
//! clients sign), `suiteql_lag_s`, `upsert_race_ms`, `orders_start_approved`, `concurrency_max`,
//! `requests_per_minute_max`, and `concurrency_form` (`bad_request`, `too_many_requests`,
//! `request_limit`, `invalid_login`). `null` lifts a limit.

mod admin;
mod answer;
mod auth;
mod bill;
mod customer;
mod dialect;
mod filter;
mod functions;
mod order;
mod read;
mod request;
mod routes;
mod row;
mod schema;
mod stock;
mod store;
mod suiteql;
mod tables;
mod throttle;
mod value;
mod write;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::Value;

use crate::seed::Catalogue;
use crate::{EditError, Refusal, Vendor};

pub use answer::ConcurrencyForm;
pub use auth::Credentials;
pub use throttle::Limits;

/// How the account is set up. [`Options::default`] is a calm account in step with itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// As the realm names it.
    pub account_id: String,
    /// Whether clients reach the account by `https`: the scheme they sign.
    pub https: bool,
    /// Whether new orders need no approval.
    pub orders_start_approved: bool,
    /// Orders dated before this are refused, if set.
    pub closed_before: Option<Date>,
    /// How long an access token lives.
    pub token_life: SignedDuration,
    /// How long a change stays hidden from SuiteQL.
    pub suiteql_lag: SignedDuration,
    /// How long two upserts of one external id still race: the second one is refused.
    pub upsert_race: Option<SignedDuration>,
    /// How many requests are served, and how a refusal is worded.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account_id: "1234567_SB1".to_owned(),
            https: false,
            orders_start_approved: false,
            closed_before: None,
            token_life: SignedDuration::from_mins(60),
            suiteql_lag: SignedDuration::ZERO,
            upsert_race: None,
            limits: Limits::default(),
        }
    }
}

/// The preferences that decide how records are saved.
#[derive(Clone, Debug)]
struct Rules {
    orders_start_approved: bool,
    closed_before: Option<Date>,
}

/// One simulated NetSuite account.
pub struct NetSuite {
    options: Options,
    rules: Rules,
    gate: auth::Gate,
    store: store::Store,
    index: suiteql::Index,
    throttle: throttle::Throttle,
}

impl NetSuite {
    /// An account stocked from the catalogue at `now`. The same seed gives the same ids and credentials.
    ///
    /// # Errors
    ///
    /// If the SQL engine cannot be started.
    pub fn new(
        seed: u64,
        catalogue: &Catalogue,
        options: Options,
        now: Timestamp,
    ) -> Result<Self, rusqlite::Error> {
        let mut store = store::Store::new(seed);
        stock::stock(&mut store, catalogue, now);
        let index = suiteql::Index::new()?;
        Ok(Self {
            rules: Rules {
                orders_start_approved: options.orders_start_approved,
                closed_before: options.closed_before,
            },
            gate: auth::Gate::new(seed, &options.account_id, options.token_life),
            throttle: throttle::Throttle::default(),
            store,
            index,
            options,
        })
    }

    /// What a client needs to sign in.
    pub fn credentials(&self) -> &Credentials {
        self.gate.credentials()
    }

    /// Ends every OAuth 2.0 access token at once.
    pub fn expire_tokens(&mut self) {
        self.gate.expire_tokens();
    }

    /// How the account is set up now.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sets the account up anew; records and credentials stay.
    pub fn set_options(&mut self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options);
        self.gate.set_token_life(self.options.token_life);
        self.rules = Rules {
            orders_start_approved: self.options.orders_start_approved,
            closed_before: self.options.closed_before,
        };
    }
}

impl Vendor for NetSuite {
    fn name(&self) -> &'static str {
        "netsuite"
    }

    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let response = self.answer(request, now);
        self.index
            .note(&mut self.store, self.options.suiteql_lag, now);
        response
    }

    fn refusal(&self, refusal: Refusal) -> Response<Bytes> {
        answer::refusal(refusal, self.options.limits.form)
    }

    fn records(&self, kind: &str) -> Option<Vec<Value>> {
        let kind = schema::Kind::named(kind)?;
        let records = self.store.all(kind);
        Some(
            records
                .map(|record| read::bare(&self.store, record))
                .collect(),
        )
    }

    fn kinds(&self) -> Vec<String> {
        schema::KINDS
            .iter()
            .map(|kind| kind.name.to_owned())
            .collect()
    }

    fn create(&mut self, kind: &str, fields: Value, now: Timestamp) -> Result<Value, EditError> {
        self.user_create(kind, &fields, now)
    }

    fn edit(
        &mut self,
        kind: &str,
        id: &str,
        fields: Value,
        now: Timestamp,
    ) -> Result<Value, EditError> {
        self.user_edit(kind, id, &fields, now)
    }

    fn remove(&mut self, kind: &str, id: &str, now: Timestamp) -> Result<(), EditError> {
        self.user_remove(kind, id, now)
    }

    fn configure(&mut self, setting: &str, value: Value, now: Timestamp) -> Result<(), EditError> {
        self.set(setting, &value, now)
    }
}
