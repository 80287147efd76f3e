//! Nouns and verbs: every RPC of the newest version of its service.

use eset_protect::emulator::{Emulator, Fault, Faults};
use eset_protect::rpc::METHODS;
use http::StatusCode;
use serde_json::Value;

use crate::command::{DEVICE, Server, run};
use crate::support::directory::Directory;

#[test]
fn every_service_has_a_noun_and_every_verb_has_help() {
    let help = run(&["--help"], b"").ok();
    let mut verbs = 0;
    let names = |help: &str| -> Vec<String> {
        let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
        let lines = commands.lines().filter(|line| !line.starts_with("   "));
        let names = lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        names.filter(|name| name != "help").collect()
    };
    let tools = [
        "api",
        "auth",
        "man",
        "demo",
        "emulator",
        "serve",
        "call",
        "convert",
        "descriptors",
        "completions",
    ];
    for noun in names(&help) {
        let help = run(&[&noun, "--help"], b"").ok();
        if tools.contains(&&*noun) || !help.contains("Commands:\n") {
            continue;
        }
        for verb in names(&help) {
            verbs += 1;
            let help = run(&[&noun, &verb, "--help"], b"").ok();
            assert!(help.contains("--output <FORMAT>"), "{noun} {verb}: {help}");
        }
    }
    // Some services exist in an older version, too; some nouns have verbs of their own.
    assert!(verbs >= METHODS.len() - 3, "{verbs}");
}

#[test]
fn a_noun_without_a_verb_shows_what_it_has() {
    for noun in ["devices", "iam", "quarantine"] {
        let shown = run(&[noun], b"");
        assert_eq!(shown.code, 2);
        let help = run(&[noun, "-h"], b"").ok();
        assert_eq!(shown.err, help, "{noun}");
        assert!(help.contains("\n  get") || help.contains("List the permissions"), "{help}");
    }
}

/// A response that is a file is written as it is, unless a program wants the message.
#[test]
fn a_download_is_a_file() {
    let server = Server::seeded();
    for wire in ["grpc", "rest"] {
        let ran = server.run(&["quarantine", "download", "--wire", wire]);
        assert_eq!((ran.code, &*ran.err, ran.out.get(..4)), (0, "", Some(&b"PK\x03\x04"[..])));
        let json: Value = server.run(&["quarantine", "download", "-o", "json"]).json();
        assert_eq!(json["contentType"], "application/zip");
    }
    let ran = server.run(&["installers", "generate-gpo-sccm-file"]).ok();
    assert!(!ran.is_empty() && !ran.contains("gpo sccm"), "{ran}");
    let help = run(&["quarantine", "download", "--help"], b"").ok();
    assert!(help.contains("eset-protect quarantine download --to FILE"), "{help}");
}

/// What a call is for, if it is for several, may be listed by another command.
#[test]
fn several_are_arguments_of_one_call() {
    let (server, directory) = (Server::seeded(), Directory::new());
    let (file, uuids) =
        (directory.join("objects.zip"), server.run(&["quarantine", "list", "-o", "name"]).ok());
    let path = file.to_str().unwrap();
    let download = ["quarantine", "batch-download", "-", "--to", path];
    let ran = server.run_with(&download, uuids.as_bytes()).ok();
    let content = std::fs::read(&file).unwrap();
    assert_eq!(ran, format!("Wrote {path} with {} bytes.\n", content.len()));
    assert_eq!(content.windows(4).filter(|four| four == b"PK\x03\x04").count(), 3);
    // What is there already stays.
    std::fs::write(&file, "mine").unwrap();
    let error = server.run_with(&download, uuids.as_bytes()).fails(2);
    assert!(error.contains("there already, and nothing was sent; --force replaces it"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    server.run_with(&[&download[..], &["--force"]].concat(), uuids.as_bytes()).ok();
    assert_eq!(std::fs::read(&file).unwrap(), content);
    let all: Vec<_> = uuids.lines().collect();
    let error = server.run(&[&["quarantine", "batch-delete"], &all[..]].concat()).fails(2);
    assert!(error.contains("Delete 3 objects? There is no terminal to ask on; --yes"), "{error}");
    let ran = server.run(&["quarantine", "batch-delete", all[0]]).ok();
    assert_eq!(ran, format!("Deleted the object {}.\n", all[0]));
    let delete = ["quarantine", "batch-delete", all[1], all[2], "--yes"];
    assert_eq!(server.run(&delete).ok(), "Deleted 2 objects.\n");
    // By name, where devices are meant.
    let got = ["devices", "batch-get", "LAPTOP-01", DEVICE, "-o", "name"];
    assert_eq!(server.run(&got).ok().lines().count(), 2);
    let links = ["mobile-devices", "batch-get-enrollment-links", "PHONE-01"];
    assert!(!server.run(&links).ok().is_empty());
    // Requests for several files have nowhere to go.
    let input = [r#"{"objectUuids":["x"]}"#; 2].join("\n");
    let file = ["quarantine", "batch-download", "--file", "-"];
    let error = server.run_with(&file, input.as_bytes()).fails(2);
    assert!(error.contains("expected one request") && error.contains("found 2"), "{error}");
}

#[test]
fn examples_and_errors_name_the_fields_of_a_message_that_is_required() {
    let help = run(&["groups", "create", "--help"], b"").ok();
    assert!(help.contains("eset-protect groups create --display-name TEXT\n"), "{help}");
    let error = run(&["groups", "create"], b"").fails(2);
    assert!(error.starts_with("error: --display-name, "), "{error}");
}

/// As users of kubectl and aws are used to.
#[test]
fn options_may_come_before_the_noun() {
    let server = Server::seeded();
    for args in [
        &["-o", "name", "--wire", "rest", "devices", "get", DEVICE][..],
        &["--output=name", "-v", "devices", "get", "--wire=rest", DEVICE],
    ] {
        let ran = server.run(args);
        assert_eq!((ran.code, ran.out), (0, format!("{DEVICE}\n").into_bytes()), "{}", ran.err);
    }
    // The value of an option is no command.
    let error = run(&["--profile", "update", "devices", "list"], b"").fails(2);
    assert!(error.contains("--profile: "), "{error}");
    run(&["--unknown", "update", "devices"], b"").fails(2);
}

/// What only the server sets is no flag.
#[test]
fn no_create_takes_a_uuid_of_its_own() {
    for spec in METHODS.iter().filter(|spec| spec.method.starts_with("Create")) {
        let name = spec.path.trim_start_matches('/');
        let help = run(&["call", name, "--help"], b"").ok();
        let flags = help.lines().filter(|line| line.trim_start().starts_with("--"));
        let own =
            |flag: &str| flag.split_whitespace().next().unwrap_or_default().ends_with(".uuid");
        assert!(!flags.clone().any(own), "{name}: {:?}", flags.collect::<Vec<_>>());
        assert!(help.contains("Examples:\n  eset-protect call "), "{help}");
    }
}

/// Arguments and flags become the same request as those of `call`, over both wires.
#[test]
fn a_verb_makes_the_call_of_its_rpc() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    let device = format!("{{\"uuid\":\"{DEVICE}\",\"displayName\":\"LAPTOP-42\"}}");
    for (args, body, expected) in [
        (&["devices", "list"][..], format!("{{\"devices\":[{device}]}}"), "LAPTOP-42"),
        (&["devices", "get", DEVICE], format!("{{\"device\":{device}}}"), "LAPTOP-42"),
        (
            &["devices", "rename", DEVICE, "--display-name", "LAPTOP-42"],
            format!("{{\"device\":{device}}}"),
            "LAPTOP-42",
        ),
        (
            &["devices", "move", DEVICE, "--new-parent", "g"],
            format!("{{\"device\":{device}}}"),
            "LAPTOP-42",
        ),
        (&["groups", "delete", "g", "--yes"], "{}".to_owned(), "Deleted the group g."),
        (&["groups", "member-devices", "g"], format!("{{\"devices\":[{device}]}}"), "LAPTOP-42"),
    ] {
        faults.push(Fault::http(StatusCode::OK, "application/json", body));
        let out = server.run(&[args, &["--wire", "rest"]].concat()).ok();
        assert!(out.contains(expected), "{args:?}: {out}");
    }
}

/// Roles have names and no UUIDs.
#[cfg(feature = "iam")]
#[test]
fn help_says_uuid_only_where_there_is_one() {
    let server = Server::empty();
    let help = server.run(&["iam", "delete-role", "--help"]).ok();
    assert!(help.contains("[NAME]...") && !help.contains("[UUID]"), "{help}");
}

#[test]
fn numbers_that_are_none_are_named_with_what_was_expected() {
    let server = Server::empty();
    for (args, expected) in [
        (&["tasks", "list", "--limit", "-1"][..], "expected a whole number, 0 or more"),
        (&["tasks", "delete", "x", "--concurrency", "x"], "expected a whole number from 1 to 1024"),
        (&["tasks", "delete", "x", "--concurrency", "0"], "expected a whole number from 1 to 1024"),
    ] {
        let error = server.run(args).fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

/// The last part of a path is what a call is for, and there may be several.
#[test]
fn the_last_argument_is_what_is_changed_and_may_be_several() {
    let server = Server::seeded();
    let list = server.run(&["detections", "list", "-o", "name", "--limit", "3"]).ok();
    let ran = server.run_with(&["detections", "resolve", "-", "--note", "known"], list.as_bytes());
    assert_eq!((ran.code, &*ran.err), (0, "3 resolved\n"), "{}", ran.err);
    let two: Vec<_> = list.lines().take(2).collect();
    let ran = server.run(&[&["detections", "resolve"][..], &two].concat());
    assert_eq!((ran.code, &*ran.err), (0, "2 resolved\n"));
    let mut both = vec!["detections", "resolve", "-f", "-"];
    both.extend(&two);
    let error = server.run_with(&both, b"{}").fails(2);
    assert!(error.contains("DETECTION: expected one with --file -, found 2"), "{error}");
    let incident = "19c1de00-0000-4000-8000-000000000001";
    let comment = server.run(&["comments", "list", incident, "-o", "name", "--limit", "1"]).ok();
    let deleted = server.run(&["comments", "delete", incident, comment.trim()]).ok();
    assert_eq!(deleted.trim(), format!("Deleted the comment {}.", comment.trim()));
    // Other arguments are one.
    let error = server.run(&["comments", "list", "-"]).fails(2);
    assert!(error.contains("INCIDENT: expected one, not standard input"), "{error}");
}

/// What `get` and `list` print is what `--file` reads.
#[test]
fn a_file_and_flags_make_a_request() {
    let server = Server::seeded();
    let list = server.run(&["policies", "list", "--limit", "1", "-o", "json"]).ok();
    let policy: Value = serde_json::from_str(&list).unwrap();
    let request = format!(r#"{{"assignment":{{"policyUuid":{},"rank":9}}}}"#, policy["uuid"]);
    let args = ["assignments", "assign", "-f", "-", "--device", DEVICE, "-o", "json"];
    let assigned = server.run_with(&args, request.as_bytes()).ok();
    let assigned: Value = serde_json::from_str(&assigned).unwrap();
    assert_eq!(assigned["assignment"]["policyUuid"], policy["uuid"], "{assigned}");
    let skeleton = run(&["assignments", "assign", "--skeleton"], b"").ok();
    assert!(skeleton.contains("\"policyUuid\": \"UUID\""), "{skeleton}");
}

#[test]
fn what_is_wrong_is_named_by_its_flag_or_argument() {
    for (args, expected) in [
        (&["devices", "lst"][..], "a similar subcommand exists: 'list'"),
        (&["devces", "list"], "similar subcommands exist: "),
        (&["devices", "get"], "<UUID>..."),
        (&["devices", "move", "x"], "error: --new-parent: expected a UUID"),
        (&["devices", "rename"], "<DEVICE>"),
        (
            &["devices", "list", "--page-size", "x"],
            "'x' for '--page-size <NUMBER>': expected a number",
        ),
        (&["groups", "move", "x", "--fil", "y"], "a similar argument exists: '--file'"),
        (
            &["incidents", "list", "--filter", "displayNam.contains(\"createTime\")"],
            "error: --filter: expected a member of Incident, found \"displayNam\"; did you mean \"displayName\"?",
        ),
        (&["incidents", "list", "--filter", "severity"], "--filter: severity: expected one of == "),
        (
            &["incidents", "list", "--filter", "uuid == \"x\" |"],
            "--filter: expected ||, found | alone",
        ),
        (
            &["detection-groups", "search", "--filter", "resolved is 1"],
            "--filter: resolved: expected one of eq ",
        ),
        (
            &["incidents", "list", "--order-by", "severty desc"],
            "--order-by: expected a member of Incident, found \"severty\"; did you mean \"severity\"?",
        ),
        // Lists that the service filters by no expression take one, too.
        (
            &["devices", "list", "--filter", "functionalityStatus == OK"],
            "expected the whole name DEVICE_FUNCTIONALITY_STATUS_OK, found \"OK\"",
        ),
        (
            &["devices", "list", "--filter", "displayName.startsWith(\"x\")"],
            "--filter: displayName.startsWith(): contains() is the only function",
        ),
        (&["tasks", "create", "--command", "x"], "a similar argument exists: '--command-line'\n"),
        (&["tasks", "list", "--filter", "displayNam == 'x'"], "did you mean \"displayName\"?"),
        (&["devices", "list", "--filter", "uuid = 'x'"], "--filter: expected ==, found = alone"),
        (&["devices", "list", "--limit", "-1"], "'-1' for '--limit <NUMBER>'"),
        (
            &["quarantine", "list", "--order-by", "uuid up"],
            "--order-by: expected a member, perhaps with",
        ),
        (&["tasks", "runs", "x", "--failed", "y"], "unexpected argument '--failed'"),
    ] {
        let error = run(args, b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn text_that_is_not_unicode_is_named_by_its_flag() {
    use std::os::unix::ffi::OsStrExt;
    let wrong = |words: &[&[u8]]| {
        let mut command = crate::command::command(&["devices", "list"]);
        command.args(words.iter().map(|word| std::ffi::OsStr::from_bytes(word)));
        crate::command::run_command(command, b"").fails(2)
    };
    for words in [&[&b"--filter"[..], b"a\xff"][..], &[b"--filter=a\xff"]] {
        let error = wrong(words);
        let expected = "error: invalid value \"a\u{fffd}\" for '--filter': expected UTF-8";
        assert!(error.starts_with(expected), "{error}");
    }
}

/// `get` and `list` print resources, which not every request has.
#[test]
fn help_promises_only_files_that_are_read() {
    for (args, takes_resources) in [
        (["groups", "delete"], false),
        (["groups", "move"], false),
        (["groups", "rename"], false),
        (["groups", "list"], false),
        (["groups", "create"], true),
        (["ip-sets", "update"], true),
    ] {
        let help = run(&[&args[..], &["--help"]].concat(), b"").ok();
        assert_eq!(help.contains("what `get` or `list` printed"), takes_resources, "{args:?}");
    }
}

/// What only the server sets is no flag of an update either.
#[test]
fn flags_are_what_a_caller_sets() {
    for (args, flags) in [
        (["comments", "create"], &["--text"][..]),
        (["incidents", "close"], &["--closure-reason", "--text"]),
        (["incidents", "reopen"], &["--text"]),
        (["ip-sets", "update"], &["--display-name", "--description", "--ip-addresses"]),
    ] {
        let help = run(&[&args[..], &["--help"]].concat(), b"").ok();
        let lines = help.lines().map(str::trim_start);
        let found = lines.filter(|line| line.starts_with("--") && !line.starts_with("--help"));
        let found: Vec<_> = found.filter_map(|line| line.split_whitespace().next()).collect();
        assert!(flags.iter().all(|flag| found.contains(flag)), "{args:?}: {found:?}");
        assert!(!found.iter().any(|flag| flag.contains("uuid")), "{args:?}: {found:?}");
    }
}

/// The examples of help pass the checks: what fails is only that there is no server.
#[test]
fn examples_are_complete_calls() {
    let mut incomplete = Vec::new();
    // Of a task, rules ask for more than the schema does; `tasks create` has examples of its own.
    for spec in METHODS.iter().filter(|spec| spec.method != "CreateTask") {
        let name = spec.path.trim_start_matches('/');
        let help = run(&["call", name, "--help"], b"").ok();
        let example = help.split("Examples:\n  eset-protect ").nth(1).unwrap();
        // As a shell splits it; help breaks long lines.
        let example = example.split("\n  eset-protect ").next().unwrap().replace("NUMBER", "1");
        if example.ends_with("JSON") {
            continue;
        }
        let quoted = example.split('\'').enumerate();
        let args = quoted.flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
        let args: Vec<_> = args.chain(["--endpoint", "http://127.0.0.1:1"]).collect();
        let ran = run(&args, b"");
        if ran.code == 2 {
            incomplete.push(format!("{example}: {}", ran.err));
        }
    }
    assert!(incomplete.is_empty(), "{incomplete:#?}");
}
