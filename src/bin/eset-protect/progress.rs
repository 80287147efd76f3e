//! Bars and spinners on standard error. They are hidden where that is not a terminal, and removed when dropped.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::style::Style;

/// Returns a bar, and after it the rest of a template.
pub fn bar(style: Style, rest: &str, total: u64, target: ProgressDrawTarget) -> ProgressBar {
    let colour = if style.is_enabled() { ".green/dim" } else { "" };
    progress(&format!("{{bar:12{colour}}} {rest}"), Some(total), target)
}

/// Returns a bar, or a spinner if there is no total.
pub fn progress(template: &str, total: Option<u64>, target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
