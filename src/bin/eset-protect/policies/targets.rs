//! The targets of policies: devices and groups by name, and whether a target exists.

use std::collections::BTreeSet;

use eset_protect::codegen::is_uuid;
use eset_protect::device_management::v1::{DeviceGroup, ListGroupsRequest};
use eset_protect::policy::Target;
use eset_protect::rollout::{Change, Plan};
use eset_protect::{Client, Error};
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;
use tonic::Code;

use super::folder::Folder;
use crate::failure::{self, Failure};
use crate::named::Named;
use crate::say::say;

/// Replaces the names of devices and groups by their UUIDs.
pub async fn resolve(client: &Client, folder: &mut Folder) -> Result<(), Failure> {
    for (named, target) in
        [(Named::Device, Target::Device as fn(_) -> _), (Named::Group, Target::Group)]
    {
        let assignments = folder.files.iter().flat_map(|file| &file.assignments);
        let names = assignments.filter_map(|it| name(named, &it.target)).map(str::to_owned);
        let names: BTreeSet<_> = names.collect();
        if names.is_empty() {
            continue;
        }
        let place = |wanted: &str, problem: &str| {
            folder.place_of(|target| name(named, target) == Some(wanted), problem)
        };
        let uuids = named.uuids(client, names, place).await?;
        for assignment in folder.files.iter_mut().flat_map(|file| &mut file.assignments) {
            let uuid = name(named, &assignment.target).and_then(|name| uuids.get(name));
            if let Some(uuid) = uuid {
                assignment.target = target(uuid.clone());
            }
        }
    }
    Ok(())
}

/// The name that stands where a UUID is expected.
fn name(named: Named, target: &Target) -> Option<&str> {
    match (named, target) {
        (Named::Device, Target::Device(name)) | (Named::Group, Target::Group(name)) => {
            (!name.is_empty() && !is_uuid(name.as_bytes())).then_some(name)
        }
        _ => None,
    }
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
