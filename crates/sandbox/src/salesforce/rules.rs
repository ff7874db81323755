//! The organization's rules: what must be given, what may refer to what, what follows from what.

use super::{
    Salesforce,
    convert::round,
    error::Error,
    id::Id,
    schema::{Kind, Object, object as find_object},
    value::Value,
};

impl Salesforce {
    pub(super) fn check_required(&self, object: &Object, values: &[Value]) -> Result<(), Error> {
        let missing: Vec<&str> = object
            .fields
            .iter()
            .zip(values)
            .filter(|(field, value)| field.required && value.is_null())
            .map(|(field, _)| field.name)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        Err(Error::write("REQUIRED_FIELD_MISSING", message, missing))
    }

    pub(super) fn check_references(
        &self,
        object: &Object,
        row: Option<usize>,
        values: &[Value],
    ) -> Result<(), Error> {
        for (index, field) in object.fields.iter().enumerate() {
            let Kind::Reference { object: target, .. } = field.kind else {
                continue;
            };
            let Some(id) = values[index].id() else {
                continue;
            };
            if row.is_some_and(|row| self.store.table(object).get(row, index) == &values[index]) {
                continue;
            }
            let Some(target) = find_object(target) else {
                continue;
            };
            let table = self.store.table(target);
            match table.row(id) {
                None => {
                    let message = "invalid cross reference id";
                    let code = "INVALID_CROSS_REFERENCE_KEY";
                    return Err(Error::write(code, message, Vec::<String>::new()));
                }
                Some(found) if table.is_deleted(found) => {
                    let code = "ENTITY_IS_DELETED";
                    return Err(Error::write(code, "entity is deleted", [field.name]));
                }
                Some(_) => {}
            }
            if field.name == "ParentId" {
                self.check_no_circle(object, index, row, id)?;
            }
        }
        Ok(())
    }

    fn check_no_circle(
        &self,
        object: &Object,
        field: usize,
        row: Option<usize>,
        parent: Id,
    ) -> Result<(), Error> {
        let table = self.store.table(object);
        let Some(own) = row.and_then(|row| table.id(row)) else {
            return Ok(());
        };
        let mut next = Some(parent);
        // No chain is longer than the table.
        for _ in table.rows() {
            match next {
                None => return Ok(()),
                Some(id) if id == own => {
                    let message = "attempt to create a circular reference in the account hierarchy";
                    return Err(Error::write("CIRCULAR_DEPENDENCY", message, ["ParentId"]));
                }
                Some(id) => next = table.row(id).and_then(|row| table.get(row, field).id()),
            }
        }
        Ok(())
    }

    pub(super) fn check_unique(
        &self,
        object: &Object,
        row: Option<usize>,
        values: &[Value],
    ) -> Result<(), Error> {
        let table = self.store.table(object);
        for (index, field) in object
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.unique)
        {
            let Some(key) = values[index].text() else {
                continue;
            };
            let other = table
                .keyed(index, key)
                .find(|&found| Some(found) != row && !table.is_deleted(found))
                .and_then(|found| table.id(found));
            if let Some(other) = other {
                let message = format!(
                    "duplicate value found: {} duplicates value on record with id: {}",
                    field.name,
                    other.short()
                );
                return Err(Error::write(
                    "DUPLICATE_VALUE",
                    message,
                    Vec::<String>::new(),
                ));
            }
        }
        Ok(())
    }

    pub(super) fn check_no_won_opportunity(&self, account: Id) -> Result<(), Error> {
        let Some(kind) = find_object("Opportunity") else {
            return Ok(());
        };
        let (Some(of), Some(won)) = (kind.field("AccountId"), kind.field("IsWon")) else {
            return Ok(());
        };
        let table = self.store.table(kind);
        let held = table
            .referring(of, account)
            .any(|row| !table.is_deleted(row) && table.get(row, won) == &Value::Bool(true));
        if !held {
            return Ok(());
        }
        let message = "Your attempt to delete this account could not be completed because it is \
                       associated with closed won opportunities.";
        Err(Error::write("DELETE_FAILED", message, Vec::<String>::new()))
    }

    /// The amount of an opportunity with lines is their sum; writing it is ignored, not refused.
    pub(super) fn freeze_amount(
        &self,
        object: &Object,
        row: usize,
        given: &mut Vec<(usize, Value)>,
    ) {
        if object.name != "Opportunity" {
            return;
        }
        let has_lines = object
            .field("HasOpportunityLineItem")
            .is_some_and(|field| self.store.table(object).get(row, field) == &Value::Bool(true));
        if has_lines {
            let amount = object.field("Amount");
            given.retain(|(index, _)| Some(*index) != amount);
        }
    }

    /// Fields that follow from others.
    pub(super) fn derive(
        &self,
        object: &Object,
        values: &mut [Value],
        before: Option<&[Value]>,
    ) -> Result<(), Error> {
        match object.name {
            "Opportunity" => derive_stage(object, values, before),
            "OpportunityLineItem" => {
                self.derive_line(object, values);
                derive_price(object, values, before)
            }
            _ => Ok(()),
        }
    }

    fn derive_line(&self, object: &Object, values: &mut [Value]) {
        let of = |index: Option<usize>, name: &str, field: &str| -> Value {
            let kind = find_object(name);
            let read = || {
                let table = self.store.table(kind?);
                let row = table.row(values[index?].id()?)?;
                Some(table.get(row, kind?.field(field)?).clone())
            };
            read().unwrap_or(Value::Null)
        };
        let product = object.field("Product2Id");
        let opportunity = object.field("OpportunityId");
        let code = of(product, "Product2", "ProductCode");
        let currency = of(opportunity, "Opportunity", "CurrencyIsoCode");
        let names = (
            of(opportunity, "Opportunity", "Name"),
            of(product, "Product2", "Name"),
        );
        let name = format!("{} {}", names.0.plain(), names.1.plain());
        for (field, value) in [
            ("ProductCode", code),
            ("CurrencyIsoCode", currency),
            ("Name", Value::Text(name)),
        ] {
            if let Some(index) = object.field(field) {
                values[index] = value;
            }
        }
    }
}

fn derive_stage(
    object: &Object,
    values: &mut [Value],
    before: Option<&[Value]>,
) -> Result<(), Error> {
    let at = |name: &str| object.field(name).unwrap_or_default();
    let stage = values[at("StageName")].text().unwrap_or_default();
    let (won, lost) = (stage == "Closed Won", stage == "Closed Lost");
    values[at("IsWon")] = Value::Bool(won);
    values[at("IsClosed")] = Value::Bool(won || lost);
    let currency = at("CurrencyIsoCode");
    let has_lines = values[at("HasOpportunityLineItem")] == Value::Bool(true);
    if has_lines && before.is_some_and(|before| before[currency] != values[currency]) {
        let message = "field integrity exception: CurrencyIsoCode (Cannot change currency of an \
                       opportunity that has products)";
        return Err(Error::write(
            "FIELD_INTEGRITY_EXCEPTION",
            message,
            ["CurrencyIsoCode"],
        ));
    }
    Ok(())
}

/// Of price and total, what was given decides the other.
fn derive_price(
    object: &Object,
    values: &mut [Value],
    before: Option<&[Value]>,
) -> Result<(), Error> {
    let at = |name: &str| object.field(name).unwrap_or_default();
    let (quantity, unit, total) = (at("Quantity"), at("UnitPrice"), at("TotalPrice"));
    let changed = |index: usize| before.is_none_or(|before| before[index] != values[index]);
    let (unit_given, total_given) = match before {
        None => (!values[unit].is_null(), !values[total].is_null()),
        Some(_) => (changed(unit), changed(total)),
    };
    if before.is_none() && unit_given && total_given {
        let message = "You can't specify both the unit price and the total price of a line";
        return Err(Error::write(
            "FIELD_INTEGRITY_EXCEPTION",
            message,
            ["TotalPrice"],
        ));
    }
    let count = values[quantity].number().unwrap_or_default();
    if total_given && !unit_given {
        let sum = values[total].number().unwrap_or_default();
        let price = sum.checked_div(count).ok_or_else(|| {
            Error::write(
                "FIELD_INTEGRITY_EXCEPTION",
                "Quantity must be nonzero",
                ["Quantity"],
            )
        })?;
        values[unit] = Value::Number(round(price, 2));
        return Ok(());
    }
    let Some(price) = values[unit].number() else {
        let message = "Required fields are missing: [UnitPrice]";
        return Err(Error::write(
            "REQUIRED_FIELD_MISSING",
            message,
            ["UnitPrice"],
        ));
    };
    let sum = price.checked_mul(count).ok_or_else(|| {
        let message = "Total Price: value outside of valid range on numeric field";
        Error::write("NUMBER_OUTSIDE_VALID_RANGE", message, ["TotalPrice"])
    })?;
    values[total] = Value::Number(round(sum, 2));
    Ok(())
}
