//! What ESET documents (FACTS.md#automation, FACTS.md#policy-management; ESET's OpenAPI documents of May
//! 2026).

use super::*;

/// Service and RPC, verb, path, query parameters, and the schemas of the body and response. JSON names.
const OPERATIONS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "DeviceTasks/ListTasks",
        "GET /v1/device_tasks",
        "pageSize pageToken",
        "",
        "ListTasksResponse",
    ),
    ("DeviceTasks/CreateTask", "POST /v1/device_tasks", "", "task", "CreateTaskResponse"),
    ("DeviceTasks/GetTask", "GET /v1/device_tasks/{taskUuid}", "", "", "GetTaskResponse"),
    ("DeviceTasks/DeleteTask", "DELETE /v1/device_tasks/{taskUuid}", "", "", "DeleteTaskResponse"),
    (
        "DeviceTasks/ListTaskRuns",
        "GET /v1/device_tasks/{taskUuid}/runs",
        "deviceUuid listOnlyLastRuns pageSize pageToken",
        "",
        "ListTaskRunsResponse",
    ),
    (
        "DeviceTasks/UpdateTaskTargets",
        "POST /v1/device_tasks/{taskUuid}:updateTaskTargets",
        "",
        "targets",
        "UpdateTaskTargetsResponse",
    ),
    (
        "DeviceTasks/UpdateTaskTriggers",
        "POST /v1/device_tasks/{taskUuid}:updateTaskTriggers",
        "",
        "triggers",
        "UpdateTaskTriggersResponse",
    ),
    ("Policies/ListPolicies", "GET /v2/policies", "pageSize pageToken", "", "ListPoliciesResponse"),
    ("Policies/CreatePolicy", "POST /v2/policies", "", "policy", "CreatePolicyResponse"),
    ("Policies/GetPolicy", "GET /v2/policies/{policyUuid}", "", "", "GetPolicyResponse"),
    ("Policies/DeletePolicy", "DELETE /v2/policies/{policyUuid}", "", "", "DeletePolicyResponse"),
    (
        "PolicyAssignments/ListPolicyAssignments",
        "GET /v2/policy-assignments",
        "pageSize pageToken policyUuid policyUuids target.deviceGroupUuid target.deviceUuid target.subscriptionUuid",
        "",
        "ListPolicyAssignmentsResponse",
    ),
    (
        "PolicyAssignments/AssignPolicy",
        "POST /v2/policy-assignments",
        "",
        "assignment",
        "AssignPolicyResponse",
    ),
    (
        "PolicyAssignments/GetPolicyAssignment",
        "GET /v2/policy-assignments/{assignmentUuid}",
        "",
        "",
        "GetPolicyAssignmentResponse",
    ),
    (
        "PolicyAssignments/UnassignPolicy",
        "DELETE /v2/policy-assignments/{assignmentUuid}",
        "",
        "",
        "UnassignPolicyResponse",
    ),
    (
        "PolicyAssignments/UpdatePolicyAssignmentRanking",
        "POST /v2/policy-assignments/{assignmentUuid}:updateRanking",
        "",
        "rank",
        "UpdatePolicyAssignmentRankingResponse",
    ),
];

const AUTOMATION: &str = "eset.dotnod.automation.v1";
const POLICIES: &str = "eset.dotnod.policy_management.v2";
const RPC: &str = "google.rpc";

/// Package, schema, and members with their OpenAPI types, `type:format`.
const SCHEMAS: &[(&str, &str, &str)] = &[
    (AUTOMATION, "Action", "name=string params=Any"),
    (AUTOMATION, "CreateTaskRequest", "task=DeviceTask"),
    (AUTOMATION, "CreateTaskResponse", "task=DeviceTask"),
    (AUTOMATION, "DeleteTaskResponse", ""),
    (
        AUTOMATION,
        "DeviceTask",
        "action=Action assetGroupUuid=string createTime=string:date-time \
        description=string displayName=string source=DeviceTaskSource targets=DeviceTaskTargets \
        triggers=[Trigger] updateTime=string:date-time uuid=string versionId=string:uint64",
    ),
    (
        AUTOMATION,
        "DeviceTaskRun",
        "deviceUuid=string endTime=string:date-time result=Any \
        startTime=string:date-time status=TaskRunStatus taskUuid=string uuid=string",
    ),
    (AUTOMATION, "DeviceTaskTargets", "deviceGroupsUuids=[string] devicesUuids=[string]"),
    (AUTOMATION, "GetTaskResponse", "task=DeviceTask"),
    (AUTOMATION, "ListTaskRunsResponse", "nextPageToken=string taskRuns=[DeviceTaskRun]"),
    (AUTOMATION, "ListTasksResponse", "nextPageToken=string tasks=[DeviceTask]"),
    (AUTOMATION, "ManualTrigger", "createTime=string:date-time expireTime=string:date-time"),
    (AUTOMATION, "Trigger", "manual=ManualTrigger"),
    (AUTOMATION, "UpdateTaskTargetsResponse", ""),
    (AUTOMATION, "UpdateTaskTriggersResponse", ""),
    (POLICIES, "AssignPolicyRequest", "assignment=PolicyAssignment"),
    (POLICIES, "AssignPolicyResponse", "assignment=PolicyAssignment"),
    (POLICIES, "CreatePolicyRequest", "policy=Policy"),
    (POLICIES, "CreatePolicyResponse", "policy=Policy"),
    (POLICIES, "DeletePolicyResponse", ""),
    (
        POLICIES,
        "FeaturePolicy",
        "configuration=Any featureId=integer:int64 flags=map<SettingFlags>",
    ),
    (POLICIES, "GetPolicyAssignmentResponse", "assignment=PolicyAssignment"),
    (POLICIES, "GetPolicyResponse", "policy=Policy"),
    (POLICIES, "ListPoliciesResponse", "nextPageToken=string policies=[Policy]"),
    (
        POLICIES,
        "ListPolicyAssignmentsResponse",
        "assignments=[PolicyAssignment] nextPageToken=string",
    ),
    (
        POLICIES,
        "Policy",
        "builtIn=boolean description=string displayName=string features=[FeaturePolicy] \
        uuid=string",
    ),
    (
        POLICIES,
        "PolicyAssignment",
        "policyUuid=string rank=integer:int64 target=PolicyTarget uuid=string",
    ),
    (POLICIES, "PolicyTarget", "deviceGroupUuid=string deviceUuid=string subscriptionUuid=string"),
    (POLICIES, "SettingFlags", "applyForcefully=boolean readOnly=boolean"),
    (POLICIES, "UnassignPolicyResponse", ""),
    (POLICIES, "UpdatePolicyAssignmentRankingResponse", ""),
    (RPC, "Status", "code=integer:int32 details=[Any] message=string"),
];

const ENUMS: &[(&str, &str)] = &[
    (
        "eset.dotnod.automation.v1.DeviceTaskSource",
        "DEVICE_TASK_SOURCE_UNSPECIFIED \
        DEVICE_TASK_SOURCE_INTERNAL_AUTOMATION DEVICE_TASK_SOURCE_EXTERNAL_AUTOMATION \
        DEVICE_TASK_SOURCE_INTERNAL_USER DEVICE_TASK_SOURCE_EXTERNAL_USER",
    ),
    (
        "eset.dotnod.automation.v1.TaskRunStatus",
        "TASK_RUN_STATUS_UNSPECIFIED TASK_RUN_STATUS_QUEUED \
        TASK_RUN_STATUS_RUNNING TASK_RUN_STATUS_FINISHED TASK_RUN_STATUS_FAILED \
        TASK_RUN_STATUS_SUPPRESSED",
    ),
    (
        "Era.Common.DataDefinition.Common.AllowedActions.Postpone",
        "Cannot OneHour ThreeHours FiveHours \
        OneDay ThreeDays SevenDays FifteenDays TwentyDays ThirtyDays",
    ),
    (
        "Era.Common.DataDefinition.Task.ESS.OnDemandScan.ScanProfile",
        "InDepth Smart ContextMenu MyProfile \
        Custom",
    ),
];

/// Types used inside an `Any`, with their members (FACTS.md#actions). All scalars of `Era.*` have presence.
const PARAMS: &[(&str, &str)] = &[
    (
        "Era.Common.DataDefinition.Task.ESS.OnDemandScan",
        "cleaningEnabled=boolean customProfileName=string \
        powerActions=AllowedActions scanProfile=ScanProfile scanTargets=[string] shutdownEnabled=boolean \
        shutdownLocked=boolean",
    ),
    (
        "Era.Common.DataDefinition.Task.OS.ShutdownComputer",
        "actions=AllowedActions restart=boolean",
    ),
    (
        "Era.Common.DataDefinition.Task.OS.SystemUpdate",
        "acceptEula=boolean allowReboot=boolean \
        installOptionalUpdates=boolean rebootActions=AllowedActions",
    ),
    ("Era.Common.DataDefinition.Task.OS.RunCommand", "commandLine=string currentDirectory=string"),
    (
        "Era.Common.DataDefinition.Task.OS.SoftwareUninstallation",
        "allowReboot=boolean parameters=string \
        rebootActions=AllowedActions softwareName=string softwareVersion=string useOpswat=boolean",
    ),
    ("Era.Common.DataDefinition.Common.AllowedActions", "cancelAction=boolean postpone=Postpone"),
    ("Era.Common.DataDefinition.Policy.PolicyData", "data=string:byte product=string"),
    (
        "eset.dotnod.os_integration.v1.KillProcessByPidRequest",
        "executableHashSha1=string \
        executableHashSha2_256=string pid=integer:int64",
    ),
    ("eset.dotnod.vulnerability_management.v1.ScanRequest", ""),
    ("eset.dotnod.patch_management.v1.ApplyApplicationPatchRequest", "application_uuid=string"),
];

/// Returns a message in the form of ESET's OpenAPI documents, with sorted members.
fn schema(message: &MessageDescriptor) -> String {
    let fields: BTreeMap<_, _> = message
        .fields()
        .map(|field| (field.json_name().to_owned(), open_api_type(&field)))
        .collect();
    let fields: Vec<_> = fields.into_iter().map(|(name, kind)| format!("{name}={kind}")).collect();
    fields.join(" ")
}

fn open_api_type(field: &prost_reflect::FieldDescriptor) -> String {
    let one = |kind: &Kind| match kind {
        Kind::String => "string".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::Bytes => "string:byte".to_owned(),
        Kind::Uint64 => "string:uint64".to_owned(),
        Kind::Uint32 => "integer:int64".to_owned(),
        Kind::Int32 => "integer:int32".to_owned(),
        Kind::Enum(enumeration) => enumeration.name().to_owned(),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            "string:date-time".to_owned()
        }
        Kind::Message(message) => message.name().to_owned(),
        other => panic!("OpenAPI has no {other:?} here"),
    };
    let kind = field.kind();
    match kind.as_message().filter(|message| message.is_map_entry()) {
        Some(entry) => format!("map<{}>", one(&entry.map_entry_value_field().kind())),
        None if field.is_list() => format!("[{}]", one(&kind)),
        None => one(&kind),
    }
}

fn sorted(words: &str) -> String {
    let mut words: Vec<_> = words.split_whitespace().collect();
    words.sort_unstable();
    words.join(" ")
}

#[test]
fn operations_are_as_documented() {
    let mut documented = BTreeSet::new();
    for (name, rule, query, body, answer) in OPERATIONS {
        let (service, rpc) = name.split_once('/').unwrap();
        let package = if service == "DeviceTasks" { AUTOMATION } else { POLICIES };
        let method = methods()
            .find(|method| method.full_name() == format!("{package}.{service}.{rpc}"))
            .unwrap_or_else(|| panic!("no {name}"));
        documented.insert(method.full_name().to_owned());
        let found = Rule::of(&method).unwrap();

        // The path with JSON names for its variables.
        let request = method.input();
        let mut path = found.path.clone();
        let mut left: Vec<_> = request.fields().collect();
        left.retain(|field| {
            let variable = format!("{{{}}}", field.name());
            let bound = path.contains(&variable);
            path = path.replace(&variable, &format!("{{{}}}", field.json_name()));
            !bound
        });
        assert_eq!(format!("{} {path}", found.verb), *rule, "{name}");
        assert_eq!(found.additional, [], "{name}");
        assert_eq!(found.response_body, "", "{name}");

        // Fields that the path does not bind are the body, or otherwise the query, with messages split into
        // members.
        let names = if found.body == "*" {
            left.iter().map(|field| field.json_name().to_owned()).collect::<Vec<_>>()
        } else {
            left.iter().flat_map(query_names).collect()
        };
        let expected = if found.body == "*" { body } else { query };
        assert_eq!(sorted(&names.join(" ")), sorted(expected), "{name}");
        assert_eq!(method.output().full_name(), format!("{package}.{answer}"), "{name}");
        assert!(!method.is_client_streaming() && !method.is_server_streaming(), "{name}");
    }
    // Those of the other packages are in `tests/golden/surface.txt`.
    let all = methods()
        .filter(|method| [AUTOMATION, POLICIES].contains(&method.parent_service().package_name()));
    assert_eq!(documented, all.map(|method| method.full_name().to_owned()).collect());
}

fn query_names(field: &prost_reflect::FieldDescriptor) -> Vec<String> {
    match field.kind() {
        Kind::Message(message) => message
            .fields()
            .map(|inner| format!("{}.{}", field.json_name(), inner.json_name()))
            .collect(),
        _ => vec![field.json_name().to_owned()],
    }
}

#[test]
fn schemas_are_as_documented() {
    for (package, name, members) in SCHEMAS {
        let full_name = format!("{package}.{name}");
        let message =
            POOL.get_message_by_name(&full_name).unwrap_or_else(|| panic!("no {full_name}"));
        assert_eq!(schema(&message), sorted(members), "{full_name}");
    }
    // Both packages contain nothing else except the requests that OpenAPI splits into parameters.
    for message in POOL.all_messages() {
        let package = message.package_name();
        if [AUTOMATION, POLICIES].contains(&package) && !message.is_map_entry() {
            let known = SCHEMAS.iter().any(|(p, name, _)| (*p, *name) == (package, message.name()));
            assert!(known || message.name().ends_with("Request"), "{}", message.full_name());
        }
    }
}

#[test]
fn enums_are_as_documented() {
    let names = |enumeration: &EnumDescriptor| -> Vec<String> {
        enumeration.values().map(|value| value.name().to_owned()).collect()
    };
    for (name, values) in ENUMS {
        let enumeration = POOL.get_enum_by_name(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(names(&enumeration), values.split_whitespace().collect::<Vec<_>>(), "{name}");
        for (number, value) in (0..).zip(enumeration.values()) {
            assert_eq!(value.number(), number, "{}", value.full_name());
        }
    }
}

#[test]
fn params_are_as_documented() {
    for (name, members) in PARAMS {
        let message = POOL.get_message_by_name(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(schema(&message), sorted(members), "{name}");
        assert!(TypeRegistry::default().contains(name), "{name}");
        for field in message.fields().filter(|field| name.starts_with("Era.") && !field.is_list()) {
            assert!(field.supports_presence(), "{}", field.full_name());
        }
    }
}

#[test]
fn type_urls_are_esets() {
    use eset_protect::proto::era::common::data_definition::{policy, task};
    use eset_protect::proto::eset::dotnod;
    use prost::Name;
    let era = "type.googleapis.com/Era.Common.DataDefinition";
    let nod = "type.googleapis.com/eset.dotnod";
    for (found, expected) in [
        (task::ess::OnDemandScan::type_url(), format!("{era}.Task.ESS.OnDemandScan")),
        (task::os::ShutdownComputer::type_url(), format!("{era}.Task.OS.ShutdownComputer")),
        (task::os::SystemUpdate::type_url(), format!("{era}.Task.OS.SystemUpdate")),
        (task::os::RunCommand::type_url(), format!("{era}.Task.OS.RunCommand")),
        (
            task::os::SoftwareUninstallation::type_url(),
            format!("{era}.Task.OS.SoftwareUninstallation"),
        ),
        (policy::PolicyData::type_url(), format!("{era}.Policy.PolicyData")),
        (
            dotnod::os_integration::v1::KillProcessByPidRequest::type_url(),
            format!("{nod}.os_integration.v1.KillProcessByPidRequest"),
        ),
        (
            dotnod::vulnerability_management::v1::ScanRequest::type_url(),
            format!("{nod}.vulnerability_management.v1.ScanRequest"),
        ),
        (
            dotnod::patch_management::v1::ApplyApplicationPatchRequest::type_url(),
            format!("{nod}.patch_management.v1.ApplyApplicationPatchRequest"),
        ),
    ] {
        assert_eq!(found, expected);
    }
}
