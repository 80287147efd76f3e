//! An RPC as a command of its own, by flags or by JSON.

mod given;
mod skeleton;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::bulk::{self, BulkOptions};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::flags::{Flag, Names};
use crate::input::{Requests, parse_requests};
use crate::listing::{self, Limit};
use crate::method::Method;
use crate::output::Output;
use crate::request::Request;
use crate::response;
use crate::uuids::{Uuids, done};
use given::Given;

/// An RPC, as a command.
#[derive(Clone, Debug)]
pub struct Operation {
    method: Method,
    /// Whether flags are the last parts of paths, UUIDs in the path of the URL are arguments and `--file` names
    /// the request. Otherwise flags are whole paths and the request is an argument.
    is_short: bool,
}

/// The size of pages where the user does not choose it: ESET's maximum.
const PAGE_SIZE: &str = "1000";

/// What every RPC takes.
#[derive(Args, Debug)]
struct Common {
    /// Print a request to fill in, and call nothing
    #[arg(long)]
    skeleton: bool,
    #[command(flatten)]
    check: CheckOptions,
}

impl Operation {
    /// The command of a noun and a verb.
    pub fn short(method: Method) -> Self {
        Self { method, is_short: true }
    }

    /// Finds an RPC by its own name.
    pub fn find(name: &str) -> Result<Self, String> {
        Method::find(name).map(|method| Self { method, is_short: false })
    }

    /// Returns the command of this name.
    pub fn command(&self, name: &str) -> Command {
        let about = self.method.summary();
        if self.takes_uuids() {
            return Uuids::augment_args(Command::new(name.to_owned()))
                .about(about)
                .long_about(None);
        }
        let command = self.common(Command::new(name.to_owned()));
        let flags = self.flags();
        let of_one_choice = |flag: &Flag| {
            let others = flags.iter().filter(|other| flag.excludes(other)).map(Flag::id);
            others.collect::<Vec<_>>()
        };
        let args = flags.iter().map(|flag| flag.arg().conflicts_with_all(of_one_choice(flag)));
        command
            .about(about)
            .long_about(None)
            .next_help_heading("Fields of the request")
            .args(args.collect::<Vec<_>>())
    }

    /// Adds the arguments that do not depend on the request.
    fn common(&self, command: Command) -> Command {
        let command = Common::augment_args(match self.is_short {
            true => command.arg(Given::file()),
            false => command.arg(Given::argument()),
        });
        match self.method.spec.is_paged {
            true => Limit::augment_args(command),
            false => BulkOptions::augment_args(command),
        }
    }

    fn flags(&self) -> Vec<Flag> {
        let others = self.common(Connection::augment_args(Command::new("")));
        let long = others.get_arguments().filter_map(Arg::get_long);
        let taken: Vec<_> = long.chain(["help", "version", "verbose"]).collect();
        let arguments = self.arguments();
        let names =
            if self.is_short { Names::Short { arguments: &arguments } } else { Names::Exact };
        let mut flags = Flag::of(&self.method.input(), names, &taken);
        flags.retain(|flag| !(self.method.spec.is_paged && flag.path() == "page_token"));
        flags
    }

    /// Whether the request is a UUID and nothing else, so that the command takes many of them.
    fn takes_uuids(&self) -> bool {
        let input = self.method.input();
        self.is_short && input.fields().len() == 1 && self.arguments().len() == 1
    }

    /// Returns the fields that are part of the URL.
    fn arguments(&self) -> Vec<String> {
        let path = self.method.spec.http.first().map(|binding| binding.path).unwrap_or_default();
        let input = self.method.input();
        let names = input.fields().map(|field| field.name().to_owned());
        names.filter(|name| path.contains(&format!("{{{name}}}"))).collect()
    }

    /// Runs the command with its arguments.
    pub fn run(self, matches: &ArgMatches) -> Result<(), Failure> {
        let connection = Connection::from_arg_matches(matches).map_err(|error| unread(&error))?;
        if self.takes_uuids() {
            let uuids = Uuids::from_arg_matches(matches).map_err(|error| unread(&error))?;
            return uuids.call(&self.method, connection);
        }
        let common = Common::from_arg_matches(matches).map_err(|error| unread(&error))?;
        let method = &self.method;
        if common.skeleton {
            let mut output = Output::new();
            output.line(&skeleton::of(method)?)?;
            return output.flush();
        }
        let flags = self.flags();
        let set: Vec<_> = flags.iter().filter(|flag| flag.is_given(matches)).collect();
        let complete = |json: &str| {
            let json =
                set.iter().try_fold(json.to_owned(), |json, flag| flag.set(&json, matches))?;
            // Large pages are fewer calls.
            match flags.iter().find(|flag| flag.path() == "page_size") {
                Some(size) if self.is_short && method.spec.is_paged => {
                    size.set_default(&json, PAGE_SIZE)
                }
                _ => Ok(json),
            }
        };
        let given = Given::from_matches(matches);
        // Lists have no options for many calls.
        let options = match method.spec.is_paged {
            true => BulkOptions::default(),
            false => BulkOptions::from_arg_matches(matches).map_err(|error| unread(&error))?,
        };
        let names: Vec<_> = flags.iter().map(|flag| (flag.path(), flag.name())).collect();
        let names: Vec<_> = names.iter().map(|(path, name)| (&**path, &**name)).collect();
        let requests = match &given {
            // Only flags, or nothing: an empty request is one too.
            None => {
                let json = complete("{}").map_err(Failure::Input)?;
                let request = Request::whole(method, &json)?;
                common.check.flags(&request, &names)?;
                Requests::One(request)
            }
            Some(given) => {
                let requests = parse_requests(method, given.what(), &given.read()?, &complete)?;
                common.check.all(method, given.what(), &requests)?;
                requests
            }
        };
        match requests.many_if(options.has_failed_file()) {
            Requests::One(request) if method.spec.is_paged => {
                let limit = Limit::from_arg_matches(matches).map_err(|error| unread(&error))?;
                connection.run(async |client, view| {
                    listing::print(&client, view, method, &request.json, limit).await
                })
            }
            Requests::One(request) => connection.run(async |client, view| {
                let named = flags.iter().find_map(|flag| flag.named(matches));
                let done = match named {
                    Some((noun, name)) => format!("{} {name}.", done(method, &noun)),
                    None => format!("{}: done.", method.spec.method),
                };
                response::call(&client, view, method, &request.json, &done).await.map(drop)
            }),
            Requests::Many(requests) => {
                let settings = options.settings(given.as_ref().and_then(Given::path))?;
                bulk::requests(connection, self.method, settings, requests, "done")
            }
        }
    }
}

fn unread(error: &clap::Error) -> Failure {
    Failure::Other(format!("the arguments: {error}"))
}
