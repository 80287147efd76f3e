//! Mistakes are found before anything is sent.

mod params;
mod settings;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eset_protect::automation::v1::trigger::Kind;
use eset_protect::automation::v1::{
    Action, CreateTaskRequest, DeviceTask, DeviceTaskTargets, GetTaskRequest, ListTaskRunsRequest,
    ListTasksRequest, ManualTrigger, Trigger, UpdateTaskTargetsRequest, UpdateTaskTriggersRequest,
};
use eset_protect::check::{Check, Problem, ProblemKind, Problems};
use eset_protect::params::{
    ACTIONS, ApplyApplicationPatchRequest, GRPC_ACTIONS, KillProcessByPidRequest, KnownAction,
    OnDemandScan, PolicyData, RunCommand, SoftwareUninstallation, on_demand_scan::ScanProfile,
};
use eset_protect::policy_management::v2::{
    AssignPolicyRequest, CreatePolicyRequest, FeaturePolicy, ListPolicyAssignmentsRequest, Policy,
    PolicyAssignment, PolicyTarget, UpdatePolicyAssignmentRankingRequest,
};
use eset_protect::protojson::Writer;
use eset_protect::wkt::{Any, Timestamp, TypeRegistry};
use eset_protect::{device_management, incident_management};

const DEVICE: &str = "123e4567-e89b-12d3-a456-426614174000";
const SETTINGS: &[u8] = br#"{"policy":{"format":"1","data":{}}}"#;
const PRODUCT: &str = "eset.local.products.endpoint";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_900_000_000)
}

fn task(action: Action) -> DeviceTask {
    DeviceTask {
        display_name: "Task".into(),
        action: Some(action),
        targets: Some(DeviceTaskTargets::devices([DEVICE])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

fn policy(configuration: Any) -> Policy {
    let feature = FeaturePolicy {
        feature_id: FeaturePolicy::LEGACY_FEATURE_ID,
        configuration: Some(configuration),
        ..Default::default()
    };
    Policy { display_name: "Policy".into(), features: vec![feature], ..Default::default() }
}

fn problems(message: &impl Check) -> Vec<Problem> {
    message.check(now()).map_or_else(|problems| problems.into_iter().collect(), |()| Vec::new())
}

/// Returns the only problem: its kind, field and suggestion.
#[track_caller]
fn one(message: &impl Check) -> (ProblemKind, String, Option<String>) {
    let problems = problems(message);
    assert_eq!(problems.len(), 1, "{problems:?}");
    let Problem { kind, field, suggestion, .. } = problems.into_iter().next().unwrap();
    (kind, field, suggestion)
}

#[track_caller]
fn assert_one(message: &impl Check, kind: ProblemKind, field: &str, suggestion: Option<&str>) {
    assert_eq!(one(message), (kind, field.to_owned(), suggestion.map(str::to_owned)));
}

fn any(json: &str) -> Any {
    serde_json::from_str(json).unwrap()
}

/// Builds params from JSON, with a type URL that has no host.
fn params(type_name: &str, members: &str) -> Any {
    any(&format!(r#"{{"@type":"type.googleapis.com/{type_name}"{members}}}"#))
}

#[test]
fn the_constructors_and_the_list_agree() {
    assert_eq!(ACTIONS.len(), 13);
    let registry = TypeRegistry::default();
    for known in ACTIONS {
        assert!(known.params_type().is_none_or(|name| registry.contains(&name)), "{known:?}");
        assert!(known.about().ends_with('.'), "{known:?}");
        assert_eq!(KnownAction::find(known.name()).unwrap().name(), known.name());
    }
    assert_eq!(Action::stop_managing().name, "StopManaging");
    let scan = Action::on_demand_scan(OnDemandScan::default());
    let known = KnownAction::find(&scan.name).unwrap();
    assert_eq!(scan.params.unwrap().type_name(), known.params_type().unwrap());
    assert!(KnownAction::find("ondemandscan").is_none());
}

#[test]
fn good_tasks_have_no_problems() {
    let mut good: Vec<_> =
        ACTIONS.iter().filter(|known| known.params_type().is_none()).map(|k| k.name()).collect();
    good.extend(GRPC_ACTIONS);
    // The params may be omitted: every field has a default.
    good.extend(["OnDemandScan", "ShutdownComputer", "SystemUpdate", "InitiateVulnerabilityScan"]);
    for name in good {
        assert_eq!(problems(&task(Action::new(name))), [], "{name}");
    }
    let actions = [
        Action::run_command(RunCommand::new("dir")),
        Action::on_demand_scan(OnDemandScan {
            scan_profile: Some(ScanProfile::Custom.into()),
            custom_profile_name: Some("mine".into()),
            ..Default::default()
        }),
        Action::kill_process_by_pid(KillProcessByPidRequest {
            pid: 4,
            executable_hash_sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709".into(),
            ..Default::default()
        }),
        Action::apply_application_patch(ApplyApplicationPatchRequest {
            application_uuid: DEVICE.into(),
        }),
        Action::software_uninstallation(SoftwareUninstallation {
            use_opswat: Some(true),
            ..Default::default()
        }),
    ];
    for action in actions {
        assert_eq!(problems(&task(action.clone())), [], "{action:?}");
        assert_eq!(problems(&CreateTaskRequest { task: Some(task(action)) }), []);
    }
    // From ESET's page.
    let example = params(
        "Era.Common.DataDefinition.Task.ESS.OnDemandScan",
        r#","scanProfile":"InDepth","customProfileName":"","scanTargets":[""],"cleaningEnabled":false,
        "shutdownEnabled":false,"shutdownLocked":false,
        "powerActions":{"cancelAction":false,"postpone":"Cannot"}"#,
    );
    let action = Action { name: "OnDemandScan".into(), params: Some(example) };
    assert_eq!(problems(&task(action)), []);
}

#[test]
fn names_targets_and_triggers() {
    use ProblemKind::{Refused, Wrong};
    let good = task(Action::stop_managing());
    for name in ["", " \t"] {
        let nameless = DeviceTask { display_name: name.into(), ..good.clone() };
        assert_one(&nameless, Wrong, "display_name", None);
    }
    for targets in [None, Some(DeviceTaskTargets::default())] {
        assert_one(&DeviceTask { targets, ..good.clone() }, Wrong, "targets", None);
    }
    let groups = DeviceTaskTargets::groups(["a", "b c"]);
    let task = DeviceTask { targets: Some(groups), ..good.clone() };
    assert_one(&task, Refused, "targets.device_groups_uuids[1]", None);

    let triggered = |triggers| DeviceTask { triggers, ..good.clone() };
    let manual = |expire_time| {
        let manual = ManualTrigger { create_time: None, expire_time };
        Trigger { kind: Some(Kind::Manual(manual)) }
    };
    let later = |seconds| Timestamp::from(now() + Duration::from_secs(seconds));
    assert_eq!(problems(&triggered(vec![manual(Some(later(1)))])), []);
    assert_one(&triggered(vec![]), Refused, "triggers", None);
    let unset = triggered(vec![manual(None), Trigger::default()]);
    assert_one(&unset, Refused, "triggers[1].manual", None);
    let passed = triggered(vec![manual(Some(later(0)))]);
    assert_one(&passed, Wrong, "triggers[0].manual.expire_time", None);
    let text = passed.check(now()).unwrap_err().to_string();
    assert_eq!(
        text,
        "triggers[0].manual.expire_time: expected a time in the future; it is \
         2030-03-17T17:46:40Z now, found \"2030-03-17T17:46:40Z\""
    );
    let nonsense = Timestamp { seconds: i64::MAX, nanos: -1 };
    let found = problems(&triggered(vec![manual(Some(nonsense))]));
    assert_eq!(found[0].field, "triggers[0].manual.expire_time");
    assert_eq!(found[0].kind, Refused);
}

#[test]
fn a_uuid_is_opaque_but_not_a_list() {
    let get = |uuid: &str| GetTaskRequest { task_uuid: uuid.into() };
    for good in [DEVICE, "a", "device-1", "x/y", "0x_~.!", "ž", &"ž".repeat(100)] {
        assert_eq!(problems(&get(good)), [], "{good}");
    }
    for (bad, meant) in [
        ("", None),
        ("a,b", None),
        ("a b", None),
        ("a;b", None),
        ("{a}", Some("a")),
        (" a\n", Some("a")),
        ("\"a\"", Some("a")),
        ("[a]", Some("a")),
        (",", None),
        (&*"x".repeat(101), None),
    ] {
        assert_one(&get(bad), ProblemKind::Refused, "task_uuid", meant);
    }
}

#[test]
fn policies() {
    use ProblemKind::{Refused, Unknown, Wrong};
    let data = |data: &[u8], product: &str| {
        policy(Any::pack(&PolicyData {
            data: Some(data.to_vec().into()),
            product: Some(product.into()),
        }))
    };
    let at = |name: &str| format!("features[0].configuration{name}");
    assert_eq!(problems(&data(SETTINGS, PRODUCT)), []);
    let nested = base64_simd::STANDARD.encode_to_string(SETTINGS);
    assert_eq!(problems(&data(nested.as_bytes(), PRODUCT)), []);
    assert_one(&data(SETTINGS, ""), Wrong, &at(".product"), None);
    assert_one(&data(b"", PRODUCT), Wrong, &at(".data"), None);
    assert_one(&data(b"settings", PRODUCT), Unknown, &at(".data"), None);
    let export = format!("header\n{nested}{PRODUCT}\n");
    assert_one(&data(export.as_bytes(), PRODUCT), Wrong, &at(".data"), None);
    assert_one(&policy(Any::pack(&RunCommand::new("x"))), Refused, &at(""), None);
    let good = data(SETTINGS, PRODUCT);
    let without = FeaturePolicy { configuration: None, ..good.features[0].clone() };
    let without = Policy { features: vec![without], ..good.clone() };
    assert_one(&without, Wrong, &at(""), None);
    assert_one(
        &Policy { display_name: String::new(), ..good.clone() },
        Wrong,
        "display_name",
        None,
    );
    let typo = params(
        "Era.Common.DataDefinition.Policy.PolicyData",
        r#","data":"eyJwb2xpY3kiOnsiZm9ybWF0IjoiMSIsImRhdGEiOnt9fX0=","product":"a.b","dat":1"#,
    );
    assert_one(&policy(typo), Unknown, &at(".dat"), Some("data"));
    let newer = FeaturePolicy {
        feature_id: 7,
        configuration: Some(params("eset.v9.Newer", r#","x":1"#)),
        ..Default::default()
    };
    let twice = Policy { features: vec![newer.clone(), newer], ..good.clone() };
    let fields: Vec<_> = problems(&twice).into_iter().map(|p| (p.kind, p.field)).collect();
    let expected = [
        (Refused, "features[1].feature_id"),
        (Unknown, "features[0].configuration.@type"),
        (Unknown, "features[1].configuration.@type"),
    ];
    assert_eq!(fields, expected.map(|(kind, field)| (kind, field.to_owned())));
    let request = CreatePolicyRequest { policy: Some(Policy { features: vec![], ..good }) };
    assert_eq!(problems(&request), []);
    assert_one(&CreatePolicyRequest::default(), Refused, "policy", None);
}

#[test]
fn the_other_requests() {
    use ProblemKind::Refused;
    let assignment = PolicyAssignment {
        policy_uuid: "p".into(),
        target: Some(PolicyTarget::device_group("a,b")),
        ..Default::default()
    };
    let request = AssignPolicyRequest { assignment: Some(assignment.clone()) };
    assert_one(&request, Refused, "assignment.target.device_group_uuid", None);
    let assignment = PolicyAssignment { target: None, ..assignment };
    assert_one(&assignment, Refused, "target", None);
    let rank = UpdatePolicyAssignmentRankingRequest { assignment_uuid: "a".into(), rank: 0 };
    assert_one(&rank, Refused, "rank", None);
    assert_eq!(problems(&ListPolicyAssignmentsRequest::default()), []);
    let list = ListPolicyAssignmentsRequest {
        policy_uuids: vec!["a".into(), "b,c".into()],
        ..Default::default()
    };
    assert_one(&list, Refused, "policy_uuids[1]", None);
    let list = ListTasksRequest { page_token: "x".repeat(129), ..Default::default() };
    assert_one(&list, Refused, "page_token", None);
    let runs = ListTaskRunsRequest { device_uuid: "a b".into(), ..Default::default() };
    assert_eq!(problems(&runs).len(), 2);
    let targets = UpdateTaskTargetsRequest { task_uuid: "t".into(), targets: None };
    assert_one(&targets, Refused, "targets", None);
    let none = UpdateTaskTargetsRequest { targets: Some(Default::default()), ..targets };
    assert_eq!(problems(&none), []);
    let triggers = UpdateTaskTriggersRequest { task_uuid: "t".into(), triggers: vec![] };
    assert_one(&triggers, Refused, "triggers", None);
}

/// No service needs rules for what its schema says.
#[test]
fn requests_of_every_service_are_checked_by_their_schema() {
    use ProblemKind::Refused;
    let fields = |message: &dyn Check| match message.check(now()) {
        Ok(()) => vec![],
        Err(problems) => problems.into_iter().map(|p| (p.kind, p.field)).collect(),
    };
    let refused = |name: &str| (Refused, name.to_owned());
    let rename = device_management::v1::RenameDeviceRequest::default();
    assert_eq!(fields(&rename), [refused("device_uuid"), refused("display_name")]);
    let get = device_management::v1::BatchGetDevicesRequest {
        devices_uuids: vec!["a".into(), "b c".into()],
    };
    assert_eq!(fields(&get), [refused("devices_uuids[1]")]);
    let update = incident_management::v2::UpdateIncidentBasicAttributesRequest {
        incident_uuid: "i".into(),
        assignee_uuid: "a,b".into(),
        ..Default::default()
    };
    assert_eq!(fields(&update), [refused("assignee_uuid")]);
    let create = incident_management::v2::CreateEdrRuleRequest { rule: Some(Default::default()) };
    assert_eq!(fields(&create), [refused("rule.xml_definition")]);
}

#[test]
fn unknown_things_can_be_allowed_and_wrong_ones_not() {
    let unknown = task(Action::new("Newer")).check(now()).unwrap_err();
    assert!(unknown.allow_unknown().is_ok());
    let both = DeviceTask { display_name: String::new(), ..task(Action::new("Newer")) };
    let both = both.check(now()).unwrap_err();
    assert_eq!(both.iter().count(), 2);
    let rest = both.allow_unknown().unwrap_err();
    let fields: Vec<_> = rest.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["display_name"]);
}

#[test]
fn problems_are_bounded_and_printed_safely() {
    let uuids = (0..10_000).map(|number| format!("{number},"));
    let targets = Some(DeviceTaskTargets::devices(uuids));
    let many = DeviceTask { targets, ..task(Action::stop_managing()) };
    assert_eq!(many.check(now()).unwrap_err().iter().count(), Problems::MAX);
    let long = task(Action::new("x\u{1b}[31m".repeat(10_000)));
    let text = long.check(now()).unwrap_err().to_string();
    assert!(text.len() < 1000 && !text.contains('\u{1b}'), "{text}");
}

/// The user's own types are known inside the scope of their registry.
#[test]
fn added_types_are_known() {
    let registry = added_service::types::register(TypeRegistry::default());
    let message = added_service::proto::example::greeter::v1::GreetRequest::default();
    let task = task(Action::with_params(GRPC_ACTIONS[0], &message));
    assert_eq!(problems(&task).len(), 1);
    let inside = Writer::new().registry(registry).scope(|| problems(&task));
    assert_eq!(inside, []);
}
