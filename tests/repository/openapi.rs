//! The OpenAPI document agrees with ESET's own documents and is consistent.

mod drift;

use std::collections::BTreeSet;

use eset_protect::transcode::{OPENAPI, Router};
use serde_json::Value;

fn parse(document: &str) -> Value {
    serde_json::from_str(document).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Returns the members of an object; none if it is not an object.
fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// Returns every operation with its path and method.
fn operations(document: &Value) -> Vec<(&str, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in members(&document["paths"]) {
        for (verb, operation) in members(item).filter(|(name, _)| *name != "servers") {
            found.push((path, verb.to_uppercase(), operation));
        }
    }
    found
}

/// Returns a type as in ESET's tables: `v1Action`, `[string]`, `map<x>`, `integer:int64`.
fn kind(schema: &Value) -> String {
    if let Some(all) = schema["allOf"].as_array() {
        assert_eq!(all.len(), 1);
        return kind(&all[0]);
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match (text(schema, "type"), schema["format"].as_str()) {
        ("array", _) => format!("[{}]", kind(&schema["items"])),
        ("object", _) => format!("map<{}>", kind(&schema["additionalProperties"])),
        (name, Some(format)) => format!("{name}:{format}"),
        (name, None) => name.to_owned(),
    }
}

fn content(value: &Value) -> String {
    kind(&value["content"]["application/json"]["schema"])
}

#[test]
fn an_any_is_open() {
    let any = &parse(OPENAPI)["components"]["schemas"]["protobufAny"];
    assert_eq!(text(any, "type"), "object");
    assert_eq!(text(&any["properties"]["@type"], "type"), "string");
    assert_eq!(any["additionalProperties"], serde_json::json!({}));
}

#[test]
fn it_says_who_sets_a_field() {
    let document = parse(OPENAPI);
    let schemas = &document["components"]["schemas"];
    let read_only = |name: &str| -> Vec<String> {
        let properties = members(&schemas[name]["properties"]);
        properties.filter(|(_, field)| field["readOnly"] == true).map(|(n, _)| n.into()).collect()
    };
    assert_eq!(
        read_only("v1DeviceTask"),
        ["createTime", "source", "updateTime", "uuid", "versionId"]
    );
    assert_eq!(read_only("v1ManualTrigger"), ["createTime"]);
    assert_eq!(read_only("v1DeviceTaskRun"), ["endTime"]);
    assert_eq!(read_only("v2Policy"), ["builtIn", "uuid"]);
    assert_eq!(read_only("v2PolicyAssignment"), ["rank", "uuid"]);
    let required = |name: &str| schemas[name]["required"].clone();
    assert_eq!(required("v1CreateTaskRequest"), serde_json::json!(["task"]));
    assert_eq!(required("v1DeviceTask"), serde_json::json!(["action", "targets", "triggers"]));
    assert_eq!(required("v2PolicyAssignment"), serde_json::json!(["policyUuid", "target"]));
    // Fields in the path are not in the body.
    assert_eq!(required("DeviceTasksUpdateTaskTargetsBody"), serde_json::json!(["targets"]));
}

#[test]
fn it_says_what_a_value_must_be() {
    let document = parse(OPENAPI);
    let parameter = |id: &str, name: &str| {
        let (_, _, operation) = operations(&document)
            .into_iter()
            .find(|(.., o)| text(o, "operationId") == id)
            .expect(id);
        let mut parameters = operation["parameters"].as_array().expect("parameters").iter();
        parameters.find(|parameter| text(parameter, "name") == name).expect(name).clone()
    };
    let uuids = parameter("Devices_BatchGetDevices", "devicesUuids");
    assert_eq!(uuids["required"], true);
    let uuid = serde_json::json!({ "type": "string", "minLength": 1, "maxLength": 100 });
    assert_eq!(
        uuids["schema"],
        serde_json::json!({ "type": "array", "items": uuid, "minItems": 1 })
    );
    let path = parameter("DeviceTasks_GetTask", "taskUuid");
    assert_eq!(
        path["schema"],
        serde_json::json!({ "type": "string", "maxLength": 100, "minLength": 1 })
    );
    let size = parameter("DeviceTasks_ListTasks", "pageSize");
    assert_eq!(
        (&size["schema"]["minimum"], &size["schema"]["maximum"]),
        (&0.into(), &u32::MAX.into())
    );
    assert_eq!(size["required"], Value::Null);
    assert_eq!(parameter("DeviceTasks_ListTasks", "pageToken")["schema"]["maxLength"], 128);
    let rename = &document["components"]["schemas"]["DevicesRenameDeviceBody"]["properties"];
    assert_eq!(rename["displayName"]["minLength"], 1);

    let document = parse(added_service::OPENAPI);
    let greeting = &document["components"]["schemas"]["v1Greeting"]["properties"];
    let int32 = &greeting["int32Value"];
    assert_eq!((&int32["minimum"], &int32["maximum"]), (&i32::MIN.into(), &i32::MAX.into()));
    assert_eq!(greeting["sint64Value"]["pattern"], "^-?[0-9]{1,19}$");
    assert_eq!(greeting["longs"]["items"]["pattern"], "^-?[0-9]{1,19}$");
    assert_eq!(greeting["fixed64Value"]["pattern"], "^[0-9]{1,20}$");
}

/// Calls `look` for every object in a document.
fn walk(value: &Value, look: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| walk(value, look)),
        Value::Object(object) => {
            look(value);
            object.values().for_each(|value| walk(value, look));
        }
        _ => {}
    }
}

#[test]
fn it_holds_together() {
    for text_of in [OPENAPI, added_service::OPENAPI] {
        let document = parse(text_of);
        // Not everything in the `.proto` files of the added service has a comment.
        let is_described = |value| text_of != OPENAPI || !text(value, "description").is_empty();
        assert_eq!(text(&document, "openapi"), "3.0.3");
        assert!(!text(&document["info"], "title").is_empty());
        assert!(!text(&document["info"], "version").is_empty());
        // Every reference resolves, and every schema is used.
        let mut used = BTreeSet::new();
        walk(&document, &mut |object| {
            if let Some(reference) = object["$ref"].as_str() {
                let pointer = reference.strip_prefix('#').expect("a reference inside");
                assert!(document.pointer(pointer).is_some(), "{reference}");
                assert_eq!(members(object).count(), 1, "what stands beside {reference} is lost");
                used.insert(reference.rsplit('/').next().unwrap_or_default().to_owned());
            }
        });
        let schemas = &document["components"]["schemas"];
        assert_eq!(
            members(schemas).map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>(),
            used
        );
        for (name, schema) in members(schemas) {
            let is_good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(name.chars().all(is_good), "{name}");
            if name != "protobufAny" {
                assert!(is_described(schema), "{name}");
            }
        }
        let tags: Vec<_> = document["tags"].as_array().expect("tags").iter().collect();
        assert!(tags.iter().all(|tag| is_described(tag)));

        let (mut ids, mut shapes) = (BTreeSet::new(), BTreeSet::new());
        for (path, _) in members(&document["paths"]) {
            let shape: String = path.split(['{', '}']).step_by(2).collect::<Vec<_>>().join("{}");
            assert!(shapes.insert(shape), "{path} is there under other names");
        }
        for (path, _, operation) in operations(&document) {
            let id = text(operation, "operationId");
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let tag = &operation["tags"][0];
            assert!(tags.iter().any(|known| &known["name"] == tag), "{tag}");
            assert_eq!(tag.as_str(), id.split('_').next());
            assert!(is_described(operation), "{id}");
            // The path parameters are those in the path, and all names are unique.
            let in_path: Vec<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let mut names = BTreeSet::new();
            let mut declared = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let place = (text(parameter, "in"), text(parameter, "name"));
                assert!(names.insert(place), "{id}: {place:?}");
                if place.0 == "path" {
                    assert_eq!(parameter["required"], true, "{id}: {place:?}");
                    declared.push(place.1);
                }
            }
            assert_eq!(declared, in_path, "{id}");
            let body = &operation["requestBody"];
            assert!(body.is_null() || body["required"] == true, "{id}");
            for status in ["400", "401", "403", "404", "429", "500", "502", "503", "504", "default"]
            {
                assert_eq!(content(&operation["responses"][status]), "rpcStatus", "{id} {status}");
            }
            assert!(!text(&operation["responses"]["200"], "description").is_empty());
        }
    }
}

#[test]
fn the_router_finds_what_it_says() {
    let methods = eset_protect::rpc::METHODS.iter().chain(added_service::rpc::METHODS);
    let router = Router::new(methods.copied());
    for text_of in [OPENAPI, added_service::OPENAPI] {
        let document = parse(text_of);
        for (path, verb, operation) in operations(&document) {
            let path: Vec<_> = path
                .split(['{', '}'])
                .enumerate()
                .map(|(index, part)| if index % 2 == 0 { part } else { "1" })
                .collect();
            let route = router.route(&verb, &path.concat()).expect("good encoding");
            let route = route.unwrap_or_else(|| panic!("{verb} {}", path.concat()));
            let service = match route.spec().service {
                "eset.dotnod.incident_management.v1.Detections" => "DetectionsV1",
                "example.library.v1.Books" => "LibraryBooksV1",
                "example.library.v2.Books" => "LibraryBooks",
                "example.shop.v1.Books" => "ShopBooks",
                "odd.gen.extern.v1.HTTPThings_2x" => "HttpThings2x",
                alone => alone.rsplit('.').next().unwrap_or_default(),
            };
            let id = format!("{service}_{}", route.spec().method);
            let said = text(operation, "operationId");
            assert_eq!(said.trim_end_matches(|c: char| c.is_ascii_digit()), id);
            // A service without a host is only where the document is.
            let host = route.spec().host;
            let server = format!("https://{{region}}.{host}.eset.systems");
            let is_server = document["paths"].to_string().contains(&server);
            assert_eq!(is_server, !host.is_empty(), "{server}");
        }
    }
    // Conversely, every binding that OpenAPI supports is included.
    for (methods, text_of) in [
        (eset_protect::rpc::METHODS, OPENAPI),
        (added_service::rpc::METHODS, added_service::OPENAPI),
    ] {
        let bindings = methods.iter().flat_map(|spec| spec.http);
        let count = bindings.filter(|binding| binding.method != "NOTE").count();
        assert_eq!(operations(&parse(text_of)).len(), count);
    }
}

#[test]
fn every_kind_of_rule_and_field_has_a_form() {
    let document = parse(added_service::OPENAPI);
    let paths = &document["paths"];
    let names = |operation: &Value| -> Vec<String> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.map(|p| format!("{} {}", text(p, "name"), kind(&p["schema"]))).collect()
    };
    // A variable of several segments is written out.
    let read = &paths["/v1/books/{name}/entries/{name2}"]["get"];
    assert_eq!(
        names(read),
        ["name string", "name2 string", "number string:uint64", "isDraft boolean"]
    );
    assert_eq!(content(&read["responses"]["200"]), "v1Entry");
    let by_number = &paths["/v1/entries/{number}/{isDraft}"]["get"];
    assert_eq!(text(by_number, "operationId"), "GuestBook_ReadEntry2");
    assert_eq!(names(by_number), ["number string:uint64", "isDraft boolean", "name string"]);
    assert_eq!(content(&by_number["responses"]["200"]), "[integer:int64]");
    // A recursive message ends; maps are not supported.
    assert_eq!(
        names(&paths["/v1/shelves/{folder}:find"]["get"]),
        [
            "folder string",
            "before string:date-time",
            "warmths [GreetingWarmth]",
            "beginnings [string:byte]",
            "isRead boolean",
            "near number:double",
            "like.name string",
            "like.text string",
            "like.topics [string]",
        ]
    );
    // A nested field is in the path, and the whole message or a field is in the body.
    let write = &paths["/v1/entries/{entry.name}"];
    assert_eq!(content(&write["put"]["requestBody"]), "GuestBookWriteEntryBody");
    assert_eq!(names(&write["patch"]), ["entry.name string", "force boolean"]);
    assert_eq!(content(&write["patch"]["requestBody"]), "v1Entry");

    let greeting = &document["components"]["schemas"]["v1Greeting"]["properties"];
    for (name, expected) in [
        ("doubleValue", "number:double"),
        ("floatValue", "number:float"),
        ("int32Value", "integer:int32"),
        ("sint64Value", "string:int64"),
        ("fixed64Value", "string:uint64"),
        ("bytesValue", "string:byte"),
        ("longs", "[string:int64]"),
        ("byNumber", "map<GreetingWarmth>"),
        ("byTruth", "map<string:byte>"),
        ("byName", "map<v1Greeting>"),
        ("any", "protobufAny"),
        ("mask", "string"),
        ("wrapped", "string:int64"),
        ("inner", "v1Greeting"),
        ("actions", "CommonAllowedActions"),
    ] {
        assert_eq!(kind(&greeting[name]), expected, "{name}");
    }
    assert_eq!(greeting["value"], serde_json::json!({}));
    assert_eq!(greeting["null"]["enum"], serde_json::json!([null]));
    assert_eq!(greeting["null"]["nullable"], true);
}
