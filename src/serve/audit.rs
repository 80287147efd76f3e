//! The log of calls that change something.

mod allowance;
mod call;
mod entry;
mod file;
mod log;
mod open_calls;
mod target;
mod writer;

pub(super) use self::call::Call;
pub use self::log::AuditLog;
pub(super) use self::target::Target;
