//! The `q` parameter of record collections: `email START_WITH "a" AND (isInactive IS false OR id ANY_OF [5, 7])`.
//!
//! Oracle: "Record Collection Filtering" (section_1545222128).

use std::str::FromStr;

use jiff::{civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use super::answer::{Detail, Place, Problem};
use super::schema::Kind;
use super::store::{Cell, Record};

/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 32;
/// Longest filter, in bytes.
const FILTER_BYTES_MAX: usize = 32_768;

/// A parsed filter.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Is {
        field: String,
        test: Test,
        negated: bool,
        values: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Empty,
    Is,
    Contain,
    StartWith,
    EndWith,
    AnyOf,
    Between,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Operators with the number of values each takes; every one has a `_NOT` twin.
const TESTS: &[(&str, Test, Option<usize>)] = &[
    ("EMPTY", Test::Empty, Some(0)),
    ("IS", Test::Is, Some(1)),
    ("EQUAL", Test::Is, Some(1)),
    ("ON", Test::Is, Some(1)),
    ("CONTAIN", Test::Contain, Some(1)),
    ("START_WITH", Test::StartWith, Some(1)),
    ("END_WITH", Test::EndWith, Some(1)),
    ("ANY_OF", Test::AnyOf, None),
    ("BETWEEN", Test::Between, Some(2)),
    ("WITHIN", Test::Between, Some(2)),
    ("GREATER", Test::Greater, Some(1)),
    ("AFTER", Test::Greater, Some(1)),
    ("GREATER_OR_EQUAL", Test::GreaterOrEqual, Some(1)),
    ("ON_OR_AFTER", Test::GreaterOrEqual, Some(1)),
    ("LESS", Test::Less, Some(1)),
    ("BEFORE", Test::Less, Some(1)),
    ("LESS_OR_EQUAL", Test::LessOrEqual, Some(1)),
    ("ON_OR_BEFORE", Test::LessOrEqual, Some(1)),
];

impl Filter {
    /// Parses a filter over one record type. Refused with `INVALID_PARAMETER` at `q`.
    pub fn parse(text: &str, kind: &Kind) -> Result<Self, Problem> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(invalid("The query is too long."));
        }
        let mut parser = Parser {
            tokens: tokens(text)?,
            position: 0,
            kind,
        };
        let filter = parser.any(0)?;
        if parser.position < parser.tokens.len() {
            return Err(invalid("Unexpected text after the query."));
        }
        Ok(filter)
    }

    pub fn matches(&self, record: &Record) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(record)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(record)),
            Self::Is {
                field,
                test,
                negated,
                values,
            } => test.holds(value_of(record, field).as_ref(), values) != *negated,
        }
    }
}

impl Test {
    fn holds(self, value: Option<&Cell>, wanted: &[String]) -> bool {
        let Some(value) = value else {
            return self == Self::Empty;
        };
        let text = text_of(value).to_lowercase();
        let first = wanted.first().map_or("", String::as_str);
        let compared = |wanted: &str| compare(value, wanted);
        match self {
            Self::Empty => false,
            Self::Is => compared(first).is_some_and(std::cmp::Ordering::is_eq),
            Self::AnyOf => wanted
                .iter()
                .any(|one| compared(one).is_some_and(std::cmp::Ordering::is_eq)),
            Self::Contain => text.contains(&first.to_lowercase()),
            Self::StartWith => text.starts_with(&first.to_lowercase()),
            Self::EndWith => text.ends_with(&first.to_lowercase()),
            Self::Greater => compared(first).is_some_and(std::cmp::Ordering::is_gt),
            Self::GreaterOrEqual => compared(first).is_some_and(std::cmp::Ordering::is_ge),
            Self::Less => compared(first).is_some_and(std::cmp::Ordering::is_lt),
            Self::LessOrEqual => compared(first).is_some_and(std::cmp::Ordering::is_le),
            Self::Between => {
                let second = wanted.get(1).map_or("", String::as_str);
                compared(first).is_some_and(std::cmp::Ordering::is_ge)
                    && compared(second).is_some_and(std::cmp::Ordering::is_le)
            }
        }
    }
}

fn value_of(record: &Record, field: &str) -> Option<Cell> {
    if field == "id" {
        return i64::try_from(record.id).ok().map(Cell::Integer);
    }
    record.fields.get(field).cloned()
}

fn text_of(value: &Cell) -> String {
    match value {
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::Moment(moment) => moment.to_string(),
        Cell::Ref(id) => id.to_string(),
        Cell::Choice(id) => (*id).to_owned(),
        Cell::Refs(_) | Cell::Sub(_) => String::new(),
    }
}

/// `None` if the wanted text is not of the value's type.
fn compare(value: &Cell, wanted: &str) -> Option<std::cmp::Ordering> {
    match value {
        Cell::Integer(number) => Some(Decimal::from(*number).cmp(&Decimal::from_str(wanted).ok()?)),
        Cell::Number(number) => Some(number.cmp(&Decimal::from_str(wanted).ok()?)),
        Cell::Ref(id) => Some(id.cmp(&wanted.parse().ok()?)),
        Cell::Date(date) => Some(date.cmp(&date_of(wanted)?)),
        Cell::Moment(moment) => {
            let date = moment.to_zoned(TimeZone::UTC).date();
            Some(date.cmp(&date_of(wanted)?))
        }
        Cell::Flag(flag) => {
            let wanted = matches!(wanted.to_lowercase().as_str(), "true" | "t");
            Some(flag.cmp(&wanted))
        }
        other => Some(text_of(other).to_lowercase().cmp(&wanted.to_lowercase())),
    }
}

/// `11/22/2026`, as the account's users write dates, or `2026-11-22`.
pub(super) fn date_of(text: &str) -> Option<Date> {
    let text = text.split(' ').next().unwrap_or_default();
    if let Ok(date) = Date::from_str(text) {
        return Some(date);
    }
    let mut parts = text.split('/');
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    let year = parts.next()?.parse().ok()?;
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, month, day).ok()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Mark(char),
}

fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        match next {
            c if c.is_whitespace() => {
                chars.next();
            }
            '(' | ')' | '[' | ']' | ',' => {
                tokens.push(Token::Mark(next));
                chars.next();
            }
            '"' | '\'' => {
                chars.next();
                let mut quoted = String::new();
                loop {
                    match chars.next() {
                        None => return Err(invalid("A quoted value does not end.")),
                        Some('\\') => quoted.extend(chars.next()),
                        Some(c) if c == next => break,
                        Some(c) => quoted.push(c),
                    }
                }
                tokens.push(Token::Quoted(quoted));
            }
            _ => {
                let mut word = String::new();
                while let Some(&c) = chars.peek() {
                    if c.is_whitespace() || "()[],\"'".contains(c) {
                        break;
                    }
                    word.push(c);
                    chars.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: Vec<Token>,
    position: usize,
    kind: &'a Kind,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.position),
            Some(Token::Word(text)) if text.eq_ignore_ascii_case(word));
        self.position += usize::from(found);
        found
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.tokens.get(self.position) == Some(&Token::Mark(mark));
        self.position += usize::from(found);
        found
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Problem> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Problem> {
        let mut parts = vec![self.part(depth)?];
        while self.take_word("AND") {
            parts.push(self.part(depth)?);
        }
        Ok(Filter::All(parts))
    }

    fn part(&mut self, depth: usize) -> Result<Filter, Problem> {
        if depth > DEPTH_MAX {
            return Err(invalid("The query is nested too deeply."));
        }
        if self.take_mark('(') {
            let inner = self.any(depth + 1)?;
            if !self.take_mark(')') {
                return Err(invalid("A parenthesis is not closed."));
            }
            return Ok(inner);
        }
        self.condition()
    }

    fn condition(&mut self) -> Result<Filter, Problem> {
        let Some(Token::Word(field)) = self.next() else {
            return Err(invalid("A field name is expected."));
        };
        if field != "id" && self.kind.field(&field).is_none() {
            return Err(invalid(&format!(
                "Unknown field '{}' in the query.",
                field.chars().take(100).collect::<String>()
            )));
        }
        let Some(Token::Word(operator)) = self.next() else {
            return Err(invalid("An operator is expected."));
        };
        let operator = operator.to_uppercase();
        let (name, negated) = match operator.strip_suffix("_NOT").or(match operator.as_str() {
            "IS_NOT" => Some("IS"),
            _ => None,
        }) {
            Some(name) => (name, true),
            None => (operator.as_str(), false),
        };
        let Some((_, test, count)) = TESTS.iter().find(|(known, _, _)| *known == name) else {
            return Err(invalid("Unknown operator in the query."));
        };
        let values = match count {
            Some(0) => Vec::new(),
            Some(1) => vec![self.value()?],
            _ => self.list()?,
        };
        if count.is_some_and(|count| count != values.len()) {
            return Err(invalid("The operator takes another number of values."));
        }
        Ok(Filter::Is {
            field,
            test: *test,
            negated,
            values,
        })
    }

    fn value(&mut self) -> Result<String, Problem> {
        match self.next() {
            Some(Token::Word(text) | Token::Quoted(text)) => Ok(text),
            _ => Err(invalid("A value is expected.")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, Problem> {
        if !self.take_mark('[') {
            return Err(invalid("A list of values is expected."));
        }
        let mut values = vec![self.value()?];
        while self.take_mark(',') {
            values.push(self.value()?);
        }
        if !self.take_mark(']') {
            return Err(invalid("A list of values is not closed."));
        }
        Ok(values)
    }
}

fn invalid(text: &str) -> Problem {
    Problem::bad_request(
        Detail::new(
            "INVALID_PARAMETER",
            format!("Invalid query parameter 'q'. {text}"),
        )
        .at(Place::Query("q".to_owned())),
    )
}
