//! Maps RPCs to HTTP requests and back (`google.api.http`, AIP-127).
//!
//! This module does no I/O and serves both sides: [`Encoded::request`] expands a path template for a REST
//! client, and [`Router`] matches it for a REST server. Each reverses the other exactly.
//!
//! The response of an RPC is JSON here. That of an RPC that returns
//! [`google.api.HttpBody`](crate::proto::google::api::HttpBody), such as a download, is not: the client and
//! the REST front send its `data` as it is, with its `content_type` as the header `Content-Type`.
//!
//! ```
//! use eset_protect::automation::v1::ListTaskRunsRequest;
//! use eset_protect::rpc::device_tasks::ListTaskRuns;
//! use eset_protect::transcode::{Encoded, Router};
//!
//! let request = ListTaskRunsRequest {
//!     task_uuid: "a/b".into(), list_only_last_runs: true, ..Default::default()
//! };
//! let http = Encoded::request::<ListTaskRuns>(&request)?;
//! assert_eq!(http.method, "GET");
//! assert_eq!(http.path_and_query, "/v1/device_tasks/a%2Fb/runs?listOnlyLastRuns=true");
//!
//! let router = Router::of_crate();
//! let found = router.route("GET", "/v1/device_tasks/a%2Fb/runs")?.expect("a route");
//! assert_eq!(found.spec().method, "ListTaskRuns");
//! assert_eq!(found.request::<ListTaskRuns>("listOnlyLastRuns=true", b"")?, request);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binding;
mod form;
mod object;
mod path;
mod percent;
mod query;
mod router;
#[cfg(feature = "_connections")]
mod rpc_types;
mod status;

use std::fmt;

use crate::json::path::without_position;
use crate::json::schema::{Field, proto_path};

pub use binding::Encoded;
#[cfg(feature = "rest")]
pub(crate) use binding::{has_member, read_any};
#[cfg(feature = "rest")]
pub(crate) use form::form;
#[cfg(feature = "_connections")]
pub(crate) use form::read_form;
pub(crate) use percent::{Place, decode_bytes};
pub use router::{Route, Router};
#[cfg(feature = "_connections")]
pub(crate) use rpc_types::{FindTypes, RpcTypes};
pub use status::{code_from_http, http_from_code};

pub use crate::rpc::path_template::{ParseTemplateError, PathTemplate};

/// The HTTP form of every RPC of the crate as an OpenAPI 3.0.3 document in JSON, generated from the same
/// descriptors. Use it with Swagger UI, client generators, mock servers and gateways.
///
/// Paths, operations, parameters and schemas have the names of ESET's own documents
/// ([facts](crate::facts#names)). The document contains what the `.proto` files declare; length limits are
/// not included.
///
/// ```
/// let document: serde_json::Value = serde_json::from_str(eset_protect::transcode::OPENAPI)?;
/// let get = &document["paths"]["/v1/device_tasks/{taskUuid}"]["get"];
/// assert_eq!(get["operationId"], "DeviceTasks_GetTask");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The reason why a request has no HTTP form, or why an HTTP request is not a valid request of the RPC. The
/// caller's mistake: nothing was sent or executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscodeError {
    field: String,
    problem: String,
    /// Where in the JSON it is; may be empty.
    position: String,
}

impl TranscodeError {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), position: String::new() }
    }

    /// Creates the error for invalid JSON, whose message starts with the path of the field.
    fn json(error: &serde_json::Error) -> Self {
        let mut located = Self::json_made_here(error);
        if error.line() > 0 {
            located.position = format!(" at line {} column {}", error.line(), error.column());
        }
        located
    }

    /// Does the same for JSON that this crate generated, whose line numbers mean nothing to the caller.
    fn json_made_here(error: &serde_json::Error) -> Self {
        let text = without_position(error);
        match text.strip_prefix("field `").and_then(|rest| rest.split_once("`: ")) {
            Some((field, problem)) => Self::new(field, problem),
            None => Self::new("", text),
        }
    }

    /// Names the field, which may be one of these, as the `.proto` files do.
    fn named(mut self, fields: &'static [Field]) -> Self {
        self.field = proto_path(&self.field, fields);
        self
    }

    /// Sets the field.
    fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.field);
        self
    }

    /// Prefixes the field with the name of its parent.
    fn below(mut self, field: &str) -> Self {
        self.field = if self.field.is_empty() {
            field.to_owned()
        } else {
            format!("{field}.{}", self.field)
        };
        self
    }

    /// Returns the field or parameter; empty if the error is about all of it. In a request it has the names of the
    /// `.proto` files, such as `task.triggers[0].expire_time`, however the request spells it; what the types do not have,
    /// and what is inside an [`Any`](crate::wkt::Any), keeps its name.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns the problem alone.
    #[cfg(any(feature = "rest", feature = "server"))]
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for TranscodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, problem, position } = self;
        if !field.is_empty() {
            write!(f, "field `{field}`: ")?;
        }
        write!(f, "{problem}{position}")
    }
}

impl std::error::Error for TranscodeError {}
