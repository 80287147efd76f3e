//! Reads the services and their options, and gives each a unique name.

use std::collections::BTreeMap;
use std::error::Error;

use proc_macro2::Ident;
use prost_reflect::ServiceDescriptor;
use syn::Path;

use crate::descriptors::DescriptorSet;
use crate::options::option;
use crate::{comments, names};

/// A service to generate code for.
pub(crate) struct Service {
    pub descriptor: ServiceDescriptor,
    /// The part of the host name that identifies the service: `automation` in
    /// `eu.automation.eset.systems`. Empty without `google.api.default_host`.
    pub host: String,
    /// A unique name in snake case: `detections` for the newest version, `detections_v1` for an
    /// older one.
    pub short_name: String,
}

/// Returns all services in the order of the files.
pub(crate) fn of(set: &DescriptorSet) -> Result<Vec<Service>, Box<dyn Error>> {
    let services: Vec<_> =
        set.files().flat_map(|file| file.services().collect::<Vec<_>>()).collect();
    let names: Vec<_> = services.iter().map(ServiceDescriptor::full_name).collect();
    let short_names = short_names(&names);
    let mut named = BTreeMap::new();
    for (service, short_name) in names.iter().zip(&short_names) {
        if let Some(other) = named.insert(short_name, service) {
            return Err(format!("{other} and {service} would both be named `{short_name}`").into());
        }
    }
    let services = services.into_iter().zip(short_names).map(|(descriptor, short_name)| {
        Ok(Service { host: host(&descriptor)?, short_name, descriptor })
    });
    services.collect()
}

impl Service {
    /// Returns the name of the service's types.
    pub(crate) fn type_name(&self) -> Ident {
        names::camel(&self.short_name)
    }

    /// Returns the path of the module with its RPCs; `rpcs` is the parent of all such modules.
    pub(crate) fn module(&self, rpcs: &str) -> Path {
        let package = names::package_path(self.descriptor.package_name(), rpcs);
        names::path(&format!("{package}::{}", self.module_name()))
    }

    /// Returns the name of the outermost module of its package.
    pub(crate) fn outer_module(&self) -> Option<String> {
        names::module_parts(self.descriptor.package_name()).into_iter().next()
    }

    /// Returns the name of that module inside its package.
    pub(crate) fn module_name(&self) -> Ident {
        names::snake(self.descriptor.name())
    }

    /// Returns the package's name without its version.
    pub(crate) fn package_without_version(&self) -> String {
        FullName::new(self.descriptor.full_name()).package.join(".")
    }

    /// Returns the comment above the service.
    pub(crate) fn doc(&self) -> String {
        let service = &self.descriptor;
        comments::or_name(&service.parent_file(), service.path(), service.full_name())
    }
}

/// Returns the host in `google.api.default_host`.
pub(crate) fn host(service: &ServiceDescriptor) -> Result<String, String> {
    let pool = service.parent_pool();
    let Some(value) = option(pool, &service.options(), "google.api.default_host") else {
        return Ok(String::new());
    };
    let host = value.as_str().unwrap_or_default();
    let label = host.strip_suffix(".eset.systems").and_then(|rest| rest.split_once('.'));
    match label {
        Some((region, label)) if !region.is_empty() && !label.is_empty() => Ok(label.to_owned()),
        _ => Err(format!(
            "{}: google.api.default_host is {host:?}, expected REGION.NAME.eset.systems",
            service.full_name()
        )),
    }
}

/// Returns the shortest unique names for services with these full names. The newest version of a
/// package needs no version in its name; services with the same name in different packages get as
/// much of the package as makes them unique.
fn short_names(full_names: &[&str]) -> Vec<String> {
    let parsed: Vec<_> = full_names.iter().map(|name| FullName::new(name)).collect();
    let mut newest = BTreeMap::new();
    for name in &parsed {
        let version = newest.entry((name.service, &name.package)).or_insert(name.version);
        *version = (*version).max(name.version);
    }
    let short = |name: &FullName<'_>| {
        let rivals = newest
            .keys()
            .filter(|(service, package)| *service == name.service && *package != &name.package);
        let rivals: Vec<_> = rivals.map(|(_, package)| *package).collect();
        let mut parts = name.distinct_tail(&rivals);
        parts.push(name.service);
        let mut short = names::module(&parts.join("_"));
        if newest.get(&(name.service, &name.package)) != Some(&name.version) {
            short = format!("{short}_{}", name.version_text);
        }
        short
    };
    parsed.iter().map(short).collect()
}

/// A version (AIP-185): its major number, how stable it is, and the number after that. In their order: `v1alpha`,
/// `v1beta1`, `v1`, `v2`.
type Version = (u32, Stability, u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stability {
    Alpha,
    Beta,
    Stable,
}

fn version(text: &str) -> Option<Version> {
    let rest = text.strip_prefix('v')?;
    let (major, rest) = rest.split_at(rest.find(char::is_alphabetic).unwrap_or(rest.len()));
    let major = major.parse().ok()?;
    let stages = [("alpha", Stability::Alpha), ("beta", Stability::Beta)];
    let mut stages =
        stages.iter().filter_map(|(name, stage)| Some((*stage, rest.strip_prefix(name)?)));
    match stages.next() {
        Some((stage, "")) => Some((major, stage, 0)),
        Some((stage, number)) => Some((major, stage, number.parse().ok()?)),
        None => rest.is_empty().then_some((major, Stability::Stable, 0)),
    }
}

/// A parsed full name of a service.
struct FullName<'a> {
    service: &'a str,
    /// The package without its version.
    package: Vec<&'a str>,
    /// `None` (no version) is older than any version.
    version: Option<Version>,
    version_text: &'a str,
}

impl<'a> FullName<'a> {
    fn new(full_name: &'a str) -> Self {
        let mut package: Vec<_> = full_name.split('.').collect();
        let service = package.pop().unwrap_or_default();
        let version_text = package.last().copied().unwrap_or_default();
        let version = version(version_text);
        if version.is_some() {
            package.pop();
        }
        Self { service, package, version, version_text }
    }

    /// Returns the shortest end of the package that no rival package shares; empty without rivals.
    fn distinct_tail(&self, rivals: &[&Vec<&str>]) -> Vec<&'a str> {
        let tail = |length: usize| &self.package[self.package.len().saturating_sub(length)..];
        let is_distinct =
            |length: &usize| rivals.iter().all(|rival| !rival.ends_with(tail(*length)));
        let length = (0..=self.package.len()).find(is_distinct).unwrap_or(self.package.len());
        tail(length).to_vec()
    }
}
