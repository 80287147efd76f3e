//! The protos as they were released, and as ESET documents them.

mod documented;
mod golden;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::LazyLock;

use eset_protect::wkt::TypeRegistry;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, Value,
};

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(eset_protect::proto::FILE_DESCRIPTOR_SET).unwrap());

fn ours(package: &str) -> bool {
    package != "google.protobuf"
}

fn methods() -> impl Iterator<Item = MethodDescriptor> {
    POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>())
}

/// The idempotency level, if the `.proto` says one.
fn idempotency(method: &MethodDescriptor) -> Option<&'static str> {
    let options = method.options();
    if !options.has_field_by_name("idempotency_level") {
        return None;
    }
    match options.get_field_by_name("idempotency_level")?.as_enum_number()? {
        0 => Some("IDEMPOTENCY_UNKNOWN"),
        1 => Some("NO_SIDE_EFFECTS"),
        2 => Some("IDEMPOTENT"),
        _ => None,
    }
}

/// A `google.api.http` rule.
#[derive(Debug, PartialEq)]
struct Rule {
    verb: String,
    path: String,
    body: String,
    response_body: String,
    additional: Vec<Self>,
}

impl Rule {
    fn of(method: &MethodDescriptor) -> Option<Self> {
        let extension = POOL.get_extension_by_name("google.api.http").unwrap();
        let options = method.options();
        options
            .has_extension(&extension)
            .then(|| Self::read(options.get_extension(&extension).as_message().unwrap()))
    }

    fn read(rule: &DynamicMessage) -> Self {
        let text = |name: &str| rule.get_field_by_name(name).unwrap().as_str().unwrap().to_owned();
        let verb = ["get", "put", "post", "delete", "patch"]
            .into_iter()
            .find(|verb| rule.has_field_by_name(verb))
            .expect("no custom verbs here");
        let additional = rule.get_field_by_name("additional_bindings").unwrap();
        let read_value = |value: &Value| Self::read(value.as_message().unwrap());
        Self {
            verb: verb.to_uppercase(),
            path: text(verb),
            body: text("body"),
            response_body: text("response_body"),
            additional: additional.as_list().unwrap().iter().map(read_value).collect(),
        }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} body={:?}", self.verb, self.path, self.body)?;
        if !self.response_body.is_empty() {
            write!(f, " response_body={:?}", self.response_body)?;
        }
        self.additional.iter().try_for_each(|rule| write!(f, " also [{rule}]"))
    }
}

#[test]
fn every_rpc_has_an_http_rule_and_an_idempotency_level() {
    assert_eq!(methods().count(), 16);
    for method in methods() {
        let name = method.full_name();
        let rule = Rule::of(&method).unwrap_or_else(|| panic!("{name} has no HTTP rule"));
        let level = idempotency(&method);
        assert!(level.is_some(), "{name} has no idempotency level");
        let reads = rule.verb == "GET";
        assert_eq!(level == Some("NO_SIDE_EFFECTS"), reads, "{name}: {rule}");
        assert_eq!(rule.body == "*", rule.verb == "POST", "{name}: {rule}");
    }
}
