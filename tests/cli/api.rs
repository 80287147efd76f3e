//! `api`, `--jq`, `--json`, `--watch` and `man`.

use crate::command::{Server, command, run, run_command};
use crate::support::directory::Directory;

#[test]
fn a_call_by_method_and_path() {
    let server = Server::seeded();
    for wire in ["grpc", "rest"] {
        let path = "/v1/devices?pageSize=1";
        let args = ["api", "GET", path, "--wire", wire, "--jq", ".devices[].displayName"];
        assert_eq!(server.run(&args).ok(), "REGISTER-01\n");
        let data = r#"{"group":{"displayName":"Tills"}}"#;
        let args = ["api", "post", "/v1/groups", "--data", data, "--wire", wire];
        assert!(server.run(&args).ok().contains("\"displayName\":\"Tills\""));
    }
    for (args, expected) in [
        (&["GET", "/v1/device"][..], "GET /v1/device: there is no such operation in ESET's API"),
        (&["GET", "/v1/device"], "did you mean /v1/devices"),
        (&["GET", "v1/devices"], "a path begins with a slash, such as /v1/devices"),
        (&["DELETE", "/v1/devices"], "this path has GET"),
        (&["GET", "/v1/devices?pagesize=1"], "pagesize"),
        (&["POST", "/v1/groups", "--data", "{"], "POST /v1/groups: "),
        (&["POST", "/v1/groups", "--data", "@/no/such/file"], "--data /no/such/file: "),
    ] {
        let error = server.run(&[&["api"], args].concat()).fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

/// What has no descriptor is sent when that is wanted.
#[test]
fn a_call_that_is_not_known() {
    let server = Server::seeded();
    let api = |args: &[&str]| server.run(&[&["api"], args].concat());
    let unknown = ["GET", "/openapi.json?x=1", "--allow-unknown"];
    let rest = |more: &[&str]| api(&[&unknown[..], &["--wire", "rest"], more].concat());
    let document: serde_json::Value = serde_json::from_str(&rest(&[]).ok()).unwrap();
    assert!(document["paths"]["/v1/devices"].is_object());
    assert_eq!(rest(&["--jq", ".openapi[:2]"]).ok(), "3.\n");
    let sent: serde_json::Value = rest(&["--dry-run", "--data", "{\"a\":1}"]).json();
    assert_eq!(sent, serde_json::json!({"method":"GET","path":unknown[1],"request":{"a":1}}));
    let error = api(&[&unknown[..], &["--wire", "grpc"]].concat()).fails(2);
    assert!(error.contains("it needs the wire `rest`; nothing was sent"), "{error}");
    for (args, code, expected) in [
        (
            &["GET", "/v1/nothing"][..],
            2,
            "hint: --allow-unknown sends what only this version does not know",
        ),
        (&["GET", "/v1/nothing", "--allow-unknown"], 4, "GET: NOT_FOUND"),
        (&["GET", "v1/nothing", "--allow-unknown"], 2, "PATH: expected a path such as /v1/devices"),
        (&["POST", "/v1/x", "--allow-unknown", "--data", "{"], 2, "--data: expected JSON: "),
        (&["GET", "/v1/x", "--allow-unknown", "--host", "iam"], 2, "--host: expected --region"),
    ] {
        let error = api(&[args, &["--wire", "rest"]].concat()).fails(code);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let region = ["api", "GET", "/v1/x", "--allow-unknown", "--region", "eu", "--dry-run"];
    let mut region = command(&region);
    region.env("ESET_PROTECT_TOKEN", "t");
    let error = run_command(region, b"").fails(2);
    assert!(error.contains("--host: expected the host of the operation"), "{error}");
}

#[test]
fn jq_filters_json() {
    let server = Server::seeded();
    let list = |filter| server.run(&["policies", "list", "--jq", filter]);
    let own = list("select(.builtIn == false) | .displayName").ok();
    let built_in = list("select(.builtIn) | .displayName").ok();
    let all = server.run(&["policies", "list", "--json"]).ok();
    assert!(!own.is_empty() && !built_in.is_empty() && !own.contains('"'), "{own}");
    assert_eq!(all.lines().count(), own.lines().count() + built_in.lines().count());
    for (filter, expected) in
        [("select(", "expected closing parenthesis, found the end"), ("nothing", "nothing")]
    {
        assert!(list(filter).fails(2).contains(expected), "{filter}");
    }
    assert!(list(".displayName | tonumber").fails(1).starts_with("error: --jq "));
}

/// What `list` prints makes a copy, without what only the server sets.
#[test]
fn what_list_prints_can_be_created() {
    let server = Server::seeded();
    for noun in ["rules", "exclusions", "policies", "tasks"] {
        let item = server.run(&[noun, "list", "--limit", "1", "--json"]).ok();
        let create = [noun, "create", "--file", "-", "--json"];
        let created = server.run_with(&create, item.as_bytes()).ok();
        let uuid = |text: &str| text.split("\"uuid\":\"").nth(1).unwrap()[..36].to_owned();
        assert_ne!(uuid(&item), uuid(&created), "{noun}");
    }
}

#[test]
fn a_watch_shows_it_again_until_it_is_stopped() {
    use std::io::{BufRead, BufReader};
    let server = Server::seeded();
    let args = ["devices", "list", "--limit", "1", "--watch=1ms", "-o", "name"];
    let mut child = server.command(&args).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), first);
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn every_command_has_a_manual_page() {
    let directory = Directory::new();
    let path = directory.join("man1");
    assert_eq!(run(&["man", path.to_str().unwrap()], b"").ok(), "");
    for name in ["eset-protect", "eset-protect-devices-list", "eset-protect-isolate"] {
        let page = std::fs::read_to_string(path.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{page}");
    }
    let page = std::fs::read_to_string(path.join("eset-protect-groups-create.1")).unwrap();
    assert!(page.contains("eset\\-protect groups create"), "{page}");
}
