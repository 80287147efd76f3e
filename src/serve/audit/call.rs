//! A call, and its lines in the log.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde::Serialize;

use super::target::Target;
use crate::wkt::Timestamp;

/// A call to be logged.
#[derive(Debug, Serialize)]
pub(in crate::serve) struct Call {
    pub(in crate::serve) caller: String,
    /// Whether the caller's token is one that the upstream has not accepted yet.
    #[serde(skip)]
    pub(in crate::serve) is_unproven: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) subject: Option<String>,
    /// Of the caller's own token: the beginning of its hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) peer: Option<SocketAddr>,
    pub(in crate::serve) tenant: String,
    /// The full name of the RPC.
    pub(in crate::serve) rpc: &'static str,
    #[serde(flatten)]
    pub(in crate::serve) target: Target,
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    event: &'a str,
    #[serde(rename = "call")]
    id: String,
    #[serde(flatten)]
    call: &'a Call,
    #[serde(flatten)]
    outcome: Option<Outcome<'a>>,
}

/// How a call ended.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    pub(super) code: &'a str,
    pub(super) may_have_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<&'a str>,
    pub(super) milliseconds: u64,
}

impl Call {
    pub(super) fn line(&self, event: &str, id: u64, outcome: Option<Outcome<'_>>) -> Vec<u8> {
        let (time, id) = (SystemTime::now().into(), format!("{id:016x}"));
        let line = Line { time, event, id, call: self, outcome };
        // Text, numbers and a time of this age have JSON forms.
        let mut json = serde_json::to_vec(&line).unwrap_or_default();
        json.push(b'\n');
        json
    }
}
