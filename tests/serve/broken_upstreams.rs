//! What an upstream or a part of the bridge does wrong ends one call, and no other.

use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::{GetTaskRequest, ListTasksRequest, ListTasksResponse};
use eset_protect::serve::{AuditLog, Bridge};
use eset_protect::transport::{Reply, Request as Attempt, Transport};
use eset_protect::{Client, Error, Wire};
use tonic::Code;

use crate::audit::{device_task, lines};
use crate::support::directory::Directory;
use crate::support::scripted::{Scripted, ok};
use crate::{WIRES, client};

/// Panics in every call but a list.
#[derive(Debug)]
struct Panicking;

impl Transport for Panicking {
    fn send<'a>(&'a self, request: Attempt<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        assert_eq!(request.spec().method, "ListTasks", "on purpose");
        Box::pin(async { Ok(Reply::message(&ListTasksResponse::default())) })
    }
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let upstream = Client::builder("http://127.0.0.1").transport(Panicking).connect_lazy().unwrap();
    let directory = Directory::new();
    let path = directory.join("audit.jsonl");
    let bridge = Bridge::to(upstream).audit(AuditLog::open(&path).unwrap()).start().await.unwrap();
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        let tasks = client.device_tasks();
        let broken = tasks.get_task(GetTaskRequest { task_uuid: "t".into() }).await.unwrap_err();
        assert_eq!((broken.code(), broken.message()), (Code::Internal, "the call panicked"));
        tasks.list_tasks(ListTasksRequest::default()).await.unwrap();
        tasks.create_task(device_task()).await.unwrap_err();
    }
    bridge.shutdown().await;
    let ends = lines(&path).into_iter().filter(|line| line["event"] == "end");
    assert!(ends.map(|line| line["code"].clone()).eq(["INTERNAL", "INTERNAL"]));
}

#[tokio::test]
async fn a_response_that_is_not_json_is_an_error() {
    for front in WIRES {
        let upstream = Scripted::start([ok(r#"{"task":{"displayName":"C:\Übung"}}"#)]).await;
        let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Rest)).start().await.unwrap();
        let client = client(&bridge.endpoint(), front);
        let get = client.device_tasks().get_task(GetTaskRequest { task_uuid: "t".into() });
        let error = get.await.unwrap_err();
        assert!(error.message().contains("escape"), "{front:?}: {error}");
    }
}
