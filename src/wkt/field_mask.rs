//! `google.protobuf.FieldMask`: field paths; in JSON, a single string.

use prost::Message;
use serde::de::Error as _;
use serde_json::Error;

use super::plain::{self, Plain};
use crate::json::codec::Text;
use crate::json::collections::Repeated;
use crate::json::compact::Compact;
use crate::json::fields::{read_singular, write_field};
use crate::json::message::JsonMessage;
use crate::json::parser::Parser;
use crate::json::schema::{JsonForm, Parameter};

/// A set of field paths. In JSON, the paths in lowerCamelCase separated by commas:
/// `"displayName,targets.devicesUuids"`.
///
/// A part of a path may be the wildcard `*`, which is the same in JSON (AIP-134, AIP-161). Paths that JSON would not
/// preserve, such as `foo_1` or `fooBar`, have no such form, nor has anything else than names and wildcards separated
/// by dots; see [`protojson`](crate::protojson#what-has-no-json-form).
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct FieldMask {
    /// The paths, spelled as in the `.proto` files, with dots between their parts.
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

well_known_names! { FieldMask }

/// Converts `foo_bar.baz` to `fooBar.baz`; `None` if the reverse would give another path.
fn to_camel(path: &str) -> Option<String> {
    let mut camel = String::with_capacity(path.len());
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '_' => {
                let next = characters.next().filter(char::is_ascii_lowercase)?;
                camel.push(next.to_ascii_uppercase());
            }
            'A'..='Z' => return None,
            _ => camel.push(character),
        }
    }
    is_path(&camel).then_some(camel)
}

/// Converts `fooBar.baz` to `foo_bar.baz`; `None` if it is not in lowerCamelCase.
fn to_snake(path: &str) -> Option<String> {
    if !is_path(path) {
        return None;
    }
    let mut snake = String::with_capacity(path.len() + 4);
    for character in path.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    Some(snake)
}

/// Whether a text is names and wildcards separated by dots. A name has letters and digits, and begins with a letter.
///
/// Of protobuf's implementations, those in C++, Java and Python read and write `*` and nearly anything else, and Go's
/// only names. The conformance suite has no test of it.
fn is_path(text: &str) -> bool {
    text.split('.').all(|part| {
        let is_name = part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name || part == "*"
    })
}

impl JsonMessage for FieldMask {
    const FORM: JsonForm = JsonForm::WellKnown { last_field: 1, parameter: Some(Parameter::Text) };

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        let mut text = String::new();
        for (index, path) in self.paths.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            let Some(camel) = to_camel(path) else {
                let problem = format_args!("the path {path:?} is not in lower_snake_case");
                return plain::write(problem, json, |json| {
                    write_field::<Repeated<Text>>(json, "paths", &self.paths)
                });
            };
            text.push_str(&camel);
        }
        json.plain(&text);
        Ok(())
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        *self = plain::read(parser)?;
        Ok(())
    }
}

impl Plain for FieldMask {
    const EXPECTED: &'static str = "field paths such as \"displayName,targets.devicesUuids\"";

    fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let paths = text.split(',').map(|path| {
            let problem = || format!("the path {path:?} is not in lowerCamelCase");
            to_snake(path).ok_or_else(|| Error::custom(problem()))
        });
        Ok(Self { paths: paths.collect::<Result<_, _>>()? })
    }

    fn fields(parser: &mut Parser<'_>) -> Result<Self, Error> {
        parser.object(&"an object", |object| {
            let (mut mask, mut has_paths) = (Self::default(), false);
            while let Some(name) = object.next_name()? {
                if name != "paths" {
                    return Err(Error::unknown_field(&name, &["paths"]));
                }
                read_singular::<Repeated<Text>>(object, "paths", &mut has_paths, &mut mask.paths)?;
            }
            if !has_paths {
                return Err(Error::missing_field("paths"));
            }
            Ok(mask)
        })
    }
}
