//! Which metadata of the upstream comes back.

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::{ListTasksRequest, ListTasksResponse};
use eset_protect::emulator::Fault;
use eset_protect::serve::Bridge;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioExecutor;
use tonic::Code;

use crate::fronts::grpc_web;
use crate::support::scripted::h2::{End, H2Server, Reply as Script, frame};
use crate::{Fixture, WIRES, client, send};

/// What an upstream says of its own origin.
const OF_THE_UPSTREAM: [&str; 30] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "authentication-info",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-opener-policy",
    "link",
    "location",
    "nel",
    "permissions-policy",
    "referrer-policy",
    "refresh",
    "report-to",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-cache",
    "x-cache-lookup",
    "x-internal-host",
    "x-powered-by",
    "x-served-by",
    "x-squid-error",
    "x-varnish",
];

#[tokio::test]
async fn what_an_upstream_says_of_its_origin_is_not_heard_as_said_by_the_bridge() {
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        let endpoint = fixture.bridge.endpoint();
        for _ in 0..2 {
            let fault = Fault::status(Code::NotFound, "gone", Vec::new());
            let names = OF_THE_UPSTREAM.into_iter().chain(["x-kept"]);
            let fault = names.fold(fault, |fault, name| {
                fault.header(name.parse().unwrap(), HeaderValue::from_static("of-the-upstream"))
            });
            fixture.emulator.faults().push_for("ListTasks", fault);
        }
        let rest = Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new()).unwrap();
        for request in [rest, grpc_web(&endpoint, &ListTasksRequest::default())] {
            let response = send(request).await;
            let headers = response.headers();
            assert_eq!(headers["x-kept"], "of-the-upstream", "{response:?}");
            for name in OF_THE_UPSTREAM {
                let found = headers.get(name);
                assert!(found.is_none_or(|v| v != "of-the-upstream"), "{upstream:?}: {name}");
            }
        }
    }
}

/// Makes a call over REST and one over gRPC-Web to an upstream that fails or answers with these headers, and returns
/// the headers of the bridge.
async fn answered(fixture: &Fixture, status: StatusCode, sent: &[(&str, &str)]) -> Vec<HeaderMap> {
    let endpoint = fixture.bridge.endpoint();
    let rest = Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new()).unwrap();
    let mut answered = Vec::new();
    for request in [rest, grpc_web(&endpoint, &ListTasksRequest::default())] {
        let fault = Fault::http(status, "application/json", "{}");
        let fault = sent.iter().fold(fault, |fault, (name, value)| {
            fault.header(name.parse().unwrap(), value.parse().unwrap())
        });
        fixture.emulator.faults().push_for("ListTasks", fault);
        answered.push(send(request).await.headers().clone());
    }
    answered
}

#[tokio::test]
async fn no_upstream_forges_the_marks_of_the_bridge() {
    let fixture = Fixture::start(Wire::Rest).await;
    let sent = [
        ("eset-protect-tenant", "of-the-upstream"),
        ("eset-protect-code-inferred-from", "599"),
        ("eset-protect-other", "of-the-upstream"),
        ("grpc-retry-pushback-ms", "5"),
        ("x-kept", "yes"),
    ];
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        for headers in answered(&fixture, status, &sent).await {
            assert_eq!(headers["x-kept"], "yes");
            for (name, value) in &sent[..4] {
                assert!(headers.get(*name).is_none_or(|found| found != value), "{headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn reserved_names_are_no_metadata_of_a_response() {
    let fixture = Fixture::start(Wire::Rest).await;
    let sent = [
        ("grpc-timeout", "1n"),
        ("grpc-previous-rpc-attempts", "7"),
        ("grpc-tags-bin", "AAEC"),
        ("response-id", "of-the-upstream"),
        ("x-kept", "yes"),
    ];
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        for headers in answered(&fixture, status, &sent).await {
            assert_eq!(headers["x-kept"], "yes");
            for (name, _) in &sent[..4] {
                assert!(!headers.contains_key(*name), "{name}: {headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn headers_stay_headers_and_trailers_stay_trailers() {
    let upstream = H2Server::start(|_| {
        let text = |name, value: &str| (name, value.to_owned());
        let trailers = vec![
            text("x-late", "1"),
            text("x-late", "2"),
            text("grpc-status", "0"),
            text("nel", "x"),
        ];
        let message = frame(&ListTasksResponse::default());
        let mut reply = Script::grpc(message, End::Trailers(trailers));
        reply.headers.push(text("x-early", "0"));
        reply
    })
    .await;
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Grpc)).start().await.unwrap();
    let mut request = grpc_web(&bridge.endpoint(), &ListTasksRequest::default());
    let headers = request.headers_mut();
    headers.remove("x-grpc-web");
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    *request.version_mut() = Version::HTTP_2;
    let mut http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let http = http.http2_only(true).build_http();
    let (head, body) = http.request(request.map(Full::new)).await.unwrap().into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap();
    let all = |headers: &HeaderMap, name: &str| {
        headers.get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (all(&head.headers, "x-early"), all(&head.headers, "x-late")),
        (vec!["0".into()], vec![])
    );
    assert_eq!(
        (all(&trailers, "x-late"), all(&trailers, "grpc-status")),
        (vec!["1".into(), "2".into()], vec!["0".into()])
    );
    assert!(!trailers.contains_key("nel") && !trailers.contains_key("x-early"), "{trailers:?}");
    // REST has no trailers.
    let rest = Request::get(format!("{}/v1/device_tasks", bridge.endpoint()));
    let response = send(rest.body(Bytes::new()).unwrap()).await;
    assert_eq!(all(response.headers(), "x-late"), ["1", "2"]);
}

#[tokio::test]
async fn what_fits_only_the_bytes_of_the_upstream_stays_with_the_bridge() {
    let fixture = Fixture::start(Wire::Rest).await;
    let names = [
        "content-digest",
        "repr-digest",
        "digest",
        "content-md5",
        "signature",
        "signature-input",
        "etag",
        "last-modified",
        "accept-ranges",
        "content-range",
        "want-repr-digest",
        "content-disposition",
    ];
    let sent = names.map(|name| (name, "of-the-upstream"));
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        for headers in answered(&fixture, status, &sent).await {
            let kept = names.into_iter().filter(|name| headers.contains_key(*name));
            assert_eq!(kept.collect::<Vec<_>>(), ["content-disposition"]);
        }
    }
}

/// What HTTP allows, and gRPC's clients and servers fail on.
#[tokio::test]
async fn metadata_that_is_not_grpc_fails_no_call() {
    let fixture = Fixture::start(Wire::Rest).await;
    let sent: [(&str, &[u8]); 9] = [
        ("x-loose-bin", b"AAF="),
        ("x-plain-bin", b"plain!"),
        ("x-none-bin", b"A"),
        ("x-list-bin", b"AAE=, plain!,AAEC"),
        ("x-kept-bin", b"AAE="),
        ("x-latin", b"na\xe9"),
        ("x-tab", b"a\tb"),
        ("x~name", b"a"),
        ("x-kept", b"a b"),
    ];
    for (response, code) in [(StatusCode::OK, None), (StatusCode::NOT_FOUND, Some("5"))] {
        let fault = Fault::http(response, "application/json", "{}");
        let fault = sent.iter().fold(fault, |fault, (name, value)| {
            fault.header(name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())
        });
        fixture.emulator.faults().push_for("ListTasks", fault);
        let answer = send(grpc_web(&fixture.bridge.endpoint(), &ListTasksRequest::default())).await;
        let headers = answer.headers();
        assert_eq!(headers.get("grpc-status").map(|code| code.to_str().unwrap()), code);
        for name in ["x-plain-bin", "x-none-bin", "x-latin", "x-tab", "x~name"] {
            assert!(!headers.contains_key(name), "{name}: {headers:?}");
        }
        assert_eq!(headers["x-kept-bin"], "AAE=");
        // With bits that are over.
        assert_eq!(headers["x-loose-bin"], "AAF=");
        assert_eq!(headers["x-kept"], "a b");
        let list: Vec<_> = headers.get_all("x-list-bin").iter().collect();
        assert_eq!(list, ["AAE=", "AAEC"]);
    }
}
