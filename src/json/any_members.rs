//! The members of an `Any` that its message does not have.

/// The member that names the type.
pub(crate) const TYPE: &str = "@type";
/// The member that contains the bytes of a message without a JSON form.
pub(crate) const VALUE: &str = "@value";
/// The problem of an object with two types.
pub(crate) const TYPE_TWICE: &str = "the member `@type` appears twice";
