//! The targets of policies: devices and groups by name, and whether a target exists.

use std::collections::{BTreeMap, BTreeSet};

use eset_protect::codegen::is_uuid;
use eset_protect::device_management::v1::{DeviceGroup, ListGroupsRequest};
use eset_protect::policy::Target;
use eset_protect::rollout::{Change, Plan};
use eset_protect::{Client, Error};
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;
use tonic::Code;

use super::folder::Folder;
use crate::devices;
use crate::failure::{self, Failure};
use crate::say::say;
use crate::text::meant;

/// Replaces the names of devices and groups by their UUIDs.
pub async fn resolve(client: &Client, folder: &mut Folder) -> Result<(), Failure> {
    let names = |of: fn(&Target) -> Option<&str>| -> BTreeSet<String> {
        let assignments = folder.files.iter().flat_map(|file| &file.assignments);
        assignments.filter_map(|it| of(&it.target)).map(str::to_owned).collect()
    };
    let (devices, groups) = (names(device), names(group));
    let place =
        |name: &str, problem: &str| folder.place_of(|target| device(target) == Some(name), problem);
    let devices = devices::by_name(client, devices.into_iter().collect(), place).await?;
    let groups = groups_by_name(client, folder, groups).await?;
    for assignment in folder.files.iter_mut().flat_map(|file| &mut file.assignments) {
        let target = &mut assignment.target;
        if let Some(uuid) = device(target).and_then(|name| devices.get(name)) {
            *target = Target::Device(uuid.clone());
        } else if let Some(uuid) = group(target).and_then(|name| groups.get(name)) {
            *target = Target::Group(uuid.clone());
        }
    }
    Ok(())
}

/// The name that stands where a device's UUID is expected.
fn device(target: &Target) -> Option<&str> {
    match target {
        Target::Device(name) => is_name(name).then_some(name),
        _ => None,
    }
}

/// The name that stands where a group's UUID is expected.
fn group(target: &Target) -> Option<&str> {
    match target {
        Target::Group(name) => is_name(name).then_some(name),
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !is_uuid(text.as_bytes())
}

/// Returns the UUID of each group. What cannot be looked up stays, and is refused as no UUID.
async fn groups_by_name(
    client: &Client,
    folder: &Folder,
    names: BTreeSet<String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut uuids = BTreeMap::new();
    if names.is_empty() {
        return Ok(uuids);
    }
    let all = match list_groups(client).await {
        Err(error) if is_not_for_us(&error) => return Ok(uuids),
        all => all?,
    };
    for name in names {
        let of_name: Vec<_> = all.iter().filter(|group| group.display_name == name).collect();
        let (exit_code, problem, hints) = match &*of_name {
            // Not every server has UUIDs.
            _ if all.iter().any(|group| group.uuid == name) => continue,
            [group] => {
                uuids.insert(name, group.uuid.clone());
                continue;
            }
            [] => {
                let names = all.iter().map(|group| &*group.display_name);
                let hint = meant(&name, names);
                let list = || "`eset-protect groups list` shows all groups".to_owned();
                let problem = format!("{name:?}: no group has this name");
                (failure::NOT_FOUND, problem, vec![hint.unwrap_or_else(list)])
            }
            several => {
                let problem = format!(
                    "{name:?}: {} groups have this name; give the UUID of the one that you mean",
                    several.len()
                );
                let uuids = several.iter().map(|group| format!("one is {}", group.uuid));
                (failure::INPUT, problem, uuids.collect())
            }
        };
        let message = folder.place_of(|target| group(target) == Some(&name), &problem);
        return Err(Failure::Explained { exit_code, message, hints });
    }
    Ok(uuids)
}

/// Not every server and login may look up groups and devices.
fn is_not_for_us(error: &Error) -> bool {
    matches!(error.code(), Code::Unimplemented | Code::PermissionDenied)
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
                Ok(all) => Ok(all.iter().any(|group| group.uuid.eq_ignore_ascii_case(uuid))),
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
            Err(error) if is_not_for_us(&error) => {
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

async fn list_groups(client: &Client) -> Result<Vec<DeviceGroup>, Error> {
    client.device_groups().list_groups(ListGroupsRequest::default()).items().try_collect().await
}
