//! The requests that the arguments of a command make.

use std::path::Path;
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

/// A flag that is given, with its values.
type Set<'a> = (&'a Flag, Vec<String>);

/// What the arguments of a command say.
#[derive(Debug)]
pub struct Prepared<'a> {
    operation: &'a Operation,
    matches: &'a ArgMatches,
    /// All flags of the command,
    flags: &'a [Flag],
    /// and those that are given.
    set: Vec<Set<'a>>,
    given: Option<Given>,
    check: CheckOptions,
}

#[derive(Debug)]
pub enum Calls {
    One(Request),
    Many(Vec<Item>),
}

impl<'a> Prepared<'a> {
    pub fn new(
        operation: &'a Operation,
        flags: &'a [Flag],
        matches: &'a ArgMatches,
    ) -> Result<Self, Failure> {
        let set = flags.iter().filter(|flag| flag.is_given(matches));
        let set = set.map(|flag| Ok((flag, flag.values(matches)?)));
        let set = set.collect::<Result<_, Failure>>()?;
        let check = match operation.is_by_name() {
            true => CheckOptions::default(),
            false => Common::from_arg_matches(matches)?.check,
        };
        Ok(Self { operation, matches, flags, set, given: Given::from_matches(matches), check })
    }

    /// Returns what a call is for, since the last part of a path names that.
    fn named(&self) -> Option<&Set<'a>> {
        self.set.iter().rfind(|(flag, _)| flag.is_argument)
    }

    /// Returns what a single call is for, such as `the task UUID` or `2 tasks`, if arguments name it.
    pub fn what(&self) -> Option<String> {
        self.named().map(|(flag, values)| flag.named(values))
    }

    /// Describes what a single call is for that no arguments name. How many a filter names is not known.
    pub fn all(&self) -> String {
        let all = plural(&object(&self.operation.method));
        match self.given.is_none() && self.set.is_empty() {
            true => format!("all {all} (the request has no filter)"),
            false => format!("all {all} that the request selects"),
        }
    }

    /// Whether a single call is for several.
    pub fn are_several(&self) -> bool {
        let is_one = self.named().is_some_and(|(_, values)| values.len() == 1);
        !is_one && self.operation.method.arguments().is_empty()
    }

    /// Returns what is said of each of many calls whose response is empty, before its name.
    pub fn done(&self) -> String {
        let method = &self.operation.method;
        match (&self.given, self.named()) {
            (None, Some((flag, _))) => done(method, Some(&flag.noun())),
            _ => format!("{}: done for", method.spec.method),
        }
    }

    /// Returns what has the requests, for errors.
    pub fn place(&self) -> &str {
        self.given.as_ref().map(|given| &*given.what).unwrap_or_default()
    }

    /// Returns the file that the requests are from.
    pub fn file(&self) -> Option<&Path> {
        self.given.as_ref().and_then(Given::path).or(input::file(self.matches))
    }

    /// Makes and checks all requests.
    pub fn calls(&self, options: &BulkOptions) -> Result<Calls, Failure> {
        let mut only_one = None;
        if let Form::Own(own) = self.operation.form {
            only_one = own.only_one(self.matches)?;
            options.check(self.given.is_some())?;
        }
        let Some(given) = &self.given else { return self.make(options) };
        let requests = self.read(given)?.many_if(options.has_file());
        if let (Requests::Many(requests), Some(flag)) = (&requests, only_one) {
            let found = count(requests.len(), "request");
            let expected = format!("it is for one request, without --failed; found {found}");
            return Err(Failure::of(flag, expected));
        }
        Ok(self.of(requests))
    }

    fn of(&self, requests: Requests) -> Calls {
        match requests {
            Requests::One(request) => Calls::One(request),
            Requests::Many(requests) => {
                let item = |(place, request)| Item::at(place, &self.operation.method, request);
                Calls::Many(requests.into_iter().map(item).collect())
            }
        }
    }

    /// Whether several values are one call each.
    fn takes_several(&self, flag: &Flag) -> bool {
        let is_split =
            self.operation.removes_named() && Safety::from_matches(self.matches).ignore_not_found;
        flag.takes_several || is_split && flag.is_argument
    }

    /// Reads what a file or an argument has, and completes it with the flags.
    fn read(&self, given: &Given) -> Result<Requests, Failure> {
        let method = &self.operation.method;
        let is_several = |(flag, values): &&Set<'_>| self.takes_several(flag) && values.len() != 1;
        if let Some((flag, values)) = self.set.iter().find(is_several) {
            let problem = format!("expected one with {}, found {}", given.what, values.len());
            return Err(Failure::of(&flag.typed_name(), problem));
        }
        let complete = |before: &str| self.complete(before, &self.set.iter().collect::<Vec<_>>());
        let requests = parse_requests(method, &given.what, &given.read()?, &complete)?;
        self.check.all(method, &given.what, &requests)?;
        Ok(requests)
    }

    /// Makes requests of the flags: one, or one for each value of an argument.
    fn make(&self, options: &BulkOptions) -> Result<Calls, Failure> {
        let is_each = |(flag, values): &&Set<'_>| {
            let are_many = values.len() != 1 || flag.is_read(self.matches);
            self.takes_several(flag) && (are_many || options.has_file())
        };
        let each = self.set.iter().find(is_each);
        let is_other = |(flag, _): &&Set<'_>| each.is_none_or(|(each, _)| each.id() != flag.id());
        let others: Vec<_> = self.set.iter().filter(is_other).collect();
        let mut json = self.complete("{}", &others).map_err(Failure::Input)?;
        let mut fields = Vec::new();
        if let Form::Own(own) = self.operation.form {
            (json, fields) = own.complete(json, self.matches, self.check)?;
        }
        fields.extend(self.flags.iter().map(|flag| (flag.path(), flag.typed_name())));
        let checked = |json: &str| {
            let request = Request::whole(&self.operation.method, json)?;
            self.check.flags(&request, &fields)?;
            Ok::<_, Failure>(request)
        };
        let Some((flag, values)) = each else {
            // Only flags, or nothing: an empty request is one too.
            let request = Requests::One(checked(&json)?);
            return Ok(self.of(request.many_if(options.has_file())));
        };
        let items = values.iter().map(|value| {
            let json = flag.set(&json, slice::from_ref(value)).map_err(Failure::Input)?;
            let request = checked(&json)?.json;
            let is_uuid = self.operation.is_by_name();
            let line = if is_uuid { value.clone() } else { request.clone() };
            Ok(Item { name: value.clone(), line, request })
        });
        items.collect::<Result<_, Failure>>().map(Calls::Many)
    }

    /// Completes a request with flags.
    fn complete(&self, before: &str, set: &[&Set<'_>]) -> Result<String, String> {
        let method = &self.operation.method;
        let mut json = before.to_owned();
        for (flag, values) in set {
            json = flag.set(&json, values)?;
        }
        if let Some(mask) = Mask::of(method) {
            let given: Vec<_> = set.iter().map(|(flag, _)| *flag).collect();
            json = mask.complete(before, &json, &given, self.flags)?;
        }
        // Large pages are fewer calls.
        match self.flags.iter().find(|flag| flag.path() == "page_size") {
            Some(size) if matches!(self.operation.form, Form::Short) && method.spec.is_paged => {
                size.set_default(&json, PAGE_SIZE)
            }
            _ => Ok(json),
        }
    }
}
