//! Questions about a record: is it in scope, is this line taken, is this field set.

use serde_json::Value;

use crate::convert::kind;
use crate::number::Digits;
use crate::path::Path;
use crate::scope::Scope;
use crate::source::{Gap, Source};

/// One question.
#[derive(Clone, Debug)]
pub enum Condition {
    /// About a record's value.
    Asks { source: Source, test: Test },
    /// About the file's own settings: answered when the file was read.
    Settled(bool),
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
        let (source, test) = match self {
            Self::Asks { source, test } => (source, test),
            Self::Settled(answer) => return Ok(*answer),
        };
        let value = source.find(scope, Gap::Absent)?;
        let (operands, wanted) = match test {
            Test::Exists(wanted) => return Ok(value.is_some() == *wanted),
            Test::In(operands) => (operands, true),
            Test::NotIn(operands) => (operands, false),
        };
        let Some(value) = value else {
            return Ok(!wanted);
        };
        for operand in operands {
            match operand.equals(&value) {
                Some(true) => return Ok(wanted),
                Some(false) => {}
                None => {
                    let (place, is) = (source.place(scope), kind(&value));
                    let with = operand.kind();
                    return Err(format!("{place} is {is}, but is compared with {with}"));
                }
            }
        }
        Ok(!wanted)
    }

    /// The source paths it reads.
    pub fn paths(&self) -> &[Path] {
        match self {
            Self::Asks { source, .. } => source.paths(),
            Self::Settled(_) => &[],
        }
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

/// Whether the file's settings alone say no.
pub fn switched_off(conditions: &[Condition]) -> bool {
    let no = |condition: &Condition| matches!(condition, Condition::Settled(false));
    conditions.iter().any(no)
}
