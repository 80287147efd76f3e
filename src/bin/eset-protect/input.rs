//! Reads files and standard input.

mod file;
mod requests;
mod unique;
mod uuids;

pub use file::{Source, read, wrong};
pub use requests::{Requests, parse_requests, read_requests};
pub use unique::refuse_duplicates;
pub use uuids::Uuids;
