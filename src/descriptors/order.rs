//! The order of a list (AIP-132): `display_name, severity desc`.

use std::cmp::Ordering;

use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::members::{Key, Path};

/// The members to sort by, each ascending or not.
#[derive(Debug, Default)]
pub struct Order(Vec<(Path, bool)>);

impl Order {
    /// Reads members of resources of a type, separated by commas, each with ` desc` or ` asc` after it.
    ///
    /// # Errors
    ///
    /// Says what was expected, with the member that may have been meant.
    pub fn parse(text: &str, resource: &MessageDescriptor) -> Result<Self, String> {
        let mut order = Self::default();
        for part in text.split(',').filter(|_| !text.trim().is_empty()) {
            let words: Vec<_> = part.split_whitespace().collect();
            let (name, is_ascending) = match words.as_slice() {
                [name] | [name, "asc"] => (*name, true),
                [name, "desc"] => (*name, false),
                _ => {
                    return Err(format!("expected a member, perhaps with ` desc`, found {part:?}"));
                }
            };
            let path = Path::find(resource, name)?;
            if !path.is_single() {
                return Err(format!("{name}: expected a member with one value"));
            }
            order.0.push((path, is_ascending));
        }
        Ok(order)
    }

    /// Whether nothing is sorted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares two resources.
    pub fn compare(&self, one: &DynamicMessage, other: &DynamicMessage) -> Ordering {
        let by = |(path, is_ascending): &(Path, bool)| {
            let ordering = key(one, path).partial_cmp(&key(other, path));
            let ordering = ordering.unwrap_or(Ordering::Equal);
            if *is_ascending { ordering } else { ordering.reverse() }
        };
        self.0.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn key(message: &DynamicMessage, path: &Path) -> Key {
    let mut key = Key::None;
    path.any(message, &mut |value| {
        key = Key::of(value);
        true
    });
    key
}
