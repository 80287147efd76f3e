//! Selects the `.proto` files of the services whose cargo features are on.
//!
//! The feature of a service is named after its host: `policy-management` turns on the services of
//! `eu.policy-management.eset.systems`.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, FileDescriptor, Value};

use crate::options::option;
use crate::services;

/// Whether the package that is being built has the feature on, for a build script.
pub(crate) fn is_on(feature: &str) -> bool {
    let name = feature.to_uppercase().replace('-', "_");
    std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

/// Returns the files to compile: all but those of services that are off. Their imports follow by
/// themselves.
///
/// A file without services belongs to the services of its package, or of the packages that it names
/// in `eset_protect.v1.packed_in`. A file that belongs to no service is always compiled.
pub(crate) fn select(
    pool: &DescriptorPool,
    names: &[String],
    is_on: impl Fn(&str) -> bool,
) -> Result<Vec<String>, String> {
    let files: Vec<_> = names.iter().filter_map(|name| pool.get_file_by_name(name)).collect();
    let mut packages = BTreeMap::<_, BTreeSet<_>>::new();
    for file in &files {
        let hosts = packages.entry(file.package_name().to_owned()).or_default();
        hosts.extend(hosts_of(file)?);
    }
    let is_any_on =
        |hosts: &BTreeSet<String>| hosts.is_empty() || hosts.iter().any(|host| is_on(host));
    let mut selected = Vec::new();
    for file in &files {
        let mut hosts = hosts_of(file)?;
        let packed_in = packed_in(file);
        if hosts.is_empty() {
            for package in packed_in.iter().map(String::as_str).chain([file.package_name()]) {
                let Some(found) = packages.get(package) else {
                    return Err(format!("{}: packed_in names no package {package}", file.name()));
                };
                hosts.extend(found.iter().cloned());
            }
        }
        if is_any_on(&hosts) {
            selected.push(file.name().to_owned());
        }
    }
    Ok(selected)
}

/// Returns the hosts of the services in a file; an empty name for a service without one, which has no
/// feature.
fn hosts_of(file: &FileDescriptor) -> Result<BTreeSet<String>, String> {
    let hosts = file.services().map(|service| services::host(&service));
    hosts.filter(|host| host.as_ref().map_or(true, |host| !host.is_empty())).collect()
}

fn packed_in(file: &FileDescriptor) -> Vec<String> {
    let packages = option(file.parent_pool(), &file.options(), "eset_protect.v1.packed_in");
    let packages = packages.iter().filter_map(Value::as_list).flatten();
    packages.filter_map(|package| package.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::descriptors;

    fn compiled(is_on: fn(&str) -> bool) -> Vec<String> {
        let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
        let set = descriptors::compile(&protos, &[], Some(is_on)).expect("the files compile");
        let own = set.pool.files().map(|file| file.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(own.len(), set.files().count() + imported(&own), "code for every file");
        own
    }

    fn imported(names: &[String]) -> usize {
        names.iter().filter(|name| name.starts_with("google/protobuf/")).count()
    }

    #[test]
    fn a_service_that_is_off_takes_along_what_only_it_uses() {
        let all = compiled(|_| true);
        let tasks = compiled(|host| host == "automation");
        let policies = compiled(|host| host == "policy-management");
        let none = compiled(|_| false);
        let has = |files: &[String], part: &str| files.iter().any(|name| name.contains(part));
        for (files, has_tasks, has_policies) in [
            (&all, true, true),
            (&tasks, true, false),
            (&policies, false, true),
            (&none, false, false),
        ] {
            assert_eq!(has(files, "/automation/"), has_tasks);
            assert_eq!(has(files, "Task/OS/run_command"), has_tasks, "only inside an Any of tasks");
            assert_eq!(has(files, "Common/allowed_actions"), has_tasks, "imported by those");
            assert_eq!(has(files, "/policy_management/"), has_policies);
            assert_eq!(has(files, "policy_data"), has_policies);
            assert!(has(files, "google/rpc/error_details"), "errors of any service");
        }
    }
}
