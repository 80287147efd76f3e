//! Shows the progress of many calls as a bar on standard error, if that is a terminal.

use std::future::pending;
use std::io::{self, IsTerminal};
use std::pin::Pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio::time::{Sleep, sleep};

use crate::progress;
use crate::style::Style;

/// Work that ends sooner shows no bar.
const MOMENT: Duration = Duration::from_millis(400);

/// A bar that appears after a moment, and disappears when dropped.
pub struct Bar {
    bar: ProgressBar,
    style: Style,
    failed: usize,
    /// The time until it appears; `None` after that, and without a terminal.
    moment: Option<Pin<Box<Sleep>>>,
}

impl Bar {
    pub fn new(total: usize) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let style = Style::new(is_terminal);
        let rest = "{pos} of {len}  {elapsed}, {eta} left  {msg}";
        let bar = progress::bar(style, rest, total as u64, ProgressDrawTarget::hidden());
        Self { bar, style, failed: 0, moment: is_terminal.then(|| Box::pin(sleep(MOMENT))) }
    }

    /// Completes when it is time to [`show`](Self::show) it, which may be never.
    pub async fn is_due(&mut self) {
        match &mut self.moment {
            Some(moment) => moment.await,
            None => pending().await,
        }
    }

    pub fn show(&mut self) {
        self.moment = None;
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }

    /// Counts a finished call.
    pub fn advance(&mut self, succeeded: bool) {
        if !succeeded {
            self.failed += 1;
            self.bar.set_message(self.style.red(&format!("{} failed", self.failed)));
        }
        self.bar.inc(1);
    }

    /// Hides the bar while something else is printed.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}
