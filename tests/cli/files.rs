//! Files as programs save them: with a byte order mark, in UTF-16, or empty.

use eset_protect::automation::v1::{CreateTaskResponse, GetTaskResponse};

use crate::command::{DEVICE, Server, command, run, run_command};
use crate::support::directory::Directory;

/// Returns a text in each encoding.
fn saved(text: &str) -> [Vec<u8>; 6] {
    let marked = format!("\u{feff}{text}");
    let utf16 = |text: &str, of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect();
    [
        text.as_bytes().to_vec(),
        marked.as_bytes().to_vec(),
        utf16(text, u16::to_le_bytes),
        utf16(text, u16::to_be_bytes),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
    ]
}

#[test]
fn standard_input_is_read_once() {
    let policy = b"name: x\nfeatures: []\n";
    for (args, code) in
        [(&["policies", "import", "-", "-"][..], 2), (&["policies", "diff", "-", "-"], 1)]
    {
        let error = run(args, policy).fails(code);
        assert!(error.contains("-: standard input is read already; expected `-` once"), "{error}");
        let error = run(args, b"").fails(code);
        assert!(error.contains("-: expected a policy, found nothing"), "{error}");
    }
}

#[test]
fn requests_and_uuids() {
    let server = Server::empty();
    let path = Directory::new();
    let path = path.join("task.json");
    let request = format!(
        "{{\"task\": {{\"displayName\": \"Prüfung €\",\r\n \"action\": {{\"name\": \"StopManaging\"}}, \
         \"targets\": {{\"devicesUuids\": [\"{DEVICE}\"]}}, \"triggers\": [{{\"manual\": {{}}}}]}}}}\r\n"
    );
    let mut uuids = Vec::new();
    for bytes in saved(&request) {
        std::fs::write(&path, bytes).unwrap();
        let args = ["tasks", "create", "--output", "json", "--file", path.to_str().unwrap()];
        let created = server.run(&args).json::<CreateTaskResponse>().task.unwrap();
        assert_eq!(created.display_name, "Prüfung €");
        uuids.push(created.uuid);
    }
    for bytes in saved(&(uuids.join("\r\n") + "\r\n")) {
        std::fs::write(&path, bytes).unwrap();
        let args = ["tasks", "get", "--output", "json", "--from", path.to_str().unwrap()];
        let ran = server.run(&args);
        assert_eq!((ran.code, &*ran.err), (0, "6 shown\n"));
        let got: Vec<GetTaskResponse> = String::from_utf8(ran.out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let got: Vec<_> = got.into_iter().map(|got| got.task.unwrap().uuid).collect();
        assert_eq!(got, uuids);
    }
}

#[test]
fn messages_and_certificates() {
    for bytes in saved("{\"displayName\": \"ä\"}\n") {
        let args = ["convert", "--type", "DeviceTask", "--from", "json", "--to", "json"];
        assert_eq!(run(&args, &bytes).ok(), "{\"displayName\":\"ä\"}\n");
    }
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let path = Directory::new();
    let path = path.join("server.pem");
    for flag in ["--ca-cert", "--pin-cert"] {
        for bytes in saved(&pem) {
            std::fs::write(&path, bytes).unwrap();
            let args = ["tasks", "list", "--endpoint", "https://127.0.0.1:1", flag];
            // It gets as far as connecting to a port on which nothing listens.
            run(&[&args[..], &[path.to_str().unwrap()]].concat(), b"").fails(3);
        }
    }
}

#[cfg(unix)]
#[test]
fn credentials() {
    use std::os::unix::fs::PermissionsExt;
    let path = Directory::new();
    let path = path.join("login");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let list = || {
        let mut command = command(&["tasks", "list", "--endpoint", "http://127.0.0.1:1"]);
        command.env("ESET_PROTECT_CREDENTIALS", &path);
        run_command(command, b"")
    };
    for bytes in saved("username=api\r\npassword=gehäim\r\n") {
        std::fs::write(&path, bytes).unwrap();
        list().fails(3);
    }
    for (bytes, expected) in [
        (&b""[..], ": it is empty; expected username=… and password=…, or token=… alone\n"),
        (b"\xef\xbb\xbf\n", ": it is empty; expected username=… and password=…"),
        (b"token=a\npassword=\xe4", ": line 2: expected text in UTF-8 or UTF-16"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = list().fails(2);
        assert!(error.contains(expected), "{error}");
    }
}

/// One of the two would be lost.
#[test]
fn no_member_is_there_twice() {
    let server = Server::empty();
    let create = ["tasks", "create", "--file", "-"];
    let rest =
        "action: {name: StopManaging}\ntargets: {devicesUuids: [x]}\ntriggers: [{manual: {}}]\n";
    for input in [
        format!("displayName: x\ndisplayName: y\n{rest}"),
        "task:\n  displayName: x\n  displayName: y\n".to_owned(),
        "- displayName: x\n  description: x\n  description: y\n".to_owned(),
        r#"{"displayName":"x","displayName":"y"}"#.to_owned(),
        r#"{"task":{"displayName":"x","displayName":"y"}}"#.to_owned(),
        r#"[{"displayName":"x","action":{"name":"x","name":"y"}}]"#.to_owned(),
    ] {
        let error = server.run_with(&create, input.as_bytes()).fails(2);
        assert!(error.contains("duplicate") || error.contains("twice"), "{input}: {error}");
    }
    let directory = Directory::new();
    for (name, input) in [
        ("a.yaml", "name: x\nname: y\nfeatures: []\n"),
        ("b.yaml", "name: x\nfeatures:\n- id: 1\n  settings: {a: 1, a: 2}\n"),
        ("c.json", r#"{"name":"x","features":[{"id":1,"settings":{"a":1,"a":2}}]}"#),
    ] {
        let path = directory.join(name);
        std::fs::write(&path, input).unwrap();
        let error = server.run(&["policies", "import", path.to_str().unwrap()]).fails(2);
        assert!(error.contains("duplicate") || error.contains("twice"), "{name}: {error}");
        std::fs::remove_file(path).unwrap();
    }
}
