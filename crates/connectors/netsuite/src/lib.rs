//! NetSuite through SuiteTalk REST web services: record API v1 and SuiteQL v1.
//!
//! | to | use |
//! | --- | --- |
//! | keep records of one type in step | [`record`]: a [`Target`](sluice_core::Target) |
//! | keep transactions in step whose type the mapping decides | [`transaction`] |
//! | find items by SKU | [`items`], [`directory`]: a [`Directory`](sluice_core::Directory) |
//! | walk all records of a type | [`Target::list`](sluice_core::Target::list): ids by SuiteQL, then each record |
//! | ask SuiteQL | [`query::Query`], [`query::rows`] |
//! | send anything else | [`client::Call`], [`client::send`] |
//!
//! The files, in reading order: [`settings`], [`auth`], [`client`], [`errors`], [`query`], `record`,
//! `directory`. Only [`client::send`] and [`auth::credential`] touch a port that waits; the rest are plain
//! functions.
//!
//! # What a record type looks like
//!
//! ```
//! let orders = netsuite::record("salesOrder")
//!     .replacing("item")
//!     .open_while(netsuite::PENDING_APPROVAL)
//!     .closing_by(netsuite::Closing::Lines("item"));
//! let customers = netsuite::record("customer").closing_by(netsuite::Closing::Inactive);
//! ```
//!
//! Bodies are the REST API's own: references `{"id": "107"}` or `{"externalId": "…"}`, sublists
//! `{"item": {"items": […]}}`, dates `YYYY-MM-DD`. They pass through unchanged; numbers keep their
//! digits both ways. Field names NetSuite does not know are refused (`X-NetSuite-PropertyNameValidation:
//! Error`), where its own default would drop them silently. Warnings about values (`X-NetSuite-Warning`)
//! do not fail a write.
//!
//! # Variables
//!
//! [`VARIABLES`] says what each is for.
//!
//! | variable | needed with `netsuite_auth` |
//! | --- | --- |
//! | `netsuite_url`, `netsuite_account`, `netsuite_auth` | always |
//! | `netsuite_consumer_key`, `netsuite_consumer_secret`, `netsuite_token_id`, `netsuite_token_secret` | `token` |
//! | `netsuite_client_id`, `netsuite_certificate_id`, `netsuite_private_key` | `client_credentials` |
//!
//! # Limits
//!
//! | what | limit | whose |
//! | --- | --- | --- |
//! | one request, from sending to the last byte | 30 s, 8 MiB answered | ours ([`Limit`](sluice_core::ports::Limit)) |
//! | work on a request whose answer was lost | 15 min | NetSuite |
//! | requests at once, over all integrations of the account | 5, or 15 and more by tier | NetSuite |
//! | rows in a SuiteQL page, pages in a query | 1,000 and 100 | NetSuite |
//! | keys in one directory query | 500 | ours (SuiteQL takes 1,000) |
//! | a token of the client credentials flow | 60 min; renewed 2 min before | NetSuite |
//!
//! # Errors
//!
//! First row that fits; "code" is an `o:errorCode`. Each fault has a page `docs/faults/<CODE>.md`.
//!
//! | NetSuite says | fault | action |
//! | --- | --- | --- |
//! | 429, or code `CONCURRENCY_LIMIT_EXCEEDED`, `REQUEST_LIMIT_EXCEEDED`, `SSS_REQUEST_LIMIT_EXCEEDED`, `WS_REQUEST_BLOCKED`, `WS_CONCUR_SESSION_DISALLWD`, or the words "concurrent request limit exceeded" | `NETSUITE_CONCURRENCY` | retry, after `Retry-After` where given |
//! | 401, twice in a row: the second time with a new nonce or token | `NETSUITE_LOGIN` | refresh credentials |
//! | 4xx with `{"error"}` to a login by client credentials | `NETSUITE_LOGIN` | stop the flow |
//! | code `RCRD_HAS_BEEN_CHANGED`, `RCRD_LOCKED`, or 412 | `NETSUITE_RECORD_CHANGED` | retry |
//! | 5xx, 408, 425 | `NETSUITE_UNAVAILABLE` | retry, after `Retry-After` where given; a write may have taken effect |
//! | 403, or code `INSUFFICIENT_PERMISSION`, `PERMISSION_VIOLATION`, `FEATURE_DISABLED`, `RECORD_TYPE_NOT_ALLOWED` | `NETSUITE_PERMISSION` | stop the flow |
//! | code `DUP_RCRD`, `DUP_ITEM` | `NETSUITE_DUPLICATE` | retry: the other writer's record is found then |
//! | 404 with code `NONEXISTENT_ID` | `NETSUITE_NOT_FOUND` | dead letter; a look-up takes it for "none" |
//! | 400, 409, 413 to a write | `NETSUITE_INVALID` | dead letter, every `o:errorPath`, else every label in the words, a bad field |
//! | the same, pointing only at the address, a parameter or a header; and all else | `NETSUITE_REQUEST` | stop the flow |
//! | 200 with a body that is no JSON or lacks a field | `ANSWER_INVALID` | retry |
//! | a page that contradicts itself or the order asked for | `SOURCE_PAGING` | retry |
//! | (not sent) a transaction to be closed that has no closing | `NETSUITE_NOT_CLOSABLE` | dead letter |
//!
//! A refused login is not always one: too many requests at once can come dressed as `INVALID_LOGIN`. So
//! the first 401 is followed by one more try, and `NETSUITE_LOGIN` keeps everything queued.
//!
//! # Vendor pages
//!
//! `https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/<id>.html`:
//!
//! - upserts `section_156335203191`, external ids `section_156334828635`, sublists `chapter_1545142407`,
//!   replacing one `section_1545297048`, sales orders `section_159665260887`
//! - errors `section_156570709583`, concurrency `bridgehead_1525252812`
//! - token-based authentication `section_1534941088`, client credentials `section_162755359851` and
//!   `section_162790605110`
//! - SuiteQL `section_157909186990`, its limits `article_0824094533`; REST's `chapter_161251386312`

pub mod auth;
pub mod client;
mod directory;
pub mod errors;
pub mod query;
mod record;
#[cfg(test)]
mod script;
pub mod settings;

pub use directory::{Names, directory, items};
pub use record::{Closing, PENDING_APPROVAL, Record, UNFULFILLED, record, transaction};
pub use settings::VARIABLES;
