//! What the head of a request must have, and `HEAD`.

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use http::{Method, Request, Version};

use crate::fronts::grpc_web;
use crate::{Fixture, exchange, send};

#[tokio::test]
async fn a_request_names_one_host() {
    let fixture = Fixture::start(Wire::Grpc).await;
    for address in [fixture.bridge.local_addr(), fixture.emulator.local_addr()] {
        for (hosts, expected) in [
            ("", "400"),
            ("host: localhost\r\nhost: localhost\r\n", "400"),
            ("host: localhost\r\n", "200"),
        ] {
            let head = format!("GET / HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
            let answer = exchange(address, &head).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{hosts:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_body_in_an_unknown_transfer_coding_is_not_read() {
    let fixture = Fixture::start(Wire::Grpc).await;
    for address in [fixture.bridge.local_addr(), fixture.emulator.local_addr()] {
        for (coding, expected) in [("gzip, chunked", "501"), ("Chunked", "200")] {
            let head = format!(
                "GET /v1/device_tasks HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: {coding}\r\n\
                 connection: close\r\n\r\n0\r\n\r\n"
            );
            let answer = exchange(address, &head).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{coding}: {answer}");
        }
    }
}

#[tokio::test]
async fn head_of_a_page_is_that_of_get() {
    let fixture = Fixture::start(Wire::Grpc).await;
    for endpoint in [fixture.bridge.endpoint(), fixture.emulator.endpoint()] {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            for path in ["/", "/start.js", "/openapi.json"] {
                let ask = |method| {
                    let uri = format!("{endpoint}{path}");
                    let request = Request::builder().method(method).uri(uri).version(version);
                    send(request.body(Bytes::new()).unwrap())
                };
                let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
                assert_eq!(head.status(), 200, "{path}");
                assert!(head.body().is_empty());
                assert_eq!(head.headers()["content-type"], get.headers()["content-type"]);
                assert_eq!(head.headers()["content-length"], get.body().len().to_string());
            }
        }
    }
}

/// A JSON Web Token of somebody in many groups has tens of kilobytes.
#[tokio::test]
async fn a_token_may_be_long_on_every_front() {
    let fixture = Fixture::start(Wire::Grpc).await;
    let endpoint = fixture.bridge.endpoint();
    let list = || Request::get(format!("{endpoint}/v1/device_tasks"));
    for (size, status) in [(60 * 1024, 200), (64 * 1024, 431)] {
        let token = format!("Bearer {}", "x".repeat(size));
        let web = grpc_web(&endpoint, &ListTasksRequest::default());
        let rest = list().body(Bytes::new()).unwrap();
        for (front, mut request, version) in [
            ("REST", rest.clone(), Version::HTTP_11),
            ("REST", rest, Version::HTTP_2),
            ("gRPC-Web", web, Version::HTTP_2),
        ] {
            *request.version_mut() = version;
            request.headers_mut().insert("authorization", token.parse().unwrap());
            let answer = send(request).await;
            assert_eq!(answer.status(), status, "{front} over {version:?}, {size}");
        }
    }
}

#[tokio::test]
async fn who_calls_and_for_whom_is_said_once() {
    let fixture = Fixture::start(Wire::Grpc).await;
    for (name, status) in [("authorization", 401), ("eset-protect-tenant", 400)] {
        let uri = format!("{}/v1/device_tasks", fixture.bridge.endpoint());
        let request = Request::get(uri).header(name, "default").header(name, "default");
        let answer = send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.status(), status, "{answer:?}");
        let text = String::from_utf8_lossy(answer.body());
        assert!(text.contains(&format!("{name}: expected one")), "{text}");
    }
    assert!(fixture.emulator.log().is_empty());
}
