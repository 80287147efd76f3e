//! Shows or deletes one or several items by UUID.

use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::rpc::Rpc;

use crate::bulk::{Bulk, BulkOptions, Item};
use crate::check::check;
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

/// The given UUIDs.
enum Given {
    One(String),
    Many(Vec<String>),
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
        let request = |uuid: &str| serde_json::json!({ &name: uuid }).to_string();
        match self.given(&method, &request)? {
            Given::One(uuid) => connection.run(async |client, format| {
                let done = format!("{done} {uuid}.");
                response::call(&client, format, &method, &request(&uuid), &done).await.map(drop)
            }),
            Given::Many(uuids) => {
                let settings = self.options.settings(self.from.as_deref())?;
                let items = uuids.into_iter().map(|uuid| Item {
                    name: uuid.clone(),
                    request: request(&uuid),
                    line: uuid,
                });
                let (items, done) = (items.collect(), done.to_owned());
                Bulk { method, items, settings, verb, done }.run(connection)
            }
        }
    }

    /// Returns the given UUIDs, checked before anything is sent.
    fn given(&self, method: &Method, request: &dyn Fn(&str) -> String) -> Result<Given, Failure> {
        for uuid in self.uuids.iter().filter(|uuid| *uuid != "-") {
            check(&Request::of(method, &request(uuid))?, &[("", "UUID")])?;
        }
        if let Some(path) = &self.from {
            return read_uuids("--from", path).map(Given::Many);
        }
        match self.uuids.as_slice() {
            [uuid] if uuid == "-" => read_uuids("UUID", Path::new("-")).map(Given::Many),
            [uuid] if !self.options.has_failed_file() => Ok(Given::One(uuid.clone())),
            uuids if uuids.iter().any(|uuid| uuid == "-") => Err(Failure::Input(
                "-: expected no uuid beside it; it reads them from standard input".to_owned(),
            )),
            uuids => Ok(Given::Many(each_once(uuids.to_vec()))),
        }
    }
}
