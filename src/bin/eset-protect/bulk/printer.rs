//! Answers, printed in the order of their requests.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::details::Details;
use crate::failure::Failure;
use crate::output::{Format, Output};
use crate::say::say;
use crate::table::Table;
use crate::text::{plural, printable};

/// What to print for people.
pub enum What<M, T> {
    /// A line for each: this, and its name.
    Done(&'static str),
    /// A table of what the answers hold, with the name of one.
    Rows(&'static str, fn(&M) -> Option<&T>),
}

/// Prints each answer when those before it are printed.
pub struct Printer<M, T> {
    output: Output,
    format: Format,
    what: What<M, T>,
    table: Table,
    next: usize,
    /// Answers, with their names, that came before others.
    early: BTreeMap<usize, Option<(String, M)>>,
    /// Why nothing more is printed.
    failure: Option<Failure>,
    /// What the calls created, if that is what they do: their names and its uuids.
    created: Option<Vec<(String, String)>>,
}

/// Answers that could not be printed.
#[derive(Debug)]
pub struct Unprinted {
    pub failure: Failure,
    created: Vec<(String, String)>,
}

impl Unprinted {
    /// Says what was created. That is all of it: what is in a pipe may be read by nobody any more.
    pub fn say(self) -> Failure {
        if self.created.is_empty() {
            return self.failure;
        }
        for (name, uuid) in &self.created {
            say(&format!("created, but perhaps not printed: {uuid} ({name})"));
        }
        self.failure.of_created()
    }
}

impl<M: Serialize, T: Details> Printer<M, T> {
    /// `is_changing` if the calls are not just for their answers.
    pub fn new(format: Format, what: What<M, T>, is_changing: bool) -> Self {
        let output = Output::new();
        let table = Table::new::<T>(output.is_terminal);
        let created = (is_changing && matches!(what, What::Rows(..))).then(Vec::new);
        let (early, failure) = Default::default();
        Self { output, format, what, table, next: 0, early, failure, created }
    }

    /// Takes what came of a call: its name and the answer, if there is one.
    pub fn take(&mut self, index: usize, answer: Option<(String, M)>) {
        self.early.insert(index, answer);
        while let Some(answer) = self.early.remove(&self.next) {
            self.next += 1;
            self.attempt(answer);
        }
        let flushed = self.output.flush();
        self.note(flushed);
    }

    /// Whether nothing can be printed any more.
    pub fn is_broken(&self) -> bool {
        self.failure.is_some()
    }

    /// Prints the rest, behind which something may be missing.
    pub fn end(mut self) -> Result<(), Unprinted> {
        let printed = self.print_rest();
        let created = self.created.unwrap_or_default();
        printed.map_err(|failure| Unprinted { failure, created })
    }

    fn print_rest(&mut self) -> Result<(), Failure> {
        for answer in std::mem::take(&mut self.early).into_values() {
            self.attempt(answer);
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let (Format::Table, What::Rows(name, _)) = (self.format, &self.what) {
            self.table.print(&mut self.output, &plural(name))?;
        }
        self.output.flush()
    }

    fn attempt(&mut self, answer: Option<(String, M)>) {
        let Some((name, answer)) = answer else { return };
        if !self.is_broken() {
            let printed = self.print(&name, &answer);
            self.note(printed);
        }
        if let (Some(created), What::Rows(_, item)) = (&mut self.created, &self.what)
            && let Some(item) = item(&answer)
        {
            created.push((name, item.uuid().to_owned()));
        }
    }

    fn print(&mut self, name: &str, answer: &M) -> Result<(), Failure> {
        match (self.format, &self.what) {
            (Format::Json, _) => self.output.json(answer),
            (Format::Table, What::Done(done)) => {
                self.output.line(&printable(&format!("{done} {name}.")))
            }
            (Format::Table, What::Rows(_, item)) => {
                if let Some(item) = item(answer) {
                    self.table.push(item);
                }
                Ok(())
            }
        }
    }

    fn note(&mut self, printed: Result<(), Failure>) {
        if let (Err(failure), None) = (printed, &self.failure) {
            self.failure = Some(failure);
        }
    }
}

impl<M, T> fmt::Debug for What<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(text) => f.debug_tuple("Done").field(text).finish(),
            Self::Rows(name, _) => f.debug_tuple("Rows").field(name).finish_non_exhaustive(),
        }
    }
}
