//! Lines of JSON, in the form that `tracing-subscriber` gives to events.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::{Value, json};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

static IS_ON: AtomicBool = AtomicBool::new(false);

/// Makes messages lines of JSON from now on, so that all of standard error is.
pub fn start() {
    IS_ON.store(true, Relaxed);
}

/// Returns a message as a line; `None` if the log is text.
pub fn message(level: &str, text: &str) -> Option<String> {
    let text = text.trim_end();
    let fields = || json!({ "message": text.strip_prefix("error: ").unwrap_or(text) });
    IS_ON.load(Relaxed).then(|| line(level, "eset_protect", &fields()))
}

/// Returns a line.
pub fn line(level: &str, target: &str, fields: &Value) -> String {
    let mut timestamp = String::new();
    // A time fits into a text.
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    let line = json!({
        "timestamp": timestamp,
        "level": level,
        "target": target,
        "fields": fields,
    });
    format!("{line}\n")
}
