//! Shows or deletes one or several items by UUID.

use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::rpc::Rpc;

use crate::bulk::{Bulk, BulkOptions, Item};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::{each_once, read_uuids};
use crate::method::Method;
use crate::request::Request;
use crate::response;

/// What to do with each item.
#[derive(Args, Debug)]
#[command(after_help = "\
Of many, each that fails is a line on standard error, and the others go on; the exit code is that
of the first that failed, in the order given. A login that is refused ends it.

  eset-protect tasks list --output json | jq -r .uuid | eset-protect tasks delete -")]
pub struct Uuids {
    /// One or several UUIDs; `-` reads them from standard input
    #[arg(value_name = "UUID", required_unless_present = "from", conflicts_with = "from")]
    uuids: Vec<String>,
    /// Read the UUIDs from this file (at most 64 MiB), one per line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    options: BulkOptions,
}

impl Uuids {
    /// Makes the call for each of these UUIDs and prints the responses: `done` and the UUID if they are
    /// empty, and `verb` in the summary.
    pub fn call<R: Rpc>(
        self,
        connection: Connection,
        done: &str,
        verb: &'static str,
    ) -> Result<(), Failure> {
        let method = Method::of::<R>()?;
        // A request that identifies one resource has one field.
        let name = method.input().fields().next();
        let name = name.map(|field| field.json_name().to_owned()).unwrap_or_default();
        let request = |uuid: &str| serde_json::json!({ &name: uuid });
        for uuid in self.uuids.iter().filter(|uuid| *uuid != "-") {
            let request = Request::new(&method, &request(uuid))?;
            CheckOptions::default().flags(&request, &[("", "UUID")])?;
        }
        let is_one = self.from.is_none() && !self.options.has_failed_file();
        if let ([uuid], true) = (&*self.uuids, is_one)
            && uuid != "-"
        {
            let (done, request) = (format!("{done} {uuid}."), request(uuid).to_string());
            return connection.run(async |client, format| {
                response::call(&client, format, &method, &request, &done).await.map(drop)
            });
        }
        let uuids = self.many()?;
        let settings = self.options.settings(self.from.as_deref())?;
        let items = uuids.into_iter().map(|uuid| Item {
            name: uuid.clone(),
            request: request(&uuid).to_string(),
            line: uuid,
        });
        let (items, done) = (items.collect(), done.to_owned());
        Bulk { method, items, settings, verb, done }.run(connection)
    }

    /// Returns the UUIDs in a file, standard input or the arguments, without duplicates.
    fn many(&self) -> Result<Vec<String>, Failure> {
        match (&self.from, &*self.uuids) {
            (Some(path), _) => read_uuids("--from", path),
            (None, [uuid]) if uuid == "-" => read_uuids("UUID", Path::new("-")),
            (None, uuids) if uuids.iter().any(|uuid| uuid == "-") => Err(Failure::Input(
                "-: expected no uuid beside it; it reads them from standard input".to_owned(),
            )),
            (None, uuids) => Ok(each_once(uuids.to_vec())),
        }
    }
}
