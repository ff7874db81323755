//! Tokens to syntax.

use super::{
    error_at,
    lexer::{Token, tokens},
    syntax::{Condition, Literal, Name, Operator, Order, Path, Query, Select},
};
use crate::salesforce::{
    convert::{date, date_time},
    error::Error,
};

/// How deep conditions and subqueries may nest.
const DEPTH_MAX: usize = 40;

/// Words that end a list of fields or start a clause, and so are no alias.
const CLAUSES: &[&str] = &[
    "WHERE", "ORDER", "LIMIT", "OFFSET", "ALL", "GROUP", "HAVING", "WITH", "FOR", "USING", "UPDATE",
];

/// Reads a whole query.
pub(super) fn query(text: &str) -> Result<Query, Error> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
    };
    let query = parser.query(0)?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl Parser<'_> {
    fn query(&mut self, depth: usize) -> Result<Query, Error> {
        self.check_depth(depth)?;
        self.expect_word("SELECT")?;
        let mut select = vec![self.select(depth)?];
        while self.take_symbol(",") {
            select.push(self.select(depth)?);
        }
        self.expect_word("FROM")?;
        let from = self.name()?;
        self.take_word("AS");
        let alias = match self.peek() {
            Token::Word(word) if !CLAUSES.iter().any(|c| c.eq_ignore_ascii_case(word)) => {
                Some(self.name()?.text)
            }
            _ => None,
        };
        let condition = if self.take_word("WHERE") {
            Some(self.condition(depth + 1)?)
        } else {
            None
        };
        let mut query = Query {
            select,
            from,
            alias,
            condition,
            order: Vec::new(),
            limit: None,
            offset: 0,
            all_rows: false,
        };
        if self.take_word("ORDER") {
            self.expect_word("BY")?;
            query.order.push(self.order()?);
            while self.take_symbol(",") {
                query.order.push(self.order()?);
            }
        }
        if self.take_word("LIMIT") {
            query.limit = Some(self.whole_number()?);
        }
        if self.take_word("OFFSET") {
            query.offset = self.whole_number()?;
        }
        if self.take_word("ALL") {
            self.expect_word("ROWS")?;
            query.all_rows = true;
        }
        Ok(query)
    }

    fn select(&mut self, depth: usize) -> Result<Select, Error> {
        if self.take_symbol("(") {
            let query = self.query(depth + 1)?;
            self.expect_symbol(")")?;
            return Ok(Select::Children(query));
        }
        let path = self.path()?;
        if path.len() > 1 || !self.take_symbol("(") {
            return Ok(Select::Path(path));
        }
        let function = &path[0];
        let select = if function.text.eq_ignore_ascii_case("COUNT") {
            let of = if self.peek() == &Token::Symbol(")") {
                None
            } else {
                Some(self.path()?)
            };
            Select::Count(of)
        } else if function.text.eq_ignore_ascii_case("FIELDS") {
            Select::Fields(self.name()?)
        } else {
            let message = format!("the sandbox does not offer the function {}", function.text);
            return Err(error_at(
                "MALFORMED_QUERY",
                self.text,
                function.at,
                &message,
            ));
        };
        self.expect_symbol(")")?;
        Ok(select)
    }

    /// `AND` and `OR` do not mix without parentheses.
    fn condition(&mut self, depth: usize) -> Result<Condition, Error> {
        self.check_depth(depth)?;
        let first = self.term(depth)?;
        for (word, join) in [
            ("AND", Condition::And as fn(Vec<Condition>) -> Condition),
            ("OR", Condition::Or),
        ] {
            if self.is_word(word) {
                let mut terms = vec![first];
                while self.take_word(word) {
                    terms.push(self.term(depth)?);
                }
                if self.is_word("AND") || self.is_word("OR") {
                    return Err(self.unexpected());
                }
                return Ok(join(terms));
            }
        }
        Ok(first)
    }

    fn term(&mut self, depth: usize) -> Result<Condition, Error> {
        self.check_depth(depth)?;
        if self.take_word("NOT") {
            return Ok(Condition::Not(Box::new(self.term(depth + 1)?)));
        }
        if self.take_symbol("(") {
            let inner = self.condition(depth + 1)?;
            self.expect_symbol(")")?;
            return Ok(inner);
        }
        let path = self.path()?;
        let negated = self.take_word("NOT");
        if negated || self.is_word("IN") {
            self.expect_word("IN")?;
            return self.list(path, negated, depth);
        }
        let operator = self.operator()?;
        let literal = self.literal()?;
        Ok(Condition::Compare {
            path,
            operator,
            literal,
        })
    }

    fn list(&mut self, path: Path, negated: bool, depth: usize) -> Result<Condition, Error> {
        self.expect_symbol("(")?;
        let condition = if self.is_word("SELECT") {
            let query = Box::new(self.query(depth + 1)?);
            Condition::InRows {
                path,
                negated,
                query,
            }
        } else {
            let mut literals = vec![self.literal()?];
            while self.take_symbol(",") {
                literals.push(self.literal()?);
            }
            Condition::In {
                path,
                negated,
                literals,
            }
        };
        self.expect_symbol(")")?;
        Ok(condition)
    }

    fn operator(&mut self) -> Result<Operator, Error> {
        let operator = match self.peek() {
            Token::Symbol("=") => Operator::Equal,
            Token::Symbol("!=" | "<>") => Operator::NotEqual,
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessOrEqual,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterOrEqual,
            Token::Word(word) if word.eq_ignore_ascii_case("LIKE") => Operator::Like,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(operator)
    }

    fn literal(&mut self) -> Result<Literal, Error> {
        let literal = match self.peek().clone() {
            Token::Text(text) => Literal::Text(text),
            Token::Figure(figure) => self.figure(&figure).ok_or_else(|| self.unexpected())?,
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NULL" => Literal::Null,
                "TRUE" => Literal::Bool(true),
                "FALSE" => Literal::Bool(false),
                "TODAY" => Literal::Days(0, 0),
                "YESTERDAY" => Literal::Days(-1, -1),
                "TOMORROW" => Literal::Days(1, 1),
                name @ ("LAST_N_DAYS" | "NEXT_N_DAYS") => {
                    self.next += 1;
                    self.expect_symbol(":")?;
                    let days = self.whole_number()?.min(100_000) as i64;
                    let last = name == "LAST_N_DAYS";
                    return Ok(if last {
                        Literal::Days(-days, 0)
                    } else {
                        Literal::Days(1, days)
                    });
                }
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(literal)
    }

    fn figure(&self, figure: &str) -> Option<Literal> {
        if figure.contains('T') {
            return date_time(figure).map(Literal::DateTime);
        }
        if figure.len() == 10 && figure.as_bytes().get(4) == Some(&b'-') {
            return date(figure).map(Literal::Date);
        }
        figure.parse().ok().map(Literal::Number)
    }

    fn order(&mut self) -> Result<Order, Error> {
        let path = self.path()?;
        let descending = self.take_word("DESC");
        if !descending {
            self.take_word("ASC");
        }
        let mut nulls_last = false;
        if self.take_word("NULLS") {
            nulls_last = self.take_word("LAST");
            if !nulls_last {
                self.expect_word("FIRST")?;
            }
        }
        Ok(Order {
            path,
            descending,
            nulls_last,
        })
    }

    fn path(&mut self) -> Result<Path, Error> {
        let mut path = vec![self.name()?];
        while self.take_symbol(".") {
            path.push(self.name()?);
        }
        Ok(path)
    }

    fn name(&mut self) -> Result<Name, Error> {
        let at = self.at();
        match self.peek() {
            Token::Word(text) => {
                let text = text.clone();
                self.next += 1;
                Ok(Name { text, at })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn whole_number(&mut self) -> Result<usize, Error> {
        match self.peek() {
            Token::Figure(figure) => {
                let number = figure.parse().map_err(|_| self.unexpected())?;
                self.next += 1;
                Ok(number)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn peek(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.text.len(), |(_, at)| *at)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Error> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), Error> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn check_depth(&self, depth: usize) -> Result<(), Error> {
        if depth <= DEPTH_MAX {
            return Ok(());
        }
        Err(error_at(
            "MALFORMED_QUERY",
            self.text,
            self.at(),
            "the query nests too deeply",
        ))
    }

    fn unexpected(&self) -> Error {
        let message = format!("unexpected token: '{}'", self.peek().shown());
        error_at("MALFORMED_QUERY", self.text, self.at(), &message)
    }
}
