//! Single deeds of the selling side's people.

use jiff::{Timestamp, ToSpan, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::{Change, NewLine};
use crate::{
    EditError,
    salesforce::{Id, Salesforce},
    world::World,
};

pub(super) fn alter(
    org: &mut Salesforce,
    deal: &Json,
    change: &Change,
    now: Timestamp,
) -> Result<String, EditError> {
    let id = text(deal, "Id");
    match change {
        Change::AddLine(line) => {
            add_line(org, &id, line, now)?;
            Ok("one line more".to_owned())
        }
        Change::ChangeLine {
            line,
            quantity_hundredths,
            price_cents,
        } => {
            let fields = json!({
                "Quantity": hundredths(*quantity_hundredths),
                "UnitPrice": hundredths(*price_cents),
            });
            org.user_change("OpportunityLineItem", known(line)?, fields, now)?;
            Ok("another quantity and price".to_owned())
        }
        Change::RemoveLine { line } => {
            org.user_delete("OpportunityLineItem", known(line)?, now)?;
            Ok("one line less".to_owned())
        }
        Change::Header { po_number, days } => {
            let date: Date = text(deal, "CloseDate")
                .parse()
                .map_err(|_| EditError::Refused("the closing date is none".to_owned()))?;
            let date = date.saturating_add(days.days()).to_string();
            set(
                org,
                &id,
                json!({"PO_Number__c": po_number, "CloseDate": date}),
                now,
            )?;
            Ok("another purchase order and date".to_owned())
        }
    }
}

pub(super) fn add_line(
    org: &mut Salesforce,
    opportunity: &str,
    line: &NewLine,
    now: Timestamp,
) -> Result<Id, EditError> {
    let fields = json!({
        "OpportunityId": opportunity,
        "Product2Id": line.product,
        "Quantity": hundredths(line.quantity_hundredths),
        "UnitPrice": hundredths(line.price_cents),
        "SortOrder": line.position,
    });
    org.user_create("OpportunityLineItem", fields, now)
}

pub(super) fn set(
    org: &mut Salesforce,
    id: &str,
    fields: Json,
    now: Timestamp,
) -> Result<(), EditError> {
    org.user_change("Opportunity", known(id)?, fields, now)
}

/// With automation on, or off.
pub(super) fn told<T>(
    announced: bool,
    org: &mut Salesforce,
    edit: impl FnOnce(&mut Salesforce) -> T,
) -> T {
    if announced {
        edit(org)
    } else {
        org.quietly(edit)
    }
}

/// An opportunity with its lines, as the comparison reads it.
pub(super) fn deal(world: &World, id: &str, now: Timestamp) -> Result<Json, EditError> {
    let org = world.vendor::<Salesforce>().ok_or(EditError::Unsupported)?;
    let query = format!(
        "SELECT Id, Name, AccountId, CurrencyIsoCode, CloseDate, PO_Number__c, Amount, IsWon, \
         NetSuite_Order_Id__c, NetSuite_Order_Number__c, \
         (SELECT Id, ProductCode, Quantity, UnitPrice, Description, ServiceDate, SortOrder \
         FROM OpportunityLineItems) FROM Opportunity WHERE Id = '{}'",
        known(id)?
    );
    let found = org.select(&query, now)?.into_iter().next();
    found.ok_or_else(|| EditError::NotFound(format!("there is no opportunity {id}")))
}

pub(super) fn org(world: &mut World) -> Result<&mut Salesforce, EditError> {
    world
        .vendor_mut::<Salesforce>()
        .ok_or(EditError::Unsupported)
}

pub(super) fn known(id: &str) -> Result<Id, EditError> {
    Id::parse(id).ok_or_else(|| EditError::NotFound(format!("{id} is no id")))
}

fn hundredths(count: i64) -> String {
    Decimal::new(count, 2).to_string()
}

pub(super) fn text(record: &Json, field: &str) -> String {
    record[field].as_str().unwrap_or_default().to_owned()
}
