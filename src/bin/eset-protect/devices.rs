//! Finds devices by name.

use std::collections::{BTreeMap, BTreeSet};

use eset_protect::Client;
use eset_protect::codegen::near;
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Value, json};

use crate::calls;
use crate::calls::parse;
use crate::check::{CheckOptions, Flags};
use crate::failure::{self, Failure};
use crate::input::each_once;
use crate::method::Method;
use crate::request::Request;

/// How many devices are looked through for names that are near.
const MAX_LOOKED_AT: usize = 5000;
/// How many of the devices that may be meant are shown.
const MAX_SHOWN: usize = 10;

/// Stands for devices until they are found.
pub const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Returns the UUIDs of devices that are given by name or UUID, without duplicates.
///
/// A name that no device has, or several have, is an error with the devices that may be meant. A UUID is
/// returned as it is.
pub async fn resolve(client: &Client, given: &[String]) -> Result<Vec<String>, Failure> {
    let uuids = by_name(client, given.iter().cloned().collect()).await?;
    Ok(each_once(given.iter().map(|text| uuids.get(text).unwrap_or(text).clone()).collect()))
}

/// Replaces the names of devices in requests of a method as [`resolve`] does.
pub async fn resolve_in(
    client: &Client,
    method: &Method,
    requests: Vec<&mut String>,
) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    let mut parsed = Vec::new();
    for request in requests {
        let mut value = parse(request)?;
        each_device(&method.input(), &mut value, &mut |text| {
            names.insert(text.clone());
        });
        parsed.push((request, value));
    }
    let uuids = by_name(client, names).await?;
    for (request, mut value) in parsed {
        let mut has_names = false;
        each_device(&method.input(), &mut value, &mut |text| {
            if let Some(uuid) = uuids.get(text) {
                text.clone_from(uuid);
                has_names = true;
            }
        });
        if has_names {
            *request = value.to_string();
        }
    }
    Ok(())
}

/// Checks a request in which devices may have names.
pub fn check(
    method: &Method,
    request: &Request,
    options: CheckOptions,
    flags: Flags<'_>,
) -> Result<(), Failure> {
    let mut value = parse(&request.json)?;
    each_device(&method.input(), &mut value, &mut |text| {
        if !is_uuid(text) {
            NOBODY.clone_into(text);
        }
    });
    options.flags(&Request::whole(method, &value.to_string())?, flags)
}

/// Goes through everything that names a device in a message.
fn each_device(message: &MessageDescriptor, value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    for field in message.fields() {
        let Some(value) = value.get_mut(field.json_name()) else { continue };
        let elements = match value {
            Value::Array(elements) => elements.iter_mut().collect(),
            value => vec![value],
        };
        let is_device = matches!(field.name(), "device_uuid" | "device_uuids" | "devices_uuids");
        for element in elements {
            match (element, field.kind()) {
                (Value::String(text), _) if is_device && !text.is_empty() => visit(text),
                (inner, Kind::Message(message)) => each_device(&message, inner, visit),
                _ => {}
            }
        }
    }
}

/// Returns the UUID of each of these that is a name.
async fn by_name(
    client: &Client,
    mut texts: BTreeSet<String>,
) -> Result<BTreeMap<String, String>, Failure> {
    texts.retain(|text| !is_uuid(text));
    let mut uuids = BTreeMap::new();
    if !texts.is_empty() {
        let found = list(client, &json!(texts), None).await?;
        for name in texts {
            let uuid = one(client, &name, &found).await?;
            uuids.insert(name, uuid);
        }
    }
    Ok(uuids)
}

async fn one(client: &Client, name: &str, found: &[Value]) -> Result<String, Failure> {
    let same = found.iter().filter(|device| device["displayName"] == name).collect::<Vec<_>>();
    match same.as_slice() {
        [device] => Ok(device["uuid"].as_str().unwrap_or_default().to_owned()),
        [] => {
            let all = list(client, &json!([]), Some(MAX_LOOKED_AT)).await?;
            let near = near(name, all.iter().filter_map(|device| device["displayName"].as_str()));
            let is_near = |device: &&Value| {
                device["displayName"].as_str().is_some_and(|name| near.contains(&name))
            };
            let devices: Vec<_> = all.iter().filter(is_near).collect();
            let message = format!("{name:?}: no device has this name");
            Err(unclear(failure::NOT_FOUND, message, &devices, "did you mean"))
        }
        several => {
            let message = format!(
                "{name:?}: {} devices have this name; give the UUID of the one that you mean",
                several.len()
            );
            Err(unclear(failure::INPUT, message, several, "one is"))
        }
    }
}

fn unclear(exit_code: u8, message: String, devices: &[&Value], word: &str) -> Failure {
    let described = |device: &&&Value| {
        let text = |name: &str| device[name].as_str().unwrap_or_default();
        let system = device["operatingSystem"]["displayName"].as_str().unwrap_or_default();
        let details = [system, text("primaryLocalIpAddress"), text("lastSyncTime")];
        let details = details.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        let details =
            if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        format!("{word} {} {}{details}", text("uuid"), text("displayName"))
    };
    let mut hints: Vec<_> =
        devices.iter().take(MAX_SHOWN).map(|device| described(&device)).collect();
    if devices.len() > MAX_SHOWN {
        hints.push(format!("{} more: `eset-protect devices list`", devices.len() - MAX_SHOWN));
    } else if devices.is_empty() {
        hints.push("`eset-protect devices list` shows all devices".to_owned());
    }
    Failure::Explained { exit_code, message, hints }
}

/// Lists the devices with these names, or all.
async fn list(client: &Client, names: &Value, most: Option<usize>) -> Result<Vec<Value>, Failure> {
    let method = Method::find("Devices/ListDevices").map_err(Failure::Other)?;
    let request = json!({ "displayNames": names, "pageSize": 1000 }).to_string();
    let mut pages = calls::pages(client, &method, &request)?;
    let mut devices = Vec::new();
    while most.is_none_or(|most| devices.len() < most)
        && let Some(page) = pages.next().await
    {
        for device in page? {
            devices.push(parse(&device)?);
        }
    }
    Ok(devices)
}

/// Whether this is a UUID by its form (RFC 9562), which no name has.
fn is_uuid(text: &str) -> bool {
    let is_part = |(part, length): (&str, usize)| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split('-').count() == 5 && text.split('-').zip([8, 4, 4, 4, 12]).all(is_part)
}
