//! `policies show`, `diff`, `search` and `export`.

use std::path::PathBuf;

use base64_simd::STANDARD;
use clap::{Args, ValueEnum};
use eset_protect::params::PolicyData;
use eset_protect::policy::PolicyFile;
use eset_protect::policy_management::v2::Policy;
use eset_protect::rollout::Tenant;

use super::files::{find, with_assignments, write};
use super::settings::Lines;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Format, Output};
use crate::say::say;
use crate::text::printable;

/// Show the settings inside a policy, one per line
///
/// Each line is the path of a setting, its value, and ce_type and ce_flags as the policy has them. Values whose
/// path names a password, token or other secret are hidden. Parts that cannot be read are named on standard error.
#[derive(Args, Debug)]
pub struct Show {
    /// A UUID, or a file as `export` writes it, or a Web Console export
    policy: String,
}

impl Show {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run(async |client, view| {
            let lines = Lines::of(&find(&client, &self.policy).await?)?;
            lines.unread.iter().for_each(|unread| say(&format!("not read: {unread}")));
            let mut output = Output::new();
            if view.format == Format::Json {
                output.line(&json(&lines.values)?)?;
            } else {
                for (path, value) in &lines.values {
                    output.line(&format!("{} = {}", printable(path), printable(value)))?;
                }
            }
            output.flush()
        })
    }
}

/// Compare the settings of two policies: of the tenant, or of files
///
/// The exit code is 0 if they are equal, 2 if they differ, and 1 after an error. To compare two tenants, export
/// the policy of one of them.
#[derive(Args, Debug)]
pub struct Diff {
    /// A UUID or a file
    a: String,
    /// Another one
    b: String,
}

impl Diff {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let compared = connection.run(async |client, _| {
            let (a, b) = (find(&client, &self.a).await?, find(&client, &self.b).await?);
            let policies = (of(&a)?, of(&b)?);
            let (a, b) = (Lines::of(&a)?, Lines::of(&b)?);
            let mut output = Output::new();
            let paths: std::collections::BTreeSet<_> =
                a.values.keys().chain(b.values.keys()).collect();
            let style = output.style;
            let mut is_shown = false;
            for path in paths {
                let (old, new) = (a.values.get(path), b.values.get(path));
                if old == new {
                    continue;
                }
                is_shown = true;
                if let Some(old) = old {
                    let line = format!("- {} = {}", printable(path), printable(old));
                    output.line(&style.red(&line))?;
                }
                if let Some(new) = new {
                    let line = format!("+ {} = {}", printable(path), printable(new));
                    output.line(&style.green(&line))?;
                }
            }
            let is_equal = policies.0.features == policies.1.features;
            if !is_equal && !is_shown {
                output.line("They differ in what is hidden or cannot be read.")?;
            }
            output.flush()?;
            if is_equal { Ok(()) } else { Err(Failure::Exit(2)) }
        });
        match compared {
            Err(Failure::Exit(code)) => Err(Failure::Exit(code)),
            Err(Failure::ReaderGone) => Err(Failure::ReaderGone),
            Err(other) => {
                other.report();
                Err(Failure::Exit(1))
            }
            Ok(()) => Ok(()),
        }
    }
}

fn of(file: &PolicyFile) -> Result<Policy, Failure> {
    file.to_policy().map_err(|error| Failure::Input(error.to_string()))
}

/// Find settings in all policies by a part of their path or value
#[derive(Args, Debug)]
pub struct Search {
    /// A part of the path or of the value, in any case
    #[arg(value_name = "VALUE")]
    text: String,
}

impl Search {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let text = self.text.to_lowercase();
        connection.run(async |client, view| {
            let mut output = Output::new();
            for policy in Tenant::read(&client).await?.policies {
                let lines = Lines::of(&PolicyFile::from_policy(&policy))?;
                for (path, value) in lines.values {
                    let line = format!("{path} = {value}");
                    if !line.to_lowercase().contains(&text) {
                        continue;
                    }
                    match view.format {
                        Format::Json => output.line(&json(&serde_json::json!({
                            "uuid": policy.uuid, "displayName": policy.display_name,
                            "path": path, "value": value,
                        }))?)?,
                        _ => output.line(&format!(
                            "{} {}: {}",
                            policy.uuid,
                            printable(&policy.display_name),
                            printable(&line)
                        ))?,
                    }
                }
            }
            output.flush()
        })
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum As {
    Yaml,
    Json,
    /// A Web Console export, of a policy with one product
    Dat,
}

/// Write policies to files that people read and edit, secrets included
///
/// A file contains the name, description, assignments, flags and settings, and the original configuration, so that
/// nothing is lost. `plan` and `apply` read the files.
#[derive(Args, Debug)]
pub struct Export {
    /// The policies; all that are not built in by default
    #[arg(value_name = "UUID")]
    policies: Vec<String>,
    /// Write a file for each policy into this folder, named after its UUID; otherwise prints one policy
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The form of the files
    #[arg(long = "as", value_name = "FORM", default_value = "yaml")]
    form: As,
}

impl Export {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run(async |client, _| {
            let tenant = Tenant::read(&client).await?;
            let is_wanted = |policy: &&Policy| match &*self.policies {
                [] => !policy.built_in,
                uuids => uuids.contains(&policy.uuid),
            };
            let policies: Vec<_> = tenant.policies.iter().filter(is_wanted).collect();
            let missing = self.policies.iter().find(|u| policies.iter().all(|p| p.uuid != **u));
            if let Some(uuid) = missing {
                return Err(Failure::Input(format!("UUID: there is no policy {uuid}")));
            }
            let mut files = Vec::new();
            for policy in policies {
                files.push((&policy.uuid, text(&tenant, policy, self.form)?));
            }
            match (&self.dir, &*files) {
                (None, [(_, text)]) => {
                    let mut output = Output::new();
                    output.bytes(text.as_bytes())?;
                    return output.flush();
                }
                (None, files) => {
                    let many = files.len();
                    let what = format!("--dir: expected a folder for {many} policies");
                    return Err(Failure::Input(what));
                }
                (Some(dir), files) => {
                    let end = match self.form {
                        As::Yaml => "yaml",
                        As::Json => "json",
                        As::Dat => "dat",
                    };
                    std::fs::create_dir_all(dir)
                        .map_err(|error| Failure::io(&dir.display().to_string(), &error))?;
                    for (uuid, text) in files {
                        // A UUID is opaque; nothing of it may lead out of the folder.
                        let is_safe = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
                        let name = uuid.replace(|c| !is_safe(c), "_");
                        write(&dir.join(format!("{name}.{end}")), text.as_bytes())?;
                    }
                }
            }
            Ok(())
        })
    }
}

fn text(tenant: &Tenant, policy: &Policy, form: As) -> Result<String, Failure> {
    let file = with_assignments(tenant, policy);
    match form {
        As::Json => json(&file).map(|text| text + "\n"),
        As::Yaml => {
            serde_norway::to_string(&file).map_err(|error| Failure::Other(error.to_string()))
        }
        As::Dat => {
            let data = match &*policy.features {
                [feature] => feature.configuration.as_ref().and_then(|c| c.unpack().ok()),
                _ => None,
            };
            let Some(PolicyData { data: Some(data), product }) = data else {
                let name = &policy.display_name;
                let what = format!("{name:?} is not for exactly one product; expected --as yaml");
                return Err(Failure::Input(what));
            };
            Ok(format!("{}{}\n", STANDARD.encode_to_string(data), product.unwrap_or_default()))
        }
    }
}

pub fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Other(error.to_string()))
}
