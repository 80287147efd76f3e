//! Limits on what a caller may send, and how often.

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use eset_protect::emulator::Auth;
use eset_protect::server::{RestFront, RestLimits};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::rest_front::fixture::*;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn a_body_that_is_too_large_is_413_on_both_versions() {
    let fixture = fixture().await;
    let h2 = Http::new(&fixture.running.endpoint(), true);
    for http in [&fixture.http, &h2] {
        let body = vec![b' '; 10_024 * 1024 + 1];
        // The response may arrive before the body is sent; the sender then sees a broken connection.
        if let Ok(answer) = http.try_send(Method::POST, "/v2/policies", &JSON, body).await {
            answer.error(413);
        }
    }
    // One byte less is read, and is not JSON.
    let body = vec![b' '; 10_024 * 1024];
    fixture.http.send(Method::POST, "/v2/policies", &JSON, body).await.error(400);
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_the_body() {
    let fixture = fixture().await;
    // Logins, which need no token, are small.
    for (path, length) in [("/v2/policies", 99_999_999), ("/oauth/token", 65_537)] {
        let mut stream = TcpStream::connect(fixture.running.local_addr()).await.unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("request-id: "));
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let mut limits = RestLimits::default();
    limits.body_time = Duration::ZERO;
    let front = RestFront::new([]).limits(limits);
    let body = StreamBody::new(tokio_stream::pending::<Result<Frame<Bytes>, Infallible>>());
    let refused = front.read(Request::post("/v2/policies").body(body).unwrap()).await.unwrap_err();
    assert_eq!(refused.status(), 408);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_415() {
    let fixture = fixture().await;
    let path = "/v1/device_tasks";
    for content_type in ["application/x-www-form-urlencoded", "text/plain", ""] {
        let headers = [("content-type", content_type)];
        fixture.http.send(Method::POST, path, &headers, "{}").await.error(415);
    }
    let headers = [("content-type", "application/json"), ("content-type", "text/plain")];
    fixture.http.send(Method::POST, path, &headers, "{}").await.error(415);
    for encoding in ["br", "deflate", "gzip, gzip", "gzip, br"] {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        let answer = fixture.http.send(Method::POST, path, &headers, "{}").await;
        assert!(answer.error(415).contains("content-encoding"));
        assert_eq!(answer.header("accept-encoding"), "gzip");
    }
    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    let answer = fixture.http.send(Method::POST, path, &headers, task("t").to_string()).await;
    assert_eq!(answer.status, 200);
    for body in ["", "[]", "{", "null", "\u{feff}{}"] {
        fixture.http.send(Method::POST, path, &JSON, body).await.error(400);
    }
}

#[tokio::test]
async fn a_body_may_be_compressed_by_gzip() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let fixture = fixture_with(|builder| builder.auth(Auth::new().account("u", "p"))).await;
    let form = b"grant_type=password&username=u&password=p";
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "gzip")];
    let login = fixture.http.send(Method::POST, "/oauth/token", &headers, gzip(form)).await;
    let token = format!("Bearer {}", login.json()["access_token"].as_str().unwrap());
    let path = "/v1/device_tasks";
    let body = task("packed").to_string();
    for encoding in ["gzip", "x-gzip", "GZIP", "identity, gzip"] {
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
            ("content-encoding", encoding),
        ];
        let answer = fixture.http.send(Method::POST, path, &headers, gzip(body.as_bytes())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["task"]["displayName"], "packed");
        // The unpacked size counts: ten kilobytes could unpack to ten megabytes.
        let bomb = gzip(&vec![b' '; 10_024 * 1024 + 1]);
        assert!(bomb.len() < 20_000);
        fixture.http.send(Method::POST, path, &headers, bomb).await.error(413);
        let packed = gzip(body.as_bytes());
        for wrong in [&packed[..packed.len() - 1], b"no gzip", body.as_bytes()] {
            let answer = fixture.http.send(Method::POST, path, &headers, wrong.to_vec()).await;
            assert!(answer.error(400).contains("gzip"));
        }
    }
}

#[tokio::test]
async fn heads_have_limits() {
    let fixture = fixture().await;
    let long = "x".repeat(17 * 1024);
    let headers = [("x-long", long.as_str())];
    fixture.http.get_with("/v1/device_tasks", &headers).await.error(431);
    fixture.http.get(&format!("/v1/device_tasks?pageToken={long}")).await.error(414);
    let names: Vec<_> = (0..200).map(|n| format!("x-{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(fixture.http.get_with("/", &many).await.status, 431);
}

#[tokio::test]
async fn bytes_that_are_no_http_harm_nobody() {
    let fixture = fixture().await;
    for bytes in
        [&b"\0\xff\n\n"[..], b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxx"]
    {
        let mut stream = TcpStream::connect(fixture.running.local_addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    }
    assert_eq!(fixture.http.get("/v2/policies").await.status, 200);
}

#[tokio::test]
async fn the_eleventh_call_of_a_second_is_429_on_both_fronts() {
    let fixture = fixture_with(|builder| builder.rate_limit(true)).await;
    for _ in 0..10 {
        assert_eq!(fixture.http.get("/v2/policies").await.status, 200);
    }
    let message = fixture.http.get("/v2/policies").await.error(429);
    assert!(message.contains("10 calls"));
    let request = eset_protect::automation::v1::ListTasksRequest::default();
    let status = fixture.grpc().await.list_tasks(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    // Another token counts separately; logins and web pages do not count.
    let other = [("authorization", "Bearer other")];
    assert_eq!(fixture.http.get_with("/v2/policies", &other).await.status, 200);
    assert_eq!(fixture.http.get("/").await.status, 200);
    fixture.clock.advance(Duration::from_millis(999));
    fixture.http.get("/v2/policies").await.error(429);
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(fixture.http.get("/v2/policies").await.status, 200);
}

#[tokio::test]
async fn there_is_no_rate_limit_by_default() {
    let fixture = fixture_with(|builder| builder.auth(Auth::new().account("u", "p"))).await;
    for _ in 0..30 {
        fixture.http.get("/v2/policies").await.error(401);
    }
}

#[tokio::test]
async fn idle_connections_hold_no_shutdown_up() {
    let fixture = fixture().await;
    let h2 = Http::new(&fixture.running.endpoint(), true);
    for http in [&fixture.http, &h2] {
        assert_eq!(http.get("/v2/policies").await.status, 200);
    }
    let started = std::time::Instant::now();
    fixture.running.shutdown().await;
    // Ten seconds are the limit for current calls, and there are none.
    assert!(started.elapsed() < Duration::from_secs(9));
    assert!(fixture.http.try_send(Method::GET, "/", &[], "").await.is_err());
}
