//! The results of many calls.

use eset_protect::Error;

use crate::failure::Failure;
use crate::say::say;
use crate::text::counts;

/// The note for calls that may have run.
pub const UNCLEAR: &str = "it may have been done anyway";

/// The result of one call.
#[derive(Debug)]
pub enum Outcome {
    Done,
    /// There was nothing to do it to, which is ignored.
    Gone,
    Failed(Box<Error>),
    /// Its response was not awaited.
    UnderWay,
    NotBegun,
}

/// The result of each call, in the order of the items.
#[derive(Debug)]
pub struct Outcomes {
    all: Vec<Outcome>,
    pub is_interrupted: bool,
}

impl Outcomes {
    pub fn new(total: usize) -> Self {
        let all = (0..total).map(|_| Outcome::UnderWay).collect();
        Self { all, is_interrupted: false }
    }

    pub fn set(&mut self, index: usize, outcome: Outcome) {
        if let Some(place) = self.all.get_mut(index) {
            *place = outcome;
        }
    }

    /// Records that this number of calls at the end will not start.
    pub fn leave(&mut self, left: usize) {
        for outcome in self.all.iter_mut().rev().take(left) {
            *outcome = Outcome::NotBegun;
        }
    }

    /// Records an interruption before this number of calls at the end started.
    pub fn interrupt(&mut self, left: usize) {
        self.is_interrupted = true;
        self.leave(left);
    }

    pub fn all(&self) -> &[Outcome] {
        &self.all
    }

    /// Prints `97 deleted, 3 failed`. Fails if any call failed or did not start.
    pub fn end(self, verb: &str) -> Result<(), Failure> {
        let number = |is: fn(&Outcome) -> bool| self.all.iter().filter(|one| is(one)).count();
        let done = number(|outcome| matches!(outcome, Outcome::Done));
        let under_way = number(|outcome| matches!(outcome, Outcome::UnderWay));
        let not_begun = number(|outcome| matches!(outcome, Outcome::NotBegun));
        let others = counts(&[
            (number(|outcome| matches!(outcome, Outcome::Gone)), "not found"),
            (number(|outcome| matches!(outcome, Outcome::Failed(_))), "failed"),
            (under_way, "stopped under way"),
            (not_begun, "not begun"),
        ]);
        let separator = if others.is_empty() { "" } else { ", " };
        let summary = format!("{done} {verb}{separator}{others}");
        let is_cut_short = self.is_interrupted && under_way + not_begun > 0;
        let errors = self.all.into_iter().filter_map(|outcome| match outcome {
            Outcome::Failed(error) => Some(*error),
            _ => None,
        });
        let errors: Vec<_> = errors.collect();
        if errors.is_empty() && !is_cut_short {
            say(&summary);
            return Ok(());
        }
        Err(Failure::Bulk { summary, is_cut_short, errors, server: None })
    }
}
