//! Writes JSON with the members in the given order.

use std::fmt;

/// A JSON value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Bool(bool),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    /// JSON text to insert unchanged.
    Written(String),
}

impl Json {
    /// Creates a string.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Creates an object.
    pub(crate) fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, json)| (name.to_owned(), json)).collect())
    }

    /// Returns a member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, json)| json)
    }

    /// Appends a member if it has a value.
    pub(crate) fn with(mut self, name: &str, json: Option<Self>) -> Self {
        if let (Self::Object(members), Some(json)) = (&mut self, json) {
            members.push((name.to_owned(), json));
        }
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, indent: usize| write!(f, "\n{:1$}", "", indent * 2);
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(text) => write_text(text, f),
            Self::Written(json) => {
                for (index, text) in json.trim().lines().enumerate() {
                    if index > 0 {
                        line(f, indent)?;
                    }
                    f.write_str(text)?;
                }
                Ok(())
            }
            Self::List(list) if list.is_empty() => f.write_str("[]"),
            Self::Object(members) if members.is_empty() => f.write_str("{}"),
            Self::List(list) => {
                for (index, json) in list.iter().enumerate() {
                    f.write_str(if index == 0 { "[" } else { "," })?;
                    line(f, indent + 1)?;
                    json.write(f, indent + 1)?;
                }
                line(f, indent)?;
                f.write_str("]")
            }
            Self::Object(members) => {
                for (index, (name, json)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "{" } else { "," })?;
                    line(f, indent + 1)?;
                    write_text(name, f)?;
                    f.write_str(": ")?;
                    json.write(f, indent + 1)?;
                }
                line(f, indent)?;
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}
