//! Shows or deletes one or several items by UUID.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::engine::ArgValueCandidates;

use crate::bulk::{Bulk, BulkOptions, Item};
use crate::cell::noun;
use crate::check::CheckOptions;
use crate::completions::{By, resources};
use crate::connection::Connection;
use crate::devices;
use crate::failure::Failure;
use crate::input::{each_once, read_uuids};
use crate::method::Method;
use crate::request::Request;
use crate::response;
use crate::safety::Safety;
use crate::text::kebab;
use crate::verb;
use crate::watch::Watch;

const NOTE: &str = "\
Each failure is one line on standard error, and the others continue; the exit code is that of the
first that failed, in the order given. A refused login stops everything.";

/// What to do with each item.
#[derive(Args, Debug)]
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
    /// Adds the arguments for a method of a noun.
    pub fn command(command: Command, method: &Method, noun: &str) -> Command {
        let name = command.get_name().to_owned();
        let one = format!("eset-protect {noun} {name} UUID");
        let yes = if method.is_removing() { " --yes" } else { "" };
        let list = verb::method(noun, "list");
        let many = match &list {
            Some(_) => format!(
                "eset-protect {noun} list --output name | eset-protect {noun} {name} -{yes}"
            ),
            None => format!("eset-protect {noun} {name} --from uuids.txt{yes}"),
        };
        let command = Safety::declare(Self::augment_args(command), method, true);
        let command = if method.is_reading() { Watch::augment_args(command) } else { command };
        command
            .mut_arg("uuids", |arg| {
                arg.add(ArgValueCandidates::new(move || {
                    list.as_ref().map(|list| resources(list, By::Uuid)).unwrap_or_default()
                }))
            })
            .after_help(format!("{NOTE}\n\nExamples:\n  {one}\n  {many}"))
    }

    /// Makes the call for each of these UUIDs and prints the responses, or what was done if they are empty.
    pub fn call(
        self,
        method: &Method,
        connection: Connection,
        watch: Watch,
    ) -> Result<(), Failure> {
        // A request that identifies one resource has one field.
        let name = method.input().fields().next();
        let name = name.map(|field| field.name().to_owned()).unwrap_or_default();
        let verb = past(method.spec.method);
        let done = done(method, &noun(&name).replace('_', " "));
        let request = |uuid: &str| serde_json::json!({ &name: uuid });
        for uuid in self.uuids.iter().filter(|uuid| *uuid != "-") {
            let request = Request::new(method, &request(uuid))?;
            devices::check(method, &request, CheckOptions::default(), &[("", "UUID")])?;
        }
        let is_one = self.from.is_none() && !self.options.has_failed_file();
        if let ([uuid], true) = (&*self.uuids, is_one)
            && uuid != "-"
        {
            let (done, request) =
                (format!("{done} {uuid}."), Request::new(method, &request(uuid))?);
            let mut request = request.json;
            return connection.run(async |client, view| {
                devices::resolve_in(&client, method, vec![&mut request]).await?;
                let call = async || response::call(&client, view, method, &request, &done).await;
                watch.run(view, async || call().await.map(drop)).await
            });
        }
        if watch.is_on() {
            return Err(Failure::Input("--watch: expected one UUID".to_owned()));
        }
        let uuids = self.many()?;
        let settings = self.options.settings(self.from.as_deref())?;
        let mut items = Vec::new();
        for uuid in uuids {
            let request = Request::new(method, &request(&uuid))?.json;
            items.push(Item { name: uuid.clone(), request, line: uuid });
        }
        let bulk = Bulk { method: method.clone(), items, settings, verb, done };
        connection.run(async |client, view| {
            let mut bulk = bulk;
            let requests = bulk.items.iter_mut().map(|item| &mut item.request).collect();
            devices::resolve_in(&client, method, requests).await?;
            bulk.calls(&client, view).await
        })
    }

    /// Returns the UUIDs in a file, standard input or the arguments, without duplicates.
    fn many(&self) -> Result<Vec<String>, Failure> {
        match (&self.from, &*self.uuids) {
            (Some(path), _) => read_uuids("--from", path),
            (None, [uuid]) if uuid == "-" => read_uuids("UUID", Path::new("-")),
            (None, uuids) if uuids.iter().any(|uuid| uuid == "-") => Err(Failure::Input(
                "-: cannot be combined with UUIDs, since it reads them from standard input"
                    .to_owned(),
            )),
            (None, uuids) => Ok(each_once(uuids.to_vec())),
        }
    }
}

/// Returns `Deleted the task` for `DeleteTask`.
pub fn done(method: &Method, noun: &str) -> String {
    let verb = past(method.spec.method);
    let (first, rest) = verb.split_at(1);
    format!("{}{rest} the {noun}", first.to_uppercase())
}

/// Returns the past tense of a method's verb: `deleted` for `DeleteTask`, and `shown` for `GetTask`.
fn past(method: &str) -> String {
    match kebab(method).split('-').next().unwrap_or_default() {
        "get" | "list" | "" => "shown".to_owned(),
        verb if verb.ends_with('e') => format!("{verb}d"),
        verb => format!("{verb}ed"),
    }
}
