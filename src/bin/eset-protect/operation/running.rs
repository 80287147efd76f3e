//! Runs a command: makes its requests, sends them, and prints what comes of them.

use std::path::Path;

use clap::{ArgMatches, FromArgMatches};

use super::prepared::{Calls, Prepared};
use super::{Form, Operation, SaveOptions, skeleton};
use crate::bulk::{Bulk, BulkOptions};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::item_filter::ItemFilter;
use crate::listing::{self, Limit};
use crate::named;
use crate::phrase::{done, object, past};
use crate::response::{self, Call};
use crate::safety::Safety;
use crate::text::count;
use crate::watch::Watch;

impl Operation {
    /// Runs the command with its arguments.
    pub fn run(self, matches: &ArgMatches) -> Result<(), Failure> {
        let safety = Safety::from_matches(matches);
        let connection = Connection::from_arg_matches(matches)?.safely(safety);
        let method = &self.method;
        if matches!(matches.try_get_one("skeleton"), Ok(Some(true))) {
            return skeleton::print(method, &connection.view()?);
        }
        let save = match method.content() {
            Some(_) => SaveOptions::from_arg_matches(matches)?,
            None => SaveOptions::default(),
        };
        let to = save.to.filter(|_| !safety.dry_run);
        if let Some(path) = &to {
            let why = "expected no --to, which writes the content of a file";
            connection.view.expect_no_format(why)?;
            if path.is_file() && !save.force {
                let problem = "there already, and nothing was sent; --force replaces it";
                return Err(Failure::Input(format!("--to {}: {problem}", path.display())));
            }
        }
        let watch = match self.can_watch() {
            true => Watch::from_arg_matches(matches)?,
            false => Watch::default(),
        };
        let options = match self.takes_many() {
            true => BulkOptions::from_arg_matches(matches)?,
            false => BulkOptions::default(),
        };
        let filter = ItemFilter::from_matches(method, matches)?;
        let flags = self.flags();
        let prepared = Prepared::new(&self, &flags, matches)?;
        match prepared.calls(&options)? {
            Calls::One(mut request) => connection.run(async |client, view| {
                named::resolve(&client, method, vec![&mut request.json]).await?;
                let request = &*request.json;
                if method.is_list() {
                    let limit = Limit::from_arg_matches(matches)?;
                    let filter = filter.as_ref();
                    let list = async || {
                        listing::print(&client, view, method, request, filter, limit).await
                    };
                    return watch.run(view, list).await;
                }
                if let Some(path) = &to {
                    return response::save(&client, method, request, path).await;
                }
                let what = prepared.what();
                let what = what.as_deref();
                let are_several = prepared.are_several();
                safety.confirm(method, what.unwrap_or(&prepared.all()), are_several)?;
                let done = format!("{}.", done(method, what));
                let call = Call { client: &client, view, method, done: &done };
                match self.form {
                    Form::Own(own) => own.call(call, request, matches).await,
                    _ => watch.run(view, async || call.make(request).await).await,
                }
            }),
            Calls::Many(items) if !self.takes_many() => {
                let expected = "expected one request, since there is one list or file for all";
                let found = count(items.len(), "request");
                Err(Failure::Input(format!("{}: {expected}, found {found}", prepared.place())))
            }
            Calls::Many(_) if watch.is_on() => {
                Err(Failure::Input(format!("--watch: expected one {}", object(method))))
            }
            Calls::Many(items) => {
                let verb = past(method);
                let (done, input) = (prepared.done(), prepared.file().map(Path::to_owned));
                Bulk { method: method.clone(), items, options, input, verb, done }.run(connection)
            }
        }
    }
}
