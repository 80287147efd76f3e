//! Where a request comes from, if not from flags alone.

use std::path::{Path, PathBuf};

use clap::builder::UnknownArgumentValueParser;
use clap::{Arg, ArgMatches, value_parser};

use crate::failure::Failure;
use crate::input::Source;
use crate::method::Method;

const ARGUMENT: &str = "request";
const FILE: &str = "file";
const LONG: &str = "Many requests, one after another or in an array, are many calls. Fields that only the server sets are \
     ignored. At most 64 MiB, in UTF-8 or UTF-16.";

/// A request in ProtoJSON.
#[derive(Debug)]
pub struct Given {
    /// The flag, and with it the file, for errors.
    flag: &'static str,
    pub what: String,
    source: Source,
}

impl Given {
    /// The argument of `call`, and the flag that other commands have instead of it.
    pub fn arguments() -> [Arg; 2] {
        const HELP: &str = "The request in ProtoJSON: inline, from a file or from standard input; flags \
                            replace its fields";
        let argument = Arg::new(ARGUMENT)
            .value_name("JSON|@FILE|-")
            .help(HELP)
            .long_help(format!("{HELP}\n\n{LONG}"));
        let wrong = UnknownArgumentValueParser::suggest("'@FILE' is the request in a file");
        [argument, Arg::new("no-file").short('f').long(FILE).hide(true).value_parser(wrong)]
    }

    /// The flag of all other commands; `end` says what flags do to the request.
    pub fn file(method: &Method, end: &str) -> Arg {
        // What they print is the resource, which not every request has.
        let printed = method.member().map_or("", |_| ", or what `get` or `list` printed");
        let help =
            format!("The request in ProtoJSON or YAML{printed}; `-` reads standard input{end}");
        Arg::new(FILE)
            .short('f')
            .long(FILE)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .long_help(format!("{help}\n\n{LONG}"))
            .help(help)
    }

    pub fn from_matches(matches: &ArgMatches) -> Option<Self> {
        if let Ok(Some(path)) = matches.try_get_one::<PathBuf>(FILE) {
            let (what, source) = (format!("--file {}", path.display()), Source::File(path.clone()));
            return Some(Self { flag: "--file", what, source });
        }
        let argument = matches.try_get_one::<String>(ARGUMENT).ok().flatten()?;
        let (flag, source) = ("the request", Source::of(argument));
        let what = if matches!(source, Source::Text(_)) { flag } else { argument };
        Some(Self { flag, what: what.to_owned(), source })
    }

    /// Returns the file, unless it is standard input.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File(path) if path.as_os_str() != "-" => Some(path),
            _ => None,
        }
    }

    pub fn read(&self) -> Result<String, Failure> {
        self.source.read(self.flag)
    }
}
