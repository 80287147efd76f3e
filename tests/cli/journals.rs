//! The journal of `eset-protect policies apply`, and saved plans: one process, one tenant.

use std::fs;
use std::process::Stdio;

use eset_protect::emulator::{Emulator, Fault};
use tonic::Code;

use crate::command::{Ran, Server, run_command};
use crate::rollouts::{MISSING, Stage};

/// Interrupted after it created the policy `X`.
fn interrupted() -> Stage {
    let stage = Stage::new();
    stage.faults.push_for("AssignPolicy", Fault::code(Code::Internal));
    assert_eq!(stage.run(&["apply", "policies"]).code, 1);
    stage
}

#[test]
fn one_process_at_a_time_works_on_a_journal() {
    for (mode, method, left) in
        [("--resume", "AssignPolicy", 1), ("--roll-back", "DeletePolicy", 0)]
    {
        let stage = interrupted();
        let (fault, mut hold) = Fault::hold();
        stage.faults.push_for(method, fault);
        let mut command = stage.command(&["apply", mode]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        crate::command::runtime().block_on(hold.arrived(1));
        for (other, code) in [
            (&["apply", "--resume"][..], 2),
            (&["apply", "--roll-back"], 2),
            (&["apply", "--resume", "--dry-run"], 1),
            (&["apply", "policies"], 2),
            (&["set", MISSING, "a=1"], 2),
            (&["plan", "--roll-back"], 1),
            (&["plan", "policies"], 1),
        ] {
            let error = stage.run(other).fails(code);
            let expected = "error: eset-protect.journal: another process works on this journal";
            assert!(error.starts_with(expected), "{other:?}: {error}");
        }
        hold.release();
        let ran = child.wait_with_output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(!stage.path("eset-protect.journal").exists());
        let twins = stage.policies().into_iter().filter(|policy| policy.display_name == "X");
        assert_eq!(twins.count(), left);
    }
}

#[test]
fn without_a_journal_nothing_was_interrupted() {
    let stage = Stage::new();
    for (args, code) in [
        (&["apply", "--resume"][..], 2),
        (&["apply", "--roll-back"], 2),
        (&["plan", "--roll-back"], 1),
    ] {
        let error = stage.run(args).fails(code);
        let expected = "error: nothing was interrupted here: there is no eset-protect.journal\nhint: --journal ";
        assert!(error.starts_with(expected), "{error}");
    }
}

/// Another tenant may be in the same state, as a new one or a copy is.
#[test]
fn a_journal_and_a_saved_plan_are_of_one_server() {
    let stage = interrupted();
    let other = Server::start(Emulator::builder().seed(true));
    let elsewhere = |args: &[&str]| -> Ran {
        let mut command = other.command(&[&["policies"], args].concat());
        command.current_dir(stage.path("."));
        run_command(command, b"")
    };
    let before = other.run(&["policies", "list", "-o", "json"]).ok();
    let journal = fs::read(stage.path("eset-protect.journal")).unwrap();
    let is_of = |path: &str| {
        format!("error: {path} is of {}, and this is {}", stage.server.endpoint, other.endpoint)
    };
    for (args, code) in [
        (&["apply", "--resume"][..], 2),
        (&["apply", "--roll-back"], 2),
        (&["apply", "--resume", "--dry-run"], 1),
        (&["plan", "--roll-back"], 1),
    ] {
        let error = elsewhere(args).fails(code);
        assert!(error.starts_with(&is_of("eset-protect.journal")), "{error}");
        assert!(error.contains("--same-tenant"), "{error}");
    }
    // A bridge has several on one endpoint.
    let error = stage.run(&["apply", "--resume", "--tenant", "acme"]).fails(2);
    assert!(
        error.contains(&format!("and this is {}, tenant acme", stage.server.endpoint)),
        "{error}"
    );
    assert_eq!(fs::read(stage.path("eset-protect.journal")).unwrap(), journal);
    assert_eq!(stage.run(&["apply", "--roll-back"]).code, 0);
    assert_eq!(stage.run(&["plan", "policies", "--save", "plan.json"]).code, 2);
    let error = elsewhere(&["apply", "--plan", "plan.json"]).fails(2);
    assert!(error.starts_with(&is_of("plan.json")), "{error}");
    assert_eq!(other.run(&["policies", "list", "-o", "json"]).ok(), before);
    // Under another name, it is the same one.
    let ran = elsewhere(&["apply", "--plan", "plan.json", "--same-tenant"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

/// Both create what is new; the one that ends last says so, and the log names the policies.
#[test]
fn a_second_operator_is_noticed_at_the_end() {
    let stage = Stage::new();
    let (fault, mut hold) = Fault::hold();
    stage.faults.push_for("CreatePolicy", fault);
    let mut command = stage.command(&["apply", "policies", "--journal", "a"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    crate::command::runtime().block_on(hold.arrived(1));
    assert_eq!(stage.run(&["apply", "policies", "--journal", "b"]).code, 0);
    hold.release();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.err);
    let target = crate::command::GROUP;
    let log = format!(
        "create \"X\"\nassign \"X\" to group {target}\nerror: the plan is carried out, but "
    );
    assert!(ran.err.starts_with(&log), "{}", ran.err);
    assert!(ran.err.contains("meanwhile: the new policy \"X\" "), "{}", ran.err);
    assert!(!stage.path("a").exists());
}
