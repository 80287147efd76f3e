//! Reads files and standard input.

mod file;
mod requests;
mod uuids;

pub use file::{Source, read, refuse_duplicates, wrong};
pub use requests::{Requests, parse_requests};
pub use uuids::{file, from, uuids};
