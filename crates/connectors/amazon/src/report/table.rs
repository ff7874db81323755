//! The lines of an order report, and the orders they name.
//!
//! Cells are divided by tabs and nothing else: a product's name may begin with a quotation mark that nothing
//! ends (`amzn/selling-partner-api-models#2739`). In every character set a report comes in, a tab and the end of
//! a line are what they are in ASCII, and so are ids and the names of marketplaces; nothing else is read. Which
//! set it is is not always said (`amzn/selling-partner-api-models#2748`).
//! <https://developer-docs.amazon.com/sp-api/docs/order-tracking-reports-attributes>

use std::collections::HashSet;

use sluice_core::{Change, Fault};

use super::document::{Document, cut_off};
use super::lines::{Lines, Unread};
use crate::errors;
use crate::order::KIND;
use crate::settings::Account;

/// Some orders of a document.
#[derive(Debug)]
pub struct Read {
    pub changes: Vec<Change>,
    /// How many of the document's lines this page stands for, those of other marketplaces included.
    pub lines: usize,
    /// Whether others follow.
    pub more: bool,
}

/// Orders from the line after `listed` on, at most so many. The first page looks at the whole document, so that
/// one that is cut off or too large is seen before anything of it is listed; the others end with their last order.
///
/// Each order is fetched by itself: a report has neither its money nor its lines' ids. It has no version, either:
/// nobody says that a report's `last-updated-date` is of the clock of `lastUpdatedTime`, and of one that runs
/// ahead an order would pass for older than announced for ever.
///
/// An order whose lines do not stand together may be on two pages, which makes one item of the queue.
///
/// Fault: `AMAZON_REPORT_INVALID`: (retry) for a document that is cut off, (stop the flow) for one that is whole
/// and has a line that is not, or lacks columns.
pub fn read(
    document: &Document,
    account: &Account,
    listed: usize,
    order_count_max: usize,
) -> Result<Read, Unread> {
    read_from(&mut Lines::of(document)?, account, listed, order_count_max)
}

fn read_from(
    lines: &mut Lines<'_>,
    account: &Account,
    listed: usize,
    order_count_max: usize,
) -> Result<Read, Unread> {
    let columns = Columns::of(lines)?;
    for _ in 0..listed {
        lines
            .next()?
            .ok_or_else(|| cut_off("it was longer before"))?;
    }
    let is_whole = lines.is_whole();
    let mut seen: HashSet<String> = HashSet::new();
    let mut read = Read {
        changes: Vec::new(),
        lines: 0,
        more: false,
    };
    let mut number = listed + 1;
    while let Some(line) = lines.next()? {
        number += 1;
        let row = columns
            .row(line)
            .map_err(|why| broken(is_whole, number, &why))?;
        if read.more {
            continue; // Of the first page: only looked at.
        }
        let is_ours = is_for(row.channel, account);
        if is_ours && seen.len() == order_count_max && !seen.contains(row.id) {
            read.more = true;
            match listed {
                0 => continue,
                _ => break,
            }
        }
        read.lines += 1;
        if is_ours && seen.insert(row.id.to_owned()) {
            read.changes.push(Change {
                id: KIND.id(row.id),
                version: None,
                record: None,
            });
        }
    }
    Ok(read)
}

/// Of a document that came whole the next download has the same line.
fn broken(is_whole: bool, number: usize, why: &str) -> Fault {
    let why = format!("line {number} {why}");
    match is_whole {
        true => Fault::stop_flow(errors::REPORT_INVALID, format!("in a report, {why}")),
        false => cut_off(&why),
    }
}

/// What is read of a line.
struct Row<'a> {
    id: &'a str,
    channel: &'a [u8],
}

/// Where the columns stand.
struct Columns {
    count: usize,
    id: usize,
    channel: usize,
}

impl Columns {
    /// Reads the header.
    ///
    /// Fault: `AMAZON_REPORT_INVALID`: (retry) for an empty document, (stop the flow) for other columns.
    fn of(lines: &mut Lines<'_>) -> Result<Self, Unread> {
        let header = lines.next()?.ok_or_else(|| cut_off("it is empty"))?;
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        let names: Vec<&[u8]> = header.split(|byte| *byte == b'\t').collect();
        let at = |name: &str| {
            let mut names = names.iter();
            let found = names.position(|column| column.trim_ascii() == name.as_bytes());
            found.ok_or_else(|| {
                let message = format!("a report has no column {name}");
                Fault::stop_flow(errors::REPORT_INVALID, message)
            })
        };
        Ok(Self {
            count: names.len(),
            id: at("amazon-order-id")?,
            channel: at("sales-channel")?,
        })
    }

    /// `Err` says why the line is none.
    fn row<'a>(&self, line: &'a [u8]) -> Result<Row<'a>, String> {
        let (mut count, mut id, mut channel) = (0, &[][..], &[][..]);
        for cell in line.split(|byte| *byte == b'\t') {
            if count == self.id {
                id = cell;
            }
            if count == self.channel {
                channel = cell;
            }
            count += 1;
        }
        if count != self.count {
            return Err(format!("has {count} cells of {}", self.count));
        }
        let is_id = (1..=64).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
        let id = std::str::from_utf8(id).ok().filter(|_| is_id);
        let id = id.ok_or("names no order")?;
        Ok(Row { id, channel })
    }
}

/// Whether an order is of one of the account's marketplaces. A report may hold those of a whole region; orders
/// that came to Amazon from elsewhere are kept, for a marketplace's search lists them, too.
fn is_for(channel: &[u8], account: &Account) -> bool {
    let named = |name: &str| channel.eq_ignore_ascii_case(name.as_bytes());
    let begin = channel.get(..AMAZON.len()).unwrap_or_default();
    let elsewhere = begin.eq_ignore_ascii_case(AMAZON);
    !elsewhere || account.marketplaces.iter().any(|one| named(one.name))
}

const AMAZON: &[u8] = b"amazon.";

#[cfg(test)]
mod tests;
