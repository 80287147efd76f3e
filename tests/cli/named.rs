//! Policies by name, wherever ESET takes a UUID, and files that are none of them.

use eset_protect::policy_management::v2::Policy;

use crate::command::{DEVICE, GROUP, Server, run};
use crate::support::directory::Directory;

const NAME: &str = "Notebooks: scan when idle";

fn uuid(server: &Server) -> String {
    let list = server.run(&["policies", "list", "-o", "json"]).json_lines::<Policy>();
    list.into_iter().find(|policy| policy.display_name == NAME).unwrap().uuid
}

#[test]
fn a_policy_goes_by_its_name() {
    let server = Server::seeded();
    let directory = Directory::new();
    let (uuid, journal) = (uuid(&server), directory.join("journal"));
    for args in [
        &["policies", "get", NAME, "-o", "json"][..],
        &["policies", "show", NAME],
        &["policies", "export", NAME],
        &["policies", "clone", NAME, "--name", "x", "--dry-run"],
        &["assignments", "list", "--policy", NAME],
        &["api", "GET", &format!("/v2/policies/{}", NAME.replace(' ', "%20"))],
    ] {
        let by_uuid: Vec<_> = args.iter().map(|it| if *it == NAME { &*uuid } else { it }).collect();
        let (by_name, by_uuid) = (server.run(args), server.run(&by_uuid));
        assert_eq!((by_name.code, &*by_name.err), (0, ""), "{args:?}");
        assert_eq!(by_name.out.len(), by_uuid.out.len(), "{args:?}");
    }
    assert_eq!(server.run(&["policies", "diff", NAME, &uuid]).ok(), "");
    let help = server.run(&["policies", "delete", "--help"]).ok();
    assert!(help.contains("name or UUID"), "{help}");
    let shown = server.run(&["policies", "show", NAME]).ok();
    let setting = shown.split_once(" = ").unwrap().0;
    let (new, journal) = (format!("{setting}=77"), journal.to_str().unwrap());
    let ran = server.run(&["policies", "set", NAME, &new, "--journal", journal]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(server.run(&["policies", "show", NAME]).ok().contains("\"77\""));
    for args in [&["policies", "get"][..], &["policies", "set", "--unset", "a"]] {
        let error = server.run(&[args, &["Notebooks: scan when idl"]].concat()).fails(4);
        let expected = "no policy has this name\nhint: did you mean Notebooks: scan when idle (";
        assert!(error.contains(expected), "{error}");
    }
    // Its name may be that of several.
    let other = server.run(&["policies", "clone", NAME, "--name", NAME]).ok();
    for verb in ["get", "delete", "show", "export"] {
        let error = server.run(&["policies", verb, NAME]).fails(2);
        assert!(error.contains("2 policies have this name; give the UUID of the one"), "{error}");
        assert!(error.contains(&format!("hint: one is {NAME} ({}", other.trim())), "{error}");
    }
}

#[test]
fn a_policy_that_is_assigned_is_not_deleted_without_a_yes() {
    let server = Server::empty();
    let create = ["policies", "create", "--file", "-", "-o", "name"];
    for delete in ["policies delete", "call Policies/DeletePolicy --policy-uuid"] {
        let uuid = server.run_with(&create, br#"{"policy":{"displayName":"Strict"}}"#).ok();
        let uuid = uuid.trim();
        for target in [["--device", DEVICE], ["--device-group", GROUP]] {
            let assign = ["assignments", "assign", "--policy", "Strict"];
            server.run(&[&assign[..], &target].concat()).ok();
        }
        let delete: Vec<_> = delete.split(' ').chain([uuid]).collect();
        let error = server.run(&delete).fails(2);
        let expected = format!(
            "error: Delete the policy {uuid}, which is assigned to 1 device and 1 group? There is no \
             terminal to ask on; --yes confirms it\n"
        );
        assert_eq!(error, expected);
        server.run(&[&delete[..], &["--dry-run"]].concat()).ok();
        assert!(server.run(&[&delete[..], &["--yes"]].concat()).ok().starts_with("Deleted"));
    }
}

/// A mistyped path is no name of a policy, and no call.
#[test]
fn what_looks_like_a_file_is_one() {
    let directory = Directory::new();
    let yaml = directory.join("a.yaml");
    std::fs::write(&yaml, "name: x\n").unwrap();
    for missing in ["nope.yaml", "nope.YML", "nope.json", "nope.dat", "pol/nope", "C:\\pol\\nope"] {
        let nowhere = ["--endpoint", "http://127.0.0.1:1"];
        let args = ["policies", "diff", yaml.to_str().unwrap(), missing];
        let error = run(&[&args[..], &nowhere].concat(), b"").fails(1);
        assert!(error.starts_with(&format!("error: {missing}: No such file")), "{error}");
    }
}

#[test]
fn an_imported_file_gets_a_name() {
    let server = Server::empty();
    let directory = Directory::new();
    let (a, b) = (directory.join("a.yaml"), directory.join("b.yaml"));
    std::fs::write(&a, "name: A\n").unwrap();
    std::fs::write(&b, "name: B\n").unwrap();
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    server.run(&["policies", "import", a, "--name", "Agent: every ten minutes"]).ok();
    let list = server.run(&["policies", "list", "-o", "json"]).json_lines::<Policy>();
    assert_eq!(list[0].display_name, "Agent: every ten minutes");
    let error = server.run(&["policies", "import", a, b, "--name", "x"]).fails(2);
    assert_eq!(error, "error: --name: expected one policy, found 2 policies\n");
}

/// No secret is an argument.
#[test]
fn a_setting_is_read_from_a_file() {
    let server = Server::seeded();
    let directory = Directory::new();
    let (file, journal) = (directory.join("secret"), directory.join("journal"));
    std::fs::write(&file, "hunter2\r\n").unwrap();
    let journal = ["--journal", journal.to_str().unwrap()];
    let shown = server.run(&["policies", "show", NAME]).ok();
    let setting = shown.split_once(" = ").unwrap().0;
    for (value, input, expected) in
        [(format!("@{}", file.display()), "", "\"hunter2\""), ("-".to_owned(), "a=b\n", "\"a=b\"")]
    {
        let new = format!("{setting}={value}");
        let args = [&["policies", "set", NAME, &new][..], &journal].concat();
        let ran = server.run_with(&args, input.as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let shown = server.run(&["policies", "show", NAME]).ok();
        assert!(shown.starts_with(&format!("{setting} = {expected}")), "{shown}");
    }
    let new = format!("{setting}=@{}", directory.join("nope").display());
    let error = server.run(&[&["policies", "set", NAME, &new][..], &journal].concat()).fails(2);
    assert!(error.starts_with(&format!("error: PATH=VALUE: {setting}: /")), "{error}");
}
