//! Responses that are wrong on purpose.

use std::io::Write;
use std::time::Duration;

use eset_protect::auth::StaticToken;
use eset_protect::automation::v1::GetTaskRequest;
use eset_protect::{Error, ErrorKind};
use flate2::{Compression, write::GzEncoder};
use tonic::Code;

use crate::rest::calls::{TASK, builder, client, create, get};
use crate::support::scripted::{Answer, Scripted, answer, head, ok};

const JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn failure(answer: Answer) -> Error {
    let server = Scripted::start([answer]).await;
    let error = create(&client(&server)).await.unwrap_err();
    assert_eq!(server.seen().len(), 1, "what may have run is not sent again");
    error
}

#[tokio::test]
async fn a_success_that_is_not_json_is_an_error() {
    let html = answer("200 OK", &[("content-type", "text/html"), ("request-id", "r-1")], "<html>");
    let grpc = answer("200 OK", &[("content-type", "application/grpc"), ("grpc-status", "12")], "");
    for (answer, what) in [
        (html, "found text/html"),
        (grpc, "found application/grpc"),
        (answer("200 OK", &[], TASK), "found none"),
        (answer("200 OK", &[("content-type", "")], TASK), "found none"),
        (answer("200 OK", &[JSON], ""), "not a valid eset.dotnod.automation.v1.CreateTaskResponse"),
        (answer("200 OK", &[], ""), "not a valid eset.dotnod.automation.v1.CreateTaskResponse"),
        (
            answer("204 No Content", &[], ""),
            "not a valid eset.dotnod.automation.v1.CreateTaskResponse",
        ),
        (ok("[]"), "not a valid eset"),
        (ok("{\"task\":"), "not a valid eset"),
        (ok("{\"task\":7}"), "task"),
        (ok(&"[".repeat(200_000)), "not a valid eset"),
        (ok(&format!("{{\"x\":{}", "[".repeat(200_000))), "not a valid eset"),
        (ok("\u{feff}{}"), "the response has no `task`"),
    ] {
        let error = failure(answer).await;
        assert_eq!((error.kind(), error.code()), (ErrorKind::Transport, Code::Internal));
        assert!(error.may_have_executed() && error.message().contains(what), "{what}: {error}");
        assert!(matches!(error.http_status(), Some(200 | 204)), "{error:?}");
    }
}

#[tokio::test]
async fn a_response_without_fields_needs_no_body() {
    for answer in [
        answer("204 No Content", &[], ""),
        answer("200 OK", &[], ""),
        answer("200 OK", &[JSON], ""),
        answer("200 OK", &[JSON], "{}"),
        // Nothing to unpack, whatever the header says.
        answer("204 No Content", &[("content-encoding", "gzip")], ""),
        answer("200 OK", &[("content-encoding", "gzip")], ""),
        answer("200 OK", &[JSON, ("content-encoding", "br")], ""),
    ] {
        let server = Scripted::start([answer]).await;
        client(&server).device_tasks().delete_task("t-1").await.unwrap();
    }
    let other = answer("200 OK", &[("content-type", "application/grpc")], "");
    let server = Scripted::start([other]).await;
    client(&server).device_tasks().delete_task("t-1").await.unwrap_err();
}

#[tokio::test]
async fn the_media_type_counts_not_its_parameters() {
    for media_type in [
        "application/json; charset=utf-8",
        "Application/JSON;charset=iso-8859-2",
        "application/json;",
    ] {
        let server =
            Scripted::start([answer("200 OK", &[("content-type", media_type)], TASK)]).await;
        assert_eq!(get(&client(&server)).await.unwrap().uuid, "t-1");
    }
    let wide: Vec<u8> = TASK.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let type_ = ("content-type", "application/json; charset=utf-16");
    let error = failure(answer("200 OK", &[type_], wide)).await;
    assert!(error.message().contains("not a valid eset"), "{error}");
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_limit() {
    let chunk = [b"2710\r\n".as_slice(), &[b' '; 10_000], b"\r\n"].concat();
    let chunked = head("200 OK", &[JSON, ("transfer-encoding", "chunked")], None);
    let plain = head("200 OK", &[JSON], None);
    for answer in [Answer::Endless(chunked, chunk), Answer::Endless(plain, vec![b' '; 10_000])] {
        let server = Scripted::start([answer]).await;
        let client = builder(&server).max_message_size(100_000).connect_lazy().unwrap();
        let error = create(&client).await.unwrap_err();
        assert!(error.is_limit_exceeded() && error.may_have_executed(), "{error:?}");
        assert!(error.message().contains("the limit is 100000 bytes"), "{error}");
        assert!(error.message().contains("max_message_size"), "{error}");
    }
}

#[tokio::test]
async fn a_lie_about_the_length_costs_nothing() {
    let answer = Answer::Close(head("200 OK", &[JSON], Some(usize::MAX / 4)));
    assert_eq!(failure(answer).await.kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn endless_headers_are_an_error() {
    let first = b"HTTP/1.1 200 OK\r\n".to_vec();
    let many = Answer::Endless(first.clone(), b"x-a: b\r\n".to_vec());
    let long = Answer::Endless([&first[..], b"x-a: "].concat(), vec![b'x'; 10_000]);
    let junk = Answer::Endless(vec![], b"\0".to_vec());
    for (answer, kind) in
        [(many, ErrorKind::Limit), (long, ErrorKind::Limit), (junk, ErrorKind::Transport)]
    {
        let error = failure(answer).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn too_many_headers_are_told_from_too_long_ones() {
    let many: Vec<_> = (0..101).map(|_| ("x-a", "b")).collect();
    let error = failure(answer("200 OK", &many, TASK)).await;
    assert!(error.message().contains("more than 100 headers"), "{error}");
    assert!(error.message().contains("that of headers cannot"), "{error}");
}

/// What a user agent puts right (RFC 9112, 5).
#[tokio::test]
async fn folded_lines_and_spaces_before_a_colon_are_borne() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type : application/json\r\nx-folded: a\r\n  b\r\n";
    let response = format!("{head}content-length: {}\r\n\r\n{TASK}", TASK.len());
    let server = Scripted::start([Answer::Keep(response.into_bytes())]).await;
    let response = client(&server).device_tasks().get_task("t-1").send().await.unwrap();
    let folded = response.metadata().get("x-folded").unwrap().to_str().unwrap().to_owned();
    assert_eq!(folded.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
    assert!(!folded.contains(['\r', '\n']), "{folded:?}");
}

#[tokio::test]
async fn junk_is_an_error() {
    for junk in [
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 9999 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\r\n\r\n\r\n",
        "220 mail.example ESMTP\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        let error = failure(Answer::Close(junk.as_bytes().to_vec())).await;
        assert_eq!(error.kind(), ErrorKind::Transport, "{junk:?}: {error:?}");
        assert!(error.may_have_executed(), "{junk:?}");
    }
}

#[tokio::test]
async fn duplicate_and_odd_headers_are_borne() {
    let headers = [
        JSON,
        ("content-type", "text/html"),
        ("request-id", "r-1"),
        ("request-id", "r-2"),
        ("x-odd", "\u{e9}\u{ff}"),
        ("x-odd-bin", "!!!"),
        ("grpc-status", "abc"),
        ("set-cookie", "a=b"),
    ];
    let server = Scripted::start([answer("200 OK", &headers, TASK)]).await;
    let response = client(&server).device_tasks().get_task("t-1").send().await.unwrap();
    assert_eq!(response.metadata().get_all("request-id").iter().count(), 2);
    let error = failure(answer("500 E", &[("request-id", "\u{e9}")], "")).await;
    assert_eq!(error.request_id(), None);
}

#[tokio::test]
async fn gzip_is_unpacked_within_the_limit() {
    for coding in ["gzip", "x-gzip", "GZIP", "identity"] {
        let body =
            if coding == "identity" { TASK.as_bytes().to_vec() } else { gzip(TASK.as_bytes()) };
        let packed = answer("200 OK", &[JSON, ("content-encoding", coding)], body);
        let server = Scripted::start([packed]).await;
        assert_eq!(get(&client(&server)).await.unwrap().uuid, "t-1", "{coding}");
        assert_eq!(server.seen()[0].header("accept-encoding"), Some("gzip"));
    }
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let error = failure(answer("200 OK", &[JSON, ("content-encoding", "gzip")], &bomb)).await;
    assert!(error.is_limit_exceeded(), "{error:?}");
    let error = failure(answer("500 E", &[("content-encoding", "gzip")], &bomb)).await;
    assert_eq!(error.code(), Code::Internal);
    let half = &gzip(TASK.as_bytes())[..40];
    for (coding, body) in
        [("gzip", half), ("gzip", b"{}"), ("gzip", b""), ("br", b"{}"), ("gzip, gzip", b"{}")]
    {
        let error = failure(answer("200 OK", &[JSON, ("content-encoding", coding)], body)).await;
        assert_eq!(error.kind(), ErrorKind::Transport, "{coding} {body:?}: {error:?}");
        assert_eq!(error.http_status(), Some(200));
    }
}

#[tokio::test]
async fn a_trickle_is_read_to_its_end_and_a_silence_to_the_deadline() {
    let Answer::Keep(bytes) = ok(TASK) else { unreachable!() };
    let server = Scripted::start([Answer::Trickle(bytes)]).await;
    assert_eq!(get(&client(&server)).await.unwrap().uuid, "t-1");

    let half = head("200 OK", &[JSON], Some(100));
    for silent in [Answer::Hang(vec![]), Answer::Hang(b"HTTP/1.1 2".to_vec()), Answer::Hang(half)] {
        let server = Scripted::start([silent]).await;
        let client = builder(&server).timeout(Duration::from_millis(50)).connect_lazy().unwrap();
        let error = create(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Deadline, Code::DeadlineExceeded));
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn a_request_over_the_limit_is_not_sent() {
    let server = Scripted::start([]).await;
    let client = builder(&server).max_message_size(10).connect_lazy().unwrap();
    let error = create(&client).await.unwrap_err();
    assert!(error.is_limit_exceeded() && !error.may_have_executed(), "{error:?}");
    assert!(error.message().contains("max_message_size"), "{error}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_error_does_not_repeat_an_address_of_megabytes() {
    let server = Scripted::start([]).await;
    for uuid in ["x".repeat(1_000_000), "é/".repeat(20_000)] {
        let client = builder(&server).credentials(StaticToken::new("a-token"));
        let tasks = client.connect_lazy().unwrap().device_tasks();
        let error = tasks.get_task(GetTaskRequest { task_uuid: uuid }).await.unwrap_err();
        assert!(error.message().contains("an address has at most 65534"), "{error}");
        assert!(format!("{error} {error:?}").len() < 1_000);
    }
    assert!(server.seen().is_empty());
}
