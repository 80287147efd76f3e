//! Services that the tests add to those of eset-protect, as any user would.

include!(concat!(env!("OUT_DIR"), "/services.rs"));
