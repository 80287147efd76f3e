//! JSON with exact numbers: those that serde_json's own `Value` would round are text here.

use std::collections::BTreeMap;

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::string::string_regex;
use serde_json::value::RawValue;

/// A JSON value. The order of members is ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum Exact {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

impl Exact {
    pub fn parse(json: &str) -> Self {
        let raw: &RawValue = serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"));
        let json = raw.get();
        match json.as_bytes()[0] {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::Text(serde_json::from_str(json).unwrap()),
            b'[' => {
                let list: Vec<&RawValue> = serde_json::from_str(json).unwrap();
                Self::List(list.into_iter().map(|raw| Self::parse(raw.get())).collect())
            }
            b'{' => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
                let members = members.into_iter().map(|(name, raw)| (name, Self::parse(raw.get())));
                Self::Object(members.collect())
            }
            _ => Self::Number(json.to_owned()),
        }
    }

    pub fn object(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(list) => {
                let list: Vec<_> = list.iter().map(Self::to_string).collect();
                write!(f, "[{}]", list.join(","))
            }
            Self::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(k, v)| format!("{}:{v}", quoted(k))).collect();
                write!(f, "{{{}}}", members.join(","))
            }
        }
    }
}

/// Names of members that no message has.
pub fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(vec![
            "", "~", "/", "a/b", "~1", "~0", "\"", "\\", "ü", "😀", "\u{0}", "0", "17", "extra",
            "@Type", "#",
        ])
        .prop_map(str::to_owned),
        1 => string_regex("new[a-z/~]{0,4}").unwrap(),
    ]
}

/// Any JSON value.
pub fn values() -> BoxedStrategy<Exact> {
    let number = string_regex("-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?");
    let leaf = prop_oneof![
        Just(Exact::Null),
        any::<bool>().prop_map(Exact::Bool),
        number.unwrap().prop_map(Exact::Number),
        any::<String>().prop_map(Exact::Text),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Exact::List),
            proptest::collection::btree_map(names(), inner, 0..4).prop_map(Exact::Object),
        ]
    })
    .boxed()
}
