//! The declarative file that turns a source body into a target body: parse, check, apply. Pure.
//!
//! - [`MappingFile`]: a checked `mapping.toml`, its [`Settings`] and its [`Section`]s
//! - [`Section`]: apply one record section to a body
//! - [`Reference`], [`Links`]: what a body refers to, and what that is in the target
//! - [`fingerprint`], [`diff`]: is a mapped body what was last applied, and what would change
//! - `cases`: tries a flow's mapping on its cases (feature `cases`, for tests)
//!
//! # The file
//!
//! One line a field: the target's path on the left, where its value comes from on the right.
//!
//! ```
//! let file = mapping::MappingFile::parse("mapping.toml", r#"
//!     version = 1
//!
//!     [settings]
//!     time_zone = "America/New_York"
//!
//!     [tables.subsidiary]
//!     US = "2"
//!
//!     [order]
//!     when = { from = "StageName", equals = "Closed Won" }
//!
//!     [order.fields]
//!     "entity.id"     = { from = "AccountId", link = "customer" }
//!     "subsidiary.id" = { from = "Subsidiary__c", table = "subsidiary" }
//!     tranDate        = { from = "CloseDate", as = "date" }
//!     memo            = { concat = ["Name", "PO_Number__c"], separator = " / ", optional = true }
//!     orderStatus     = { constant = { id = "A" } }
//!
//!     [order.lists."item.items"]
//!     from = "OpportunityLineItems"
//!     [order.lists."item.items".fields]
//!     quantity    = { from = "Quantity", as = "decimal" }
//!     description = { from = "Description", default = "as agreed" }
//!
//!     [order.write_back]
//!     NetSuite_Order_Id__c = { from = "id" }
//! "#)?;
//! let opportunity = serde_json::json!({
//!     "StageName": "Closed Won", "AccountId": "001A", "Subsidiary__c": "US",
//!     "CloseDate": "2026-11-22", "Name": "Valves", "PO_Number__c": null,
//!     "OpportunityLineItems": [{ "Quantity": 2, "Description": null }],
//! });
//! let order = file.section("order")?;
//! assert!(order.in_scope(&opportunity)?);
//!
//! let mut links = mapping::Links::new();
//! for reference in order.references(&opportunity)? {
//!     links.insert(&reference.link, &reference.id, "107");
//! }
//! assert_eq!(order.apply(&opportunity, &links)?, serde_json::json!({
//!     "entity": { "id": "107" }, "subsidiary": { "id": "2" }, "tranDate": "2026-11-22",
//!     "memo": "Valves", "orderStatus": { "id": "A" },
//!     "item": { "items": [{ "quantity": 2, "description": "as agreed" }] },
//! }));
//! # Ok::<(), sluice_core::Fault>(())
//! ```
//!
//! ## Where a value comes from: exactly one of
//!
//! | key | value |
//! | --- | --- |
//! | `from = "Account.Name"` | the source's value at this path |
//! | `concat = ["A", "B"]` | the texts at these paths, one after the other, `separator` between them |
//! | `constant = …` | this text, number, `true`, list or table |
//!
//! A path is names with dots between. Inside a list, `"^.Name"` is the record around it. `"parts[type=TAX].sum"`
//! goes through the one object of the list `parts` whose field `type` is the text `TAX`: if there is none, the
//! value is absent; if there are several, the field is a bad one, never the first of them. The text ends at `]`
//! and may hold dots and blanks.
//!
//! ## What is done to it: at most one of
//!
//! | key | result | refuses |
//! | --- | --- | --- |
//! | `as = "text"` (when nothing is said) | text; numbers with the digits they came with (`1e3` as `1000`), `true`, `false` | lists, objects, control characters other than tab and line ends |
//! | `as = "integer"` | a whole number of 64 bits; `3.0` is one | fractions, anything larger |
//! | `as = "decimal"` | a number, exact, of at most 28 digits; at most `scale_max` after the point if said | more digits; never rounds |
//! | `as = "boolean"` | `true` or `false`, also from the texts `true` and `false` | anything else |
//! | `as = "date"` | `YYYY-MM-DD`; of an instant, the day it is in `zone` | days that don't exist |
//! | `as = "date_time"` | RFC 3339 in UTC; a time with no offset is read in `zone` | times that `zone` skips or has twice; a mere date |
//! | `table = "terms"` | the text beside the source's text in `[tables.terms]` | what the table does not list |
//! | `link = "customer"` | the target's id for the source's id; `key = "ProductCode"` names a natural key to find it by, `alias = "sku"` a table of other names for some ids and keys | what is not linked |
//!
//! `zone` is `settings.time_zone` unless the field says its own. `max_length = 83` limits texts, counted in
//! characters; a longer one is a bad field, or is shortened with `cut = true`. Numbers are also read from texts
//! in plain notation, `"-12.50"`, and from nothing like `"1e3"`, `"1,234"`, `" 5"`. `sign = "negative"` or
//! `"positive"` gives a decimal this sign, whichever it came with. Of a `concat`, the whole text is looked up in
//! the `table` or is the `link`'s id.
//!
//! ## When the source has none
//!
//! An absent or null source value is a bad field, unless the field says `optional = true` (the target's key
//! is absent, too) or `default = …` (taken as if the source had said it). Empty text is a value. Of an
//! optional `concat`, absent parts are left out; one with `table` or `link` is absent as a whole.
//!
//! ## Alternatives
//!
//! ```toml
//! "entity.id" = [
//!     { from = "buyer.id", link = "customer", when = { from = "buyer.id", exists = true } },
//!     { from = "marketplace", table = "customer" },
//! ]
//! ```
//!
//! The first whose `when` holds is taken, also if it then has no value: all but the last have one. If none
//! holds, the field is a bad one, unless `{ optional = true }` is the last.
//!
//! ## Conditions
//!
//! `when` on a section says which records are in the flow's scope, on a list which elements are taken, on a
//! field whether it is set. `{ from = "StageName", … }` with one of `equals`, `not_equals`, `in`, `not_in`,
//! `exists`; a list of them holds when all hold. An absent value equals nothing and is in no list. To compare
//! text with a number, say, is a fault, not "no".
//!
//! `{ concat = ["By", "Status"], separator = " ", in = ["MERCHANT UNSHIPPED", "AMAZON SHIPPED"] }` asks several
//! texts at once; if one is absent, the whole is. `{ setting = "tax", equals = "amazon" }` asks the file itself,
//! so that a person switches with one line at the top; a list block that is switched off reads and counts nothing:
//!
//! ```toml
//! [settings.choices]
//! tax = { is = "amazon", one_of = ["amazon", "netsuite"] }   # or tax = "amazon", which any text may replace
//! ```
//!
//! ## Lists
//!
//! `[order.lists."item.items"]` maps each element of the list `from` into the target's list. `optional`: the
//! list may be absent. `count_min`, `count_max`: how many elements must be left after `when`. Lists inside
//! lists are refused. Several blocks, each `[[order.lists."item.items"]]`, make one list, the elements of the
//! first block first; `from` may repeat. Counts are each block's own; of all together:
//!
//! ```toml
//! [order.counts]
//! "item.items" = { count_min = 1, count_max = 500 }
//! ```
//!
//! ## Totals
//!
//! ```toml
//! [order.total]
//! source = "proceeds.grandTotal.amount"
//! target = { list = "item.items", field = "amount" }
//! ```
//!
//! What was mapped must add up to what the source says, exactly; else the record is refused as a whole
//! (`TOTAL_DIFFERS`). `source` and `target` are each one summand or a list of them: of the source, a path or
//! `{ from = "tax", sign = "negative", optional = true }`; of the target, a field of every element of a list or,
//! without `list`, of the record itself, `{ field = "shippingCost", optional = true }`. What is absent is no
//! zero unless it is `optional`. `when` says of which records it is asked; several are `[[order.total]]`.
//!
//! ## Adopting and auditing
//!
//! `[order.adopt]` says by which natural key records that were in the target before us are found, the first
//! key that finds something: `key = { target = "otherRefNum", from = "PO_Number__c" }`, or a list of them.
//! `[order.audit]` says what an audit shows: of `source` and `target` each the fields for `amount`, `currency`
//! and `date`; with `table`, the currency is what that table has beside the value found, read backwards.
//! `owned` is a condition on a target record of unknown origin: whether it is the flow's.

mod adopt;
mod audit;
mod block;
#[cfg(feature = "cases")]
pub mod cases;
mod condition;
mod convert;
mod diff;
mod file;
mod fingerprint;
mod link;
mod list;
mod moment;
mod number;
mod path;
mod read;
mod rule;
mod scope;
mod section;
mod settings;
mod shape;
mod source;
mod total;
mod zone;

pub use adopt::{Adopt, NaturalKey};
pub use audit::{Audit, Figures};
pub use diff::{Change, diff};
pub use file::MappingFile;
pub use fingerprint::fingerprint;
pub use link::{Links, Reference};
pub use section::Section;
pub use settings::Settings;
pub use zone::Zone;
