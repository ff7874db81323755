//! Query text to tokens.

use super::error_at;
use crate::salesforce::error::Error;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    /// Text in quotes, unescaped, but for `\%` and `\_`, which `LIKE` reads.
    Text(String),
    /// Anything that starts with a digit or a sign: a number, a date or a date-time.
    Figure(String),
    Symbol(&'static str),
    End,
}

impl Token {
    /// How an error names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Figure(text) => text.chars().take(60).collect(),
            Self::Text(text) => format!("'{}'", text.chars().take(60).collect::<String>()),
            Self::Symbol(symbol) => (*symbol).to_owned(),
            Self::End => "<EOF>".to_owned(),
        }
    }
}

const SYMBOLS: &[&str] = &[
    "<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ".", ":",
];

/// Every token with its place, the end marked by [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Error> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if byte == b'\'' {
            let (content, end) = quoted(text, start)?;
            tokens.push((Token::Text(content), start));
            at = end;
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            at = end_of(bytes, start, |b| b.is_ascii_alphanumeric() || b == b'_');
            tokens.push((Token::Word(text[start..at].to_owned()), start));
        } else if byte.is_ascii_digit()
            || (matches!(byte, b'-' | b'+' | b'.')
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
        {
            at = end_of(bytes, start + 1, |b| {
                b.is_ascii_alphanumeric() || matches!(b, b':' | b'+' | b'-' | b'.')
            });
            tokens.push((Token::Figure(text[start..at].to_owned()), start));
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| text[at..].starts_with(**s)) {
            at += symbol.len();
            tokens.push((Token::Symbol(symbol), start));
        } else {
            let odd = text[at..].chars().next().unwrap_or(' ');
            let message = format!("line 1:{at} no viable alternative at character '{odd}'");
            return Err(error_at("MALFORMED_QUERY", text, at, &message));
        }
    }
    tokens.push((Token::End, text.len()));
    Ok(tokens)
}

fn end_of(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|&&byte| belongs(byte)).count()
}

fn quoted(text: &str, start: usize) -> Result<(String, usize), Error> {
    let mut content = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        let at = start + 1 + offset;
        match c {
            '\'' => return Ok((content, at + 1)),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n' | 'N') => content.push('\n'),
                Some('r' | 'R') => content.push('\r'),
                Some('t' | 'T') => content.push('\t'),
                Some('b' | 'B') => content.push('\u{8}'),
                Some('f' | 'F') => content.push('\u{c}'),
                Some(escaped @ ('\'' | '"' | '\\')) => {
                    content.push(escaped);
                }
                Some(wild @ ('%' | '_')) => {
                    content.push('\\');
                    content.push(wild);
                }
                Some('u') => {
                    let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    let read = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    content.push(read.ok_or_else(|| bad_escape(text, at, &format!("\\u{code}")))?);
                }
                Some(other) => return Err(bad_escape(text, at, &format!("\\{other}"))),
                None => break,
            },
            _ => content.push(c),
        }
    }
    let message = "line 1:0 mismatched character '<EOF>' expecting '''";
    Err(error_at("MALFORMED_QUERY", text, start, message))
}

fn bad_escape(text: &str, at: usize, shown: &str) -> Error {
    let message = format!("Illegal character sequence '{shown}' in string literal");
    error_at("MALFORMED_QUERY", text, at, &message)
}
