//! SuiteQL's Oracle-like dialect, turned into what the SQL engine understands.
//!
//! Token by token: reserved table names are quoted, `BUILTIN.DF`, `TOP`, `FETCH FIRST`, `ROWNUM` and
//! `SYSDATE` are rewritten, and date texts compared with a date column become dates.

use super::filter::date_of;

/// Longest statement, in bytes.
pub(super) const QUERY_BYTES_MAX: usize = 100_000;

/// Columns that hold dates, in any table.
const DATE_COLUMNS: &[&str] = &[
    "trandate",
    "createddate",
    "datecreated",
    "lastmodifieddate",
    "closedate",
    "expectedshipdate",
    "startdate",
    "enddate",
    "shipdate",
    "duedate",
];

/// Columns whose display text `BUILTIN.DF` knows, with the sort of label.
const LABELLED: &[(&str, &str)] = &[
    ("entity", "entity"),
    ("customer", "entity"),
    ("parent", "entity"),
    ("item", "item"),
    ("subsidiary", "subsidiary"),
    ("currency", "currency"),
    ("terms", "term"),
    ("status", "status"),
    ("transaction", "transaction"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    /// A text literal, quotes doubled as written.
    Text(String),
    Mark(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn render(&self, into: &mut String) {
        match self {
            Self::Word(word) if word.eq_ignore_ascii_case("transaction") => {
                into.push_str("\"transaction\"");
            }
            Self::Word(word) => into.push_str(word),
            Self::Quoted(text) => {
                into.push('"');
                into.push_str(text);
                into.push('"');
            }
            Self::Text(text) => {
                into.push('\'');
                into.push_str(text);
                into.push('\'');
            }
            Self::Mark(mark) => into.push(*mark),
        }
    }
}

/// The statement for the engine, or why it is none. Dates are internal text, see [`date_text`].
pub(super) fn translate(query: &str, today: &str) -> Result<String, String> {
    if query.len() > QUERY_BYTES_MAX {
        return Err("The query is too long.".to_owned());
    }
    let mut tokens = tokens(query)?;
    let starts = tokens
        .first()
        .is_some_and(|token| token.is("select") || token.is("with"));
    // `LIMIT` is not part of the dialect; `?` would be a parameter that is never bound.
    let foreign = tokens.iter().any(|token| match token {
        Token::Word(word) => {
            let word = word.to_lowercase();
            word == "limit" || word.starts_with("builtin_")
        }
        Token::Quoted(text) => text.to_lowercase().starts_with("builtin_"),
        Token::Mark(mark) => matches!(mark, ';' | '?'),
        Token::Text(_) => false,
    });
    if !starts || foreign {
        return Err("Invalid or unsupported search".to_owned());
    }
    let top = top(&mut tokens)?;
    display_text(&mut tokens);
    let fetch = fetch_first(&mut tokens)?;
    let rows = row_number(&mut tokens)?;
    dates(&mut tokens, today);
    let mut sql = String::with_capacity(query.len() + 32);
    for token in &tokens {
        token.render(&mut sql);
        sql.push(' ');
    }
    if let Some(limit) = top.or(rows).or(fetch) {
        sql.push_str("LIMIT ");
        sql.push_str(&limit);
    }
    Ok(sql)
}

fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = query.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied();
        match c {
            _ if c.is_whitespace() => at += 1,
            '-' if next == Some('-') => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
            }
            '/' if next == Some('*') => {
                at += 2;
                while at + 1 < chars.len() && !(chars[at] == '*' && chars[at + 1] == '/') {
                    at += 1;
                }
                at += 2;
            }
            '\'' | '"' => {
                let (text, end) = quoted(&chars, at)?;
                tokens.push(if c == '"' {
                    Token::Quoted(text)
                } else {
                    Token::Text(text)
                });
                at = end;
            }
            _ if c.is_alphanumeric() || c == '_' || c == '$' => {
                let start = at;
                while at < chars.len()
                    && (chars[at].is_alphanumeric()
                        || matches!(chars[at], '_' | '$')
                        || (chars[at] == '.' && chars[start].is_ascii_digit()))
                {
                    at += 1;
                }
                tokens.push(Token::Word(chars[start..at].iter().collect()));
            }
            '\0' | '`' | '[' | ':' | '@' | '#' => {
                return Err("Invalid or unsupported search".to_owned());
            }
            _ => {
                // Operators of two characters stay together.
                let pair: Option<&str> = match (c, next) {
                    ('<', Some('=')) => Some("<="),
                    ('>', Some('=')) => Some(">="),
                    ('<', Some('>')) => Some("<>"),
                    ('!', Some('=')) => Some("!="),
                    ('|', Some('|')) => Some("||"),
                    _ => None,
                };
                match pair {
                    Some(pair) => {
                        tokens.push(Token::Word(pair.to_owned()));
                        at += 2;
                    }
                    None => {
                        tokens.push(Token::Mark(c));
                        at += 1;
                    }
                }
            }
        }
    }
    Ok(tokens)
}

/// The text between quotes at `start` (quotes inside stay doubled), and where it ends.
fn quoted(chars: &[char], start: usize) -> Result<(String, usize), String> {
    let quote = chars[start];
    let mut text = String::new();
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\0' => break,
            c if c == quote && chars.get(at + 1) == Some(&quote) => {
                text.push(quote);
                text.push(quote);
                at += 2;
            }
            c if c == quote => return Ok((text, at + 1)),
            c => {
                text.push(c);
                at += 1;
            }
        }
    }
    Err("A quoted text does not end".to_owned())
}

fn count(token: Option<&Token>) -> Result<String, String> {
    match token {
        Some(Token::Word(text)) if text.parse::<u32>().is_ok() => Ok(text.clone()),
        _ => Err("A number of rows is expected".to_owned()),
    }
}

/// `SELECT TOP n …` at the start.
fn top(tokens: &mut Vec<Token>) -> Result<Option<String>, String> {
    if !tokens.get(1).is_some_and(|token| token.is("top")) {
        return Ok(None);
    }
    let limit = count(tokens.get(2))?;
    tokens.drain(1..3);
    Ok(Some(limit))
}

/// `[OFFSET n ROWS] FETCH FIRST|NEXT n ROWS ONLY` at the end.
fn fetch_first(tokens: &mut Vec<Token>) -> Result<Option<String>, String> {
    let Some(at) = tokens.iter().rposition(|token| token.is("fetch")) else {
        return Ok(None);
    };
    let tail = &tokens[at..];
    let sound = tail.len() == 5
        && (tail[1].is("first") || tail[1].is("next"))
        && (tail[3].is("rows") || tail[3].is("row"))
        && tail[4].is("only");
    if !sound {
        return Err("Invalid or unsupported search".to_owned());
    }
    let mut limit = count(tail.get(2))?;
    tokens.truncate(at);
    if at >= 3 && tokens[at - 3].is("offset") {
        limit = format!("{limit} OFFSET {}", count(tokens.get(at - 2))?);
        tokens.truncate(at - 3);
    }
    Ok(Some(limit))
}

/// `ROWNUM <= n` or `ROWNUM < n` at the outermost level, where no order follows.
fn row_number(tokens: &mut [Token]) -> Result<Option<String>, String> {
    let Some(at) = tokens.iter().position(|token| token.is("rownum")) else {
        return Ok(None);
    };
    let depth = tokens[..at].iter().fold(0_i64, |depth, token| match token {
        Token::Mark('(') => depth + 1,
        Token::Mark(')') => depth - 1,
        _ => depth,
    });
    let ordered = tokens[at..].iter().any(|token| token.is("order"));
    let limit = count(tokens.get(at + 2))?;
    let limit = match tokens.get(at + 1) {
        Some(Token::Word(operator)) if operator == "<=" => limit,
        Some(Token::Mark('<')) => {
            let below: u32 = limit.parse().unwrap_or_default();
            below.saturating_sub(1).to_string()
        }
        _ => return Err("Invalid or unsupported search".to_owned()),
    };
    if depth != 0 || ordered {
        return Err("Invalid or unsupported search".to_owned());
    }
    for (offset, word) in ["1", "=", "1"].into_iter().enumerate() {
        tokens[at + offset] = Token::Word(word.to_owned());
    }
    Ok(Some(limit))
}

/// `BUILTIN.DF(t.entity)`: the label instead of the id.
fn display_text(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at + 3 < tokens.len() {
        let is_call = tokens[at].is("builtin")
            && tokens[at + 1] == Token::Mark('.')
            && tokens[at + 2].is("df")
            && tokens[at + 3] == Token::Mark('(');
        if !is_call {
            at += 1;
            continue;
        }
        let Some(end) = (at + 4..tokens.len()).find(|i| tokens[*i] == Token::Mark(')')) else {
            return;
        };
        let sort = match &tokens[end - 1] {
            Token::Word(column) => LABELLED
                .iter()
                .find(|(known, _)| column.eq_ignore_ascii_case(known))
                .map(|(_, sort)| *sort),
            _ => None,
        };
        let Some(sort) = sort else {
            // Any other column is its own display text.
            tokens.drain(at..at + 3);
            continue;
        };
        tokens.insert(end, Token::Mark(')'));
        let lookup = [
            "SELECT",
            "label",
            "FROM",
            "builtin_labels",
            "WHERE",
            "sort",
            "=",
        ];
        let mut call = vec![Token::Mark('(')];
        call.extend(lookup.iter().map(|word| Token::Word((*word).to_owned())));
        call.push(Token::Text(sort.to_owned()));
        call.extend(["AND", "builtin_labels.id", "="].map(|word| Token::Word(word.to_owned())));
        call.push(Token::Mark('('));
        let length = call.len();
        tokens.splice(at..at + 4, call);
        at += length;
    }
}

/// Texts in the users' date format, compared with a date column, and `SYSDATE`.
fn dates(tokens: &mut [Token], today: &str) {
    let mut column = false;
    for token in tokens {
        match token {
            Token::Word(word) if word.eq_ignore_ascii_case("sysdate") => {
                *token = Token::Text(today.to_owned());
            }
            Token::Word(word) => {
                let operator = matches!(word.as_str(), "<=" | ">=" | "<>" | "!=");
                let joins = ["between", "not", "and", "in"]
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known));
                let is_column = DATE_COLUMNS
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known));
                column = is_column || (column && (operator || joins));
            }
            Token::Text(text) if column => {
                if let Some(date) = date_of(text) {
                    *text = date_text(&date.to_string(), "00:00:00");
                }
            }
            Token::Mark('<' | '>' | '=' | '(' | ',') => {}
            Token::Mark(_) | Token::Quoted(_) | Token::Text(_) => column = false,
        }
    }
}

/// How the engine holds a date: a text no other value looks like, which sorts by time.
pub(super) fn date_text(date: &str, time: &str) -> String {
    format!("\u{1}{date} {time}")
}
