//! `eset-protect api`: an operation by its HTTP method and path.

use std::collections::BTreeSet;

use clap::Args;
use clap::builder::PossibleValuesParser;
use eset_protect::http::uri::PathAndQuery;
use eset_protect::rpc::{Deployment, METHODS, Rpc, RpcVisitor};
use eset_protect::transcode::{Route, Router};
use serde_json::json;
use serde_json::value::RawValue;

use crate::calls::visit;
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::Source;
use crate::method::Method;
use crate::named;
use crate::output::Output;
use crate::phrase::{done, object};
use crate::request::Request;
use crate::response::Call;
use crate::safety::Safety;
use crate::text::{meant, plural};

/// Make one call by its HTTP method and path, as ESET documents it
///
/// It is sent over the wire of the server, with the login, retries and the rate limit, and printed with all of its
/// fields. Of a list, this is one page. With --allow-unknown, a method and a path that this version does not know are
/// sent as they are, over REST, and the response is printed as it comes.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect api GET '/v1/devices?pageSize=10' --jq '.devices[].displayName'
  eset-protect api POST /v1/groups --data '{\"group\": {\"displayName\": \"Tills\"}}' --dry-run
  eset-protect api POST /v2/configuration:batchGetValues --data '{\"paths\": [\"server\"]}' \
    --allow-unknown --on-prem https://protect.internal:9443")]
pub struct Api {
    /// The HTTP method
    #[arg(value_name = "METHOD", ignore_case = true, value_parser = ["GET", "POST", "PUT", "PATCH", "DELETE"])]
    method: String,
    /// The path with its query, such as /v1/devices?pageSize=10
    #[arg(value_name = "PATH")]
    path: String,
    /// The body: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    data: Option<String>,
    /// The host of an operation that is not known, in a region of ESET's cloud
    #[arg(long, value_name = "SERVICE", value_parser = PossibleValuesParser::new(hosts()))]
    host: Option<String>,
    #[command(flatten)]
    check: CheckOptions,
    /// Print the request as it would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before several are affected, or something unknown is deleted
    #[arg(short, long)]
    yes: bool,
    // The last, since the heading of its options holds for all that follow.
    #[command(flatten)]
    connection: Connection,
}

/// Returns which paths of operations may be meant.
fn near_paths(verb: &str, path: &str) -> Option<String> {
    let rules = METHODS.iter().flat_map(|spec| spec.http).filter(|rule| rule.method == verb);
    meant(path, rules.map(|rule| rule.path).collect::<BTreeSet<_>>())
}

/// Returns the names of ESET's hosts.
pub fn hosts() -> BTreeSet<&'static str> {
    METHODS.iter().map(|spec| spec.host).filter(|host| !host.is_empty()).collect()
}

impl Api {
    pub fn run(self) -> Result<(), Failure> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let router = Router::of_crate();
        let verb = self.method.to_ascii_uppercase();
        let wrong = |problem: String| Failure::Input(format!("{verb} {path}: {problem}"));
        let route = router.route(&verb, path).map_err(|error| wrong(error.to_string()))?;
        let body = match self.data.as_deref() {
            None => String::new(),
            Some(data) => Source::of(data).read("--data")?,
        };
        let Some(route) = route else {
            let known = router.methods(path).join(", ");
            let hint = match known.is_empty() {
                false => format!("this path has {known}"),
                true if !path.starts_with('/') => {
                    format!("a path begins with a slash, such as /{path}")
                }
                true => near_paths(&verb, path)
                    .unwrap_or_else(|| "`eset-protect call` lists all operations".to_owned()),
            };
            if self.check.allow_unknown {
                return self.raw(&verb, body);
            }
            let problem = format!("there is no such operation in ESET's API; {hint}");
            let lines = vec![format!("{verb} {path}: {problem}")];
            return Err(Failure::Check { lines, can_allow: true });
        };
        let known = Method::all().find(|known| known.spec.path == route.spec().path);
        let method = known.ok_or_else(|| wrong("there is no such RPC".to_owned()))?;
        let decode = Decode { route: &route, query, body: body.as_bytes() };
        let json = visit(&method, decode)?.map_err(wrong)?;
        let mut request = Request::whole(&method, &json)?;
        self.check.flags(&request, &[])?;
        let done = format!("{}.", done(&method, None));
        let safety = Safety::new(self.dry_run, self.yes);
        if method.arguments().is_empty() {
            let all = format!("all {} that the request selects", plural(&object(&method)));
            safety.confirm(&method, all, true)?;
        } else {
            safety.confirm(&method, path, false)?;
        }
        self.connection.in_json()?.safely(safety).run(async |client, view| {
            named::resolve(&client, &method, vec![&mut request.json]).await?;
            Call { client: &client, view, method: &method, done: &done }.make(&request.json).await
        })
    }

    /// Makes a call of an operation that is not known, and prints the response as it comes.
    fn raw(self, method: &str, body: String) -> Result<(), Failure> {
        if self.path.parse::<PathAndQuery>().is_err() || !self.path.starts_with('/') {
            let expected = "expected a path such as /v1/devices?pageSize=10";
            return Err(Failure::Input(format!("PATH: {expected}, found {:?}", self.path)));
        }
        let data = if body.is_empty() { "null" } else { &body };
        let data: Box<RawValue> = serde_json::from_str(data)
            .map_err(|error| Failure::of("--data: expected JSON", error))?;
        let is_dry = self.dry_run;
        let safety = Safety::new(self.dry_run, self.yes);
        if method == "DELETE" {
            safety.ask("delete", &format!("{}, which this version does not know", self.path))?;
        }
        self.connection.in_json()?.safely(safety).run(async |client, view| {
            let host = match (client.deployment(), self.host.as_deref()) {
                (Some(Deployment::Cloud), Some(host)) => host,
                (Some(Deployment::Cloud), None) => {
                    let expected =
                        "expected the host of the operation, since each service has its own";
                    return Err(Failure::of("--host", expected));
                }
                (_, None) => "",
                (_, Some(_)) => {
                    let expected = "expected --region, too, since it names a host of ESET's cloud";
                    return Err(Failure::of("--host", expected));
                }
            };
            let mut output = Output::new();
            if is_dry {
                let sent = json!({ "method": method, "path": self.path, "request": data });
                view.json(&mut output, &sent.to_string())?;
                return output.flush();
            }
            let body = (!body.is_empty()).then(|| body.into_bytes());
            let response = client.raw(host, method, self.path, body).await?;
            match std::str::from_utf8(&response.data) {
                Ok(json) if view.has_jq() => view.json(&mut output, json)?,
                Ok(text) => output.foreign(text)?,
                Err(_) => output.bytes(&response.data)?,
            }
            if output.is_terminal && !response.data.ends_with(b"\n") {
                output.bytes(b"\n")?;
            }
            output.flush()
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
    type Output = Result<Result<String, String>, Failure>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let request = self.route.request::<R>(self.query, self.body);
        let request = request.map_err(|error| error.to_string());
        Ok(request.and_then(|it| serde_json::to_string(&it).map_err(|error| error.to_string())))
    }
}
