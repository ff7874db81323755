//! Questions about a record: is it in scope, is this line taken, is this field set.

use serde_json::Value;

use crate::convert::kind;
use crate::number::Digits;
use crate::path::Path;
use crate::scope::Scope;

/// One question about one value.
#[derive(Clone, Debug)]
pub struct Condition {
    pub path: Path,
    pub test: Test,
}

/// What is asked. An absent value equals nothing and is in no list.
#[derive(Clone, Debug)]
pub enum Test {
    /// One of these: `equals`, `in`.
    In(Vec<Operand>),
    /// None of these: `not_equals`, `not_in`.
    NotIn(Vec<Operand>),
    /// Whether there is a value at all.
    Exists(bool),
}

/// A value of the mapping that a record's is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    Text(String),
    Number(Digits),
    Boolean(bool),
}

impl Condition {
    /// The answer. `Err` where the value can't be compared, naming the source path.
    pub fn holds(&self, scope: &Scope) -> Result<bool, String> {
        let value = self.path.find(scope);
        let (operands, wanted) = match &self.test {
            Test::Exists(wanted) => return Ok(value.is_some() == *wanted),
            Test::In(operands) => (operands, true),
            Test::NotIn(operands) => (operands, false),
        };
        let Some(value) = value else {
            return Ok(!wanted);
        };
        for operand in operands {
            match operand.equals(value) {
                Some(true) => return Ok(wanted),
                Some(false) => {}
                None => {
                    let (place, is) = (scope.source(&self.path), kind(value));
                    let with = operand.kind();
                    return Err(format!("{place} is {is}, but is compared with {with}"));
                }
            }
        }
        Ok(!wanted)
    }
}

impl Operand {
    /// `None` where the two can't be compared.
    fn equals(&self, value: &Value) -> Option<bool> {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => Some(text == value),
            (Self::Boolean(wanted), Value::Bool(value)) => Some(wanted == value),
            (Self::Number(digits), Value::Number(value)) => {
                Some(Digits::parse(value.as_str()).as_ref() == Some(digits))
            }
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "true or false",
        }
    }
}

/// Whether all hold.
pub fn all_hold(conditions: &[Condition], scope: &Scope) -> Result<bool, String> {
    for condition in conditions {
        if !condition.holds(scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}
