//! The requests that the arguments of a command make.

use std::path::{Path, PathBuf};
use std::slice;

use clap::{ArgMatches, FromArgMatches};

use super::given::Given;
use super::mask::Mask;
use super::{Common, Form, Operation};
use crate::bulk::{BulkOptions, Item};
use crate::check::CheckOptions;
use crate::failure::Failure;
use crate::flags::Flag;
use crate::input::{self, Requests, parse_requests};
use crate::phrase::{done, object};
use crate::request::Request;
use crate::safety::Safety;
use crate::text::{count, plural};

/// The size of pages where the user does not choose it: ESET's maximum.
const PAGE_SIZE: &str = "1000";

/// What a command is to send.
#[derive(Debug)]
pub struct Prepared {
    pub calls: Calls,
    /// What a single call is for, such as `the task UUID` or `2 tasks`, if arguments name it,
    pub what: Option<String>,
    /// and otherwise.
    pub all: String,
    /// Whether a single call is for several.
    pub are_several: bool,
    /// What is said of each of many calls whose response is empty, before its name.
    pub done: String,
    /// What has the requests, for errors.
    pub place: String,
    /// The file that they are from.
    pub input: Option<PathBuf>,
}

#[derive(Debug)]
pub enum Calls {
    One(Request),
    Many(Vec<Item>),
}

/// The flags that are given, with their values.
type Set<'a> = Vec<(&'a Flag, Vec<String>)>;

impl Prepared {
    /// Makes and checks all requests; `flags` are those that the command has.
    pub fn new(
        operation: &Operation,
        flags: &[Flag],
        matches: &ArgMatches,
        options: &BulkOptions,
    ) -> Result<Self, Failure> {
        let method = &operation.method;
        let given = Given::from_matches(matches);
        let set = flags.iter().filter(|flag| flag.is_given(matches));
        let set: Set<'_> =
            set.map(|flag| Ok((flag, flag.values(matches)?))).collect::<Result<_, Failure>>()?;
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
        let of_argument = |(flag, _): &(&Flag, _)| done(method, Some(&flag.noun()));
        let done = match &given {
            None => named.map(of_argument),
            Some(_) => None,
        };
        Ok(Self {
            calls: operation.calls(flags, &set, given.as_ref(), matches, options)?,
            what,
            all,
            are_several: !is_one && method.arguments().is_empty(),
            done: done.unwrap_or_else(|| format!("{}: done for", method.spec.method)),
            input: given
                .as_ref()
                .and_then(Given::path)
                .or(input::file(matches))
                .map(Path::to_owned),
            place: given.map(|given| given.what().to_owned()).unwrap_or_default(),
        })
    }
}

impl Operation {
    fn calls(
        &self,
        flags: &[Flag],
        set: &Set<'_>,
        given: Option<&Given>,
        matches: &ArgMatches,
        options: &BulkOptions,
    ) -> Result<Calls, Failure> {
        let method = &self.method;
        let check = match self.is_by_name() {
            true => CheckOptions::default(),
            false => Common::from_arg_matches(matches)?.check,
        };
        let only_one = match self.form {
            Form::Own(own) => own.only_one(matches)?,
            _ => None,
        };
        // Several in the last argument are one call each.
        let is_split = self.removes_named() && Safety::from_matches(matches).ignores_not_found();
        let takes_several = |flag: &Flag| flag.takes_several() || is_split && flag.is_argument();
        let requests = match given {
            None => {
                if matches!(self.form, Form::Own(_)) {
                    options.check(false)?;
                }
                let is_each = |(flag, values): &&(&Flag, Vec<String>)| {
                    let is_one = values.len() == 1 && !flag.is_read(matches);
                    takes_several(flag) && !(is_one && !options.has_failed_file())
                };
                let each = set.iter().find(is_each);
                let others =
                    set.iter().filter(|it| each.is_none_or(|(flag, _)| flag.id() != it.0.id()));
                let others: Vec<_> = others.collect();
                let json = self.complete("{}", flags, &others).map_err(Failure::Input)?;
                let fields =
                    flags.iter().map(|flag| (flag.path(), flag.name())).collect::<Vec<_>>();
                let (json, fields) = match self.form {
                    Form::Own(own) => {
                        let (json, others) = own.complete(json, matches, check)?;
                        (json, [others, fields].concat())
                    }
                    _ => (json, fields),
                };
                let checked = |json: &str| {
                    let request = Request::whole(method, json)?;
                    check.flags(&request, &fields)?;
                    Ok::<_, Failure>(request)
                };
                if let Some((flag, values)) = each {
                    let items = values.iter().map(|value| {
                        let json = flag.set(&json, slice::from_ref(value));
                        let request = checked(&json.map_err(Failure::Input)?)?.json;
                        let line = if self.is_by_name() { value.clone() } else { request.clone() };
                        Ok(Item { name: value.clone(), line, request })
                    });
                    return items.collect::<Result<_, Failure>>().map(Calls::Many);
                }
                // Only flags, or nothing: an empty request is one too.
                Requests::One(checked(&json)?)
            }
            Some(given) => {
                let several =
                    set.iter().find(|(flag, values)| takes_several(flag) && values.len() != 1);
                if let Some((flag, values)) = several {
                    let expected = format!("expected one with {}", given.what());
                    let problem = format!("{}: {expected}, found {}", flag.name(), values.len());
                    return Err(Failure::Input(problem));
                }
                let set: Vec<_> = set.iter().collect();
                let complete = |before: &str| self.complete(before, flags, &set);
                let requests = parse_requests(method, given.what(), &given.read()?, &complete)?;
                check.all(method, given.what(), &requests)?;
                requests
            }
        };
        match (requests.many_if(options.has_failed_file()), only_one) {
            (Requests::One(request), _) => Ok(Calls::One(request)),
            (Requests::Many(requests), Some(flag)) => Err(Failure::Input(format!(
                "{flag}: it is for one request, without --failed; found {}",
                count(requests.len(), "request")
            ))),
            (Requests::Many(requests), None) => {
                let items = requests.into_iter();
                let items = items.map(|(place, request)| Item::at(place, method, request));
                Ok(Calls::Many(items.collect()))
            }
        }
    }

    /// Completes a request with the flags that are set.
    fn complete(
        &self,
        before: &str,
        flags: &[Flag],
        set: &[&(&Flag, Vec<String>)],
    ) -> Result<String, String> {
        let mut json = before.to_owned();
        for (flag, values) in set {
            json = flag.set(&json, values)?;
        }
        if let Some(mask) = Mask::of(&self.method) {
            let given: Vec<_> = set.iter().map(|(flag, _)| *flag).collect();
            json = mask.complete(before, &json, &given, flags)?;
        }
        // Large pages are fewer calls.
        match flags.iter().find(|flag| flag.path() == "page_size") {
            Some(size) if matches!(self.form, Form::Short) && self.method.spec.is_paged => {
                size.set_default(&json, PAGE_SIZE)
            }
            _ => Ok(json),
        }
    }
}
