//! `eset_protect::transcode` from outside: path templates, queries, bodies, responses and statuses, in tables
//! and as properties of every RPC of the crate and of `tests/added_service`.

mod bodies;
mod broken_responses;
mod codec;
mod every_rpc;
mod hostile;
mod misfits;
mod queries;
mod random;
mod routes;
mod statuses;
mod templates;

use std::sync::LazyLock;

use eset_protect::rpc::{self, MethodSpec, Rpc};
use eset_protect::transcode::{Router, TranscodeError};

/// Returns every RPC.
fn all_methods() -> impl Iterator<Item = &'static MethodSpec> {
    rpc::METHODS.iter().chain(added_service::rpc::METHODS).copied()
}

/// A router for all of them.
static ROUTER: LazyLock<Router> = LazyLock::new(|| Router::new(all_methods()));

/// Decodes a request as a server does.
fn read<R: Rpc>(method: &str, target: &str, body: &str) -> Result<R::Request, TranscodeError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let route = ROUTER.route(method, path)?.unwrap_or_else(|| panic!("no route for {target}"));
    assert_eq!(route.spec().path, R::SPEC.path, "{target}");
    route.request::<R>(query, body.as_bytes())
}

/// Returns what is wrong with a request.
#[track_caller]
fn problem<R: Rpc<Request: std::fmt::Debug>>(method: &str, target: &str, body: &str) -> String {
    read::<R>(method, target, body).expect_err(target).to_string()
}
