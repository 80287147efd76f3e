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
use crate::say::say;
use crate::text::{plural, printable};

/// Prints each response after those before it.
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
    /// Responses that arrived early, with their names.
    early: BTreeMap<usize, Option<(String, String)>>,
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

    fn attempt(&mut self, answer: Option<(String, String)>) {
        let Some((name, answer)) = answer else { return };
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
