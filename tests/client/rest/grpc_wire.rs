//! Responses over the gRPC wire that are not gRPC, or are broken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::automation::v1::{DeviceTask, GetTaskResponse};
use eset_protect::proto::google::rpc::{self, ErrorInfo};
use eset_protect::wkt::Any;
use eset_protect::{Client, Error, ErrorKind, RetryPolicy};
use prost::Message;
use tonic::Code;

use crate::rest::calls::get;
use crate::support::scripted::h2::{End, H2Server, Reply, frame};

async fn call(reply: Reply) -> Result<DeviceTask, Error> {
    let server = H2Server::start(move |_| reply.clone()).await;
    let client = Client::builder(&server.endpoint())
        .timeout(Duration::from_millis(300))
        .retry(RetryPolicy::none());
    get(&client.connect().await.unwrap()).await
}

#[tokio::test]
async fn a_page_of_html_is_told_by_its_status() {
    for (status, code) in [
        (200, Code::Unknown),
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (418, Code::Unknown),
        (429, Code::Unavailable),
        (500, Code::Unknown),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
    ] {
        for media_type in ["text/html", "application/json", ""] {
            let error = call(Reply::plain(status, media_type, "<html>")).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Transport, code), "{error:?}");
            assert_eq!(error.http_status(), Some(status));
            assert!(error.is_code_inferred());
            assert!(error.message().contains("does not answer in gRPC"), "{error}");
            assert!(error.message().contains(&status.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn where_there_is_a_grpc_status_it_counts() {
    let mut reply = Reply::plain(503, "text/html", "");
    reply.headers.push(("grpc-status", "5".to_owned()));
    assert!(call(reply).await.unwrap_err().is_not_found());
}

fn status(message: &str, details: &str, in_headers: bool) -> Reply {
    let fields = vec![
        ("grpc-status", "5".to_owned()),
        ("grpc-message", message.to_owned()),
        ("grpc-status-details-bin", details.to_owned()),
    ];
    if in_headers {
        let mut reply = Reply::grpc([], End::Stream);
        reply.headers.extend(fields);
        reply
    } else {
        Reply::grpc([], End::Trailers(fields))
    }
}

#[tokio::test]
async fn broken_details_cost_neither_the_code_nor_the_message() {
    let broken = [
        "!!!", "A", "AAAAA", "A===", "AB", "AA===", "AAA====", "====", "", "AA,BB", "A=A=", "CP8",
        "/////w", "A A=",
    ];
    for details in broken {
        for in_headers in [true, false] {
            let error = call(status("gone", details, in_headers)).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::NotFound));
            assert_eq!(error.message(), "gone", "{details:?}");
            assert!(error.details().is_empty());
        }
    }
}

#[tokio::test]
async fn a_broken_message_does_not_cost_the_code() {
    for (sent, expected) in [
        ("na\u{e9} closed", "na\u{fffd} closed"),
        ("na%E9%20closed", "na\u{fffd} closed"),
        ("na%C3%a9%20closed", "na\u{e9} closed"),
        ("na\u{c3}\u{a9}", "na\u{e9}"),
        ("100%", "100%"),
        ("100%2", "100%2"),
        ("100%zz%20%", "100%zz %"),
        ("%%20", "% "),
        ("", ""),
    ] {
        for in_headers in [true, false] {
            let error = call(status(sent, "", in_headers)).await.unwrap_err();
            assert_eq!((error.code(), error.message()), (Code::NotFound, expected));
        }
    }
}

#[tokio::test]
async fn good_details_come_through_with_any_padding() {
    for reason in ["R", "RE", "REA"] {
        let info = ErrorInfo { reason: reason.to_owned(), ..Default::default() };
        let details = rpc::Status { details: vec![Any::pack(&info)], ..Default::default() };
        let text = base64_simd::STANDARD_NO_PAD.encode_to_string(details.encode_to_vec());
        let full = base64_simd::STANDARD.encode_to_string(details.encode_to_vec());
        for text in [&text, &full, &format!("{text}===")] {
            for in_headers in [true, false] {
                let error = call(status("gone", text, in_headers)).await.unwrap_err();
                assert_eq!(error.detail::<ErrorInfo>().unwrap(), info, "{text}");
            }
        }
    }
}

#[tokio::test]
async fn the_deadline_holds_where_trailers_never_come() {
    let message = GetTaskResponse::default();
    for body in [vec![], frame(&message), vec![0], vec![0, 0, 0, 1, 0, 1]] {
        let error = call(Reply::grpc(body, End::Never)).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Deadline, Code::DeadlineExceeded));
    }
}

#[tokio::test]
async fn garbage_is_an_error_in_time() {
    let done = || End::Trailers(vec![("grpc-status", "0".to_owned())]);
    let message = GetTaskResponse { task: Some(DeviceTask::default()) };
    for body in [
        vec![],
        vec![0],
        vec![0, 0xff, 0xff, 0xff, 0xff],
        vec![0, 0, 0, 0, 9, 1, 2],
        vec![1, 0, 0, 0, 1, 0],
        vec![7, 0, 0, 0, 0],
        vec![0, 0, 0, 0, 3, 0xff, 0xff, 0xff],
        vec![0, 0, 0, 0, 2, 0x0a, 0x7f],
        b"<html>".to_vec(),
        vec![0xff; 10_000],
    ] {
        for end in [done(), End::Stream] {
            let error = call(Reply::grpc(body.clone(), end)).await.unwrap_err();
            assert!(error.may_have_executed(), "{error:?}");
            let start = &body[..body.len().min(9)];
            assert_ne!(error.kind(), ErrorKind::Deadline, "{start:?}: {error:?}");
        }
    }
    for status in ["abc", "99", "-1", ""] {
        let end = End::Trailers(vec![("grpc-status", status.to_owned())]);
        let error = call(Reply::grpc(frame(&message), end)).await.unwrap_err();
        assert_eq!(error.code(), Code::Unknown, "{status:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_is_an_error() {
    let error = call(Reply::disconnect()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(error.may_have_executed());
}

#[tokio::test]
async fn the_user_agent_is_ours_and_may_have_a_suffix() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = seen.clone();
    let server = H2Server::start(move |request| {
        heard.lock().unwrap().push(request.headers["user-agent"].to_str().unwrap().to_owned());
        Reply::message(&GetTaskResponse { task: Some(DeviceTask::default()) })
    })
    .await;
    let builder = Client::builder(&server.endpoint());
    get(&builder.clone().connect_lazy().unwrap()).await.unwrap();
    get(&builder.clone().user_agent_suffix("acme-soar/2.1").connect_lazy().unwrap()).await.unwrap();
    let ours = concat!("eset-protect/", env!("CARGO_PKG_VERSION"));
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with(&format!("{ours} tonic/")), "{seen:?}");
    assert!(seen[1].starts_with(&format!("{ours} acme-soar/2.1 tonic/")), "{seen:?}");
    let error = builder.user_agent_suffix("a\nb").connect_lazy().unwrap_err();
    assert!(error.to_string().contains("user_agent_suffix: expected visible ASCII"), "{error}");
}
