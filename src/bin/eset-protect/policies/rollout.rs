//! `policies plan` and `apply`.

use std::path::PathBuf;

use clap::Args;
use eset_protect::Client;
use eset_protect::policy::PolicyFile;
use eset_protect::policy_management::v2::Policy;
use eset_protect::rollout::{Change, Plan, Tenant};

use super::diff::{Difference, UNSEEN, differences};
use super::folder::Folder;
use super::journal::{apply, carry_out};
use super::saved::{JOURNAL, Journal, SameTenant};
use super::settings::Lines;
use super::targets;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::items::program;
use crate::output::{Format, Output, View};
use crate::safety::Safety;
use crate::say::say;
use crate::text::{counts, printable};

const FILES: &str = include_str!("files.txt").trim_ascii_end();

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
    #[command(flatten)]
    same_tenant: SameTenant,
}

impl PlanArgs {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let mut folder = Folder::default();
        if let Some(dir) = &self.dir {
            Journal::expect_none(&self.journal)?;
            folder = Folder::read(dir)?;
        }
        let place = self.same_tenant.place(&connection)?;
        let is_back = self.roll_back;
        let journal = is_back.then(|| Journal::open(&self.journal, &place)).transpose()?;
        connection.run(async |client, view| {
            view.expect(Format::OF_DOCUMENTS)?;
            let plan = match &journal {
                Some((_, interrupted)) => roll_back(interrupted, Tenant::read(&client).await?)?,
                None => plan(&client, folder, self.prune).await?,
            };
            if let Some(path) = &self.save {
                place.save(path, &plan)?;
            }
            show(view, &plan)
        })
    }
}

/// Bring the tenant to the policies and assignments of a folder
///
/// A changed policy is created anew and assigned at the rank of the old one; only then is the old one unassigned
/// and deleted. The policies and assignments are read at the start, again before anything is removed, and at the end.
/// What somebody else changes while old policies are removed is noticed only at the end.
///
/// The journal is written before the first call and removed at the end. After an interruption, such as Ctrl-C,
/// --resume or --roll-back goes on from there, unless somebody else changed the policies or assignments since; then
/// delete the journal, and plan anew. Policies that were deleted already come back with new UUIDs; `plan --roll-back`
/// names them. Only one process at a time works on a journal, and only on the server that it was written for.
///
/// Before it replaces or deletes policies, it shows all changes and asks; without a terminal to ask on, it needs --yes.
/// --resume and --roll-back do not ask.
#[derive(Args, Debug)]
#[command(after_help = FILES)]
pub struct Apply {
    /// A folder of policies, each with its own name, as `export` writes them
    #[arg(required_unless_present_any = ["plan", "resume", "roll_back"])]
    dir: Option<PathBuf>,
    /// Also delete the policies that no file has; built-in ones stay
    #[arg(long, conflicts_with_all = ["plan", "resume", "roll_back"])]
    prune: bool,
    /// Do not ask before policies are replaced or deleted
    #[arg(short, long)]
    yes: bool,
    /// Apply a plan that `plan --save` wrote; refused on another server, or if the tenant has changed since
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
    #[command(flatten)]
    same_tenant: SameTenant,
}

impl Apply {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let place = self.same_tenant.place(&connection)?;
        let (mut journal, mut saved) = (None, None);
        if self.resume || self.roll_back {
            let (opened, interrupted) = Journal::open(&self.journal, &place)?;
            (journal, saved) = (Some(opened), Some(interrupted));
        } else {
            Journal::expect_none(&self.journal)?;
            if let Some(path) = &self.plan {
                saved = Some(place.read(path)?);
            }
        }
        let folder = self.dir.as_deref().map(Folder::read).transpose()?.unwrap_or_default();
        connection.run(async |client, view| {
            view.expect(Format::OF_DOCUMENTS)?;
            let mut plan = match saved {
                Some(saved) => saved,
                None => plan(&client, folder, self.prune).await?,
            };
            if self.roll_back && !plan.rolls_back() {
                plan = roll_back(&plan, Tenant::read(&client).await?)?;
                if let Some(journal) = journal.as_mut().filter(|_| !self.dry_run) {
                    plan.changes().iter().for_each(|change| say(&change.to_string()));
                    journal.write(&place, &plan)?;
                }
            }
            if self.dry_run {
                return show(view, &plan);
            }
            if let Some(journal) = journal {
                return carry_out(&client, view, &plan, &place, journal).await;
            }
            confirm(&plan, self.yes)?;
            apply(&client, view, &plan, &place, &self.journal).await
        })
    }
}

/// Asks before policies are replaced or deleted, and shows all that the answer begins.
fn confirm(plan: &Plan, yes: bool) -> Result<(), Failure> {
    let changes = plan.changes();
    let is_removing =
        |change: &Change| matches!(change, Change::Replace { .. } | Change::Delete { .. });
    if yes || !changes.iter().any(is_removing) {
        return Ok(());
    }
    changes.iter().for_each(|change| say(&change.to_string()));
    Safety::new(false, yes).ask("apply", &format!("all of this: {}", summary(plan)))
}

/// Returns how many changes of each kind there are: `2 to create, 2 to assign`.
fn summary(plan: &Plan) -> String {
    let kinds = ["to create", "to replace", "to delete", "to assign", "to unassign", "to move"];
    let mut numbers = kinds.map(|kind| (0, kind));
    for change in plan.changes() {
        let kind = match change {
            Change::Create { .. } | Change::Recreate { .. } => 0,
            Change::Replace { .. } => 1,
            Change::Delete { .. } => 2,
            Change::Assign { .. } => 3,
            Change::Unassign { .. } => 4,
            _ => 5,
        };
        numbers[kind].0 += 1;
    }
    counts(&numbers)
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
    if view.is_for_people() {
        say(&summary(plan));
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
    folder.say_last(&plan);
    targets::check(client, &plan, &folder).await?;
    Ok(plan)
}

fn roll_back(plan: &Plan, now: Tenant) -> Result<Plan, Failure> {
    plan.roll_back(now).map_err(|error| Failure::Other(error.to_string()))
}
