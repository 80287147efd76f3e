//! `eset-protect call`: every RPC, by flags or by JSON.

mod flags;
mod skeleton;

use std::ffi::OsString;
use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::bulk::{self, BulkOptions};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::{Requests, parse_requests, read_text};
use crate::listing::{self, Limit};
use crate::method::Method;
use crate::output::Output;
use crate::response;
use flags::Flag;

/// Call any RPC, with flags for the fields of its request
///
/// Without an RPC this lists all of them. `eset-protect call SERVICE/METHOD --help` lists the flags of one,
/// and `--skeleton` prints its request to fill in. SERVICE is a short or a full name; the case of letters
/// does not matter, nor do hyphens, so device-tasks/get-task is DeviceTasks/GetTask.
///
/// A list prints all of its pages. With `--output json` it prints one item a line, and any other call its
/// response.
#[derive(Args, Debug)]
#[command(
    allow_external_subcommands = true,
    disable_help_subcommand = true,
    override_usage = "eset-protect call [OPTIONS] [SERVICE/METHOD [JSON | @FILE | -] [FLAGS]]",
    after_help = "\
Examples:
  eset-protect call
  eset-protect call DeviceTasks/GetTask --task-uuid UUID
  eset-protect call DeviceTasks/CreateTask --skeleton > task.json
  eset-protect call DeviceTasks/CreateTask @task.json --task.display-name Scan
  eset-protect call policies/list-policies --limit 5 --output json"
)]
pub struct Call {
    #[command(flatten)]
    connection: Connection,
    #[arg(skip)]
    chosen: Option<(Method, ArgMatches)>,
}

/// What every RPC takes.
#[derive(Args, Debug)]
struct Common {
    /// The request in ProtoJSON: inline, from a file or from standard input; flags replace its fields
    ///
    /// Many requests, one after another or in an array, are many calls. At most 64 MiB, in UTF-8 or UTF-16.
    #[arg(value_name = "JSON|@FILE|-")]
    request: Option<String>,
    /// Print a request to fill in, and call nothing
    #[arg(long)]
    skeleton: bool,
    #[command(flatten)]
    check: CheckOptions,
}

impl Call {
    /// Chooses the RPC that the arguments name: returns them with its real name, and the command with its
    /// flags.
    pub fn choose(
        mut command: Command,
        matches: &ArgMatches,
        mut arguments: Vec<OsString>,
    ) -> Result<(Command, Vec<OsString>), clap::Error> {
        let Some((name, rest)) = matches.subcommand() else { return Ok((command, arguments)) };
        let method = Method::find(name).map_err(|problem| {
            let call = command.find_subcommand_mut("call");
            let error = call.map(|call| call.error(ErrorKind::InvalidSubcommand, &problem));
            error.unwrap_or_else(|| clap::Error::raw(ErrorKind::InvalidSubcommand, problem))
        })?;
        // All arguments after the name are the RPC's.
        let after = rest.get_many::<OsString>("").map_or(0, Iterator::count);
        let at = arguments.len().saturating_sub(after + 1);
        if let Some(argument) = arguments.get_mut(at) {
            *argument = method.name().into();
        }
        command = command.mut_subcommand("call", |call| {
            call.allow_external_subcommands(false).subcommand(subcommand(&method))
        });
        Ok((command, arguments))
    }

    /// Takes what the second parse found.
    pub fn set_chosen(&mut self, matches: &ArgMatches) {
        self.chosen = matches
            .subcommand()
            .and_then(|(name, matches)| Some((Method::find(name).ok()?, matches.clone())));
    }

    /// The command for completions, which offer the names of the RPCs.
    pub fn completed(command: Command) -> Command {
        command.mut_subcommand("call", |call| {
            let names = PossibleValuesParser::new(Method::all().map(|method| method.name()));
            let rpc = Arg::new("rpc").value_name("SERVICE/METHOD").value_parser(names);
            call.allow_external_subcommands(false).arg(rpc)
        })
    }

    pub fn run(self) -> Result<(), Failure> {
        let Some((method, matches)) = self.chosen else { return list() };
        let common = Common::from_arg_matches(&matches).map_err(|error| unread(&error))?;
        if common.skeleton {
            let mut output = Output::new();
            output.line(&skeleton::of(&method)?)?;
            return output.flush();
        }
        let flags = Flag::of(&method, &taken_flags());
        let given: Vec<_> = flags.iter().filter(|flag| flag.is_given(&matches)).collect();
        let complete = |json: &str| {
            given.iter().try_fold(json.to_owned(), |json, flag| flag.set(&json, &matches))
        };
        let (what, text) = match common.request.as_deref() {
            None => ("the request".to_owned(), "{}".to_owned()),
            Some("-") => ("-".to_owned(), read_text("the request", Path::new("-"))?),
            Some(argument) => match argument.strip_prefix('@') {
                Some(path) => (argument.to_owned(), read_text("the request", Path::new(path))?),
                None => ("the request".to_owned(), argument.to_owned()),
            },
        };
        // Lists have no options for many calls.
        let options = match method.spec.is_paged {
            true => BulkOptions::default(),
            false => BulkOptions::from_arg_matches(&matches).map_err(|error| unread(&error))?,
        };
        let requests = match common.request {
            // Only flags, or nothing: an empty request is one too.
            None => {
                let json = complete(&text).map_err(Failure::Input)?;
                Requests::One(crate::request::Request::whole(&method, &json)?)
            }
            Some(_) => parse_requests(&method, &what, &text, &complete)?,
        };
        let names: Vec<_> = flags.iter().map(|flag| (flag.path(), flag.name())).collect();
        let names: Vec<_> = names.iter().map(|(path, name)| (&**path, &**name)).collect();
        match &requests {
            Requests::One(request) if common.request.is_none() => {
                common.check.flags(request, &names)?;
            }
            requests => common.check.all(&method, &what, requests)?,
        }
        let requests = requests.many_if(options.has_failed_file());
        match requests {
            Requests::One(request) if method.spec.is_paged => {
                let limit = Limit::from_arg_matches(&matches).map_err(|error| unread(&error))?;
                self.connection.run(async |client, format| {
                    listing::print(&client, format, &method, &request.json, limit).await
                })
            }
            Requests::One(request) => self.connection.run(async |client, format| {
                let done = format!("{}: done.", method.spec.method);
                response::call(&client, format, &method, &request.json, &done).await.map(drop)
            }),
            Requests::Many(requests) => {
                let file = what.strip_prefix('@').map(Path::new);
                let settings = options.settings(file)?;
                bulk::requests(self.connection, method, settings, requests, "done")
            }
        }
    }
}

/// The flags that every RPC has already.
fn taken_flags() -> Vec<String> {
    let call = Call::augment_args(Command::new("call"));
    let common = Common::augment_args(BulkOptions::augment_args(Limit::augment_args(call)));
    let long = common.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned));
    long.chain(["help", "version", "verbose"].map(str::to_owned)).collect()
}

fn subcommand(method: &Method) -> Command {
    let mut command = Common::augment_args(Command::new(method.name()));
    command = match method.spec.is_paged {
        true => Limit::augment_args(command),
        false => BulkOptions::augment_args(command),
    };
    let flags = Flag::of(method, &taken_flags());
    let of_one_choice = |flag: &Flag| {
        let others = flags.iter().filter(|other| flag.excludes(other)).map(Flag::id);
        others.collect::<Vec<_>>()
    };
    let args = flags.iter().map(|flag| flag.arg().conflicts_with_all(of_one_choice(flag)));
    command
        .about(method.summary())
        .long_about(None)
        .next_help_heading("Fields of the request")
        .args(args.collect::<Vec<_>>())
}

fn unread(error: &clap::Error) -> Failure {
    Failure::Other(format!("the arguments: {error}"))
}

/// Prints all RPCs.
fn list() -> Result<(), Failure> {
    let mut output = Output::new();
    let methods: Vec<_> = Method::all().collect();
    let width = methods.iter().map(|method| method.name().len()).max().unwrap_or_default();
    for method in &methods {
        let summary = output.style.dim(&method.summary());
        output.line(&format!("{:width$}  {summary}", method.name()))?;
    }
    output.flush()
}
