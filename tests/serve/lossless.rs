//! Members that the `.proto` files do not have, or have with another type, pass between REST and REST.

use bytes::Bytes;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{DeviceTask, GetTaskRequest, ListTasksRequest};
use eset_protect::proto::eset_protect::v1::{UnknownMember, UnknownMembers};
use eset_protect::proto::google::rpc::BadRequest;
use eset_protect::serve::{Bridge, RunningBridge};
use eset_protect::{Error, Wire};
use http::Request;
use prost::Message;
use serde_json::{Value, json};

use crate::fronts::grpc_web;
use crate::support::scripted::{Scripted, ok};
use crate::{client, send};

async fn bridge(upstream: &str, wire: Wire) -> RunningBridge {
    Bridge::to(client(upstream, wire)).start().await.expect("a bridge")
}

async fn call(request: Request<Bytes>) -> Value {
    let response = send(request).await;
    assert_eq!(response.status(), 200, "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}

fn post(endpoint: &str, body: &Value) -> Request<Bytes> {
    let request = Request::post(format!("{endpoint}/v1/device_tasks"));
    request.header("content-type", "application/json").body(body.to_string().into()).unwrap()
}

/// Fails if a value does not contain all of another. A front writes default values, too.
fn assert_contains(found: &Value, sent: &Value) {
    match (found, sent) {
        (Value::Object(found), Value::Object(sent)) => {
            for (name, sent) in sent {
                assert_contains(found.get(name).unwrap_or_else(|| panic!("no {name}")), sent);
            }
        }
        (Value::Array(found), Value::Array(sent)) => {
            assert_eq!(found.len(), sent.len());
            found.iter().zip(sent).for_each(|(found, sent)| assert_contains(found, sent));
        }
        _ => assert_eq!(found, sent),
    }
}

fn page() -> Value {
    json!({
        "tasks": [
            {"uuid": "a", "displayName": "A", "colour": "red"},
            {"uuid": "b", "triggers": [{"manual": {"expireTime": "2026-01-01T00:00:00Z", "zone": "CET"}}]},
            {"uuid": "c", "action": {"name": "Scan", "params": {
                "@type": "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan",
                "depth": 3,
            }}},
            {"uuid": "d", "displayName": ["D"], "triggers": "daily", "versionId": {"x": 1}, "targets": {
                "devicesUuids": [{"uuid": "x"}],
                "deviceGroupsUuids": ["y"],
            }},
        ],
        "estimate": 12_345_678_901_234_567_890_u64,
        "~/": {"nested": [1.0, null, {"x": 1e-7}]},
    })
}

#[tokio::test]
async fn responses_keep_members_that_the_types_do_not_have() {
    let upstream = Scripted::start([]).await.otherwise(ok(&page().to_string()));
    let rest = bridge(&upstream.endpoint(), Wire::Rest).await;
    // gRPC between the two bridges.
    let chain = bridge(&rest.endpoint(), Wire::Grpc).await;
    for endpoint in [rest.endpoint(), chain.endpoint()] {
        let found =
            call(Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new()).unwrap())
                .await;
        assert_contains(&found, &page());

        let mut grpc = DeviceTasksClient::connect(endpoint).await.unwrap();
        let found = grpc.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner();
        assert_eq!(found.tasks.len(), 4);
        assert_eq!(found.tasks[0].display_name, "A");
        let groups = found.tasks[3].targets.as_ref().map(|it| it.device_groups_uuids.as_slice());
        assert_eq!(groups, Some(&["y".to_owned()][..]));
    }
}

#[tokio::test]
async fn requests_keep_members_that_the_types_do_not_have() {
    let upstream = Scripted::start([]).await.otherwise(ok(r#"{"task":{"uuid":"a"}}"#));
    let rest = bridge(&upstream.endpoint(), Wire::Rest).await;
    let chain = bridge(&rest.endpoint(), Wire::Grpc).await;
    let sent = json!({"task": {"displayName": "A", "colour": "red"}, "validateOnly": true});
    for endpoint in [rest.endpoint(), chain.endpoint()] {
        call(post(&endpoint, &sent)).await;
        let arrived = upstream.seen().pop().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&arrived.body).unwrap(), sent);
    }
}

/// A request that carries unknown members.
#[derive(Clone, PartialEq, Message)]
struct Carrying {
    #[prost(message, tag = "1")]
    task: Option<DeviceTask>,
    #[prost(message, tag = "19777")]
    carried: Option<UnknownMembers>,
}

#[tokio::test]
async fn members_that_a_caller_carries_replace_no_field() {
    let upstream = Scripted::start([]).await.otherwise(ok(r#"{"task":{"uuid":"a"}}"#));
    let rest = bridge(&upstream.endpoint(), Wire::Rest).await;
    for (pointer, json, expected) in [
        ("/task/displayName", r#""B""#, Some(json!({"displayName": "A"}))),
        ("/task/display_name", r#""B""#, Some(json!({"displayName": "A"}))),
        ("/task", "{}", Some(json!({"displayName": "A"}))),
        ("/task/colour", "1e7", Some(json!({"displayName": "A", "colour": 1e7}))),
        ("/task/colour", "red", None),
        ("task", "1", None),
        ("/task/triggers", "1", None),
        ("/nope/colour", "1", None),
        ("/task/nope/colour", "1", None),
        ("/task/triggers/5/colour", "1", None),
        ("/task/displayName/colour", "1", None),
    ] {
        let member = UnknownMember { pointer: pointer.to_owned(), json: json.to_owned() };
        let request = Carrying {
            task: Some(DeviceTask { display_name: "A".to_owned(), ..Default::default() }),
            carried: Some(UnknownMembers { members: vec![member] }),
        };
        let before = upstream.seen().len();
        let mut request = grpc_web(&rest.endpoint(), &request);
        let path = "/eset.dotnod.automation.v1.DeviceTasks/CreateTask";
        *request.uri_mut() = format!("{}{path}", rest.endpoint()).parse().unwrap();
        let response = send(request).await;
        let arrived = upstream.seen().split_off(before);
        let arrived = arrived
            .first()
            .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap()["task"].take());
        assert_eq!(arrived, expected, "{pointer}: {response:?}");
        if expected.is_none() {
            assert_eq!(response.headers()["grpc-status"], "3", "{pointer}");
        }
    }
}

#[tokio::test]
async fn what_is_nested_too_deeply_to_be_kept_costs_no_more_than_itself() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let task = format!(r#"{{"task":{{"uuid":"a","deep":{deep},"colour":"red"}}}}"#);
    let upstream = Scripted::start([]).await.otherwise(ok(&task));
    let rest = bridge(&upstream.endpoint(), Wire::Rest).await;
    let get = Request::get(format!("{}/v1/device_tasks/a", rest.endpoint()));
    let found = call(get.body(Bytes::new()).unwrap()).await;
    assert_contains(&found, &json!({"task": {"uuid": "a", "colour": "red"}}));
    assert!(found["task"].get("deep").is_none());

    let mut request = post(&rest.endpoint(), &json!({}));
    *request.body_mut() = task.into();
    let response = send(request).await;
    assert_eq!(response.status(), 400, "a request is not sent without a part of it");
}

#[tokio::test]
async fn a_request_without_an_http_form_names_the_field_on_each_front() {
    let upstream = Scripted::start([]).await;
    let rest = bridge(&upstream.endpoint(), Wire::Rest).await;
    let mut grpc = DeviceTasksClient::connect(rest.endpoint()).await.unwrap();
    let error = Error::from(grpc.get_task(GetTaskRequest::default()).await.unwrap_err());
    let get = Request::get(format!("{}/v1/device_tasks/%ff", rest.endpoint()));
    let response = send(get.body(Bytes::new()).unwrap()).await;
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(error.detail::<BadRequest>().unwrap().field_violations[0].field, "task_uuid");
    assert_eq!(body["details"][0]["fieldViolations"][0]["field"], "task_uuid");
}
