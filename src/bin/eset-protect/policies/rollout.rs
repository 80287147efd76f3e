//! `policies plan`, `apply`, `set`, `clone` and `import`.

use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::Client;
use eset_protect::policy::{NewSetting, PolicyFile, SettingFile};
use eset_protect::rollout::{Plan, RolloutError, Tenant};

use super::files::{read, read_folder, with_assignments, write};
use super::view::json;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Format, Output};
use crate::say::say;
use crate::text::printable;

/// Where `apply` and `set` keep their journal.
const JOURNAL: &str = "eset-protect-journal.json";

/// Show what `apply` would change
///
/// The exit code is 0 if nothing changes, and 2 if something does.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// A folder of policies as `export` writes them: files that end with .yaml, .yml or .json
    dir: PathBuf,
    /// Also delete the policies that no file has; built-in ones stay
    #[arg(long)]
    prune: bool,
    /// Save the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl PlanArgs {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let files = read_folder(&self.dir)?;
        connection.run(async |client, view| {
            let plan = plan(Tenant::read(&client).await?, &files, self.prune)?;
            if let Some(path) = &self.save {
                write(path, json(&plan)?.as_bytes())?;
            }
            let mut output = Output::new();
            for change in plan.changes() {
                match view.format {
                    Format::Json => output.line(&json(change)?)?,
                    _ => output.line(&printable(&change.to_string()))?,
                }
            }
            output.flush()?;
            if !plan.is_empty() {
                return Err(Failure::Exit(2));
            }
            say("nothing to change");
            Ok(())
        })
    }
}

/// Bring the tenant to the policies and assignments of a folder
///
/// A changed policy is created anew and assigned at the rank of the old one; only then is the old one unassigned
/// and deleted. The journal is written before the first call and removed at the end. After an interruption,
/// --resume or --roll-back goes on from there.
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
    /// Carry out the rest of what was interrupted
    #[arg(long, conflicts_with_all = ["dir", "plan", "roll_back"])]
    resume: bool,
    /// Return to the state before what was interrupted
    #[arg(long, conflicts_with_all = ["dir", "plan"])]
    roll_back: bool,
    /// The journal
    #[arg(long, value_name = "FILE", default_value = JOURNAL)]
    journal: PathBuf,
}

impl Apply {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let files = self.dir.as_deref().map(read_folder).transpose()?.unwrap_or_default();
        let from =
            if self.resume || self.roll_back { Some(&self.journal) } else { self.plan.as_ref() };
        let saved = from.map(|path| saved(path)).transpose()?;
        connection.run(async |client, _| {
            let is_new = !self.resume && !self.roll_back;
            let plan = match saved {
                Some(saved) => saved,
                None => plan(Tenant::read(&client).await?, &files, self.prune)?,
            };
            if is_new {
                return apply(&client, &plan, &self.journal).await;
            }
            let done = |step: &_| say(&format!("{step}"));
            let ended = match self.roll_back {
                true => plan.roll_back(&client, done).await,
                false => plan.resume(&client, done).await,
            };
            ended.map_err(|error| failure(error, &self.journal))?;
            remove(&self.journal)
        })
    }
}

fn plan(tenant: Tenant, files: &[PolicyFile], prune: bool) -> Result<Plan, Failure> {
    Plan::new(tenant, files, prune).map_err(|error| Failure::Input(error.to_string()))
}

fn saved(path: &Path) -> Result<Plan, Failure> {
    let content = crate::input::read("", path)?;
    serde_json::from_slice(&content)
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

/// Applies a plan with a journal.
async fn apply(client: &Client, plan: &Plan, journal: &Path) -> Result<(), Failure> {
    if plan.is_empty() {
        say("nothing to change");
        return Ok(());
    }
    if journal.exists() {
        let what = "the journal of an interrupted run; expected --resume or --roll-back first";
        return Err(Failure::Input(format!("{}: {what}", journal.display())));
    }
    write(journal, json(plan)?.as_bytes())?;
    match plan.apply(client, |step| say(&step.to_string())).await {
        Ok(()) => remove(journal),
        // Nothing was done.
        Err(error @ (RolloutError::Changed(_) | RolloutError::Read(_))) => {
            remove(journal)?;
            Err(failure(error, journal))
        }
        Err(error) => Err(failure(error, journal)),
    }
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

/// Change settings of a policy, which replaces it at the same ranks
#[derive(Args, Debug)]
pub struct Set {
    /// The policy's UUID; it gets a new one
    policy: String,
    /// Settings with their new values, such as endpoint.gui.ShowSplash=0
    #[arg(value_name = "PATH=VALUE", required_unless_present = "unset")]
    settings: Vec<String>,
    /// Remove a setting; may be repeated
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,
    /// Add settings that the policy does not have, with this ce_type
    #[arg(long = "type", value_name = "NUMBER", requires = "flags")]
    kind: Option<String>,
    /// The ce_flags of settings to add
    #[arg(long, value_name = "NUMBER", requires = "kind")]
    flags: Option<String>,
    /// The journal, as of `apply`
    #[arg(long, value_name = "FILE", default_value = JOURNAL)]
    journal: PathBuf,
}

impl Set {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run(async |client, _| {
            let tenant = Tenant::read(&client).await?;
            let policy = tenant.policies.iter().find(|policy| policy.uuid == self.policy);
            let missing = || Failure::Input(format!("POLICY: there is no policy {}", self.policy));
            let mut file = with_assignments(&tenant, policy.ok_or_else(missing)?);
            let settings = match &mut *file.features {
                [feature] => feature.settings.as_mut(),
                _ => None,
            };
            let settings = settings.ok_or_else(|| {
                let what = "expected a policy with one feature whose settings can be read";
                Failure::Input(format!("POLICY: {what}; edit what `export` writes"))
            })?;
            for path in &self.unset {
                let gone = settings.remove(path);
                gone.ok_or_else(|| Failure::Input(format!("--unset: there is no setting {path}")))?;
            }
            for setting in &self.settings {
                let (path, value) = setting.split_once('=').ok_or_else(|| {
                    Failure::Input(format!(
                        "PATH=VALUE: expected an equals sign, found {setting:?}"
                    ))
                })?;
                let value = value.to_owned();
                let new = match (&self.kind, &self.flags) {
                    (Some(kind), Some(flags)) if !settings.contains_key(path) => {
                        let (kind, flags) = (kind.clone(), flags.clone());
                        SettingFile::New(NewSetting { value, kind, flags })
                    }
                    _ => SettingFile::Value(value),
                };
                settings.insert(path.to_owned(), new);
            }
            let plan = plan(tenant, &[file], false)?;
            apply(&client, &plan, &self.journal).await
        })
    }
}

/// Create a copy of a policy, without its assignments
#[derive(Args, Debug)]
pub struct Clone {
    /// The policy's UUID
    policy: String,
    /// The name of the copy
    #[arg(long, allow_hyphen_values = true)]
    name: String,
}

impl Clone {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run(async |client, _| {
            let mut policy = client.policies().get_policy(&*self.policy).await?;
            policy.display_name = self.name;
            policy.uuid.clear();
            policy.built_in = false;
            print_created(&client.policies().create_policy(policy).await?.uuid)
        })
    }
}

/// Create policies from files as `export` writes them, without assigning them
#[derive(Args, Debug)]
pub struct Import {
    /// The files; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Import {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let mut policies = Vec::new();
        for path in &self.files {
            let policy = read("FILE", path)?.to_policy();
            let wrong = |error| Failure::Input(format!("FILE {}: {error}", path.display()));
            policies.push(policy.map_err(wrong)?);
        }
        connection.run(async |client, _| {
            for policy in policies {
                print_created(&client.policies().create_policy(policy).await?.uuid)?;
            }
            Ok(())
        })
    }
}

fn print_created(uuid: &str) -> Result<(), Failure> {
    let mut output = Output::new();
    output.line(uuid).and_then(|()| output.flush()).map_err(Failure::of_created)
}
