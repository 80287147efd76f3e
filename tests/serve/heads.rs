//! What the heads of requests and responses must have, and `HEAD`.

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
async fn head_is_get_without_a_body() {
    let fixture = Fixture::start(Wire::Grpc).await;
    let ask = async |method, endpoint: &str, path: &str, version, origin: Option<&str>| {
        let mut request =
            Request::builder().method(method).uri(format!("{endpoint}{path}")).version(version);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        send(request.body(Bytes::new()).unwrap()).await
    };
    let evil = Some("https://evil.example");
    let pages = [("/", None), ("/start.js", None), ("/openapi.json", None), ("/", evil)];
    let calls = [
        ("/v1/device_tasks?pageSize=1", None),
        ("/v1/device_tasks/none", None),
        ("/v1/device_tasks", evil),
        ("/none", None),
    ];
    let (bridge, emulator) = (fixture.bridge.endpoint(), fixture.emulator.endpoint());
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let of_bridge = pages.into_iter().chain(calls).map(|asked| (&bridge, asked));
        // It has `HEAD` of calls only if it is asked to, since ESET documents none.
        for (endpoint, (path, origin)) in of_bridge.chain(pages.map(|page| (&emulator, page))) {
            let get = ask(Method::GET, endpoint, path, version, origin).await;
            let head = ask(Method::HEAD, endpoint, path, version, origin).await;
            assert_eq!(head.status(), get.status(), "{path}");
            assert!(head.body().is_empty(), "{path}");
            assert_eq!(head.headers()["content-type"], get.headers()["content-type"]);
            assert_eq!(head.headers()["content-length"], get.body().len().to_string());
        }
        let answer = ask(Method::PUT, &bridge, "/v1/device_tasks", version, None).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &"GET, POST, HEAD".parse().unwrap())
        );
        // Without `GET` there is no `HEAD`.
        let answer = ask(Method::HEAD, &bridge, "/v1/devices:batchImport", version, None).await;
        assert_eq!(answer.headers()["allow"], "POST");
    }
}

/// Shared caches keep even a 404 that does not forbid it.
#[tokio::test]
async fn nothing_said_to_a_caller_is_stored_or_taken_for_a_page() {
    let fixture = Fixture::start(Wire::Rest).await;
    for endpoint in [fixture.bridge.endpoint(), fixture.emulator.endpoint()] {
        for (path, status) in
            [("/v1/device_tasks", 200), ("/v1/device_tasks/none", 404), ("/none", 404)]
        {
            let request = Request::get(format!("{endpoint}{path}")).body(Bytes::new()).unwrap();
            let answer = send(request).await;
            assert_eq!(answer.status(), status, "{path}");
            let all = |name| answer.headers().get_all(name).iter().collect::<Vec<_>>();
            assert_eq!(all("cache-control"), ["no-store"], "{path}");
            assert_eq!(all("x-content-type-options"), ["nosniff"], "{path}");
        }
    }
}

/// The deadline of a call includes the wait for its body.
#[tokio::test]
async fn half_a_request_over_rest_ends_at_its_deadline() {
    let fixture = Fixture::start(Wire::Grpc).await;
    for address in [fixture.bridge.local_addr(), fixture.emulator.local_addr()] {
        let half = "POST /v1/device_tasks HTTP/1.1\r\nhost: localhost\r\ngrpc-timeout: 20m\r\n\
                    content-type: application/json\r\ncontent-length: 9\r\n\r\n{";
        let answer = exchange(address, half).await;
        assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("grpc-timeout"), "{answer}");
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
