//! `policies diff`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use super::files::{find, is_file};
use super::settings::{Lines, Value};
use super::view::json;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Format, Output};
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
    /// A UUID or a file
    a: String,
    /// Another one
    b: String,
    /// Look for the second policy in another tenant: that of the variables ESET_PROTECT_OTHER_ENDPOINT,
    /// ESET_PROTECT_OTHER_CREDENTIALS and so on, each as the one without OTHER
    #[arg(long)]
    other: bool,
    /// Compare only the settings and their flags
    #[arg(long)]
    settings_only: bool,
}

impl Diff {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let result = self.compared(connection);
        match result {
            Err(other) if !matches!(other, Failure::Exit(_) | Failure::ReaderGone) => {
                other.report();
                Err(Failure::Exit(1))
            }
            result => result,
        }
    }

    fn compared(self, connection: Connection) -> Result<(), Failure> {
        let other = if self.other { Some(Connection::other()?) } else { None };
        let is_needed = !is_file(&self.a) || (!is_file(&self.b) && other.is_none());
        connection.run_if(is_needed, async |client, view| {
            let a = find(client.as_ref(), &self.a).await?;
            let b = match other {
                None => find(client.as_ref(), &self.b).await?,
                Some((client, server)) => {
                    find(Some(&client), &self.b).await.map_err(|failure| failure.at(server))?
                }
            };
            let of = |file: &eset_protect::policy::PolicyFile| {
                file.to_policy().map_err(|error| Failure::Input(error.to_string()))
            };
            let (features_a, features_b) = (of(&a)?.features, of(&b)?.features);
            let (mut a, mut b) = (Lines::of(&a)?, Lines::of(&b)?);
            // What only one of them can have is no difference.
            let common = |name: &String| !self.settings_only && b.about.contains_key(name);
            a.about.retain(|name, _| common(name) || name.contains("feature"));
            b.about.retain(|name, _| a.about.contains_key(name) || name.contains("feature"));
            let mut output = Output::new();
            let mut is_shown = write(&mut output, view.format, ": ", &a.about, &b.about)?;
            is_shown |= write(&mut output, view.format, " = ", &a.values, &b.values)?;
            let is_equal = !is_shown && features_a == features_b;
            if !is_equal && !is_shown {
                output.line(
                    "They differ in parts that cannot be read, or in how the settings are stored.",
                )?;
            }
            output.flush()?;
            if is_equal { Ok(()) } else { Err(Failure::Exit(2)) }
        })
    }
}

/// Writes what differs. Returns whether anything does.
fn write<K: Ord + ToString>(
    output: &mut Output,
    format: Format,
    between: &str,
    a: &BTreeMap<K, Value>,
    b: &BTreeMap<K, Value>,
) -> Result<bool, Failure> {
    let style = output.style;
    let mut is_shown = false;
    for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (a.get(key), b.get(key));
        if old == new {
            continue;
        }
        is_shown = true;
        let path = key.to_string();
        let shown = |value: Option<&Value>| value.map(|value| value.shown.clone());
        let (old, new) = (shown(old), shown(new));
        if format == Format::Json {
            output.line(&json(&serde_json::json!({ "path": path, "a": old, "b": new }))?)?;
            continue;
        }
        let line = |sign: &str, value: &str| {
            printable(&format!("{sign} {path}{between}{value}")).into_owned()
        };
        if let Some(old) = old {
            output.line(&style.red(&line("-", &old)))?;
        }
        if let Some(new) = new {
            output.line(&style.green(&line("+", &new)))?;
        }
    }
    Ok(is_shown)
}
