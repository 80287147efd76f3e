//! Finds devices, groups and policies by name.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use eset_protect::codegen::{is_uuid, near};
use eset_protect::device_management::v1::{
    Device, DeviceGroup, ListDevicesRequest, ListGroupsRequest,
};
use eset_protect::policy_management::v2::{ListPoliciesRequest, Policy};
use eset_protect::{Client, Error};
use futures_util::{StreamExt, TryStreamExt};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

use crate::calls::parse;
use crate::cell::Times;
use crate::devices::MAX_NAMES;
use crate::failure::{self, Failure};
use crate::method::Method;
use crate::text::plural;

/// How many devices are looked through for names that are near.
const MAX_LOOKED_AT: usize = 5000;
/// How many of those that may be meant are shown.
const MAX_SHOWN: usize = 10;

/// What users may name where ESET takes a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    Device,
    Group,
    Policy,
}

/// What has a name.
#[derive(Debug)]
pub struct Candidate {
    uuid: String,
    name: String,
    /// What tells it apart from others of the name.
    details: Vec<String>,
}

/// Replaces names in requests of a method by their UUIDs, each once.
///
/// A name that nothing has, or several have, is an error with those that may be meant. A UUID stays as it is.
pub async fn resolve(
    client: &Client,
    method: &Method,
    requests: Vec<&mut String>,
) -> Result<(), Failure> {
    let mut names: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut with_names = Vec::new();
    for request in requests {
        let mut value = parse(request)?;
        let mut has_names = false;
        each_name(&method.input(), &mut value, &mut |named, text| {
            if !is_uuid(text.as_bytes()) {
                names.entry(named).or_default().insert(text.clone());
                has_names = true;
            }
        });
        if has_names {
            with_names.push((request, value));
        }
    }
    let mut uuids = BTreeMap::new();
    for (named, names) in names {
        uuids.insert(named, named.uuids(client, names, unplaced).await?);
    }
    for (request, mut value) in with_names {
        each_name(&method.input(), &mut value, &mut |named, text| {
            if let Some(uuid) = uuids.get(&named).and_then(|uuids| uuids.get(text)) {
                text.clone_from(uuid);
            }
        });
        *request = value.to_string();
    }
    Ok(())
}

/// Goes through everything in a message that users may name.
fn each_name(
    message: &MessageDescriptor,
    value: &mut Value,
    visit: &mut dyn FnMut(Named, &mut String),
) {
    for field in message.fields() {
        let Some(value) = value.get_mut(field.json_name()) else { continue };
        let named = Named::in_field(&field);
        let mut visit_one = |value: &mut Value| match (value, named, field.kind()) {
            (Value::String(text), Some(named), _) if !text.is_empty() => visit(named, text),
            (inner, _, Kind::Message(message)) => each_name(&message, inner, visit),
            _ => {}
        };
        let Value::Array(elements) = value else {
            visit_one(value);
            continue;
        };
        elements.iter_mut().for_each(visit_one);
        if named.is_some() {
            let mut seen = HashSet::new();
            elements.retain(|element| seen.insert(element.clone()));
        }
    }
}

/// The problem of a name that the user gave to the command itself.
pub fn unplaced(_: &str, problem: &str) -> String {
    problem.to_owned()
}

impl Named {
    /// Returns what a field has the UUIDs of, by its path, if users may give names there.
    pub fn at(path: &str) -> Option<Self> {
        let name = path.rsplit('.').next().unwrap_or_default();
        match name.split('[').next().unwrap_or_default() {
            "device_uuid" | "device_uuids" | "devices_uuids" => Some(Self::Device),
            "policy_uuid" | "policy_uuids" => Some(Self::Policy),
            _ => None,
        }
    }

    pub fn in_field(field: &FieldDescriptor) -> Option<Self> {
        Self::at(field.name())
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Group => "group",
            Self::Policy => "policy",
        }
    }

    /// Returns the UUID of the one that has this name or UUID.
    pub async fn uuid(self, client: &Client, name: &str) -> Result<String, Failure> {
        if is_uuid(name.as_bytes()) {
            return Ok(name.to_owned());
        }
        let mut uuids = self.uuids(client, BTreeSet::from([name.to_owned()]), unplaced).await?;
        Ok(uuids.remove(name).unwrap_or_default())
    }

    /// Returns the UUID of each name. `place` puts where a name stands before a problem of it.
    pub async fn uuids(
        self,
        client: &Client,
        names: BTreeSet<String>,
        place: impl Fn(&str, &str) -> String,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let names: Vec<_> = names.into_iter().collect();
        let mut found = Vec::new();
        // Only devices can be asked for by name.
        let chunk = if self == Self::Device { MAX_NAMES } else { usize::MAX };
        for names in names.chunks(chunk) {
            found.extend(self.list(client, names).await?);
        }
        let has = |name: &String| found.iter().any(|candidate| candidate.name == *name);
        if self == Self::Device && !names.iter().all(has) {
            found.extend(self.list(client, &[]).await?);
            let mut seen = HashSet::new();
            found.retain(|candidate| seen.insert(candidate.uuid.clone()));
        }
        let (mut uuids, mut unclear) = (BTreeMap::new(), Vec::new());
        for name in names {
            match self.choose(&name, &found, &place) {
                Ok(uuid) => drop(uuids.insert(name, uuid)),
                Err(failure) => unclear.push(failure),
            }
        }
        if unclear.is_empty() { Ok(uuids) } else { Err(Failure::Several(unclear)) }
    }

    /// Returns the UUID of the one that has this name.
    pub fn choose(
        self,
        name: &str,
        among: &[Candidate],
        place: impl Fn(&str, &str) -> String,
    ) -> Result<String, Failure> {
        let noun = self.noun();
        let same: Vec<_> = among.iter().filter(|candidate| candidate.name == name).collect();
        let (exit_code, problem, mut hints) = match &*same {
            [one] => return Ok(one.uuid.clone()),
            // Not every server has UUIDs.
            _ if among.iter().any(|candidate| candidate.uuid == name) => return Ok(name.to_owned()),
            [] => {
                let names: BTreeSet<_> = among.iter().map(|candidate| &*candidate.name).collect();
                let near = near(name, names).into_iter();
                let meant = near.flat_map(|name| among.iter().filter(move |it| it.name == name));
                let meant = meant.map(|candidate| format!("did you mean {candidate}?"));
                (failure::NOT_FOUND, format!("no {noun} has this name"), meant.collect())
            }
            several => {
                let meant = several.iter().map(|candidate| format!("one is {candidate}"));
                let nouns = format!("{} {}", several.len(), plural(noun));
                let problem =
                    format!("{nouns} have this name; give the UUID of the one that you mean");
                (failure::INPUT, problem, meant.collect::<Vec<_>>())
            }
        };
        let list = format!("`eset-protect {} list`", plural(noun));
        match hints.len() {
            0 => hints.push(format!("{list} shows all {}", plural(noun))),
            1..=MAX_SHOWN => {}
            all => {
                hints.truncate(MAX_SHOWN);
                hints.push(format!("{} more: {list}", all - MAX_SHOWN));
            }
        }
        let message = place(name, &format!("{name:?}: {problem}"));
        Err(Failure::Explained { exit_code, message, hints })
    }

    /// Lists all, at least those with these names.
    async fn list(self, client: &Client, names: &[String]) -> Result<Vec<Candidate>, Error> {
        match self {
            Self::Device => {
                let display_names = names.to_vec();
                let request =
                    ListDevicesRequest { display_names, page_size: 1000, ..Default::default() };
                let most = if names.is_empty() { MAX_LOOKED_AT } else { usize::MAX };
                let devices = client.devices().list_devices(request).items().take(most);
                devices.map_ok(Candidate::from).try_collect().await
            }
            Self::Group => {
                let groups = client.device_groups().list_groups(ListGroupsRequest::default());
                let group = |it: DeviceGroup| Candidate::new(&it.uuid, &it.display_name, vec![]);
                groups.items().map_ok(group).try_collect().await
            }
            Self::Policy => {
                let policies = client.policies().list_policies(ListPoliciesRequest::default());
                policies.items().map_ok(|policy| Candidate::from(&policy)).try_collect().await
            }
        }
    }
}

impl Candidate {
    fn new(uuid: &str, name: &str, details: Vec<String>) -> Self {
        Self { uuid: uuid.to_owned(), name: name.to_owned(), details }
    }
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let details = [&self.uuid].into_iter().chain(&self.details);
        let details: Vec<_> = details.filter(|text| !text.is_empty()).map(|it| &**it).collect();
        write!(f, "{} ({})", self.name, details.join(", "))
    }
}

impl From<Device> for Candidate {
    fn from(device: Device) -> Self {
        let system = device.operating_system.map(|system| system.display_name);
        let seen = device.last_sync_time.map(|time| Times::Utc.write(&time.to_string()));
        let details = [system, Some(device.primary_local_ip_address), seen];
        let details = details.into_iter().flatten().collect();
        Self::new(&device.uuid, &device.display_name, details)
    }
}

impl From<&Policy> for Candidate {
    fn from(policy: &Policy) -> Self {
        Self::new(&policy.uuid, &policy.display_name, vec![policy.description.clone()])
    }
}
