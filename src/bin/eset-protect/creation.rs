//! Creating from flags or from a file: what the commands that create have in common.

use std::path::PathBuf;

use clap::Args;

use crate::bulk::{self, BulkOptions};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::{Requests, read_requests};
use crate::method::Method;
use crate::request::Request;
use crate::safety::DryRun;

#[derive(Args, Debug)]
pub struct Creation {
    /// The request in ProtoJSON as printed by `get`, or the item alone as printed by `list`, or several of
    /// them, in sequence (such as one per line) or in an array; `-` reads standard input
    ///
    /// At most 64 MiB, in UTF-8 or UTF-16. Fields that the server sets, such as the UUID and times, are
    /// ignored. If one is invalid, none is created.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub check: CheckOptions,
    #[command(flatten)]
    options: BulkOptions,
    #[command(flatten)]
    pub dry_run: DryRun,
}

impl Creation {
    /// Reads and checks the requests of the file; without a file, the request of the flags.
    pub fn requests(
        &self,
        method: &Method,
        from_flags: impl FnOnce() -> Result<Request, Failure>,
    ) -> Result<Requests, Failure> {
        self.options.check(self.file.is_some())?;
        let Some(path) = &self.file else { return from_flags().map(Requests::One) };
        let requests = read_requests(method, path)?.many_if(self.options.has_failed_file());
        self.check.all(method, &format!("--file {}", path.display()), &requests)?;
        Ok(requests)
    }

    /// Makes a call for each request.
    pub fn run_many(
        &self,
        connection: Connection,
        method: Method,
        requests: Vec<(String, Request)>,
    ) -> Result<(), Failure> {
        let settings = self.options.settings(self.file.as_deref())?;
        bulk::requests(
            connection.safely(self.dry_run.into()),
            method,
            settings,
            requests,
            "created",
        )
    }
}
