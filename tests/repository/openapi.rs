//! The OpenAPI document agrees with ESET's own documents and is consistent.

use std::collections::BTreeSet;

use eset_protect::transcode::{OPENAPI, Router};
use serde_json::Value;

/// Every operation in ESET's documents for Automation and Policy Management, of May 2026 (FACTS.md#names):
/// method, path, operationId, summary, parameters, body, response. Without what the `.proto` files do not
/// contain: the format `uuid`, limits of lengths and sizes, and the statuses of ESET's gateway. Continuation
/// lines are indented further.
const OPERATIONS: &str = "
    GET /v1/device_tasks DeviceTasks_ListTasks | List tasks | query pageSize integer:int64, query
        pageToken string | - | v1ListTasksResponse
    POST /v1/device_tasks DeviceTasks_CreateTask | Create task | - | v1CreateTaskRequest |
        v1CreateTaskResponse
    GET /v1/device_tasks/{taskUuid} DeviceTasks_GetTask | Get task | path taskUuid string | - |
        v1GetTaskResponse
    DELETE /v1/device_tasks/{taskUuid} DeviceTasks_DeleteTask | Delete task | path taskUuid string
        | - | v1DeleteTaskResponse
    GET /v1/device_tasks/{taskUuid}/runs DeviceTasks_ListTaskRuns | List task runs | path taskUuid
        string, query deviceUuid string, query listOnlyLastRuns boolean, query pageSize
        integer:int64, query pageToken string | - | v1ListTaskRunsResponse
    POST /v1/device_tasks/{taskUuid}:updateTaskTargets DeviceTasks_UpdateTaskTargets | Update task
        targets | path taskUuid string | DeviceTasksUpdateTaskTargetsBody |
        v1UpdateTaskTargetsResponse
    POST /v1/device_tasks/{taskUuid}:updateTaskTriggers DeviceTasks_UpdateTaskTriggers | Update
        task triggers | path taskUuid string | DeviceTasksUpdateTaskTriggersBody |
        v1UpdateTaskTriggersResponse
    GET /v2/policies Policies_ListPolicies | List policies | query pageSize integer:int64, query
        pageToken string | - | v2ListPoliciesResponse
    POST /v2/policies Policies_CreatePolicy | Create policy | - | v2CreatePolicyRequest |
        v2CreatePolicyResponse
    GET /v2/policies/{policyUuid} Policies_GetPolicy | Get policy | path policyUuid string | - |
        v2GetPolicyResponse
    DELETE /v2/policies/{policyUuid} Policies_DeletePolicy | Delete policy | path policyUuid string
        | - | v2DeletePolicyResponse
    GET /v2/policy-assignments PolicyAssignments_ListPolicyAssignments | List policy assignments |
        query policyUuids [string], query policyUuid string, query target.deviceUuid string, query
        target.deviceGroupUuid string, query target.subscriptionUuid string, query pageSize
        integer:int64, query pageToken string | - | v2ListPolicyAssignmentsResponse
    POST /v2/policy-assignments PolicyAssignments_AssignPolicy | Assign policy | - |
        v2AssignPolicyRequest | v2AssignPolicyResponse
    GET /v2/policy-assignments/{assignmentUuid} PolicyAssignments_GetPolicyAssignment | Get policy
        assignment | path assignmentUuid string | - | v2GetPolicyAssignmentResponse
    DELETE /v2/policy-assignments/{assignmentUuid} PolicyAssignments_UnassignPolicy | Unassign
        policy | path assignmentUuid string | - | v2UnassignPolicyResponse
    POST /v2/policy-assignments/{assignmentUuid}:updateRanking
        PolicyAssignments_UpdatePolicyAssignmentRanking | Update policy assignment ranking | path
        assignmentUuid string | PolicyAssignmentsUpdatePolicyAssignmentRankingBody |
        v2UpdatePolicyAssignmentRankingResponse
";

/// Every schema with its members, without read-only marks and in no particular order.
const SCHEMAS: &str = "
    DeviceTasksUpdateTaskTargetsBody | targets v1DeviceTaskTargets
    DeviceTasksUpdateTaskTriggersBody | triggers [v1Trigger]
    PolicyAssignmentsUpdatePolicyAssignmentRankingBody | rank integer:int64
    rpcStatus | code integer:int32, details [protobufAny], message string
    v1Action | name string, params protobufAny
    v1CreateTaskRequest | task v1DeviceTask
    v1CreateTaskResponse | task v1DeviceTask
    v1DeleteTaskResponse |
    v1DeviceTask | action v1Action, assetGroupUuid string, createTime string:date-time, description
        string, displayName string, source v1DeviceTaskSource, targets v1DeviceTaskTargets,
        triggers [v1Trigger], updateTime string:date-time, uuid string, versionId string:uint64
    v1DeviceTaskRun | deviceUuid string, endTime string:date-time, result protobufAny, startTime
        string:date-time, status v1TaskRunStatus, taskUuid string, uuid string
    v1DeviceTaskTargets | deviceGroupsUuids [string], devicesUuids [string]
    v1GetTaskResponse | task v1DeviceTask
    v1ListTaskRunsResponse | nextPageToken string, taskRuns [v1DeviceTaskRun]
    v1ListTasksResponse | nextPageToken string, tasks [v1DeviceTask]
    v1ManualTrigger | createTime string:date-time, expireTime string:date-time
    v1Trigger | manual v1ManualTrigger
    v1UpdateTaskTargetsResponse |
    v1UpdateTaskTriggersResponse |
    v2AssignPolicyRequest | assignment v2PolicyAssignment
    v2AssignPolicyResponse | assignment v2PolicyAssignment
    v2CreatePolicyRequest | policy v2Policy
    v2CreatePolicyResponse | policy v2Policy
    v2DeletePolicyResponse |
    v2FeaturePolicy | configuration protobufAny, featureId integer:int64, flags map<v2SettingFlags>
    v2GetPolicyAssignmentResponse | assignment v2PolicyAssignment
    v2GetPolicyResponse | policy v2Policy
    v2ListPoliciesResponse | nextPageToken string, policies [v2Policy]
    v2ListPolicyAssignmentsResponse | assignments [v2PolicyAssignment], nextPageToken string
    v2Policy | builtIn boolean, description string, displayName string, features [v2FeaturePolicy],
        uuid string
    v2PolicyAssignment | policyUuid string, rank integer:int64, target v2PolicyTarget, uuid string
    v2PolicyTarget | deviceGroupUuid string, deviceUuid string, subscriptionUuid string
    v2SettingFlags | applyForcefully boolean, readOnly boolean
    v2UnassignPolicyResponse |
    v2UpdatePolicyAssignmentRankingResponse |
";

/// Every enum with its default and values.
const ENUMS: &str = "
    v1DeviceTaskSource | DEVICE_TASK_SOURCE_UNSPECIFIED | DEVICE_TASK_SOURCE_UNSPECIFIED
        DEVICE_TASK_SOURCE_INTERNAL_AUTOMATION DEVICE_TASK_SOURCE_EXTERNAL_AUTOMATION
        DEVICE_TASK_SOURCE_INTERNAL_USER DEVICE_TASK_SOURCE_EXTERNAL_USER
    v1TaskRunStatus | TASK_RUN_STATUS_UNSPECIFIED | TASK_RUN_STATUS_UNSPECIFIED
        TASK_RUN_STATUS_QUEUED TASK_RUN_STATUS_RUNNING TASK_RUN_STATUS_FINISHED
        TASK_RUN_STATUS_FAILED TASK_RUN_STATUS_SUPPRESSED
";

/// The rows of a table.
fn rows(table: &str) -> BTreeSet<String> {
    let mut rows: Vec<String> = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        match rows.last_mut() {
            Some(row) if line.starts_with("        ") => {
                row.push(' ');
                row.push_str(line.trim());
            }
            _ => rows.push(line.trim().to_owned()),
        }
    }
    let count = rows.len();
    let rows: BTreeSet<_> = rows.into_iter().collect();
    assert_eq!(rows.len(), count, "a row appears twice");
    rows
}

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
fn it_has_every_operation_of_eset_and_no_other() {
    let document = parse(OPENAPI);
    let found = operations(&document).into_iter().map(|(path, verb, operation)| {
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|p| format!("{} {} {}", text(p, "in"), text(p, "name"), kind(&p["schema"])))
            .collect();
        let body = &operation["requestBody"];
        let body = if body.is_null() { "-".to_owned() } else { content(body) };
        format!(
            "{verb} {path} {} | {} | {} | {body} | {}",
            text(operation, "operationId"),
            text(operation, "summary"),
            if parameters.is_empty() { "-".to_owned() } else { parameters.join(", ") },
            content(&operation["responses"]["200"]),
        )
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), rows(OPERATIONS));
}

#[test]
fn it_has_every_schema_of_eset_and_no_other() {
    let document = parse(OPENAPI);
    let (mut objects, mut enums) = (BTreeSet::new(), BTreeSet::new());
    for (name, schema) in members(&document["components"]["schemas"]) {
        if let Some(values) = schema["enum"].as_array() {
            assert_eq!(text(schema, "type"), "string");
            let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            enums.insert(format!("{name} | {} | {}", text(schema, "default"), values.join(" ")));
        } else if name != "protobufAny" {
            assert_eq!(text(schema, "type"), "object");
            let members: Vec<_> = members(&schema["properties"])
                .map(|(name, schema)| format!("{name} {}", kind(schema)))
                .collect();
            objects.insert(format!("{name} | {}", members.join(", ")).trim_end().to_owned());
        }
    }
    assert_eq!(objects, rows(SCHEMAS));
    assert_eq!(enums, rows(ENUMS));

    let any = &document["components"]["schemas"]["protobufAny"];
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
                assert!(!text(schema, "description").is_empty(), "{name}");
            }
        }
        let tags: Vec<_> = document["tags"].as_array().expect("tags").iter().collect();
        assert!(tags.iter().all(|tag| !text(tag, "description").is_empty()));

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
            assert!(!text(operation, "description").is_empty(), "{id}");
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
                "example.library.v1.Books" => "LibraryBooksV1",
                "example.library.v2.Books" => "LibraryBooks",
                "example.shop.v1.Books" => "ShopBooks",
                alone => alone.rsplit('.').next().unwrap_or_default(),
            };
            let id = format!("{service}_{}", route.spec().method);
            let said = text(operation, "operationId");
            assert_eq!(said.trim_end_matches(|c: char| c.is_ascii_digit()), id);
            let host = format!("https://{{region}}.{}.eset.systems", route.spec().host);
            let servers = &document["paths"];
            assert!(servers.to_string().contains(&host), "{host}");
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
