//! RPCs by noun and verb, such as `devices list`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use eset_protect::rpc::{METHODS, MethodSpec};

use crate::text::{kebab, short_name, singular};

/// Shorter nouns: the noun, what the services call the resource, and the services. All other services are
/// called what they are called.
pub const SHORTER: &[(&str, &str, &[&str])] = &[
    ("assignments", "policy-assignment", &["PolicyAssignments"]),
    ("comments", "incident-comment", &["IncidentComments"]),
    ("exclusions", "edr-rule-exclusion", &["EdrRuleExclusions"]),
    ("groups", "group", &["DeviceGroups", "Groups"]),
    ("iam", "iam", &["IdentityProvider", "Roles", "Permissions"]),
    ("ip-sets", "ip-set", &["NetworkAccessConfigurator"]),
    ("patches", "device-patch", &["UnpatchedDevices", "PatchManagement"]),
    ("quarantine", "quarantined-object", &["QuarantinedObjects"]),
    ("rules", "edr-rule", &["EdrRules"]),
    ("tasks", "task", &["DeviceTasks"]),
    ("vulnerabilities", "device-vulnerability", &["VulnerableDevices", "VulnerabilityManagement"]),
    ("web-address-rules", "web-address-rule", &["WebAddressRulesConfigurator"]),
];

/// An RPC by noun and verb.
#[derive(Debug)]
pub struct Verb {
    pub noun: String,
    pub verb: String,
    pub spec: &'static MethodSpec,
}

/// Returns every verb. Reads no descriptor, since each start of the command needs them.
pub fn verbs() -> impl Iterator<Item = Verb> {
    METHODS.iter().filter(|spec| is_newest(spec)).map(|spec| {
        let service = short_name(spec.service);
        let shorter = SHORTER.iter().find(|(_, _, services)| services.contains(&service));
        let (noun, resource) = match shorter {
            Some((noun, resource, _)) => ((*noun).to_owned(), (*resource).to_owned()),
            None => (kebab(service), singular(&kebab(service))),
        };
        Verb { noun, verb: verb(spec.method, &resource), spec }
    })
}

/// Returns the verb of a method: `get` for `GetDevice`, `update-targets` for `UpdateTaskTargets`. A list of
/// something else than the resource is named after it: `runs` for `ListTaskRuns`.
fn verb(method: &str, resource: &str) -> String {
    let method = kebab(method);
    let mut words = method.split('-').peekable();
    let mut verb: Vec<_> = words.next().into_iter().collect();
    if verb == ["batch"] {
        verb.extend(words.next());
    }
    for part in resource.split('-') {
        if words.next_if(|word| *word == part || singular(word) == part).is_none() {
            break;
        }
    }
    if verb == ["list"] && words.peek().is_some() {
        verb.clear();
    }
    verb.into_iter().chain(words).collect::<Vec<_>>().join("-")
}

/// Whether no newer version of the package has a service of this name.
pub fn is_newest(spec: &MethodSpec) -> bool {
    // By short name, since each start of the command asks for all of them.
    static NEWEST: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
        let mut newest = BTreeMap::new();
        for MethodSpec { service, .. } in METHODS {
            let known = newest.entry(short_name(service)).or_insert(*service);
            if version(service) > version(known) {
                *known = service;
            }
        }
        newest
    });
    NEWEST.get(short_name(spec.service)) == Some(&spec.service)
}

/// Returns the version of a service's package, such as 2 for `policy_management.v2.Policies`. Versions like
/// `v2beta1` come before `v2`.
fn version(service: &str) -> (u32, bool) {
    let version = service.rsplit('.').nth(1).and_then(|part| part.strip_prefix('v'));
    let version = version.unwrap_or_default();
    let digits = version.chars().take_while(char::is_ascii_digit).count();
    let number = version.get(..digits).and_then(|number| number.parse().ok());
    (number.unwrap_or_default(), digits == version.len())
}
