//! How far many calls are: a bar on standard error, if that is a terminal.

use std::future::pending;
use std::io::{self, IsTerminal};
use std::pin::Pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Sleep, sleep};

use crate::style::Style;

/// What is over sooner needs no bar.
const MOMENT: Duration = Duration::from_millis(400);

/// A bar that comes after a moment, and is gone when it is dropped.
pub struct Bar {
    bar: ProgressBar,
    style: Style,
    failed: usize,
    /// Until it comes; None once it is there, and where there is no terminal.
    moment: Option<Pin<Box<Sleep>>>,
}

impl Bar {
    pub fn new(total: usize) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        let style = Style::new(is_terminal);
        let colour = if style.is_enabled() { ".green/dim" } else { "" };
        let template =
            format!("{{bar:24{colour}}} {{pos}} of {{len}}  {{elapsed}}, {{eta}} left  {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar, style, failed: 0, moment: is_terminal.then(|| Box::pin(sleep(MOMENT))) }
    }

    /// Ends when it is time to [`show`](Self::show) it, which may be never.
    pub async fn is_due(&mut self) {
        match &mut self.moment {
            Some(moment) => moment.await,
            None => pending().await,
        }
    }

    pub fn show(&mut self) {
        self.moment = None;
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// One more is done.
    pub fn advance(&mut self, succeeded: bool) {
        if !succeeded {
            self.failed += 1;
            self.bar.set_message(self.style.red(&format!("{} failed", self.failed)));
        }
        self.bar.inc(1);
    }

    /// Runs something that prints, without the bar in its way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end();
    }
}
