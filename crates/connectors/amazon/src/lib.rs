//! Amazon through its Selling Partner API: a seller's orders, and the notifications that announce changes.
//!
//! | to | use |
//! | --- | --- |
//! | keep orders in step | [`orders`]: a [`Source`](sluice_core::Source) with its [`Hook`](sluice_core::Hook)s |
//! | send anything else | [`client::Call`], [`client::send`] |
//!
//! The files, in reading order: [`settings`], [`marketplace`], [`auth`], [`limits`], [`client`], [`errors`],
//! [`search`], `order`, `report`, `hooks`; `id` holds what an order id is. Only [`client`],
//! [`auth::credential`], `limits`, `report` and `hooks` touch a port that waits; the rest are plain functions.
//!
//! # What an order looks like
//!
//! ```
//! let orders = amazon::orders();
//! // Parts of an order that a flow may look up or make records of.
//! let (buyer, product) = (amazon::BUYER, amazon::PRODUCT);
//! ```
//!
//! Bodies are those of the Orders API of 2026-01-01, as they came, numbers with their digits. Which data sets
//! are asked for is decided by what the mapping reads ([`search::included`]): `buyer` and `recipient` are there
//! only where it reads of them; a buyer with an e-mail address has an `id` besides, a hash of it, to be known by.
//! What is personal and comes with other data sets is taken out unless it is read: tax registrations, gift
//! messages, reasons of a buyer's wish to cancel, addresses of customizations.
//! An order's version is its `lastUpdatedTime` in milliseconds. Amazon deletes no
//! order; it forgets them after two years (in Japan and Australia it knows them since 2016).
//!
//! An order that lacks what one must have, has no line, a negative count, an amount that is no number, a
//! currency of no marketplace or more than one is a dead letter of its own (`AMAZON_ORDER_INVALID`); it holds up
//! no other.
//!
//! # How changes are listed
//!
//! A stream is a marketplace, by its country; those of one account (a region; Australia may be its own) share its
//! limits. A window is closed: its upper bound is Amazon's time less the two minutes Amazon wants, its place a page token, for
//! Amazon promises no order. The cursor moves when the last page was applied or queued.
//!
//! - A restart asks for the page it was on, by its token.
//! - A token that is refused (mostly 24 hours old) costs the beginning of the window: once in a call, three times
//!   in a window at once; after that it is a fault, and the window begins anew when a quarter of an hour has
//!   passed, then half an hour, at most six hours.
//! - An order on two pages makes one item of the queue; one that changes while a window is read leaves it for
//!   the next.
//! - Pages leave orders out. Every moment is listed twice for that: a window reaches back over the whole one
//!   before, or over ten minutes where that had more than four pages. What both leave out was announced by its
//!   notification, or is found by `sluice audit`. A backfill lists once.
//!
//! # Old orders
//!
//! `amazon_backfill` decides ([`past`](sluice_core::Source::past)):
//!
//! | | `orders`, assumed | `reports` |
//! | --- | --- | --- |
//! | asks | `searchOrders` by creation | a report for each thirty days |
//! | gives | whole orders, 100 a request | ids, all of a report at once |
//! | then | nothing more | each order by itself |
//! | a day, at the published rates | 24,000 for an account with one marketplace, 16,000 with two, 8,000 with five; less where a window has several pages | 43,200 an account, less what webhooks have fetched |
//! | better | for most: simpler, and without the reports' failures | for sellers in many countries of a region |
//!
//! # Turns
//!
//! A slot of `searchOrders` comes back once in three minutes, for all marketplaces of an account together. A
//! schedule may tick more often than that: while fifteen of the twenty slots are free, every stream is listed
//! at every tick; below, each when a slot has come back for each of them, and for each page of its last window
//! ([`pace`](sluice_core::Source::pace)). The run's report names those it has `postponed`. A backfill by
//! `orders` makes one turn more, and takes a slot only while ten others are free: those are left to windows of
//! many pages. A schedule of its own (`/run?stream=<country>`) lists a marketplace less often, not more.
//!
//! # Variables
//!
//! [`VARIABLES`] says what each is for.
//!
//! | variable | needed |
//! | --- | --- |
//! | `amazon_client_id`, `amazon_client_secret`, `amazon_marketplaces` | always |
//! | `amazon_refresh_token_na`, `…_eu`, `…_fe` | for marketplaces of that region |
//! | `amazon_refresh_token_au` | where Australia was authorized apart from Japan |
//! | `amazon_url_na`, `…_eu`, `…_fe`, `amazon_lwa_url` | for another Amazon than the public one |
//! | `amazon_backfill` | `reports`, or `orders`, which is assumed |
//! | `amazon_seller_id`, `amazon_notification_key`; `amazon_notification_header` if not `x-api-key` | to receive events of EventBridge |
//! | `amazon_seller_id`, `amazon_sns_topic`; `amazon_sns_root_ca`, `amazon_sns_url` for another SNS than the public one | to receive messages of SNS |
//!
//! Marketplaces are US, CA, MX (North America), UK, FR, IT, ES, DE (Europe), JP, AU (Far East). CN is refused:
//! the public API has no region with China.
//!
//! A component must be allowed to reach the login, its regions and [`HOSTS`]: for reports
//! `https://*.amazonaws.com` and `https://*.cloudfront.net`; for SNS `https://sns.<region>.amazonaws.com` and
//! `http://*.amazontrust.com`.
//!
//! # Webhooks
//!
//! | route below `/hooks/<flow>/` | proof of the sender | refused with |
//! | --- | --- | --- |
//! | `eventbridge`: an event or its detail, 256 KiB | the API key of the connection, our seller's id | 401 key, 403 another seller, 413, 415, 400 |
//! | `sns`: a message, 576 KiB | SNS's signature by a certificate of the topic's region that leads to Amazon's roots, at most an hour old; our topic, our seller's id | 403 another topic or seller, 401 signature or age, 413, 400, 503 certificate out of reach |
//!
//! Both take `ORDER_CHANGE`, its keys in either case. A message that is repeated hints once more at the same
//! order, which is harmless.
//!
//! # Limits
//!
//! | what | limit | whose |
//! | --- | --- | --- |
//! | requests | [`limits::OPERATIONS`], until `x-amzn-RateLimit-Limit` names others; shared by all workers | Amazon |
//! | one request, from sending to the last byte | 30 s, 8 MiB answered; a certificate 3 s, 64 KiB | ours |
//! | orders in a page | 100 | Amazon |
//! | a page token | 24 hours | Amazon |
//! | an access token | as the login says, an hour; renewed a minute before, or when refused | Amazon |
//! | a report | 30 days of orders, 3 failures, 24 hours; asked after each 30 s | Amazon; ours |
//! | a report's document | 8 MiB as sent, 8 MiB of text; beyond, half the days | ours |
//! | a document's address | 5 minutes, of which we use 4 | Amazon |
//!
//! # Errors
//!
//! First row that fits; "code" is that of an entry of `errors`. Each fault has a page `docs/faults/<CODE>.md`.
//!
//! | Amazon says | fault | action |
//! | --- | --- | --- |
//! | (not sent) no slot is left, or none that others do not go before | `AMAZON_THROTTLED` | retry after exactly the time to the next |
//! | 429, or code `QuotaExceeded` | `AMAZON_THROTTLED` | retry after `Retry-After` or the time to the next slot, the longer of both (the bucket is taken for empty), else 60 s |
//! | 401, or 403 with words about a token; twice in a row, the second time with a fresh one | `AMAZON_LOGIN` | refresh credentials |
//! | `{"error"}` or another refusal to a login | `AMAZON_LOGIN` | stop the flow |
//! | 403 | `AMAZON_PERMISSION` | stop the flow |
//! | 5xx, 408 | `AMAZON_UNAVAILABLE` | retry, after `Retry-After` where given |
//! | 404 to one order, in every account; one of a marketplace not in `amazon_marketplaces` | (gone: unknown) | the flow's policy |
//! | a fault of one account to one order, which no other account has | (that fault) | |
//! | 400 to one order | `AMAZON_REQUEST` | dead letter |
//! | 400 to a search with a page token | (the window begins anew) | |
//! | all else | `AMAZON_REQUEST` | stop the flow |
//! | a body that is no JSON or lacks a field | `ANSWER_INVALID` | retry |
//! | a page that contradicts itself | `SOURCE_PAGING` | retry |
//! | 400 to the page tokens of one window, more than three times | `SOURCE_PAGING` | retry after 15 min to 6 h |
//! | an order that can't be one | `AMAZON_ORDER_INVALID` | dead letter, each of its faults a bad field |
//! | (not sent) a text that is no order id | `AMAZON_ID_INVALID` | dead letter |
//! | (not sent) a write | `AMAZON_READ_ONLY` | stop the flow |
//! | a report `IN_QUEUE`, `IN_PROGRESS` | `AMAZON_REPORT_PENDING` | retry after 30 s |
//! | a report `FATAL`, forgotten, or a day old | `AMAZON_REPORT_FAILED` | retry after 30 min with another, three times; then stop the flow |
//! | a report `CANCELLED`: by somebody, or for want of data | (another is asked for; after two, no data) | |
//! | a document that is cut off | `AMAZON_REPORT_INVALID` | retry |
//! | a document in another form, or from a strange host | `AMAZON_REPORT_INVALID` | stop the flow |
//! | a document of two hours that is too large | `AMAZON_REPORT_TOO_LARGE` | stop the flow |
//!
//! # Vendor pages
//!
//! `https://developer-docs.amazon.com/sp-api/<page>`: `reference/orders-v2026-01-01`,
//! `docs/usage-plans-and-rate-limits`, `docs/connect-to-the-selling-partner-api`, `docs/marketplace-ids`,
//! `docs/sp-api-endpoints`, `docs/retrieve-a-report`, `docs/order-tracking-reports-attributes`,
//! `docs/notification-type-values`. The published models are what the tests hold our requests against.

pub mod auth;
pub mod client;
#[cfg(test)]
mod contract;
pub mod errors;
mod hooks;
mod hosts;
mod id;
pub mod limits;
pub mod marketplace;
mod order;
mod report;
#[cfg(test)]
mod script;
pub mod search;
pub mod settings;

pub use hooks::{EventBridge, Sns};
pub use hosts::HOSTS;
pub use id::{ID_INVALID, Id};
pub use order::{BUYER, Orders, PRODUCT, orders};
pub use report::REPORT_TYPE;
pub use settings::VARIABLES;
