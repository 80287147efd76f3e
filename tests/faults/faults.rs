//! The faults, by wire.

mod certificates;
pub mod grpc;
pub mod grpc_streams;
mod http2;
mod logins;
pub mod rest;
mod rest_answers;
mod rest_pending;

use eset_protect::Wire;
use eset_protect::automation::v1::{DeviceTask, GetTaskResponse};

use crate::fault::Fault;

/// A task as ESET's services write it.
pub const TASK: &str = r#"{"task":{"uuid":"t-1","displayName":"Scan"}}"#;

/// Returns the same as a message, which is also the response to a create.
pub fn message() -> GetTaskResponse {
    let task = DeviceTask { uuid: "t-1".into(), display_name: "Scan".into(), ..Default::default() };
    GetTaskResponse { task: Some(task) }
}

/// A table.
pub struct Section {
    pub name: &'static str,
    pub wire: Wire,
    pub faults: Vec<Fault>,
}

/// Returns all tables.
pub fn sections() -> Vec<Section> {
    let section = |name, wire, faults| Section { name, wire, faults };
    vec![
        section("gRPC: connections and streams", Wire::Grpc, grpc_streams::faults()),
        section("gRPC: answers", Wire::Grpc, grpc::faults()),
        section("REST: connections", Wire::Rest, rest::faults()),
        section("REST: streams of HTTP/2", Wire::Rest, http2::faults()),
        section("REST: answers", Wire::Rest, rest_answers::faults()),
        section("REST: pending responses (202)", Wire::Rest, rest_pending::faults()),
        section("gRPC: certificates", Wire::Grpc, certificates::faults(false)),
        section("REST: certificates", Wire::Rest, certificates::faults(true)),
        section("gRPC: the login", Wire::Grpc, logins::faults(false)),
        section("REST: the login", Wire::Rest, logins::faults(true)),
    ]
}
