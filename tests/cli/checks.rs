//! Mistakes are found before anything is sent.

use eset_protect::Client;
use eset_protect::automation::v1::DeviceTask;
use eset_protect::emulator::Emulator;
use eset_protect::network_access_protection::v1::{IpSet, UpdateIpSetRequest};
use eset_protect::params::PolicyData;
use eset_protect::policy_management::v2::{CreatePolicyResponse, Policy};

use crate::command::{DEVICE, Ran, Server, run, runtime};
use crate::support::directory::Directory;

const PRODUCT: &str = "eset.local.products.endpoint";
const SETTINGS: &str = r#"{"policy":{"format":"1","data":{}}}"#;
const BASE64: &str = "eyJwb2xpY3kiOnsiZm9ybWF0IjoiMSIsImRhdGEiOnt9fX0=";

/// Runs a command that fails before it sends anything: its server does not exist.
fn refused(args: &[&str], input: &str) -> String {
    let endpoint = ["--endpoint", "http://127.0.0.1:1"];
    run(&[args, &endpoint].concat(), input.as_bytes()).fails(2)
}

fn create(args: &[&str]) -> String {
    refused(&[&["tasks", "create"], args].concat(), "")
}

#[test]
fn invalid_flags_are_named() {
    let good = ["--name", "x", "--action", "StopManaging", "--device", DEVICE];
    let with = |at: usize, value| {
        let mut args = good;
        args[at] = value;
        create(&args)
    };
    for (error, expected) in [
        (with(1, " "), "error: --name: expected a name\n"),
        (with(3, "StopManagin"), "did you mean \"StopManaging\"?\nhint: --allow-unknown"),
        (with(5, ""), "error: --device: expected a UUID\n"),
        (create(&[&good[..], &["--group", "a b"]].concat()), "error: --group: expected one UUID"),
        (
            create(&[&good[..], &["--expires", "2020-01-01T00:00:00Z"]].concat()),
            "error: --expires: expected a time in the future",
        ),
    ] {
        assert!(error.contains(expected), "{error}");
    }
    // Its params cannot be read without the name.
    let args = ["--name", "x", "--action", "RunComand", "--device", DEVICE, "--params", "{}"];
    let error = create(&args);
    assert!(
        error.contains("error: --params: ") && error.contains("mean --action RunCommand?"),
        "{error}"
    );
    for (action, params, expected) in [
        ("RunCommand", r#"{"commandLin":"x"}"#, "error: --params: commandLine: expected a command"),
        ("OnDemandScan", r#"{"scanProfil":"Smart"}"#, "did you mean \"scanProfile\"?"),
        ("OnDemandScan", r#"{"scanProfile":"Smrt"}"#, "did you mean \"Smart\"?"),
        (
            "OnDemandScan",
            r#"{"@type":"x/Era.Common.DataDefinition.Task.OS.SystemUpdate"}"#,
            "error: --params: expected params of type Era.Common.DataDefinition.Task.ESS",
        ),
    ] {
        let args = ["--name", "x", "--device", DEVICE, "--action", action, "--params", params];
        let error = create(&args);
        assert!(error.contains(expected), "{error}");
    }
    for (args, expected) in [
        (&["tasks", "get", "a,b"][..], "error: UUID: expected one UUID"),
        (&["tasks", "delete", "x", "a b"], "error: UUID: expected one UUID"),
        (&["tasks", "runs", "a,b"], "error: TASK: expected one UUID"),
        (&["tasks", "wait", ""], "error: TASK: expected a UUID"),
        (&["tasks", "update-targets", "x", "--device-groups", "{a}"], "did you mean \"a\"?"),
        (
            &[
                "tasks",
                "update-triggers",
                "x",
                "--triggers",
                r#"{"manual":{"expireTime":"2020-01-01T00:00:00Z"}}"#,
            ],
            "error: --triggers: [0].manual.expire_time: expected a time in the future",
        ),
        (&["assignments", "unassign", "a,b"], "error: UUID: "),
        (
            &["assignments", "assign", "--policy", DEVICE, "--device-group", "a,b"],
            "error: --device-group: ",
        ),
        (
            &["assignments", "update-ranking", "x", "--rank", "0"],
            "error: --rank: expected 1 or more",
        ),
    ] {
        let error = refused(args, "");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn an_invalid_file_is_reported_as_a_whole_and_not_sent() {
    let task = |name: &str, action: &str, rest: &str| {
        format!(
            r#"{{"task":{{"displayName":"{name}","action":{{"name":"{action}"}},"targets":{{"devicesUuids":["{DEVICE}"]}}{rest}}}}}"#
        )
    };
    let triggers = r#","triggers":[{"manual":{}}]"#;
    let lines = [
        task("good", "StopManaging", triggers),
        task("", "StopManaging", triggers),
        task("b", "StopManagin", triggers),
        task("c", "StopManaging", ""),
    ];
    let server = Server::empty();
    let input = lines.join("\n");
    let create = ["tasks", "create", "--file", "-"];
    let error = server.run_with(&create, input.as_bytes()).fails(2);
    for expected in [
        "error: --file -: line 2: task.displayName: expected a name\n",
        "error: --file -: line 3: task.action.name: expected the name of a known action",
        "error: --file -: line 4: task.triggers: expected at least one trigger",
    ] {
        assert!(error.contains(expected), "{error}");
    }
    // --allow-unknown sends unknown names only.
    let allowed = [&create[..], &["--allow-unknown"]].concat();
    let error = server.run_with(&allowed, input.as_bytes()).fails(2);
    assert!(!error.contains("line 3") && error.contains("line 4"), "{error}");
    assert!(!error.contains("--allow-unknown sends"), "{error}");
    assert_eq!(server.run(&["tasks", "list", "--output", "json"]).ok(), "");
    server.run_with(&allowed, lines[2].as_bytes()).ok();
    let listed: Vec<DeviceTask> = server.run(&["tasks", "list", "--output", "json"]).json_lines();
    assert_eq!(listed.len(), 1);

    let policy = format!(
        r#"{{"policy":{{"displayName":"p","features":[{{"featureId":4294967295,"configuration":
        {{"@type":"type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData","product":"a.b",
        "data":"{BASE64}","dat":1}}}}]}}}}"#
    );
    let error = refused(&["policies", "create", "--file", "-"], &policy);
    let field = "policy.features[0].configuration.dat: expected a member of PolicyData";
    assert!(error.contains(field) && error.contains("did you mean \"data\"?"), "{error}");
}

#[test]
fn settings_are_recognized_by_their_content() {
    let server = Server::empty();
    let folder = Directory::new();
    let export = format!("RVNFVCBQb2xpY3kgRXhwb3J0IGhlYWRlciBsaW5l\r\n{BASE64}{PRODUCT}\r\n");
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(export.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, content, product, said) in [
        ("export.dat", export.clone().into_bytes(), None, "a Web Console export, 35 bytes"),
        ("same.dat", export.into_bytes(), Some(PRODUCT), "a Web Console export"),
        ("utf16.dat", utf16, None, "a Web Console export, 35 bytes"),
        (
            "base64.txt",
            format!("{BASE64}\n").into_bytes(),
            Some(PRODUCT),
            "base64-encoded settings",
        ),
        ("plain.json", SETTINGS.into(), Some(PRODUCT), "plain settings, 35 bytes"),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        let data = path.to_str().unwrap();
        let args = ["policies", "create", "--name", "p", "--output", "json", "--data", data];
        let product = product.map(|product| ["--product", product]);
        let args: Vec<_> = args.into_iter().chain(product.into_iter().flatten()).collect();
        let output = server.run(&args);
        assert!(output.err.contains(said), "{name}: {}", output.err);
        let output = Ran { err: String::new(), ..output };
        let policy = output.json::<CreatePolicyResponse>().policy.unwrap();
        let configuration = policy.features[0].configuration.as_ref().unwrap();
        let data: PolicyData = configuration.unpack().unwrap();
        assert_eq!(data.data.as_deref(), Some(SETTINGS.as_bytes()), "{name}");
        assert_eq!(data.product.as_deref(), Some(PRODUCT), "{name}");
    }
}

#[test]
fn other_content_than_settings_is_refused() {
    let create = |args: &[&str], input: &str| {
        let create = ["policies", "create", "--name", "p", "--data", "-"];
        refused(&[&create, args].concat(), input)
    };
    let product = ["--product", PRODUCT];
    for (args, input, expected) in [
        (&product[..], "", "--data -: expected policy settings"),
        (&product, "some settings!", "found something else\nhint: --allow-unknown"),
        (&product, "c2V0dGluZ3M=", "found base64 of something else"),
        (&product, r#"{"policy":{"displayName":"x"}}"#, "contains settings; pass it with --file"),
        (&[], BASE64, "--product: expected a product name"),
        (&["--product", "eset.other"], &format!("{BASE64}{PRODUCT}"), "which the export names"),
    ] {
        let error = create(args, input);
        assert!(error.contains(expected), "{input}: {error}");
    }
    let server = Server::empty();
    let allowed = ["policies", "create", "--name", "p", "--data", "-", "--product", PRODUCT];
    let allowed = [&allowed[..], &["--allow-unknown"]].concat();
    let output = server.run_with(&allowed, b"settings");
    assert_eq!(output.code, 0, "{}", output.err);
    let expected = format!("--data -: sent as it is, 8 bytes, for {PRODUCT}\n");
    assert_eq!(output.err, expected);
    let listed: Vec<Policy> = server.run(&["policies", "list", "--output", "json"]).json_lines();
    assert_eq!(listed.len(), 1);
}

/// Help lists the same actions that are known.
#[test]
fn help_lists_the_known_actions() {
    let help = run(&["tasks", "create", "--help"], b"").ok();
    for action in eset_protect::params::ACTIONS {
        assert!(help.contains(&format!("  {}  ", action.name())), "{}: {help}", action.name());
    }
}

/// What ESET documents about addresses and lengths holds before anything is sent.
#[test]
fn addresses_and_lengths() {
    let update = |address| {
        let args =
            ["ip-sets", "update", "p", "s", "--display-name", "x", "--ip-addresses", address];
        refused(&args, "")
    };
    for wrong in
        ["10.0.0.999", "10.0.0.0/33", "fe80::/129", "10.0.0.0/", "10.0.0.0/+8", "a.example"]
    {
        let error = update(wrong);
        assert!(error.contains("--ip-addresses: expected an IPv4 or IPv6 address"), "{error}");
    }
    let long = format!("displayName.contains(\"{}\")", "x".repeat(200));
    let error = refused(&["incidents", "list", "--filter", &long], "");
    assert!(error.contains("--filter: expected at most 200 characters, not 224"), "{error}");
    let error = refused(&["comments", "create", "x", "--text", " "], "");
    assert!(error.contains("--text: expected a text"), "{error}");
    let mut args = vec!["ip-sets", "update", DEVICE, "s", "--dry-run"];
    for right in ["10.0.0.1", "10.0.0.0/8", "fe80::1", "2001:db8::/32", "::/0"] {
        args.extend(["--ip-addresses", right]);
    }
    run(&args, b"").ok();
    // A strict emulator refuses them, too.
    let server = Server::start(Emulator::builder().seed(true).strict(true));
    let update = async |address: &str| {
        let client = Client::connect(&server.endpoint).await.unwrap();
        let ip_set = IpSet { ip_addresses: vec![address.to_owned()], ..IpSet::default() };
        let (policy_uuid, ip_set_uuid) = ("p".to_owned(), "s".to_owned());
        let request = UpdateIpSetRequest { policy_uuid, ip_set_uuid, ip_set: Some(ip_set) };
        client.network_access_configurator().update_ip_set(request).await.unwrap_err().to_string()
    };
    let error = runtime().block_on(update("10.0.0.999"));
    assert!(error.contains("expected an IPv4 or IPv6 address"), "{error}");
}
