//! The protos as released, and as documented by ESET.

mod documented;
mod features;
mod golden;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::LazyLock;

use eset_protect::wkt::TypeRegistry;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FileDescriptor, Kind,
    MessageDescriptor, MethodDescriptor, Value,
};

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(eset_protect::proto::FILE_DESCRIPTOR_SET).unwrap());

fn ours(package: &str) -> bool {
    package != "google.protobuf"
}

fn methods() -> impl Iterator<Item = MethodDescriptor> {
    POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>())
}

/// Returns the idempotency level if the `.proto` file declares one.
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

/// The options about generated code in other languages (AIP-191).
const GENERATED: [&str; 5] = [
    "csharp_namespace",
    "go_package",
    "java_multiple_files",
    "java_outer_classname",
    "java_package",
];

/// Returns a file option, or an empty text.
fn file_option(file: &FileDescriptor, option: &str) -> String {
    match file.options().get_field_by_name(option).as_deref() {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => yes.to_string(),
        other => panic!("{}: {option} is {other:?}", file.name()),
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
    // Reads that have a body, for a filter or a list that is too long for a query.
    let reads_by_post = [
        "BatchDownloadQuarantinedObjects",
        "BatchGetDetections",
        "BatchGetUsers",
        "DownloadQuarantinedObjects",
        "GenerateGpoSccmFile",
        "SearchDetectionGroups",
    ];
    if cfg!(feature = "all-services") {
        assert_eq!(methods().count(), 101 + 2, "and the two that were observed");
    }
    for method in methods() {
        let name = method.full_name();
        let rule = Rule::of(&method).unwrap_or_else(|| panic!("{name} has no HTTP rule"));
        let level = idempotency(&method);
        assert!(level.is_some(), "{name} has no idempotency level");
        let reads = rule.verb == "GET" || reads_by_post.contains(&method.name());
        assert_eq!(level == Some("NO_SIDE_EFFECTS"), reads, "{name}: {rule}");
        let has_body = matches!(rule.verb.as_str(), "POST" | "PUT");
        assert_eq!(rule.body == "*", has_body, "{name}: {rule}");
    }
}

/// Go code cannot be generated without a declared package, and other languages get poor names.
#[test]
fn every_file_says_the_packages_of_other_languages() {
    let mut go_packages = BTreeMap::new();
    let mut outer_classes = BTreeSet::new();
    let files = || POOL.files().filter(|file| ours(file.package_name()));
    if cfg!(feature = "all-services") {
        assert_eq!(files().count(), 82);
    }
    for file in files() {
        let [csharp, go, multiple, outer, java] =
            GENERATED.map(|option| file_option(&file, option));
        let (name, package) = (file.name(), file.package_name());
        let plain = |text: &str| text.replace(['_', '.'], "").to_lowercase();
        assert_eq!(plain(&csharp), plain(package), "{name}");
        assert!(csharp.split('.').all(|part| part.starts_with(char::is_uppercase)), "{name}");
        assert_eq!(multiple, "true", "{name}");
        // The names of Google's libraries, so that both kinds of code are compatible.
        let google = package.starts_with("google.");
        let java_package = if google { format!("com.{package}") } else { package.to_owned() };
        assert_eq!(plain(&java), plain(&java_package), "{name}");
        assert_eq!(java, java.to_lowercase(), "{name}");
        assert!(outer.ends_with("Proto"), "{name}: {outer}");
        assert!(outer_classes.insert(format!("{java}.{outer}")), "{name}: {outer} is there twice");
        assert!(
            POOL.get_message_by_name(&format!("{package}.{outer}")).is_none(),
            "{name}: {outer} is a message, too"
        );
        let (path, short) = go.split_once(';').expect(name);
        let folder = name.rsplit_once('/').unwrap().0;
        if google {
            assert!(path.starts_with("google.golang.org/genproto/googleapis/"), "{name}: {go}");
        } else {
            assert_eq!(path, format!("eset-protect/proto/{folder}"));
        }
        assert!(short.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{go}");
        // A Go package contains one protobuf package.
        let before = go_packages.insert(go.clone(), package.to_owned());
        assert!(before.is_none_or(|before| before == package), "{name}: {go}");
    }
}

#[test]
fn run_time_descriptors_have_behaviors_and_comments() {
    use eset_protect::descriptors::{
        columns, is_immutable, is_output_only, is_required, pool, summary,
    };

    let task = pool().get_message_by_name("eset.dotnod.automation.v1.DeviceTask").unwrap();
    let field = |name: &str| task.get_field_by_name(name).unwrap();
    assert!(is_output_only(&field("uuid")) && !is_required(&field("uuid")));
    assert!(is_required(&field("action")) && !is_output_only(&field("action")));
    assert!(is_immutable(&field("action")) && !is_immutable(&field("targets")));
    assert_eq!(columns(&task), ["uuid", "display_name", "action.name", "targets", "create_time"]);
    let comment = |name: &str| summary(&task.parent_file(), field(name).path());
    assert_eq!(comment("action").as_deref(), Some("The action to run"));
}
