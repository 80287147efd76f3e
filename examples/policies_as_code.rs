//! Exports a policy, edits a setting, plans, applies, and shows what a target ends with.
//!
//!     cargo run --features emulator,policies-as-code --example policies_as_code
//!
//! Connects to its own emulator.

use eset_protect::Client;
use eset_protect::emulator::Emulator;
use eset_protect::policy::{AssignmentFile, PolicyFile, SettingFile, Target};
use eset_protect::rollout::{Effective, Plan, Tenant};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().seed(true).build()?.start().await?;
    let client = Client::connect(&emulator.endpoint()).await?;

    // Export: a file with the settings as paths and values, and the original configuration.
    let tenant = Tenant::read(&client).await?;
    let assigned = tenant.assignments.iter().find_map(|assignment| {
        let is_it = |uuid: &str| !assignment.uuid.is_empty() && uuid == assignment.policy_uuid;
        let policy =
            tenant.policies.iter().find(|policy| is_it(&policy.uuid) && !policy.built_in)?;
        Some((policy, Target::of(assignment.target.as_ref())?))
    });
    let (policy, target) = assigned.ok_or("the seed has an assigned policy")?;
    let mut file = PolicyFile::from_policy(policy);
    file.assignments = vec![AssignmentFile::new(target.clone(), Some(1))];
    println!("{}", serde_json::to_string_pretty(&file)?);

    // Edit a setting.
    let settings = file.features[0].settings.as_mut().ok_or("settings that can be read")?;
    let path = settings.keys().next().ok_or("a setting")?.clone();
    settings.insert(path.clone(), SettingFile::Value("42".to_owned()));

    // Plan and apply. The plan is the journal; keep it in a file until the end.
    let plan = Plan::new(tenant, &[file], false)?;
    for change in plan.changes() {
        println!("{change}");
    }
    plan.apply(&client, |step| println!("  {step}")).await?;

    // What a device that is in this target alone ends with.
    let tenant = Tenant::read(&client).await?;
    for found in Effective::merge(&tenant, &[target]).settings {
        println!("{} = {} by {:?}", found.setting.path, found.setting.value, found.source.policy);
    }
    emulator.shutdown().await;
    Ok(())
}
