//! What a query says, before anything is known of the types it names.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

#[derive(Debug)]
pub(super) struct Query {
    pub(super) select: Vec<Select>,
    pub(super) from: Name,
    pub(super) alias: Option<String>,
    pub(super) condition: Option<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) all_rows: bool,
}

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// `Account.Parent.Name`: never empty.
pub(super) type Path = Vec<Name>;

#[derive(Debug)]
pub(super) enum Select {
    Path(Path),
    /// `COUNT()` or `COUNT(field)`.
    Count(Option<Path>),
    /// `FIELDS(ALL)` and its kin.
    Fields(Name),
    Children(Query),
}

#[derive(Debug)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        path: Path,
        operator: Operator,
        literal: Literal,
    },
    In {
        path: Path,
        negated: bool,
        literals: Vec<Literal>,
    },
    InRows {
        path: Path,
        negated: bool,
        query: Box<Query>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::salesforce) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Text(String),
    Number(Decimal),
    Date(Date),
    DateTime(Timestamp),
    /// `TODAY`, `LAST_N_DAYS:30`: days from today, first to last.
    Days(i64, i64),
}

#[derive(Debug)]
pub(super) struct Order {
    pub(super) path: Path,
    pub(super) descending: bool,
    pub(super) nulls_last: bool,
}
