//! Shows or deletes one or several items by UUID.

use clap::{Args, Command};

use crate::bulk::{Bulk, BulkOptions, Item};
use crate::cell::noun;
use crate::check::CheckOptions;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::devices::{self, is_device};
use crate::failure::Failure;
use crate::input::Uuids;
use crate::method::Method;
use crate::phrase::{done, past};
use crate::request::Request;
use crate::response;
use crate::safety::Safety;
use crate::watch::Watch;

const NOTE: &str = "\
Each failure is one line on standard error, and the others continue; the exit code is that of the
first that failed, in the order given. A refused login stops everything, and so does a device's
name that fits none or several.";

/// What to do with each item.
#[derive(Args, Debug)]
pub struct ByUuid {
    #[command(flatten)]
    uuids: Uuids,
    #[command(flatten)]
    options: BulkOptions,
}

impl ByUuid {
    /// Adds the arguments for a method of a noun.
    pub fn command(command: Command, method: &Method, noun: &str) -> Command {
        let name = command.get_name().to_owned();
        let input = method.input();
        let is_any = |is: fn(&str) -> bool| input.fields().any(|field| is(field.name()));
        let (what, value, by) = if is_any(is_device) {
            ("names or UUIDs", "UUID", By::NameOrUuid)
        } else if is_any(|field| field.ends_with("uuid")) {
            ("UUIDs", "UUID", By::Uuid)
        } else {
            ("names", "NAME", By::Uuid)
        };
        let one = format!("eset-protect {noun} {name} {value}");
        let yes = if method.is_removing() { " --yes" } else { "" };
        let list = Method::of_verb(noun, "list");
        let many = match &list {
            Some(_) => format!(
                "eset-protect {noun} list --output name | eset-protect {noun} {name} -{yes}"
            ),
            None => {
                format!("eset-protect {noun} {name} --from {}s.txt{yes}", value.to_lowercase())
            }
        };
        let command = Safety::declare(Self::augment_args(command), method, true);
        let command = if method.is_reading() { Watch::augment_args(command) } else { command };
        command
            .mut_arg("uuids", |arg| {
                arg.value_name(value)
                    .help(format!("One or several {what}; `-` reads them from standard input"))
                    .add(listed(noun, by))
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
        let verb = past(method);
        let noun = noun(&name).replace('_', " ");
        let done = done(method, Some(&format!("the {noun}")));
        let is_one =
            matches!(&*self.uuids.uuids, [uuid] if uuid != "-") && !self.options.has_failed_file();
        if watch.is_on() && !is_one {
            return Err(Failure::Input("--watch: expected one UUID".to_owned()));
        }
        let mut items = Vec::new();
        for uuid in self.uuids.read(is_device(&name))? {
            let request = Request::new(method, &serde_json::json!({ &name: uuid }))?;
            CheckOptions::default().flags(&request, &[("", "UUID")])?;
            items.push(Item { name: uuid.clone(), request: request.json, line: uuid });
        }
        if let ([Item { name, request, .. }], true) = (&mut *items, is_one) {
            let done = format!("{done} {name}.");
            return connection.run(async |client, view| {
                devices::resolve(&client, method, vec![&mut *request]).await?;
                let call = async || response::call(&client, view, method, request, &done).await;
                watch.run(view, async || call().await.map(drop)).await
            });
        }
        let (options, input) = (self.options, self.uuids.from);
        Bulk { method: method.clone(), items, options, input, verb, done }.run(connection)
    }
}
