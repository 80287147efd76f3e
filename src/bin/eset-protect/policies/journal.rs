//! Carries out a plan with a journal.

use std::cell::Cell;
use std::path::Path;
use std::pin::pin;

use eset_protect::Client;
use eset_protect::policy::Target;
use eset_protect::policy_management::v2::PolicyAssignment;
use eset_protect::rollout::{Plan, RolloutError, Step};
use serde_json::json;

use super::saved::{Journal, Place};
use crate::failure::{self, Failure};
use crate::items::program;
use crate::output::{Output, View};
use crate::say::say;
use crate::stop_signal::stop_signal;
use crate::text::count;

/// Applies a plan with a new journal.
pub async fn apply(
    client: &Client,
    view: &View,
    plan: &Plan,
    place: &Place,
    journal: &Path,
) -> Result<(), Failure> {
    if plan.is_empty() {
        say("nothing to change");
        return Ok(());
    }
    carry_out(client, view, plan, place, Journal::new(journal)?).await
}

/// Carries out a plan, or what is left of it. The first Ctrl-C lets the call under way finish; the second stops at
/// once.
pub async fn carry_out(
    client: &Client,
    view: &View,
    plan: &Plan,
    place: &Place,
    mut journal: Journal,
) -> Result<(), Failure> {
    let mut signal = pin!(stop_signal()?);
    if journal.is_new {
        journal.write(place, plan)?;
    }
    let (steps, is_stopped) = (Cell::new(0), Cell::new(false));
    let mut output = Output::new();
    let mut unprinted = None;
    let done = |step: &Step| {
        steps.set(steps.get() + 1);
        // Nobody may read any more; the plan is carried out anyway.
        let printed = print(view, &mut output, step);
        if !matches!(printed, Ok(true)) {
            say(&step.to_string());
        }
        unprinted = unprinted.take().or(printed.err());
    };
    let ended = {
        let mut run = pin!(plan.apply_until(client, done, || is_stopped.get()));
        loop {
            tokio::select! {
                biased;
                () = &mut signal => {
                    if is_stopped.replace(true) {
                        let what = "stopped while a call was under way; it may have been done anyway";
                        return Err(stopped(what, &journal));
                    }
                    signal.set(stop_signal()?);
                    say("stopping after the call under way; press Ctrl-C again to stop at once");
                }
                ended = &mut run => break ended,
            }
        }
    };
    let Err(error) = ended else {
        if steps.get() == 0 {
            say("nothing to change: the plan is carried out already");
        }
        journal.remove()?;
        return unprinted.map_or(Ok(()), |failure| Err(failure.of_created()));
    };
    let is_untouched = journal.is_new && steps.get() == 0;
    let is_done = matches!(error, RolloutError::ChangedAfterwards(_));
    if is_done || is_untouched && !matches!(error, RolloutError::Call(..)) {
        journal.remove()?;
    }
    let kept = journal.kept();
    Err(match error {
        RolloutError::Stopped if is_untouched => {
            Failure::ended(failure::STOPPED, "stopped; nothing was changed")
        }
        RolloutError::Stopped => {
            stopped(&format!("stopped after {}", count(steps.get(), "step")), &journal)
        }
        RolloutError::Call(step, error) => {
            say(&format!(
                "interrupted at: {step}; {kept} for `policies apply --resume` or --roll-back"
            ));
            (*error).into()
        }
        RolloutError::Read(error) => {
            if !is_untouched {
                say(&format!("{kept} for `policies apply --resume` or --roll-back"));
            }
            (*error).into()
        }
        other if is_done => Failure::Explained {
            exit_code: failure::OTHER,
            message: other.to_string(),
            hints: vec![
                "`eset-protect policies plan DIR` shows what differs from the files now".to_owned(),
            ],
        },
        other if is_untouched => Failure::Other(other.to_string()),
        other => Failure::Explained {
            exit_code: failure::OTHER,
            message: other.to_string(),
            hints: [
                vec![format!("{kept}; undo that change first, and then")],
                journal.ways_on(),
                vec!["or delete the journal and what is too much, and plan anew".to_owned()],
            ]
            .concat(),
        },
    })
}

/// Prints a step if the format is for programs. Returns whether it is.
fn print(view: &View, output: &mut Output, step: &Step) -> Result<bool, Failure> {
    let on = |step: &str, policy: &str, assignment: &PolicyAssignment| {
        let target = Target::of(assignment.target.as_ref());
        json!({
            "step": step, "policyUuid": assignment.policy_uuid, "policy": policy, "target": target,
        })
    };
    let shown = match step {
        Step::Create(policy) => {
            json!({ "step": "create", "policyUuid": policy.uuid, "policy": policy.display_name })
        }
        Step::Delete(policy) => {
            json!({ "step": "delete", "policyUuid": policy.uuid, "policy": policy.display_name })
        }
        Step::Assign { policy, assignment } => on("assign", policy, assignment),
        Step::Unassign { policy, assignment } => on("unassign", policy, assignment),
        Step::Rank { policy, assignment, rank } => {
            let mut shown = on("rank", policy, assignment);
            shown["from"] = assignment.rank.into();
            shown["to"] = (*rank).into();
            shown
        }
        other => json!({ "step": other.to_string() }),
    };
    let is_printed = program(view, output, &shown.to_string())?;
    output.flush().map(|()| is_printed)
}

fn stopped(what: &str, journal: &Journal) -> Failure {
    Failure::Explained {
        exit_code: failure::STOPPED,
        message: format!("{what}; {}", journal.kept()),
        hints: journal.ways_on(),
    }
}
