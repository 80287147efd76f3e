//! `policies diff`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Serialize;
use serde_json::Value as Json;

use super::files::{find, is_file};
use super::settings::{Lines, Value};
use crate::completions::{By, listed};
use crate::connection::{Connection, Upstream};
use crate::failure::Failure;
use crate::items::Items;
use crate::output::Output;
use crate::say::say;
use crate::text::printable;

/// Compare two policies: of one or two tenants, or of files
///
/// Compares the name, description, features, flags and settings. A Web Console export has no name and description, so
/// these are left out. Secrets are compared but not shown. The exit code is 0 if the policies are equal, 2 if they
/// differ, and 1 after an error.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect policies diff UUID policies/Strict.yaml
  ESET_PROTECT_OTHER_ENDPOINT=https://staging:9443 eset-protect policies diff UUID UUID --other")]
pub struct Diff {
    /// A policy by name or UUID, or a file: with a slash or backslash in it, or .yaml, .yml, .json or .dat at its end
    #[arg(add = listed("policies", By::Uuid))]
    a: String,
    /// Another one
    #[arg(add = listed("policies", By::Uuid))]
    b: String,
    /// Look for the second policy in another tenant: that of the variables ESET_PROTECT_OTHER_ENDPOINT,
    /// ESET_PROTECT_OTHER_CREDENTIALS and so on, each as the one without OTHER, and of the profile that
    /// ESET_PROTECT_OTHER_PROFILE names
    #[arg(long)]
    other: bool,
    /// Compare only the settings and their flags
    #[arg(long)]
    settings_only: bool,
}

impl Diff {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let other = if self.other { Some(Upstream::other()?) } else { None };
        let is_needed = !is_file(&self.a) || (!is_file(&self.b) && other.is_none());
        connection.run_if(is_needed, async |client, view| {
            let a = find(client.as_ref(), &self.a).await?;
            let b = match other {
                None => find(client.as_ref(), &self.b).await?,
                Some((client, server)) => {
                    find(Some(&client), &self.b).await.map_err(|failure| failure.at(server))?
                }
            };
            let (features_a, features_b) = (a.to_policy()?.features, b.to_policy()?.features);
            let (mut a, mut b) = (Lines::of(&a)?, Lines::of(&b)?);
            // What only one of them can have is no difference.
            let common = |name: &String| !self.settings_only && b.about.contains_key(name);
            a.about.retain(|name, _| common(name) || name.contains("feature"));
            b.about.retain(|name, _| a.about.contains_key(name) || name.contains("feature"));
            let differences = differences(&a, &b);
            let is_equal = differences.is_empty() && features_a == features_b;
            let mut items = Items::named(&COLUMNS, view)?;
            for difference in &differences {
                let row = serde_json::json!(difference);
                items.push_own(&row, |output| difference.write(output, ""))?;
            }
            if !is_equal && differences.is_empty() {
                if view.has_lines() { items.output.line(UNSEEN)? } else { say(UNSEEN) }
            }
            items.end_own("visible differences")?;
            if is_equal { Ok(()) } else { Err(Failure::Exit(2)) }
        })
    }
}

const COLUMNS: [&str; 7] = ["path", "a.value", "b.value", "a.type", "b.type", "a.flags", "b.flags"];

/// What is said where two policies differ without a visible difference.
pub const UNSEEN: &str =
    "They differ in parts that cannot be read, or in how the settings are stored.";

/// One difference between two policies.
#[derive(Debug, Serialize)]
pub struct Difference {
    path: String,
    #[serde(skip)]
    between: &'static str,
    #[serde(skip)]
    old: Option<String>,
    #[serde(skip)]
    new: Option<String>,
    a: Option<Json>,
    b: Option<Json>,
}

impl Difference {
    /// Writes it for people.
    pub fn write(&self, output: &mut Output, indent: &str) -> Result<(), Failure> {
        let style = output.style;
        let line = |sign: &str, value: &str| {
            let Self { path, between, .. } = self;
            printable(&format!("{indent}{sign} {path}{between}{value}")).into_owned()
        };
        if let Some(old) = &self.old {
            output.line(&style.red(&line("-", old)))?;
        }
        if let Some(new) = &self.new {
            output.line(&style.green(&line("+", new)))?;
        }
        Ok(())
    }
}

/// Returns what differs.
pub fn differences(a: &Lines, b: &Lines) -> Vec<Difference> {
    let mut differences = of_maps(": ", &a.about, &b.about);
    differences.extend(of_maps(" = ", &a.values, &b.values));
    differences
}

fn of_maps<K: Ord + ToString>(
    between: &'static str,
    a: &BTreeMap<K, Value>,
    b: &BTreeMap<K, Value>,
) -> Vec<Difference> {
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let keys = keys.into_iter().filter(|key| a.get(key) != b.get(key));
    let of = |value: Option<&Value>| {
        value.map(|value| (value.shown.clone(), value.json().clone())).unzip()
    };
    keys.map(|key| {
        let ((old, a), (new, b)) = (of(a.get(key)), of(b.get(key)));
        Difference { path: key.to_string(), between, old, new, a, b }
    })
    .collect()
}
