//! `eset-protect policies show`, `export`, `diff`, `set`, `plan`, `apply` and `effective`.

use eset_protect::policy_management::v2::Policy;

use crate::command::{DEVICE, GROUP, Ran, Server, run};
use crate::support::directory::Directory;

fn custom(server: &Server) -> Policy {
    let policies: Vec<Policy> = server.run(&["policies", "list", "-o", "json"]).json_lines();
    policies.into_iter().find(|policy| !policy.built_in).unwrap()
}

/// Succeeds, whatever is said on standard error.
fn ok(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{}", ran.err);
    String::from_utf8(ran.out).unwrap()
}

#[test]
fn export_edit_plan_apply_effective() {
    let server = Server::seeded();
    let directory = Directory::new();
    let (folder, journal) = (directory.join("policies"), directory.join("journal"));
    let (folder, journal) = (folder.to_str().unwrap(), journal.to_str().unwrap());
    server.run(&["policies", "export", "--dir", folder]).ok();
    assert_eq!(ok(server.run(&["policies", "plan", folder])), "");

    let policy = custom(&server);
    let path = std::path::Path::new(folder).join(format!("{}.yaml", policy.uuid));
    let text = std::fs::read_to_string(&path).unwrap();
    let shown = server.run(&["policies", "show", &policy.uuid]).ok();
    let (setting, value) = shown.lines().next().unwrap().split_once(" = ").unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with(setting)).unwrap();
    let edited = format!("{}: 'edited'", line.split_once(": ").unwrap().0);
    std::fs::write(&path, text.replace(line, &edited)).unwrap();

    let diff = server.run(&["policies", "diff", &policy.uuid, path.to_str().unwrap()]);
    let out = String::from_utf8(diff.out).unwrap();
    assert_eq!((diff.code, &*diff.err), (2, ""), "{out}");
    assert!(out.contains(&format!("- {setting} = {value}\n+ {setting} = \"edited\"")), "{out}");

    let plan = server.run(&["policies", "plan", folder]);
    let out = String::from_utf8(plan.out).unwrap();
    let expected = format!("~ replace {:?} {}\n", policy.display_name, policy.uuid);
    assert_eq!((plan.code, &*out), (2, &*expected), "{}", plan.err);
    ok(server.run(&["policies", "apply", folder, "--journal", journal]));
    assert!(!std::path::Path::new(journal).exists());
    assert_eq!(ok(server.run(&["policies", "plan", folder])), "");
    assert!(server.run(&["policies", "search", "EDITED"]).ok().contains(setting));
    server.run(&["policies", "get", &policy.uuid]).fails(4);
    let effective = ok(server.run(&["policies", "effective", "--device", DEVICE]));
    let from_group = |line: &str| line.contains(&format!(" on group {GROUP})"));
    assert!(effective.lines().count() > 1 && effective.lines().all(from_group), "{effective}");
}

#[test]
fn set_replaces_a_policy_and_clone_copies_it() {
    let server = Server::seeded();
    let directory = Directory::new();
    let journal = directory.join("journal");
    let policy = custom(&server);
    let shown = server.run(&["policies", "show", &policy.uuid]).ok();
    let setting = shown.split_once(" = ").unwrap().0;
    let copy = server.run(&["policies", "clone", &policy.uuid, "--name", "Copy"]).ok();
    assert_eq!(server.run(&["policies", "diff", &policy.uuid, copy.trim()]).ok(), "");
    let new = format!("{setting}=77");
    let set = |what: &[&str]| {
        let journal = ["--journal", journal.to_str().unwrap()];
        server.run(&[&["policies", "set", copy.trim()], what, &journal].concat())
    };
    assert!(set(&["no.such=1"]).fails(2).contains("there is no setting no.such yet"));
    ok(set(&[&new]));
    let found = server.run(&["policies", "search", "\"77\""]).ok();
    assert!(found.contains(" Copy: ") && found.lines().count() == 1, "{found}");
    assert!(set(&[&new]).fails(2).contains("there is no policy"));
}

#[test]
fn files_are_imported_and_compared_and_secrets_hidden() {
    let server = Server::empty();
    let directory = Directory::new();
    let (yaml, dat) = (directory.join("a.yaml"), directory.join("b.dat"));
    std::fs::write(
        &yaml,
        "name: New\nfeatures:\n- settings:\n    proxy.Password: {value: hunter2, kind: '1', flags: '4'}\n  \
         configuration: {'@type': type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData, product: a.b}\n",
    )
    .unwrap();
    let uuid = server.run(&["policies", "import", yaml.to_str().unwrap()]).ok();
    let uuid = uuid.trim();
    let shown = server.run(&["policies", "show", uuid]).ok();
    assert_eq!(shown, "proxy.Password = [hidden] type=1 flags=4\n");
    let export = server.run(&["policies", "export", uuid, "--as", "dat"]).ok();
    assert!(export.ends_with("=a.b\n") || export.ends_with("a.b\n"), "{export}");
    std::fs::write(&dat, export).unwrap();
    assert_eq!(server.run(&["policies", "diff", uuid, dat.to_str().unwrap()]).ok(), "");
    // An error is neither equal nor different.
    let error = server.run(&["policies", "diff", uuid, "11111111-1111-4111-8111-111111111111"]);
    assert_eq!(error.code, 1, "{}", error.err);
    std::fs::write(&yaml, "nam: x\n").unwrap();
    let error = run(&["policies", "import", yaml.to_str().unwrap()], b"").fails(2);
    assert!(error.contains("unknown field `nam`"), "{error}");
}
