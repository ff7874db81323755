//! A Salesforce organization behind its REST API, v66.0 and the versions before it.
//!
//! Sessions by OAuth (JWT bearer, client credentials, username and password) and by SOAP login; single
//! records, upsert by external id, collections, describe, replication, SOQL with cursors; outbound messages
//! with their retry rule, and signed JSON callouts. Multi-currency is on; one price book, unseen.
//! <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/>
//!
//! Left out: Bulk API, composite requests other than collections, streaming, conditional requests, search.

mod announce;
mod collections;
mod convert;
mod describe;
mod error;
mod id;
mod merge;
mod notification;
mod queries;
mod replication;
mod rest;
mod rules;
mod schema;
mod session;
mod settings;
mod soap;
mod sobjects;
mod soql;
mod stock;
mod store;
mod token;
mod user;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use id::Id;
pub use settings::{Callout, Credentials, OutboundMessage, PrivateKey, Settings, Trigger};

use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::Value as Json;

use self::{
    announce::Announcements, error::Error, id::Numbers, queries::Cursors, schema::Object,
    session::Sessions, store::Store, write::Author,
};
use crate::vendor::{Delivery, EditError, Refusal, Vendor};

/// The newest version of the API.
pub const API_VERSION: u32 = 66;
/// The oldest version still served.
const API_VERSION_MIN: u32 = 31;

/// The organization.
pub struct Salesforce {
    settings: Settings,
    store: Store,
    numbers: Numbers,
    rng: Rng,
    organization: Id,
    /// Whom API requests act as.
    integration_user: Id,
    /// Whom edits behind the API act as.
    sales_user: Id,
    sessions: Sessions,
    cursors: Cursors,
    request_count: u64,
    announcements: Announcements,
    /// What the request under way has saved.
    trace: Vec<Trace>,
}

/// One save.
struct Trace {
    object: &'static Object,
    id: Id,
    created: bool,
    /// Bit by bit, whether each rule matched before.
    matched: u32,
}

impl Salesforce {
    /// An organization with its users and nothing else; [`Salesforce::stock`] fills it.
    pub fn new(seed: u64, settings: Settings) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5a1e_5f0c_e000);
        let pod = id::pod(&mut rng);
        let mut numbers = Numbers::new(&mut rng, pod);
        let organization = numbers.next("00D");
        let integration_user = numbers.next("005");
        let sales_user = numbers.next("005");
        let mut salesforce = Self {
            announcements: Announcements::default(),
            settings,
            store: Store::new(),
            numbers,
            rng,
            organization,
            integration_user,
            sales_user,
            sessions: Sessions::default(),
            cursors: Cursors::default(),
            request_count: 0,
            trace: Vec::new(),
        };
        salesforce.found();
        salesforce
    }

    /// The organization's id, which outbound messages carry.
    pub fn organization(&self) -> Id {
        self.organization
    }

    /// The user API requests act as, and so `LastModifiedById` of what they wrote.
    pub fn integration_user(&self) -> Id {
        self.integration_user
    }

    /// How the organization is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the set-up. Takes effect with the next request.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let path = request.uri().path();
        if request
            .uri()
            .path_and_query()
            .is_some_and(|whole| whole.as_str().len() > 16_384)
        {
            let message = "The length of the URI exceeds the 16,384 byte limit.";
            return error::answer(&[Error::new(
                StatusCode::URI_TOO_LONG,
                "URI_TOO_LONG",
                message,
            )]);
        }
        match path.trim_end_matches('/') {
            "/services/oauth2/token" => self.token(request, now),
            "/services/oauth2/revoke" => self.revoke(request),
            "/services/data" if request.method() == Method::GET => rest::versions(),
            path if path.starts_with("/services/Soap/u/") => self.soap(request, now),
            path if path.starts_with("/id/") => self.identity(request, now),
            path if path.starts_with("/services/data/v") => self.data(request, now),
            _ => error::with_type(
                StatusCode::NOT_FOUND,
                "text/html;charset=UTF-8",
                "<html><head><title>URL No Longer Exists</title></head></html>".to_owned(),
            ),
        }
    }

    /// Runs one step that writes; a refusal takes back all it did.
    fn attempt<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let (mark, trace) = (self.store.mark(), self.trace.len());
        let outcome = step(self);
        if outcome.is_err() {
            self.store.roll_back(mark);
            self.trace.truncate(trace);
        }
        outcome
    }

    /// Ends a request: what it wrote lasts, and is announced.
    fn finish(&mut self, now: Timestamp) {
        self.store.commit();
        self.announce(now);
    }

    fn by_api(&self, now: Timestamp) -> Author {
        Author {
            user: self.integration_user,
            at: now,
        }
    }
}

impl Vendor for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let response = self.route(request, now);
        self.finish(now);
        response
    }

    fn refusal(&self, refusal: Refusal) -> Response<Bytes> {
        rest::refusal(refusal)
    }

    fn records(&self, kind: &str) -> Option<Vec<Json>> {
        self.list(kind)
    }

    fn kinds(&self) -> Vec<String> {
        schema::OBJECTS
            .iter()
            .map(|object| object.name.to_owned())
            .collect()
    }

    fn create(&mut self, kind: &str, fields: Json, now: Timestamp) -> Result<Json, EditError> {
        let id = self.user_create(kind, fields, now)?;
        self.shown(kind, id)
    }

    fn edit(
        &mut self,
        kind: &str,
        id: &str,
        fields: Json,
        now: Timestamp,
    ) -> Result<Json, EditError> {
        let id = user::read_id(id)?;
        self.user_change(kind, id, fields, now)?;
        self.shown(kind, id)
    }

    fn remove(&mut self, kind: &str, id: &str, now: Timestamp) -> Result<(), EditError> {
        self.user_delete(kind, user::read_id(id)?, now)
    }

    fn configure(&mut self, setting: &str, value: Json, now: Timestamp) -> Result<(), EditError> {
        let _ = now;
        self.change_setting(setting, value)
    }

    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.deliveries(now)
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.announcements.next_due()
    }

    fn lost(&mut self, id: u64, now: Timestamp) {
        let _ = now;
        self.announcements.forget(id);
    }

    fn delivered(&mut self, id: u64, answer: Option<&Response<Bytes>>, now: Timestamp) {
        self.announcements.settle(id, answer, now);
    }
}
