//! Reads options that extensions add to declarations.

use prost_reflect::{DescriptorPool, DynamicMessage, Value};

/// Returns the value of an option such as `google.api.default_host`; `None` if it is not set, or no file
/// declares it.
pub(crate) fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}
