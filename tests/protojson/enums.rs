//! Enums stay open.

use super::*;

fn run(status: i32) -> DeviceTaskRun {
    DeviceTaskRun { status, ..Default::default() }
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
    assert_eq!(write(&list), json);
    assert!(list.task_runs[1].status < 0, "no value of the enum");
    assert!(strict_error::<ListTaskRunsResponse>(json).contains("`taskRuns[1].status`"));
}

#[test]
fn an_unknown_enum_name_is_kept() {
    let json = r#"{"status":"TASK_RUN_STATUS_PAUSED"}"#;
    let message: DeviceTaskRun = read(json);
    assert_eq!(write(&message), json);
    // The documented number, on the gRPC wire too: i32::MIN | FNV-1a-32 of the name.
    let hash = "TASK_RUN_STATUS_PAUSED"
        .bytes()
        .fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    let number = i32::MIN | hash.cast_signed();
    assert_eq!(message.status, number);
    assert_eq!(TaskRunStatus::try_from(number).ok(), None, "it is no value of the enum");
    assert_eq!(
        unrecognised("eset.dotnod.automation.v1.TaskRunStatus", "TASK_RUN_STATUS_PAUSED"),
        number
    );
    let sent = prost::Message::encode_to_vec(&message);
    let received: DeviceTaskRun = prost::Message::decode(sent.as_slice()).unwrap();
    assert_eq!(received.status, number);
    // Names that two enums do not have are two names.
    both_ways(
        r#"{"source":"TASK_RUN_STATUS_PAUSED"}"#,
        &read::<DeviceTask>(r#"{"source":"TASK_RUN_STATUS_PAUSED"}"#),
    );
    assert!(read::<DeviceTaskRun>(r#"{"status":"task_run_status_failed"}"#).status < 0);
}

#[test]
fn one_unknown_enum_name_fails_no_list() {
    let json = r#"{"taskRuns":[{"status":"TASK_RUN_STATUS_FAILED"},{"status":"NEWER"},{}]}"#;
    let list: ListTaskRunsResponse = read(json);
    assert_eq!(list.task_runs.len(), 3);
    assert_eq!(list.task_runs[0].status(), TaskRunStatus::Failed);
    assert_eq!(list.task_runs[1].status(), TaskRunStatus::Unspecified, "prost's view of it");
    assert_ne!(list.task_runs[1].status, TaskRunStatus::Unspecified as i32);
    assert_eq!(write(&list), json);
    let problem = Reader::new().strict(true).read::<ListTaskRunsResponse>(json.as_bytes());
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("taskRuns[1].status") && problem.contains("NEWER"), "{problem}");
}

#[test]
fn a_long_name_is_written_as_its_number() {
    let long = "N".repeat(100_000);
    let message: DeviceTaskRun = read(&format!(r#"{{"status":"{long}"}}"#));
    assert_eq!(write(&message), format!(r#"{{"status":{}}}"#, message.status));
}

#[test]
fn names_do_not_fill_the_memory() {
    // In a process of its own: beyond 4,096 names no test of this one could have another.
    if std::env::var_os("ESET_PROTECT_TEST_NAMES").is_some() {
        let written: Vec<_> = (0..5000)
            .map(|n| write(&read::<DeviceTaskRun>(&format!(r#"{{"status":"NEWER_{n}"}}"#))))
            .collect();
        let kept = written.iter().filter(|json| json.contains("NEWER_")).count();
        println!("KEPT {kept} {}", written[4095] == r#"{"status":"NEWER_4095"}"#);
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "enums::names_do_not_fill_the_memory", "--nocapture"])
        .env("ESET_PROTECT_TEST_NAMES", "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(output.contains("KEPT 4096 true"), "{output}");
}
