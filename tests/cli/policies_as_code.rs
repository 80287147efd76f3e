//! `eset-protect policies show`, `export`, `diff`, `set`, `plan`, `apply` and `effective`.

use eset_protect::policy_management::v2::Policy;
use serde_json::Value;

use crate::command::{DEVICE, GROUP, Ran, Server, run, run_command};
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
    let name = policy.display_name.replace(|c: char| !c.is_alphanumeric() && c != '-', "_");
    let path = std::path::Path::new(folder).join(format!("{name}.yaml"));
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
    let (name, uuid) = (&policy.display_name, &policy.uuid);
    let inside = [format!("- {setting} = {value}"), format!("+ {setting} = \"edited\"")];
    assert!(out.starts_with(&format!("~ replace {name:?} {uuid}\n    {}", inside[0])), "{out}");
    assert!(out.contains(&format!("\n    {}", inside[1])), "{out}");
    assert_eq!((plan.code, &*plan.err), (2, "1 to replace\n"), "{out}");
    let dry = server.run(&["policies", "apply", folder, "--journal", journal, "--dry-run"]);
    assert_eq!((dry.code, String::from_utf8(dry.out).unwrap(), dry.err), (2, out, plan.err));
    let jq = server.run(&["policies", "plan", folder, "--jq", ".differences[].b.value"]);
    assert!(String::from_utf8(jq.out).unwrap().contains("edited\n"), "{}", jq.err);
    ok(server.run(&["policies", "apply", folder, "--journal", journal, "--yes"]));
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
    let clone = ["policies", "clone", &policy.uuid, "--name", "Copy"];
    let dry: Value = server.run(&[&clone[..], &["--dry-run", "--json"]].concat()).json();
    assert_eq!((&dry["method"], &dry["path"]), (&"POST".into(), &"/v2/policies".into()), "{dry}");
    assert_eq!(dry["request"]["policy"]["displayName"], "Copy", "{dry}");
    let copy = server.run(&clone).ok();
    assert_eq!(
        server.run(&["policies", "diff", "--settings-only", &policy.uuid, copy.trim()]).ok(),
        ""
    );
    let diff = server.run(&["policies", "diff", &policy.uuid, copy.trim()]);
    let expected = format!("- name: {:?}\n+ name: \"Copy\"\n", policy.display_name);
    assert_eq!((diff.code, &*String::from_utf8(diff.out).unwrap()), (2, &*expected));
    let new = format!("{setting}=77");
    let set = |what: &[&str]| {
        let journal = ["--journal", journal.to_str().unwrap()];
        server.run(&[&["policies", "set", copy.trim()], what, &journal].concat())
    };
    assert!(
        set(&["no.such=1"])
            .fails(2)
            .contains("there is no setting no.such; --type and --flags add it")
    );
    let dry = set(&[&new, "--dry-run"]);
    let out = String::from_utf8(dry.out).unwrap();
    assert!(dry.code == 2 && out.starts_with("~ replace \"Copy\" "), "{out}{}", dry.err);
    ok(set(&[&new]));
    let found = server.run(&["policies", "search", "\"77\""]).ok();
    assert!(found.contains(" Copy: ") && found.lines().count() == 1, "{found}");
    assert!(set(&[&new]).fails(4).contains("there is no policy"));
    let copy = found.split(' ').next().unwrap();
    let set = |what: &[&str]| {
        let journal = ["--journal", journal.to_str().unwrap()];
        server.run(&[&["policies", "set", copy], what, &journal].concat())
    };
    assert!(set(&["--force", "no.such"]).fails(2).contains("--force: there is no setting no.such"));
    assert!(set(&["--unset", "a..b"]).fails(2).contains("--unset: expected the path of a setting"));
    ok(set(&["--force", setting, "--read-only", setting]));
    let found = server.run(&["policies", "search", "force read-only"]).ok();
    assert!(found.contains(&format!(" Copy: flags {setting} = force read-only")), "{found}");
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
    let import = ["policies", "import", yaml.to_str().unwrap()];
    let dry: Value = server.run(&[&import[..], &["--dry-run", "--json"]].concat()).json();
    assert!(dry["rpc"].as_str().unwrap().ends_with("/CreatePolicy"), "{dry}");
    let uuid = server.run(&import).ok();
    let uuid = uuid.trim();
    let shown = server.run(&["policies", "show", uuid]).ok();
    assert_eq!(shown, "proxy.Password = [hidden] type=1 flags=4\n");
    // Secrets are printed only on demand, and written only for the owner.
    let refused = server.run(&["policies", "export", uuid]).fails(2);
    assert!(
        refused.contains("proxy.Password: not printed, since it may be secret; --secrets"),
        "{refused}"
    );
    let folder = directory.join("exported");
    server.run(&["policies", "export", uuid, "--dir", folder.to_str().unwrap()]).ok();
    let file = folder.join("New.yaml");
    assert!(std::fs::read_to_string(&file).unwrap().contains("hunter2"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let other = std::fs::read_to_string(&file).unwrap().replace("hunter2", "hunter3");
    std::fs::write(&file, other).unwrap();
    let diff = server.run(&["policies", "diff", uuid, file.to_str().unwrap()]);
    let out = String::from_utf8(diff.out).unwrap();
    let line = "proxy.Password = [hidden] type=1 flags=4\n";
    assert_eq!((diff.code, out), (2, format!("- {line}+ {line}")), "{}", diff.err);

    let export = server.run(&["policies", "export", uuid, "--as", "dat", "--secrets"]).ok();
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

/// Files need no server. The headers of an export stay.
#[test]
fn an_export_is_shown_and_converted_without_a_server() {
    let directory = Directory::new();
    let (dat, yaml) = (directory.join("a.dat"), directory.join("b.yaml"));
    let data = r#"{"policy":{"format":"1","data":{"g":{"ce_flags":"0","x":{"ce_value":"1"},"y":[1.50]},"h":{"z":{"ce_value":"\u001b[2J"}}}}}"#;
    let data = base64_simd::STANDARD.encode_to_string(data);
    let text = format!("ESET\r\nheader\r\n{data}a.b\r\n");
    std::fs::write(&dat, &text).unwrap();
    let (dat, yaml) = (dat.to_str().unwrap(), yaml.to_str().unwrap());
    let offline = |args: &[&str]| run(&[&["policies"], args].concat(), b"").ok();
    let tree = "g = group flags=0\n  x = \"1\"\n  y = [1.50]\nh\n  z = \"\\u{1b}[2J\"\n";
    assert_eq!(offline(&["show", "--tree", dat]), tree);
    std::fs::write(yaml, offline(&["export", dat])).unwrap();
    assert_eq!(offline(&["show", "--tree", yaml]), tree);
    assert_eq!(offline(&["diff", dat, yaml]), "");
    assert_eq!(offline(&["export", yaml, "--as", "dat"]), text);
    // As Windows' shell saves it.
    let utf16: Vec<u8> = "\u{feff}"
        .chars()
        .chain(std::fs::read_to_string(yaml).unwrap().replace('\n', "\r\n").chars())
        .flat_map(|c| u16::try_from(u32::from(c)).unwrap().to_le_bytes())
        .collect();
    std::fs::write(yaml, utf16).unwrap();
    assert_eq!(offline(&["diff", dat, yaml]), "");
}

#[test]
fn a_policy_that_cannot_be_read_is_shown_in_part_and_copied_whole() {
    let server = Server::seeded();
    let directory = Directory::new();
    let (data, yaml) = (directory.join("data"), directory.join("copy.yaml"));
    let head = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "m.lzma", 0, 0, 0, 644, 4);
    let json = r#"{"policy":{"format":"1","data":{"x":{"ce_value":"1"}}}}"#;
    std::fs::write(&data, format!("{json}!<arch>\n{head}junk")).unwrap();
    let create = ["policies", "create", "--name", "Odd", "--product", "p", "-o", "json", "--data"];
    let created = server.run(&[&create, &[data.to_str().unwrap()][..]].concat());
    let created: serde_json::Value = serde_json::from_slice(&created.out).unwrap();
    let uuid = created["policy"]["uuid"].as_str().unwrap();
    let shown = server.run(&["policies", "show", uuid]);
    assert_eq!((shown.code, &*shown.out), (0, &b"x = \"1\"\n"[..]));
    assert!(
        shown.err.contains("not read: member \"m.lzma\", byte 4: the data ends early"),
        "{}",
        shown.err
    );
    assert!(server.run(&["policies", "export", uuid]).fails(2).contains("may be secret"));
    std::fs::write(&yaml, server.run(&["policies", "export", uuid, "--secrets"]).ok()).unwrap();
    let copies = [
        server.run(&["policies", "clone", uuid, "--name", "Odd"]).ok(),
        ok(server.run(&["policies", "import", yaml.to_str().unwrap()])),
    ];
    for copy in copies {
        assert_eq!(server.run(&["policies", "diff", uuid, copy.trim()]).ok(), "");
        let got = server.run(&["policies", "get", copy.trim(), "-o", "json"]);
        let got: serde_json::Value = got.json();
        assert_eq!(got["policy"]["features"], created["policy"]["features"]);
    }
}

#[test]
fn policies_of_two_tenants_are_compared() {
    let (a, b) = (Server::seeded(), Server::seeded());
    let policy = custom(&a);
    let diff = |b: Option<&Server>, uuid: &str| {
        let mut command = a.command(&["policies", "diff", &policy.uuid, uuid, "--other"]);
        if let Some(b) = b {
            command.env("ESET_PROTECT_OTHER_ENDPOINT", &b.endpoint);
        }
        run_command(command, b"")
    };
    assert_eq!(diff(Some(&b), &policy.uuid).ok(), "");
    let renamed = b.run(&["policies", "clone", &policy.uuid, "--name", "Renamed"]).ok();
    let ran = diff(Some(&b), renamed.trim());
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(String::from_utf8(ran.out).unwrap().ends_with("+ name: \"Renamed\"\n"));
    let home = Directory::new();
    std::fs::create_dir_all(home.join("eset-protect")).unwrap();
    let profile = format!("[profiles.beta]\nendpoint = {:?}\n", b.endpoint);
    std::fs::write(home.join("eset-protect/config.toml"), profile).unwrap();
    let mut by_profile = a.command(&["policies", "diff", &policy.uuid, renamed.trim(), "--other"]);
    by_profile.env("XDG_CONFIG_HOME", home.join("")).env("ESET_PROTECT_OTHER_PROFILE", "beta");
    assert_eq!(run_command(by_profile, b"").code, 2);
    // It is in no other tenant than the second.
    assert_eq!(diff(Some(&a), renamed.trim()).code, 1);
    let none = diff(None, &policy.uuid);
    assert_eq!(none.code, 1);
    assert!(
        none.err.contains("--other: expected a second tenant in ESET_PROTECT_OTHER_ENDPOINT"),
        "{}",
        none.err
    );
}

/// Nothing is changed, and nothing half-written.
#[test]
fn bad_folders_and_journals_are_refused() {
    let server = Server::seeded();
    let directory = Directory::new();
    let folder = directory.join("policies");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let dir = folder.to_str().unwrap();
    let before = server.run(&["policies", "list", "-o", "json"]).ok();
    let apply = |more: &[&str]| {
        server.run(&[&["policies", "apply", dir, "--prune", "--yes"], more].concat())
    };
    assert!(
        apply(&[])
            .fails(2)
            .contains("expected files that end with .yaml, .yml or .json, found none")
    );
    write("a.yaml", "name: X\n");
    write("b.json", r#"{"name": "X"}"#);
    let error = apply(&[]).fails(2);
    assert!(
        error.contains("a.yaml and ") && error.contains("b.json have the same name, \"X\""),
        "{error}"
    );
    // A billion laughs.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let last = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [&*last; 9].join(", ")));
    }
    write("b.json", &format!("{bomb}name: *a11\n"));
    assert!(apply(&[]).fails(2).contains("b.json: "));
    write("b.json", "name: Y\n---\nname: Z\n");
    assert!(apply(&[]).fails(2).contains("b.json: "));
    std::fs::remove_file(folder.join("b.json")).unwrap();
    apply(&["--journal", directory.join("no/such/journal").to_str().unwrap()]).fails(1);
    assert_eq!(server.run(&["policies", "list", "-o", "json"]).ok(), before);

    let journal = directory.join("journal");
    std::fs::write(&journal, "{}").unwrap();
    let journal = journal.to_str().unwrap();
    assert!(
        apply(&["--journal", journal]).fails(2).contains("expected --resume or --roll-back first")
    );
    let resume = ["policies", "apply", "--resume", "--journal", journal];
    assert!(server.run(&resume).fails(2).contains("missing field `server`"));
    assert_eq!(server.run(&["policies", "list", "-o", "json"]).ok(), before);
}

/// Names lead out of no folder, and differ on systems that ignore case. A full disk leaves no part of a file.
#[cfg(unix)]
#[test]
fn exported_files_have_safe_names_and_are_whole() {
    let server = Server::empty();
    let directory = Directory::new();
    let names = ["../../etc/passwd", "a b", "A_B", ".", "\u{e9}t\u{e9}", "CON\n", &"x".repeat(200)];
    for name in names {
        let file = directory.join("one.yaml");
        std::fs::write(&file, format!("name: {}\n", serde_json::to_string(name).unwrap())).unwrap();
        server.run(&["policies", "import", file.to_str().unwrap()]).ok();
    }
    let folder = directory.join("all");
    server.run(&["policies", "export", "--dir", folder.to_str().unwrap()]).ok();
    let list = |folder: &std::path::Path| {
        let names = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let exported = list(&folder);
    assert_eq!(exported.len(), names.len(), "{exported:?}");
    let lower: std::collections::BTreeSet<_> =
        exported.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), names.len(), "{exported:?}");
    let safe = |name: &String| {
        name.len() < 255 && !name.starts_with('.') && !name.contains(['/', '\n', ' '])
    };
    assert!(exported.iter().all(safe), "{exported:?}");
    ok(server.run(&["policies", "plan", folder.to_str().unwrap()]));

    let full = directory.join("full");
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let export = server.command(&["policies", "export", "--dir", full.to_str().unwrap()]);
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", script, "bash"]).arg(export.get_program()).args(export.get_args());
    shell.env("ESET_PROTECT_ENDPOINT", &server.endpoint);
    let error = run_command(shell, b"").fails(1);
    assert!(error.contains("File too large"), "{error}");
    assert_eq!(list(&full), [""; 0]);
}

#[test]
fn policies_of_the_same_name_are_exported_with_a_warning() {
    let server = Server::seeded();
    let directory = Directory::new();
    let (folder, data) = (directory.join("policies"), directory.join("export.dat"));
    let (folder, data) = (folder.to_str().unwrap(), data.to_str().unwrap());
    let uuid = custom(&server).uuid;
    let export = server.run(&["policies", "export", &uuid, "--as", "dat", "--secrets"]).ok();
    std::fs::write(data, export).unwrap();
    for _ in 0..2 {
        ok(server.run(&["policies", "create", "--name", "Twin", "--data", data]));
    }
    let policies: Vec<Policy> = server.run(&["policies", "list", "-o", "json"]).json_lines();
    let twins = policies.into_iter().filter(|policy| policy.display_name == "Twin");
    let twins: Vec<_> = twins.map(|policy| policy.uuid).collect();
    assert_eq!(twins.len(), 2);

    let ran = server.run(&["policies", "export", "--dir", folder]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    for part in ["\"Twin\"", &twins[0], &twins[1], "`policies plan` and `apply` refuse"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    assert!(server.run(&["policies", "plan", folder]).fails(1).contains("have the same name"));
    let one = server.run(&["policies", "export", &twins[0], "--dir", folder]);
    assert_eq!((one.code, &*one.err), (0, ""));
}
