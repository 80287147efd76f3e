//! `eset-protect api`: an operation by its HTTP method and path.

use clap::Args;
use eset_protect::rpc::{self, Rpc, RpcVisitor};
use eset_protect::transcode::{Route, Router};

use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::read_text;
use crate::method::Method;
use crate::request::Request;
use crate::response;
use crate::safety::{DryRun, Safety};

/// Make one call by its HTTP method and path, as ESET documents it
///
/// It is sent over the wire of the server, with the login, retries and the rate limit, and printed with all of its
/// fields. Of a list, this is one page.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect api GET '/v1/devices?pageSize=10' --jq '.devices[].displayName'
  eset-protect api POST /v1/groups --data '{\"group\": {\"displayName\": \"Tills\"}}' --dry-run")]
pub struct Api {
    #[command(flatten)]
    connection: Connection,
    /// The HTTP method
    #[arg(value_name = "METHOD", ignore_case = true, value_parser = ["GET", "POST", "PUT", "PATCH", "DELETE"])]
    method: String,
    /// The path with its query, such as /v1/devices?pageSize=10
    #[arg(value_name = "PATH")]
    path: String,
    /// The body: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    data: Option<String>,
    #[command(flatten)]
    check: CheckOptions,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Api {
    pub fn run(self) -> Result<(), Failure> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let router = Router::of_crate();
        let verb = self.method.to_ascii_uppercase();
        let wrong = |problem: String| Failure::Input(format!("{verb} {path}: {problem}"));
        let route = router.route(&verb, path).map_err(|error| wrong(error.to_string()))?;
        let Some(route) = route else {
            let known = router.methods(path).join(", ");
            let hint = if known.is_empty() {
                "`eset-protect call` lists all operations".to_owned()
            } else {
                format!("this path has {known}")
            };
            return Err(wrong(format!("no operation of ESET's API is known there; {hint}")));
        };
        let body = match self.data.as_deref() {
            None => String::new(),
            Some("-") => read_text("--data", "-".as_ref())?,
            Some(data) => match data.strip_prefix('@') {
                Some(file) => read_text("--data", file.as_ref())?,
                None => data.to_owned(),
            },
        };
        let known = Method::all().find(|known| known.spec.path == route.spec().path);
        let method = known.ok_or_else(|| wrong("there is no such RPC".to_owned()))?;
        let decode = Decode { route: &route, query, body: body.as_bytes() };
        let json = rpc::visit(method.spec.path, decode).unwrap_or_else(|| Err("no RPC".to_owned()));
        let request = Request::whole(&method, &json.map_err(wrong)?)?;
        self.check.flags(&request, &[])?;
        let done = format!("{}: done.", method.spec.method);
        let safety = Safety::from(self.dry_run);
        self.connection.safely(safety).run(async |client, view| {
            let view = view.clone().in_json();
            response::call(&client, &view, &method, &request.json, &done).await.map(drop)
        })
    }
}

/// Reads the request of a route, as JSON.
struct Decode<'a> {
    route: &'a Route,
    query: &'a str,
    body: &'a [u8],
}

impl RpcVisitor for Decode<'_> {
    type Output = Result<String, String>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let request = self.route.request::<R>(self.query, self.body);
        let request = request.map_err(|error| error.to_string())?;
        serde_json::to_string(&request).map_err(|error| error.to_string())
    }
}
