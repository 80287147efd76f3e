//! Bars and spinners on standard error.

use std::ops::Deref;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::style::Style;

/// A bar, or a spinner if there is no total. It is hidden where standard error is not a terminal, and removed
/// when dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar, and after it the rest of a template.
    pub fn bar(style: Style, rest: &str, total: u64, target: ProgressDrawTarget) -> Self {
        let colour = if style.is_enabled() { ".green/dim" } else { "" };
        Self::new(&format!("{{bar:12{colour}}} {rest}"), Some(total), target)
    }

    pub fn new(template: &str, total: Option<u64>, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(total, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Deref for Progress {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.0
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish_and_clear();
    }
}
