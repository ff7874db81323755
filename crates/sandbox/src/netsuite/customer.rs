//! What the account demands of a customer.

use super::answer::Problem;
use super::schema::Family;
use super::store::{Cell, Fields, Line, Record, Store};
use super::write::require;

/// Longest chain of parents the account allows.
const PARENT_DEPTH_MAX: usize = 30;

/// Fills in defaults and refuses what the account's rules forbid.
pub(super) fn settle(store: &Store, before: &Record, draft: &mut Record) -> Result<(), Problem> {
    if draft.flag("isPerson") {
        require(draft, &["firstName", "lastName", "subsidiary"])?;
    } else {
        require(draft, &["companyName", "subsidiary"])?;
    }
    draft.fields.entry("isPerson").or_insert(Cell::Flag(false));
    draft
        .fields
        .entry("isInactive")
        .or_insert(Cell::Flag(false));
    name(draft);
    let taken = draft
        .text("entityId")
        .and_then(|name| store.by_name(Family::Entity, name))
        .is_some_and(|id| id != draft.id);
    if taken {
        return Err(Problem::user_error("This entity already exists."));
    }
    check_parent(store, draft)?;
    if draft.id != 0
        && before.reference("subsidiary") != draft.reference("subsidiary")
        && store.has_orders(draft.id)
    {
        return Err(Problem::user_error(
            "You cannot change the subsidiary of this entity because it has transactions.",
        ));
    }
    currencies(store, before, draft)?;
    addresses(draft);
    Ok(())
}

/// Without automatic numbering the customer id is the name, unless given.
fn name(draft: &mut Record) {
    if draft
        .text("entityId")
        .is_some_and(|id| !id.trim().is_empty())
    {
        return;
    }
    let name = if draft.flag("isPerson") {
        format!(
            "{} {}",
            draft.text("firstName").unwrap_or_default(),
            draft.text("lastName").unwrap_or_default()
        )
    } else {
        draft.text("companyName").unwrap_or_default().to_owned()
    };
    draft.fields.insert("entityId", Cell::Text(name));
}

fn check_parent(store: &Store, draft: &Record) -> Result<(), Problem> {
    let mut parent = draft.reference("parent");
    for _ in 0..PARENT_DEPTH_MAX {
        match parent {
            None => return Ok(()),
            Some(id) if id == draft.id => break,
            Some(id) => {
                parent = store
                    .get(Family::Entity, id)
                    .and_then(|record| record.reference("parent"));
            }
        }
    }
    Err(Problem::user_error(
        "A customer cannot be its own parent or child.",
    ))
}

/// The primary currency defaults to the subsidiary's and is always one of the customer's currencies.
fn currencies(store: &Store, before: &Record, draft: &mut Record) -> Result<(), Problem> {
    if draft.reference("currency").is_none() {
        let base = draft
            .reference("subsidiary")
            .and_then(|id| store.get(Family::Subsidiary, id))
            .and_then(|subsidiary| subsidiary.reference("currency"));
        if let Some(currency) = base {
            draft.fields.insert("currency", Cell::Ref(currency));
        }
    }
    let primary = draft.reference("currency");
    let lines = draft.sublists.entry("currencyList").or_default();
    if let Some(currency) = primary
        && !lines.iter().any(|line| line.key == currency)
    {
        let fields = Fields::from([("currency", Cell::Ref(currency))]);
        lines.insert(
            0,
            Line {
                key: currency,
                fields,
            },
        );
    }
    if lines
        .iter()
        .any(|line| !line.fields.contains_key("currency"))
    {
        return Err(Problem::user_error("Please enter value(s) for: Currency."));
    }
    let kept: Vec<u64> = lines.iter().map(|line| line.key).collect();
    let dropped = before
        .lines("currencyList")
        .iter()
        .map(|line| line.key)
        .find(|currency| {
            !kept.contains(currency)
                && store.family(Family::Transaction).any(|order| {
                    order.reference("entity") == Some(draft.id)
                        && order.reference("currency") == Some(*currency)
                })
        });
    match dropped {
        Some(_) => Err(Problem::user_error(
            "This currency cannot be removed because it is used by a transaction of this entity.",
        )),
        None => Ok(()),
    }
}

/// Lines get their ids; at most one is the default of each sort, the last to claim it.
fn addresses(draft: &mut Record) {
    let Some(lines) = draft.sublists.get_mut("addressBook") else {
        return;
    };
    for line in lines.iter_mut() {
        let id = i64::try_from(line.key).unwrap_or(i64::MAX);
        line.fields.insert("internalId", Cell::Integer(id));
    }
    for flag in ["defaultBilling", "defaultShipping"] {
        let mut claimed = false;
        for line in lines.iter_mut().rev() {
            let wants = matches!(line.fields.get(flag), Some(Cell::Flag(true)));
            line.fields.insert(flag, Cell::Flag(wants && !claimed));
            claimed |= wants;
        }
    }
}
