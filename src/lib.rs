//! eset-protect
extern crate self as eset_protect;
#[doc(hidden)]
pub mod codegen;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod proto;
pub mod protojson;
mod types;
pub mod wkt;
pub use proto::eset::dotnod::{automation, policy_management};
pub mod params {
    pub use crate::proto::era::common::data_definition::task::ess::*;
}
