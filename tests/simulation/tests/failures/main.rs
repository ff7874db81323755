//! What users of other tools suffered, each a test that shows it can't happen here.
//!
//! One test or more for each row of the list that the design was made from; the threads are public, as
//! `owner/repo#number`. Where a row is about a system that no flow here reads yet, the test is of the
//! mechanism that every source and target shares, and says so.

mod cursors;
mod paging;
mod refusals;
mod repeats;
mod reports;
mod webhooks;
mod workers;
