//! SOQL: text to syntax to a plan checked against the schema, and the rows and JSON it gives.
//! <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/>
//!
//! Left out, and refused by name: grouping and aggregates other than `COUNT`, `TYPEOF`, `WITH`, `FOR`.

mod lexer;
mod operand;
mod parser;
mod plan;
mod render;
mod run;
mod syntax;

#[cfg(test)]
mod tests;

pub(super) use plan::{Filter, Plan};
pub(super) use render::{Pages, render};
pub(super) use run::{Scope, count, matches, rows};

use super::{error::Error, schema::Object};

/// Longest query text accepted.
pub(super) const QUERY_LENGTH_MAX: usize = 100_000;

/// Reads and checks a query.
pub(super) fn plan(text: &str) -> Result<Plan, Error> {
    if text.len() > QUERY_LENGTH_MAX {
        return Err(Error::bad(
            "MALFORMED_QUERY",
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let query = parser::query(text)?;
    plan::plan(text, &query)
}

/// Reads and checks what would stand after `WHERE` in a query on one type.
pub(super) fn condition(object: &'static Object, text: &str) -> Result<Filter, Error> {
    let query = format!("SELECT Id FROM {} WHERE {text}", object.name);
    let plan = plan(&query)?;
    match plan.filter {
        Some(filter) if plan.semi_joins.is_empty() => Ok(filter),
        _ => Err(Error::bad(
            "MALFORMED_QUERY",
            "a rule's criteria cannot hold a subquery",
        )),
    }
}

/// A refusal that shows where in the text it arose.
fn error_at(code: &'static str, text: &str, at: usize, message: &str) -> Error {
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    let (before, after) = text.split_at(at);
    let row = before.matches('\n').count() + 1;
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = line.chars().count() + 1;
    let lead: String = {
        let start = line.chars().count().saturating_sub(40);
        line.chars().skip(start).collect()
    };
    let rest: String = after.chars().take_while(|&c| c != '\n').take(40).collect();
    let caret = " ".repeat(lead.chars().count());
    Error::bad(
        code,
        format!("\n{lead}{rest}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}"),
    )
}
