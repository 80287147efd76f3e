//! Folders of policies: what their files say, and what `export` and `import` do with them.

use std::fs;

use crate::command::GROUP;
use crate::rollouts::{Stage, out};

fn exported() -> Stage {
    let stage = Stage::new();
    fs::remove_file(stage.path("policies/a.yaml")).unwrap();
    stage.run(&["export", "--dir", "policies"]).ok();
    stage
}

fn a_file(stage: &Stage) -> (std::path::PathBuf, String) {
    let mut files = fs::read_dir(stage.path("policies")).unwrap().map(|it| it.unwrap().path());
    let path = files.find(|path| path.to_str().unwrap().contains("Shops")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// What a file leaves out, the policy does not have, and a name without a value is refused.
#[test]
fn a_file_says_all_that_a_policy_has() {
    let stage = exported();
    let (path, text) = a_file(&stage);
    let lines: Vec<_> = text.lines().collect();
    let at = lines.iter().position(|line| line.trim() == "settings:").unwrap();
    let end = lines.iter().position(|line| line.trim().starts_with("configuration:")).unwrap();
    let before = lines[..at].join("\n");
    let after = lines[end..].join("\n");
    let setting = lines[at + 1].trim().split(':').next().unwrap();
    for (settings, expected) in [
        ("  settings:\n", "features[0].settings: expected a value, found none; leave it out, or "),
        ("  settings: null\n", "features[0].settings: expected a value, found none; leave it"),
        ("", "features[0]: settings: expected those of the configuration that stay, or {} to"),
    ] {
        fs::write(&path, format!("{before}\n{settings}{after}\n")).unwrap();
        let error = stage.run(&["plan", "policies"]).fails(1);
        assert!(error.contains(expected) && error.contains("Shops"), "{error}");
    }
    fs::write(&path, format!("{before}\n  settings: {{}}\n{after}\n")).unwrap();
    let plan = stage.run(&["plan", "policies"]);
    assert_eq!(plan.code, 2, "{}", plan.err);
    assert!(out(&plan).contains(&format!("    - {setting} = ")), "{}", out(&plan));
    assert_eq!(plan.err, "1 to replace\n");
    // Without assignments, it is assigned to nothing.
    let start = lines.iter().position(|line| line.trim() == "assignments:").unwrap();
    let rest = lines.iter().position(|line| line.trim() == "features:").unwrap();
    let without = [&lines[..start], &lines[rest..]].concat().join("\n");
    fs::write(&path, without).unwrap();
    let plan = stage.run(&["plan", "policies"]);
    assert!(out(&plan).starts_with("- unassign \"Shops"), "{}{}", out(&plan), plan.err);
    for (json, expected) in [
        (r#"{"name": "X", "description": null}"#, "description: expected a value, found none"),
        (r#"{"name": null}"#, "name: expected a value, found none"),
        (r#"{"name": "X", "features": [{"configuration": null}]}"#, "features[0].configuration: "),
        (r#"{"name": "X", "assignments": [null]}"#, "assignments[0]: expected a value, found none"),
    ] {
        stage.write("null.json", json);
        let error = stage.run(&["plan", "policies"]).fails(1);
        assert!(error.contains(&format!("null.json: {expected}")), "{error}");
    }
    let help = stage.run(&["plan", "--help"]).ok().replace('\n', " ");
    assert!(help.contains("What it leaves out, the policy does not have"), "{help}");
}

#[test]
fn ranks_that_cannot_be_are_pointed_out_with_their_files() {
    let stage = Stage::new();
    let assigned = |name: &str, rank: u32| {
        format!("name: {name}\nassignments:\n- group: {GROUP}\n  rank: {rank}\n")
    };
    stage.write("a.yaml", &assigned("X", 1));
    stage.write("b.yaml", &assigned("Y", 1));
    let error = stage.run(&["plan", "policies"]).fails(1);
    let expected = format!(
        "error: policies/a.yaml and policies/b.yaml: \"X\" and \"Y\" both want rank 1 on group {GROUP}\n"
    );
    assert_eq!(error, expected);
    stage.write("b.yaml", &assigned("Y", 99));
    let plan = stage.run(&["plan", "policies"]);
    let expected = format!("policies/b.yaml: rank 99 on group {GROUP}: its rank there is ");
    assert!(plan.code == 2 && plan.err.starts_with(&expected), "{}", plan.err);
}

#[test]
fn groups_and_devices_go_by_name() {
    let stage = Stage::new();
    let groups = stage.server.run(&["groups", "list", "-o", "csv"]).ok();
    let group = groups.lines().find_map(|line| line.strip_prefix(&format!("{GROUP},"))).unwrap();
    let group = group.split(',').next().unwrap();
    stage.write("a.yaml", &format!("name: X\nassignments:\n- group: {group}\n"));
    let plan = stage.run(&["plan", "policies"]);
    let expected = format!("+ create \"X\"\n+ assign \"X\" to group {GROUP} at rank ");
    assert!(plan.code == 2 && out(&plan).starts_with(&expected), "{}{}", out(&plan), plan.err);
    for (target, expected) in [
        (format!("group: {group}s"), format!("no group has this name\nhint: did you mean {group}")),
        ("device: NOPE".to_owned(), "\"NOPE\": no device has this name".to_owned()),
    ] {
        stage.write("a.yaml", &format!("name: X\nassignments:\n- {target}\n"));
        let error = stage.run(&["apply", "policies"]).fails(4);
        assert!(error.starts_with("error: policies/a.yaml: "), "{error}");
        assert!(error.contains(&expected), "{error}");
    }
}

/// What was edited stays, and what is left over is named.
#[test]
fn export_overwrites_no_edits() {
    let stage = exported();
    let (path, text) = a_file(&stage);
    stage.run(&["export", "--dir", "policies"]).ok();
    fs::write(&path, format!("{text}# edited\n")).unwrap();
    let error = stage.run(&["export", "--dir", "policies"]).fails(2);
    assert!(error.contains(": there already, and different; nothing was written"), "{error}");
    assert!(error.contains("Shops") && error.contains("--force"), "{error}");
    assert!(fs::read_to_string(&path).unwrap().ends_with("# edited\n"));
    stage.run(&["export", "--dir", "policies", "--force"]).ok();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    stage.write("copy.yaml", &text);
    stage.write("gone.yaml", "name: Gone\n");
    let ran = stage.run(&["export", "--dir", "policies"]);
    let expected = "left as they are: policies/gone.yaml: the tenant has no policies with their names; `apply` would \
                    create them\nleft as they are: policies/copy.yaml: policies that were written to other files, \
                    too; `plan` refuses the folder\n";
    assert_eq!((ran.code, &*ran.err), (0, expected));
}

#[test]
fn a_folder_is_imported_as_it_was_exported() {
    let stage = exported();
    let before = stage.policies().len();
    let files = fs::read_dir(stage.path("policies")).unwrap().count();
    let ran = stage.run(&["import", "policies"]);
    assert_eq!((ran.code, out(&ran).lines().count()), (0, files), "{}", ran.err);
    assert_eq!(stage.policies().len(), before + files);
    let warned = |line: &str| line.starts_with("there is a policy \"") && line.contains("` refuse");
    assert!(ran.err.lines().count() == files && ran.err.lines().all(warned), "{}", ran.err);
}

/// Neither Windows nor a shell takes them for something else.
#[test]
fn file_names_are_no_devices_and_no_options() {
    let stage = Stage::new();
    for name in ["CON", "lpt1", "Com\u{b2}", "-rf", "console"] {
        stage.write("a.yaml", &format!("name: '{name}'\n"));
        stage.run(&["import", "policies/a.yaml"]).ok();
    }
    stage.run(&["export", "--dir", "new"]).ok();
    for name in ["_CON", "_lpt1", "_Com\u{b2}", "_-rf", "console"] {
        assert!(stage.path(&format!("new/{name}.yaml")).is_file(), "{name}");
    }
}
