//! Lists and maps.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::Result;

use super::codec::{Codec, Key, read_element};
use super::compact::Compact;
use super::parser::Parser;
use super::{context, path};

/// `repeated`.
#[derive(Debug)]
pub struct Repeated<C>(PhantomData<C>);

impl<C: Codec> Codec for Repeated<C> {
    type Value = Vec<C::Value>;
    const PRESERVES: bool = C::PRESERVES;

    fn write(value: &Self::Value, json: &mut Compact) -> Result<()> {
        json.list(|json| {
            for (index, element) in value.iter().enumerate() {
                json.element();
                C::write(element, json).map_err(|error| path::at_index(index, &error))?;
            }
            Ok(())
        })
    }

    fn read(parser: &mut Parser<'_>, values: &mut Self::Value) -> Result<()> {
        parser.list(&"a list", |list| {
            while let Some(parser) = list.next()? {
                let mark = context::mark(C::PRESERVES);
                let index = values.len();
                values.push(C::Value::default());
                if let Some(element) = values.last_mut() {
                    read_element::<C>(parser, element)
                        .map_err(|error| path::at_index(index, &error))?;
                }
                context::prefix(C::PRESERVES, mark, &index);
            }
            Ok(())
        })
    }
}

/// `map`.
#[derive(Debug)]
pub struct Map<K, C>(PhantomData<(K, C)>);

impl<K: Key, C: Codec> Codec for Map<K, C> {
    type Value = BTreeMap<K::Value, C::Value>;
    const PRESERVES: bool = C::PRESERVES;

    fn write(value: &Self::Value, json: &mut Compact) -> Result<()> {
        json.object(|json| {
            for (key, value) in value {
                let key = key.to_string();
                json.member(&key);
                C::write(value, json).map_err(|error| path::at_key(&key, &error))?;
            }
            Ok(())
        })
    }

    fn read(parser: &mut Parser<'_>, values: &mut Self::Value) -> Result<()> {
        parser.object(&"an object", |object| {
            while let Some(name) = object.next_name()? {
                let key = K::parse(&name).map_err(|error| path::at_key(&name, &error))?;
                let mark = context::mark(C::PRESERVES);
                let mut value = C::Value::default();
                object
                    .value()
                    .message(|parser| read_element::<C>(parser, &mut value))
                    .map_err(|error| path::at_key(&name, &error))?;
                context::prefix(C::PRESERVES, mark, &name);
                if values.insert(key, value).is_some() {
                    return Err(path::at_key(&name, &"the key appears twice"));
                }
            }
            Ok(())
        })
    }
}
