//! What a field is compared with: literals checked against the field's type.

use jiff::civil::Date;

use super::{
    plan::{Planner, Reach},
    syntax::{Literal, Path},
};
use crate::salesforce::{convert::to_the_second, error::Error, id::Id, schema::Kind, value::Value};

/// What a field is compared with.
#[derive(Clone, Debug)]
pub(in crate::salesforce) enum Operand {
    Value(Value),
    /// Days from the day the query runs, first to last.
    Days(i64, i64),
}

impl Planner<'_> {
    /// The literal as a value of the field's type, or what Salesforce says of one that is not.
    pub(super) fn operand(
        &self,
        path: &Path,
        reach: &Reach,
        literal: &Literal,
    ) -> Result<Operand, Error> {
        let value = match (reach.kind(), literal) {
            (_, Literal::Null) => Value::Null,
            (Kind::Id | Kind::Reference { .. }, Literal::Text(text)) => match Id::parse(text) {
                Some(id) => Value::Id(id),
                None => {
                    let message = format!(
                        "invalid ID field: {}",
                        text.chars().take(80).collect::<String>()
                    );
                    return Err(self.at_path("INVALID_QUERY_FILTER_OPERATOR", path, &message));
                }
            },
            (Kind::Text(_) | Kind::Picklist { .. }, Literal::Text(text)) => {
                Value::Text(text.clone())
            }
            (Kind::Boolean, Literal::Bool(truth)) => Value::Bool(*truth),
            (Kind::Int | Kind::Double(..) | Kind::Currency(..), Literal::Number(number)) => {
                Value::Number(*number)
            }
            (Kind::Date, Literal::Date(date)) => Value::Date(*date),
            (Kind::DateTime, Literal::DateTime(time)) => {
                Value::DateTime(to_the_second(*time).unwrap_or(*time))
            }
            (Kind::Date | Kind::DateTime, Literal::Days(first, last)) => {
                return Ok(Operand::Days(*first, *last));
            }
            (kind, _) => {
                let quotes = if is_text(kind) || is_id(kind) {
                    "should be enclosed in quotes"
                } else {
                    "should not be enclosed in quotes"
                };
                let message = format!(
                    "value of filter criterion for field '{}' must be of type {} and {quotes}",
                    reach.object.fields[reach.field].name,
                    type_name(kind)
                );
                return Err(self.at_path("INVALID_FIELD", path, &message));
            }
        };
        Ok(Operand::Value(value))
    }
}

impl Operand {
    /// The first and last value it covers.
    pub(super) fn bounds(&self, kind: Kind, today: Date) -> (Value, Value) {
        let (first, last) = match self {
            Self::Value(value) => return (value.clone(), value.clone()),
            Self::Days(first, last) => (*first, *last),
        };
        let day = |offset: i64| today.saturating_add(jiff::Span::new().days(offset));
        if kind != Kind::DateTime {
            return (Value::Date(day(first)), Value::Date(day(last)));
        }
        let time = |date: Date, hour, minute, second| {
            let zoned = date
                .at(hour, minute, second, 0)
                .to_zoned(jiff::tz::TimeZone::UTC);
            zoned.map_or(Value::Null, |zoned| Value::DateTime(zoned.timestamp()))
        };
        (time(day(first), 0, 0, 0), time(day(last), 23, 59, 59))
    }
}

pub(super) fn is_text(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text(_) | Kind::LongText(_) | Kind::Picklist { .. }
    )
}

pub(super) fn is_id(kind: Kind) -> bool {
    matches!(kind, Kind::Id | Kind::Reference { .. })
}

pub(super) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference { .. } => "id",
        Kind::Text(_) | Kind::LongText(_) | Kind::Picklist { .. } => "string",
        Kind::Boolean => "boolean",
        Kind::Int => "int",
        Kind::Currency(..) | Kind::Double(..) => "double",
        Kind::Date => "date",
        Kind::DateTime => "dateTime",
    }
}
