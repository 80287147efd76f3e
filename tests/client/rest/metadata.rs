//! Which headers of a response are metadata: those about the call, not those of HTTP.

use eset_protect::Client;
use eset_protect::automation::v1::{DeviceTask, GetTaskResponse};
use tonic::Code;
use tonic::metadata::{KeyAndValueRef, MetadataMap};

use crate::rest::calls::client;
use crate::support::scripted::h2::{End, H2Server, Reply, frame};
use crate::support::scripted::{Scripted, answer};

/// Headers of HTTP and of proxies, and credentials. Those of one connection occur over HTTP/1.1 only.
const OF_HTTP: [(&str, &str); 13] = [
    ("date", "Thu, 26 Nov 2026 01:00:00 GMT"),
    ("server", "gateway/1"),
    ("via", "1.1 proxy"),
    ("alt-svc", "h3=\":443\""),
    ("accept-ranges", "none"),
    ("set-cookie", "session=s3cret"),
    ("cookie", "session=s3cret"),
    ("authorization", "Bearer s3cret"),
    ("proxy-authorization", "Basic s3cret"),
    ("proxy-authenticate", "Basic"),
    ("proxy-authentication-info", "s3cret"),
    ("http2-settings", "AAMAAABk"),
    ("grpc-accept-encoding", "gzip"),
];

const OF_CONNECTION: [(&str, &str); 6] = [
    ("connection", "keep-alive, X-Hop"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("trailer", "x-later"),
    ("te", "trailers"),
    ("x-hop", "1"),
];

const OF_THE_CALL: [(&str, &str); 5] = [
    ("request-id", "r-1"),
    ("retry-after", "1"),
    ("location", "/v1/device_tasks/t-1"),
    ("www-authenticate", "Bearer"),
    ("x-note", "n"),
];

#[track_caller]
fn assert_only_of_the_call(metadata: &MetadataMap) {
    let names = metadata.iter().map(|field| match field {
        KeyAndValueRef::Ascii(name, _) => name.as_str(),
        KeyAndValueRef::Binary(name, _) => name.as_str(),
    });
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let mut expected = OF_THE_CALL.map(|(name, _)| name);
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn over_rest() {
    let own = [("content-type", "application/json")];
    let headers = [&own[..], &OF_HTTP, &OF_CONNECTION, &OF_THE_CALL].concat();
    let server = Scripted::start([
        answer("200 OK", &headers, r#"{"task":{"uuid":"t-1"}}"#),
        answer("404 Not Found", &headers, r#"{"message":"gone"}"#),
        answer("200 OK", &headers, "no JSON"),
        answer("202 Accepted", &headers, ""),
    ])
    .await;
    let client = client(&server);
    let get = || client.device_tasks().get_task("t-1").send();
    assert_only_of_the_call(get().await.unwrap().metadata());
    let error = get().await.unwrap_err();
    assert!(error.is_not_found() && error.request_id() == Some("r-1"));
    assert_only_of_the_call(error.metadata());
    for _ in ["no JSON", "pending without an id"] {
        assert_only_of_the_call(get().await.unwrap_err().metadata());
    }
}

#[tokio::test]
async fn over_grpc() {
    let fields = |head: &[(&'static str, &str)]| -> Vec<_> {
        head.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let message = GetTaskResponse { task: Some(DeviceTask::default()) };
    let end = |code: &str| {
        let mut trailers = fields(&OF_THE_CALL[2..]);
        trailers.push(("grpc-status", code.to_owned()));
        trailers.push(("grpc-message", "gone".to_owned()));
        End::Trailers(trailers)
    };
    let mut replies = vec![
        Reply::grpc(frame(&message), end("0")),
        Reply::grpc([], end("5")),
        Reply::plain(503, "text/html", "<html>"),
    ];
    for reply in &mut replies {
        reply.headers.extend(fields(&OF_HTTP));
        reply.headers.extend(fields(&OF_THE_CALL[..2]));
    }
    replies[2].headers.extend(fields(&OF_THE_CALL[2..]));
    for reply in replies {
        let status = reply.status;
        let server = H2Server::start(move |_| reply.clone()).await;
        let client = Client::connect(&server.endpoint()).await.unwrap();
        let retry = eset_protect::RetryPolicy::none();
        match client.device_tasks().get_task("t-1").retry(retry).send().await {
            Ok(response) => assert_only_of_the_call(response.metadata()),
            Err(error) => {
                assert!(error.is_not_found() || status == 503, "{error:?}");
                assert_only_of_the_call(error.metadata());
            }
        }
    }
}

/// A response has one message: with two, it is unclear which one counts.
#[tokio::test]
async fn an_answer_of_two_messages_is_none() {
    let message = |uuid: &str| {
        let task = DeviceTask { uuid: uuid.to_owned(), ..Default::default() };
        frame(&GetTaskResponse { task: Some(task) })
    };
    let success = || vec![("grpc-status", "0".to_owned())];
    let two = [message("t-1"), message("t-2")].concat();
    let half = [message("t-1"), vec![0, 0, 0]].concat();
    let empty = [message("t-1"), vec![0, 0, 0, 0, 0]].concat();
    for body in [two, half, empty, vec![]] {
        let reply = Reply::grpc(body.clone(), End::Trailers(success()));
        let server = H2Server::start(move |_| reply.clone()).await;
        let client = Client::connect(&server.endpoint()).await.unwrap();
        let error = client.device_tasks().get_task("t-1").await.unwrap_err();
        assert_eq!(error.code(), Code::Internal, "{body:?}: {error:?}");
        assert!(error.may_have_executed() && !error.is_retryable(), "{error:?}");
        assert_eq!(server.count("GetTask"), 1);
    }

    let json = [("content-type", "application/json")];
    for body in [r#"{"task":{"uuid":"t-1"}}{"task":{"uuid":"t-2"}}"#, r#"{"task":{}} {}"#] {
        let server = Scripted::start([answer("200 OK", &json, body)]).await;
        let error = client(&server).device_tasks().get_task("t-1").await.unwrap_err();
        assert_eq!(error.code(), Code::Internal, "{body}: {error:?}");
        assert!(error.may_have_executed() && !error.is_retryable(), "{error:?}");
    }
}
