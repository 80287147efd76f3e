//! Finds devices by name.

use eset_protect::Client;
use eset_protect::codegen::near;
use serde_json::{Value, json};

use crate::calls;
use crate::calls::parse;
use crate::failure::{self, Failure};
use crate::method::Method;

/// How many devices are looked through for names that are near.
const MAX_LOOKED_AT: usize = 5000;
/// How many of the devices that may be meant are shown.
const MAX_SHOWN: usize = 10;

/// Returns the UUIDs of devices that are given by name or UUID, without duplicates.
///
/// A name that no device has, or several have, is an error with the devices that may be meant. A UUID is
/// returned as it is.
pub async fn resolve(client: &Client, given: &[String]) -> Result<Vec<String>, Failure> {
    let names: Vec<_> = given.iter().filter(|text| !is_uuid(text)).collect();
    let found =
        if names.is_empty() { Vec::new() } else { list(client, &json!(names), None).await? };
    let mut uuids = Vec::new();
    for text in given {
        let uuid = if is_uuid(text) { text.clone() } else { one(client, text, &found).await? };
        if !uuids.contains(&uuid) {
            uuids.push(uuid);
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
