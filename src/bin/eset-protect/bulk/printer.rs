//! Prints responses in the order of their requests.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::method::Method;
use crate::output::{Format, Output};
use crate::response::{created, item, noun, parse};
use crate::say::say;
use crate::table::Table;
use crate::text::{plural, printable};

/// Prints each response after those before it.
pub struct Printer {
    output: Output,
    format: Format,
    method: Method,
    /// The text for an empty response, before its name.
    done: String,
    /// The contents of the responses, if any.
    table: Option<Table>,
    next: usize,
    /// Responses that arrived early, with their names.
    early: BTreeMap<usize, Option<(String, String)>>,
    /// Why nothing more is printed.
    failure: Option<Failure>,
    /// The created items: their names and UUIDs.
    created: Vec<(String, String)>,
}

impl Printer {
    pub fn new(format: Format, method: Method, done: String) -> Self {
        let output = Output::new();
        let table = method.item().map(|field| Table::of(&field, output.is_terminal));
        let (early, failure, created) = Default::default();
        Self { output, format, method, done, table, next: 0, early, failure, created }
    }

    /// Takes the result of a call: its name, and the response if there is one.
    pub fn take(&mut self, index: usize, name: &str, answer: Option<Result<String, Failure>>) {
        let answer = match answer.transpose() {
            Ok(answer) => answer.map(|answer| (name.to_owned(), answer)),
            Err(failure) => {
                self.note(Err(failure));
                None
            }
        };
        self.early.insert(index, answer);
        while let Some(answer) = self.early.remove(&self.next) {
            self.next += 1;
            self.attempt(answer);
        }
        let flushed = self.output.flush();
        self.note(flushed);
    }

    /// Whether printing has failed.
    pub fn is_broken(&self) -> bool {
        self.failure.is_some()
    }

    /// Prints the rest, which may have gaps. If that fails, reports all created items, because the reader of a
    /// pipe may not have read what was written to it.
    pub fn end(mut self) -> Result<(), Failure> {
        let printed = self.print_rest();
        if printed.is_ok() || self.created.is_empty() {
            return printed;
        }
        for (name, uuid) in &self.created {
            say(&format!("created, but perhaps not printed: {uuid} ({name})"));
        }
        printed.map_err(Failure::of_created)
    }

    fn print_rest(&mut self) -> Result<(), Failure> {
        for answer in std::mem::take(&mut self.early).into_values() {
            self.attempt(answer);
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let (Format::Table, Some(table)) = (self.format, &self.table) {
            table.print(&mut self.output, &plural(&noun(&self.method)))?;
        }
        self.output.flush()
    }

    fn attempt(&mut self, answer: Option<(String, String)>) {
        let Some((name, answer)) = answer else { return };
        if !self.is_broken() {
            let printed = self.print(&name, &answer);
            self.note(printed);
        }
        if let Some(uuid) = created(&self.method, &answer) {
            self.created.push((name, uuid));
        }
    }

    fn print(&mut self, name: &str, answer: &str) -> Result<(), Failure> {
        let Some(table) = &mut self.table else {
            return match self.format {
                Format::Json => self.output.line(answer),
                Format::Table => self.output.line(&printable(&format!("{} {name}.", self.done))),
            };
        };
        if self.format == Format::Json {
            return self.output.line(answer);
        }
        match item(&self.method, &parse(answer)?) {
            Some(serde_json::Value::Array(items)) => items.iter().for_each(|item| table.push(item)),
            Some(item) => table.push(item),
            None => {}
        }
        Ok(())
    }

    fn note(&mut self, printed: Result<(), Failure>) {
        if let (Err(failure), None) = (printed, &self.failure) {
            self.failure = Some(failure);
        }
    }
}
