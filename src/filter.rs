//! Filters and orders that lists take as text, made of members that cannot be misspelt.
//!
//! Most lists are filtered by fields of their requests. Some take an expression or an order as text. The RPCs of
//! these have a constant for each member of what they list, generated from the `.proto` files:
//!
//! ```
//! use eset_protect::incident_management::v2::ListIncidentsRequest;
//! use eset_protect::rpc::incidents::ListIncidents;
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! let since = UNIX_EPOCH + Duration::from_secs(1_790_812_800);
//! let filter = ListIncidents::DISPLAY_NAME.contains("abc").and(ListIncidents::CREATE_TIME.ge(since));
//! let order = ListIncidents::SEVERITY.descending().then(ListIncidents::CREATE_TIME.ascending());
//! assert_eq!(
//!     filter.to_string(),
//!     r#"displayName.contains("abc") && createTime >= timestamp("2026-10-01T00:00:00Z")"#,
//! );
//! assert_eq!(order.to_string(), "severity desc, create_time");
//! # async fn run(client: eset_protect::Client) -> Result<(), Box<dyn std::error::Error>> {
//! # use eset_protect::filter::{Filter, OrderBy};
//! # let (filter, order): (Filter<ListIncidents>, OrderBy<ListIncidents>) = todo!();
//! let incidents = client.incidents();
//! let list = incidents.list_incidents(ListIncidentsRequest::default());
//! let mut items = list.filter(filter).order_by(order).items();
//! while let Some(incident) = items.next().await {
//!     println!("{}", incident?.display_name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ESET documents no form of enum values, durations and lists in expressions: such members are for orders only. Nor does
//! it document one of infinities and NaN: they are `double("Infinity")` in the Common Expression Language and
//! `"Infinity"` in words, which a server may refuse.

use std::fmt::{self, Debug, Display, Write};
use std::marker::PhantomData;

use crate::rpc::Rpc;
use crate::wkt::Timestamp;

/// The language of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// The Common Expression Language: `displayName.contains("abc") && status == "…"`.
    Cel,
    /// Words: `resolved eq 0 and device.displayName eq "PC-1"`.
    Words,
}

/// An RPC whose request has an expression that filters.
pub trait FilteredRpc: Rpc {
    /// The language of the expression.
    const LANGUAGE: Language;

    /// Returns the field of the expression.
    fn filter(request: &mut Self::Request) -> &mut String;
}

/// An RPC whose expression is in the [Common Expression Language](Language::Cel).
pub trait CelRpc: FilteredRpc {}

/// An RPC whose request has an order (AIP-132).
pub trait OrderedRpc: Rpc {
    /// Returns the field of the order.
    fn order_by(request: &mut Self::Request) -> &mut String;
}

/// A member of what an RPC lists, with values of a type.
pub struct Member<R, V> {
    json: &'static str,
    proto: &'static str,
    of: PhantomData<fn() -> (R, V)>,
}

impl<R, V> Member<R, V> {
    /// Names a member as in JSON and as in the `.proto` file, with dots for members of members. For generated code.
    #[doc(hidden)]
    pub const fn new(json: &'static str, proto: &'static str) -> Self {
        Self { json, proto, of: PhantomData }
    }
}

/// A value that expressions compare.
pub trait FilterValue {
    /// Appends the value as a language writes it.
    fn write(&self, language: Language, text: &mut String);
}

impl FilterValue for String {
    fn write(&self, _: Language, text: &mut String) {
        text.push('"');
        for c in self.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c => text.push(c),
            }
        }
        text.push('"');
    }
}

impl FilterValue for bool {
    fn write(&self, language: Language, text: &mut String) {
        text.push_str(match (language, self) {
            (Language::Cel, true) => "true",
            (Language::Cel, false) => "false",
            (Language::Words, true) => "1",
            (Language::Words, false) => "0",
        });
    }
}

impl FilterValue for Timestamp {
    fn write(&self, language: Language, text: &mut String) {
        // Comparisons with a time out of range have the same results with the nearest one that has a text.
        let time = self.nearest_valid();
        // Writing to a string does not fail.
        let _ = match language {
            Language::Cel => write!(text, "timestamp(\"{time}\")"),
            Language::Words => write!(text, "\"{time}\""),
        };
    }
}

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl FilterValue for $number {
            fn write(&self, _: Language, text: &mut String) {
                let _ = write!(text, "{self}");
            }
        }
    )* };
}

numbers! { i32 i64 u32 u64 }

macro_rules! fractions {
    ($($number:ty)*) => { $(
        impl FilterValue for $number {
            fn write(&self, language: Language, text: &mut String) {
                let _ = match (language, *self) {
                    // With a point or an exponent, or it would be an integer.
                    (_, finite) if finite.is_finite() => write!(text, "{finite:?}"),
                    (Language::Cel, other) => write!(text, "double(\"{}\")", name(other.into())),
                    (Language::Words, other) => write!(text, "\"{}\"", name(other.into())),
                };
            }
        }
    )* };
}

fractions! { f32 f64 }

/// The name of a number that has no digits.
fn name(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

macro_rules! comparisons {
    ($($name:ident $cel:literal $word:literal $doc:literal)*) => {
        impl<R: FilteredRpc, V: FilterValue> Member<R, V> { $(
            #[doc = $doc]
            pub fn $name(self, value: impl Into<V>) -> Filter<R> {
                self.compared(match R::LANGUAGE {
                    Language::Cel => $cel,
                    Language::Words => $word,
                }, &value.into())
            }
        )* }
    };
}

comparisons! {
    eq "==" "eq" "Selects what has this value."
    ne "!=" "ne" "Selects what has another value."
    lt "<" "lt" "Selects what has a lower value."
    le "<=" "le" "Selects what has this or a lower value."
    gt ">" "gt" "Selects what has a higher value."
    ge ">=" "ge" "Selects what has this or a higher value."
}

impl<R: FilteredRpc, V: FilterValue> Member<R, V> {
    fn compared(&self, operator: &str, value: &V) -> Filter<R> {
        let mut text = format!("{} {operator} ", self.json);
        value.write(R::LANGUAGE, &mut text);
        Filter { text, joined: None, of: PhantomData }
    }
}

impl<R: CelRpc> Member<R, String> {
    /// Selects what has this part in its text.
    pub fn contains(self, part: impl Into<String>) -> Filter<R> {
        let mut text = format!("{}.contains(", self.json);
        part.into().write(R::LANGUAGE, &mut text);
        text.push(')');
        Filter { text, joined: None, of: PhantomData }
    }
}

impl<R: OrderedRpc, V> Member<R, V> {
    /// Sorts by the member, the lowest value first.
    pub fn ascending(self) -> OrderBy<R> {
        OrderBy { text: self.proto.to_owned(), of: PhantomData }
    }

    /// Sorts by the member, the highest value first.
    pub fn descending(self) -> OrderBy<R> {
        OrderBy { text: format!("{} desc", self.proto), of: PhantomData }
    }
}

/// An expression that selects what an RPC lists. ESET takes at most 200 characters.
pub struct Filter<R> {
    text: String,
    /// The operator at its top.
    joined: Option<&'static str>,
    of: PhantomData<fn() -> R>,
}

impl<R: FilteredRpc> Filter<R> {
    /// Selects what both select.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.join(if R::LANGUAGE == Language::Cel { "&&" } else { "and" }, other)
    }

    /// Selects what one of them selects, or both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.join(if R::LANGUAGE == Language::Cel { "||" } else { "or" }, other)
    }

    fn join(self, operator: &'static str, other: Self) -> Self {
        let part = |part: Self| match part.joined {
            Some(inner) if inner != operator => format!("({})", part.text),
            _ => part.text,
        };
        let text = format!("{} {operator} {}", part(self), part(other));
        Self { text, joined: Some(operator), of: PhantomData }
    }

    /// Sets the filter of a request.
    pub fn set(self, request: &mut R::Request) {
        *R::filter(request) = self.text;
    }
}

/// The order of what an RPC lists. ESET takes at most 100 characters.
pub struct OrderBy<R> {
    text: String,
    of: PhantomData<fn() -> R>,
}

impl<R: OrderedRpc> OrderBy<R> {
    /// Sorts what is equal by another order.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.text.extend([", ".to_owned(), other.text]);
        self
    }

    /// Sets the order of a request.
    pub fn set(self, request: &mut R::Request) {
        *R::order_by(request) = self.text;
    }
}

macro_rules! texts {
    ($($type:ident)*) => { $(
        impl<R> Display for $type<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl<R> Debug for $type<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.text).finish()
            }
        }

        impl<R> Clone for $type<R> {
            fn clone(&self) -> Self {
                Self { text: self.text.clone(), ..*self }
            }
        }
    )* };
}

texts! { Filter OrderBy }

impl<R, V> Debug for Member<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&self.json).finish()
    }
}

impl<R, V> Clone for Member<R, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, V> Copy for Member<R, V> {}
