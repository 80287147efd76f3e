//! `policies effective`.

use clap::Args;
use eset_protect::rollout::Effective;

use super::settings::Value;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::items::Items;
use crate::named::Named;
use crate::say::say;
use crate::text::printable;

/// Show the settings that a device ends with, and the policy that each comes from
///
/// Merges the policies of the subscriptions of the device's products, of its groups, from the root down, and of the
/// device, by rank. ESET documents the order of ranks and what the flags do; the order of subscriptions and groups is
/// inferred. Where the device names no subscription, policies of subscriptions are not merged; they are named on
/// standard error.
#[derive(Args, Debug)]
pub struct EffectiveArgs {
    /// The device's name or UUID
    #[arg(long, value_name = "DEVICE", add = listed("devices", By::NameOrUuid))]
    device: String,
}

impl EffectiveArgs {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run(async |client, view| {
            let device = Named::Device.uuid(&client, &self.device).await?;
            let effective = Effective::of_device(&client, &device).await?;
            for what in &effective.not_considered {
                say(&format!("not considered: {what}"));
            }
            let members = [
                "product",
                "path",
                "value",
                "type",
                "flags",
                "readOnly",
                "forced",
                "source.policy",
                "source.policyUuid",
                "source.rank",
                "source.target.group",
                "source.target.device",
                "source.target.subscription",
            ];
            let mut items = Items::named(&members, view)?;
            for found in &effective.settings {
                let (path, value) = (found.setting.path.to_string(), Value::of(&found.setting));
                let row = value.row(serde_json::json!({
                    "product": found.product, "path": path,
                    "readOnly": found.read_only, "forced": found.is_forced, "source": found.source,
                }));
                let value = value.shown;
                let flags = [(" force", found.is_forced), (" read-only", found.read_only)];
                let flags = flags.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
                let source = &found.source;
                let line = format!(
                    "{path} = {value}{} ({:?}, rank {} on {})",
                    flags.collect::<String>(),
                    source.policy,
                    source.rank,
                    source.target
                );
                items.push_own(&row, |output| output.line(&printable(&line)))?;
            }
            items.end_own("settings")
        })
    }
}
