//! What tokens that nobody has given out may fill.

use std::fs;

use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::{
    CreateTaskResponse, DeviceTask, DeviceTaskTargets, ListTasksRequest, ListTasksResponse,
};
use eset_protect::serve::{Access, AuditLog, Bridge, Caller, Identity, Rules};
use eset_protect::transport::{Reply, Request as Attempt, Transport};
use eset_protect::{Client, Error, RetryPolicy};
use futures_util::future::join_all;
use tonic::{Code, Status};

use crate::support::directory::Directory;
use crate::{WIRES, builder};

/// An upstream that knows one token.
#[derive(Debug)]
struct Upstream;

impl Transport for Upstream {
    fn send<'a>(&'a self, request: Attempt<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let is_known =
            request.metadata().get("authorization").is_some_and(|it| it == "Bearer real");
        let is_list = request.spec().method == "ListTasks";
        Box::pin(async move {
            match (is_known, is_list) {
                (false, _) => Err(Status::unauthenticated("no such token").into()),
                (true, true) => Ok(Reply::message(&ListTasksResponse::default())),
                (true, false) => {
                    Ok(Reply::message(&CreateTaskResponse { task: Some(DeviceTask::default()) }))
                }
            }
        })
    }
}

/// Makes the call that writes most into the log.
async fn create(client: &Client, token: &str) -> Result<DeviceTask, Error> {
    let devices = (0..100).map(|number| format!("123e4567-e89b-12d3-a456-{number:012}"));
    let task =
        DeviceTask { targets: Some(DeviceTaskTargets::devices(devices)), ..Default::default() };
    let call = client.device_tasks().create_task(task).retry(RetryPolicy::none());
    call.metadata("authorization", &format!("Bearer {token}")).await
}

#[tokio::test]
async fn made_up_tokens_do_not_fill_the_disk() {
    let directory = Directory::new();
    let path = directory.join("audit.jsonl");
    let upstream = Client::builder("http://upstream").transport(Upstream).connect_lazy().unwrap();
    let rules = Rules::new().deny("*/Delete*".parse().unwrap());
    let own = Caller::new("own", Identity::OwnToken).tenant("acme").rules(rules);
    let access = Access::new().tenant("acme", upstream).caller(own).unwrap();
    let bridge = Bridge::new(access).audit(AuditLog::open(&path).unwrap()).start().await.unwrap();
    let [grpc, rest] = WIRES.map(|wire| builder(&bridge.endpoint(), wire).connect_lazy().unwrap());
    let mut codes = Vec::new();
    while codes.last() != Some(&Code::ResourceExhausted) {
        let tokens: Vec<_> = (0..100).map(|one| format!("made-up-{}", codes.len() + one)).collect();
        let errors = join_all(tokens.iter().map(|token| create(&grpc, token))).await;
        codes.extend(errors.into_iter().map(|result| result.unwrap_err().code()));
    }
    let logged = codes.iter().filter(|code| **code == Code::Unauthenticated).count();
    assert!(codes.len() < 1000 && logged > 400, "{logged} of {}", codes.len());
    let error = create(&rest, "made-up").await.unwrap_err();
    assert_eq!(error.http_status(), Some(429), "{error}");
    // Refused calls have shorter lines.
    let mut refused = Vec::new();
    while refused.last() != Some(&Code::ResourceExhausted) {
        let delete = grpc.device_tasks().delete_task("0b7f").retry(RetryPolicy::none());
        let result = delete.metadata("authorization", "Bearer made-up").await;
        refused.push(result.unwrap_err().code());
    }
    assert!(refused.len() < 100, "{}", refused.len());

    // A real token has to show that it is one.
    let error = create(&rest, "real").await.unwrap_err();
    assert!(error.message().contains("make one that changes nothing first"), "{error}");
    let list = rest.device_tasks().list_tasks(ListTasksRequest::default());
    list.metadata("authorization", "Bearer real").await.unwrap();
    create(&grpc, "real").await.unwrap();
    bridge.shutdown().await;
    let size = fs::metadata(&path).unwrap().len();
    assert!((3_500_000..4_500_000).contains(&size), "{size}");
}
