//! Formats an event: time, level, call and message.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::calls::CallSpan;
use super::prefix::begin;
use crate::style::Style;

/// Writes each event as a line, with the name of the call instead of all fields of its span.
pub struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let style = Style::new(writer.has_ansi_escapes());
        begin(&mut writer, style, *metadata.level())?;
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let call = extensions.get::<CallSpan>().filter(|call| !call.is_served());
            if let Some(call) = call {
                write!(writer, "{}: ", style.bold(call.method()))?;
            } else if !is_ours(span.metadata().target()) {
                let fields = extensions.get::<FormattedFields<N>>();
                let fields = fields.map_or("", |fields| fields.fields.as_str());
                write!(writer, "{}{{{fields}}}: ", span.name())?;
            }
        }
        write!(writer, "{}: ", style.dim(metadata.target()))?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Whether the span is this crate's, which repeats at length what the line of the call already says.
fn is_ours(target: &str) -> bool {
    target.starts_with("eset_protect::")
}
