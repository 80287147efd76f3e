//! Finds devices by name.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use eset_protect::codegen::{is_uuid, near};
use eset_protect::device_management::v1::{BatchGetDevicesRequest, Device, ListDevicesRequest};
use eset_protect::{Client, Error};
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::Value;
use tokio::sync::Mutex;
use tonic::Code;

use crate::calls::parse;
use crate::cell::Times;
use crate::failure::{self, Failure};
use crate::method::Method;
use crate::say::say;

/// How many devices are looked through for names that are near.
const MAX_LOOKED_AT: usize = 5000;
/// How many of the devices that may be meant are shown, and how many of the names that fit none or several.
const MAX_SHOWN: usize = 10;
/// How many names or UUIDs one call asks for, since they are part of its URL.
const MAX_NAMES: usize = 50;
/// How many calls the names in a table may cost,
const MAX_CALLS: usize = 20;
/// and how long they may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a field names devices, by its path. Users may give their names wherever ESET takes UUIDs.
pub fn is_device(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    let name = name.split('[').next().unwrap_or_default();
    matches!(name, "device_uuid" | "device_uuids" | "devices_uuids")
}

/// Replaces the names of devices in requests of a method by their UUIDs, each once.
///
/// A name that no device has, or several have, is an error with the devices that may be meant. A UUID stays as
/// it is.
pub async fn resolve(
    client: &Client,
    method: &Method,
    requests: Vec<&mut String>,
) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    let mut with_names = Vec::new();
    for request in requests {
        let mut value = parse(request)?;
        let mut has_names = false;
        each_device(&method.input(), &mut value, &mut |text| {
            if !is_uuid(text.as_bytes()) {
                names.insert(text.clone());
                has_names = true;
            }
        });
        if has_names {
            with_names.push((request, value));
        }
    }
    let uuids = by_name(client, names.into_iter().collect(), unplaced).await?;
    for (request, mut value) in with_names {
        each_device(&method.input(), &mut value, &mut |text| {
            if let Some(uuid) = uuids.get(text) {
                text.clone_from(uuid);
            }
        });
        *request = value.to_string();
    }
    Ok(())
}

/// Returns the UUID of a device that has this name or UUID.
pub async fn uuid(client: &Client, device: String) -> Result<String, Failure> {
    if is_uuid(device.as_bytes()) {
        return Ok(device);
    }
    let mut uuids = by_name(client, vec![device.clone()], unplaced).await?;
    Ok(uuids.remove(&device).unwrap_or(device))
}

/// Returns the names of these devices, as far as the login may read them: what cannot be looked up keeps its UUID.
pub async fn names(client: &Client, uuids: &BTreeSet<String>) -> BTreeMap<String, String> {
    static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::const_new(BTreeMap::new());
    let mut known = KNOWN.lock().await;
    let unknown =
        uuids.iter().filter(|uuid| is_uuid(uuid.as_bytes()) && !known.contains_key(*uuid));
    let unknown: Vec<_> = unknown.cloned().collect();
    // Names for some and UUIDs for others would be worse than UUIDs.
    if unknown.len() > MAX_NAMES * MAX_CALLS {
        return BTreeMap::new();
    }
    // A table is not worth a longer wait, nor a failure; `-v` shows what came of the calls.
    let _ = tokio::time::timeout(PATIENCE, look_up(client, &unknown, &mut known)).await;
    known.clone()
}

/// Adds the names of devices.
async fn look_up(
    client: &Client,
    uuids: &[String],
    names: &mut BTreeMap<String, String>,
) -> Result<(), Error> {
    let mut batches: VecDeque<_> = uuids.chunks(MAX_NAMES).collect();
    for _ in 0..MAX_CALLS {
        let Some(batch) = batches.pop_front() else { break };
        let request = BatchGetDevicesRequest { devices_uuids: batch.to_vec() };
        match client.devices().batch_get_devices(request).send().await {
            Ok(response) => {
                let devices = response.into_inner().devices.into_iter();
                let named = devices.filter(|device| !device.display_name.is_empty());
                names.extend(named.map(|device| (device.uuid, device.display_name)));
            }
            // One of them is deleted, and the others have names.
            Err(error) if error.code() == Code::NotFound && batch.len() > 1 => {
                batches.extend(batch.chunks(batch.len().div_ceil(2)));
            }
            Err(error) if error.code() == Code::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Goes through everything that names a device in a message.
fn each_device(message: &MessageDescriptor, value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    for field in message.fields() {
        let Some(value) = value.get_mut(field.json_name()) else { continue };
        let mut visit_one = |value: &mut Value| match (value, field.kind()) {
            (Value::String(text), _) if is_device(field.name()) && !text.is_empty() => visit(text),
            (inner, Kind::Message(message)) => each_device(&message, inner, visit),
            _ => {}
        };
        let Value::Array(elements) = value else {
            visit_one(value);
            continue;
        };
        elements.iter_mut().for_each(visit_one);
        if is_device(field.name()) {
            let mut seen = HashSet::new();
            elements.retain(|element| seen.insert(element.clone()));
        }
    }
}

/// The problem of a name that the user gave to the command itself.
fn unplaced(_: &str, problem: &str) -> String {
    problem.to_owned()
}

/// Returns the UUID of each name. `place` puts where a name stands before a problem of it.
pub async fn by_name(
    client: &Client,
    names: Vec<String>,
    place: impl Fn(&str, &str) -> String,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = Vec::new();
    for names in names.chunks(MAX_NAMES) {
        found.extend(list(client, names, None).await?);
    }
    let mut uuids = BTreeMap::new();
    let mut unclear = Vec::new();
    let mut all = None;
    for name in names {
        let same = found.iter().filter(|device| device.display_name == name);
        match same.collect::<Vec<_>>().as_slice() {
            [device] => {
                uuids.insert(name, device.uuid.clone());
            }
            [] => {
                if all.is_none() {
                    all = Some(list(client, &[], Some(MAX_LOOKED_AT)).await?);
                }
                unclear.push(unknown(&name, all.as_deref().unwrap_or_default(), &place));
            }
            several => unclear.push(ambiguous(&name, several, &place)),
        }
    }
    match unclear.len() {
        0 => Ok(uuids),
        1 => unclear.pop().map_or(Ok(uuids), Err),
        several => {
            let code = unclear.first().map_or(failure::INPUT, Failure::exit_code);
            unclear.iter().take(MAX_SHOWN).for_each(Failure::report);
            if several > MAX_SHOWN {
                say(&format!("{} more names that fit no device or several", several - MAX_SHOWN));
            }
            Err(Failure::Exit(code))
        }
    }
}

fn unknown(name: &str, all: &[Device], place: impl Fn(&str, &str) -> String) -> Failure {
    let names: BTreeSet<_> = all.iter().map(|device| &*device.display_name).collect();
    let near = near(name, names).into_iter();
    let devices = near.flat_map(|name| all.iter().filter(move |it| it.display_name == name));
    let message = place(name, &format!("{name:?}: no device has this name"));
    unclear(failure::NOT_FOUND, message, &devices.collect::<Vec<_>>(), "did you mean")
}

fn ambiguous(name: &str, several: &[&Device], place: impl Fn(&str, &str) -> String) -> Failure {
    let message = format!(
        "{name:?}: {} devices have this name; give the UUID of the one that you mean",
        several.len()
    );
    unclear(failure::INPUT, place(name, &message), several, "one is")
}

fn unclear(exit_code: u8, message: String, devices: &[&Device], word: &str) -> Failure {
    let end = if word.starts_with("did") { "?" } else { "" };
    let described = |device: &&Device| {
        let system = device.operating_system.as_ref().map(|system| system.display_name.clone());
        let seen = device.last_sync_time.map(|time| Times::Utc.write(&time.to_string()));
        let address = device.primary_local_ip_address.clone();
        let details = [Some(device.uuid.clone()), system, Some(address), seen];
        let details = details.into_iter().flatten().filter(|text| !text.is_empty());
        let details = details.collect::<Vec<_>>().join(", ");
        format!("{word} {} ({details}){end}", device.display_name)
    };
    let mut hints: Vec<_> = devices.iter().take(MAX_SHOWN).map(described).collect();
    if devices.len() > MAX_SHOWN {
        hints.push(format!("{} more: `eset-protect devices list`", devices.len() - MAX_SHOWN));
    } else if devices.is_empty() {
        hints.push("`eset-protect devices list` shows all devices".to_owned());
    }
    Failure::Explained { exit_code, message, hints }
}

/// Lists the devices with these names, or all.
async fn list(
    client: &Client,
    names: &[String],
    most: Option<usize>,
) -> Result<Vec<Device>, Error> {
    let display_names = names.to_vec();
    let request = ListDevicesRequest { display_names, page_size: 1000, ..Default::default() };
    let mut items = client.devices().list_devices(request).items();
    let mut devices = Vec::new();
    while most.is_none_or(|most| devices.len() < most)
        && let Some(device) = items.next().await
    {
        devices.push(device?);
    }
    Ok(devices)
}
