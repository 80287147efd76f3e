//! Services that the tests add to those of eset-protect, as any user would: one whose lints allow nothing.

#![deny(
    warnings,
    closure_returning_async_block,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_results,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    rustdoc::all
)]

include!(concat!(env!("OUT_DIR"), "/services.rs"));
