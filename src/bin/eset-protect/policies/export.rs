//! `policies export`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use eset_protect::policy::PolicyFile;
use eset_protect::rollout::Tenant;

use super::files::{is_file, of_tenant, read, with_assignments, write};
use super::folder::{Walk, names};
use super::settings::{Lines, Value};
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::failure::{self, Failure};
use crate::output::Output;
use crate::say::say;
use crate::yaml;

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
/// nothing is lost. `plan` and `apply` read the files, and know each policy by its name, so two policies of one folder
/// must not share one; `plan --help` says what each member is. Secrets are in `settings` and, encoded but not encrypted,
/// in `configuration`; only the owner can read the files.
///
/// A file that is in DIR already and differs is not overwritten without --force: it may have been edited. Files of
/// policies that the tenant does not have any more stay, and are named.
#[derive(Args, Debug)]
pub struct Export {
    /// The policies: names or UUIDs, or files to convert, which need no server; all that are not built in by default
    #[arg(value_name = "POLICY", add = listed("policies", By::Uuid))]
    policies: Vec<String>,
    /// Write a file for each policy into this folder, named after the policy; otherwise prints one policy
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The form of the files
    #[arg(long = "as", value_name = "FORM", default_value = "yaml")]
    form: As,
    /// Overwrite files that differ
    #[arg(long, requires = "dir")]
    force: bool,
    /// Print a policy although it contains secrets, or parts that cannot be read and may contain some
    #[arg(long, conflicts_with = "dir")]
    secrets: bool,
}

impl Export {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.view.expect_no_format("--as chooses the form")?;
        let is_needed = self.policies.is_empty() || !self.policies.iter().all(|p| is_file(p));
        connection.run_if(is_needed, async |client, _| {
            let mut tenant = Tenant::default();
            if let Some(client) = client {
                tenant = Tenant::read(&client).await?;
            }
            let files = self.files(&tenant)?;
            let Some(dir) = &self.dir else { return self.print(&files) };
            fs::create_dir_all(dir).map_err(Failure::file(dir))?;
            // All are made before the first is written.
            let texts = files.iter().map(|(_, file)| self.text(file));
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            say_same_names(&files);
            let mut taken = BTreeSet::new();
            let end = self.form.to_possible_value().unwrap_or_default();
            let paths = files.iter().map(|(uuid, file)| {
                let name = file_name(&file.name, uuid, &mut taken);
                dir.join(format!("{name}.{}", end.get_name()))
            });
            let paths: Vec<_> = paths.collect();
            if !self.force {
                expect_no_edits(&paths, &texts)?;
            }
            for (path, text) in paths.iter().zip(texts) {
                write(path, text.as_bytes())?;
            }
            match self.form {
                As::Yaml | As::Json if self.policies.is_empty() => {
                    say_left_over(dir, &tenant, &files, &paths)
                }
                _ => Ok(()),
            }
        })
    }

    /// The policies with their UUIDs.
    fn files(&self, tenant: &Tenant) -> Result<Vec<(String, PolicyFile)>, Failure> {
        let of = |policy| with_assignments(tenant, policy);
        if self.policies.is_empty() {
            let policies = tenant.policies.iter().filter(|policy| !policy.built_in);
            return Ok(policies.map(|policy| (policy.uuid.clone(), of(policy))).collect());
        }
        let mut files = Vec::new();
        for wanted in &self.policies {
            if is_file(wanted) {
                files.push((String::new(), read("POLICY", Path::new(wanted))?));
                continue;
            }
            let policy = of_tenant(tenant, wanted)?;
            files.push((policy.uuid.clone(), of(policy)));
        }
        Ok(files)
    }

    fn print(&self, files: &[(String, PolicyFile)]) -> Result<(), Failure> {
        let [(_, file)] = files else {
            let many = files.len();
            return Err(Failure::Input(format!("--dir: expected a folder for {many} policies")));
        };
        let lines = Lines::of(file)?;
        let secret = lines.values.iter().find(|(_, value)| Value::is_hidden(value));
        let secret = secret.map(|(path, _)| path.to_string()).or(lines.unread.first().cloned());
        if let Some(secret) = secret.filter(|_| !self.secrets) {
            let what = "not printed, since it may be secret; --secrets prints the policy, and --dir writes a \
                        file that only you can read";
            return Err(Failure::Input(format!("{secret}: {what}")));
        }
        let mut output = Output::new();
        output.bytes(self.text(file)?.as_bytes())?;
        output.flush()
    }

    fn text(&self, file: &PolicyFile) -> Result<String, Failure> {
        match self.form {
            As::Json => Ok(serde_json::to_string(file)? + "\n"),
            As::Yaml => yaml::to_string(file),
            As::Dat => file.to_export().map_err(|error| {
                Failure::Input(format!("{:?}: {error}; --as yaml has room for all", file.name))
            }),
        }
    }
}

/// Says which names several policies share: `plan` and `apply` know a policy by its name.
fn say_same_names(files: &[(String, PolicyFile)]) {
    let mut uuids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (uuid, file) in files {
        uuids.entry(&file.name).or_default().push(uuid);
    }
    for (name, uuids) in uuids.into_iter().filter(|(_, uuids)| uuids.len() > 1) {
        let uuids = uuids.into_iter().filter(|uuid| !uuid.is_empty()).collect::<Vec<_>>();
        let of = if uuids.is_empty() { String::new() } else { format!(": {}", uuids.join(", ")) };
        say(&format!(
            "several policies have the name {name:?}{of}; `policies plan` and `apply` refuse the folder: \
             give each a name of its own, or delete all but one, and their files"
        ));
    }
}

/// Refuses to overwrite files that have something else.
fn expect_no_edits(paths: &[PathBuf], texts: &[String]) -> Result<(), Failure> {
    let mut edited = Vec::new();
    for (path, text) in paths.iter().zip(texts) {
        if path.is_file() && fs::read(path).map_err(Failure::file(path))? != text.as_bytes() {
            edited.push(path.clone());
        }
    }
    if edited.is_empty() {
        return Ok(());
    }
    Err(Failure::Explained {
        exit_code: failure::INPUT,
        message: format!("{}: there already, and different; nothing was written", names(&edited)),
        hints: vec![
            "--force overwrites what differs; `eset-protect policies plan DIR` shows it".to_owned(),
        ],
    })
}

/// Says which files of a folder are of policies that were not written.
fn say_left_over(
    dir: &Path,
    tenant: &Tenant,
    files: &[(String, PolicyFile)],
    paths: &[PathBuf],
) -> Result<(), Failure> {
    let written: BTreeMap<_, _> = files.iter().map(|(_, file)| &*file.name).zip(paths).collect();
    let (mut gone, mut twice) = (Vec::new(), Vec::new());
    for path in Walk::of(dir)?.found.into_iter().filter(|path| !paths.contains(path)) {
        let Ok(file) = read("", &path) else { continue };
        if written.contains_key(&*file.name) {
            twice.push(path);
        } else if tenant.policies.iter().all(|policy| policy.display_name != file.name) {
            gone.push(path);
        }
    }
    for (paths, what) in [
        (gone, "the tenant has no policies with their names; `apply` would create them"),
        (twice, "policies that were written to other files, too; `plan` refuses the folder"),
    ] {
        if !paths.is_empty() {
            say(&format!("left as they are: {}: {what}", names(&paths)));
        }
    }
    Ok(())
}

/// A file name that leads nowhere else on any system, and that no other policy has, in whatever case.
fn file_name(name: &str, uuid: &str, taken: &mut BTreeSet<String>) -> String {
    const MAX_CHARS: usize = 48;
    let safe = |text: &str| -> String {
        let is_safe = |c: char| c.is_alphanumeric() || "_-".contains(c);
        text.chars().map(|c| if is_safe(c) { c } else { '_' }).take(MAX_CHARS).collect()
    };
    let mut name = if name.is_empty() { "policy".to_owned() } else { safe(name) };
    // A hyphen begins an option, and Windows keeps some names for devices.
    if name.starts_with('-') || is_device(&name) {
        name.insert(0, '_');
    }
    let others = (2..).map(|number| format!("{name}-{}-{number}", safe(uuid)));
    let mut names = [name.clone(), format!("{name}-{}", safe(uuid))].into_iter().chain(others);
    names.find(|name| taken.insert(name.to_lowercase())).unwrap_or(name)
}

/// Whether Windows takes this for a device, whatever follows a dot.
fn is_device(name: &str) -> bool {
    let name = name.to_lowercase();
    let port = ["com", "lpt"].iter().find_map(|kind| name.strip_prefix(kind));
    let is_port =
        port.is_some_and(|end| end.chars().count() == 1 && end.chars().all(char::is_numeric));
    is_port || matches!(&*name, "con" | "prn" | "aux" | "nul")
}
