//! The table of what a user gets.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use eset_protect::automation::v1::DeviceTask;
use eset_protect::{Error, ErrorKind, Wire, code_name};

use crate::fault::{Fault, Scene};
use crate::faults::{Section, sections};
use crate::stage::{Call, Elsewhere, Outcome, Stage, run};
use crate::support::driven_timer::DrivenTimer;

const HEAD: &str = include_str!("table_head.md");

/// Makes one call with one fault.
async fn row(fault: &Fault, wire: Wire, call: Call) -> String {
    let timer = DrivenTimer::new();
    let elsewhere = Elsewhere::start().await;
    let setting = (fault.set)(&Scene { timer: timer.clone(), elsewhere: elsewhere.address });
    let stage = Stage::start(timer, elsewhere, setting).await;
    // Ends a hanging fault, so that nobody has to notice it.
    let outcome = tokio::time::timeout(Duration::from_secs(20), run(&stage, wire, call)).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{wire:?}, {}, {call:?}: hangs", fault.name));
    let why = fault.why[usize::from(call == Call::Create)];
    let Outcome { result, requests, elapsed, .. } = &outcome;
    let name = call.name();
    format!(
        "| {} | {name} | {} | {requests} | {} | {why} |",
        fault.name,
        got(result),
        time(*elapsed)
    )
}

/// Describes what the user gets.
fn got(result: &Result<DeviceTask, Error>) -> String {
    let error = match result {
        Ok(task) => {
            assert_eq!(task.uuid, "t-1", "the response is that of the call");
            return "**the task**".to_owned();
        }
        Err(error) => error,
    };
    let by = match error.kind() {
        ErrorKind::Config => "configuration",
        ErrorKind::Connect => "connect",
        ErrorKind::Transport => "transport",
        ErrorKind::Deadline => "deadline",
        ErrorKind::Limit => "limit",
        _ => "status",
    };
    let ran = if error.may_have_executed() { "**may have run**" } else { "did not run" };
    let again = if error.is_retryable() { ", may help later" } else { "" };
    let after = error.retry_after().map(|wait| format!(", after {}", time(wait)));
    let code = code_name(error.code());
    format!("`{code}` ({by}), {ran}{again}{}", after.unwrap_or_default())
}

/// Formats seconds exactly.
fn time(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1e6).round() / 1e6)
}

async fn render() -> String {
    let mut text = HEAD.to_owned();
    for Section { name, wire, faults } in sections() {
        write!(text, "\n## {name}\n\n").expect("in memory");
        text.push_str("| fault | call | the user gets | requests | time | why |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for fault in faults {
            for call in [Call::Get, Call::Create] {
                text.push_str(&row(&fault, wire, call).await);
                text.push('\n');
            }
        }
    }
    text
}

#[tokio::test]
async fn the_table_says_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/table.md");
    let now = render().await;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).expect("tests/faults/table.md");
    }
    let table = std::fs::read_to_string(&path).expect("tests/faults/table.md");
    let (mut old, mut new) = (table.lines(), now.lines());
    loop {
        let (was, is) = (old.next(), new.next());
        assert_eq!(
            is, was,
            "tests/faults/table.md says something else (left: what happened). If what happened is \
             right, run this test with UPDATE_GOLDEN=1 and check the file in"
        );
        if is.is_none() {
            break;
        }
    }
}
