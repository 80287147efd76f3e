//! Conversions between `google.protobuf.Value` and `serde_json::Value`.

use serde::de::Error as _;
use serde_json::{Error, Map, Number, Value as Json};

use super::value::Kind;
use super::{ListValue, Struct, Value};
use crate::json::number::out_of_range;

impl TryFrom<Json> for Value {
    type Error = Error;

    /// Numbers become the nearest `f64`. Fails for one beyond that, which only serde_json's feature
    /// `arbitrary_precision` can hold.
    fn try_from(json: Json) -> Result<Self, Error> {
        Ok(match json {
            Json::Null => ().into(),
            Json::Bool(value) => value.into(),
            Json::String(value) => value.into(),
            Json::Number(value) => {
                let number = value.as_f64().filter(|number| number.is_finite());
                number.ok_or_else(|| Error::custom(out_of_range(&value.to_string())))?.into()
            }
            Json::Array(values) => {
                let values = values.into_iter().map(Self::try_from).collect::<Result<_, _>>()?;
                ListValue { values }.into()
            }
            Json::Object(members) => Struct::try_from(members)?.into(),
        })
    }
}

impl TryFrom<Map<String, Json>> for Struct {
    type Error = Error;

    /// Fails for a number beyond `f64`.
    fn try_from(members: Map<String, Json>) -> Result<Self, Error> {
        let fields = members.into_iter().map(|(name, json)| Ok((name, json.try_into()?)));
        Ok(Self { fields: fields.collect::<Result<_, Error>>()? })
    }
}

impl TryFrom<Value> for Json {
    type Error = Error;

    /// Fails for NaN, an infinity, and a value whose `kind` is unset.
    fn try_from(value: Value) -> Result<Self, Error> {
        Ok(match value.kind {
            None => return Err(Error::custom(super::dynamic::WITHOUT_KIND)),
            Some(Kind::NullValue(_)) => Self::Null,
            Some(Kind::BoolValue(value)) => value.into(),
            Some(Kind::StringValue(value)) => value.into(),
            Some(Kind::NumberValue(value)) => match Number::from_f64(value) {
                Some(number) => number.into(),
                None => return Err(Error::custom(super::dynamic::not_a_number(value))),
            },
            Some(Kind::ListValue(list)) => {
                list.values.into_iter().map(Self::try_from).collect::<Result<Vec<_>, _>>()?.into()
            }
            Some(Kind::StructValue(value)) => Map::try_from(value)?.into(),
        })
    }
}

impl TryFrom<Struct> for Map<String, Json> {
    type Error = Error;

    /// Fails for NaN, an infinity, and a value whose `kind` is unset.
    fn try_from(value: Struct) -> Result<Self, Error> {
        value.fields.into_iter().map(|(name, value)| Ok((name, value.try_into()?))).collect()
    }
}
