//! What the account demands of a sales order, and what it works out itself.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};

use super::Rules;
use super::answer::{Detail, Place, Problem};
use super::schema::Family;
use super::store::{Cell, Line, Record, Store};
use super::write::{Manner, require};

/// Decimal places of an amount in a currency that does not say.
const CURRENCY_PLACES: u32 = 2;
/// Decimal places a rate is kept at.
const RATE_PLACES: u32 = 8;

/// Fills in defaults, works out amounts, total and status, and refuses what the rules forbid.
pub(super) fn settle(
    store: &mut Store,
    rules: &Rules,
    before: &Record,
    draft: &mut Record,
    manner: &Manner,
    now: Timestamp,
) -> Result<(), Problem> {
    require(draft, &["entity"])?;
    header(store, before, draft, now)?;
    check_period(rules, draft)?;
    check_processed(before, draft)?;
    for index in 0..draft.lines("item").len() {
        line(store, draft, index)?;
    }
    has_lines(draft)?;
    if draft.text("tranId").is_none() {
        let number = store.next_order_number();
        draft.fields.insert("tranId", Cell::Text(number));
    }
    total(draft)?;
    approve(rules, before, draft, manner)?;
    let status = status(draft);
    draft.fields.insert("status", Cell::Choice(status));
    draft.fields.insert("orderStatus", Cell::Choice(status));
    Ok(())
}

pub(super) fn has_lines(draft: &Record) -> Result<(), Problem> {
    if draft.lines("item").is_empty() {
        return Err(Problem::user_error(
            "You must enter at least one line item for this transaction.",
        ));
    }
    Ok(())
}

/// What the customer decides: subsidiary, currency, terms.
pub(super) fn header(
    store: &Store,
    before: &Record,
    draft: &mut Record,
    now: Timestamp,
) -> Result<(), Problem> {
    let entity = draft.reference("entity").unwrap_or_default();
    let invalid = |id: u64, field: &str| {
        Problem::bad_request(Detail::invalid_field_value(&id.to_string(), field, field))
    };
    let Some(customer) = store.get(Family::Entity, entity) else {
        return Err(invalid(entity, "entity"));
    };
    if customer.flag("isInactive") && before.reference("entity") != Some(entity) {
        return Err(invalid(entity, "entity"));
    }
    let names = ["subsidiary", "currency", "terms"];
    for name in names
        .into_iter()
        .filter(|name| draft.kind.field(name).is_some())
    {
        let inherits = !draft.fields.contains_key(name) && (draft.id == 0 || name != "terms");
        if inherits && let Some(id) = customer.reference(name) {
            draft.fields.insert(name, Cell::Ref(id));
        }
    }
    let subsidiary = draft.reference("subsidiary").unwrap_or_default();
    if customer.reference("subsidiary") != Some(subsidiary) {
        return Err(invalid(subsidiary, "subsidiary"));
    }
    let currency = draft.reference("currency").unwrap_or_default();
    if !customer
        .lines("currencyList")
        .iter()
        .any(|line| line.key == currency)
    {
        return Err(invalid(currency, "currency"));
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    draft.fields.entry("tranDate").or_insert(Cell::Date(today));
    draft
        .fields
        .entry("exchangeRate")
        .or_insert(Cell::Number(Decimal::ONE));
    Ok(())
}

pub(super) fn check_period(rules: &Rules, draft: &Record) -> Result<(), Problem> {
    let closed = |date: &Date| rules.closed_before.is_some_and(|limit| *date < limit);
    match draft.fields.get("tranDate") {
        Some(Cell::Date(date)) if closed(date) => Err(Problem::user_error(
            "The date you entered is in a closed period. Enter a date in an open period.",
        )),
        _ => Ok(()),
    }
}

/// Lines that were fulfilled or billed stay, keep their item, and keep at least what was processed.
fn check_processed(before: &Record, draft: &Record) -> Result<(), Problem> {
    for old in before.lines("item") {
        let processed = number(old, "quantityFulfilled").max(number(old, "quantityBilled"));
        if processed.is_zero() {
            continue;
        }
        let Some(new) = draft.lines("item").iter().find(|line| line.key == old.key) else {
            return Err(Problem::user_error(format!(
                "Line {} cannot be removed because it has been fulfilled or billed.",
                old.key
            )));
        };
        if new.fields.get("item") != old.fields.get("item") || number(new, "quantity") < processed {
            return Err(Problem::user_error(format!(
                "Line {} cannot be changed because it has been fulfilled or billed.",
                old.key
            )));
        }
    }
    Ok(())
}

fn number(line: &Line, name: &str) -> Decimal {
    match line.fields.get(name) {
        Some(Cell::Number(number)) => *number,
        _ => Decimal::ZERO,
    }
}

fn given(line: &Line, name: &str) -> Option<Decimal> {
    match line.fields.get(name) {
        Some(Cell::Number(number)) => Some(*number),
        _ => None,
    }
}

/// Checks the item, and works out whichever of rate and amount the line does not give.
pub(super) fn line(store: &mut Store, draft: &mut Record, index: usize) -> Result<(), Problem> {
    let path = format!("item.items[{index}]");
    let subsidiary = draft.reference("subsidiary").unwrap_or_default();
    let places = places(store, draft);
    let lines = draft.sublists.entry("item").or_default();
    let Some(line) = lines.get_mut(index) else {
        return Ok(());
    };
    let Some(Cell::Ref(item)) = line.fields.get("item").cloned() else {
        let detail = Detail::user_error("Please enter value(s) for: Item.");
        return Err(Problem::bad_request(detail.at(Place::Path(path))));
    };
    let is_new = !line.fields.contains_key("lineUniqueKey");
    check_item(store, item, subsidiary, is_new, &path)?;
    let quantity = given(line, "quantity").unwrap_or(Decimal::ONE);
    line.fields.insert("quantity", Cell::Number(quantity));
    let too_large =
        || Problem::bad_request(Detail::invalid_value("amount", &format!("{path}.amount")));
    let (rate, amount) = match (given(line, "rate"), given(line, "amount")) {
        (Some(rate), Some(amount)) => (rate, amount),
        (Some(rate), None) => (rate, rate.checked_mul(quantity).ok_or_else(too_large)?),
        (None, Some(amount)) => (amount.checked_div(quantity).unwrap_or(amount), amount),
        (None, None) => {
            let detail = Detail::user_error("Please enter value(s) for: Amount.");
            return Err(Problem::bad_request(detail.at(Place::Path(path))));
        }
    };
    let half_up = RoundingStrategy::MidpointAwayFromZero;
    let rate = rate
        .round_dp_with_strategy(RATE_PLACES, half_up)
        .normalize();
    let amount = amount.round_dp_with_strategy(places, half_up);
    line.fields.insert("rate", Cell::Number(rate));
    line.fields.insert("amount", Cell::Number(amount));
    line.fields.entry("isClosed").or_insert(Cell::Flag(false));
    for name in ["quantityFulfilled", "quantityBilled"] {
        line.fields
            .entry(name)
            .or_insert(Cell::Number(Decimal::ZERO));
    }
    let number = i64::try_from(line.key).unwrap_or(i64::MAX);
    line.fields.insert("line", Cell::Integer(number));
    if is_new {
        let key = store.next_line_key();
        line.fields.insert("lineUniqueKey", Cell::Text(key));
    }
    Ok(())
}

/// Decimal places of an amount of this order.
fn places(store: &Store, draft: &Record) -> u32 {
    let currency = draft.reference("currency");
    let currency = currency.and_then(|id| store.get(Family::Currency, id));
    let places = currency.and_then(|currency| currency.fields.get("currencyPrecision"));
    match places {
        Some(Cell::Integer(places)) => u32::try_from(*places).unwrap_or(CURRENCY_PLACES),
        _ => CURRENCY_PLACES,
    }
}

fn check_item(
    store: &Store,
    item: u64,
    subsidiary: u64,
    is_new: bool,
    path: &str,
) -> Result<(), Problem> {
    let found = store.get(Family::Item, item);
    let usable = found.is_some_and(|record| !(is_new && record.flag("isInactive")));
    if !usable {
        let path = format!("{path}.item");
        let detail = Detail::invalid_field_value(&item.to_string(), "item", &path);
        return Err(Problem::bad_request(detail));
    }
    if let Some(Cell::Refs(subsidiaries)) = found.and_then(|record| record.fields.get("subsidiary"))
        && !subsidiaries.is_empty()
        && !subsidiaries.contains(&subsidiary)
    {
        let text = format!("Invalid item reference key {item} for subsidiary {subsidiary}.");
        return Err(Problem::bad_request(
            Detail::user_error(text).at(Place::Path(path.to_owned())),
        ));
    }
    Ok(())
}

/// The sum of the lines, exact. Closed lines count, as they do in the account's own total.
pub(super) fn total(draft: &mut Record) -> Result<(), Problem> {
    let mut sum = Decimal::ZERO;
    for line in draft.lines("item") {
        sum = sum
            .checked_add(number(line, "amount"))
            .ok_or_else(|| Problem::bad_request(Detail::invalid_value("amount", "item")))?;
    }
    draft.fields.insert("subtotal", Cell::Number(sum));
    draft.fields.insert("total", Cell::Number(sum));
    Ok(())
}

/// Whether the order is approved: from outside only `A` and `B` can be set, and `A` only while nothing
/// was processed.
fn approve(
    rules: &Rules,
    before: &Record,
    draft: &mut Record,
    manner: &Manner,
) -> Result<(), Problem> {
    let (stood, stood_approved) = match before.fields.get("orderStatus") {
        Some(Cell::Choice(status)) => (Some(*status), before.flag("approved")),
        _ => (None, rules.orders_start_approved),
    };
    let wanted = match draft.fields.get("orderStatus") {
        Some(Cell::Choice(status)) if Some(*status) != stood => Some(*status),
        _ => None,
    };
    let approved = match wanted {
        None => stood_approved,
        Some("A") if !before.lines("item").iter().any(is_processed) => false,
        Some("B") => true,
        Some("C") if manner.user && !stood_approved => {
            draft.cancelled = true;
            false
        }
        Some(other) => {
            let detail = Detail::invalid_field_value(other, "orderStatus", "orderStatus");
            return Err(Problem::bad_request(detail));
        }
    };
    draft.fields.insert("approved", Cell::Flag(approved));
    Ok(())
}

fn is_processed(line: &Line) -> bool {
    !number(line, "quantityFulfilled").is_zero() || !number(line, "quantityBilled").is_zero()
}

/// The status NetSuite derives from approval, closing, fulfilment and billing.
pub(super) fn status(order: &Record) -> &'static str {
    if order.cancelled {
        return "C";
    }
    let lines = order.lines("item");
    let open: Vec<&Line> = lines
        .iter()
        .filter(|line| line.fields.get("isClosed") != Some(&Cell::Flag(true)))
        .collect();
    let billed = lines
        .iter()
        .any(|line| !number(line, "quantityBilled").is_zero());
    if open.is_empty() && !billed {
        return "H";
    }
    if !order.flag("approved") {
        return "A";
    }
    let all = |name: &str| {
        open.iter()
            .all(|line| number(line, name) >= number(line, "quantity"))
    };
    let fulfilled = lines
        .iter()
        .any(|line| !number(line, "quantityFulfilled").is_zero());
    match () {
        () if all("quantityBilled") => "G",
        () if all("quantityFulfilled") => "F",
        () if billed => "E",
        () if fulfilled => "D",
        () => "B",
    }
}
