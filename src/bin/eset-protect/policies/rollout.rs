//! `policies plan` and `apply`.

use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::Client;
use eset_protect::policy::PolicyFile;
use eset_protect::rollout::{Plan, RolloutError, Tenant};

use super::files::{read_folder, write};
use super::view::json;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input;
use crate::output::{Format, Output, View};
use crate::say::say;
use crate::text::printable;
use crate::whole_file::write_new;

/// Where `apply` and `set` keep their journal.
pub const JOURNAL: &str = "eset-protect-journal.json";

/// Show what `apply` would change
///
/// The exit code is 0 if nothing changes, and 2 if something does.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// A folder of policies as `export` writes them: files that end with .yaml, .yml or .json
    #[arg(required_unless_present = "roll_back")]
    dir: Option<PathBuf>,
    /// Also delete the policies that no file has; built-in ones stay
    #[arg(long, requires = "dir")]
    prune: bool,
    /// Save the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Show what `apply --roll-back` would change
    #[arg(long, conflicts_with_all = ["dir", "save"])]
    roll_back: bool,
    /// The journal
    #[arg(long, value_name = "FILE", default_value = JOURNAL, requires = "roll_back")]
    journal: PathBuf,
}

impl PlanArgs {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let files = self.dir.as_deref().map(read_folder).transpose()?.unwrap_or_default();
        let journal = if self.roll_back { Some(saved(&self.journal)?) } else { None };
        connection.run(async |client, view| {
            let tenant = Tenant::read(&client).await?;
            let plan = match journal {
                Some(journal) => roll_back(&journal, tenant)?,
                None => plan(tenant, &files, self.prune)?,
            };
            if let Some(path) = &self.save {
                write(path, json(&plan)?.as_bytes())?;
            }
            show(view, &plan)?;
            if plan.is_empty() { Ok(()) } else { Err(Failure::Exit(2)) }
        })
    }
}

/// Bring the tenant to the policies and assignments of a folder
///
/// A changed policy is created anew and assigned at the rank of the old one; only then is the old one unassigned
/// and deleted. The journal is written before the first call and removed at the end. After an interruption,
/// --resume or --roll-back goes on from there, unless somebody else changed the policies or assignments since; then
/// delete the journal, and plan anew. Policies that were deleted already come back with new UUIDs; `plan --roll-back`
/// names them.
#[derive(Args, Debug)]
pub struct Apply {
    /// A folder of policies as `export` writes them
    #[arg(required_unless_present_any = ["plan", "resume", "roll_back"])]
    dir: Option<PathBuf>,
    /// Also delete the policies that no file has; built-in ones stay
    #[arg(long, requires = "dir")]
    prune: bool,
    /// Apply a plan that `plan --save` wrote; refused if the tenant has changed since
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    plan: Option<PathBuf>,
    /// Carry out the rest of what was interrupted, the way back included
    #[arg(long, conflicts_with_all = ["dir", "plan", "roll_back"])]
    resume: bool,
    /// Return to the state before what was interrupted
    #[arg(long, conflicts_with_all = ["dir", "plan"])]
    roll_back: bool,
    /// The journal
    #[arg(long, value_name = "FILE", default_value = JOURNAL)]
    journal: PathBuf,
    /// Show what would change, as `plan` does, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Apply {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let files = self.dir.as_deref().map(read_folder).transpose()?.unwrap_or_default();
        let goes_on = self.resume || self.roll_back;
        let from = if goes_on { Some(&self.journal) } else { self.plan.as_ref() };
        let saved = from.map(|path| saved(path)).transpose()?;
        connection.run(async |client, view| {
            let mut plan = match saved {
                Some(saved) => saved,
                None => plan(Tenant::read(&client).await?, &files, self.prune)?,
            };
            if self.roll_back && !plan.rolls_back() {
                plan = roll_back(&plan, Tenant::read(&client).await?)?;
                if !self.dry_run {
                    plan.changes().iter().for_each(|change| say(&change.to_string()));
                    write(&self.journal, json(&plan)?.as_bytes())?;
                }
            }
            if self.dry_run {
                return show(view, &plan);
            }
            if !goes_on {
                return apply(&client, &plan, &self.journal).await;
            }
            carry_out(&client, &plan).await.map_err(|error| failure(error, &self.journal))?;
            remove(&self.journal)
        })
    }
}

/// Prints the changes of a plan.
pub fn show(view: &View, plan: &Plan) -> Result<(), Failure> {
    let mut output = Output::new();
    for change in plan.changes() {
        match view.format {
            Format::Json => output.line(&json(change)?)?,
            _ => output.line(&printable(&change.to_string()))?,
        }
    }
    output.flush()?;
    if plan.is_empty() {
        say("nothing to change");
    }
    Ok(())
}

pub fn plan(tenant: Tenant, files: &[PolicyFile], prune: bool) -> Result<Plan, Failure> {
    Plan::new(tenant, files, prune).map_err(|error| Failure::Input(error.to_string()))
}

fn roll_back(plan: &Plan, now: Tenant) -> Result<Plan, Failure> {
    plan.roll_back(now).map_err(|error| Failure::Other(error.to_string()))
}

fn saved(path: &Path) -> Result<Plan, Failure> {
    serde_json::from_slice(&input::read("", path)?).map_err(|error| input::wrong("", path, &error))
}

/// Applies a plan with a journal.
pub async fn apply(client: &Client, plan: &Plan, journal: &Path) -> Result<(), Failure> {
    if plan.is_empty() {
        say("nothing to change");
        return Ok(());
    }
    if journal.exists() {
        let what = "the journal of an interrupted run; expected --resume or --roll-back first";
        return Err(input::wrong("", journal, &what));
    }
    let written = write_new(journal, json(plan)?.as_bytes());
    written.map_err(|error| Failure::io(&journal.display().to_string(), &error))?;
    match carry_out(client, plan).await {
        Ok(()) => remove(journal),
        // Nothing was done.
        Err(error @ (RolloutError::Changed(_) | RolloutError::Read(_))) => {
            remove(journal)?;
            Err(failure(error, journal))
        }
        Err(error) => Err(failure(error, journal)),
    }
}

/// Carries out what is left of a plan whose journal is written.
async fn carry_out(client: &Client, plan: &Plan) -> Result<(), RolloutError> {
    plan.apply(client, |step| say(&step.to_string())).await
}

fn failure(error: RolloutError, journal: &Path) -> Failure {
    match error {
        RolloutError::Call(step, error) => {
            say(&format!(
                "interrupted at: {step}; the journal {} is kept for `policies apply --resume` or --roll-back",
                journal.display()
            ));
            (*error).into()
        }
        RolloutError::Read(error) => (*error).into(),
        other => Failure::Other(other.to_string()),
    }
}

fn remove(journal: &Path) -> Result<(), Failure> {
    std::fs::remove_file(journal)
        .map_err(|error| Failure::io(&journal.display().to_string(), &error))
}
