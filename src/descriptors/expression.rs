//! Reads expressions that filter a list, in the languages of [`Language`], and evaluates them.
//!
//! ```text
//! any  = all { ("||" | "or") all }          path  = NAME { "." NAME }
//! all  = one { ("&&" | "and") one }         value = STRING | NUMBER | "true" | "false" | NAME
//! one  = "!" one | "(" any ")"                    | "timestamp" "(" STRING ")"
//!      | path "." "contains" "(" STRING ")" | path OPERATOR value
//! ```

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;
use std::vec::IntoIter;

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};

use super::members::{Key, Path};
use crate::filter::Language;
use crate::wkt::Timestamp;

/// The deepest nesting of parentheses.
const MAX_DEPTH: usize = 20;

/// What an expression asks of each resource.
#[derive(Debug)]
pub struct Expression {
    any: Vec<Vec<One>>,
}

#[derive(Debug)]
enum One {
    Not(Box<Self>),
    Any(Expression),
    Contains(Path, String),
    Compare(Path, Operator, Key),
}

type Operator = fn(Ordering) -> bool;

impl Expression {
    /// Reads an expression about resources of a type.
    ///
    /// # Errors
    ///
    /// Says what was expected where, with the member that may have been meant.
    pub fn parse(
        text: &str,
        language: Language,
        resource: &MessageDescriptor,
    ) -> Result<Self, String> {
        let tokens = tokens(text)?.into_iter().peekable();
        let mut parser = Parser { tokens, language, resource, depth: 0 };
        let expression = parser.any()?;
        match parser.tokens.next() {
            None => Ok(expression),
            Some(other) => Err(format!("expected the end of the expression, found {other:?}")),
        }
    }

    /// Whether a resource is selected.
    pub fn fits(&self, resource: &DynamicMessage) -> bool {
        self.any.iter().any(|all| all.iter().all(|one| one.fits(resource)))
    }
}

impl One {
    fn fits(&self, resource: &DynamicMessage) -> bool {
        match self {
            Self::Not(one) => !one.fits(resource),
            Self::Any(expression) => expression.fits(resource),
            Self::Contains(path, part) => path.any(resource, &mut |value| {
                value.as_str().is_some_and(|text| text.contains(part.as_str()))
            }),
            Self::Compare(path, operator, wanted) => path.any(resource, &mut |value| {
                Key::of(value).partial_cmp(wanted).is_some_and(operator)
            }),
        }
    }
}

/// A word, a sign, a number or a text.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Sign(&'static str),
    Text(String),
}

/// The signs, longer ones first.
const SIGNS: [&str; 11] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+');
        let length = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if matches!(first, '"' | '\'') {
            let (text, length) = quoted(rest, first)?;
            tokens.push(Token::Text(text));
            length
        } else {
            let word: String = rest.chars().take_while(|c| is_word(*c)).collect();
            if word.is_empty() {
                if let Some(sign) = SIGNS.iter().find(|sign| sign.starts_with(first)) {
                    return Err(format!("expected {sign}, found {first} alone"));
                }
                return Err(format!("expected a member, a value or an operator, found {rest:?}"));
            }
            let length = word.len();
            tokens.push(Token::Word(word));
            length
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// The text at the start, and how long it is with its quotes.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut chars = rest.chars();
    chars.next();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return Ok((text, rest.len() - chars.as_str().len())),
            '\\' => text.push(escaped(&mut chars)?),
            c => text.push(c),
        }
    }
    Err(format!("expected {quote} at the end of {rest:?}"))
}

/// Takes what follows a backslash, as the Common Expression Language defines it ("String and Bytes Values").
fn escaped(chars: &mut Chars<'_>) -> Result<char, String> {
    let escape = chars.as_str();
    let (start, length, radix) = match chars.next() {
        Some(c @ ('\\' | '?' | '"' | '\'' | '`')) => return Ok(c),
        Some('a') => return Ok('\x07'),
        Some('b') => return Ok('\x08'),
        Some('f') => return Ok('\x0c'),
        Some('n') => return Ok('\n'),
        Some('r') => return Ok('\r'),
        Some('t') => return Ok('\t'),
        Some('v') => return Ok('\x0b'),
        Some('x' | 'X') => (1, 2, 16),
        Some('u') => (1, 4, 16),
        Some('U') => (1, 8, 16),
        Some('0'..='3') => (0, 3, 8),
        _ => (0, 0, 16),
    };
    let digits = escape.get(start..start + length).unwrap_or_default();
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    let number = u32::from_str_radix(digits, radix).ok().filter(|_| is_number);
    let Some(c) = number.and_then(char::from_u32) else {
        let found: String = escape.chars().take(start + length.max(1)).collect();
        return Err(format!(
            r"expected an escape such as \n, \x61, \u0061 or \141, found \{found}"
        ));
    };
    *chars = escape.get(start + length..).unwrap_or_default().chars();
    Ok(c)
}

struct Parser<'a> {
    tokens: Peekable<IntoIter<Token>>,
    language: Language,
    resource: &'a MessageDescriptor,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("expected at most {MAX_DEPTH} levels of parentheses"));
        }
        let mut any = Vec::new();
        loop {
            let mut all = vec![self.one()?];
            while self.takes("&&", "and") {
                all.push(self.one()?);
            }
            any.push(all);
            if !self.takes("||", "or") {
                self.depth -= 1;
                return Ok(Expression { any });
            }
        }
    }

    fn one(&mut self) -> Result<One, String> {
        let is_cel = self.language == Language::Cel;
        match self.tokens.next() {
            Some(Token::Sign("(")) => {
                let inner = self.any()?;
                self.closed().map(|()| One::Any(inner))
            }
            // Signs that follow each other nest, too.
            Some(Token::Sign("!")) if is_cel && self.depth < MAX_DEPTH => {
                self.depth += 1;
                let inner = self.one()?;
                self.depth -= 1;
                Ok(One::Not(Box::new(inner)))
            }
            Some(Token::Word(word)) => {
                if is_cel && self.takes("(", "") {
                    let Some(name) = word.strip_suffix(".contains") else {
                        return Err(format!("{word}(): contains() is the only function"));
                    };
                    let path = Path::find(self.resource, name)?;
                    if path.kind() != Some(Kind::String) {
                        return Err(format!("{name}: expected a text before `contains`"));
                    }
                    let Some(Token::Text(part)) = self.tokens.next() else {
                        return Err(format!("{word}: expected a text in quotes"));
                    };
                    return self.closed().map(|()| One::Contains(path, part));
                }
                let path = Path::find(self.resource, &word)?;
                let operator = self.operator(&word)?;
                let value = self.value(&path, &word)?;
                Ok(One::Compare(path, operator, value))
            }
            other => {
                Err(format!("expected a member of {}, {}", self.resource.name(), found(other)))
            }
        }
    }

    /// Takes the sign or, in the other language, the word.
    fn takes(&mut self, sign: &str, word: &str) -> bool {
        let is_cel = self.language == Language::Cel;
        let is_wanted = |token: &Token| match token {
            Token::Sign(found) => is_cel && *found == sign,
            Token::Word(found) => !is_cel && found == word,
            Token::Text(_) => false,
        };
        self.tokens.next_if(is_wanted).is_some()
    }

    fn closed(&mut self) -> Result<(), String> {
        match self.tokens.next() {
            Some(Token::Sign(")")) => Ok(()),
            other => Err(format!("expected `)`, {}", found(other))),
        }
    }

    fn operator(&mut self, path: &str) -> Result<Operator, String> {
        let operators: [(&str, &str, Operator); 6] = [
            ("==", "eq", Ordering::is_eq),
            ("!=", "ne", Ordering::is_ne),
            ("<", "lt", Ordering::is_lt),
            ("<=", "le", Ordering::is_le),
            (">", "gt", Ordering::is_gt),
            (">=", "ge", Ordering::is_ge),
        ];
        for (sign, word, operator) in operators {
            if self.takes(sign, word) {
                return Ok(operator);
            }
        }
        let names = operators.map(|(sign, word, _)| match self.language {
            Language::Cel => sign,
            Language::Words => word,
        });
        Err(format!("{path}: expected one of {}, {}", names.join(" "), found(self.tokens.next())))
    }

    fn value(&mut self, path: &Path, name: &str) -> Result<Key, String> {
        let token = self.tokens.next();
        let is_timestamp = self.language == Language::Cel
            && token == Some(Token::Word("timestamp".to_owned()))
            && self.takes("(", "");
        let token = if is_timestamp { self.tokens.next() } else { token };
        if is_timestamp {
            self.closed()?;
        }
        let Some(kind) = path.kind() else { return Err(format!("{name}: expected a member")) };
        let expected = match (kind, &token) {
            (Kind::String, Some(Token::Text(text))) => return Ok(Key::Text(text.clone())),
            (Kind::String, _) => "a text in quotes".to_owned(),
            (Kind::Bool, Some(Token::Word(word))) => match (word.as_str(), self.language) {
                ("true", _) | ("1", Language::Words) => return Ok(Key::Number(1.0)),
                ("false", _) | ("0", Language::Words) => return Ok(Key::Number(0.0)),
                _ => "true or false".to_owned(),
            },
            (Kind::Enum(kind), Some(Token::Word(value) | Token::Text(value))) => {
                if let Some(value) = kind.get_value_by_name(value) {
                    return Ok(Key::Number(value.number().into()));
                }
                let names: Vec<_> = kind.values().map(|value| value.name().to_owned()).collect();
                let end = format!("_{}", value.to_uppercase());
                match names.iter().find(|name| name.ends_with(&end)) {
                    Some(meant) => format!("the whole name {meant}"),
                    None => format!("one of {}", names.join(", ")),
                }
            }
            (Kind::Message(message), Some(Token::Text(text)))
                if message.full_name() == "google.protobuf.Timestamp" =>
            {
                if let Ok(time) = text.parse::<Timestamp>() {
                    return Ok(Key::Time(time.seconds, time.nanos));
                }
                "a time such as 2026-10-01T00:00:00Z".to_owned()
            }
            (Kind::Message(_) | Kind::Bytes, _) => {
                return Err(format!("{name}: expected a member that has a value to compare"));
            }
            (
                Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64,
                Some(Token::Word(word)),
            ) => match word.parse() {
                Ok(number) => return Ok(Key::Time(number, 0)),
                Err(_) => "a whole number".to_owned(),
            },
            (_, Some(Token::Word(word))) if word.parse::<f64>().is_ok() => {
                return Ok(Key::Number(word.parse().unwrap_or_default()));
            }
            _ => "a number".to_owned(),
        };
        Err(format!("{name}: expected {expected}, {}", found(token)))
    }
}

fn found(token: Option<Token>) -> String {
    match token {
        None => "found the end".to_owned(),
        Some(Token::Sign(sign)) => format!("found {sign}"),
        Some(Token::Word(text) | Token::Text(text)) => format!("found {text:?}"),
    }
}
