//! `policies plan` and `apply`.

use std::path::PathBuf;

use clap::Args;
use eset_protect::Client;
use eset_protect::policy::PolicyFile;
use eset_protect::policy_management::v2::Policy;
use eset_protect::rollout::{Change, Plan, Tenant};

use super::diff::{Difference, UNSEEN, differences};
use super::files::write;
use super::folder::Folder;
use super::journal::{JOURNAL, apply, carry_out, expect_none, saved};
use super::settings::Lines;
use super::targets;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::items::program;
use crate::output::{Format, Output, View};
use crate::safety::Safety;
use crate::say::say;
use crate::text::{count, printable};

const FILES: &str = "\
The folders in DIR are read, too; hidden files are not. A policy is recognized by its name, so a new name
makes a new policy. A file by hand, with a setting that the configuration does not have yet:

  name: Strict
  assignments:
  - group: c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001   # or device, subscription
    rank: 1                                       # the last if it is left out
  features:
  - settings:
      endpoint.gui.ShowSplash: {value: '0', kind: '9', flags: '4'}   # ce_value, ce_type, ce_flags
    configuration:
      '@type': type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData
      product: eset.local.products.endpoint";

/// Show what `apply` would change
///
/// The exit code is 0 if nothing changes, 2 if something does, and 1 after an error.
#[derive(Args, Debug)]
#[command(after_help = FILES)]
pub struct PlanArgs {
    /// A folder of policies, each with its own name, as `export` writes them: files that end with .yaml, .yml or .json
    #[arg(required_unless_present = "roll_back")]
    dir: Option<PathBuf>,
    /// Also delete the policies that no file has; built-in ones stay
    #[arg(long, conflicts_with = "roll_back")]
    prune: bool,
    /// Save the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Show what `apply --roll-back` would change
    #[arg(long, conflicts_with_all = ["dir", "save"])]
    roll_back: bool,
    /// The journal
    #[arg(long, value_name = "FILE", default_value = JOURNAL)]
    journal: PathBuf,
}

impl PlanArgs {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let mut folder = Folder::default();
        if let Some(dir) = &self.dir {
            expect_none(&self.journal)?;
            folder = Folder::read(dir)?;
        }
        let journal = if self.roll_back { Some(saved(&self.journal)?) } else { None };
        connection.run(async |client, view| {
            view.expect(Format::OF_DOCUMENTS)?;
            let plan = match journal {
                Some(journal) => roll_back(&journal, Tenant::read(&client).await?)?,
                None => plan(&client, folder, self.prune).await?,
            };
            if let Some(path) = &self.save {
                write(path, serde_json::to_string(&plan)?.as_bytes())?;
            }
            show(view, &plan)
        })
    }
}

/// Bring the tenant to the policies and assignments of a folder
///
/// A changed policy is created anew and assigned at the rank of the old one; only then is the old one unassigned
/// and deleted. The policies and assignments are read at the start, and again before anything is removed; what
/// somebody else changes while old policies are removed is not noticed.
///
/// The journal is written before the first call and removed at the end. After an interruption, such as Ctrl-C,
/// --resume or --roll-back goes on from there, unless somebody else changed the policies or assignments since; then
/// delete the journal, and plan anew. Policies that were deleted already come back with new UUIDs; `plan --roll-back`
/// names them.
#[derive(Args, Debug)]
#[command(after_help = FILES)]
pub struct Apply {
    /// A folder of policies, each with its own name, as `export` writes them
    #[arg(required_unless_present_any = ["plan", "resume", "roll_back"])]
    dir: Option<PathBuf>,
    /// Also delete the policies that no file has, once you confirm it; built-in ones stay
    #[arg(long, conflicts_with_all = ["plan", "resume", "roll_back"])]
    prune: bool,
    /// Do not ask before policies are deleted that no file has
    #[arg(short, long)]
    yes: bool,
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
    /// Show what would change, as `plan` does and with its exit code, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Apply {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let goes_on = self.resume || self.roll_back;
        if !goes_on {
            expect_none(&self.journal)?;
        }
        let folder = self.dir.as_deref().map(Folder::read).transpose()?.unwrap_or_default();
        let from = if goes_on { Some(&self.journal) } else { self.plan.as_ref() };
        let saved = from.map(|path| saved(path)).transpose()?;
        connection.run(async |client, view| {
            view.expect(Format::OF_DOCUMENTS)?;
            let mut plan = match saved {
                Some(saved) => saved,
                None => plan(&client, folder, self.prune).await?,
            };
            if self.roll_back && !plan.rolls_back() {
                plan = roll_back(&plan, Tenant::read(&client).await?)?;
                if !self.dry_run {
                    plan.changes().iter().for_each(|change| say(&change.to_string()));
                    write(&self.journal, serde_json::to_string(&plan)?.as_bytes())?;
                }
            }
            if self.dry_run {
                return show(view, &plan);
            }
            if goes_on {
                return carry_out(&client, view, &plan, &self.journal, false).await;
            }
            confirm(&plan, self.yes)?;
            apply(&client, view, &plan, &self.journal).await
        })
    }
}

/// Asks before policies are deleted that no file has.
fn confirm(plan: &Plan, yes: bool) -> Result<(), Failure> {
    let changes = plan.changes().iter();
    let deleted: Vec<_> = changes.filter(|it| matches!(it, Change::Delete { .. })).collect();
    if deleted.is_empty() || yes {
        return Ok(());
    }
    deleted.iter().for_each(|change| say(&change.to_string()));
    Safety::new(false, yes).ask("delete", &count(deleted.len(), "policy"))
}

/// Prints the changes of a plan, and what changes inside policies. Ends with 2 if there are any.
pub fn show(view: &View, plan: &Plan) -> Result<(), Failure> {
    let mut output = Output::new();
    for change in plan.changes() {
        let inside = match change {
            Change::Replace { uuid, .. } => plan.replacement(uuid).map(inside).transpose()?,
            _ => None,
        };
        let mut shown = serde_json::json!(change);
        if let Some(inside) = &inside {
            shown["differences"] = serde_json::json!(inside);
        }
        if program(view, &mut output, &shown.to_string())? {
            continue;
        }
        output.line(&printable(&change.to_string()))?;
        match inside.as_deref() {
            Some([]) => output.line(&format!("    {UNSEEN}"))?,
            inside => inside
                .unwrap_or_default()
                .iter()
                .try_for_each(|difference| difference.write(&mut output, "    "))?,
        }
    }
    output.flush()?;
    if plan.is_empty() {
        say("nothing to change");
        return Ok(());
    }
    Err(Failure::Exit(2))
}

fn inside((old, new): (&Policy, &Policy)) -> Result<Vec<Difference>, Failure> {
    let lines = |policy| Lines::of(&PolicyFile::from_policy(policy));
    Ok(differences(&lines(old)?, &lines(new)?))
}

/// Plans how a tenant comes to have what a folder says, and checks what the policies are assigned to.
async fn plan(client: &Client, mut folder: Folder, prune: bool) -> Result<Plan, Failure> {
    targets::resolve(client, &mut folder).await?;
    let tenant = Tenant::read(client).await?;
    folder.say_renamed(&tenant, prune);
    let plan = Plan::new(tenant, &folder.files, prune).map_err(|error| folder.failure(&error))?;
    targets::check(client, &plan, &folder).await?;
    Ok(plan)
}

fn roll_back(plan: &Plan, now: Tenant) -> Result<Plan, Failure> {
    plan.roll_back(now).map_err(|error| Failure::Other(error.to_string()))
}
