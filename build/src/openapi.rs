//! Generates an OpenAPI document of the HTTP form of the services, with the names that ESET uses.
//!
//! ESET generates its documents with protoc-gen-openapiv2 (FACTS.md#names), so schema and operation
//! names follow that tool. Parameters differ: a variable that spans several segments is written out
//! as the parts that the path really contains.

mod constraints;
mod examples;
mod parameters;
mod schemas;

use std::error::Error;

use heck::ToSnakeCase;
use prost_reflect::MethodDescriptor;

use crate::comments;
use crate::descriptors::DescriptorSet;
use crate::http_rules::{self, HttpRule};
use crate::json::Json;
use crate::services::Service;
pub(crate) use examples::Examples;
use parameters::Path;
use schemas::Schemas;

/// The HTTP methods that OpenAPI supports.
const VERBS: &[&str] = &["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// ESET's regions (FACTS.md#services).
const REGIONS: &[&str] = &["eu", "de", "us", "ca", "jpn"];

/// The statuses of errors that ESET documents (FACTS.md#errors, FACTS.md#pending-responses,
/// FACTS.md#rate-limit).
const ERRORS: &[(&str, &str)] = &[
    ("400", "The request is invalid, or its authorization is missing or malformed."),
    ("401", "The access token is invalid or has expired."),
    ("403", "The caller may not do this."),
    ("404", "There is no such resource, or no such pending response."),
    ("429", "Too many calls: 10 per second are allowed."),
    ("500", "The service failed. The call may have run."),
    ("502", "A gateway failed. The call may have run."),
    ("503", "The service is unavailable."),
    ("504", "The call took too long. It may have run."),
    ("default", "An unexpected error response."),
];

/// The media type of bodies.
const JSON: &str = "application/json";

/// The name of the only security scheme.
const TOKEN: &str = "accessToken";

/// A path and its operations.
struct PathItem {
    path: Path,
    host: String,
    operations: Vec<(String, Json)>,
}

/// Returns the document as JSON text.
pub(crate) fn generate(
    set: &DescriptorSet,
    services: &[Service],
    examples: &Examples,
) -> Result<String, Box<dyn Error>> {
    let mut schemas = Schemas::new(set)?;
    let mut items: Vec<PathItem> = Vec::new();
    for service in services {
        for method in service.descriptor.methods() {
            for (index, rule) in http_rules::of(&method)?.iter().enumerate() {
                add(&mut items, service, &method, index, rule, examples, &mut schemas);
            }
        }
    }
    let paths = items.into_iter().map(|item| {
        let servers = ("servers".to_owned(), servers(&item.host));
        let members = [servers].into_iter().chain(item.operations).collect();
        (item.path.to_string(), Json::Object(members))
    });
    let document = Json::object([
        ("openapi", Json::text("3.0.3")),
        ("info", info(services)),
        ("security", Json::List(vec![Json::object([(TOKEN, Json::List(Vec::new()))])])),
        ("tags", Json::List(services.iter().map(tag).collect())),
        ("paths", Json::Object(paths.collect())),
        ("components", components(schemas)),
    ]);
    Ok(document.to_string())
}

fn components(schemas: Schemas) -> Json {
    let description = "An access token. ESET Connect returns it as `access_token` from `POST /oauth/token` \
                       on the business account's host of the region, an On-Prem server as `accessToken` \
                       from `POST /GetTokens`. An emulator supports both.";
    let token = Json::object([
        ("type", Json::text("http")),
        ("scheme", Json::text("bearer")),
        ("description", Json::text(description)),
    ]);
    let security = Json::object([(TOKEN, token)]);
    Json::object([("schemas", schemas.finish()), ("securitySchemes", security)])
}

fn info(services: &[Service]) -> Json {
    let names: Vec<_> = services.iter().map(|service| service.descriptor.full_name()).collect();
    let description = format!(
        "The HTTP form of {}, generated from their .proto files. JSON is ProtoJSON; members and enum \
         values that are not listed here may be added at any time.",
        names.join(", ")
    );
    Json::object([
        ("title", Json::text(std::env::var("CARGO_PKG_NAME").unwrap_or_default())),
        ("description", Json::text(description)),
        ("version", Json::text(std::env::var("CARGO_PKG_VERSION").unwrap_or_default())),
    ])
}

fn tag(service: &Service) -> Json {
    let descriptor = &service.descriptor;
    let comment = comments::find(&descriptor.parent_file(), descriptor.path());
    Json::object([("name", Json::text(service.type_name().to_string()))])
        .with("description", comment.map(Json::Text))
}

/// Returns the possible servers: the one that served the document (a bridge, an emulator or an
/// On-Prem server) and, for a service with a host there, ESET's cloud.
fn servers(host: &str) -> Json {
    let here = Json::object([
        ("url", Json::text("/")),
        ("description", Json::text("The server that served this document")),
    ]);
    let region = Json::object([
        ("default", Json::text("eu")),
        ("enum", Json::List(REGIONS.iter().copied().map(Json::text).collect())),
    ]);
    let cloud = Json::object([
        ("url", Json::text(format!("https://{{region}}.{host}.eset.systems"))),
        ("variables", Json::object([("region", region)])),
    ]);
    Json::List(if host.is_empty() { vec![here] } else { vec![here, cloud] })
}

/// Adds an operation unless its method and path are taken: the router would use the first one too.
fn add(
    items: &mut Vec<PathItem>,
    service: &Service,
    method: &MethodDescriptor,
    index: usize,
    rule: &HttpRule,
    examples: &Examples,
    schemas: &mut Schemas,
) {
    if !VERBS.contains(&rule.verb.as_str()) {
        return;
    }
    let mut path = Path::new(&rule.template, &method.input());
    // Paths that differ only in parameter names are the same path.
    let place = items.iter().position(|item| item.path.shape() == path.shape());
    let place = place.unwrap_or_else(|| {
        let (path, host) = (path.clone(), service.host.clone());
        items.push(PathItem { path, host, operations: Vec::new() });
        items.len() - 1
    });
    path.rename_as(&items[place].path);
    let verb = rule.verb.to_lowercase();
    if items[place].operations.iter().any(|(taken, _)| *taken == verb) {
        return;
    }
    let operation = operation(service, method, index, rule, &path, examples, schemas);
    items[place].operations.push((verb, operation));
}

fn operation(
    service: &Service,
    method: &MethodDescriptor,
    index: usize,
    rule: &HttpRule,
    path: &Path,
    examples: &Examples,
    schemas: &mut Schemas,
) -> Json {
    // Names the second binding `…2`, as protoc-gen-openapiv2 does.
    let number = if index == 0 { String::new() } else { (index + 1).to_string() };
    let service = service.type_name();
    let mut parameters = path.parameters(schemas, examples);
    if rule.body != "*" {
        let input = method.input();
        parameters.extend(parameters::query(&input, &rule.body, path, schemas, examples));
    }
    let id = format!("{service}_{}{number}", method.name());
    let comment = comments::find(&method.parent_file(), method.path());
    let operation = Json::object([
        ("tags", Json::List(vec![Json::text(service.to_string())])),
        ("summary", Json::text(summary(method.name()))),
    ])
    .with("description", comment.map(Json::Text))
    .with("operationId", Some(Json::text(&id)))
    .with("parameters", (!parameters.is_empty()).then_some(Json::List(parameters)));
    let body = match rule.body.as_str() {
        "" => None,
        "*" if path.is_constant() => Some(schemas.reference(&method.input())),
        "*" => {
            let name = format!("{service}{}Body{number}", method.name());
            Some(schemas.rest(&name, &method.input(), |field| path.binds(field)))
        }
        field => method.input().get_field_by_name(field).map(|field| schemas.field(&field)),
    };
    let body = body.map(|schema| {
        let content = content(JSON, schema, examples.body(&id));
        Json::object([("content", content), ("required", Json::Bool(true))])
    });
    operation.with("requestBody", body).with("responses", Some(responses(method, rule, schemas)))
}

/// Turns `UpdateTaskTargets` into the summary that ESET writes: `Update task targets`.
fn summary(name: &str) -> String {
    let words = name.to_snake_case().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn content(media_type: &str, schema: Json, example: Option<Json>) -> Json {
    let media = Json::object([("schema", schema)]).with("example", example);
    Json::object([(media_type, media)])
}

fn responses(method: &MethodDescriptor, rule: &HttpRule, schemas: &mut Schemas) -> Json {
    let output = method.output();
    let (media_type, schema) = match output.get_field_by_name(&rule.response_body) {
        Some(field) => (JSON, schemas.field(&field)),
        // The body as it is, of any media type.
        None if output.full_name() == "google.api.HttpBody" => ("*/*", schemas::binary()),
        None => (JSON, schemas.reference(&output)),
    };
    let comment = comments::find(&output.parent_file(), output.path());
    let success = comment.unwrap_or_else(|| "A successful response.".to_owned());
    let described = |text: &str, media_type: &str, schema: Json| {
        let content = content(media_type, schema, None);
        Json::object([("description", Json::text(text)), ("content", content)])
    };
    let id = Json::object([("type", Json::text("string"))]);
    let id = Json::object([
        ("description", Json::text("The value to send when repeating the request.")),
        ("schema", id),
    ]);
    let pending = "The response is pending. Repeat the same request with this value in the header \
                   `response-id` until the status differs.";
    let pending = Json::object([
        ("description", Json::text(pending)),
        ("headers", Json::object([("response-id", id)])),
    ]);
    let error = schemas.status();
    let success = [("200", described(&success, media_type, schema)), ("202", pending)];
    let errors =
        ERRORS.iter().map(|(status, text)| (*status, described(text, JSON, error.clone())));
    let responses = success.into_iter().chain(errors);
    Json::Object(responses.map(|(name, json)| (name.to_owned(), json)).collect())
}
