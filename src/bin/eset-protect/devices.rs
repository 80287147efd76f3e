//! Shows devices by name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use eset_protect::codegen::is_uuid;
use eset_protect::device_management::v1::BatchGetDevicesRequest;
use eset_protect::{Client, Error};
use tokio::sync::Mutex;
use tonic::Code;

/// How many names or UUIDs one call asks for, since they are part of its URL.
pub const MAX_NAMES: usize = 50;
/// How many calls the names in a table may cost,
const MAX_CALLS: usize = 20;
/// and how long they may take.
const PATIENCE: Duration = Duration::from_secs(10);

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
