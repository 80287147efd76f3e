//! Services beside those of eset-protect, for the tests. What is here is what anyone would write.

include!(concat!(env!("OUT_DIR"), "/services.rs"));
