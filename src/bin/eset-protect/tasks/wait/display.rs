//! Shows the progress of a task on standard error: a bar on a terminal, otherwise lines.

use std::io::{self, IsTerminal};

use eset_protect::{DeviceCounts, TaskProgress};
use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget};

use crate::progress;
use crate::say::say;
use crate::style::Style;
use crate::text::count;

/// Shows the progress of a task.
pub struct Display {
    bar: ProgressBar,
    style: Style,
}

impl Display {
    pub fn new() -> Self {
        let style = Style::new(io::stderr().is_terminal());
        let rest = "{elapsed:>4}  {wide_msg}";
        let bar = progress::bar(style, rest, 1, ProgressDrawTarget::stderr());
        bar.set_message("asking the service");
        Self { bar, style }
    }

    pub fn show(&self, progress: &TaskProgress) {
        let all = progress.counts();
        let text = described(all, self.style);
        if self.bar.is_hidden() {
            return say(&format!("{}  {text}", FormattedDuration(self.bar.elapsed())));
        }
        self.bar.set_length(all.total().max(1) as u64);
        self.bar.set_position(all.ended() as u64);
        self.bar.set_message(text);
    }

    /// Hides the bar while something else is printed.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
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
