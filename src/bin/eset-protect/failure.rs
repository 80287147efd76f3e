//! Failures: their messages and exit codes.

mod hints;

use std::collections::HashSet;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::Path;

use eset_protect::policy::FileError;
use eset_protect::proto::google::rpc::BadRequest;
use eset_protect::{Error, ErrorKind, code_name};
use tonic::Code;

use crate::logging::json;
use crate::say::{error_line, say};
use crate::server::Server;
use crate::stderr;
use crate::style::Style;
use crate::text::{count, printable};
use crate::wording::plain;
use hints::hints;

pub const OTHER: u8 = 1;
pub const INPUT: u8 = 2;
const CONNECTION: u8 = 3;
pub const NOT_FOUND: u8 = 4;
const NOT_ALLOWED: u8 = 5;
pub const OUT_OF_TIME: u8 = 6;
const STATE: u8 = 7;
const LIMIT: u8 = 8;
/// A run failed, was suppressed or did not start.
pub const RUNS: u8 = 9;
/// The code that shells use for SIGINT.
pub const STOPPED: u8 = 130;
/// How many of several failures are shown.
const MAX_SHOWN: usize = 10;

/// Why a command ends early.
#[derive(Debug)]
pub enum Failure {
    /// An argument or the input is invalid.
    Input(String),
    /// Requests contain mistakes or unknown names; nothing was sent.
    Check { lines: Vec<String>, can_allow: bool },
    /// There is no login and no way to prompt for one.
    Credentials(String),
    /// A call failed, to this server if it is known.
    Call(Box<Error>, Option<Box<Server>>),
    /// Some of many calls failed, as already reported, or were not made.
    Bulk { summary: String, is_cut_short: bool, errors: Vec<Error>, server: Option<Box<Server>> },
    /// Waiting for a task did not end with success, or a name fits no device or several.
    Explained { exit_code: u8, message: String, hints: Vec<String> },
    /// These all at once, such as names that fit none or several.
    Several(Vec<Self>),
    /// Something on this machine failed.
    Other(String),
    /// Ends with this code; everything is said.
    Exit(u8),
    /// The reader of our output is gone, as in `… | head`. Not an error unless data is lost.
    ReaderGone,
}

impl Failure {
    /// Creates the failure that something is wrong with an argument.
    pub fn of(argument: &str, problem: impl Display) -> Self {
        Self::Input(format!("{argument}: {problem}"))
    }

    /// Creates the failure to read or write `what`.
    pub fn io(what: &str, error: &io::Error) -> Self {
        Self::Other(format!("{what}: {error}"))
    }

    /// Makes the failure to read or write a file.
    pub fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::io(&path.display().to_string(), &error)
    }

    /// Adds that the created items were printed to standard error instead.
    pub fn of_created(self) -> Self {
        let named = "what was created is named above";
        match self {
            Self::ReaderGone => {
                Self::Other(format!("standard output: nobody reads it any more; {named}"))
            }
            Self::Other(message) => Self::Other(format!("{message}; {named}")),
            other => other,
        }
    }

    /// Ends with 1, where 2 says that there is a difference.
    pub fn of_comparison(self) -> Self {
        if matches!(self, Self::Exit(_) | Self::ReaderGone) {
            return self;
        }
        self.report();
        Self::Exit(OTHER)
    }

    /// Creates the failure that ends with this code, without hints.
    pub fn ended(exit_code: u8, message: impl Into<String>) -> Self {
        Self::Explained { exit_code, message: message.into(), hints: Vec::new() }
    }

    /// Reports another failure that came before this one.
    pub fn after(self, other: Result<(), Self>) -> Result<(), Self> {
        if let Err(other) = other {
            other.report();
        }
        Err(self)
    }

    /// Adds the server of the call, unless it is known.
    pub fn at(mut self, to: Server) -> Self {
        if let Self::Call(_, server) | Self::Bulk { server, .. } = &mut self {
            server.get_or_insert_with(|| Box::new(to));
        }
        self
    }

    /// Returns the exit code, as listed by `--help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Check { .. } => INPUT,
            Self::Credentials(_) => NOT_ALLOWED,
            Self::Call(error, ..) => call_exit_code(error),
            Self::Bulk { is_cut_short: true, .. } => STOPPED,
            Self::Bulk { errors, .. } => errors.first().map_or(OTHER, call_exit_code),
            Self::Explained { exit_code, .. } => *exit_code,
            Self::Several(failures) => failures.first().map_or(OTHER, Self::exit_code),
            Self::Other(_) => OTHER,
            Self::Exit(code) => *code,
            Self::ReaderGone => 0,
        }
    }

    /// Prints the failure to standard error.
    pub fn report(&self) {
        let mut text = String::new();
        let style = Style::new(io::stderr().is_terminal());
        match self {
            Self::ReaderGone | Self::Exit(_) => return,
            Self::Several(failures) => {
                failures.iter().take(MAX_SHOWN).for_each(Self::report);
                let more = failures.len().saturating_sub(MAX_SHOWN);
                if more > 0 {
                    say(&format!("{more} more errors"));
                }
                return;
            }
            Self::Input(message) => text.push_str(&error_line(&plain(message))),
            Self::Credentials(message) | Self::Other(message) => {
                text.push_str(&error_line(message));
            }
            Self::Check { lines, can_allow } => {
                lines.iter().for_each(|line| text.push_str(&error_line(line)));
                let hint = "--allow-unknown sends what only this version does not know";
                let hint = can_allow.then(|| hint.to_owned());
                say_hints(&mut text, style, hint.into_iter());
            }
            Self::Explained { message, hints, .. } => {
                text.push_str(&error_line(message));
                say_hints(&mut text, style, hints.iter().cloned());
            }
            Self::Bulk { summary, errors, server, .. } => {
                text.push_str(&format!("{summary}\n"));
                let mut said = HashSet::new();
                let all = errors.iter().flat_map(|error| hints(error, server.as_deref()));
                say_hints(&mut text, style, all.filter(|hint| said.insert(hint.clone())));
            }
            Self::Call(error, server) => describe(&mut text, style, error, server.as_deref()),
        }
        stderr::say(&json::message("ERROR", &text).unwrap_or(text));
    }
}

/// Refuses the first of these options that is given.
pub fn refuse(flags: &[(&str, bool)], why: &str) -> Result<(), Failure> {
    match flags.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Failure::of(flag, why)),
        None => Ok(()),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(Box::new(error), None)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(format!("JSON: {error}"))
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Other(format!("the arguments: {error}"))
    }
}

fn call_exit_code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Config => return INPUT,
        ErrorKind::Connect | ErrorKind::Transport => return CONNECTION,
        ErrorKind::Limit => return LIMIT,
        _ => {}
    }
    match error.code() {
        Code::InvalidArgument | Code::OutOfRange => INPUT,
        Code::Unavailable => CONNECTION,
        Code::NotFound => NOT_FOUND,
        Code::Unauthenticated | Code::PermissionDenied => NOT_ALLOWED,
        Code::DeadlineExceeded => OUT_OF_TIME,
        Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted => STATE,
        Code::ResourceExhausted => LIMIT,
        _ => OTHER,
    }
}

fn describe(text: &mut String, style: Style, error: &Error, server: Option<&Server>) {
    text.push_str(&error_line(&headline(error)));
    // A message without other content contains the status already.
    if let Some(status) = error.http_status()
        && !error.message().contains(&format!("HTTP {status}"))
    {
        let inferred = match error.is_code_inferred() {
            true => format!(", from which {} is inferred", code_name(error.code())),
            false => String::new(),
        };
        text.push_str(&format!("  HTTP {status}{inferred}\n"));
    }
    if error.attempts() > 1 {
        text.push_str(&format!("  {}\n", attempts(error)));
    }
    if let Some(id) = error.request_id() {
        text.push_str(&format!("  request-id {}\n", printable(id)));
    }
    for violation in field_violations(error) {
        text.push_str(&format!("  {}\n", printable(&violation)));
    }
    say_hints(text, style, hints(error, server).into_iter());
}

fn say_hints(text: &mut String, style: Style, hints: impl Iterator<Item = String>) {
    for hint in hints {
        text.push_str(&format!("{} {}\n", style.bold("hint:"), printable(&hint)));
    }
}

/// Returns what failed and how: `GetTask: NOT_FOUND: there is no such task`.
pub fn headline(error: &Error) -> String {
    let method = error.rpc().map(|spec| format!("{}: ", spec.method)).unwrap_or_default();
    let code = match error.kind() {
        ErrorKind::Config => String::new(),
        _ => format!("{}: ", code_name(error.code())),
    };
    format!("{method}{code}{}", error.message())
}

/// Returns how many times the request was sent.
pub fn attempts(error: &Error) -> String {
    count(usize::try_from(error.attempts()).unwrap_or(usize::MAX), "attempt")
}

/// Returns the invalid fields of the request, with reasons, that the message does not name.
pub fn field_violations(error: &Error) -> impl Iterator<Item = String> {
    let request: Option<BadRequest> = error.detail();
    let violations = request.into_iter().flat_map(|request| request.field_violations);
    let told = violations
        .map(|violation| format!("field `{}`: {}", violation.field, violation.description));
    told.filter(|told| !error.message().contains(told))
}
