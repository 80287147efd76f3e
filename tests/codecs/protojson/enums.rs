//! Enums stay open.

use super::*;

fn run(status: i32) -> DeviceTaskRun {
    DeviceTaskRun { status, ..Default::default() }
}

/// Within one registry that remembers names JSON comes back as it was.
#[track_caller]
fn comes_back<M: JsonMessage>(registry: &TypeRegistry, json: &str) -> M {
    let reader = Reader::new().registry(registry.clone());
    let message: M = reader.read(json.as_bytes()).unwrap();
    let written = Writer::new().strict(true).registry(registry.clone()).write(&message).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), json);
    message
}

#[test]
fn an_enum_number_without_a_name_is_a_number() {
    for number in [6, 77, i32::MAX, -1, i32::MIN] {
        both_ways(&format!(r#"{{"status":{number}}}"#), &run(number));
    }
    both_ways(r#"{"status":"TASK_RUN_STATUS_FAILED"}"#, &run(4));
    for json in ["4", "4.0", "4e0", r#""4""#, r#""TASK_RUN_STATUS_FAILED""#] {
        assert_eq!(read::<DeviceTaskRun>(&format!(r#"{{"status":{json}}}"#)), run(4));
    }
    for json in ["4.5", "2147483648", "true", "[]", "{}", "1e400"] {
        let error = error::<DeviceTaskRun>(&format!(r#"{{"status":{json}}}"#));
        assert!(error.contains("status") || json == "1e400", "{error}");
    }
}

#[test]
fn an_empty_enum_name_is_an_unknown_one() {
    let json = r#"{"taskRuns":[{"uuid":"a"},{"uuid":"b","status":""},{"uuid":"c"}]}"#;
    let list: ListTaskRunsResponse = read(json);
    assert!(list.task_runs[1].status < 0, "no value of the enum");
    comes_back::<ListTaskRunsResponse>(&TypeRegistry::default().remember_enum_names(), json);
    assert!(strict_error::<ListTaskRunsResponse>(json).contains("`taskRuns[1].status`"));
}

#[test]
fn an_unknown_enum_name_is_a_number_of_its_own() {
    let json = r#"{"status":"TASK_RUN_STATUS_PAUSED"}"#;
    let message: DeviceTaskRun = read(json);
    // The documented number, also on the gRPC wire: i32::MIN | FNV-1a-32 of the name.
    let hash = "TASK_RUN_STATUS_PAUSED"
        .bytes()
        .fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    let number = i32::MIN | hash.cast_signed();
    assert_eq!(message.status, number);
    assert_eq!(TaskRunStatus::try_from(number).ok(), None, "it is no value of the enum");
    assert_eq!(unrecognized_enum_number("TASK_RUN_STATUS_PAUSED"), number);
    assert_eq!(write(&message), format!(r#"{{"status":{number}}}"#), "nobody remembers the name");
    let sent = prost::Message::encode_to_vec(&message);
    let received: DeviceTaskRun = prost::Message::decode(sent.as_slice()).unwrap();
    assert_eq!(received.status, number);
    assert!(read::<DeviceTaskRun>(r#"{"status":"task_run_status_failed"}"#).status < 0);
}

#[test]
fn a_registry_remembers_unknown_enum_names() {
    let registry = TypeRegistry::default().remember_enum_names();
    let json = r#"{"status":"TASK_RUN_STATUS_PAUSED"}"#;
    let message: DeviceTaskRun = comes_back(&registry, json);
    assert_eq!(message, read(json), "the number is the documented one");
    // The same unknown name in two enums counts as two names.
    comes_back::<DeviceTask>(&registry, r#"{"source":"TASK_RUN_STATUS_PAUSED"}"#);
    // Clones share what is remembered, others know nothing of it.
    let write = |registry: TypeRegistry| {
        String::from_utf8(Writer::new().registry(registry).write(&message).unwrap()).unwrap()
    };
    assert_eq!(write(registry.clone()), json);
    let number = format!(r#"{{"status":{}}}"#, message.status);
    assert_eq!(write(TypeRegistry::default().remember_enum_names()), number);
    assert_eq!(registry.scope(|| serde_json::to_string(&message).unwrap()), json);
    assert_eq!(serde_json::to_string(&message).unwrap(), number);
}

#[test]
fn two_names_with_one_number_stay_two_names() {
    // FNV-1a-32 gives both the same.
    assert_eq!(unrecognized_enum_number("costarring"), unrecognized_enum_number("liquid"));
    let registry = TypeRegistry::default().remember_enum_names();
    let json =
        r#"{"taskRuns":[{"status":"costarring"},{"status":"liquid"},{"status":"costarring"}]}"#;
    comes_back::<ListTaskRunsResponse>(&registry, json);
}

#[test]
fn one_unknown_enum_name_fails_no_list() {
    let json = r#"{"taskRuns":[{"status":"TASK_RUN_STATUS_FAILED"},{"status":"NEWER"},{}]}"#;
    let list: ListTaskRunsResponse = read(json);
    assert_eq!(list.task_runs.len(), 3);
    assert_eq!(list.task_runs[0].status(), TaskRunStatus::Failed);
    assert_eq!(list.task_runs[1].status(), TaskRunStatus::Unspecified, "prost's view of it");
    assert_ne!(list.task_runs[1].status, TaskRunStatus::Unspecified as i32);
    assert_eq!(read::<ListTaskRunsResponse>(&write(&list)), list);
    let problem = Reader::new().strict(true).read::<ListTaskRunsResponse>(json.as_bytes());
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("taskRuns[1].status") && problem.contains("NEWER"), "{problem}");
}

#[test]
fn a_long_name_is_written_as_its_number() {
    let registry = TypeRegistry::default().remember_enum_names();
    let json = format!(r#"{{"status":"{}"}}"#, "N".repeat(100_000));
    registry.scope(|| {
        let message: DeviceTaskRun = read(&json);
        assert_eq!(write(&message), format!(r#"{{"status":{}}}"#, message.status));
    });
}

#[test]
fn names_do_not_fill_the_memory() {
    let registry = TypeRegistry::default().remember_enum_names();
    let written: Vec<_> = registry.scope(|| {
        let jsons = (0..5000).map(|n| format!(r#"{{"status":"NEWER_{n}"}}"#));
        jsons.map(|json| write(&read::<DeviceTaskRun>(&json))).collect()
    });
    assert_eq!(written.iter().filter(|json| json.contains("NEWER_")).count(), 4096);
    assert_eq!(written[4095], r#"{"status":"NEWER_4095"}"#);
}
