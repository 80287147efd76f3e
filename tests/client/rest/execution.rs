//! Calls that may have run are never sent twice.

use eset_protect::ErrorKind;
use eset_protect::automation::v1::GetTaskResponse;
use eset_protect::rpc::device_tasks::GetTask;

use crate::rest::calls::{TASK, client, create, get};
use crate::support::scripted::{Answer, Scripted, head, ok};

#[tokio::test]
async fn a_connection_that_breaks_is_not_tried_again() {
    let json = ("content-type", "application/json");
    for broken in [
        Answer::Close(vec![]),
        Answer::Close(b"HTTP/1.1 200".to_vec()),
        Answer::Close(head("200 OK", &[json], Some(500))),
        Answer::Close([head("200 OK", &[json], Some(500)), TASK.into()].concat()),
    ] {
        let server = Scripted::start([broken, ok(TASK)]).await;
        let error = create(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
        assert!(error.may_have_executed());
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn nor_is_one_that_was_kept_alive() {
    let server = Scripted::start([ok(TASK), Answer::Close(vec![]), ok(TASK)]).await;
    let client = client(&server);
    get(&client).await.unwrap();
    let error = create(&client).await.unwrap_err();
    assert!(error.may_have_executed(), "{error:?}");
    assert_eq!(server.seen().iter().filter(|seen| seen.line().starts_with("POST")).count(), 1);
    assert_eq!(server.connections(), 1, "the second call took the connection of the first");

    // The next call uses a new connection.
    create(&client).await.unwrap();
    assert_eq!(server.connections(), 2);
}

/// A server that closes idle connections may do so at any time: each call fails or succeeds, and none is sent
/// twice.
#[tokio::test]
async fn idle_connections_that_are_closed_lose_no_call_and_double_none() {
    let Answer::Keep(bytes) = ok(TASK) else { unreachable!() };
    let server = Scripted::start((0..200).map(|_| Answer::Close(bytes.clone()))).await;
    let client = client(&server);
    for calls in 1..=200 {
        if let Err(error) = create(&client).await {
            assert!(matches!(error.kind(), ErrorKind::Transport), "{error:?}");
        }
        assert!(server.seen().len() <= calls, "a request was sent twice");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = eset_protect::Client::on_prem(&format!("http://{address}"))
        .retry(eset_protect::RetryPolicy::none())
        .connect_lazy();
    let error = create(&client.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(!error.may_have_executed() && error.is_retryable());
    assert!(error.message().contains(&address.to_string()), "{error}");
}

/// The service reports success without the result; the client must not return a default as the task.
#[tokio::test]
async fn an_answer_without_the_task_is_an_error() {
    let request_id = [("content-type", "application/json"), ("request-id", "r-1")];
    let empty = || Answer::Keep([head("200 OK", &request_id, Some(2)), b"{}".to_vec()].concat());
    let server = Scripted::start([empty(), empty(), empty(), empty()]).await;
    let client = client(&server);
    let bulk = client.bulk::<GetTask>(["t-1".to_owned()]).collect().await.pop().unwrap();
    let create = create(&client).await;
    for result in [get(&client).await, create, bulk.result] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert_eq!(error.message(), "the response has no `task`");
        assert!(error.may_have_executed() && !error.is_retryable());
        assert_eq!((error.request_id(), error.attempts()), (Some("r-1"), 1));
        assert!(error.rpc().is_some_and(|spec| spec.output_field == "task"));
    }
    // The whole response is as sent.
    let response = client.device_tasks().get_task("t-1").send().await.unwrap();
    assert_eq!(response.into_inner(), GetTaskResponse { task: None });
    assert_eq!(server.seen().len(), 4, "none is sent twice");
}
