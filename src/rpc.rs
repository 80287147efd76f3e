//! The one list of RPCs.
//!
//! Everything about an RPC that does not change is a fact of its `.proto` file. `build.rs` reads it
//! there once and makes a type for each RPC, which says it in its [`MethodSpec`]; whatever works on
//! RPCs in this crate reads that list.
//!
//! ```
//! use eset_protect::rpc::{self, Rpc, device_tasks::GetTask};
//!
//! assert_eq!(GetTask::SPEC.http[0].path, "/v1/device_tasks/{task_uuid}");
//! assert!(GetTask::SPEC.idempotency.is_idempotent());
//! assert_eq!(rpc::METHODS.len(), 16);
//! ```

use std::fmt::Debug;

use crate::types::JsonMessage;

/// What does not change about an RPC.
#[derive(Clone, Copy, Debug)]
pub struct MethodSpec {
    /// The full name of the service, such as `eset.dotnod.automation.v1.DeviceTasks`.
    pub service: &'static str,
    /// The name of the method, such as `GetTask`.
    pub method: &'static str,
    /// The gRPC path: `/` service `/` method.
    pub path: &'static str,
    /// The part of the host name that stands for the service in ESET's cloud: the host is
    /// `{region}.{host}.eset.systems` ([facts](crate::facts#services)).
    pub host: &'static str,
    /// The full name of the request message.
    pub request: &'static str,
    /// The full name of the response message.
    pub response: &'static str,
    /// The fields of the request message, for binding a path and a query to them.
    pub request_fields: fn() -> &'static [Field],
    /// The fields of the response message, one of which may be the body of the HTTP response.
    pub response_fields: fn() -> &'static [Field],
    /// Whether the call may be repeated.
    pub idempotency: IdempotencyLevel,
    /// The HTTP bindings of `google.api.http`: the main one, then the additional ones.
    pub http: &'static [HttpBinding],
    /// The call lists in pages: the RPC is a [`PagedRpc`].
    pub is_paged: bool,
    /// The response field that awaiting a [`Call`](crate::Call) returns ([`Rpc::Output`]), such as
    /// `task`; empty for the whole response.
    pub output_field: &'static str,
}

/// One HTTP method and path template for an RPC (AIP-127).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpBinding {
    /// The HTTP method.
    pub method: &'static str,
    /// The path template, such as `/v1/device_tasks/{task_uuid}`.
    pub path: &'static str,
    /// The request field that is the body; `*` for all that the path does not bind; empty for none.
    pub body: &'static str,
    /// The response field that is the body; empty for the whole response.
    pub response_body: &'static str,
}

/// A field of a request or response message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the `.proto` file.
    pub name: &'static str,
    /// Its name in JSON.
    pub json_name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// It is `repeated`.
    pub is_list: bool,
}

impl Field {
    /// Whether this is its name, in either spelling.
    pub fn is_called(&self, name: &str) -> bool {
        self.json_name == name || self.name == name
    }
}

/// What a field holds, as far as a path or a query needs to know.
#[derive(Clone, Copy, Debug)]
pub enum FieldKind {
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// A number, bytes, an enum value, or a well-known type whose JSON is a string: all of them are
    /// read from a string too.
    Scalar,
    /// A message with these fields.
    Message(fn() -> &'static [Field]),
    /// A map, free JSON, or `google.protobuf.Empty`: what has no place in a path or a query.
    Map,
}

/// Whether an RPC may be called again when nobody knows whether it ran
/// (`google.protobuf.MethodOptions.IdempotencyLevel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyLevel {
    /// A second call may do it a second time.
    Unknown,
    /// The call changes nothing.
    NoSideEffects,
    /// A second call changes nothing more.
    Idempotent,
}

impl IdempotencyLevel {
    /// A second call does no harm.
    pub fn is_idempotent(self) -> bool {
        self != Self::Unknown
    }
}

/// An RPC as a type.
pub trait Rpc: Send + Sync + 'static {
    /// The request message.
    type Request: JsonMessage + Clone + Debug + Unpin + 'static;
    /// The response message.
    type Response: JsonMessage + Debug + 'static;
    /// What awaiting a [`Call`](crate::Call) returns: the message that is the only field of the response,
    /// such as the `DeviceTask` of `GetTask` and `CreateTask`; for any other RPC the response itself.
    type Output: Into<Self::Response> + Debug + Send + Unpin + 'static;
    /// What does not change about it.
    const SPEC: &'static MethodSpec;

    /// Takes the output out of the response; `None` if the server left it out.
    fn output(response: Self::Response) -> Option<Self::Output>;
}

/// An RPC that lists in pages (AIP-158).
pub trait PagedRpc: Rpc {
    /// What it lists.
    type Item: Send + Unpin + 'static;

    /// The field for the size of a page.
    fn page_size(request: &mut Self::Request) -> &mut u32;
    /// The field that asks for a page.
    fn page_token(request: &mut Self::Request) -> &mut String;
    /// What asks for the next page; empty on the last.
    fn next_page_token(response: &Self::Response) -> &str;
    /// What is on the page.
    fn items(response: Self::Response) -> Vec<Self::Item>;
}

/// Something to do with an RPC of which only the path is known.
pub trait RpcVisitor {
    /// The result.
    type Output;

    /// Called with the RPC.
    fn rpc<R: Rpc>(self) -> Self::Output;
}

include!(concat!(env!("OUT_DIR"), "/rpcs.rs"));
