//! `eset-protect assignments`.

use eset_protect::policy_management::v2::{
    AssignPolicyResponse, CreatePolicyResponse, GetPolicyAssignmentResponse, PolicyAssignment,
    PolicyTarget, UpdatePolicyAssignmentRankingResponse,
};

use crate::command::{DEVICE, GROUP, Server, run};

fn policy(server: &Server) -> String {
    let create = ["policies", "create", "--file", "-", "--output", "json"];
    let ran = server.run_with(&create, br#"{"policy":{"displayName":"x"}}"#);
    ran.json::<CreatePolicyResponse>().policy.unwrap().uuid
}

fn assign(server: &Server, policy: &str, target: &[&str]) -> PolicyAssignment {
    let args = ["assignments", "assign", "--policy", policy, "--output", "json"];
    server.run(&[&args, target].concat()).json::<AssignPolicyResponse>().assignment.unwrap()
}

#[test]
fn assign_rank_and_unassign() {
    let server = Server::empty();
    let (a, b) = (policy(&server), policy(&server));
    let first = assign(&server, &a, &["--device-group", GROUP]);
    let second = assign(&server, &b, &["--device-group", GROUP]);
    assert_eq!((first.rank, second.rank), (1, 2));
    assert_eq!(second.target, Some(PolicyTarget::device_group(GROUP)));
    let elsewhere = assign(&server, &a, &["--device", DEVICE]);
    assert_eq!(elsewhere.target, Some(PolicyTarget::device(DEVICE)));
    let subscribed = assign(&server, &a, &["--subscription", "s"]);
    assert_eq!(subscribed.target, Some(PolicyTarget::subscription("s")));

    let said = server.run(&["assignments", "update-ranking", &second.uuid, "--rank", "1"]).ok();
    assert_eq!(said, format!("Updated the assignment {}.\n", second.uuid));
    let got = server.run(&["assignments", "get", &second.uuid, "--output", "json"]);
    let got = got.json::<GetPolicyAssignmentResponse>().assignment.unwrap();
    assert_eq!(got, PolicyAssignment { rank: 1, ..second.clone() });
    let ranked = server.run(&["assignments", "update-ranking", &second.uuid, "--rank=2", "-ojson"]);
    ranked.json::<UpdatePolicyAssignmentRankingResponse>();
    let shown = server.run(&["assignments", "get", &second.uuid]).ok();
    assert!(shown.contains("rank            2\n") && shown.contains(GROUP), "{shown}");

    let list = |args: &[&str]| {
        let args = [&["assignments", "list", "--output", "json"], args].concat();
        server.run(&args).json_lines::<PolicyAssignment>()
    };
    assert_eq!(list(&[]).len(), 4);
    assert_eq!(list(&["--device-group", GROUP]).len(), 2);
    assert_eq!(list(&["--policy", &a]).len(), 3);
    assert_eq!(list(&["--policy", &a, "--policy", &b]).len(), 4);
    assert_eq!(list(&["--policy", &a, "--device", DEVICE]), [elsewhere]);
    let table = server.run(&["assignments", "list"]).ok();
    assert!(table.starts_with("UUID") && table.contains("  subscription:s\n"), "{table}");

    let said = server.run(&["assignments", "unassign", &first.uuid]).ok();
    assert_eq!(said, format!("Unassigned the assignment {}.\n", first.uuid));
    assert_eq!(list(&["--device-group", GROUP])[0].rank, 1);
    server.run(&["assignments", "get", &first.uuid]).fails(4);
}

#[test]
fn ranks_out_of_range_are_told_apart() {
    let server = Server::empty();
    let policy = policy(&server);
    let assignment = assign(&server, &policy, &["--device", DEVICE]).uuid;
    let error = server.run(&["assignments", "update-ranking", &assignment, "--rank", "0"]).fails(2);
    assert!(error.starts_with("error: --rank: expected 1 or more"), "{error}");
    let error = server.run(&["assignments", "update-ranking", &assignment, "--rank", "9"]).fails(7);
    assert!(error.contains("FAILED_PRECONDITION"), "{error}");
    let error =
        server.run(&["assignments", "update-ranking", &assignment, "--rank", "first"]).fails(2);
    assert!(error.contains("'first'") && error.contains("--rank <NUMBER>"), "{error}");
}

#[test]
fn a_target_is_needed_and_only_one() {
    let assign = ["assignments", "assign", "--policy", "p"];
    let error = run(&assign, b"").fails(2);
    assert!(error.contains("error: --device, --device-group, --subscription: expected"), "{error}");
    let error =
        run(&[&assign[..], &["--device", "a", "--device-group", "b"]].concat(), b"").fails(2);
    assert!(error.contains("cannot be used with"), "{error}");
}
