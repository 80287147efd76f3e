//! Seeds what the other services know of the company: users, roles, executables, the quarantine, patches, incidents,
//! vulnerabilities, rules and installers. Only what the crate is built with.

use serde_json::{Map, Value};

use super::company::read;
use super::times::Times;
use crate::emulator::api::Methods;
use crate::emulator::failure::Failure;
use crate::emulator::store::Change;
use crate::wkt::Any;

/// The policy with the rules of the seed.
#[cfg(feature = "web-access-protection")]
const POLICY: &str = "5eed0000-0000-4000-8000-000000000005";

pub(super) fn fill(
    change: &mut Change<'_>,
    methods: &Methods,
    times: &Times,
) -> Result<(), Failure> {
    #[cfg(feature = "web-access-protection")]
    crate::emulator::special::web_rules::seed(change, POLICY)?;
    for mut resource in read::<Vec<Map<String, Value>>>(&times.fill(include_str!("fleet.json")))? {
        // The identifiers of what it is in.
        let within = resource.remove("@in").unwrap_or_else(|| Value::Array(Vec::new()));
        let url = resource.get("@type").and_then(Value::as_str).unwrap_or_default();
        let name = url.trim_start_matches("a/").to_owned();
        if methods.has(&name) {
            let within: Vec<_> = read(&within.to_string())?;
            let any: Any = read(&Value::from(resource).to_string())?;
            methods.store(change, &name, &within, &any.value)?;
        }
    }
    Ok(())
}
