//! RPCs as HTTP requests.

use std::collections::BTreeSet;

use eset_protect::rpc::{self, Deployment};
use eset_protect::transcode::Router;
use http::Method;
use serde_json::{Value, json};

use crate::rest_front::fixture::*;

#[tokio::test]
async fn both_versions_of_http_and_grpc_share_a_port_and_a_store() {
    let fixture = fixture().await;
    let uuid = fixture.task("over HTTP/1.1").await;
    let h2 = Http::new(&fixture.running.endpoint(), true);
    let answer = h2.get(&format!("/v1/device_tasks/{uuid}")).await;
    assert_eq!(answer.json()["task"]["displayName"], "over HTTP/1.1");
    let request = eset_protect::automation::v1::GetTaskRequest { task_uuid: uuid };
    let reply = fixture.grpc().await.get_task(request).await.unwrap();
    assert_eq!(reply.get_ref().task.as_ref().unwrap().display_name, "over HTTP/1.1");
    assert!(reply.metadata().contains_key("request-id"));
}

#[tokio::test]
async fn answers_show_defaults_and_leave_out_absent_messages() {
    let fixture = fixture().await;
    let answer = fixture.http.post("/v1/device_tasks", &task("t")).await;
    let task = &answer.json()["task"];
    assert_eq!(task["source"], "DEVICE_TASK_SOURCE_UNSPECIFIED");
    assert_eq!(task["description"], "");
    assert_eq!(task["targets"]["deviceGroupsUuids"], json!([]));
    assert_eq!(task["versionId"], "1");
    assert!(task["action"].get("params").is_none());
    let list = fixture.http.get("/v2/policies").await;
    assert_eq!(list.json(), json!({"policies": [], "nextPageToken": ""}));
}

#[tokio::test]
async fn every_rpc_answers_by_its_path() {
    let fixture = fixture().await;
    for spec in rpc::METHODS {
        for http in Deployment::Cloud.bindings(spec) {
            // A missing resource, or a body without content; both errors come from the service.
            let path = http
                .path
                .split('/')
                .map(|part| match part.split_once('}') {
                    Some((_, verb)) => format!("none{verb}"),
                    None => part.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("/");
            let method: Method = http.method.parse().unwrap();
            let headers: &[_] =
                if http.body.is_empty() { &[] } else { &[("content-type", "application/json")] };
            let body = if http.body.is_empty() { "" } else { "{}" };
            let answer = fixture.http.send(method, &path, headers, body).await;
            let is_answer = matches!(answer.status.as_u16(), 200 | 400 | 404);
            assert!(is_answer, "{path} {answer:?}");
            if answer.header("content-type") == "application/json" {
                assert_ne!(answer.json()["message"], "there is no such path");
            }
            assert_eq!(fixture.running.log().last().unwrap().rpc.unwrap().path, spec.path);
        }
    }
}

#[tokio::test]
async fn each_answer_has_an_identifier_of_its_own() {
    let fixture = fixture().await;
    let mut ids = BTreeSet::new();
    for path in ["/v1/device_tasks", "/v1/device_tasks/none", "/nowhere", "/"] {
        let id = fixture.http.get(path).await.header("request-id").to_owned();
        assert_eq!(id.len(), 36);
        assert!(ids.insert(id));
    }
    let mut grpc = fixture.grpc().await;
    let status = grpc.get_task(eset_protect::automation::v1::GetTaskRequest::default()).await;
    let id = status.unwrap_err().metadata().get("request-id").unwrap().to_str().unwrap().to_owned();
    assert!(ids.insert(id));
}

#[tokio::test]
async fn errors_have_the_form_of_the_gateway_with_details() {
    let fixture = fixture().await;
    let answer = fixture.http.get("/v1/device_tasks/none").await;
    assert!(answer.error(404).contains("none"));
    let detail = &answer.json()["details"][0];
    assert_eq!(detail["@type"], "type.googleapis.com/google.rpc.ResourceInfo");
    assert_eq!(detail["resourceName"], "none");
}

/// As the `.proto` files do, whatever finds the problem and however the request spells the name.
#[tokio::test]
async fn violations_name_fields_in_one_way() {
    let fixture = fixture().await;
    let body = |body: Value| (Method::POST, "/v1/device_tasks".to_owned(), body.to_string());
    let get = |path: &str| (Method::GET, format!("/v1/device_tasks{path}"), String::new());
    let mut expired = task("t");
    expired["task"]["triggers"] = json!([{"manual": {"expireTime": {"seconds": "999999999999"}}}]);
    let twice = r#"{"task":{"displayName":"n","displayName":"m"}}"#.to_owned();
    for ((method, path, body), field) in [
        (body(json!({"task": {"versionId": "x"}})), "task.version_id"),
        (body(json!({"task": {"version_id": "x"}})), "task.version_id"),
        (body(json!({ "task": expired["task"] })), "task.triggers[0].manual.expire_time"),
        ((Method::POST, "/v1/device_tasks".to_owned(), twice), "task.display_name"),
        (get("?pageSize=x"), "page_size"),
        (get("?page_size=x"), "page_size"),
        (get("/%ff"), "task_uuid"),
    ] {
        let headers = [("content-type", "application/json")];
        let answer = fixture.http.send(method, &path, &headers, body.clone()).await;
        let message = answer.error(400);
        let violation = &answer.json()["details"][0]["fieldViolations"][0];
        assert_eq!(violation["field"], field, "{body}: {message}");
        let description = violation["description"].as_str().unwrap();
        let is_bare = !description.contains(field) && !description.contains(" line ");
        assert!(is_bare, "{description}");
    }
}

#[tokio::test]
async fn a_rank_that_is_too_high_is_412_and_a_built_in_policy_400() {
    let fixture = fixture_with(|builder| builder.seed(true)).await;
    let list = fixture.http.get("/v2/policy-assignments").await.json();
    let uuid = list["assignments"][0]["uuid"].as_str().unwrap();
    let path = format!("/v2/policy-assignments/{uuid}:updateRanking");
    fixture.http.post(&path, &json!({"rank": 1000})).await.error(412);
    fixture.http.post(&path, &json!({"rank": 0})).await.error(400);
    let answer = fixture.http.post(&path, &json!({"rank": 1})).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));

    let list = fixture.http.get("/v2/policies?pageSize=1000").await.json();
    let policies = list["policies"].as_array().unwrap();
    let built_in = policies.iter().find(|policy| policy["builtIn"] == true).unwrap();
    let path = format!("/v2/policies/{}", built_in["uuid"].as_str().unwrap());
    fixture.http.send(Method::DELETE, &path, &[], "").await.error(400);
}

#[tokio::test]
async fn unknown_members_of_an_any_pass_both_fronts() {
    let fixture = fixture().await;
    let mut body = task("t");
    let params = json!({
        "@type": "type.googleapis.com/Era.Common.DataDefinition.Task.OS.ShutdownComputer",
        "restart": true,
        "newer": {"n": 1},
    });
    body["task"]["action"] = json!({"name": "ShutdownComputer", "params": params});
    let created = fixture.http.post("/v1/device_tasks", &body).await.json();
    assert_eq!(created["task"]["action"]["params"], params);
}

#[tokio::test]
async fn paths_and_methods_that_nothing_has_are_told_apart() {
    let fixture = fixture().await;
    fixture.http.get("/v1/nothing").await.error(404);
    let answer = fixture.http.send(Method::PATCH, "/v1/device_tasks", &[], "").await;
    answer.error(405);
    assert_eq!(answer.header("allow"), "GET, POST");
    let answer = fixture.http.send(Method::HEAD, "/v2/policies/x", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "DELETE, GET"));
    let answer = fixture.http.get("/oauth/token").await;
    answer.error(405);
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn the_log_tells_what_arrived_without_credentials() {
    let fixture = fixture().await;
    let headers = [("authorization", "Bearer secret"), ("x-a", "1")];
    fixture.http.get_with("/v1/device_tasks?pageSize=1", &headers).await;
    let log = fixture.running.log();
    let arrival = log.last().unwrap();
    assert_eq!(
        (arrival.method.as_str(), arrival.path.as_str()),
        ("GET", "/v1/device_tasks?pageSize=1")
    );
    assert!(arrival.is_rpc("ListTasks"));
    assert_eq!(arrival.headers["x-a"], "1");
    assert!(!format!("{log:?}").contains("secret"));
    fixture
        .grpc()
        .await
        .list_tasks(eset_protect::automation::v1::ListTasksRequest::default())
        .await
        .unwrap();
    assert_eq!(fixture.running.log().last().unwrap().front, eset_protect::emulator::Front::Grpc);
    assert_eq!(fixture.count("ListTasks"), 2);
}

#[tokio::test]
async fn no_method_but_its_own_takes_a_verb_for_a_part_of_a_uuid() {
    let fixture = fixture().await;
    for method in [Method::OPTIONS, Method::DELETE, Method::GET] {
        let answer =
            fixture.http.send(method, "/v1/device_tasks/t:updateTaskTargets", &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    }
    assert_eq!(fixture.count("DeleteTask"), 0);
}

#[tokio::test]
async fn a_person_finds_a_page_and_the_openapi_document() {
    let fixture = fixture().await;
    let page = fixture.http.get("/").await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(rpc::METHODS.iter().all(|spec| text.contains(spec.method)));
    assert!(text.contains("data-path=\"/v1/device_tasks\""));
    let document: Value = fixture.http.get("/openapi.json").await.json();
    let router = Router::of_crate();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(!router.methods(&path.replace(['{', '}'], "")).is_empty(), "{path}");
    }
}

/// A name that the schema does not have is a number inside, which would mean nothing to its author.
#[tokio::test]
async fn a_strict_refusal_lists_the_names_that_it_expects() {
    let fixture = fixture_with(|builder| builder.strict(true)).await;
    let answer = fixture.http.get("/v1/devices?functionalityStatus=BROKEN").await;
    let message = answer.error(400);
    let expected =
        "functionality_status: expected one of DEVICE_FUNCTIONALITY_STATUS_UNSPECIFIED, ";
    assert!(message.starts_with(expected) && !message.contains("found"), "{message}");
    let json = [("content-type", "application/json")];
    let answer = fixture.http.send(Method::POST, "/v1/device_tasks", &json, "x").await;
    assert!(answer.error(400).starts_with("the request: "), "{answer:?}");
}
