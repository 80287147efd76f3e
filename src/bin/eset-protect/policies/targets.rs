//! The targets of policies: devices by name, and whether a target exists.

use std::collections::BTreeSet;

use eset_protect::codegen::is_uuid;
use eset_protect::device_management::v1::ListGroupsRequest;
use eset_protect::policy::Target;
use eset_protect::rollout::{Change, Plan};
use eset_protect::{Client, Error};
use tokio::sync::OnceCell;
use tonic::Code;

use super::folder::Folder;
use crate::devices;
use crate::failure::{self, Failure};
use crate::say::say;

/// Replaces the names of devices by their UUIDs.
pub async fn resolve(client: &Client, folder: &mut Folder) -> Result<(), Failure> {
    let assignments = folder.files.iter().flat_map(|file| &file.assignments);
    let names: BTreeSet<_> = assignments.filter_map(|it| name(&it.target)).collect();
    let names = names.into_iter().map(str::to_owned).collect();
    let uuids = devices::by_name(client, names).await?;
    for assignment in folder.files.iter_mut().flat_map(|file| &mut file.assignments) {
        if let Some(uuid) = name(&assignment.target).and_then(|name| uuids.get(name)) {
            assignment.target = Target::Device(uuid.clone());
        }
    }
    Ok(())
}

/// The name that stands where a device's UUID is expected.
fn name(target: &Target) -> Option<&str> {
    match target {
        Target::Device(name) if !name.is_empty() && !is_uuid(name.as_bytes()) => Some(name),
        _ => None,
    }
}

/// Checks that the groups and devices are there to which a plan assigns policies. Subscriptions cannot be looked up.
pub async fn check(client: &Client, plan: &Plan, folder: &Folder) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let groups = OnceCell::new();
    for change in plan.changes() {
        let Change::Assign { policy, target, .. } = change else { continue };
        if !seen.insert(target) {
            continue;
        }
        let found = match target {
            Target::Device(uuid) => has_device(client, uuid).await,
            Target::Group(uuid) => match groups.get_or_init(|| list_groups(client)).await {
                Ok(all) => Ok(all.contains(uuid)),
                Err(error) => Err(error.clone()),
            },
            _ => Ok(true),
        };
        match found {
            Ok(true) => {}
            Ok(false) => {
                let message = folder.place(policy, &format!("there is no {target}"));
                return Err(Failure::ended(failure::NOT_FOUND, message));
            }
            // Not every server and login may look them up.
            Err(error) if matches!(error.code(), Code::Unimplemented | Code::PermissionDenied) => {
                let problem = failure::headline(&error);
                say(&format!("whether there is a {target} was not checked: {problem}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn has_device(client: &Client, uuid: &str) -> Result<bool, Error> {
    match client.devices().get_device(uuid).await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Lists the UUIDs of all groups, in lower case.
async fn list_groups(client: &Client) -> Result<BTreeSet<String>, Error> {
    let mut listed = client.device_groups().list_groups(ListGroupsRequest::default()).items();
    let mut uuids = BTreeSet::new();
    while let Some(group) = listed.next().await {
        uuids.insert(group?.uuid.to_ascii_lowercase());
    }
    Ok(uuids)
}
