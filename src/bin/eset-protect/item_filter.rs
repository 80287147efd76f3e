//! Filters that the command applies itself, for lists that the service filters by no expression.

use clap::{Arg, ArgMatches};
use eset_protect::JsonMessage;
use eset_protect::descriptors::Expression;
use eset_protect::filter::Language;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};

use crate::failure::Failure;
use crate::method::Method;

const FILTER: &str = "filter";
const HELP: &str = "List only the items that fit, such as 'displayName.contains(\"LAPTOP\")'; the command itself \
                    filters what the service lists";
const LONG: &str = "Members as in JSON, with dots for those of members; == != < <= > >= contains() && || ! and \
                    parentheses; text in quotes, times as timestamp(\"2030-01-01T00:00:00Z\"), enums by name.";

/// A filter of the items of a list.
#[derive(Debug)]
pub struct ItemFilter {
    item: MessageDescriptor,
    expression: Expression,
}

impl ItemFilter {
    /// Returns the flag for a list, unless its request has one.
    pub fn arg(method: &Method) -> Option<Arg> {
        let is_text = |field: &FieldDescriptor| field.kind() == Kind::String;
        let arg = Arg::new(FILTER).long(FILTER).value_name("EXPRESSION").help(HELP);
        let arg = arg.long_help(format!("{HELP}\n\n{LONG}"));
        method.input().get_field_by_name(FILTER).filter(is_text).is_none().then_some(arg)
    }

    pub fn from_matches(method: &Method, matches: &ArgMatches) -> Result<Option<Self>, Failure> {
        let text = matches.try_get_one::<String>(FILTER).ok().flatten();
        let item = method.item().and_then(|field| field.kind().as_message().cloned());
        let (Some(text), Some(item)) = (text, item) else { return Ok(None) };
        match Expression::parse(text, Language::Cel, &item) {
            Ok(expression) => Ok(Some(Self { item, expression })),
            Err(problem) => Err(Failure::of("--filter", problem)),
        }
    }

    pub fn fits(&self, item: &impl JsonMessage) -> bool {
        let item = DynamicMessage::decode(self.item.clone(), &*item.encode_to_vec());
        item.is_ok_and(|item| self.selects(&item))
    }

    pub fn selects(&self, item: &DynamicMessage) -> bool {
        self.expression.fits(item)
    }
}
