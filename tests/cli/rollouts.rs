//! `eset-protect policies plan` and `apply`: what goes wrong, and what somebody else does.

use std::fs;
use std::path::PathBuf;

use eset_protect::device_management::v1::GetDeviceResponse;
use eset_protect::emulator::{Emulator, Fault, Faults};
use eset_protect::policy_management::v2::Policy;

use crate::command::{DEVICE, GROUP, Ran, Server, run_command};
use crate::support::directory::Directory;

pub const MISSING: &str = "11111111-1111-4111-8111-111111111111";

/// A server, and a directory that the command runs in.
pub struct Stage {
    pub server: Server,
    pub faults: Faults,
    directory: Directory,
}

impl Stage {
    /// The folder `policies` has one policy, which is not in the tenant.
    pub fn new() -> Self {
        let faults = Faults::new();
        let server = Server::start(Emulator::builder().seed(true).faults(faults.clone()));
        let stage = Self { server, faults, directory: Directory::new() };
        fs::create_dir(stage.path("policies")).unwrap();
        stage.write("a.yaml", &format!("name: X\nassignments:\n- group: {GROUP}\n"));
        stage
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.path("policies").join(path), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.server.command(&[&["policies"], args].concat());
        command.current_dir(self.path("."));
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        run_command(self.command(args), b"")
    }

    pub fn policies(&self) -> Vec<Policy> {
        self.run(&["list", "-o", "json"]).json_lines()
    }

    pub fn has(&self, name: &str) -> bool {
        self.policies().iter().any(|policy| policy.display_name == name)
    }
}

pub fn out(ran: &Ran) -> &str {
    str::from_utf8(&ran.out).unwrap()
}

#[test]
fn policies_are_assigned_to_what_is_there() {
    let stage = Stage::new();
    for (target, code, expected) in [
        ("group: foo", 4, "\"foo\": no group has this name"),
        ("group: ''", 2, "assignments[0].group: expected a UUID, found \"\""),
        ("subscription: x", 2, "assignments[0].subscription: expected a UUID, found \"x\""),
        (&format!("group: {MISSING}"), 4, "there is no group 11111111-1111-4111-8111-111111111111"),
        (&format!("device: {MISSING}"), 4, "there is no device 11111111-1111"),
        ("device: no-such-device", 4, "\"no-such-device\": no device has this name"),
        (&format!("group: {GROUP}\n  rnk: 1"), 2, "unknown field `rnk`"),
    ] {
        stage.write("a.yaml", &format!("name: X\nassignments:\n- {target}\n"));
        let error = stage.run(&["plan", "policies"]).fails(1);
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("a.yaml: "), "{error}");
        assert!(stage.run(&["apply", "policies"]).fails(code).contains(expected));
        assert!(!stage.has("X") && !stage.path("eset-protect.journal").exists());
    }
    let device: GetDeviceResponse =
        stage.server.run(&["devices", "get", DEVICE, "-o", "json"]).json();
    let name = device.device.unwrap().display_name;
    stage.write("a.yaml", &format!("name: X\nassignments:\n- device: {name}\n"));
    let plan = stage.run(&["plan", "policies"]);
    let expected = format!("+ create \"X\"\n+ assign \"X\" to device {DEVICE} at rank 1\n");
    assert_eq!((plan.code, out(&plan)), (2, &*expected), "{}", plan.err);
}

/// 2 only says that something changes.
#[test]
fn errors_have_another_code_than_changes() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["plan", "policies"]).code, 2);
    assert_eq!(stage.run(&["apply", "policies", "--dry-run"]).code, 2);
    for args in [
        &["plan", "none"][..],
        &["apply", "none", "--dry-run"],
        &["plan", "--no-such"],
        &["apply", "--dry-run", "--no-such"],
        &["set", MISSING, "a=b", "--dry-run"],
    ] {
        assert_eq!(stage.run(args).code, 1, "{args:?}");
    }
    stage.write("a.yaml", "name: ' '\n");
    let error = stage.run(&["plan", "policies"]).fails(1);
    assert!(error.contains("a.yaml: name: expected the name of a policy"), "{error}");
    for option in [["-o", "csv"], ["--columns", "a"], ["--sort", "a"]] {
        let error = stage.run(&[&["plan", "policies"][..], &option].concat()).fails(1);
        assert!(error.starts_with("error: --"), "{error}");
    }
}

/// Programs learn what was done, step by step.
#[test]
fn steps_are_printed_as_json() {
    let stage = Stage::new();
    let steps: Vec<serde_json::Value> =
        stage.run(&["apply", "policies", "-o", "json"]).json_lines();
    let created = stage.policies().into_iter().find(|it| it.display_name == "X").unwrap().uuid;
    let target = serde_json::json!({ "group": GROUP });
    let create = serde_json::json!({ "step": "create", "policy": "X", "policyUuid": created });
    let assign = serde_json::json!({
        "step": "assign", "policy": "X", "policyUuid": created, "target": target,
    });
    assert_eq!(steps, [create, assign]);
    stage.write("a.yaml", "name: X\n");
    let ran = stage.run(&["apply", "policies", "--jq", ".step"]);
    assert_eq!((ran.code, out(&ran), &*ran.err), (0, "unassign\n", ""));
}

#[test]
fn prune_asks_and_deletes_nothing_that_only_moved() {
    let stage = Stage::new();
    let before = stage.policies().len();
    let ran = stage.run(&["apply", "policies", "--prune"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("- delete \"Servers: exclude databases\" "), "{}", ran.err);
    let question = "Apply all of this: 1 to create, ";
    assert!(ran.err.contains("+ create \"X\"\n") && ran.err.contains(question), "{}", ran.err);
    assert!(ran.err.contains("There is no terminal to ask on; --yes confirms it"), "{}", ran.err);
    assert_eq!(stage.policies().len(), before);
    for other in [&["--resume"][..], &["--roll-back"], &["--plan", "x"]] {
        let ran = stage.run(&[&["apply", "--prune"], other].concat());
        assert!(ran.err.contains("cannot be used with"), "{}", ran.err);
    }
    // What is replaced is deleted, too.
    stage.run(&["export", "--dir", "policies"]);
    for entry in fs::read_dir(stage.path("policies")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("description: ", "description: new ")).unwrap();
    }
    let ran = stage.run(&["apply", "policies"]);
    let expected = " to replace, 1 to assign? There is no terminal to ask on; --yes confirms it";
    assert!(ran.code == 2 && ran.err.contains(expected), "{}", ran.err);
    let (first, then) = ("~ replace ", "\n+ create \"X\"\n");
    assert!(ran.err.starts_with(first) && ran.err.contains(then), "{}", ran.err);
    fs::remove_dir_all(stage.path("policies")).unwrap();
    fs::create_dir(stage.path("policies")).unwrap();
    stage.write("a.yaml", &format!("name: X\nassignments:\n- group: {GROUP}\n"));
    // A saved plan deletes as much.
    let plan = stage.run(&["plan", "policies", "--prune", "--save", "plan.json"]);
    assert_eq!(plan.code, 2, "{}", plan.err);
    let ran = stage.run(&["apply", "--plan", "plan.json"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("There is no terminal to ask on; --yes confirms it"), "{}", ran.err);
    assert_eq!(stage.policies().len(), before);
    // What is elsewhere in the folder, or ends in upper case, is read.
    let left = stage.run(&["export", "--dir", "policies"]);
    let expected = "left as they are: policies/a.yaml: the tenant has no policies with their names";
    assert!(left.code == 0 && left.err.starts_with(expected), "{}", left.err);
    fs::create_dir_all(stage.path("policies/shops/open")).unwrap();
    for entry in fs::read_dir(stage.path("policies")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("Shops") {
            fs::rename(&path, stage.path("policies/shops/open").join(name)).unwrap();
        } else if name.starts_with("Servers") {
            fs::rename(&path, path.with_extension("YML")).unwrap();
        }
    }
    stage.write("README.md", "");
    stage.write(".hidden.yaml", "nonsense");
    #[cfg(unix)]
    let made = std::process::Command::new("mkfifo").arg(stage.path("policies/fifo.yaml")).status();
    #[cfg(unix)]
    assert!(made.unwrap().success());
    let plan = stage.run(&["plan", "policies", "--prune"]);
    assert_eq!(plan.code, 2, "{}", plan.err);
    assert!(!out(&plan).contains("delete"), "{}", out(&plan));
    let passed = ["policies/.hidden.yaml", "policies/README.md", "policies/fifo.yaml"];
    let passed = if cfg!(unix) { &passed[..] } else { &passed[..2] };
    assert!(plan.err.contains(&format!("passed over: {};", passed.join(", "))), "{}", plan.err);
}

#[test]
fn a_new_name_is_pointed_out() {
    let stage = Stage::new();
    fs::remove_file(stage.path("policies/a.yaml")).unwrap();
    stage.run(&["export", "--dir", "policies"]).ok();
    let path = stage.path("policies/Servers__exclude_databases.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replacen("exclude databases", "exclude files", 1)).unwrap();
    let plan = stage.run(&["plan", "policies"]);
    let expected =
        "\"Servers: exclude files\" looks like \"Servers: exclude databases\" under a new name";
    assert!(plan.err.contains(expected), "{}\n{text}", plan.err);
}

/// Neither a saved plan nor the journal is taken for a policy, and whatever is next names the journal.
#[test]
fn after_an_interruption_the_journal_is_named() {
    let stage = Stage::new();
    stage.run(&["plan", "policies", "--save", "policies/plan.json"]);
    let here = |args: &[&str]| {
        let mut command = stage.command(args);
        command.current_dir(stage.path("policies"));
        run_command(command, b"")
    };
    stage.faults.push_for("AssignPolicy", Fault::code(tonic::Code::Internal));
    let ran = here(&["apply", "."]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("plan.json: passed over, a saved plan or a journal"), "{}", ran.err);
    assert!(ran.err.contains("the journal eset-protect.journal is kept"), "{}", ran.err);
    for (args, code) in [(["plan", "."], 1), (["apply", "."], 2)] {
        let error = here(&args).fails(code);
        assert!(error.contains("journal of an interrupted run; expected --resume"), "{error}");
        assert!(error.contains("hint: `eset-protect policies apply --resume` does"), "{error}");
    }
    let ran = here(&["apply", "--resume"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(here(&["plan", "."]).code, 0);
    // The saved plan is carried out already.
    let ran = here(&["apply", "--plan", "plan.json"]);
    assert_eq!((ran.code, &*ran.err), (0, "nothing to change: the plan is carried out already\n"));

    let uuid = |policy: &Policy| policy.display_name.eq("X").then(|| policy.uuid.clone());
    let first = stage.policies().iter().find_map(uuid).unwrap();
    let second = here(&["clone", &first, "--name", "X"]).ok();
    let error = here(&["plan", "."]);
    assert!(error.err.contains(&first) && error.err.contains(second.trim()), "{}", error.err);
    assert!(error.err.contains("`policies delete UUID`"), "{}", error.err);
}

#[cfg(unix)]
#[test]
fn the_call_under_way_comes_to_its_end() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let stage = Stage::new();
    let (fault, mut hold) = Fault::hold();
    stage.faults.push_for("CreatePolicy", fault);
    let mut command = stage.command(&["apply", "policies"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    crate::command::runtime().block_on(hold.arrived(1));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.next().unwrap().starts_with("stopping after the call under way"));
    hold.release();
    let rest: Vec<_> = said.collect();
    assert_eq!(
        rest,
        [
            "create \"X\"",
            "error: stopped after 1 step; the journal eset-protect.journal is kept",
            "hint: `eset-protect policies apply --resume` does the rest",
            "hint: `eset-protect policies apply --roll-back` returns to the state before",
        ]
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(stage.has("X"));
    assert_eq!(stage.run(&["apply", "--roll-back"]).code, 0);
    assert!(!stage.has("X") && !stage.path("eset-protect.journal").exists());
}
