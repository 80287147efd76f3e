//! Replaces the metrics if the feature `metrics` is off.

#[cfg(feature = "serve")]
use std::sync::Arc;
use std::time::Duration;

use tonic::Code;

use super::Server;
use crate::rpc::MethodSpec;

pub(super) fn call(
    _spec: &MethodSpec,
    _code: Code,
    _server: Option<&Server>,
    _elapsed: impl FnOnce() -> Duration,
) {
}

pub(super) fn attempt(_spec: &MethodSpec, _code: Code) {}

pub(super) fn retry(_spec: &MethodSpec, _reason: &'static str) {}

pub(super) fn given_up(_spec: &MethodSpec, _reason: &'static str) {}

pub(super) fn login(_outcome: &'static str) {}

pub(super) fn pending(_spec: Option<&MethodSpec>) {}

pub(super) fn rate_limit(_wait: Duration, _is_in_time: bool) {}

#[cfg(feature = "serve")]
pub(super) fn served(
    _method: &'static str,
    _tenant: Option<Arc<str>>,
    _code: Code,
    _elapsed: Duration,
) {
}
