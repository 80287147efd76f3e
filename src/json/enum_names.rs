//! Names of enum values that the schema does not have, remembered for whoever asks for it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// How many names are remembered.
const MAX_NAMES: usize = 4096;
/// How long a name may be.
const MAX_NAME_BYTES: usize = 128;

/// Names by the enum and by the number that stands for them.
#[derive(Debug, Default)]
pub(crate) struct EnumNames(RwLock<HashMap<(&'static str, i32), Box<str>>>);

impl EnumNames {
    /// The name that a number of an enum stands for.
    pub(crate) fn name(&self, enum_name: &'static str, number: i32) -> Option<Box<str>> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.get(&(enum_name, number)).cloned()
    }

    /// Remembers a name and returns the number that stands for it: `number`, or the next one that no
    /// other name has taken.
    pub(crate) fn remember(&self, enum_name: &'static str, name: &str, mut number: i32) -> i32 {
        if name.len() > MAX_NAME_BYTES {
            return number;
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        while names.get(&(enum_name, number)).is_some_and(|known| **known != *name) {
            number = i32::MIN | number.wrapping_add(1);
        }
        if names.len() < MAX_NAMES {
            names.insert((enum_name, number), name.into());
        }
        number
    }
}
