//! What the account demands of an invoice and of a cash sale, and what it works out itself.

use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;

use super::Rules;
use super::answer::Problem;
use super::order::{check_period, has_lines, header, line, total};
use super::schema::{Family, Kind};
use super::store::{Cell, Record, Store};
use super::write::require;

/// Fills in defaults, works out amounts, total, due date and status, and refuses what the rules forbid.
pub(super) fn settle(
    store: &mut Store,
    rules: &Rules,
    before: &Record,
    draft: &mut Record,
    now: Timestamp,
) -> Result<(), Problem> {
    require(draft, &["entity"])?;
    header(store, before, draft, now)?;
    check_period(rules, draft)?;
    for index in 0..draft.lines("item").len() {
        line(store, draft, index)?;
    }
    has_lines(draft)?;
    if draft.text("tranId").is_none() {
        let number = store.next_bill_number(prefix(draft.kind));
        draft.fields.insert("tranId", Cell::Text(number));
    }
    total(draft)?;
    if draft.kind.name == "cashSale" {
        let waits = draft.fields.entry("undepFunds").or_insert(Cell::Flag(true));
        let status = if *waits == Cell::Flag(true) { "B" } else { "C" };
        draft.fields.insert("status", Cell::Choice(status));
        return Ok(());
    }
    due_date(store, draft);
    let sum = match draft.fields.get("total") {
        Some(Cell::Number(sum)) => *sum,
        _ => Decimal::ZERO,
    };
    // Nobody pays here.
    let status = if sum.is_zero() { "B" } else { "A" };
    draft
        .fields
        .insert("amountPaid", Cell::Number(Decimal::ZERO));
    draft.fields.insert("amountRemaining", Cell::Number(sum));
    draft.fields.insert("status", Cell::Choice(status));
    Ok(())
}

fn prefix(kind: &Kind) -> &'static str {
    match kind.name {
        "cashSale" => "CS",
        _ => "INV",
    }
}

/// As many days after the date as the terms give; the date itself without terms.
fn due_date(store: &Store, draft: &mut Record) {
    if draft.fields.contains_key("dueDate") {
        return;
    }
    let Some(Cell::Date(date)) = draft.fields.get("tranDate").cloned() else {
        return;
    };
    let terms = draft.reference("terms");
    let terms = terms.and_then(|id| store.get(Family::Term, id));
    let days = match terms.and_then(|terms| terms.fields.get("daysUntilNetDue")) {
        Some(Cell::Integer(days)) => *days,
        _ => 0,
    };
    let due = date.saturating_add(days.clamp(0, 3650).days());
    draft.fields.insert("dueDate", Cell::Date(due));
}
