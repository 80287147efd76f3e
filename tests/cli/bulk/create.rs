//! `create --file` with many requests.

use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask};
use eset_protect::emulator::Fault;
use serde_json::Value;
use tonic::Code;

use super::{WIRES, faulty, fine, lines, listed, requests};
use crate::command::{DEVICE, Ran, Server, run};
use crate::support::directory::Directory;

const CREATE: [&str; 6] = ["tasks", "create", "--file", "-", "--output", "json"];

fn created(ran: &Ran) -> Vec<DeviceTask> {
    let task = |line: &String| serde_json::from_str::<CreateTaskResponse>(line).unwrap().task;
    lines(ran).iter().map(|line| task(line).unwrap()).collect()
}

fn names(tasks: &[DeviceTask]) -> Vec<&str> {
    tasks.iter().map(|task| &*task.display_name).collect()
}

#[test]
fn values_one_after_another_or_in_an_array() {
    let ndjson = requests(40);
    let values: Vec<Value> =
        ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pretty: Vec<_> =
        values.iter().map(|value| serde_json::to_string_pretty(value).unwrap()).collect();
    let array = serde_json::to_string_pretty(&values).unwrap();
    let expected: Vec<_> = (0..40).map(|number| format!("Bulk {number}")).collect();
    for wire in WIRES {
        for input in [&ndjson, &pretty.concat(), &pretty.join("\n\n"), &array] {
            let server = Server::empty();
            let ran = server.run_with(&[&CREATE[..], wire].concat(), input.as_bytes());
            assert_eq!((ran.code, &*ran.err), (0, "40 created\n"));
            let tasks = created(&ran);
            assert_eq!(names(&tasks), expected);
            assert_eq!(listed(&server).len(), 40);
        }
    }
}

#[test]
fn what_get_prints_of_many_can_be_created_again() {
    let server = Server::empty();
    let uuids = super::tasks(&server, 5).join("\n");
    let got = server.run_with(&["tasks", "get", "-", "--output", "json"], uuids.as_bytes());
    let elsewhere = Server::empty();
    let ran = elsewhere.run_with(&CREATE, &got.out);
    assert_eq!((ran.code, &*ran.err), (0, "5 created\n"));
    assert_eq!(names(&created(&ran)), names(&listed(&server)));
}

#[test]
fn an_array_of_none_and_of_one() {
    let server = Server::empty();
    let ran = server.run_with(&CREATE, b" [ ] ");
    assert_eq!((ran.code, &*ran.err, ran.out.len()), (0, "0 created\n", 0));
    let ran = server.run_with(&CREATE, format!("[{}]", requests(1)).as_bytes());
    assert_eq!((ran.code, &*ran.err), (0, "1 created\n"));
    assert_eq!(names(&created(&ran)), ["Bulk 0"]);
}

#[test]
fn nothing_is_created_if_one_is_wrong() {
    let server = Server::empty();
    let good = requests(3);
    let one = requests(1);
    for (input, expected) in [
        (
            format!("{good}\n\n{{\"task\":{{\"displayNam\":1}}}}\n{good}"),
            "line 6: field `task.displayNam`: the message has no such field\n",
        ),
        (format!("{good}{{\"displayName\":1}}\n"), "line 4: field `task.displayName`: "),
        (format!("{good}{{}}\n"), "line 4: expected {\"task\": {…}}"),
        (
            format!("{good}{{\"task\":\n{{\"displayName\":[]}}}}"),
            "line 4: field `task.displayName`",
        ),
        (format!("{good}7\n"), "line 4: "),
        (format!("{good}{{\"task\":"), "EOF while parsing a value at line 4 column 8\n"),
        (format!("{good}]"), "at line 4 column 1\n"),
        (format!("[{one},{one},{{\"task\":{{\"x\":1}}}}]"), "element 3: field `task.x`"),
        (format!("[{one},"), "EOF while parsing a value at line 2 column 1\n"),
        (format!("[{one}] {one}"), "trailing characters at line 2 column 3\n"),
        (format!("[[{one}]]"), "element 1: "),
    ] {
        let error = server.run_with(&CREATE, input.as_bytes()).fails(2);
        assert!(
            error.starts_with("error: --file -: ") && error.contains(expected),
            "{input}: {error}"
        );
        assert_eq!(listed(&server), []);
    }
}

/// `--failed` gets the items that certainly failed, not those that may have run.
#[test]
fn failed_requests_can_be_fed_again() {
    for wire in WIRES {
        let (server, faults) = faulty();
        let directory = Directory::new();
        let path = directory.join("failed.ndjson");
        std::fs::write(&path, "what failed before\n").unwrap();
        for fault in [
            fine(),
            Fault::code(Code::PermissionDenied),
            Fault::code(Code::Unavailable).after_the_call(),
            Fault::code(Code::FailedPrecondition),
        ] {
            faults.push_for("CreateTask", fault);
        }
        let unclear = directory.join("unclear.ndjson");
        std::fs::write(&unclear, "of an earlier run\n").unwrap();
        let options = ["--concurrency", "1", "--failed", path.to_str().unwrap()];
        let unclear_option = ["--uncertain", unclear.to_str().unwrap()];
        let args = [&CREATE[..], &options, &unclear_option, wire].concat();
        let ran = server.run_with(&args, requests(6).as_bytes());
        let kept = std::fs::read_to_string(unclear).unwrap();
        let kept: Vec<_> = kept.lines().collect();
        assert!(kept.len() == 2 && kept[0] == "of an earlier run", "{kept:?}");
        assert!(kept[1].contains("Bulk 2"), "{kept:?}");
        assert_eq!(names(&created(&ran)), ["Bulk 0", "Bulk 4", "Bulk 5"]);
        let said: Vec<_> = ran.err.lines().collect();
        assert_eq!(ran.code, 5);
        assert!(said[0].starts_with("error: line 2, \"Bulk 1\": CreateTask: PERMISSION_DENIED: "));
        assert!(said[1].starts_with("error: line 3, \"Bulk 2\": CreateTask: UNAVAILABLE: "));
        assert_eq!(said[3], "3 created, 3 failed");
        for (line, is_unclear) in [(said[0], false), (said[1], true), (said[2], false)] {
            let end = "; it may have been done anyway";
            // ESET's gateway maps this code to 400, which says that it did not run.
            assert_eq!(line.ends_with(end), is_unclear, "{line}");
        }
        let hint = "hint: it may have been done anyway: look before you repeat it";
        assert!(said[4..].contains(&hint), "{said:?}");

        let again = ["tasks", "create", "--output", "json", "--file", path.to_str().unwrap()];
        let ran = server.run(&[&again, wire].concat());
        assert_eq!((ran.code, &*ran.err), (0, "2 created\n"));
        assert_eq!(names(&created(&ran)), ["Bulk 1", "Bulk 3"]);
        assert_eq!(listed(&server).len(), 6);
    }
}

#[test]
fn the_file_of_what_failed() {
    let server = Server::empty();
    let directory = Directory::new();
    let (file, failed) = (directory.join("tasks"), directory.join("failed"));
    let (file, failed) = (file.to_str().unwrap(), failed.to_str().unwrap());
    std::fs::write(file, requests(1)).unwrap();
    // A single request counts as a list of one, to find out what failed.
    let create = ["tasks", "create", "--file", file, "--failed", failed];
    let ran = server.run(&create);
    assert_eq!((ran.code, &*ran.err), (0, "1 created\n"));
    assert_eq!(std::fs::read_to_string(failed).unwrap(), "");
    // If the connection fails, the file keeps its content.
    std::fs::write(failed, "before").unwrap();
    let nowhere = nobody_listens();
    let endpoint = format!("http://{}", nowhere.1);
    run(&[&create[..], &["--endpoint", &endpoint]].concat(), b"").fails(3);
    assert_eq!(std::fs::read_to_string(failed).unwrap(), "before");
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        // It stays as private as it was, and a link stays one.
        std::fs::set_permissions(failed, std::fs::Permissions::from_mode(0o600)).unwrap();
        let link = directory.join("link");
        symlink(failed, &link).unwrap();
        let args = ["tasks", "create", "--file", file, "--failed", link.to_str().unwrap()];
        assert_eq!(server.run(&args).code, 0);
        assert_eq!(std::fs::read_to_string(failed).unwrap(), "");
        let mode = std::fs::metadata(failed).unwrap().permissions().mode();
        assert!(link.is_symlink() && mode & 0o777 == 0o600, "{mode:o}");
    }
    let error = server.run(&["tasks", "create", "--file", file, "--failed", file]).fails(2);
    assert!(error.contains("expected a different file than the input"), "{error}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), requests(1));
}

/// A port that is bound but not listening, so that no other test can get it.
fn nobody_listens() -> (tokio::net::TcpSocket, std::net::SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[test]
fn flags_that_are_for_one() {
    for (flag, input) in [("--guarded", requests(2)), ("--wait", format!("[{}]", requests(1)))] {
        let error = run(&["tasks", "create", "--file", "-", flag], input.as_bytes()).fails(2);
        assert!(error.starts_with(&format!("error: {flag}: it is for one request")), "{error}");
    }
    for flag in ["--failed=x", "--concurrency=3"] {
        let name = flag.split('=').next().unwrap();
        for create in [
            &["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE][..],
            &["policies", "create", "--name", "x", "--product", "p", "--data", "-"],
        ] {
            let error = run(&[create, &[flag]].concat(), b"").fails(2);
            assert_eq!(error, format!("error: {name}: requires --file\n"));
        }
    }
}
