//! Prints responses in the order of their requests.

use std::collections::BTreeMap;

use eset_protect::Client;
use serde_json::Value;

use crate::calls::parse;
use crate::failure::Failure;
use crate::items::{Items, program};
use crate::method::Method;
use crate::output::{Output, View};
use crate::response::{created, item, noun};
use crate::say::{say, say_error};
use crate::text::{plural, printable};

/// What is printed of a call.
#[derive(Debug)]
pub enum Printed {
    /// The response in JSON, if it has that form.
    Answer(Result<String, Failure>),
    Error(String),
    Nothing,
}

/// Prints each response or error after those before it.
pub struct Printer {
    output: Output,
    view: View,
    method: Method,
    /// The text for an empty response, before its name.
    done: String,
    /// The contents of the responses, if any.
    items: Option<Items>,
    /// Whether there was any response.
    has_any: bool,
    next: usize,
    /// What came early, with the names of the items.
    early: BTreeMap<usize, (String, Printed)>,
    /// Why nothing more is printed.
    failure: Option<Failure>,
    /// The created items: their names and UUIDs.
    created: Vec<(String, String)>,
}

impl Printer {
    pub fn new(view: &View, method: Method, done: String) -> Result<Self, Failure> {
        let items = method.item().map(|field| Items::of(&field, view)).transpose()?;
        let (early, failure, created, has_any) = Default::default();
        let (output, view) = (Output::new(), view.clone());
        Ok(Self { output, view, method, done, items, has_any, next: 0, early, failure, created })
    }

    /// Takes what is to be printed of the call for the item of this name.
    pub fn take(&mut self, index: usize, name: &str, printed: Printed) {
        self.early.insert(index, (name.to_owned(), printed));
        while let Some(next) = self.early.remove(&self.next) {
            self.next += 1;
            self.attempt(next);
        }
        let flushed = self.flush();
        self.note(flushed);
    }

    /// Whether printing has failed.
    pub fn is_broken(&self) -> bool {
        self.failure.is_some()
    }

    /// Prints the rest, which may have gaps. If that fails, reports all created items, because the reader of a
    /// pipe may not have read what was written to it.
    pub async fn end(mut self, client: &Client) -> Result<(), Failure> {
        let printed = self.print_rest(client).await;
        if printed.is_ok() || self.created.is_empty() {
            return printed;
        }
        for (name, uuid) in &self.created {
            say(&format!("created, but perhaps not printed: {uuid} ({name})"));
        }
        printed.map_err(Failure::of_created)
    }

    async fn print_rest(&mut self, client: &Client) -> Result<(), Failure> {
        for answer in std::mem::take(&mut self.early).into_values() {
            self.attempt(answer);
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        // Without a response there is no table either.
        if let Some(items) = self.items.take().filter(|_| self.has_any) {
            items.end(client, &plural(&noun(&self.method))).await?;
        }
        self.output.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.items.iter_mut().try_for_each(|items| items.output.flush())?;
        self.output.flush()
    }

    fn attempt(&mut self, (name, printed): (String, Printed)) {
        let answer = match printed {
            Printed::Answer(Ok(answer)) => answer,
            Printed::Answer(Err(failure)) => return self.note(Err(failure)),
            Printed::Error(line) => return say_error(&line),
            Printed::Nothing => return,
        };
        self.has_any = true;
        if !self.is_broken() {
            let printed = self.print(&name, &answer);
            self.note(printed);
        }
        if let Some(uuid) = created(&self.method, &answer) {
            self.created.push((name, uuid));
        }
    }

    fn print(&mut self, name: &str, answer: &str) -> Result<(), Failure> {
        if program(&self.view, &mut self.output, answer)? {
            return Ok(());
        }
        let value = parse(answer)?;
        let Some(items) = &mut self.items else {
            return self.output.line(&printable(&format!("{} {name}.", self.done)));
        };
        match item(&self.method, &value) {
            Some(Value::Array(elements)) => {
                elements.iter().try_for_each(|element| items.push(&element.to_string()))
            }
            Some(item) => items.push(&item.to_string()),
            None => Ok(()),
        }
    }

    fn note(&mut self, printed: Result<(), Failure>) {
        if let (Err(failure), None) = (printed, &self.failure) {
            self.failure = Some(failure);
        }
    }
}
