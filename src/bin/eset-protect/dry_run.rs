//! Shows what would be sent.

use eset_protect::rpc::{Rpc, RpcVisitor};
use eset_protect::transcode::Encoded;
use serde_json::value::RawValue;

use crate::calls::{parse, read, visit};
use crate::failure::Failure;
use crate::items::program;
use crate::method::Method;
use crate::output::{Output, View};

/// Prints a request: its RPC, its HTTP method and path, and its JSON. A program gets them as one object.
pub fn print(view: &View, method: &Method, request: &str) -> Result<(), Failure> {
    let encoded = visit(method, Encode { request })?;
    let mut output = Output::new();
    if view.is_for_people() {
        let http = format!("{} {}", encoded.method, encoded.path_and_query);
        let rpc = output.style.dim(&format!("gRPC {}", method.spec.path));
        output.line(&format!("{}\n{rpc}", output.style.bold(&http)))?;
        output.foreign_line(&serde_json::to_string_pretty(&parse(request)?)?)?;
    } else {
        // The text of the request is kept, so that its numbers stay exact.
        let request: &RawValue = serde_json::from_str(request)?;
        let head = serde_json::json!({
            "rpc": method.spec.path, "method": encoded.method, "path": encoded.path_and_query,
        });
        let head = head.to_string();
        let line = format!("{},\"request\":{request}}}", head.trim_end_matches('}'));
        if !program(view, &mut output, &line)? {
            view.json(&mut output, &line)?;
        }
    }
    output.flush()
}

struct Encode<'a> {
    request: &'a str,
}

impl RpcVisitor for Encode<'_> {
    type Output = Result<Encoded, Failure>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let request = read::<R>(self.request)?;
        Encoded::request::<R>(&request).map_err(|error| Failure::Input(error.to_string()))
    }
}
