//! One thing, with all that is known of it.

use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Format, Output};
use crate::say::say;
use crate::table::{Lines, Row, print_fields};

/// Something that is shown alone with more than a row holds.
pub trait Details: Row {
    /// What one is called, such as `task`.
    const NAME: &'static str;
    /// The name by which the service knows it.
    fn uuid(&self) -> &str;
    /// The names and values of its fields.
    fn fields(&self) -> Vec<(&'static str, Lines)>;
}

/// Prints the answer to a call, and the item in it for people.
pub fn print<M: Serialize, T: Details>(
    format: Format,
    response: &M,
    item: Option<&T>,
) -> Result<(), Failure> {
    let mut output = Output::new();
    match (format, item) {
        (Format::Json, _) => output.json(response)?,
        (Format::Table, Some(item)) => print_fields(&mut output, item.fields())?,
        (Format::Table, None) => output.line(&format!("The answer holds no {}.", T::NAME))?,
    }
    output.flush()
}

/// Prints the answer to a create. Where it cannot be printed the uuid is said, since nobody else knows it.
pub fn print_created<M: Serialize, T: Details>(
    format: Format,
    response: &M,
    item: Option<&T>,
) -> Result<(), Failure> {
    print(format, response, item).map_err(|failure| {
        if let Some(item) = item {
            say(&format!("created, but not printed: the {} {}", T::NAME, item.uuid()));
        }
        failure.of_created()
    })
}
