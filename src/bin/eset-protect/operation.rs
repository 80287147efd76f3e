//! An RPC as a command of its own, by flags or by JSON.

mod examples;
mod given;
mod mask;
pub mod own;
mod prepared;
mod running;
pub mod skeleton;

use std::path::PathBuf;

use clap::{Arg, Args, Command};

use crate::bulk::BulkOptions;
use crate::check::CheckOptions;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::flags::{Flag, Names};
use crate::input::from;
use crate::item_filter::ItemFilter;
use crate::listing::Limit;
use crate::method::Method;
use crate::safety::{IGNORE_NOT_FOUND, Safety};
use crate::text::imperative;
use crate::watch::Watch;
use given::Given;
use own::Own;

/// An RPC, as a command.
#[derive(Clone, Debug)]
pub struct Operation {
    method: Method,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// Flags are whole paths, and the request is an argument.
    Whole,
    /// Flags are the last parts of paths, what the path of the URL names are arguments, and `--file` names the request.
    Short,
    /// Flags are chosen by hand.
    Own(&'static dyn Own),
}

/// Where the file goes that a response is.
#[derive(Args, Debug, Default)]
struct SaveOptions {
    /// Write it to this file, all of it or nothing; to standard output by default
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace the file if it is there already
    #[arg(long, requires = "to")]
    force: bool,
}

/// What every command has that takes whole requests.
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
        Self { method, form: Form::Short }
    }

    /// A command with flags that are chosen by hand.
    pub fn own(method: Method, own: &'static dyn Own) -> Self {
        Self { method, form: Form::Own(own) }
    }

    /// Finds an RPC by its own name.
    pub fn find(name: &str) -> Result<Self, String> {
        Method::find(name).map(|method| Self { method, form: Form::Whole })
    }

    /// Returns the command of this name.
    pub fn command(&self, noun: &str, name: &str) -> Command {
        let flags = self.flags();
        let args = flags.iter().map(|flag| self.arg(noun, flag, &flags)).collect::<Vec<_>>();
        let command = self.common(Command::new(name.to_owned()).args(args));
        // What they say of themselves is not about the command.
        let command = command.about(self.summary()).long_about(None);
        match self.form {
            Form::Own(own) => own.declare(command),
            _ => command.after_help(self.examples(noun, name, &flags)),
        }
    }

    fn arg(&self, noun: &str, flag: &Flag, flags: &[Flag]) -> Arg {
        let others = flags.iter().filter(|other| flag.excludes(other)).map(Flag::id);
        let arg = flag.arg().conflicts_with_all(others.collect::<Vec<_>>());
        let arg = match self.takes_uuids() {
            // What the noun lists may have another name in the request.
            true => arg.add(listed(noun, By::of(&flag.path()))),
            false => arg,
        };
        match (flag.is_argument, self.form) {
            (true, _) if self.is_by_name() => {
                arg.required_unless_present("from").conflicts_with("from")
            }
            // A file may name it.
            (true, _) => arg.required_unless_present_any(["file", "skeleton"]),
            (false, Form::Own(_)) if !self.is_by_name() => arg.conflicts_with("file"),
            (false, _) => arg,
        }
    }

    pub fn summary(&self) -> String {
        if let Form::Own(own) = self.form {
            return own.about().to_owned();
        }
        // The command prints all pages.
        let about_pages = [", in pages", " in pages", ", all in one response"];
        let summary = self.method.summary();
        imperative(&about_pages.iter().fold(summary, |summary, part| summary.replace(part, "")))
    }

    /// Adds the arguments that do not depend on the request.
    fn common(&self, command: Command) -> Command {
        let method = &self.method;
        let command = match self.form {
            _ if self.is_by_name() => command.arg(from()),
            Form::Whole => Common::augment_args(command.args(Given::arguments())),
            // Flags that are chosen by hand exclude a file.
            Form::Own(_) => Common::augment_args(command.arg(Given::file(method, ""))),
            Form::Short => {
                let end = "; flags replace its fields";
                Common::augment_args(command.arg(Given::file(method, end)))
            }
        };
        let names_one = method.is_removing() && !method.arguments().is_empty();
        let names_one = names_one || self.takes_uuids() || self.removes_named();
        let command = Safety::declare(command, method, names_one, self.is_job());
        let command = match self.removes_named() {
            true => command.mut_arg(IGNORE_NOT_FOUND, |arg| {
                arg.help("Succeed if some do not exist; each is a call of its own")
                    .conflicts_with("file")
            }),
            false => command,
        };
        let command = if self.takes_many() { BulkOptions::augment_args(command) } else { command };
        let command = if self.can_watch() { Watch::augment_args(command) } else { command };
        if method.is_list() {
            Limit::augment_args(command).args(ItemFilter::arg(method))
        } else if method.content().is_some() {
            SaveOptions::augment_args(command)
        } else {
            command
        }
    }

    fn flags(&self) -> Vec<Flag> {
        let others = self.common(Connection::augment_args(Command::new("")));
        let mut arguments = self.method.arguments();
        arguments.extend(self.method.named().map(|field| field.name().to_owned()));
        let names = match self.form {
            Form::Whole => Names::Exact,
            Form::Short => Names::Short { arguments: &arguments },
            Form::Own(own) => Names::Own(own.names()),
        };
        let mut flags = Flag::of(&self.method.input(), names, &others);
        // The service makes the UUID of what it creates.
        let uuid = self.method.new_uuid().unwrap_or_default();
        let is_paged = self.method.spec.is_paged;
        flags.retain(|flag| !(is_paged && flag.path() == "page_token" || flag.path() == uuid));
        let is_changed = matches!(self.form, Form::Short) && !self.method.is_reading();
        if self.takes_many() && (is_changed || self.takes_uuids()) {
            // A list takes them itself.
            let last = flags.iter_mut().rfind(|flag| flag.is_argument);
            last.into_iter().for_each(|last| last.takes_several = !last.is_list());
        }
        if let ([flag], true) = (&mut *flags, self.takes_uuids()) {
            let name = if flag.path().ends_with("uuid") { "UUID" } else { "NAME" };
            name.clone_into(&mut flag.name);
        }
        flags
    }

    /// Whether the request is a UUID and nothing else, so that the command takes many of them.
    fn takes_uuids(&self) -> bool {
        let input = self.method.input();
        let is_one = input.fields().len() == 1 && self.method.arguments().len() == 1;
        matches!(self.form, Form::Short) && is_one && !self.method.is_list()
    }

    /// Whether the arguments name all that the command is for, so that `--from` reads them and no file has a request.
    fn is_by_name(&self) -> bool {
        self.is_job() || self.takes_uuids()
    }

    /// Whether it is a job on devices.
    fn is_job(&self) -> bool {
        matches!(self.form, Form::Own(own) if own.is_by_name())
    }

    /// Whether the command takes many requests.
    fn takes_many(&self) -> bool {
        !self.is_job() && !self.method.is_list() && self.method.content().is_none()
    }

    fn can_watch(&self) -> bool {
        self.method.is_reading() && self.method.content().is_none()
    }

    /// Whether a call removes what its arguments name: all of them, or none if one does not exist.
    fn removes_named(&self) -> bool {
        let is_short = matches!(self.form, Form::Short);
        is_short && self.method.is_removing() && self.method.named().is_some()
    }
}
