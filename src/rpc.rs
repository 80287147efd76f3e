//! The list of RPCs.
//!
//! All constant facts about an RPC are in its `.proto` file. `build.rs` reads them once and generates a type
//! for each RPC with its [`MethodSpec`], which everything in this crate uses that works on RPCs.
//!
//! ```
//! use eset_protect::rpc::{self, Rpc, device_tasks::GetTask};
//!
//! assert_eq!(GetTask::SPEC.http[0].path, "/v1/device_tasks/{task_uuid}");
//! assert!(GetTask::SPEC.idempotency.is_idempotent());
//! assert!(rpc::METHODS.iter().any(|spec| spec.path == "/eset.dotnod.automation.v1.DeviceTasks/GetTask"));
//! ```

mod deployment;
mod on_prem;
pub(crate) mod path_template;

use std::fmt::Debug;

pub use deployment::Deployment;
pub use on_prem::OnPrem;

use path_template::PathTemplate;

use crate::json::message::JsonMessage;

/// The constant facts about an RPC.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MethodSpec {
    /// The full name of the service, such as `eset.dotnod.automation.v1.DeviceTasks`.
    pub service: &'static str,
    /// The name of the method, such as `GetTask`.
    pub method: &'static str,
    /// The gRPC path: `/` service `/` method.
    pub path: &'static str,
    /// The part of the host name that identifies the service in ESET's cloud: the host is
    /// `{region}.{host}.eset.systems` ([facts](crate::facts#services)). Empty if there is none.
    pub host: &'static str,
    /// The full name of the request message.
    pub request: &'static str,
    /// The full name of the response message.
    pub response: &'static str,
    /// Whether the call may be repeated.
    pub idempotency: IdempotencyLevel,
    /// The HTTP bindings of `google.api.http`: the primary one, then the additional ones.
    pub http: &'static [HttpBinding],
    /// Whether the RPC returns lists in pages, and is a [`PagedRpc`].
    pub is_paged: bool,
    /// Whether the RPC deletes the resource that its request names, and returns nothing (AIP-135): a retry that finds
    /// the resource gone [succeeds](crate::RetryPolicy#deletes).
    pub is_delete: bool,
    /// The response field that awaiting a [`Call`](crate::Call) returns ([`Rpc::Output`]), such as `task`;
    /// empty for the whole response.
    pub output_field: &'static str,
    /// Where ESET PROTECT On-Prem has the RPC; `None` where it does not, and for services that are not ESET's.
    pub on_prem: Option<OnPrem>,
}

impl MethodSpec {
    /// Describes the RPC with a gRPC path, `/` service `/` method, and messages with these full names. It is
    /// not idempotent and has neither a host nor an HTTP form.
    pub const fn new(path: &'static str, request: &'static str, response: &'static str) -> Self {
        let mut slash = path.len();
        while slash > 0 && path.as_bytes()[slash - 1] != b'/' {
            slash -= 1;
        }
        let (service, method) = path.split_at(slash);
        let (service, _) = service.split_at(slash.saturating_sub(1));
        let (_, service) = service.split_at(if service.is_empty() { 0 } else { 1 });
        let idempotency = IdempotencyLevel::Unknown;
        Self {
            service,
            method,
            path,
            host: "",
            request,
            response,
            idempotency,
            http: &[],
            is_paged: false,
            is_delete: false,
            output_field: "",
            on_prem: None,
        }
    }

    /// Sets the [host](Self::host).
    #[must_use]
    pub const fn host(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    /// Sets whether the call may be repeated.
    #[must_use]
    pub const fn idempotency(mut self, idempotency: IdempotencyLevel) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Sets the HTTP bindings.
    #[must_use]
    pub const fn http(mut self, bindings: &'static [HttpBinding]) -> Self {
        self.http = bindings;
        self
    }

    /// Sets the [response field](Self::output_field) that awaiting a call returns.
    #[must_use]
    pub const fn output_field(mut self, field: &'static str) -> Self {
        self.output_field = field;
        self
    }

    /// Sets where [ESET PROTECT On-Prem](Self::on_prem) has the RPC.
    #[must_use]
    pub const fn on_prem(mut self, on_prem: OnPrem) -> Self {
        self.on_prem = Some(on_prem);
        self
    }

    /// Marks the RPC as returning lists in pages.
    #[must_use]
    pub const fn paged(mut self) -> Self {
        self.is_paged = true;
        self
    }

    /// Marks the RPC as one that [deletes](Self::is_delete) the resource that its request names.
    #[must_use]
    pub const fn delete(mut self) -> Self {
        self.is_delete = true;
        self
    }
}

/// One HTTP method and path template for an RPC (AIP-127).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpBinding {
    /// The HTTP method.
    pub method: &'static str,
    /// The path template, such as `/v1/device_tasks/{task_uuid}`.
    pub path: &'static str,
    /// The path template, parsed.
    pub template: PathTemplate<'static>,
    /// The request field that is the body; `*` for all fields that the path does not bind; empty for none.
    pub body: &'static str,
    /// The response field that is the body; empty for the whole response.
    pub response_body: &'static str,
}

impl HttpBinding {
    /// Creates a binding of an HTTP method and a [path template](PathTemplate), without a body.
    ///
    /// # Panics
    ///
    /// Panics if `path` is not a path template. In a `const`, where bindings belong, that is a compile error.
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        match PathTemplate::parse(path) {
            Ok(template) => Self { method, path, template, body: "", response_body: "" },
            Err(error) => wrong_template(error.expected()),
        }
    }

    /// Sets the request field that is the body, or `*` for all fields that the path does not bind.
    #[must_use]
    pub const fn body(mut self, field: &'static str) -> Self {
        self.body = field;
        self
    }

    /// Sets the response field that is the body.
    #[must_use]
    pub const fn response_body(mut self, field: &'static str) -> Self {
        self.response_body = field;
        self
    }
}

#[expect(clippy::panic, reason = "bindings are constants: this stops the compiler")]
const fn wrong_template(expected: &'static str) -> ! {
    panic!("{}", expected)
}

/// Whether an RPC may be repeated if it is unknown whether it ran
/// (`google.protobuf.MethodOptions.IdempotencyLevel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyLevel {
    /// Repeating the call may repeat its effect.
    Unknown,
    /// The call changes nothing.
    NoSideEffects,
    /// Repeating the call has no further effect.
    Idempotent,
}

impl IdempotencyLevel {
    /// Whether repeating the call does no harm.
    pub fn is_idempotent(self) -> bool {
        self != Self::Unknown
    }
}

/// An RPC as a type.
pub trait Rpc: Debug + Send + Sync + 'static {
    /// The request message.
    type Request: JsonMessage + Clone + Debug + Unpin + 'static;
    /// The response message.
    type Response: JsonMessage + Debug + 'static;
    /// The result of awaiting a [`Call`](crate::Call): the message that is the only field of the response,
    /// such as the `DeviceTask` of `GetTask` and `CreateTask`; for other RPCs the response itself.
    type Output: Into<Self::Response> + Debug + Send + Unpin + 'static;
    /// The constant facts about the RPC.
    const SPEC: &'static MethodSpec;

    /// Extracts the output from the response; `None` if the server omitted it.
    fn output(response: Self::Response) -> Option<Self::Output>;
}

/// An RPC that returns lists in pages (AIP-158).
pub trait PagedRpc: Rpc {
    /// The type of the items.
    type Item: JsonMessage + Unpin + 'static;

    /// Sets the page size unless the request has one.
    fn set_default_page_size(request: &mut Self::Request, size: u32);
    /// Returns the field for the page token.
    fn page_token(request: &mut Self::Request) -> &mut String;
    /// Returns the token of the next page; empty on the last page.
    fn next_page_token(response: &Self::Response) -> &str;
    /// Returns the items of the page.
    fn items(response: Self::Response) -> Vec<Self::Item>;
}

/// An operation on an RPC that is known only by path.
pub trait RpcVisitor {
    /// The result.
    type Output;

    /// Called with the RPC.
    fn rpc<R: Rpc>(self) -> Self::Output;

    /// Called instead with an RPC that lists in pages. Calls [`rpc`](Self::rpc) by default.
    fn paged_rpc<R: PagedRpc>(self) -> Self::Output
    where
        Self: Sized,
    {
        self.rpc::<R>()
    }
}

include!(concat!(env!("OUT_DIR"), "/rpcs.rs"));
