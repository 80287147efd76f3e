//! `eset-protect policies`.

use eset_protect::params::PolicyData;
use eset_protect::policy_management::v2::{CreatePolicyResponse, GetPolicyResponse, Policy};

use crate::command::{Ran, Server, run};
use crate::support::directory::Directory;

const PRODUCT: &str = "eset.local.products.endpoint";

#[test]
fn create_from_flags_with_the_bytes_of_a_file() {
    let server = Server::empty();
    let directory = Directory::new();
    let path = directory.join("settings.dat");
    let settings = format!(r#"{{"policy":{{"format":"1","data":"{}"}}}}"#, "x".repeat(70_000 - 35));
    let settings = settings.into_bytes();
    std::fs::write(&path, &settings).unwrap();
    let created = server.run(&[
        "policies",
        "create",
        "--name",
        "Strict",
        "--description",
        "All",
        "--product",
        PRODUCT,
        "--data",
        path.to_str().unwrap(),
        "--force",
        "plugins.a",
        "--read-only",
        "plugins.a",
        "--read-only",
        "plugins.b",
        "--output",
        "json",
    ]);
    assert!(
        created
            .err
            .ends_with("read as plain settings, 70000 bytes, for eset.local.products.endpoint\n")
    );
    let created: CreatePolicyResponse = Ran { err: String::new(), ..created }.json();
    let policy = created.policy.unwrap();
    let feature = &policy.features[0];
    assert_eq!(feature.feature_id, u32::MAX);
    let data: PolicyData = feature.configuration.as_ref().unwrap().unpack().unwrap();
    assert_eq!(data.data.as_deref(), Some(&*settings));
    assert_eq!(data.product.as_deref(), Some(PRODUCT));
    assert!(feature.flags["plugins.a"].apply_forcefully && feature.flags["plugins.a"].read_only);
    assert!(!feature.flags["plugins.b"].apply_forcefully && feature.flags["plugins.b"].read_only);

    let got: GetPolicyResponse =
        server.run(&["policies", "get", &policy.uuid, "--output", "json"]).json();
    assert_eq!(got.policy.as_ref(), Some(&policy));
    let shown = server.run(&["policies", "get", &policy.uuid]).ok();
    // The beginning of the settings is enough for people.
    assert!(shown.contains("… (93336 characters)") && shown.contains(PRODUCT), "{shown}");
    assert!(shown.contains("\"plugins.a\": {") && shown.len() < 2_000, "{shown}");
    let listed: Vec<Policy> = server.run(&["policies", "list", "--output", "json"]).json_lines();
    assert_eq!(listed, std::slice::from_ref(&policy));
    assert!(
        server.run(&["policies", "list"]).ok().contains("Strict  eset.local.products.endpoint")
    );
    let deleted = server.run(&["policies", "delete", &policy.uuid]).ok();
    assert_eq!(deleted, format!("Deleted the policy {}.\n", policy.uuid));
    server.run(&["policies", "delete", &policy.uuid]).fails(4);
}

/// Copying is the only way to change a policy, so a copy must lose nothing.
#[test]
fn get_and_create_make_a_copy() {
    let server = Server::empty();
    let request = r#"{"policy":{"displayName":"New","features":[{"featureId":7,"configuration":
        {"@type":"type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData","data":"AAE=",
        "product":"p","layers":[{"depth":12345678901234567890}]},"flags":{"a.b":{"readOnly":true}}},
        {"featureId":8,"configuration":{"@type":"type.googleapis.com/eset.v9.Newer","x":1.50}}]}}"#;
    let create = ["policies", "create", "--file", "-", "--allow-unknown", "--output", "json"];
    let first: CreatePolicyResponse = server.run_with(&create, request.as_bytes()).json();
    let first = first.policy.unwrap();
    let printed = server.run(&["policies", "get", &first.uuid, "--output", "json"]).ok();
    assert!(printed.contains(r#""layers":[{"depth":12345678901234567890}]"#), "{printed}");
    assert!(
        printed.contains(r#"{"@type":"type.googleapis.com/eset.v9.Newer","x":1.50}"#),
        "{printed}"
    );
    let copy: CreatePolicyResponse = server.run_with(&create, printed.as_bytes()).json();
    let copy = copy.policy.unwrap();
    assert_ne!(copy.uuid, first.uuid);
    assert_eq!(copy.features, first.features);
}

#[test]
fn built_in_policies_stay() {
    let server = Server::seeded();
    let policies: Vec<Policy> = server.run(&["policies", "list", "--output", "json"]).json_lines();
    let built_in = policies.iter().find(|policy| policy.built_in).unwrap();
    let error = server.run(&["policies", "delete", &built_in.uuid, "--yes"]).fails(7);
    assert!(error.starts_with("error: DeletePolicy: FAILED_PRECONDITION: "), "{error}");
}

#[test]
fn what_is_no_policy_is_refused_with_the_form_that_is_expected() {
    let error = run(&["policies", "create", "--file", "-"], br#"{"displayNam":"x"}"#).fails(2);
    assert!(error.contains(r#"expected {"policy": {…}}"#), "{error}");
    let error = run(&["policies", "create", "--name", "x"], b"").fails(2);
    assert!(error.contains("--data"), "{error}");
}
