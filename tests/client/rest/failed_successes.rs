//! Responses that call themselves successes and are none.

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::{Error, ErrorKind};
use tonic::Code;

use crate::rest::calls::{TASK, client, create, get};
use crate::support::scripted::{Answer, Scripted, json, ok};

/// The errors of a get, a list, a create and a delete with this response.
async fn errors(answer: Answer) -> [Option<Error>; 4] {
    let server = Scripted::start([]).await.otherwise(answer);
    let client = client(&server);
    let list = client.device_tasks().list_tasks(ListTasksRequest::default());
    [
        get(&client).await.err(),
        list.await.err(),
        create(&client).await.err(),
        client.device_tasks().delete_task("t").await.err(),
    ]
}

#[tokio::test]
async fn an_error_in_the_body_of_a_success_is_the_error_of_the_call() {
    for (body, code, message) in [
        (r#"{"code":7,"message":"no","details":[]}"#, Code::PermissionDenied, "no"),
        (r#"{"error":"session expired","code":401}"#, Code::Unauthenticated, "session expired"),
        (r#"{"error":{"code":503,"message":"busy"}}"#, Code::Unavailable, "busy"),
        (r#"{"timestamp":1,"error":"Bad Gateway"}"#, Code::Unknown, "Bad Gateway"),
        (r#" { "error" : {"reason":7} }"#, Code::Unknown, "HTTP 200 OK with an error in its body"),
        (r#"{"message":"wrong","code":"E17"}"#, Code::Unknown, "wrong"),
        ("\u{FEFF}{\"\\u0063ode\":5,\"message\":\"gone\"}", Code::NotFound, "gone"),
        (r#"{"code":5,"message":"Ger\ud83d","code":7}"#, Code::PermissionDenied, "Ger\u{FFFD}"),
    ] {
        for error in errors(ok(body)).await {
            let error = error.unwrap_or_else(|| panic!("{body} is no error"));
            let found = (error.kind(), error.code(), error.message());
            assert_eq!(found, (ErrorKind::Status, code, message), "{body}");
            assert_eq!(error.http_status(), Some(200));
        }
    }
}

#[tokio::test]
async fn members_that_are_merely_new_make_no_error() {
    for body in [
        "{}",
        r#"{"operation":{"error":"x"}}"#,
        r#"{"code":0,"message":"OK"}"#,
        r#"{"code":200,"message":"done"}"#,
        r#"{"error":null}"#,
        r#"{"error":""}"#,
        r#"{"message":"5 tasks"}"#,
    ] {
        let [get, list, create, delete] = errors(ok(body)).await;
        assert_eq!((list.map(|it| it.to_string()), delete.map(|it| it.to_string())), (None, None));
        for error in [get, create] {
            assert!(error.unwrap().message().contains("the response has no `task`"), "{body}");
        }
    }
    let known = TASK.replacen('{', r#"{"error":"of another","code":7,"message":"x","#, 1);
    let server = Scripted::start([ok(&known)]).await;
    assert_eq!(get(&client(&server)).await.unwrap().uuid, "t-1");
}

#[tokio::test]
async fn the_error_shows_no_secret_of_the_call() {
    let server = Scripted::start([ok(r#"{"error":"bad token: secret-token-17"}"#)]).await;
    let client = crate::rest::calls::builder(&server)
        .credentials(eset_protect::auth::StaticToken::new("secret-token-17"))
        .connect_lazy()
        .unwrap();
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.message(), "bad token: [redacted]");
}

#[tokio::test]
async fn a_part_of_a_response_is_no_response() {
    for status in ["206 Partial Content", "207 Multi-Status"] {
        for error in errors(json(status, TASK)).await {
            let error = error.unwrap();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::Unknown));
            assert_eq!(error.message(), format!("HTTP {status}"));
            assert!(error.may_have_executed());
        }
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let server = Scripted::start([ok(&format!("\u{FEFF}{TASK}"))]).await;
    assert_eq!(get(&client(&server)).await.unwrap().uuid, "t-1");
}
