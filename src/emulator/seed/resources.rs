//! Seeds what the other services know of the company: users, roles, executables, the quarantine, patches,
//! vulnerabilities, rules and installers. Only what the crate is built with.

use prost::Name;
use serde_json::Value;

use super::company::read;
use super::times::Times;
use crate::emulator::api::Methods;
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::policy_management::v2::Policy;
use crate::wkt::Any;

pub(super) fn fill(
    change: &mut Change<'_>,
    methods: &Methods,
    times: &Times,
) -> Result<(), Failure> {
    // What is inside a policy is inside the first one that is not built in.
    let mut custom = Vec::new();
    for policy in change.rows_from(&Policy::full_name(), 0)? {
        let policy: Policy = prost::Message::decode(policy?.1.as_slice())?;
        custom.extend((!policy.built_in).then_some(policy.uuid));
    }
    custom.truncate(1);
    #[cfg(feature = "web-access-protection")]
    if let Some(policy) = custom.first() {
        crate::emulator::special::web_rules::seed(change, policy)?;
    }
    for resource in read::<Vec<Value>>(&times.fill(include_str!("fleet.json")))? {
        let url = resource["@type"].as_str().unwrap_or_default();
        let name = url.trim_start_matches("a/").to_owned();
        if methods.has(&name) {
            let any: Any = read(&resource.to_string())?;
            methods.store(change, &name, &custom, &any.value)?;
        }
    }
    Ok(())
}
