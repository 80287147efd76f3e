//! Creating from flags or from a file: what the commands that create have in common.

use std::path::PathBuf;

use clap::Args;
use eset_protect::Client;

use crate::bulk::{self, BulkOptions};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::devices;
use crate::failure::Failure;
use crate::input::{Requests, Source, parse_requests};
use crate::method::Method;
use crate::output::View;
use crate::request::Request;
use crate::safety::DryRun;
use crate::text::count;

#[derive(Args, Debug)]
pub struct Creation {
    /// The request in ProtoJSON or YAML as printed by `get`, or the item alone as printed by `list`, or several
    /// of them, in sequence (such as one per line) or in an array; `-` reads standard input
    ///
    /// At most 64 MiB, in UTF-8 or UTF-16. Fields that the server sets, such as the UUID and times, are
    /// ignored. If one is invalid, none is created.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    check: CheckOptions,
    #[command(flatten)]
    options: BulkOptions,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Creation {
    /// Creates what the file has; without a file, what the flags make. `one` makes the call for a single request,
    /// and `only_one` is a flag that needs one.
    pub fn run(
        self,
        connection: Connection,
        method: Method,
        only_one: Option<&str>,
        from_flags: impl FnOnce(CheckOptions) -> Result<Request, Failure>,
        one: impl AsyncFnOnce(&Client, &View, &Method, &str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.options.check(self.file.is_some())?;
        let requests = match &self.file {
            None => Requests::One(from_flags(self.check)?),
            Some(path) => {
                let what = format!("--file {}", path.display());
                let text = Source::File(path.clone()).read("--file")?;
                let requests = parse_requests(&method, &what, &text, &|json| Ok(json.to_owned()))?;
                let requests = requests.many_if(self.options.has_failed_file());
                self.check.all(&method, &what, &requests)?;
                requests
            }
        };
        let connection = connection.safely(self.dry_run.into());
        match (requests, only_one) {
            (Requests::One(mut request), _) => connection.run(async |client, view| {
                devices::resolve(&client, &method, vec![&mut request.json]).await?;
                one(&client, view, &method, &request.json).await
            }),
            (Requests::Many(requests), Some(flag)) => Err(Failure::Input(format!(
                "{flag}: it is for one request, without --failed; found {}",
                count(requests.len(), "request")
            ))),
            (Requests::Many(requests), None) => {
                bulk::requests(connection, method, self.options, self.file, requests)
            }
        }
    }
}
