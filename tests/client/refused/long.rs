//! Responses with long headers and trailers: those within the limit are read, and others cost a single call.

use eset_protect::proto::google::rpc::{self, ErrorInfo};
use eset_protect::wkt::Any;
use eset_protect::{Client, Error, ErrorKind, RetryPolicy, Wire};
use futures_util::future::join_all;
use prost::Message;
use tonic::Code;

use crate::refused::http2::{BOTH, Http2, TASK, create, get};
use crate::support::scripted::frames::{Act, What};
use crate::support::scripted::{Scripted, answer};

const LENGTHS: [usize; 4] = [15_000, 20_000, 100_000, 900_000];

fn text(length: usize) -> String {
    "wrong ".chars().cycle().take(length).collect()
}

/// Returns a gRPC error, with the message in the trailers or immediately in the headers.
fn refusal(message: String, is_at_once: bool) -> Vec<Act> {
    let status = vec![("grpc-status", "3".to_owned()), ("grpc-message", message)];
    let head = vec![("content-type", "application/grpc".to_owned())];
    match is_at_once {
        true => vec![Act::Head([head, status].concat()), Act::End],
        false => vec![Act::Head(head), Act::Trailers(status)],
    }
}

#[tokio::test]
async fn a_long_message_is_read_to_its_end() {
    for length in LENGTHS {
        for is_at_once in [true, false] {
            let acts = refusal(text(length), is_at_once);
            let (server, error) = Http2::Grpc.create_error(&acts).await;
            assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::InvalidArgument));
            assert_eq!(error.message(), text(length), "{length}");
            assert!(!error.may_have_executed());
            assert_eq!(server.count(What::Head), 1);
        }
    }
}

#[tokio::test]
async fn so_are_long_details() {
    let info = ErrorInfo { reason: text(100_000), ..Default::default() };
    let status = rpc::Status { details: vec![Any::pack(&info)], ..Default::default() };
    let details = base64_simd::STANDARD_NO_PAD.encode_to_string(status.encode_to_vec());
    let mut acts = refusal("wrong".into(), false);
    if let Some(Act::Trailers(trailers)) = acts.last_mut() {
        trailers.push(("grpc-status-details-bin", details));
    }
    let (_server, error) = Http2::Grpc.create_error(&acts).await;
    assert_eq!(error.detail::<ErrorInfo>(), Some(info), "{}", error.message());
}

#[tokio::test]
async fn so_is_long_metadata() {
    for wire in BOTH {
        for length in LENGTHS {
            let mut acts = wire.answer();
            let Some(Act::Head(headers)) = acts.first_mut() else { unreachable!() };
            headers.push(("x-note", "n".repeat(length)));
            let (_server, builder) = wire.start([], acts).await;
            let client = builder.connect_lazy().unwrap();
            let response = client.device_tasks().get_task("t-1").send().await.unwrap();
            assert_eq!(response.metadata().get("x-note").unwrap().len(), length, "{wire:?}");
        }
    }
}

/// One of 16 calls on a connection gets a long message: within the limit, above it, and so far above it that
/// HTTP/2 itself resets the stream.
#[tokio::test]
async fn one_long_answer_fails_one_call() {
    for (length, kind) in [
        (100_000, ErrorKind::Status),
        (2 << 20, ErrorKind::Limit),
        (18 << 20, ErrorKind::Transport),
    ] {
        let (server, builder) = Http2::Grpc.start([], Http2::Grpc.answer()).await;
        let client = builder.connect_lazy().unwrap();
        get(&client).await.unwrap();
        server.push(refusal(text(length), true));
        let results = join_all((0..16).map(|_| create(&client))).await;
        let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        let kinds: Vec<_> = errors.iter().map(Error::kind).collect();
        assert_eq!(kinds, [kind], "{length}: {}", shown(&errors));
        assert_eq!((server.count(What::Connection), server.count(What::Request)), (1, 17));
    }
}

/// Returns the start of each message, so that a failed test does not print megabytes.
fn shown(errors: &[Error]) -> String {
    let texts = errors.iter().map(|error| error.message().chars().take(200).collect::<String>());
    texts.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_over_the_limit(error: &Error, limit: usize) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Limit, Code::OutOfRange), "{error:?}");
    assert!(error.is_limit_exceeded() && error.may_have_executed() && !error.is_retryable());
    let message = error.message();
    assert!(message.contains("ClientBuilder::max_header_list_size"), "{error}");
    // HTTP/1.1 does not tell whether they are too long or too many.
    let limits =
        ["the limit of this client is", "more than"].map(|which| format!("{which} {limit} bytes"));
    assert!(limits.iter().any(|limit| message.contains(limit)), "{error}");
}

#[tokio::test]
async fn the_limit_is_the_callers() {
    for wire in BOTH {
        for limit in [4096, 65_536, 3 << 20] {
            for (length, is_within) in [(limit - 300, true), (limit, false)] {
                let mut acts = wire.answer();
                let Some(Act::Head(headers)) = acts.first_mut() else { unreachable!() };
                headers.push(("x-note", "n".repeat(length)));
                let (_server, builder) = wire.start([], acts).await;
                let client = builder.max_header_list_size(limit).connect_lazy().unwrap();
                match get(&client).await {
                    Ok(_) => assert!(is_within, "{wire:?}: {length} of {limit}"),
                    Err(error) => {
                        assert!(!is_within, "{wire:?}: {length} of {limit}: {error}");
                        assert_over_the_limit(&error, limit);
                    }
                }
            }
        }
    }
    let mut acts = Http2::Grpc.answer();
    let Some(Act::Trailers(trailers)) = acts.last_mut() else { unreachable!() };
    trailers.push(("x-note", "n".repeat(4096)));
    let (_server, builder) = Http2::Grpc.start([], acts).await;
    let client = builder.max_header_list_size(4096).connect_lazy().unwrap();
    assert_over_the_limit(&create(&client).await.unwrap_err(), 4096);
}

#[tokio::test]
async fn over_http_1_too() {
    let note = "n".repeat(900_000);
    let many: Vec<_> = (0..110).map(|n| format!("x-{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).collect();
    let script = [
        answer("200 OK", &[("content-type", "application/json"), ("x-note", &note)], TASK),
        answer("400 Bad", &[("content-type", "application/json"), ("x-note", &note)], "{}"),
    ];
    let server = Scripted::start(script).await;
    let builder = Client::builder(&server.endpoint()).wire(Wire::Rest).retry(RetryPolicy::none());
    let client = builder.connect_lazy().unwrap();
    let response = client.device_tasks().get_task("t-1").send().await.unwrap();
    assert_eq!(response.metadata().get("x-note").unwrap().len(), note.len());
    assert!(create(&client).await.unwrap_err().is_invalid_argument());

    let endless = "n".repeat(3 << 20);
    for headers in [&[("x-note", endless.as_str())][..], &many] {
        server.push(answer("200 OK", headers, TASK));
        assert_over_the_limit(&create(&client).await.unwrap_err(), 1 << 20);
    }
    // This does not affect the next call either.
    server.push(answer("200 OK", &[("content-type", "application/json")], TASK));
    get(&client).await.unwrap();
}
