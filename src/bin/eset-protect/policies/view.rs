//! `policies show` and `search`.

use std::collections::BTreeMap;

use clap::Args;
use eset_protect::policy::PolicyFile;
use eset_protect::rollout::Tenant;

use super::files::{find, is_file};
use super::settings::Lines;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::items::{Items, program};
use crate::output::Output;
use crate::say::say;
use crate::text::printable;

/// Show the settings inside a policy, one per line or as a tree
///
/// Each line is the path of a setting, its value, and ce_type and ce_flags as the policy has them; flags come after
/// the word `flags`. Values that are not understood are shown as JSON. Values whose path names a password, token or
/// other secret are hidden. Parts that cannot be read are named on standard error; `export` keeps them.
#[derive(Args, Debug)]
pub struct Show {
    /// A policy by name or UUID, or a file as `export` writes it, or a Web Console export; a file needs no server
    #[arg(add = listed("policies", By::Uuid))]
    policy: String,
    /// Indent the settings below the groups that contain them
    #[arg(long)]
    tree: bool,
}

impl Show {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run_if(!is_file(&self.policy), async |client, view| {
            let lines = Lines::of(&find(client.as_ref(), &self.policy).await?)?;
            lines.unread.iter().for_each(|unread| say(&format!("not read: {unread}")));
            view.expect_rows_if_sorted()?;
            let mut output = Output::new();
            let values = lines.values.iter().map(|(path, value)| (path.to_string(), value));
            let whole = values.clone().map(|(path, value)| (path, value.json()));
            let whole = serde_json::to_string(&whole.collect::<BTreeMap<_, _>>())?;
            if self.tree {
                if !view.has_lines() {
                    let expected = "expected --output table, without --columns and --sort";
                    return Err(Failure::of("--tree", expected));
                }
                lines.tree().iter().try_for_each(|line| output.line(&printable(line)))?;
                return output.flush();
            }
            if program(view, &mut output, &whole)? {
                return output.flush();
            }
            let mut items = Items::named(&["path", "value", "type", "flags"], view)?;
            for (path, value) in values {
                let row = value.row(serde_json::json!({ "path": path }));
                items.push_own(&row, |output| {
                    output.line(&printable(&format!("{path} = {}", value.shown)))
                })?;
            }
            items.end_own("settings")
        })
    }
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
            let members = ["uuid", "displayName", "path", "value", "type", "flags"];
            let mut items = Items::named(&members, view)?;
            for policy in Tenant::read(&client).await?.policies {
                let lines = Lines::of(&PolicyFile::from_policy(&policy))?;
                for (path, value) in lines.values {
                    let path = path.to_string();
                    let line = format!("{path} = {}", value.shown);
                    if !line.to_lowercase().contains(&text) {
                        continue;
                    }
                    let (uuid, name) = (&policy.uuid, &policy.display_name);
                    let row = value.row(serde_json::json!({
                        "uuid": uuid, "displayName": name, "path": path,
                    }));
                    items.push_own(&row, |output| {
                        output.line(&printable(&format!("{uuid} {name}: {line}")))
                    })?;
                }
            }
            items.end_own("settings")
        })
    }
}
