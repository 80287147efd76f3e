//! `policies set`.

use std::path::PathBuf;

use clap::Args;
use eset_protect::policy::{NewSetting, PathError, PolicyFile, SettingFile, SettingPath};
use eset_protect::policy_management::v2::SettingFlags;
use eset_protect::rollout::{Plan, Tenant};

use super::files::{of_tenant, with_assignments};
use super::journal::apply;
use super::rollout::show;
use super::saved::{JOURNAL, Journal, Place};
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::Source;
use crate::output::Format;

/// Change settings and flags of a policy, which replaces it at the same ranks
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect policies set Strict endpoint.gui.UI_CONFIG.ShowSplash=0 --force endpoint.gui
  eset-protect policies set Strict endpoint.gui.Password=- < password.txt")]
pub struct Set {
    /// The policy, by name or UUID; it gets a new UUID
    #[arg(add = listed("policies", By::Uuid))]
    policy: String,
    /// Settings with their new values, such as endpoint.gui.ShowSplash=0
    ///
    /// PATH=@FILE reads the value from a file, and PATH=- from standard input, both without the line break at their end:
    /// other users can see arguments, so this is the way for passwords and other secrets.
    #[arg(value_name = "PATH=VALUE|@FILE|-", required_unless_present_any = ["unset", "force", "no_force", "read_only", "no_read_only"])]
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
    /// Let a setting, or all below a path, override policies merged later (applyForcefully); may be repeated
    #[arg(long, value_name = "PATH")]
    force: Vec<String>,
    /// Remove that flag; may be repeated
    #[arg(long, value_name = "PATH")]
    no_force: Vec<String>,
    /// Keep the device from changing a setting, or all below a path (readOnly); may be repeated
    #[arg(long, value_name = "PATH")]
    read_only: Vec<String>,
    /// Remove that flag; may be repeated
    #[arg(long, value_name = "PATH")]
    no_read_only: Vec<String>,
    /// The journal, as of `apply`
    #[arg(long, value_name = "FILE", default_value = JOURNAL)]
    journal: PathBuf,
    /// Show what would change, as `plan` does and with its exit code, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Set {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        if !self.dry_run {
            Journal::expect_none(&self.journal)?;
        }
        let place = Place::of(&connection)?;
        connection.run(async |client, view| {
            view.expect(Format::OF_DOCUMENTS)?;
            let tenant = Tenant::read(&client).await?;
            let file = with_assignments(&tenant, of_tenant(&tenant, &self.policy)?);
            let file = self.with_flags(self.with_settings(file)?)?;
            let plan = Plan::new(tenant, &[file], false);
            let plan = plan.map_err(|error| Failure::Input(error.to_string()))?;
            match self.dry_run {
                true => show(view, &plan),
                false => apply(&client, view, &plan, &place, &self.journal).await,
            }
        })
    }

    fn with_settings(&self, mut file: PolicyFile) -> Result<PolicyFile, Failure> {
        if self.settings.is_empty() && self.unset.is_empty() {
            return Ok(file);
        }
        let settings = match &mut *file.features {
            [feature] => feature.settings.as_mut(),
            _ => None,
        };
        let what = "expected a policy with one feature whose settings can be read; edit what `export` writes";
        let settings = settings.ok_or_else(|| Failure::of("POLICY", what))?;
        for text in &self.unset {
            let path = path("--unset", text)?;
            let gone = settings.remove(&path.to_string());
            gone.ok_or_else(|| Failure::of("--unset", format!("there is no setting {path}")))?;
        }
        for setting in &self.settings {
            // A quoted name may contain equals signs.
            let mut splits = setting.match_indices('=').map(|(at, _)| setting.split_at(at));
            let found = splits.find_map(|(path, value)| {
                Some((path.parse::<SettingPath>().ok()?, value.strip_prefix('=')?))
            });
            let what = "expected the path of a setting, an equals sign and a value, found";
            let wrong = || Failure::of("PATH=VALUE", format!("{what} {setting:?}"));
            let (path, value) = found.ok_or_else(wrong)?;
            // Other users can see arguments, so a secret comes from elsewhere.
            let place = format!("PATH=VALUE: {path}:");
            let value = match Source::of(value) {
                Source::Text(text) => text,
                file => file.read(&place)?.trim_end_matches(['\r', '\n']).to_owned(),
            };
            let path = path.to_string();
            let new = match (&self.kind, &self.flags) {
                (Some(kind), Some(flags)) if !settings.contains_key(&path) => {
                    let (kind, flags) = (kind.clone(), flags.clone());
                    SettingFile::New(NewSetting { value, kind, flags })
                }
                _ if settings.contains_key(&path) => SettingFile::Value(value),
                _ => {
                    let what = format!("there is no setting {path}; --type and --flags add it");
                    return Err(Failure::of("PATH=VALUE", what));
                }
            };
            settings.insert(path, new);
        }
        Ok(file)
    }

    fn with_flags(&self, file: PolicyFile) -> Result<PolicyFile, Failure> {
        type Change = fn(&mut SettingFlags);
        let changes: [(&str, &[String], Change); 4] = [
            ("--force", &self.force, |flags| flags.apply_forcefully = true),
            ("--no-force", &self.no_force, |flags| flags.apply_forcefully = false),
            ("--read-only", &self.read_only, |flags| flags.read_only = true),
            ("--no-read-only", &self.no_read_only, |flags| flags.read_only = false),
        ];
        if changes.iter().all(|(_, paths, _)| paths.is_empty()) {
            return Ok(file);
        }
        let wrong = |error| Failure::of("PATH=VALUE", error);
        let mut policy = file.to_policy().map_err(wrong)?;
        let [feature] = &mut *policy.features else {
            let what = "expected a policy with one feature; edit what `export` writes";
            return Err(Failure::of("POLICY", what));
        };
        for (flag, paths, change) in changes {
            for text in paths {
                let path = path(flag, text)?;
                let mut flags = feature.flags.get(&path.to_string()).copied().unwrap_or_default();
                change(&mut flags);
                feature.set_flags(&path, flags).map_err(|error| Failure::of(flag, error))?;
            }
        }
        let mut changed = PolicyFile::from_policy(&policy);
        changed.assignments = file.assignments;
        Ok(changed)
    }
}

fn path(flag: &str, text: &str) -> Result<SettingPath, Failure> {
    text.parse().map_err(|error: PathError| Failure::of(flag, error))
}
