//! Salesforce through its REST API, v66.0: records, SOQL, and the webhooks that announce changes.
//!
//! | to | use |
//! | --- | --- |
//! | keep records of one object in step | [`object`]: a [`Source`](sluice_core::Source) with its [`Hook`](sluice_core::Hook)s |
//! | read or write single records | [`client::retrieve`], [`client::update`], [`client::upsert`] |
//! | ask SOQL | [`query::Query`], [`query::rows`] |
//! | send anything else | [`client::Call`], [`client::send`] |
//!
//! The files, in reading order: [`settings`], [`auth`], [`client`], [`errors`], [`query`], `object`,
//! `hooks`; `id` holds what a record id is. Only [`client::send`] and [`auth::credential`] touch a port that
//! waits; the rest are plain functions.
//!
//! # What an object looks like
//!
//! ```
//! let opportunities = salesforce::object("Opportunity")
//!     .lines("OpportunityLineItems", "OpportunityLineItem", "OpportunityId");
//! let accounts = salesforce::object("Account");
//! ```
//!
//! Bodies are the REST API's own, with three changes: `attributes` are dropped, child lists are plain
//! arrays, and of a record without children the list is empty instead of null. Ids have eighteen characters.
//! `Id`, `SystemModstamp` and `IsDeleted` are always there; a record's version is its `SystemModstamp` in
//! milliseconds. Numbers keep their digits.
//!
//! # How changes are listed
//!
//! Queries go to `queryAll`, so deletions are seen. Changes are listed by the key (`SystemModstamp`, `Id`)
//! under a fixed upper bound; a deleted line makes its opportunity due like a changed one.
//!
//! # Variables
//!
//! [`VARIABLES`] says what each is for.
//!
//! | variable | needed |
//! | --- | --- |
//! | `salesforce_url`, `salesforce_auth`, `salesforce_client_id` | always |
//! | `salesforce_username`, `salesforce_private_key`; `salesforce_audience` if not the usual | with `salesforce_auth` = `jwt_bearer` |
//! | `salesforce_client_secret` | with `salesforce_auth` = `client_credentials` |
//! | `salesforce_organization_id`, `webhook_path_secret` | to receive outbound messages |
//! | `webhook_hmac_secret` | to receive signed JSON |
//!
//! # Webhooks
//!
//! | route below `/hooks/<flow>/` | proof of the sender | refused with |
//! | --- | --- | --- |
//! | `outbound-message/<secret>`: SOAP, at most 100 notifications, 4 MiB | the secret, the organization's id | 404 wrong secret, 403 another organization, 413, 415, 400 |
//! | `json`: at most 200 records, 64 KiB | HMAC-SHA256 over timestamp and body, at most 5 minutes old | 401, 413, 415, 400 |
//!
//! # Limits
//!
//! | what | limit | whose |
//! | --- | --- | --- |
//! | one request, from sending to the last byte | 30 s, 8 MiB answered | ours ([`Limit`](sluice_core::ports::Limit)) |
//! | records in a page; Salesforce may send fewer | 2,000 | Salesforce |
//! | pages of one answer | 500 | ours |
//! | a query, encoded | 16,000 bytes | Salesforce (16,384) |
//! | API requests in 24 hours, logins in an hour | by edition, 3,600 a user | Salesforce |
//! | a session | as the org sets it, unused 15 min to 24 h; renewed when refused | Salesforce |
//!
//! # Errors
//!
//! First row that fits; "code" is an `errorCode`. Each fault has a page `docs/faults/<CODE>.md`.
//!
//! | Salesforce says | fault | action |
//! | --- | --- | --- |
//! | code `REQUEST_LIMIT_EXCEEDED`, `STORAGE_LIMIT_EXCEEDED`, or 429 | `SALESFORCE_LIMIT` | retry after `Retry-After`, else 20 s if the words are about requests at once, else 15 min |
//! | code `UNABLE_TO_LOCK_ROW`, also inside the words | `SALESFORCE_LOCKED` | retry |
//! | 401 twice in a row, the second time with a fresh session | `SALESFORCE_LOGIN` | refresh credentials |
//! | 4xx with `{"error"}` to a login | `SALESFORCE_LOGIN`, or `SALESFORCE_LIMIT` for too many | stop the flow, or retry after `Retry-After`, else 15 min |
//! | 5xx, 408, or code `SERVER_UNAVAILABLE`, `UNKNOWN_EXCEPTION`, `QUERY_TIMEOUT`, `REQUEST_RUNNING_TOO_LONG` | `SALESFORCE_UNAVAILABLE` | retry, after `Retry-After` where given; a write may have taken effect |
//! | 300 to an upsert | `SALESFORCE_AMBIGUOUS` | dead letter |
//! | code `INVALID_QUERY_LOCATOR` | `SALESFORCE_QUERY_EXPIRED` | retry |
//! | code `INVALID_FIELD`, `INVALID_TYPE`, `MALFORMED_QUERY`, `INVALID_QUERY_FILTER_OPERATOR`, `INVALID_QUERY_SCOPE`, `JSON_PARSER_ERROR`; 404 to an upsert | `SALESFORCE_REQUEST` | stop the flow |
//! | 403, or code `INSUFFICIENT_ACCESS`, `INVALID_FIELD_FOR_INSERT_UPDATE`, `API_CURRENTLY_DISABLED`, `API_DISABLED_FOR_ORG`, `FUNCTIONALITY_NOT_ENABLED`; not where it is about one record | `SALESFORCE_PERMISSION` | stop the flow |
//! | code `ENTITY_IS_DELETED`, or 404 to a write | `SALESFORCE_NOT_FOUND` | retry: reading again shows how it went |
//! | code `DUPLICATE_VALUE` | `SALESFORCE_DUPLICATE` | retry: the other writer's record is found then |
//! | 400, 403, 409, 413 to a write | `SALESFORCE_INVALID` | dead letter, each of `fields` a bad field |
//! | all else | `SALESFORCE_REQUEST` | stop the flow |
//! | a body that is no JSON or lacks a field | `ANSWER_INVALID` | retry |
//! | a page that contradicts itself or the order asked for | `SOURCE_PAGING` | retry |
//! | (not sent) a text that is no record id | `SALESFORCE_ID_INVALID` | dead letter |
//!
//! A token goes to `salesforce_url` and to hosts below `salesforce.com`, whatever a login's `instance_url`
//! or an answer's `nextRecordsUrl` says.
//!
//! # Vendor pages
//!
//! `https://developer.salesforce.com/docs/atlas.en-us.<guide>.meta/<guide>/<page>.htm`:
//!
//! - REST (`api_rest`): queries `resources_queryall`, upserts `dome_upsert`, errors `errorcodes`
//! - SOQL (`soql_sosl`): `sforce_api_calls_soql_select`, quoting
//!   `sforce_api_calls_soql_select_quotedstringescapes`, times `sforce_api_calls_soql_select_dateformats`
//! - outbound messages (`api`): `sforce_api_om_outboundmessaging`
//!
//! `https://help.salesforce.com/s/articleView?id=xcloud.<page>.htm`: `remoteaccess_oauth_jwt_flow`,
//! `remoteaccess_oauth_client_credentials_flow`, `remoteaccess_oauth_flow_errors`

pub mod auth;
pub mod client;
pub mod errors;
mod hooks;
mod id;
mod object;
pub mod query;
#[cfg(test)]
mod script;
pub mod settings;

pub use hooks::{Json, OutboundMessage};
pub use id::{ID_INVALID, Id};
pub use object::{Object, object};
pub use settings::VARIABLES;

/// The version of the API every request names.
pub const API_VERSION: &str = "v66.0";
