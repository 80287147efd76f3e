//! What a caller learns about a call that failed on the way, on both wires: whether it may have run, and what
//! the server sees of a cancelled call.

#![cfg(feature = "rest")]

pub mod http2;

mod cancel;
mod certificates;
mod closed;
mod goaway;
mod keep_alive;
mod long;
mod preface;
mod reset;
mod runtimes;
