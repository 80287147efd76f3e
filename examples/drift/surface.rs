//! What an OpenAPI document says of operations and types, as facts that can be compared.
//!
//! A fact is a name and a value, such as `POST /v1/groups response` and `v1CreateGroupResponse`, or
//! `v1Group.ownerUuid` and `string readOnly`. Left out is what `.proto` files do not say: limits of lengths
//! and sizes, the format `uuid`, prose, and the statuses that belong to ESET's gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// The facts of one service, by name.
pub type Facts = BTreeMap<String, String>;

/// Facts that differ from ESET's documents for a reason: the service, the beginning of their names, and
/// the reason.
pub const ARGUED: &[(&str, &str, &str)] = &[
    (
        "automation",
        "v1DeviceTask.createTime",
        "set by the server, which ESET says of triggers only",
    ),
    ("automation", "v1DeviceTask.source", "set by the server: it says who called"),
    (
        "automation",
        "v1DeviceTask.updateTime",
        "set by the server, which ESET says of triggers only",
    ),
    ("automation", "v1DeviceTask.uuid", "set by the server: empty on creation"),
    ("automation", "v1DeviceTask.versionId", "set by the server: it counts changes"),
    ("device-management", "POST /v1/devices/{deviceUuid}:renameDevice", ON_PREM),
    ("device-management", "DevicesRenameDeviceBody2", ON_PREM),
    ("incident-management", "GET /v1/detections", VERSION),
    ("incident-management", "GET /v1/detections/{detectionUuid}", VERSION),
    ("incident-management", "GET /v1/detections:listDelta", OBSERVED),
    (
        "incident-management",
        "v2IncidentComment.incidentUuid",
        "set by the server, which sets everything but the text of a comment",
    ),
    ("incident-management", "v2IncidentComment.uuid", "set by the server: empty on creation"),
    ("network-access-protection", "v1IpSet.uuid", "set by the server, which ignores it in updates"),
    ("incident-management", "v1ListDeltaDetectionsResponse", OBSERVED),
    ("incident-management", "GET /v2/detections:listDelta", OBSERVED),
    ("incident-management", "v2ListDeltaDetectionsResponse", OBSERVED),
];

const ON_PREM: &str = "the path of ESET PROTECT On-Prem 13.0 (FACTS.md#on-prem)";
const OBSERVED: &str = "observed, not documented (FACTS.md#incident-management)";
const VERSION: &str = "both versions are in one document, where operationIds are unique";

/// How facts have changed since they were taken over into this crate.
#[derive(Debug, PartialEq, Eq)]
pub enum Drift {
    /// ESET's document has a fact that the crate lacks.
    New(String, String),
    /// The crate has a fact that ESET's document lacks.
    Gone(String, String),
    /// Both have it, with another value: the crate's, then ESET's.
    Changed(String, String, String),
}

impl Drift {
    /// The name of the fact.
    pub fn name(&self) -> &str {
        match self {
            Self::New(name, _) | Self::Gone(name, _) | Self::Changed(name, ..) => name,
        }
    }

    /// Why the crate differs here on purpose.
    pub fn argument(&self, service: &str) -> Option<&'static str> {
        let name = self.name();
        let is_meant = |begin: &str| {
            // What is observed or of another version has facts below its name that ESET lacks too.
            let is_below =
                |rest: &str| matches!(self, Self::Gone(..)) && rest.starts_with([' ', '.']);
            name.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || is_below(rest))
        };
        let found = ARGUED.iter().find(|(host, begin, _)| *host == service && is_meant(begin));
        found.map(|(_, _, reason)| *reason)
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(name, value) => write!(f, "new      {name} = {value}"),
            Self::Gone(name, value) => write!(f, "gone     {name} = {value}"),
            Self::Changed(name, from, to) => write!(f, "changed  {name} = {from} -> {to}"),
        }
    }
}

/// How ESET's facts differ from the crate's, by name.
pub fn compare(ours: &Facts, esets: &Facts) -> Vec<Drift> {
    let names: BTreeSet<_> = ours.keys().chain(esets.keys()).collect();
    let difference = |name: &String| match (ours.get(name), esets.get(name)) {
        (None, Some(value)) => Some(Drift::New(name.clone(), value.clone())),
        (Some(value), None) => Some(Drift::Gone(name.clone(), value.clone())),
        (Some(from), Some(to)) if from != to => {
            Some(Drift::Changed(name.clone(), from.clone(), to.clone()))
        }
        _ => None,
    };
    names.into_iter().filter_map(difference).collect()
}

/// The facts of a document by service, which is the label after the region in the host that serves it:
/// OpenAPI 3, or Swagger 2.0 as ESET serves it.
///
/// # Errors
///
/// What the document lacks, and where.
pub fn facts(document: &Value) -> Result<BTreeMap<String, Facts>, String> {
    let paths = document["paths"].as_object().ok_or("no `paths`: this is no OpenAPI document")?;
    let mut services: BTreeMap<String, Reader<'_>> = BTreeMap::new();
    for (path, item) in paths {
        let service = service(document, item).ok_or_else(|| format!("{path}: no server"))?;
        let reader = services.entry(service).or_insert_with(|| Reader::new(document));
        let operations = item.as_object().ok_or_else(|| format!("{path}: no object"))?;
        for (verb, operation) in operations {
            if matches!(verb.as_str(), "get" | "put" | "post" | "delete" | "patch") {
                let name = format!("{} {path}", verb.to_uppercase());
                reader.operation(&name, operation).map_err(|why| format!("{name}: {why}"))?;
            }
        }
    }
    services.into_iter().map(|(service, reader)| Ok((service, reader.finish()?))).collect()
}

/// The second label of the host of a path, or of the document: `automation` of
/// `eu.automation.eset.systems` and of `https://{region}.automation.eset.systems/`.
fn service(document: &Value, item: &Value) -> Option<String> {
    let servers = |holder: &'_ Value| holder["servers"].as_array().cloned().unwrap_or_default();
    let servers = [servers(item), servers(document)].concat();
    let urls = servers.iter().map(|server| &server["url"]).chain([&document["host"]]);
    let hosts = urls.filter_map(|url| url.as_str()?.rsplit("://").next()?.split('/').next());
    hosts.filter_map(|host| host.split('.').nth(1)).next().map(str::to_owned)
}

/// Reads the facts of one service.
struct Reader<'a> {
    document: &'a Value,
    facts: Facts,
    /// The schemas that are referred to and not read yet, by the name in the document.
    left: Vec<String>,
    read: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Value) -> Self {
        Self { document, facts: Facts::new(), left: Vec::new(), read: BTreeSet::new() }
    }

    fn operation(&mut self, name: &str, operation: &Value) -> Result<(), String> {
        let id = operation["operationId"].as_str().ok_or("no `operationId`")?;
        // Ours counts on where two services have the same name.
        let id = id.trim_end_matches(|c: char| c.is_ascii_digit());
        self.facts.insert(name.to_owned(), id.to_owned());
        let json = |holder: &'_ Value| -> Value {
            let content = holder["content"].as_object();
            let media = content.and_then(|content| content.values().next());
            media.map_or_else(|| holder["schema"].clone(), |media| media["schema"].clone())
        };
        let mut body = json(&operation["requestBody"]);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = parameter["in"].as_str().ok_or("a parameter without `in`")?;
            if place == "body" {
                body = parameter["schema"].clone();
                continue;
            }
            let label = parameter["name"].as_str().ok_or("a parameter without `name`")?;
            // Swagger 2.0 has the type in the parameter itself.
            let schema = Some(&parameter["schema"]).filter(|schema| !schema.is_null());
            let kind = self.parameter(schema.unwrap_or(parameter))?;
            self.facts.insert(format!("{name} {place} {label}"), kind);
        }
        if !body.is_null() {
            let kind = self.kind(&body)?;
            self.facts.insert(format!("{name} body"), kind);
        }
        let response = json(&operation["responses"]["200"]);
        let kind = self.kind(&response)?;
        self.facts.insert(format!("{name} response"), kind);
        Ok(())
    }

    /// The type of a parameter, with the values of an enum: ESET writes them there.
    fn parameter(&mut self, schema: &Value) -> Result<String, String> {
        let target = schema["$ref"].as_str().and_then(|reference| self.target(reference));
        let values = target.unwrap_or(schema)["enum"].as_array();
        match values {
            Some(values) => {
                let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
                Ok(format!("enum {}", values.join(" ")))
            }
            None => self.kind(schema),
        }
    }

    fn target(&self, reference: &str) -> Option<&'a Value> {
        self.document.pointer(reference.strip_prefix('#')?)
    }

    /// A type: `v1Action`, `[string]`, `map<v1Action>`, `integer:int64`.
    fn kind(&mut self, schema: &Value) -> Result<String, String> {
        if let Some(all) = schema["allOf"].as_array().filter(|all| all.len() == 1) {
            return self.kind(&all[0]);
        }
        if let Some(reference) = schema["$ref"].as_str() {
            self.left.push(reference.to_owned());
            return Ok(short(reference).to_owned());
        }
        match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("array"), _) => Ok(format!("[{}]", self.kind(&schema["items"])?)),
            (Some("object"), _) => match &schema["additionalProperties"] {
                value if value["type"].is_string() || value["$ref"].is_string() => {
                    Ok(format!("map<{}>", self.kind(value)?))
                }
                _ => Ok("object".to_owned()),
            },
            (Some(name), None | Some("uuid")) => Ok(name.to_owned()),
            (Some(name), Some(format)) => Ok(format!("{name}:{format}")),
            (None, _) => Err(format!("a schema without a type: {schema}")),
        }
    }

    /// Reads every schema that was referred to.
    fn finish(mut self) -> Result<Facts, String> {
        while let Some(reference) = self.left.pop() {
            let name = short(&reference).to_owned();
            if name == "protobufAny" || !self.read.insert(reference.clone()) {
                continue;
            }
            let schema =
                self.target(&reference).ok_or_else(|| format!("{reference} is not there"))?;
            if let Some(values) = schema["enum"].as_array() {
                for value in values.iter().filter_map(Value::as_str) {
                    self.facts.insert(format!("{name}.{value}"), "enum value".to_owned());
                }
                continue;
            }
            self.facts.insert(name.clone(), "object".to_owned());
            for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
                let kind = self.kind(schema).map_err(|why| format!("{name}.{member}: {why}"))?;
                let mark = if schema["readOnly"] == true { " readOnly" } else { "" };
                self.facts.insert(format!("{name}.{member}"), format!("{kind}{mark}"));
            }
        }
        Ok(self.facts)
    }
}

/// The name of a schema without what protoc-gen-openapiv2 puts before it where two packages have one of
/// the same name: `v1Detection` of `incident_managementv1Detection`.
fn short(reference: &str) -> &str {
    let name = reference.rsplit('/').next().unwrap_or_default();
    let bytes = name.as_bytes();
    let is_version = |at: usize| {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let after = bytes.get(at + 1 + digits);
        bytes[at] == b'v' && digits > 0 && after.is_some_and(u8::is_ascii_uppercase)
    };
    (0..bytes.len()).find(|at| is_version(*at)).map_or(name, |at| &name[at..])
}
