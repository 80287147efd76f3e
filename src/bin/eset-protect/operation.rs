//! An RPC as a command of its own, by flags or by JSON.

mod given;
mod mask;
pub mod skeleton;

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::bulk::{self, BulkOptions};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::devices;
use crate::failure::Failure;
use crate::flags::{Flag, Names};
use crate::input::{Requests, parse_requests};
use crate::item_filter::ItemFilter;
use crate::listing::{self, Limit};
use crate::method::Method;
use crate::phrase::{done, object};
use crate::request::Request;
use crate::response;
use crate::safety::{IGNORE_NOT_FOUND, Safety};
use crate::text::{count, plural};
use crate::uuids::ByUuid;
use crate::watch::Watch;
use given::Given;
use mask::Mask;

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

/// The flag for where the file goes that a response is.
const TO: &str = "to";

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
    pub fn command(&self, noun: &str, name: &str) -> Command {
        let command = Command::new(name.to_owned());
        if self.takes_uuids() {
            return ByUuid::command(command, &self.method, noun)
                .about(self.summary())
                .long_about(None);
        }
        let flags = self.flags();
        let of_one_choice = |flag: &Flag| {
            let others = flags.iter().filter(|other| flag.excludes(other)).map(Flag::id);
            others.collect::<Vec<_>>()
        };
        let args = flags.iter().map(|flag| flag.arg().conflicts_with_all(of_one_choice(flag)));
        self.common(command.args(args.collect::<Vec<_>>()))
            .about(self.summary())
            .long_about(None)
            .after_help(self.examples(noun, name, &flags))
    }

    pub fn summary(&self) -> String {
        // The command prints all pages.
        let about_pages = [", in pages", " in pages", ", all in one response"];
        let summary = self.method.summary();
        about_pages.iter().fold(summary, |summary, part| summary.replace(part, ""))
    }

    /// Adds the arguments that do not depend on the request.
    fn common(&self, command: Command) -> Command {
        let command = Common::augment_args(match self.is_short {
            true => command.arg(Given::file(&self.method)),
            false => command.arg(Given::argument()),
        });
        let names_one = self.method.is_removing() && !self.method.arguments().is_empty();
        let command = Safety::declare(command, &self.method, names_one || self.removes_named());
        let command = match self.removes_named() {
            true => command.mut_arg(IGNORE_NOT_FOUND, |arg| {
                arg.help("Succeed if some do not exist; each is a call of its own")
                    .conflicts_with("file")
            }),
            false => command,
        };
        match self.method.is_list() {
            true => Limit::augment_args(Watch::augment_args(command))
                .args(ItemFilter::arg(&self.method)),
            false if self.method.content().is_some() => command.arg(
                Arg::new(TO).long(TO).value_name("FILE").value_parser(value_parser!(PathBuf)).help(
                    "Write it to this file, all of it or nothing; to standard output by default",
                ),
            ),
            false if self.method.is_reading() => {
                BulkOptions::augment_args(Watch::augment_args(command))
            }
            false => BulkOptions::augment_args(command),
        }
    }

    /// Whether the command takes many requests.
    fn takes_many(&self) -> bool {
        !self.method.is_list() && self.method.content().is_none()
    }

    /// Returns calls of the command: with what it requires, and as programs or careful people make them.
    fn examples(&self, noun: &str, name: &str, flags: &[Flag]) -> String {
        let mut shown: Vec<_> = flags.iter().filter(|flag| flag.is_required()).collect();
        // A message that is required needs one of its fields: its name, if it has one.
        let inner = flags.iter().filter(|flag| flag.is_in_required());
        if !inner.clone().any(Flag::is_required) {
            let is_name = |flag: &&Flag| ["--display-name", "--name"].contains(&&*flag.name());
            shown.extend(inner.clone().find(is_name).or(inner.clone().next()));
        }
        // Of a choice that a required message is, one.
        for flag in flags.iter().filter(|flag| flag.is_choice_in_required()) {
            if !shown.iter().any(|other| flag.is_same_choice(other)) {
                shown.push(flag);
            }
        }
        // An update changes something.
        if let Some(mask) = Mask::of(&self.method) {
            shown.extend(flags.iter().find(|flag| mask.covers(flag)));
        }
        let required = shown.into_iter().map(Flag::example).collect::<String>();
        let plain = format!("eset-protect {noun} {name}{required}");
        let second = match self.method.is_reading() {
            _ if self.method.content().is_some() => format!("{plain} --to FILE"),
            true if self.method.is_list() => format!("{plain} --limit 10 --output json"),
            true => format!("{plain} --output json"),
            false => format!("{plain} --dry-run"),
        };
        format!("Examples:\n  {plain}\n  {second}")
    }

    fn flags(&self) -> Vec<Flag> {
        let others = self.common(Connection::augment_args(Command::new("")));
        let mut arguments = self.method.arguments();
        arguments.extend(self.method.named().map(|field| field.name().to_owned()));
        let names =
            if self.is_short { Names::Short { arguments: &arguments } } else { Names::Exact };
        let mut flags = Flag::of(&self.method.input(), names, &others);
        // The service makes the UUID of what it creates.
        let uuid = self.method.new_uuid().unwrap_or_default();
        let is_paged = self.method.spec.is_paged;
        flags.retain(|flag| !(is_paged && flag.path() == "page_token" || flag.path() == uuid));
        if self.is_short && self.takes_many() && !self.method.is_reading() {
            let last = flags.iter_mut().rfind(|flag| flag.is_argument());
            last.into_iter().for_each(Flag::take_several);
        }
        flags
    }

    /// Whether the request is a UUID and nothing else, so that the command takes many of them.
    fn takes_uuids(&self) -> bool {
        let input = self.method.input();
        let is_one = input.fields().len() == 1 && self.method.arguments().len() == 1;
        self.is_short && is_one && !self.method.is_list()
    }

    /// Whether a call removes what its arguments name: all of them, or none if one does not exist.
    fn removes_named(&self) -> bool {
        self.is_short && self.method.is_removing() && self.method.named().is_some()
    }

    /// Runs the command with its arguments.
    pub fn run(self, matches: &ArgMatches) -> Result<(), Failure> {
        let connection = Connection::from_arg_matches(matches)?;
        let safety = Safety::from_matches(matches);
        let connection = connection.safely(safety);
        let watch = match self.method.is_reading() && self.method.content().is_none() {
            true => Watch::from_arg_matches(matches)?,
            false => Watch::default(),
        };
        if self.takes_uuids() {
            let uuids = ByUuid::from_arg_matches(matches)?;
            return uuids.call(&self.method, connection, watch);
        }
        let common = Common::from_arg_matches(matches)?;
        let method = &self.method;
        if common.skeleton {
            return skeleton::print(method, &connection.view()?);
        }
        let flags = self.flags();
        let set = flags.iter().filter(|flag| flag.is_given(matches));
        let set = set.map(|flag| Ok((flag, flag.values(matches)?)));
        let set = set.collect::<Result<Vec<_>, Failure>>()?;
        let mask = Mask::of(method);
        let complete = |before: &str| {
            let mut json = before.to_owned();
            for (flag, values) in &set {
                json = flag.set(&json, values)?;
            }
            if let Some(mask) = &mask {
                let given: Vec<_> = set.iter().map(|(flag, _)| *flag).collect();
                json = mask.complete(before, &json, &given, &flags)?;
            }
            // Large pages are fewer calls.
            match flags.iter().find(|flag| flag.path() == "page_size") {
                Some(size) if self.is_short && method.spec.is_paged => {
                    size.set_default(&json, PAGE_SIZE)
                }
                _ => Ok(json),
            }
        };
        let filter = ItemFilter::from_matches(method, matches)?;
        let given = Given::from_matches(matches);
        let options = match self.takes_many() {
            true => BulkOptions::from_arg_matches(matches)?,
            false => BulkOptions::default(),
        };
        let to = matches.try_get_one::<PathBuf>(TO).ok().flatten();
        if to.is_some() && !safety.dry_run.dry_run {
            connection.expect_no_format("expected no --to, which writes the content of a file")?;
        }
        let fields = flags.iter().map(|flag| (flag.path(), flag.name())).collect::<Vec<_>>();
        let checked = |json: &str| {
            let request = Request::whole(method, json)?;
            common.check.flags(&request, &fields)?;
            Ok::<_, Failure>(request)
        };
        // Several in the last argument are one call each.
        let is_split = self.removes_named() && safety.ignores_not_found();
        let takes_several = |flag: &Flag| flag.takes_several() || is_split && flag.is_argument();
        let each = set.iter().find(|(flag, values)| takes_several(flag) && values.len() != 1);
        let requests = match (&given, each) {
            // Only flags, or nothing: an empty request is one too.
            (None, None) => Requests::One(checked(&complete("{}").map_err(Failure::Input)?)?),
            (None, Some((flag, values))) => {
                let json = complete("{}").map_err(Failure::Input)?;
                let requests = values.iter().map(|value| {
                    let json = flag.set(&json, std::slice::from_ref(value));
                    Ok((value.clone(), checked(&json.map_err(Failure::Input)?)?))
                });
                Requests::Many(requests.collect::<Result<_, Failure>>()?)
            }
            (Some(given), Some((flag, values))) => {
                let expected = format!("expected one with {}", given.what());
                let problem = format!("{}: {expected}, found {}", flag.name(), values.len());
                return Err(Failure::Input(problem));
            }
            (Some(given), None) => {
                let requests = parse_requests(method, given.what(), &given.read()?, &complete)?;
                common.check.all(method, given.what(), &requests)?;
                requests
            }
        };
        match requests.many_if(options.has_failed_file()) {
            Requests::One(mut request) => connection.run(async |client, view| {
                devices::resolve(&client, method, vec![&mut request.json]).await?;
                let json = &request.json;
                if method.is_list() {
                    let limit = Limit::from_arg_matches(matches)?;
                    let filter = filter.as_ref();
                    let list =
                        async || listing::print(&client, view, method, json, filter, limit).await;
                    return watch.run(view, list).await;
                }
                if let Some(path) = to.filter(|_| !safety.dry_run.dry_run) {
                    return response::save(&client, method, json, path).await;
                }
                // The last part of a path is what the call is for.
                let named = set.iter().rfind(|(flag, _)| flag.is_argument());
                let what = named.map(|(flag, values)| flag.named(values));
                let is_one = named.is_some_and(|(_, values)| values.len() == 1);
                // How many a filter names is not known.
                let all = plural(&object(method));
                let all = match (&given, &*set) {
                    (None, []) => format!("all {all} (the request has no filter)"),
                    _ => format!("all {all} that the request selects"),
                };
                let are_several = !is_one && method.arguments().is_empty();
                safety.confirm(method, what.as_deref().unwrap_or(&all), are_several)?;
                let done = format!("{}.", done(method, what.as_deref()));
                let call = async || response::call(&client, view, method, json, &done).await;
                watch.run(view, async || call().await.map(drop)).await
            }),
            Requests::Many(requests) if !self.takes_many() => {
                let expected = "expected one request, since there is one list or file for all";
                let what = given.as_ref().map(Given::what).unwrap_or_default();
                let found = count(requests.len(), "request");
                Err(Failure::Input(format!("{what}: {expected}, found {found}")))
            }
            Requests::Many(_) if watch.is_on() => {
                Err(Failure::Input("--watch: expected one request".to_owned()))
            }
            Requests::Many(requests) => {
                let input = given.as_ref().and_then(Given::path).map(Path::to_owned);
                bulk::requests(connection, self.method, options, input, requests)
            }
        }
    }
}
