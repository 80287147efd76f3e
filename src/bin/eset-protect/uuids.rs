//! One uuid or many: what to show or to delete.

use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::check::Check;
use eset_protect::rpc::Rpc;

use crate::bulk::{Bulk, BulkOptions, Item, What};
use crate::check::check;
use crate::connection::Connection;
use crate::details::{self, Details};
use crate::failure::Failure;
use crate::input::{each_once, read_uuids};
use crate::output::Output;

/// What is done with each.
#[derive(Args, Debug)]
#[command(after_help = "\
Of many, each that fails is a line on standard error, and the others go on; the exit code is that
of the first that failed, in the order given. A login that is refused ends it.

  eset-protect tasks list --output json | jq -r .uuid | eset-protect tasks delete -")]
pub struct Uuids {
    /// Its uuid, or many; `-` reads them from standard input
    #[arg(value_name = "UUID", required_unless_present = "from", conflicts_with = "from")]
    uuids: Vec<String>,
    /// Read the uuids from this file, one a line, of 64 MiB at most; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    options: BulkOptions,
}

/// What was given.
enum Given {
    One(String),
    Many(Vec<String>),
}

/// How it is said that something is gone.
#[derive(Clone, Copy, Debug)]
pub struct Gone {
    /// Before its uuid, such as `Deleted the task`.
    pub sentence: &'static str,
    /// Of many, such as `deleted`.
    pub verb: &'static str,
}

impl Uuids {
    /// Gets and prints what has these uuids. `item` finds it in the answer.
    pub fn get<R, T: Details>(
        self,
        connection: Connection,
        item: fn(&R::Response) -> Option<&T>,
    ) -> Result<(), Failure>
    where
        R: Rpc<Request: Check + From<String>>,
    {
        match self.given::<R::Request>()? {
            Given::One(uuid) => connection.run(async |client, format| {
                let response = client.call::<R>(uuid.into()).send().await?.into_inner();
                details::print(format, &response, item(&response))
            }),
            Given::Many(uuids) => {
                self.bulk::<R, T>(connection, uuids, "shown", What::Rows(T::NAME, item))
            }
        }
    }

    /// Deletes what has these uuids, and says so.
    pub fn delete<R, T: Details>(self, connection: Connection, gone: Gone) -> Result<(), Failure>
    where
        R: Rpc<Request: Check + From<String>>,
    {
        match self.given::<R::Request>()? {
            Given::One(uuid) => connection.run(async |client, format| {
                let text = format!("{} {uuid}.", gone.sentence);
                let response = client.call::<R>(uuid.into()).send().await?.into_inner();
                Output::print_done(format, &response, &text)
            }),
            Given::Many(uuids) => {
                self.bulk::<R, T>(connection, uuids, gone.verb, What::Done(gone.sentence))
            }
        }
    }

    fn bulk<R, T: Details>(
        self,
        connection: Connection,
        uuids: Vec<String>,
        verb: &'static str,
        what: What<R::Response, T>,
    ) -> Result<(), Failure>
    where
        R: Rpc<Request: Check + From<String>>,
    {
        let settings = self.options.settings(self.from.as_deref())?;
        let items = uuids.into_iter().map(|uuid| Item {
            name: uuid.clone(),
            line: uuid.clone(),
            request: uuid.into(),
        });
        let bulk = Bulk::<R, T>::new(items.collect(), settings, verb, what);
        connection.run(async |client, format| bulk.run(client, format).await)
    }

    /// What was given, which is checked before anything is sent.
    fn given<Q: Check + From<String>>(&self) -> Result<Given, Failure> {
        for uuid in self.uuids.iter().filter(|uuid| *uuid != "-") {
            check(&Q::from(uuid.clone()), &[("", "UUID")])?;
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
