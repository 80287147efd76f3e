//! eset-protect
extern crate self as eset_protect;
#[doc(hidden)]
pub mod codegen;
pub mod proto;
pub mod protojson;
pub mod wkt;
mod types;
pub use proto::eset::dotnod::{automation, policy_management};
pub mod params {
    pub use crate::proto::era::common::data_definition::task::ess::*;
}
