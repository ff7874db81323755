//! The lines of an order report, and the orders they make.
//!
//! Cells are divided by tabs and nothing else: a product's name may begin with a quotation mark that nothing
//! ends (`amzn/selling-partner-api-models#2739`).
//! <https://developer-docs.amazon.com/sp-api/docs/order-tracking-reports-attributes>

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Value, json};
use sluice_core::{Change, Fault, Moment, Record, Result, Selection, Version};

use super::charset::Charset;
use super::document::{Document, cut_off};
use crate::errors;
use crate::id::Id;
use crate::marketplace::MARKETPLACES;
use crate::order::{KIND, check};
use crate::settings::Account;

/// Some orders of a document.
pub struct Read {
    pub changes: Vec<Change>,
    /// How many of the document's orders this page stands for, those of other marketplaces included.
    pub listed: usize,
    /// Whether others follow.
    pub more: bool,
}

/// The columns that are read; a report may have others.
const COLUMNS: [&str; 9] = [
    "amazon-order-id",
    "purchase-date",
    "last-updated-date",
    "order-status",
    "fulfillment-channel",
    "sales-channel",
    "product-name",
    "sku",
    "asin",
];
const QUANTITY: &str = "quantity";

/// What a report says of an order without a doubt. Its money is not among it: nobody says whether a price there
/// is what the API calls proceeds.
const FIELDS: [&str; 7] = [
    "orderId",
    "createdTime",
    "lastUpdatedTime",
    "salesChannel.channelName",
    "salesChannel.marketplaceId",
    "salesChannel.marketplaceName",
    "fulfillment.fulfilledBy",
];
const ITEM_FIELDS: [&str; 4] = [
    "product.sellerSku",
    "product.asin",
    "product.title",
    "quantityOrdered",
];

/// Orders from the one after `listed` on, at most so many, in the order in which they first appear. The whole
/// document is looked at: lines of one order need not stand together, and one that is cut off must be seen.
///
/// An order's body is given where the report holds all that is selected; else it is fetched by itself.
///
/// Fault: `AMAZON_REPORT_INVALID`: (retry) for a document that is cut off, (stop the flow) for one that is whole
/// and has a line that is not, lacks columns, or is in another character set than it says.
pub fn read(
    document: &Document,
    account: &Account,
    select: &Selection,
    listed: usize,
    order_count_max: usize,
) -> Result<Read> {
    let charset = Charset::of(document.charset.as_deref())?;
    let mut lines = Lines::of(document)?;
    let columns = lines.header()?;
    let wanted = listed..listed.saturating_add(order_count_max);
    let mut orders = Orders::default();
    let mut number = 1;
    for line in lines {
        number += 1;
        let cells: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
        if cells.len() != columns.count {
            let why = format!(
                "line {number} has {} cells of {}",
                cells.len(),
                columns.count
            );
            return Err(broken(document, &why));
        }
        if !charset.is_of(line) {
            let message = format!("line {number} of a report is not in {}", charset.name());
            return Err(Fault::stop_flow(errors::REPORT_INVALID, message));
        }
        // All are counted: places must not shift when other marketplaces are set between two pages.
        orders.add(columns.row(&cells, charset), &wanted, number)?;
    }
    let gives_bodies = suffices(select);
    let listed = orders.rows.len();
    let rows = orders.rows.into_iter();
    let ours = rows.filter(|rows| rows.first().is_some_and(|row| is_for(row, account)));
    Ok(Read {
        changes: ours.map(|rows| change(rows, gives_bodies)).collect(),
        listed,
        more: orders.places.len() > wanted.end,
    })
}

/// Of a document that came whole the next download has the same line.
fn broken(document: &Document, why: &str) -> Fault {
    match document.is_whole {
        true => Fault::stop_flow(errors::REPORT_INVALID, format!("in a report, {why}")),
        false => cut_off(why),
    }
}

/// The orders of one page, by their first appearance, and where all others stand.
#[derive(Default)]
struct Orders {
    places: HashMap<String, usize>,
    rows: Vec<Vec<Row>>,
}

impl Orders {
    fn add(&mut self, row: Row, wanted: &Range<usize>, number: usize) -> Result<()> {
        let id = row.id.clone();
        let usable = id.filter(|id| (1..=64).contains(&id.len()) && !id.contains(' '));
        let id = usable.ok_or_else(|| {
            let message = format!("line {number} of a report names no order");
            Fault::stop_flow(errors::REPORT_INVALID, message)
        })?;
        let next = self.places.len();
        let place = *self.places.entry(id).or_insert(next);
        if wanted.contains(&place) {
            let at = place - wanted.start;
            // In the order of their places: what is before has been added before.
            if at == self.rows.len() {
                self.rows.push(Vec::new());
            }
            if let Some(rows) = self.rows.get_mut(at) {
                rows.push(row);
            }
        }
        Ok(())
    }
}

/// The cells of one line that are read; `None` for one that holds letters we can't read.
#[derive(Clone, Debug, Default)]
struct Row {
    id: Option<String>,
    created: Option<String>,
    updated: Option<String>,
    status: Option<String>,
    fulfilled: Option<String>,
    channel: Option<String>,
    title: Option<String>,
    sku: Option<String>,
    asin: Option<String>,
    quantity: Option<String>,
}

/// Where the columns stand.
struct Columns {
    count: usize,
    at: [usize; 9],
    quantity: usize,
}

impl Columns {
    fn row(&self, cells: &[&[u8]], charset: Charset) -> Row {
        let cell = |at: usize| cells.get(at).and_then(|cell| charset.text(cell));
        let [
            id,
            created,
            updated,
            status,
            fulfilled,
            channel,
            title,
            sku,
            asin,
        ] = self.at.map(cell);
        Row {
            id,
            created,
            updated,
            status,
            fulfilled,
            channel,
            title,
            sku,
            asin,
            quantity: cell(self.quantity),
        }
    }
}

/// The lines of a document.
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    /// Fault: `AMAZON_REPORT_INVALID` (retry) where the last line may not be the last.
    fn of(document: &'a Document) -> Result<Self> {
        let text = document.bytes.as_slice();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if !document.is_whole && !text.ends_with(b"\n") {
            return Err(cut_off("its last line has no end"));
        }
        Ok(Self(text))
    }

    /// Fault: `AMAZON_REPORT_INVALID`: (retry) for an empty document, (stop the flow) for other columns.
    fn header(&mut self) -> Result<Columns> {
        let header = self.next().ok_or_else(|| cut_off("it is empty"))?;
        let names: Vec<&[u8]> = header.split(|byte| *byte == b'\t').collect();
        let at = |name: &str| {
            let found = names
                .iter()
                .position(|column| column.trim_ascii() == name.as_bytes());
            found.ok_or_else(|| {
                let message = format!("a report has no column {name}");
                Fault::stop_flow(errors::REPORT_INVALID, message)
            })
        };
        let mut columns = Columns {
            count: names.len(),
            at: [0; 9],
            quantity: at(QUANTITY)?,
        };
        for (place, name) in columns.at.iter_mut().zip(COLUMNS) {
            *place = at(name)?;
        }
        Ok(columns)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// Whether an order is of one of the account's marketplaces. A report may hold those of a whole region; orders
/// that came to Amazon from elsewhere are kept, for a marketplace's search lists them, too.
fn is_for(row: &Row, account: &Account) -> bool {
    let channel = row.channel.as_deref().unwrap_or_default();
    let named = |name: &str| channel.eq_ignore_ascii_case(name);
    let elsewhere = channel.to_ascii_lowercase().starts_with("amazon.");
    !elsewhere || account.marketplaces.iter().any(|one| named(one.name))
}

/// Whether a report holds all that is selected.
fn suffices(select: &Selection) -> bool {
    let fields = select.fields.iter().all(|field| {
        let of_items = field.strip_prefix("orderItems.");
        FIELDS.contains(&field.as_str()) || of_items.is_some_and(|it| ITEM_FIELDS.contains(&it))
    });
    let lists = select.lists.iter().all(|(list, fields)| {
        list == "orderItems" && fields.iter().all(|it| ITEM_FIELDS.contains(&it.as_str()))
    });
    fields && lists
}

/// An order by its lines, of which there is at least one.
fn change(rows: Vec<Row>, gives_body: bool) -> Change {
    let first = rows.first().cloned().unwrap_or_default();
    let id = KIND.id(first.id.clone().unwrap_or_default());
    let updated = first.updated.as_deref().and_then(Moment::instant);
    let version = updated.map(|time| Version(time.as_millisecond()));
    let body = gives_body.then(|| body(&first, &rows)).flatten();
    let is_good = |body: &Value| Id::parse(&id.id).is_some() && bad_only_in_what_reports_lack(body);
    Change {
        version,
        record: version
            .zip(body.filter(is_good))
            .map(|(version, body)| Record {
                id: id.clone(),
                version,
                body,
            }),
        id,
    }
}

/// Reports have no ids of lines; nothing else may be wrong.
fn bad_only_in_what_reports_lack(body: &Value) -> bool {
    let bad = check::bad_fields(body);
    bad.iter().all(|field| field.path.ends_with(".orderItemId"))
}

fn body(first: &Row, rows: &[Row]) -> Option<Value> {
    // Of a cancelled order the quantities are not what was ordered.
    if first.status.as_deref()?.eq_ignore_ascii_case("Cancelled") {
        return None;
    }
    let channel = first.channel.as_deref()?;
    let mut marketplaces = MARKETPLACES.iter();
    let marketplace = marketplaces.find(|one| channel.eq_ignore_ascii_case(one.name))?;
    let fulfilled = match first.fulfilled.as_deref()? {
        "Amazon" => "AMAZON",
        "Merchant" => "MERCHANT",
        _ => return None,
    };
    let items = rows.iter().map(|row| {
        let quantity: u32 = row.quantity.as_deref()?.parse().ok()?;
        Some(json!({
            "quantityOrdered": quantity,
            "product": {
                "sellerSku": row.sku.as_deref()?,
                "asin": row.asin.as_deref()?,
                "title": row.title.as_deref()?,
            },
        }))
    });
    Some(json!({
        "orderId": first.id,
        "createdTime": first.created,
        "lastUpdatedTime": first.updated,
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": marketplace.id,
            "marketplaceName": marketplace.name,
        },
        "fulfillment": {"fulfilledBy": fulfilled},
        "orderItems": items.collect::<Option<Vec<Value>>>()?,
    }))
}

#[cfg(test)]
mod tests;
