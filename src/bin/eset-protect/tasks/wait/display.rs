//! Shows the progress of a task on standard error: a bar on a terminal, otherwise lines.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use eset_protect::{DeviceCounts, TaskProgress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::say::say;
use crate::style::Style;
use crate::text::count;

const BAR: &str = "{bar:24} {elapsed:>4}  {wide_msg}";
const COLOURED_BAR: &str = "{bar:24.green/dim} {elapsed:>4}  {wide_msg}";

/// Shows the progress of a task.
pub struct Display {
    begun: Instant,
    /// `None` if standard error is not a terminal.
    bar: Option<ProgressBar>,
    style: Style,
}

impl Display {
    pub fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        let style = Style::new(is_terminal);
        Self { begun: Instant::now(), bar: is_terminal.then(|| bar(style)), style }
    }

    pub fn show(&self, progress: &TaskProgress) {
        let all = progress.counts();
        let Some(bar) = &self.bar else {
            let line =
                format!("{}  {}", clock(self.begun.elapsed()), described(all, Style::none()));
            return say(&line);
        };
        bar.set_length(all.total().max(1) as u64);
        bar.set_position(all.ended() as u64);
        bar.set_message(described(all, self.style));
    }

    /// Hides the bar while something else is printed.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.end();
    }
}

fn bar(style: Style) -> ProgressBar {
    let bar = ProgressBar::new(1);
    let template = if style.is_enabled() { COLOURED_BAR } else { BAR };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message("asking the service");
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// `2 of 3 devices done: 1 finished, 1 failed, 1 running`.
fn described(all: DeviceCounts, style: Style) -> String {
    let parts = [
        (all.finished, "finished"),
        (all.failed, "failed"),
        (all.suppressed, "suppressed"),
        (all.expired, "not started in time"),
        (all.running, "running"),
        (all.queued, "queued"),
        (all.not_started, "not started"),
        (all.other, "in another state"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| {
            let text = format!("{number} {what}");
            match what {
                "finished" => style.green(&text),
                "failed" | "suppressed" | "not started in time" => style.red(&text),
                "running" => style.cyan(&text),
                "queued" => style.yellow(&text),
                _ => text,
            }
        })
        .collect();
    let done = format!("{} of {} done", all.ended(), count(all.total(), "device"));
    if parts.is_empty() { done } else { format!("{done}: {}", parts.join(", ")) }
}

/// `1:02:03`, `02:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes:02}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
